//! The rows of `p2pt group` and the commands beneath, `post` among them, which is also a command of its own.

use super::member::{ANONYMOUS, GROUP, GROUP_VARIABLE, LOOKING, MEMBER, POSTING_PASSWORD, SPEAKING};
use super::row::{Example, Flag, Json, Kind, Operand, Row, Streams};
use super::shared::{BIND, FLASH, JSON, KEY, READY, WIRE_LIMITS};
use crate::cli::status::Status;

/// `p2pt group`.
pub(super) const FAMILY: Row = Row {
    name: "group",
    summary: "groups: make, join, watch and post to them",
    about: "A group is made by making a groupspec, and joined by whoever has it. Members find each other through a rendezvous, on the LAN, or by others that they remember; no server carries what they say, and none is needed once they have met.",
    examples: &[
        Example { does: "make a group", line: "p2pt group new --name friends -o friends.group" },
        Example { does: "join it on this LAN", line: "p2pt group join @friends.group" },
    ],
    rows: &[NEW, SHOW, JOIN, MEMBERS, INFO, POST],
    ..Row::EMPTY
};

const NEW: Row = Row {
    name: "new",
    summary: "make a groupspec",
    about: "\
Prints a new groupspec: what a group is called, what its members do, and 32 random bytes that make it a group of its own. Whoever has it can join. Nothing is registered anywhere.

With no feature named all are on: posting, multicast, replication and routing, the server channel and member updates by IP multicast. All members have to have the same groupspec; another set of features is another group.

A group may ask for a password of those who post, or publish streams. By default one is generated, with 130 bits; with -o it is written beside FILE, as FILE.posting-password and FILE.publish-password. Give it only to those who may post.",
    examples: &[
        Example { does: "a group, kept in a file for oneself", line: "p2pt group new --name friends -o friends.group" },
        Example { does: "one in which only those with a password post", line: "p2pt group new --name news --posting-password -o news.group" },
        Example { does: "what is in it", line: "p2pt group show @news.group" },
    ],
    flags: &[
        &[
            Flag::value("name", "NAME", Kind::Text, "The group's name").short('n').default("p2pt"),
            Flag::switch("guessable", "Add no random bytes: whoever sets the same options gets the same group")
                .detail("The rendezvous, and strangers who meet a member, can then find out by trying names which group it is."),
            Flag::value("output", "FILE", Kind::Path, "Write to a new FILE, mode 0600, instead of standard output").short('o'),
            JSON,
        ],
        &[
            Flag::switch("posting", "Members post"),
            Flag::switch("multicast", "Members multicast streams"),
            Flag::switch("replication", "Members replicate objects"),
            Flag::switch("routing", "Members route messages"),
            Flag::switch("server-channel", "Members find each other through the rendezvous, too"),
            Flag::switch("member-updates", "Members find each other by IP multicast, too"),
            Flag::switch("no-peer-to-peer", "Members do not connect to each other: IP multicast alone"),
        ],
        &[
            Flag::switch("posting-password", "Posting needs a password, which is generated")
                .conflicts(&["posting-password-file", "posting-password-fd"]),
            Flag::value("posting-password-file", "FILE", Kind::Text, "Posting needs the password in FILE; - is standard input")
                .detail("A person's password is stretched (Argon2id, 64 MiB), but every holder of the groupspec can still try to guess it, without asking anybody. A generated one cannot be guessed."),
            Flag::value("posting-password-fd", "N", Kind::Number(0, 65_535), "Posting needs the password in file descriptor N")
                .conflicts(&["posting-password-file"]),
            Flag::switch("publish-password", "Publishing streams needs a password, which is generated")
                .conflicts(&["publish-password-file", "publish-password-fd"]),
            Flag::value("publish-password-file", "FILE", Kind::Text, "Publishing needs the password in FILE; - is standard input"),
            Flag::value("publish-password-fd", "N", Kind::Number(0, 65_535), "Publishing needs the password in file descriptor N")
                .conflicts(&["publish-password-file"]),
            Flag::switch("flash-passwords", "Write given passwords as Flash does: hashed, and in clear behind the groupspec")
                .detail("Such a password is advisory: programs may ask for it, and need not. p2pt group show prints the groupspec without it."),
            Flag::value("flash-salt", "TEXT", Kind::Text, "A salt for their hashes").requires(&["flash-passwords"]),
        ],
        &[
            Flag::value("bootstrap-peer", "PEER-ID", Kind::Text, "A member to begin with; may be repeated").many(),
            Flag::value("ip-multicast", "ADDR:PORT[,SOURCE]", Kind::Text, "An IP multicast address of the group, for one sender or any; may be repeated").many(),
            Flag::value("groupspec-version", "N", Kind::Choice(&["1", "2"]), "Groupspec version; 1 is for the oldest Flash Players").default("2"),
        ],
    ],
    streams: Streams { input: "a password, for --posting-password-file -", output: "the groupspec and a newline", json: Json::Stdout },
    statuses: &[Status::LocalIo, Status::Exists, Status::NotFound],
    files: &[],
    security: "\
The groupspec is the key to membership. There is no revocation: after a leak make a new group.

A password stands in no command line, log or JSON line. A generated one goes to a file beside the groupspec's or to the terminal; it cannot be had again.",
    ..Row::EMPTY
};

