//! The row of `p2pt rendezvous`.

use super::row::{Example, Flag, Json, Kind, Note, Row, Streams};
use super::shared::{JSON, KEY, READY};
use crate::cli::status::Status;

/// `p2pt rendezvous`.
pub(super) const RENDEZVOUS: Row = Row {
    name: "rendezvous",
    summary: "run the rendezvous service that introduces peers",
    about: "\
Runs the service where peers register and through which they find each other: it introduces, checks developer keys, and redirects; it never carries content. No configuration file and no state on disk are needed: after a restart every client is registered again within seconds.

The address to give to peers is printed on standard error. Its ?id= part is the fingerprint of this service; whoever dials with it cannot be fooled by an impostor.

SIGUSR1 prints a status line.",
    examples: &[
        Example { does: "serve on UDP port 1935, IPv4 and IPv6", line: "p2pt rendezvous" },
        Example { does: "any free port, told to a script", line: "p2pt rendezvous --listen 127.0.0.1:0 --ready-file /run/p2pt.address" },
        Example { does: "only for those who know a key", line: "p2pt rendezvous --developer-keys keys.txt" },
        Example { does: "metrics for a collector", line: "p2pt rendezvous --json > metrics.jsonl" },
    ],
    flags: &[
        &[
            Flag::value("listen", "ADDR:PORT", Kind::Socket, "Listen on this UDP address")
                .short('l')
                .default("[::]:1935")
                .detail("Port 0 takes a free one; the real one is printed."),
            Flag::value("advertise", "HOST[:PORT]", Kind::Text, "The name to print in the address, when it is not the one listened on"),
            Flag::value("developer-keys", "FILE", Kind::Path, "Serve only those who show a key of this file")
                .detail("One key a line; empty lines and lines that begin with # are skipped. A wrong or missing key is refused with a clear reason."),
            Flag::value("redirect-to", "HOST:PORT", Kind::HostPort, "Send new clients to this server instead; may be repeated")
                .many()
                .detail("Balances the load: clients that are already registered stay. Where addresses carry ?id=, all the servers have to have a copy of one identity file."),
            Flag::value("probe-from", "ADDR", Kind::Text, "A second address of this machine from which to probe NATs")
                .detail("With it `p2pt check` can tell how the NAT filters; without, it reports «endpoint-independent or not known», unless it is given a second rendezvous."),
            Flag::value("keepalive", "SPAN", Kind::Duration, "Ask each client after this much silence whether it is there")
                .default("10s")
                .detail("Three unanswered pings mean gone."),
            Flag::switch("flash", "Serve RTMFP clients that are not p2pt, too (RFC 7425)"),
            Flag::value("hostname", "NAME", Kind::Text, "Answer also to clients that ask for a server of this name")
                .requires(&["flash"])
                .detail("For programs of other makes that look for a server by name alone. The name becomes part of the certificate, so the address has another ?id= than without."),
            KEY,
            JSON,
        ],
        READY,
    ],
    streams: Streams { input: "", output: "nothing; with --json, events and metrics", json: Json::Stdout },
    statuses: &[Status::Integrity, Status::LocalIo, Status::Refused],
    files: &[Note {
        name: "$XDG_DATA_HOME/p2pt/rendezvous",
        text: "The identity of the service, mode 0600, apart from the user's own. Keep it across restarts and moves, else every address with ?id= stops working.",
    }],
    security: "\
The rendezvous learns who talks to whom and from which address, and nothing of what they say. Run one of your own where that matters: this command is all it takes.

A developer key keeps strangers from registering, not from dialling. It is asked for inside the encrypted session, never in the open.

Answers to strangers are bounded (at most three times what they sent, else from a budget), and no state is kept before a cookie came back, so the service is no amplifier. A client may have another of its sockets probed: with at most three packets, at the client's own address, and not often.",
    ..Row::EMPTY
};
