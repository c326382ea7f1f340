//! The row of `p2pt demo`.

use super::row::{Example, Flag, Json, Kind, Row, Streams};
use super::shared::JSON;
use crate::cli::status::Status;

/// `p2pt demo`.
pub(super) const DEMO: Row = Row {
    name: "demo",
    summary: "a rendezvous and peers on this machine, one command, real sockets",
    about: "\
Starts a rendezvous and two peers on this machine, pipes data from one to the other, verifies it, and says what happened and how fast. Everything runs over real UDP sockets of the loopback interface; nothing is sent elsewhere and nothing is kept.

The exit status is 0 only if every byte arrived intact.",
    examples: &[
        Example { does: "see it work", line: "p2pt demo" },
        Example { does: "with more data", line: "p2pt demo --size 1GiB" },
    ],
    flags: &[&[
        Flag::value("size", "SIZE", Kind::Size, "How much to pipe").default("64MiB"),
        JSON,
    ]],
    streams: Streams { input: "", output: "a table of what was sent, received and verified", json: Json::Stdout },
    statuses: &[Status::TimedOut, Status::Integrity, Status::LocalIo],
    ..Row::EMPTY
};
