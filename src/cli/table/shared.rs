//! Options and notes that several rows have.

use super::row::{Flag, Kind, Note};
use crate::cli::status::Status;

/// What every command understands.
pub const GLOBAL: &[Flag] = &[
    Flag { kind: Kind::Count, ..Flag::switch("verbose", "Say more on standard error; -vv and -vvv say still more") }
        .short('v')
        .conflicts(&["quiet"]),
    Flag::switch("quiet", "Say nothing on standard error but errors").short('q'),
    Flag::switch("no-progress", "Show no progress bars"),
];

/// `--json`, for commands that have events.
pub const JSON: Flag = Flag::switch("json", "Write events as JSON Lines")
    .short('j')
    .detail("One object a line, each with v, ts and event; the fields are described by schema/events.schema.json, and are only ever added to.");

/// Telling scripts that the command is ready.
pub const READY: &[Flag] = &[
    Flag::value("ready-fd", "N", Kind::Number(0, 65_535), "Write one line to file descriptor N when ready")
        .detail("The line is the address to dial. The descriptor is opened as /dev/fd/N, so a pipe or a file of the calling shell does; scripts that wait for the line need no sleep.")
        .conflicts(&["ready-file"]),
    Flag::value("ready-file", "PATH", Kind::Path, "Write that line to a file instead, whole or not at all"),
];

/// Which identity.
pub const KEY: Flag = Flag::value("key", "FILE", Kind::Path, "Use the identity in FILE")
    .short('k')
    .env("P2PT_KEY")
    .detail("Made on first use, mode 0600, and refused if others own it or can read it. Without: the user's own, see FILES.");

/// Where a command meets the network.
pub(super) const BIND: Flag =
    Flag::value("bind", "ADDR:PORT", Kind::Socket, "Use this UDP address of ours").default("[::]:0");

/// How long to wait.
pub const TIMEOUT: Flag = Flag::value("timeout", "SPAN", Kind::Duration, "Give up after this long")
    .short('w')
    .default("30s")
    .detail("With its unit, as in 250ms, 8s, 2m.");

/// RFC 7425's profile.
pub const FLASH: Flag = Flag::switch("flash", "Speak to RTMFP peers that are not p2pt, too").detail(
    "Allows the profile of RFC 7425 with peers whose certificate is not one of ours. Such a peer is anonymous: it satisfies no dialled peer ID and no --allow.",
);

/// Statuses of whatever reaches out for somebody.
pub(super) const REACHING: &[Status] = &[
    Status::TimedOut,
    Status::Unreachable,
    Status::Mismatch,
    Status::Integrity,
    Status::Rendezvous,
    Status::LocalIo,
    Status::Refused,
    Status::NotFound,
];

/// The user's identity file.
pub const IDENTITY_FILE: Note = Note {
    name: "$XDG_DATA_HOME/p2pt/identity",
    text: "The user's identity, mode 0600 ($HOME/.local/share where XDG_DATA_HOME is not set). Whoever has a copy is this user: keep one in a safe place, and give it to nobody.",
};

/// Environment that every command heeds.
pub const ENVIRONMENT: &[Note] = &[
    Note { name: "P2PT_LOG", text: "What to log, as in p2pt=debug; outranks -v." },
    Note { name: "NO_COLOR", text: "Not empty: no colours. TERM=dumb does the same." },
];

/// Where the rendezvous comes from when the address leaves it out.
pub(super) const RENDEZVOUS_VARIABLE: Note = Note {
    name: "P2PT_RENDEZVOUS",
    text: "The part of an address before its #, used where an address leaves it out: rtmfp://HOST[:PORT][/DEVELOPER-KEY][?id=ID], or rtmfp: for the LAN.",
};

/// What the wire shows, whatever the command.
pub const WIRE_LIMITS: &str = "\
The wire shows both peer IDs, the dialled one, and one session ID across address changes; the shape of the traffic is visible. Nothing of it says what is carried. Where that matters, run p2pt inside a tunnel.

Whoever knows a peer ID learns that it is online, and its addresses, local ones too. Give the ID to those who may know that, or use another identity (--key) for strangers.

A recording of a session plus a quantum computer of the future reads it. Encrypt what must stay secret for decades with a post-quantum tool before piping it.";
