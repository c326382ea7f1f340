//! What storage takes and tells.

use std::time::Duration;

use bytes::Bytes;

use crate::base::{PeerId, WallClock};
use crate::crypto::Identity;
use crate::group::GroupId;

/// The longest value, in bytes.
pub const MAX_VALUE: usize = 64 << 10;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 1024;
/// The longest time that a value may live.
pub const MAX_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A question to the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(pub u64);

/// How storage begins.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// The group.
    pub group: GroupId,
    /// Who signs our values.
    pub author: Identity,
    /// The key whose grants are needed to put, if the groupspec has one.
    pub posting_key: Option<[u8; 32]>,
    /// Our grant.
    pub grant: Option<Bytes>,
    /// The time of day.
    pub clock: WallClock,
    /// Bytes of values that we hold for others at most.
    pub capacity: usize,
    /// How long a question may take.
    pub timeout: Duration,
}

/// A stored value, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: Bytes,
    /// Who signed it; `None` if the key is the value's SHA-256.
    pub author: Option<PeerId>,
    /// Which version.
    pub sequence: u64,
    /// When it ends, in milliseconds since 1970.
    pub expiry: u64,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageEvent {
    /// A value of ours is held by so many members.
    Stored {
        /// Which question.
        id: StoreId,
        /// How many members confirmed that they hold it.
        copies: usize,
    },
    /// The values found, the newest of each author; tombstones left out. None if there are none.
    Found {
        /// Which question.
        id: StoreId,
        /// The values.
        records: Vec<Record>,
        /// How many holders answered.
        holders: usize,
    },
    /// Holders refuse to store: a newer version is there, or the grant does not hold.
    Refused {
        /// Which question.
        id: StoreId,
        /// Their reason.
        reason: &'static str,
    },
    /// Nobody answered in time.
    TimedOut {
        /// Which question.
        id: StoreId,
    },
    /// A neighbour breaks the rules: leave it.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// What it did.
        reason: &'static str,
    },
}

/// Why a value is not fit to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too long.
    #[error("a key has at most 1,024 bytes and a value 65,536")]
    TooLong,
    /// Too long a life, or none.
    #[error("a value lives at most 30 days")]
    Life,
    /// The group's posts need a grant, and we have none.
    #[error("this group needs a posting password")]
    NoGrant,
    /// The signature does not hold.
    #[error("the record's signature does not hold")]
    Unsigned,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StorageStats {
    /// Bytes sent and received.
    pub bytes: (u64, u64),
    /// Records held, and their bytes.
    pub held: (u64, u64),
    /// Dropped for a bad form or signature.
    pub malformed: u64,
    /// Dropped for want of a grant.
    pub unauthorized: u64,
    /// Dropped because a neighbour sent too many, or there is no room.
    pub limited: u64,
}
