//! The rows of `p2pt multicast`.

use super::member::{ANONYMOUS, GROUP, GROUP_VARIABLE, MEMBER};
use super::row::{Example, Flag, Json, Kind, Note, Operand, Row, Streams};
use super::shared::{BIND, FLASH, JSON, KEY, READY, RENDEZVOUS_VARIABLE};

/// `p2pt multicast`.
pub(super) const FAMILY: Row = Row {
    name: "multicast",
    summary: "live streams to many, each of whom passes them on",
    about: "A stream goes from its publisher to a few members, who pass it on to others, so that it costs the publisher the same whether ten play it or a thousand. Flash video, MPEG transport streams and any other bytes go through; what comes is what the publisher signed, or nothing.",
    examples: &[
        Example {
            does: "publish what ffmpeg makes",
            line: "ffmpeg -re -i film.mkv -c copy -f mpegts - | p2pt multicast publish @friends.group film",
        },
        Example { does: "watch it", line: "p2pt multicast play @friends.group film | ffplay -" },
    ],
    rows: &[PUBLISH, PLAY],
    ..Row::EMPTY
};

const NAME: Operand =
    Operand { name: "NAME", help: "The stream's name in the group", kind: Kind::Text, required: false, many: false };

const PUSH_LIMIT: Flag = Flag::value(
    "multicast-push-neighbor-limit",
    "N",
    Kind::Number(0, 1_000),
    "Push each piece of a stream to N neighbours at most; default 4",
);
const RELAY_MARGIN: Flag = Flag::value(
    "multicast-relay-margin-duration",
    "SPAN",
    Kind::Duration,
    "Keep what was played for this long, for others who miss it; default 2s, or the latency if that is longer",
);

const PUBLISH: Row = Row {
    name: "publish",
    summary: "publish standard input as a live stream",
    about: "\
Publishes standard input under NAME in a group, as it comes, and ends the stream in good order at the end of the input. Players that come later begin at a key frame, with what their decoder needs before it.

The format is known from the first bytes: Flash video, an MPEG transport stream, or else any bytes at all. A slow player, or none, never makes the input wait.

Others can publish under the same name: players choose by --publisher, or take whom they heard of first.

With P2PT_GROUP set, a single operand is the NAME. SIGUSR1 prints a status line.",
    usage: &["multicast publish [OPTIONS] GROUP NAME", "multicast publish [OPTIONS] NAME     with P2PT_GROUP set"],
    examples: &[
        Example {
            does: "this screen, at low latency",
            line: "ffmpeg -f x11grab -i :0 -c:v libx264 -tune zerolatency -g 30 -f mpegts - | p2pt multicast publish --latency 300ms @friends.group screen",
        },
        Example { does: "a file, by its own clock", line: "p2pt multicast publish --realtime @friends.group film < film.ts" },
        Example { does: "any bytes", line: "tail -f events.log | p2pt multicast publish --format raw @ops.group events" },
    ],
    operands: &[GROUP, NAME],
    flags: &[
        &[
            Flag::value("format", "FORMAT", Kind::Choice(&["auto", "flv", "mpegts", "raw"]), "What standard input is")
                .default("auto")
                .detail("raw is cut anywhere: a player that comes later begins anywhere."),
            Flag::switch("realtime", "Go by the stream's own clock, if input comes faster than that")
                .detail("After a stall of the input half a second of what is late is made up for, no more."),
            Flag::value("latency", "SPAN", Kind::Duration, "How long after its publication the stream is played")
                .default("2s")
                .detail("What players have not got by then is lost. They may choose another latency for themselves."),
        ],
        &[
            Flag::switch("flash-timing", "Flash's settings instead of those for a latency").conflicts(&["latency"]).detail(
                "A window of 8s, 2500ms until what nobody pushed is asked for, 100ms between two tellings of what is there.",
            ),
            Flag::value("multicast-window-duration", "SPAN", Kind::Duration, "Gather pieces for this long before they must be played; default the latency"),
            Flag::value("multicast-fetch-period", "SPAN", Kind::Duration, "Ask for what nobody pushed after this long; default an eighth of the latency"),
            Flag::value("multicast-availability-update-period", "SPAN", Kind::Duration, "Tell neighbours this often what is there; default 100ms"),
            Flag::switch("multicast-availability-send-to-all", "Tell all neighbours each time, not one after the other"),
            PUSH_LIMIT,
            RELAY_MARGIN,
        ],
        &[
            Flag::value("publish-password-file", "FILE", Kind::Text, "Read the publishing password from FILE")
                .detail("The first line, without its end. The password never leaves this machine: it makes the key that signs a grant for whoever publishes."),
            Flag::value("publish-password-fd", "N", Kind::Number(0, 65_535), "Read the publishing password from file descriptor N")
                .conflicts(&["publish-password-file"]),
        ],
        &[BIND, KEY, ANONYMOUS, FLASH, JSON],
        READY,
    ],
    streams: Streams { input: "the stream", output: "", json: Json::Stderr },
    environment: &[
        GROUP_VARIABLE,
        RENDEZVOUS_VARIABLE,
        Note {
            name: "P2PT_PUBLISH_PASSWORD",
            text: "The publishing password, where no option gives it. Weaker than a file: programs that are started from here inherit it.",
        },
    ],
    security: "\
Whoever has the groupspec can play the stream, and record it. It is signed with the user's identity, the same in every group, unless --anonymous; relays can drop what they pass on, but not change it.

Neighbours see each other's addresses, and who plays what. Where that matters, run p2pt inside a tunnel.

A group without a publishing password lets every member publish, under any name.",
    ..MEMBER
};

