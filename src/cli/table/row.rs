//! What a command is: one row of the table.

use crate::cli::status::Status;

/// One command, or a family of commands (`rows` not empty).
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What is typed.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// Paragraphs, divided by empty lines.
    pub about: &'static str,
    /// The forms of the command line where one does not say it; without the program's name in front.
    pub usage: &'static [&'static str],
    /// Command lines to copy; help begins with them.
    pub examples: &'static [Example],
    /// Operands, in order.
    pub operands: &'static [Operand],
    /// Options of its own, in groups.
    pub flags: &'static [&'static [Flag]],
    /// What goes in and comes out.
    pub streams: Streams,
    /// Exit statuses beyond those that every command has.
    pub statuses: &'static [Status],
    /// Environment beyond what the options name.
    pub environment: &'static [Note],
    /// Files that it reads or writes.
    pub files: &'static [Note],
    /// Limits that are said out loud, each with what to do about it; paragraphs.
    pub security: &'static str,
    /// Commands beneath, as in `group new`.
    pub rows: &'static [Row],
}

/// A row with nothing in it, to be filled by `..Row::EMPTY`.
impl Row {
    /// Nothing yet.
    pub const EMPTY: Self = Self {
        name: "",
        aliases: &[],
        summary: "",
        about: "",
        usage: &[],
        examples: &[],
        operands: &[],
        flags: &[],
        streams: Streams { input: "", output: "", json: Json::None },
        statuses: &[],
        environment: &[],
        files: &[],
        security: "",
        rows: &[],
    };

    /// Its options, all groups in order.
    pub fn all_flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.flags.iter().copied().flatten()
    }

    /// Every status that it ends with, by code.
    #[must_use]
    pub fn all_statuses(&self) -> Vec<Status> {
        const ALWAYS: [Status; 6] =
            [Status::Done, Status::Failed, Status::Usage, Status::Interrupted, Status::BrokenPipe, Status::Terminated];
        let mut all: Vec<Status> = ALWAYS.iter().chain(self.statuses).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A command line and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it does, lower case.
    pub does: &'static str,
    /// The command line; may have several lines.
    pub line: &'static str,
}

/// A name and what is to be known about it.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// The variable or path.
    pub name: &'static str,
    /// A sentence.
    pub text: &'static str,
}

/// What a command reads and writes.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    /// Standard input; empty: not read.
    pub input: &'static str,
    /// Standard output; empty: nothing.
    pub output: &'static str,
    /// Where `--json` writes.
    pub json: Json,
}

/// Where `--json` writes its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    /// There is no `--json`.
    None,
    /// Standard output: a query command, whose product it is.
    Stdout,
    /// Standard error: a command whose standard output carries data.
    Stderr,
}

/// A positional argument.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// As help shows it: `ADDRESS`.
    pub name: &'static str,
    /// A sentence without full stop.
    pub help: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it may be left out.
    pub required: bool,
    /// Whether there may be several.
    pub many: bool,
}

/// An option.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Without the dashes.
    pub long: &'static str,
    /// One letter.
    pub short: Option<char>,
    /// As help shows its value; empty for a switch.
    pub value: &'static str,
    /// What the value is.
    pub kind: Kind,
    /// A sentence without full stop, for `-h`.
    pub help: &'static str,
    /// More, for `--help` and the man page.
    pub detail: &'static str,
    /// What holds when neither option nor environment says anything.
    pub default: Option<&'static str>,
    /// The environment variable that supplies it.
    pub env: Option<&'static str>,
    /// Whether it may be given several times.
    pub many: bool,
    /// Options that make no sense beside it.
    pub conflicts: &'static [&'static str],
    /// Options without which it makes no sense.
    pub requires: &'static [&'static str],
}

/// What a value is, and so how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No value: there or not.
    Switch,
    /// No value: how many times.
    Count,
    /// Any text.
    Text,
    /// A file or folder.
    Path,
    /// A time span with its unit.
    Duration,
    /// Bytes with their unit.
    Size,
    /// Bits per second with their unit.
    Rate,
    /// A whole number in this range.
    Number(u64, u64),
    /// `ADDR:PORT` of this machine: numbers, no name.
    Socket,
    /// `HOST:PORT`, a name or numbers.
    HostPort,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Flag {
    /// A switch.
    #[must_use]
    pub const fn switch(long: &'static str, help: &'static str) -> Self {
        Self {
            long,
            short: None,
            value: "",
            kind: Kind::Switch,
            help,
            detail: "",
            default: None,
            env: None,
            many: false,
            conflicts: &[],
            requires: &[],
        }
    }

    /// An option with a value.
    #[must_use]
    pub const fn value(long: &'static str, value: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { value, kind, ..Self::switch(long, help) }
    }

    /// With a letter.
    #[must_use]
    pub const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    /// With more to say in `--help`.
    #[must_use]
    pub const fn detail(self, detail: &'static str) -> Self {
        Self { detail, ..self }
    }

    /// With a default.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Supplied by an environment variable if not given.
    #[must_use]
    pub const fn env(self, name: &'static str) -> Self {
        Self { env: Some(name), ..self }
    }

    /// May be given several times.
    #[must_use]
    pub const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    /// Makes no sense beside these.
    #[must_use]
    pub const fn conflicts(self, conflicts: &'static [&'static str]) -> Self {
        Self { conflicts, ..self }
    }

    /// Makes no sense without these.
    #[must_use]
    pub const fn requires(self, requires: &'static [&'static str]) -> Self {
        Self { requires, ..self }
    }
}
