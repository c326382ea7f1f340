//! The one table of commands: parser, help, man pages, completions and tests all come from it.

mod check;
mod connect;
mod demo;
mod group;
mod member;
mod multicast;
mod peer_id;
mod rendezvous;
mod replicate;
mod route;
pub mod row;
pub mod shared;
mod simulate;
mod store;
pub mod tools;

use row::{Example, Json, Note, Row, Streams};

/// The program itself, with every command beneath.
pub const PROGRAM: Row = Row {
    name: "p2pt",
    summary: "peer-to-peer utilities: pipes and groups between people behind NATs, over RTMFP",
    about: "\
Brings the peer-to-peer system that once shipped in every browser (RTMFP: encrypted UDP sessions, NAT traversal through a rendezvous service) to scripts, servers and terminals, without a browser and without anybody's hosted service.

Each command does one thing, reads standard input, writes standard output, and composes in a pipeline. Standard output carries data only; everything else goes to standard error.

A link named p2pt-COMMAND is that command (p2pt links makes them).",
    examples: &[
        Example { does: "see it work", line: "p2pt demo" },
        Example { does: "wait for a peer on this LAN", line: "p2pt connect --listen --allow-any > got.tar" },
        Example { does: "send, with the address that the listener printed", line: "tar c photos | p2pt connect @address.txt" },
    ],
    streams: Streams { input: "", output: "", json: Json::None },
    environment: shared::ENVIRONMENT,
    files: &[Note {
        name: "$XDG_DATA_HOME/p2pt/",
        text: "Identities, in a folder of mode 0700 ($HOME/.local/share where XDG_DATA_HOME is not set).",
    }],
    security: shared::WIRE_LIMITS,
    rows: &[
        peer_id::PEER_ID,
        rendezvous::RENDEZVOUS,
        check::CHECK,
        connect::CONNECT,
        group::FAMILY,
        group::POST,
        multicast::FAMILY,
        replicate::FAMILY,
        route::ROUTE,
        store::STORE,
        demo::DEMO,
        simulate::SIMULATE,
        tools::COMPLETIONS,
        tools::MAN,
        tools::LINKS,
    ],
    ..Row::EMPTY
};

/// Every command that can be run, with its words: `["group", "new"]`.
#[must_use]
pub fn commands() -> Vec<(Vec<&'static str>, &'static Row)> {
    fn collect(words: &[&'static str], rows: &'static [Row], all: &mut Vec<(Vec<&'static str>, &'static Row)>) {
        for row in rows {
            let words = [words, &[row.name]].concat();
            if row.rows.is_empty() {
                all.push((words, row));
            } else {
                collect(&words, row.rows, all);
            }
        }
    }
    let mut all = Vec::new();
    collect(&[], PROGRAM.rows, &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_whole_and_no_option_stands_twice() {
        for (words, row) in commands() {
            let name = words.join(" ");
            assert!(!row.summary.is_empty() && !row.about.is_empty(), "{name} says what it does");
            assert!(!row.summary.ends_with('.'), "{name}: a summary is no sentence");
            assert!(!row.examples.is_empty(), "{name} has an example");
            assert!(row.examples.iter().all(|e| e.line.contains("p2pt")), "{name}'s examples are ours");
            let mut seen = BTreeSet::new();
            for flag in row.all_flags().chain(shared::GLOBAL) {
                assert!(seen.insert(flag.long.to_owned()), "{name}: --{} twice", flag.long);
                assert!(flag.short.is_none_or(|c| seen.insert(c.to_string())), "{name}: {:?} twice", flag.short);
                assert!(!flag.help.ends_with('.'), "{name}: --{}", flag.long);
            }
            for flag in row.all_flags() {
                for other in flag.conflicts.iter().chain(flag.requires) {
                    assert!(seen.contains(*other), "{name}: --{} names --{other}, which is not there", flag.long);
                }
            }
            assert_eq!(row.streams.json != Json::None, seen.contains("json"), "{name}: --json and its stream");
        }
    }
}
