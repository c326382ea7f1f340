//! What replication takes and tells.

use bytes::Bytes;

use crate::base::PeerId;

/// The highest index of an object: 2^53, as in NetGroup.
pub const MAX_INDEX: u64 = 1 << 53;
/// The longest object, in bytes: a mebibyte, and a kibibyte for a proof.
pub const MAX_OBJECT: usize = (1 << 20) + (1 << 10);

/// Bytes before an object in a buffer, where its index is written: [`super::Replication::write_requested_buffer`].
pub const HEADROOM: usize = crate::wire::vlu::MAX_LEN;

/// NetGroupReplicationStrategy: which of the wanted objects is asked for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// That with the lowest index.
    #[default]
    LowestFirst,
    /// That which the fewest neighbours have; by lot among equals.
    RarestFirst,
}

/// How replication begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicationConfig {
    /// Which object is asked for first.
    pub strategy: Strategy,
    /// Bytes of objects sent in a second at most; `None` for no limit.
    pub up: Option<u64>,
    /// Bytes of objects received in a second at most; `None` for no limit.
    pub down: Option<u64>,
    /// Whether to send less as soon as what we send waits in the uplink, so that other traffic has it.
    pub polite: bool,
}

impl Default for ReplicationConfig {
    /// The lowest first, no limits, polite.
    fn default() -> Self {
        Self { strategy: Strategy::default(), up: None, down: None, polite: true }
    }
}

/// A neighbour's request, which its holder answers with an object or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplicationError {
    /// NetGroup's RangeError.
    #[error("indices of objects end at 2^53")]
    Range,
    /// The groupspec does not have it.
    #[error("object replication is not enabled in this group")]
    Disabled,
    /// It is longer than [`MAX_OBJECT`].
    #[error("an object has at most 1,049,600 bytes")]
    TooLong,
}

/// What happens with objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicationEvent {
    /// An object is asked for (NetGroup.Replication.Fetch.SendNotify).
    FetchSendNotify {
        /// Which.
        index: u64,
    },
    /// An object came (NetGroup.Replication.Fetch.Result). It is not wanted any more, and not had yet: the owner looks at
    /// it, and says `add_have_objects`, or `bad`.
    FetchResult {
        /// Which.
        index: u64,
        /// Its bytes: hearsay.
        object: Bytes,
        /// Who sent it.
        from: PeerId,
    },
    /// A neighbour did not give an object that it had announced (NetGroup.Replication.Fetch.Failed): it stays wanted, and
    /// is asked for elsewhere.
    FetchFailed {
        /// Which.
        index: u64,
    },
    /// A neighbour wants an object (NetGroup.Replication.Request): `write_requested_object` or `deny_requested_object`
    /// is due.
    Request {
        /// Which.
        index: u64,
        /// By which the answer is given.
        request: RequestId,
        /// Who.
        peer: PeerId,
    },
    /// A neighbour did what nobody does by mistake, or too often: it is left.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// What.
        reason: &'static str,
    },
}

/// What replication counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplicationStats {
    /// Bytes of objects sent.
    pub sent_bytes: u64,
    /// Objects sent.
    pub sent: u64,
    /// Bytes of objects received, all of them.
    pub received_bytes: u64,
    /// Objects received that were wanted.
    pub received: u64,
    /// Objects received that had come from somebody else already.
    pub duplicates: u64,
    /// Objects received that nobody had asked for.
    pub unsolicited: u64,
    /// Objects that the owner found to be wrong.
    pub bad: u64,
    /// Objects asked for.
    pub asked: u64,
    /// Objects asked for that were denied, or did not come in time.
    pub failed: u64,
    /// Requests that were denied to others.
    pub denied: u64,
    /// Requests withdrawn because another answer came first.
    pub cancelled: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Messages dropped because a table was full or a rate exceeded.
    pub limited: u64,
}
