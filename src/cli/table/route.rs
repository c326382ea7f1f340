//! The row of `p2pt route`.

use super::member::{GROUP, MEMBER, SPEAKING};
use super::row::{Example, Flag, Json, Kind, Operand, Row, Streams};
use super::shared::{REACHING, READY};

/// `p2pt route`.
pub(super) const ROUTE: Row = Row {
    name: "route",
    summary: "send messages along the ring of a group",
    about: "\
Sends one argument, or each line of standard input, to the member nearest to an address, to the next one on the ring in either direction, or to all neighbours; --listen prints what arrives here.

--to-nearest takes a place on the ring: a peer ID (64 hex digits, whose place is looked up), @ and 64 hex digits for the place itself, or any other text, a key, whose digest is the place. The message goes from member to member until it is there; with --ack its receiver says so. The other ways are one step.

Sending is not delivery: without --ack the exit status says that a neighbour took the message.",
    usage: &[
        "route [OPTIONS] --to-nearest PLACE GROUP [MESSAGE]",
        "route [OPTIONS] --to-next|--to-previous|--to-neighbors GROUP [MESSAGE]",
        "route [OPTIONS] --listen GROUP",
    ],
    examples: &[
        Example { does: "hear what comes", line: "p2pt route --listen @ring.address" },
        Example { does: "to whoever is responsible for a key, with an answer", line: "p2pt route --to-nearest jobs --ack @ring.address 'job 17'" },
        Example { does: "once around the ring", line: "p2pt route --to-next @ring.address 'pass it on'" },
    ],
    operands: &[
        GROUP,
        Operand { name: "MESSAGE", help: "What to send; without it, the lines of standard input", kind: Kind::Text, required: false, many: false },
    ],
    flags: &[
        &[
            Flag::value("to-nearest", "PLACE", Kind::Text, "Send to the member nearest to this place: PEER-ID, @ADDRESS or a key")
                .conflicts(&["to-next", "to-previous", "to-neighbors", "listen"]),
            Flag::switch("to-next", "Send to the next member in increasing direction")
                .conflicts(&["to-previous", "to-neighbors", "listen"]),
            Flag::switch("to-previous", "Send to the next member in decreasing direction")
                .conflicts(&["to-neighbors", "listen"]),
            Flag::switch("to-neighbors", "Send to every neighbour").conflicts(&["listen"]),
            Flag::switch("listen", "Print what arrives here, a line each").short('l'),
            Flag::switch("ack", "Wait until the receiver says that it has the message").requires(&["to-nearest"]),
            Flag::value("receive-mode", "MODE", Kind::Choice(&["exact", "nearest"]), "With --listen: take messages for one's own address only, or for all that one is nearest to")
                .default("nearest"),
            Flag::switch("nul", "Messages end with a NUL instead of a newline, in and out").short('0'),
        ],
        SPEAKING,
        READY,
    ],
    streams: Streams {
        input: "messages, a line each, without MESSAGE",
        output: "with --listen, messages, a line each; with --json, events instead",
        json: Json::Stdout,
    },
    statuses: REACHING,
    ..MEMBER
};
