//! The row of `p2pt connect`.

use super::row::{Example, Flag, Json, Kind, Operand, Row, Streams};
use super::shared::{
    BIND, FLASH, IDENTITY_FILE, JSON, KEY, REACHING, READY, RENDEZVOUS_VARIABLE, TIMEOUT, WIRE_LIMITS,
};

/// `p2pt connect`.
pub(super) const CONNECT: Row = Row {
    name: "connect",
    summary: "a pipe between two peers, through NATs, encrypted",
    about: "\
One-to-one pipe: standard input goes to the peer, what the peer sends comes out of standard output. Raw bytes, no framing. The end of input goes through in both directions; every byte is delivered before exit; the exit status is 0 only if both sides finished.

One side listens and prints its address, the other dials it. Without a rendezvous (rtmfp:) peers on one machine or LAN find each other by IP multicast.

Every incoming peer has to be accepted: --allow lists who may come in, --allow-any lets everybody in; with neither, a listener on a terminal asks, and a script is refused (exit 2).",
    usage: &["connect [OPTIONS] ADDRESS", "connect --listen [OPTIONS] [RENDEZVOUS]"],
    examples: &[
        Example { does: "receive a folder on the LAN", line: "p2pt connect --listen --allow-any | tar x" },
        Example { does: "send it, with the address that the listener printed", line: "tar c photos | p2pt connect @address.txt" },
        Example { does: "ssh through any NAT: the far end", line: "p2pt connect --listen --keep-open --allow @friends.txt --to-tcp 127.0.0.1:22" },
        Example { does: "ssh through any NAT: the near end", line: "p2pt connect --from-tcp 127.0.0.1:2222 @address.txt" },
        Example { does: "live video, late packets dropped rather than waited for", line: "ffmpeg -i cam.sdp -f mpegts - | p2pt connect --messages ts --lifetime 150ms @address.txt" },
    ],
    operands: &[Operand {
        name: "ADDRESS",
        help: "The peer: rtmfp://HOST[:PORT][/KEY][?id=ID]#PEER-ID, rtmfp:#PEER-ID[@HOST:PORT,…], @FILE; with --listen the rendezvous, default $P2PT_RENDEZVOUS or rtmfp:",
        kind: Kind::Text,
        required: false,
        many: false,
    }],
    flags: &[
        &[
            Flag::switch("listen", "Wait for a peer instead of dialling one").short('l'),
            Flag::value("allow", "PEER-ID|@FILE", Kind::Text, "Let this peer in; may be repeated").many().requires(&["listen"]),
            Flag::switch("allow-any", "Let any peer in").conflicts(&["allow"]).requires(&["listen"]),
            Flag::switch("keep-open", "Go on after a peer has left, and serve several at once where each has its own command or connection")
                .requires(&["listen"]),
            Flag::value("max-conns", "N", Kind::Number(1, 65_535), "Serve at most N peers at once").default("64").requires(&["keep-open"]),
        ],
        &[
            Flag::value("exec", "CMD", Kind::Text, "Give the pipe to `sh -c CMD` instead of this terminal")
                .short('e')
                .conflicts(&["to-tcp", "from-tcp", "to-udp", "from-udp"])
                .detail("The command finds the peer's ID in P2PT_PEER. Its exit status becomes ours where it is the only one."),
            Flag::value("to-tcp", "HOST:PORT", Kind::HostPort, "Join each peer to a TCP connection to HOST:PORT")
                .conflicts(&["from-tcp", "to-udp", "from-udp"]),
            Flag::value("from-tcp", "ADDR:PORT", Kind::Socket, "Accept TCP connections here, and join each to the peer")
                .conflicts(&["to-udp", "from-udp", "listen"]),
            Flag::value("to-udp", "HOST:PORT", Kind::HostPort, "Pass datagrams to HOST:PORT").conflicts(&["from-udp"]),
            Flag::value("from-udp", "ADDR:PORT", Kind::Socket, "Pass datagrams that arrive here to the peer").conflicts(&["listen"]),
        ],
        &[
            Flag::value("messages", "FORM", Kind::Choice(&["line", "nul", "ts", "u32"]), "Carry messages instead of bytes")
                .detail("line and nul: records that end so; ts: MPEG-TS packets; u32: a four-byte big-endian length before each, on both sides. A message lost to its deadline is a lost event, never a silent gap."),
            Flag::value("lifetime", "SPAN", Kind::Duration, "Drop a message that was not delivered in time")
                .requires(&["messages"]),
            Flag::switch("recv-only", "Send nothing; standard input is not read").conflicts(&["send-only"]),
            Flag::switch("send-only", "Receive nothing"),
        ],
        &[TIMEOUT, BIND, KEY, FLASH, JSON],
        READY,
    ],
    streams: Streams { input: "what goes to the peer", output: "what the peer sends, byte for byte", json: Json::Stderr },
    statuses: REACHING,
    environment: &[RENDEZVOUS_VARIABLE],
    files: &[IDENTITY_FILE],
    security: WIRE_LIMITS,
    ..Row::EMPTY
};