const PLAY: Row = Row {
    name: "play",
    summary: "play a stream of a group to standard output",
    about: "\
Writes a stream to standard output as its publisher published it, --latency later, and passes it on to others meanwhile. It begins at a key frame, with what a decoder needs before it.

Ends with 0 when the stream has come to its end in good order; --keep-open waits for the next of that name. A publisher that was not heard of for --timeout ends it with 3, a group in which nobody is there, or nobody publishes NAME, with 12.

What did not come in time is left out and told on standard error. A reader of standard output that stands still does not make the group wait: beyond 16 MiB what it misses is left out, up to the next key frame, and told.

With P2PT_GROUP set, a single operand is the NAME. SIGUSR1 prints a status line.",
    usage: &["multicast play [OPTIONS] GROUP NAME", "multicast play [OPTIONS] NAME     with P2PT_GROUP set"],
    examples: &[
        Example { does: "watch", line: "p2pt multicast play @friends.group film | ffplay -" },
        Example { does: "at low latency, as in a conversation", line: "p2pt multicast play --latency 200ms @friends.group ada | ffplay -fflags nobuffer -" },
        Example { does: "record whatever comes under a name", line: "p2pt multicast play --keep-open @friends.group news > news.ts" },
    ],
    operands: &[GROUP, NAME],
    flags: &[
        &[
            Flag::value("latency", "SPAN", Kind::Duration, "Play this long after publication; default what the publisher says")
                .detail("0s plays everything as soon as it is there and in order."),
            Flag::value("publisher", "PEER-ID", Kind::Text, "Only the stream of this publisher"),
            Flag::switch("keep-open", "After the end wait for the next stream of the name"),
            Flag::value("timeout", "SPAN", Kind::Duration, "Give up after this long without a word of the publisher")
                .short('w')
                .default("10s"),
        ],
        &[PUSH_LIMIT, RELAY_MARGIN],
        &[BIND, FLASH, JSON],
        READY,
    ],
    streams: Streams { input: "", output: "the stream", json: Json::Stderr },
    environment: &[GROUP_VARIABLE, RENDEZVOUS_VARIABLE],
    security: "\
What is played is what its publisher signed, whoever passed it on. A name proves nothing: where it matters whose stream it is, say --publisher.

Whoever plays passes on, so its line carries the stream out, too. Neighbours see each other's addresses, and who plays what. Where that matters, run p2pt inside a tunnel.",
    ..MEMBER
};
