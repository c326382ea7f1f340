//! The row of `p2pt check`.

use super::row::{Example, Json, Kind, Operand, Row, Streams};
use super::shared::{FLASH, JSON, RENDEZVOUS_VARIABLE, TIMEOUT};
use crate::cli::status::Status;

/// `p2pt check`.
pub(super) const CHECK: Row = Row {
    name: "check",
    summary: "say what stands between here and there",
    about: "\
Asks a rendezvous what it sees of us, and says what that means for peers: whether UDP gets through, the round-trip time, our external address, how the NAT maps and filters, and which kinds of peer can therefore be reached.

With a rendezvous of one address, filtering is reported as «endpoint-independent or not known»; `p2pt rendezvous --probe-from` completes it. So does a second rendezvous on the command line, which completes the mapping too: both are asked from one socket, and what they see is compared; and the second is asked, from another socket, to send to the first one before that has ever sent to it. It has to be at another address and to understand that question; otherwise filtering stays as it was reported.",
    examples: &[
        Example { does: "ask the rendezvous of $P2PT_RENDEZVOUS", line: "p2pt check" },
        Example { does: "ask this one", line: "p2pt check rtmfp://rendezvous.example" },
        Example { does: "ask two of one address each, and know all about the NAT", line: "p2pt check rtmfp://rendezvous.example rtmfp://other.example" },
        Example { does: "for a script", line: "p2pt check --json rtmfp://rendezvous.example | jq .nat_mapping" },
    ],
    operands: &[Operand {
        name: "URL",
        help: "rtmfp://HOST[:PORT][/KEY][?id=ID] of a rendezvous, @FILE or -; default $P2PT_RENDEZVOUS",
        kind: Kind::Text,
        required: false,
        many: true,
    }],
    flags: &[&[TIMEOUT, FLASH, JSON]],
    streams: Streams { input: "", output: "the findings, a line each", json: Json::Stdout },
    statuses: &[Status::TimedOut, Status::Mismatch, Status::Rendezvous, Status::LocalIo],
    environment: &[RENDEZVOUS_VARIABLE],
    security: "\
The rendezvous learns our address and that we asked. The check uses a fresh identity, so it does not learn the peer ID.

A rendezvous dialled without ?id= is not authenticated, and is said not to be: what it reports may be an impostor's.",
    ..Row::EMPTY
};
