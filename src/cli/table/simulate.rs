//! The row of `p2pt simulate`.

use super::row::{Example, Flag, Json, Kind, Operand, Row, Streams};
use super::shared::JSON;
use crate::cli::status::Status;

/// `p2pt simulate`.
pub(super) const SIMULATE: Row = Row {
    name: "simulate",
    summary: "let a group of thousands live in one process, and say how it fares",
    about: "\
Runs a scenario: so many members join a group, post, route and store, while members leave, the network falls apart or a third of them cheat. What they run is what p2pt runs, down to the messages; only the network and the clock are made up. Prints what became of it all.

The same scenario and seed give the same figures, to the last byte of traffic: the digest tells.

A scenario is one of those that --list prints, or a file of KEY = VALUE lines, of which `scenario = NAME` may be the first. `--list SCENARIO` prints one in that form, with all keys and what they mean. The engine `swarm` carries whole messages, a hundred thousand members if there is memory; `world` carries packets, with sessions, loss and NATs, a few thousand.

The exit status is 6 if a post was missed, delivered twice or forged, or a stored value was not found, or not what was put.",
    examples: &[
        Example { does: "a hundred members post", line: "p2pt simulate" },
        Example { does: "a thousand, on packets, with a picture", line: "p2pt simulate posting --members 1000 --engine world --plot posting.svg" },
        Example { does: "which scenarios are there?", line: "p2pt simulate --list" },
        Example { does: "one of one's own", line: "p2pt simulate --list churn > mine.txt && p2pt simulate ./mine.txt" },
        Example { does: "for a script", line: "p2pt simulate hostile --set hostile=0.5 --json | jq .posts.missed" },
    ],
    operands: &[Operand {
        name: "SCENARIO",
        help: "A name that --list prints, or a file; default posting",
        kind: Kind::Text,
        required: false,
        many: false,
    }],
    flags: &[
        &[
            Flag::value("members", "N", Kind::Number(1, 1_000_000), "How many members"),
            Flag::value("seed", "N", Kind::Number(0, u64::MAX), "From which all chance comes"),
            Flag::value("for", "SPAN", Kind::Duration, "How long things are done, after all have joined"),
            Flag::value("engine", "ENGINE", Kind::Choice(&["swarm", "world"]), "Carry messages (swarm) or packets (world)"),
            Flag::value("set", "KEY=VALUE", Kind::Text, "Change any setting; may be repeated").many(),
        ],
        &[
            Flag::value("plot", "FILE", Kind::Path, "Draw it into FILE, as SVG")
                .detail("The time to delivery, hops, redundancy and neighbours over time, and for 200 members or fewer the ring with its links. An existing file is replaced."),
            Flag::switch("list", "List the scenarios, or the settings of SCENARIO, and run nothing"),
            JSON,
        ],
    ],
    streams: Streams { input: "", output: "a table of what became of it", json: Json::Stdout },
    statuses: &[Status::Integrity, Status::LocalIo, Status::NotFound],
    ..Row::EMPTY
};
