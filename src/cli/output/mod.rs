//! Where things are written: standard output carries data only, standard error the talk, `--json` one object a line.

mod escape;
mod event;
pub mod log;
mod ready;

pub use escape::{Escaper, escaped};
pub use event::Event;

use super::failure::{Failure, describe};
use super::status::Status;
use super::table::row::Json;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ready::Ready;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What the command line says about output.
#[derive(Debug, Default)]
pub struct Wishes {
    /// The command, as in `connect`, for messages.
    pub name: String,
    /// Where `--json` goes, if it was given.
    pub json: Option<Json>,
    /// `--quiet`.
    pub quiet: bool,
    /// How many `-v`.
    pub verbose: u8,
    /// `--no-progress`.
    pub no_progress: bool,
    /// `--ready-fd`.
    pub ready_fd: Option<u64>,
    /// `--ready-file`.
    pub ready_file: Option<PathBuf>,
}

/// The ways out of a command. Clones write to the same places.
#[derive(Clone, Debug)]
pub struct Output(Arc<Inner>);

/// Standard output and error as they are, with no wishes.
impl Default for Output {
    fn default() -> Self {
        Self::new(Wishes::default(), None)
    }
}

#[derive(Debug)]
struct Inner {
    wishes: Wishes,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    bars: MultiProgress,
    ready: Mutex<Option<Ready>>,
}

impl Output {
    /// Opens what the command line asks for.
    ///
    /// # Errors
    /// Usage, if the descriptor of `--ready-fd` is not there.
    pub fn open(wishes: Wishes) -> Result<Self, Failure> {
        let ready = Ready::open(wishes.ready_fd, wishes.ready_file.clone())?;
        Ok(Self::new(wishes, ready))
    }