const SHOW: Row = Row {
    name: "show",
    summary: "decode a groupspec",
    about: "\
Prints what a groupspec says, and the group ID under which the rendezvous and other members know the group. Reads groupspecs of other programs too, options that it does not know included.

Which group it is depends on the text to the letter: the same options in another order, or upper-case digits, are another group.",
    examples: &[
        Example { does: "what is in a groupspec", line: "p2pt group show @friends.group" },
        Example { does: "the group ID, for a script", line: "p2pt group show --json @friends.group | jq -r .group_id" },
    ],
    operands: &[GROUP],
    flags: &[&[
        Flag::switch("without-passwords", "Print the groupspec alone, without Flash's passwords in clear"),
        JSON,
    ]],
    streams: Streams { input: "the groupspec, for -", output: "what the groupspec says", json: Json::Stdout },
    statuses: &[Status::LocalIo, Status::NotFound],
    environment: &[GROUP_VARIABLE],
    security: "The group's random bytes and passwords are not printed. The group ID is no secret: the rendezvous knows it, and it does not let anybody join.",
    ..Row::EMPTY
};

const JOIN: Row = Row {
    name: "join",
    summary: "be a member: print others' posts, post what is typed",
    about: "\
Joins a group and stays. Others' posts come out of standard output, a line each; lines of standard input are posted. The end of standard input ends posting, not membership, unless --send-only.

A newline inside a post is printed as \\n, unless -0. Posts that came while nobody read them are not lost: members keep them for five minutes.

While it runs, p2pt post, route, store, group members and group info for the same group, of the same user, work through it, which takes milliseconds instead of joining anew.

SIGUSR1 prints a status line.",
    examples: &[
        Example { does: "chat on this LAN", line: "p2pt group join --nick Ada rtmfp:#$(cat friends.group)" },
        Example { does: "through a rendezvous, group and rendezvous in one file", line: "p2pt group join @friends.address" },
        Example { does: "a log of everything that happens", line: "p2pt group join --recv-only --json @friends.address >> friends.jsonl" },
    ],
    flags: &[
        &[
            Flag::value("nick", "NAME", Kind::Text, "Post under this nickname: a claim, shown with the peer ID").short('n'),
            Flag::switch("echo", "Print one's own posts, too"),
            Flag::switch("recv-only", "Post nothing; standard input is not read").conflicts(&["send-only", "nick"]),
            Flag::switch("send-only", "Print nothing, and leave after the end of standard input").conflicts(&["echo"]),
            Flag::switch("nul", "Posts end with a NUL instead of a newline, in and out").short('0'),
            Flag::value("receive-mode", "MODE", Kind::Choice(&["exact", "nearest"]), "Take routed messages for one's own address only, or for all that one is nearest to")
                .default("nearest"),
            Flag::value("retention", "SPAN", Kind::Duration, "Keep posts this long for those who missed them").default("5m"),
        ],
        POSTING_PASSWORD,
        &[
            Flag::value("neighbor", "PEER-ID", Kind::Text, "A member to connect to at once; may be repeated").many(),
            Flag::value("timeout", "SPAN", Kind::Duration, "With --send-only: give up when no member was found for this long")
                .short('w')
                .default("30s"),
            BIND,
            KEY,
            ANONYMOUS,
            FLASH,
            JSON,
        ],
        READY,
    ],
    streams: Streams { input: "posts, a line each", output: "others' posts, a line each; with --json, all events instead", json: Json::Stdout },
    ..MEMBER
};

