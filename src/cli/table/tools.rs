//! The rows of the commands that set up the shell: `completions`, `man`, `links`.

use super::row::{Example, Json, Kind, Operand, Row, Streams};
use crate::cli::status::Status;

/// The shells that completions are written for.
pub const SHELLS: &[&str] = &["bash", "zsh", "fish", "powershell", "elvish"];

const DIR: Operand = Operand {
    name: "DIR",
    help: "The folder to write to; made if it is missing",
    kind: Kind::Path,
    required: true,
    many: false,
};

/// `p2pt completions`.
pub const COMPLETIONS: Row = Row {
    name: "completions",
    summary: "print the completions for a shell",
    about: "Prints a script that teaches a shell to complete p2pt's commands and options.",
    examples: &[
        Example { does: "bash", line: "p2pt completions bash > ~/.local/share/bash-completion/completions/p2pt" },
        Example { does: "zsh, in a folder of $fpath", line: "p2pt completions zsh > ~/.zfunc/_p2pt" },
        Example { does: "fish", line: "p2pt completions fish > ~/.config/fish/completions/p2pt.fish" },
    ],
    operands: &[Operand {
        name: "SHELL",
        help: "Which shell",
        kind: Kind::Choice(SHELLS),
        required: true,
        many: false,
    }],
    streams: Streams { input: "", output: "the script", json: Json::None },
    statuses: &[Status::LocalIo],
    ..Row::EMPTY
};

/// `p2pt man`.
pub const MAN: Row = Row {
    name: "man",
    summary: "write the man pages into a folder",
    about: "Writes p2pt(1) and a page per command, in the form that man reads. Pages that are there already are replaced.",
    examples: &[Example { does: "install for this user", line: "p2pt man ~/.local/share/man/man1" }],
    operands: &[DIR],
    streams: Streams { input: "", output: "", json: Json::None },
    statuses: &[Status::LocalIo],
    ..Row::EMPTY
};

/// `p2pt links`.
pub const LINKS: Row = Row {
    name: "links",
    summary: "make links such as p2pt-connect, which is p2pt connect",
    about: "\
Makes a link to this binary for each command: p2pt-connect is `p2pt connect`, and so on. Links of ours that are there already are renewed; anything else of that name is left alone (exit 11).",
    examples: &[Example { does: "beside the binary", line: "p2pt links ~/.cargo/bin" }],
    operands: &[DIR],
    streams: Streams { input: "", output: "", json: Json::None },
    statuses: &[Status::LocalIo, Status::Exists],
    ..Row::EMPTY
};
