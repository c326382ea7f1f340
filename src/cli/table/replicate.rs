//! The rows of `p2pt replicate-file`.

use super::row::{Example, Flag, Json, Kind, Note, Operand, Row, Streams};
use super::shared::{BIND, FLASH, JSON, REACHING, READY, RENDEZVOUS_VARIABLE, TIMEOUT};
use crate::cli::status::Status;

/// `p2pt replicate-file`.
pub(super) const FAMILY: Row = Row {
    name: "replicate-file",
    aliases: &["replicate"],
    summary: "give files to many at once, each of whom gives them on",
    about: "Whoever fetches a file gives the pieces that it has to others, so that many get it in little more time than one. Every piece is proven by the BLAKE3 hash in the address before it counts.",
    examples: &[
        Example { does: "share a file on this LAN", line: "p2pt replicate-file share film.mkv" },
        Example {
            does: "get it, with the address that share printed",
            line: "p2pt replicate-file fetch @film.address",
        },
    ],
    rows: &[SHARE, FETCH],
    ..Row::EMPTY
};

const UP: Flag = Flag::value("up", "RATE", Kind::Rate, "Send at most this much, as in 10Mbit/s");

const POLITE: Flag = Flag::switch("polite", "Leave the line to other traffic, even to members on this machine")
    .detail("As soon as what is sent waits in the line, less is sent. The default, unless all members that are connected are on this machine.")
    .conflicts(&["no-polite"]);
const NO_POLITE: Flag = Flag::switch("no-polite", "Take what can be had of the line");

const SHARE: Row = Row {
    name: "share",
    summary: "share files and folders, and print the address to fetch them by",
    about: "\
Hashes what it shares, prints the address on standard error, and gives pieces to whoever fetches, until a signal, --for or --until-copies.

The address of one file ends with its BLAKE3 hash, as b3sum prints it; that of several files, or of a folder, with the hash of a list of their names, sizes and hashes. Files in folders are shared under the folder; links in folders are not followed. Names that would be dangerous elsewhere are shared under a safe one.

Files have to stay as they are while they are shared: one that has changed, or is gone, is not given any more, which is said; when none is left, share ends (exit 6).

Without --group a fresh group is made, of which only the address tells.",
    examples: &[
        Example { does: "a file on this LAN, until two others have it", line: "p2pt replicate-file share --until-copies 2 film.mkv" },
        Example { does: "a folder for two hours, through a rendezvous", line: "p2pt replicate-file share --for 2h --rendezvous rtmfp://rendezvous.example photos" },
        Example { does: "the address in a file, for a script", line: "p2pt replicate-file share --ready-file film.address film.mkv" },
    ],
    operands: &[Operand { name: "PATH", help: "A file or folder", kind: Kind::Path, required: true, many: true }],
    flags: &[
        &[
            Flag::value("until-copies", "N", Kind::Number(1, 1_000_000), "Leave when N others have all of it")
                .detail("Counted are members that were connected to this one when they said so."),
            Flag::value("for", "SPAN", Kind::Duration, "Leave after this long"),
            UP,
            POLITE,
            NO_POLITE,
        ],
        &[
            Flag::value("group", "GROUP", Kind::Text, "Share in this group instead of a fresh one; its groupspec needs object replication"),
            Flag::value("rendezvous", "RENDEZVOUS", Kind::Text, "Meet others through this rendezvous; default $P2PT_RENDEZVOUS, or none: this LAN")
                .conflicts(&["group"]),
            BIND,
            FLASH,
            JSON,
        ],
        READY,
    ],
    streams: Streams { input: "", output: "", json: Json::Stderr },
    statuses: REACHING,
    environment: &[RENDEZVOUS_VARIABLE],
    security: "\
Whoever has the address can fetch, and can join the group; there is no revocation. Members see each other's network addresses.

Nothing that others send is written here.",
    ..Row::EMPTY
};

const FETCH: Row = Row {
    name: "fetch",
    summary: "fetch files, and share them meanwhile",
    about: "\
Fetches what an address of share names, verifies every piece, and gives pieces to others meanwhile. The file appears under its name when it is whole, never before.

An interrupted fetch is resumed by running the same command again: the pieces that are there are verified and kept. They are in .NAME.p2pt-part beside the file, and .NAME.p2pt-state says which.

Nothing is overwritten without --force (exit 11), and no folder ever; what is there already and is the same counts as fetched. Where a disk takes two names of a list for one (README and readme, say), the second file gets a number. A list of files is shown before it is fetched, and on a terminal it is asked whether to go on.

With -o - one file goes to standard output in order while it is fetched, with constant memory.",
    examples: &[
        Example { does: "a file or folder, under its own name", line: "p2pt replicate-file fetch @film.address" },
        Example { does: "under another", line: "p2pt replicate-file fetch -o /tmp/film.mkv @film.address" },
        Example { does: "watch it while it comes", line: "p2pt replicate-file fetch -o - @film.address | mpv -" },
    ],
    operands: &[Operand {
        name: "ADDRESS",
        help: "What share printed: …#G:…/b3=HASH[/NAME] or …/b3list=HASH[/NAME], or @FILE",
        kind: Kind::Text,
        required: true,
        many: false,
    }],
    flags: &[
        &[
            Flag::value("output", "PATH", Kind::Path, "Where to put it: a new file or, for a list, a folder; - is standard output")
                .short('o')
                .detail("In a folder that is there already a file gets the name in the address. The files of a list go into the folder PATH."),
            Flag::switch("force", "Overwrite what is there"),
            Flag::switch("yes", "Do not ask before a list of files is fetched").short('y'),
            Flag::switch("stay", "Go on sharing when all is there, until a signal"),
        ],
        &[
            UP,
            Flag::value("down", "RATE", Kind::Rate, "Receive at most this much, as in 10Mbit/s"),
            POLITE,
            NO_POLITE,
            TIMEOUT,
            BIND,
            FLASH,
            JSON,
        ],
    ],
    streams: Streams { input: "", output: "with -o -, the file", json: Json::Stderr },
    statuses: &[
        Status::TimedOut,
        Status::Mismatch,
        Status::Integrity,
        Status::Resumable,
        Status::Rendezvous,
        Status::LocalIo,
        Status::Refused,
        Status::Exists,
        Status::NotFound,
    ],
    environment: &[RENDEZVOUS_VARIABLE],
    files: &[Note {
        name: ".NAME.p2pt-part, .NAME.p2pt-state",
        text: "Beside each file that is not whole yet: its pieces, and which of them are there. Removing both begins anew.",
    }],
    security: "\
What comes is what the hash in the address says, or nothing: a piece that is not is thrown away, and its sender banned. Names in lists lead nowhere but into the folder.

Members of the group see each other's network addresses, and what each of them fetches.",
    ..Row::EMPTY
};
