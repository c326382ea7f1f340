//! Files on this machine's disk: hashed to be shared, written piece by piece as they are fetched, kept through crashes.
//!
//! # On disk
//!
//! A file NAME that is being fetched is two files beside its place: `.NAME.p2pt-part`, which has the pieces where they belong, and
//! `.NAME.p2pt-state`, which says which of them are there:
//!
//! ```text
//! "p2pt part 1" 00 ‖ BLAKE3 hash (32) ‖ size (8, big-endian) ‖ *record
//! record: piece (4, big-endian) ‖ what the piece hashes to (32) ‖ *sibling (32)
//! ```
//!
//! A record has the siblings of the piece's proof ([`crate::node::files`]) that no record before it shows, from the piece's level up; so
//! the file is never longer than 100 bytes for each piece. A record is appended once its piece has been written. A process that is killed, or a disk that
//! is full, leaves at most one record without an end, which proves nothing and is cut off. When a fetch is resumed, every
//! record is checked against the hash, and every piece that is said to be there is read and hashed; what does not match is
//! fetched again. So neither file need be trusted, and neither is synchronised with the disk before the end.
//!
//! Files of somebody else, files that have another name too, and what is no plain file are not resumed from but removed. The size in
//! a state file is believed once the last piece is there, which proves it; until then it costs 64 bytes of address space for each
//! piece, 256 MiB at most.
//!
//! At the end the part file is synchronised and renamed, which replaces nothing unless that was asked for, and the state file is
//! removed. While a fetch runs it holds a lock on the state file.

mod disk;
mod fault;
mod folding;
mod hash;
mod hold;
mod library;
mod medium;
mod part;
mod place;
mod scan;
mod trust;

pub use fault::PartError;
pub use folding::folding;
pub use hash::{Hashed, hash_file, hash_with};
pub use library::{Accepted, Library};
pub use medium::Medium;
pub use part::{Part, Paths};
pub use place::{copy_whole, make_folders};
pub use scan::{Found, ScanError, own_name, scan};
pub use trust::Stamp;
