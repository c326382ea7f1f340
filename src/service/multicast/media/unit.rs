//! What a stream is cut into.

use bytes::Bytes;

/// Bytes of [`Head::tables`] at most; what goes beyond is left out.
pub const MAX_TABLES: usize = 64 << 10;

/// Types of units that are no Flash messages ([`crate::wire::message::message_kind`]).
pub mod unit_kind {
    /// Packets of an MPEG transport stream.
    pub const MPEG_TS: u8 = 0x70;
    /// Any bytes.
    pub const RAW: u8 = 0x71;
}

/// A piece of a stream that players get whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its type: of [`unit_kind`] or [`crate::wire::message::message_kind`].
    pub kind: u8,
    /// Milliseconds on the stream's own clock, which wraps and may jump; 0 where there is none.
    pub timestamp: u32,
    /// A player can begin with it, after the head.
    pub key: bool,
    /// The bytes; of Flash video a tag's data, without what is around it.
    pub data: Bytes,
}

/// What precedes the units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Where the stream begins.
    pub header: Bytes,
    /// Besides, where somebody begins in the middle: what the codecs are. Of Flash video, whole tags; of a transport stream,
    /// packets.
    pub tables: Bytes,
}
