//! The rows of `p2pt store`.

use super::member::{GROUP, LOOKING, MEMBER, POSTING_PASSWORD, SPEAKING};
use super::row::{Example, Flag, Json, Kind, Operand, Row, Streams};

/// `p2pt store`.
pub(super) const STORE: Row = Row {
    name: "store",
    summary: "a group's distributed storage: values by key",
    about: "Values live at the members nearest to their key's digest, several copies of each, and outlive whoever put them, until they expire.",
    examples: &[
        Example { does: "put a value", line: "p2pt store put @friends.address motd 'hello all'" },
        Example { does: "get it anywhere", line: "p2pt store get @friends.address motd" },
    ],
    rows: &[PUT, GET],
    ..Row::EMPTY
};

const KEY_OPERAND: Operand =
    Operand { name: "KEY", help: "The key: any text", kind: Kind::Text, required: false, many: false };

const PUT: Row = Row {
    name: "put",
    summary: "store a value under a key",
    about: "\
Stores a value under a key, signed by the user, at the members nearest to the key's digest. Each author has a slot of its own under a key: nobody can overwrite what another put. A later put of the same author replaces the earlier one.

Members hold values in memory only, usually six of them, and copy them on as members come and go. A value is gone when all who hold it have left at once, or the last member has.

With --content there is no key and no author: the value is stored under its own SHA-256, which is printed.

With P2PT_GROUP set, GROUP is left out where both KEY and VALUE stand.",
    usage: &["store put [OPTIONS] GROUP KEY [VALUE]", "store put [OPTIONS] --content GROUP [VALUE]"],
    examples: &[
        Example { does: "a line", line: "p2pt store put @friends.address motd 'hello all'" },
        Example { does: "a file, for an hour", line: "p2pt store put --expires 1h @friends.address menu - < menu.txt" },
        Example { does: "take it back", line: "p2pt store put --remove @friends.address motd" },
    ],
    operands: &[
        GROUP,
        KEY_OPERAND,
        Operand { name: "VALUE", help: "The value; - or none: all of standard input", kind: Kind::Text, required: false, many: false },
    ],
    flags: &[
        &[
            Flag::value("expires", "SPAN", Kind::Duration, "How long it is kept, at most 30 days").default("1d"),
            Flag::switch("content", "Store under the value's own SHA-256, without author").conflicts(&["remove"]),
            Flag::switch("remove", "Take one's own value back"),
        ],
        POSTING_PASSWORD,
        SPEAKING,
    ],
    streams: Streams { input: "the value, without VALUE", output: "with --content, the digest", json: Json::Stdout },
    ..MEMBER
};

const GET: Row = Row {
    name: "get",
    summary: "get a value by its key",
    about: "\
Prints the value under a key, byte for byte. If several authors have put one, --from says whose is wanted; without it their IDs are listed, and the exit status is 10.

With P2PT_GROUP set, GROUP is left out.",
    usage: &["store get [OPTIONS] GROUP KEY"],
    examples: &[
        Example { does: "a value", line: "p2pt store get @friends.address motd" },
        Example { does: "by its digest", line: "p2pt store get --content @friends.address $DIGEST > file" },
    ],
    operands: &[GROUP, KEY_OPERAND],
    flags: &[
        &[
            Flag::value("from", "PEER-ID", Kind::Text, "Only what this author put"),
            Flag::switch("content", "KEY is the SHA-256 of a value, in hex").conflicts(&["from"]),
        ],
        LOOKING,
    ],
    streams: Streams { input: "", output: "the value, byte for byte; with --json, an event for each author", json: Json::Stdout },
    ..MEMBER
};
