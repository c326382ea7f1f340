//! What the commands that join a group have in common.

use super::row::{Flag, Kind, Note, Operand, Row};
use super::shared::{BIND, FLASH, IDENTITY_FILE, JSON, KEY, RENDEZVOUS_VARIABLE, TIMEOUT};
use crate::cli::status::Status;

/// A command that joins a group, to be filled by `..MEMBER`.
pub(super) const MEMBER: Row = Row {
    operands: &[GROUP],
    statuses: &[
        Status::TimedOut,
        Status::Mismatch,
        Status::Integrity,
        Status::Rendezvous,
        Status::LocalIo,
        Status::Refused,
        Status::NotFound,
    ],
    environment: &[GROUP_VARIABLE, RENDEZVOUS_VARIABLE, PASSWORD_VARIABLE],
    files: FILES,
    security: LIMITS,
    ..Row::EMPTY
};

/// Which group; where it may be left out.
pub(super) const GROUP: Operand = Operand {
    name: "GROUP",
    help: "The group: @FILE, rtmfp://HOST[:PORT][/KEY][?id=ID]#G:…, rtmfp:#G:… (no server), or G:…; default $P2PT_GROUP",
    kind: Kind::Text,
    required: false,
    many: false,
};

/// What supplies the group where it is left out.
pub(super) const GROUP_VARIABLE: Note = Note {
    name: "P2PT_GROUP",
    text: "The group, where the command line names none: an address, a groupspec, or @FILE. Other users cannot see it, as they can the command line.",
};

/// What a password given by environment is worth.
const PASSWORD_VARIABLE: Note = Note {
    name: "P2PT_POSTING_PASSWORD",
    text: "The posting password, where no option gives it. Weaker than a file: programs that are started from here inherit it.",
};

/// Who signs.
pub(super) const ANONYMOUS: Flag =
    Flag::switch("anonymous", "Sign with a fresh key instead of the user's identity").conflicts(&["key"]);

/// The password that a group's posts may need.
pub(super) const POSTING_PASSWORD: &[Flag] = &[
    Flag::value("posting-password-file", "FILE", Kind::Text, "Read the posting password from FILE; - is standard input")
        .detail("The first line, without its end. The password never leaves this machine: it makes the key that signs a grant for whoever posts."),
    Flag::value("posting-password-fd", "N", Kind::Number(0, 65_535), "Read the posting password from file descriptor N")
        .conflicts(&["posting-password-file"]),
];

/// Not through the membership that runs.
const ALONE: Flag =
    Flag::switch("alone", "Join for this call alone, even if p2pt group join runs here for the same group");

/// How whoever says something takes part.
pub(super) const SPEAKING: &[Flag] = &[TIMEOUT, ALONE, BIND, KEY, ANONYMOUS, FLASH, JSON];

/// How whoever only looks takes part.
pub(super) const LOOKING: &[Flag] = &[TIMEOUT, ALONE, BIND, FLASH, JSON];

const FILES: &[Note] = &[
    IDENTITY_FILE,
    Note {
        name: "$XDG_STATE_HOME/p2pt/groups/",
        text: "Members to begin with next time, a file for each group, mode 0600, named by a hash ($HOME/.local/state where XDG_STATE_HOME is not set).",
    },
    Note {
        name: "$XDG_RUNTIME_DIR/p2pt/",
        text: "Sockets of the memberships that run, one for each group, mode 0600 in a folder of mode 0700 (/tmp/p2pt-UID where XDG_RUNTIME_DIR is not set).",
    },
];

const LIMITS: &str = "\
A groupspec is the key to membership: whoever has it can join, and there is no revocation. Keep it in files (@FILE) and out of command lines, which other users can see; after it leaked, make a new group. Past members read on.

Neighbours see each other's addresses. Where that matters, run p2pt inside a tunnel.

Posts and stored values carry the user's peer ID, the same in every group, unless --anonymous. Nicknames are claims, which anybody can make; the ID behind them is proven.

Identities are free, so whoever has the groupspec can choose places on the ring: signatures keep content right, not available.";