    fn new(wishes: Wishes, ready: Option<Ready>) -> Self {
        let stderr_is_terminal = io::stderr().is_terminal();
        let bars = stderr_is_terminal && !dumb() && !wishes.quiet && !wishes.no_progress && wishes.json.is_none();
        let target = if bars { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self(Arc::new(Inner {
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal,
            bars: MultiProgress::with_draw_target(target),
            ready: Mutex::new(ready),
            wishes,
        }))
    }

    /// Writes to standard output, byte for byte, and flushes.
    ///
    /// # Errors
    /// Status 141 if the reader left, 9 for anything else.
    pub fn data(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(stdout_failure)
    }

    /// Writes a line of text to standard output; control characters are escaped where it is a terminal.
    ///
    /// # Errors
    /// As [`Output::data`].
    pub fn line(&self, text: impl Display) -> Result<(), Failure> {
        let text = text.to_string();
        let text = if self.0.stdout_is_terminal { escaped(&text) } else { text.into() };
        self.data(format!("{text}\n").as_bytes())
    }

    /// Says a line on standard error, unless `--quiet`. A JSON command says it as a `note` event.
    pub fn say(&self, text: impl Display) {
        if self.0.wishes.quiet {
            return;
        }
        if self.json() == Some(Json::Stderr) {
            self.talk(&Event::new("note").with("text", text.to_string()).line());
        } else {
            self.talk(&escaped(&text.to_string()));
        }
    }

    /// Says what to type at the other end.
    pub fn counterpart(&self, does: impl Display, command: impl Display) {
        self.say(format_args!("{does}:\n\n    {command}\n"));
    }

    /// Says why the command failed, and what to do next. A broken pipe is passed over in silence.
    pub fn failed(&self, failure: &Failure) {
        if failure.status == Status::BrokenPipe {
            return;
        }
        if let Some(json) = self.json() {
            let event = Event::new("error")
                .with("status", failure.status.code())
                .with("name", failure.status.name())
                .with("text", failure.to_string())
                .with("next", failure.next.clone());
            if json == Json::Stderr {
                return self.talk(&event.line());
            }
            // A reader of standard output that is gone learns nothing more; standard error still tells.
            let _ = self.event(event);
        }
        let mark = if self.colour() { "\x1b[1;31m" } else { "" };
        let end = if mark.is_empty() { "" } else { "\x1b[0m" };
        let name = &self.0.wishes.name;
        self.talk(&format!(
            "{mark}p2pt{}{name}:{end} {}",
            if name.is_empty() { "" } else { " " },
            escaped(&failure.to_string())
        ));
        if let Some(next) = &failure.next {
            self.talk(&format!("  next: {}", escaped(next)));
        }
        if let Some(source) = failure.source.as_ref().filter(|_| self.0.wishes.verbose > 0) {
            self.talk(&format!("  cause: {}", escaped(&format!("{source:#}"))));
        }
    }

    /// Writes an event if `--json` was given.
    ///
    /// # Errors
    /// As [`Output::data`], for a command whose events go to standard output.
    pub fn event(&self, event: Event) -> Result<(), Failure> {
        match self.json() {
            Some(Json::Stdout) => self.data(format!("{}\n", event.line()).as_bytes()),
            Some(Json::Stderr) => {
                self.talk(&event.line());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Tells whoever waits that the command is ready: one line to `--ready-fd` or `--ready-file`.
    ///
    /// # Errors
    /// Status 9 if it cannot be written.
    pub fn ready(&self, line: impl Display) -> Result<(), Failure> {
        match self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(ready) => ready.tell(&line.to_string()),
            None => Ok(()),
        }
    }

    /// A progress bar on standard error; hidden where none is wanted. `length` in bytes, if it is known.
    #[must_use]
    pub fn bar(&self, length: Option<u64>) -> ProgressBar {
        // A message that is too long for the terminal is cut: what goes on in the next line would stay there.
        let (bar, look) = match length {
            Some(length) => {
                (ProgressBar::new(length), "{bar:24} {bytes}/{total_bytes}  {binary_bytes_per_sec}  {eta}  {wide_msg}")
            }
            None => (ProgressBar::no_length(), "{bytes}  {binary_bytes_per_sec}  {elapsed}  {wide_msg}"),
        };
        let style = ProgressStyle::with_template(look).expect("a template that indicatif reads");
        self.0.bars.add(bar.with_style(style))
    }

    /// A bar on standard error of so many bytes, above another one; what its message says (the rate, say) is for the caller to say. Hidden
    /// where none is wanted.
    #[must_use]
    pub fn part_bar(&self, length: u64, above: Option<&ProgressBar>) -> ProgressBar {
        let look = "{bar:12} {bytes}/{total_bytes}  {wide_msg}";
        let style = ProgressStyle::with_template(look).expect("a template that indicatif reads");
        let bar = ProgressBar::new(length).with_style(style);
        match above {
            Some(other) => self.0.bars.insert_before(other, bar),
            None => self.0.bars.add(bar),
        }
    }

    /// A line on standard error that is brought up to date in its place; hidden where no bars are wanted.
    #[must_use]
    pub fn live(&self) -> ProgressBar {
        let style = ProgressStyle::with_template("{wide_msg}").expect("a template that indicatif reads");
        self.0.bars.add(ProgressBar::no_length().with_style(style))
    }

    /// Takes a bar away; one that is only let go of may leave its line behind.
    pub fn without(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.0.bars.remove(bar);
    }

    /// Where `--json` goes, if it was given.
    #[must_use]
    pub fn json(&self) -> Option<Json> {
        self.0.wishes.json
    }

    /// Whether standard output is a terminal.
    #[must_use]
    pub fn to_terminal(&self) -> bool {
        self.0.stdout_is_terminal
    }

    /// Whether messages may be coloured.
    #[must_use]
    pub fn colour(&self) -> bool {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        self.0.stderr_is_terminal && !forbidden && !dumb()
    }

    /// One line to standard error, above the bars. That nobody hears it is no reason to fail.
    fn talk(&self, line: &str) {
        let line = format!("{line}\n");
        self.0.bars.suspend(|| {
            let _ = io::stderr().lock().write_all(line.as_bytes());
        });
    }
}

/// `text` as one word of a shell's command line.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What a failed write to standard output means.
pub(super) fn stdout_failure(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::broken_pipe();
    }
    Failure::new(Status::LocalIo, "write to standard output", describe(&error)).caused_by(error)
}

fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(quoted("rtmfp://host:1935"), "rtmfp://host:1935");
        assert_eq!(quoted("rtmfp://host?id=7#8"), "'rtmfp://host?id=7#8'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn bars_have_a_template_that_is_read() {
        let output = Output::default();
        output.bar(Some(10)).finish();
        output.bar(None).finish();
        let all = output.part_bar(10, None);
        output.without(&output.part_bar(1, Some(&all)));
    }
}
