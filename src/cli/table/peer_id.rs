//! The row of `p2pt peer-id`.

use super::row::{Example, Flag, Json, Row, Streams};
use super::shared::{IDENTITY_FILE, JSON, KEY};
use crate::cli::status::Status;

/// `p2pt peer-id`.
pub(super) const PEER_ID: Row = Row {
    name: "peer-id",
    summary: "print this user's peer ID, making an identity on first use",
    about: "\
Prints the peer ID, 64 hex digits: the name under which other peers know this user. It is the SHA-256 fingerprint of a certificate whose secret key stays in the identity file.

The first use makes the identity. Any number of first uses at once agree on one. The secret is never printed.",
    examples: &[
        Example { does: "print the peer ID", line: "p2pt peer-id" },
        Example { does: "keep an identity of its own for a service", line: "p2pt peer-id --key /srv/backup/p2pt.key" },
        Example { does: "start anew; the old identity is kept beside the new one", line: "p2pt peer-id --new" },
    ],
    flags: &[&[
        KEY,
        Flag::switch("new", "Make a new identity; the old one is kept under another name"),
        Flag::switch("flash", "Make the new identity one that RFC 7425 peers can authenticate")
            .detail("Adds a fixed Diffie-Hellman key of group 14 to the certificate: 304 bytes instead of 50, so handshakes cost more. Only for whoever must be authenticated by RTMFP software that is not p2pt.")
            .requires(&["new"]),
        JSON,
    ]],
    streams: Streams { input: "", output: "the peer ID and a newline", json: Json::Stdout },
    statuses: &[Status::Integrity, Status::LocalIo, Status::Refused],
    files: &[IDENTITY_FILE],
    security: "\
The identity file is made 0600 in a folder made 0700, and refused (exit 10) if another user owns it or can read it. There is no pass phrase: whoever can read your files can be you. Keep the file on an encrypted disk.

There is no revocation. After a theft make a new identity (--new), and tell those who list the old one under --allow.",
    ..Row::EMPTY
};