const MEMBERS: Row = Row {
    name: "members",
    summary: "list the members that are known here",
    about: "\
Lists members: each one's peer ID, its place on the ring, and for neighbours, to which there is a connection, the round-trip time. In a large group nobody knows all members; p2pt group info estimates how many there are.

Works through p2pt group join where that runs, else joins, looks around for a moment, and leaves.",
    examples: &[
        Example { does: "who is there", line: "p2pt group members @friends.address" },
        Example { does: "neighbours only, for a script", line: "p2pt group members --json @friends.address | jq -r 'select(.neighbor) | .peer_id'" },
    ],
    flags: &[LOOKING],
    streams: Streams { input: "", output: "a line for each member", json: Json::Stdout },
    security: WIRE_LIMITS,
    ..MEMBER
};

const INFO: Row = Row {
    name: "info",
    summary: "the group as it is seen from here: size, neighbours, rates",
    about: "\
Prints how many members there are (estimated from how densely the ring is filled near us), how many of them are neighbours and whether that is a full mesh, which part of the ring is ours, and bytes per second by kind.

Works through p2pt group join where that runs, else joins, looks around for a moment, and leaves.",
    examples: &[
        Example { does: "how large is it", line: "p2pt group info @friends.address" },
        Example { does: "for a script", line: "p2pt group info --json @friends.address | jq .estimated_member_count" },
    ],
    flags: &[LOOKING],
    streams: Streams { input: "", output: "a few lines", json: Json::Stdout },
    security: WIRE_LIMITS,
    ..MEMBER
};

/// `p2pt group post` and `p2pt post`.
pub(super) const POST: Row = Row {
    name: "post",
    summary: "post to a group, and leave when members have it",
    about: "\
Posts one argument, or each line of standard input, and leaves when two neighbours have accepted it (the one, if there is only one), which pass it on. No member within --timeout: exit 12.

Where p2pt group join runs here for the same group, of the same user, the post goes through it, which takes milliseconds.

With P2PT_GROUP set, a single operand is the MESSAGE.",
    usage: &["post [OPTIONS] GROUP [MESSAGE]", "post [OPTIONS] [MESSAGE]     with P2PT_GROUP set"],
    examples: &[
        Example { does: "one message", line: "p2pt post @friends.address 'dinner is ready'" },
        Example { does: "a line each, from a script", line: "tail -f errors.log | P2PT_GROUP=@ops.address p2pt post" },
        Example { does: "a whole file as one post, newlines included", line: "p2pt post --raw @friends.address < letter.txt" },
    ],
    operands: &[
        GROUP,
        Operand { name: "MESSAGE", help: "What to post; without it, the lines of standard input", kind: Kind::Text, required: false, many: false },
    ],
    flags: &[
        &[
            Flag::value("nick", "NAME", Kind::Text, "Post under this nickname: a claim, shown with the peer ID").short('n'),
            Flag::switch("nul", "Posts on standard input end with a NUL instead of a newline").short('0'),
            Flag::switch("raw", "All of standard input is one post").conflicts(&["nul"]),
        ],
        POSTING_PASSWORD,
        SPEAKING,
    ],
    streams: Streams { input: "posts, a line each, without MESSAGE", output: "", json: Json::Stderr },
    ..MEMBER
};
