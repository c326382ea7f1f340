//! Questions to the person at the terminal: asked and answered on the terminal itself, never on standard input.

use super::output::escaped;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use zeroize::Zeroizing;

/// The terminal that the process belongs to.
#[derive(Debug)]
pub struct Terminal {
    answers: BufReader<File>,
    questions: File,
}

impl Terminal {
    /// The terminal, if there is one.
    #[must_use]
    pub fn open() -> Option<Self> {
        let name = if cfg!(windows) { "CON" } else { "/dev/tty" };
        let questions = OpenOptions::new().read(true).write(true).open(name).ok()?;
        Some(Self { answers: BufReader::new(questions.try_clone().ok()?), questions })
    }

    /// Asks a question that yes or no answers; anything else, also the end of the terminal, is no. Waits, so it is for a
    /// thread that may.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn confirm(&mut self, question: &str) -> io::Result<bool> {
        write!(self.questions, "{} [y/N] ", escaped(question))?;
        self.questions.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(is_yes(&answer))
    }

    /// Asks for a secret, which is not shown while it is typed. Waits, so it is for a thread that may.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn secret(&mut self, question: &str) -> io::Result<Zeroizing<String>> {
        write!(self.questions, "{}: ", escaped(question))?;
        self.questions.flush()?;
        let mut typed = Zeroizing::new(String::with_capacity(1024));
        let read = {
            let _quiet = Quiet::begin(&self.questions);
            self.answers.read_line(&mut typed)
        };
        writeln!(self.questions)?;
        read?;
        let len = typed.trim_end_matches(['\r', '\n']).len();
        typed.truncate(len);
        Ok(typed)
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
#[cfg(unix)]
struct Quiet<'a>(&'a File, Option<rustix::termios::Termios>);

#[cfg(unix)]
impl<'a> Quiet<'a> {
    fn begin(terminal: &'a File) -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Ok(before) = tcgetattr(terminal) else { return Self(terminal, None) };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(terminal, OptionalActions::Flush, &quiet);
        Self(terminal, Some(before))
    }
}

#[cfg(unix)]
impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.1 {
            let _ = rustix::termios::tcsetattr(self.0, rustix::termios::OptionalActions::Flush, before);
        }
    }
}

/// Elsewhere what is typed is shown. Untested there.
#[cfg(not(unix))]
struct Quiet;

#[cfg(not(unix))]
impl Quiet {
    fn begin(_terminal: &File) -> Self {
        Self
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" Yes \r\n"));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("yep") && !is_yes("n"));
    }
}
