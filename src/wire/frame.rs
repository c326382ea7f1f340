//! The frame of a chunk: type, length, payload (RFC 7016 section 2.3).

/// Bytes before a chunk's payload.
pub const CHUNK_HEADER_LEN: usize = 3;

/// Chunk type codes (section 2.3).
pub mod kind {
    /// Ignored.
    pub const PADDING: u8 = 0x00;
    /// Ping (section 2.3.9).
    pub const PING: u8 = 0x01;
    /// Session Close Request (section 2.3.17).
    pub const SESSION_CLOSE: u8 = 0x0c;
    /// Forwarded Initiator Hello (section 2.3.3).
    pub const FIHELLO: u8 = 0x0f;
    /// User Data (section 2.3.11).
    pub const USER_DATA: u8 = 0x10;
    /// Next User Data (section 2.3.12).
    pub const NEXT_USER_DATA: u8 = 0x11;
    /// Buffer Probe (section 2.3.15).
    pub const BUFFER_PROBE: u8 = 0x18;
    /// Initiator Hello (section 2.3.2).
    pub const IHELLO: u8 = 0x30;
    /// Initiator Initial Keying (section 2.3.7).
    pub const IIKEYING: u8 = 0x38;
    /// Ping Reply (section 2.3.10).
    pub const PING_REPLY: u8 = 0x41;
    /// Session Close Acknowledgement (section 2.3.18).
    pub const SESSION_CLOSE_ACK: u8 = 0x4c;
    /// Data Acknowledgement Bitmap (section 2.3.13).
    pub const BITMAP_ACK: u8 = 0x50;
    /// Data Acknowledgement Ranges (section 2.3.14).
    pub const RANGE_ACK: u8 = 0x51;
    /// Flow Exception Report (section 2.3.16).
    pub const FLOW_EXCEPTION: u8 = 0x5e;
    /// Responder Hello (section 2.3.4).
    pub const RHELLO: u8 = 0x70;
    /// Responder Redirect (section 2.3.5).
    pub const REDIRECT: u8 = 0x71;
    /// Responder Initial Keying (section 2.3.8).
    pub const RIKEYING: u8 = 0x78;
    /// RHello Cookie Change (section 2.3.6).
    pub const RHELLO_COOKIE_CHANGE: u8 = 0x79;
    /// Packet Fragment (section 2.3.1).
    pub const PACKET_FRAGMENT: u8 = 0x7f;
    /// ECN Report: not in the RFC, but in its author's implementation, which marks its packets only if it gets this.
    pub const ECN_REPORT: u8 = 0xec;
    /// Ignored.
    pub const PADDING_FF: u8 = 0xff;
}

/// A chunk whose payload is not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawChunk<'a> {
    /// Its type code.
    pub kind: u8,
    /// Its payload.
    pub payload: &'a [u8],
}

/// The chunks behind a packet's header. What cannot be a chunk is padding and ends them.
#[derive(Debug, Clone)]
pub struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    /// The chunks of `rest`, which [`Header::decode`](super::Header::decode) gave.
    #[must_use]
    pub const fn new(rest: &'a [u8]) -> Self {
        Self(rest)
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = RawChunk<'a>;

    fn next(&mut self) -> Option<RawChunk<'a>> {
        let (&[kind, high, low], body) = self.0.split_first_chunk::<CHUNK_HEADER_LEN>()?;
        let (payload, rest) = body.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        self.0 = rest;
        Some(RawChunk { kind, payload })
    }
}

/// Appends a chunk's header, unless the length does not fit its field: then nothing, and `false`.
pub(super) fn put_chunk_header(out: &mut Vec<u8>, kind: u8, payload_len: usize) -> bool {
    let Ok(len) = u16::try_from(payload_len) else {
        return false;
    };
    let [high, low] = len.to_be_bytes();
    out.extend_from_slice(&[kind, high, low]);
    true
}

/// Appends a padding chunk of `len` bytes in all (at least 3, at most 65,538), for probes of the path MTU.
pub fn put_padding(out: &mut Vec<u8>, len: usize) {
    let payload_len = len.saturating_sub(CHUNK_HEADER_LEN);
    if put_chunk_header(out, kind::PADDING, payload_len) {
        out.resize(out.len() + payload_len, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_cannot_be_a_chunk_is_padding(
            chunks in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..5),
            padding in 0usize..20,
        ) {
            let mut packet = Vec::new();
            for (kind, payload) in &chunks {
                prop_assert!(put_chunk_header(&mut packet, *kind, payload.len()));
                packet.extend(payload);
            }
            packet.resize(packet.len() + padding, 0xff);
            let read: Vec<_> = Chunks::new(&packet).collect();
            let written: Vec<_> = chunks.iter().map(|(kind, payload)| RawChunk { kind: *kind, payload }).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn a_cut_packet_keeps_its_whole_chunks(len in 0usize..50, cut in 0usize..60) {
            let mut packet = Vec::new();
            put_padding(&mut packet, 3 + len);
            prop_assert_eq!(packet.len(), 3 + len);
            let cut = cut.min(packet.len());
            prop_assert_eq!(Chunks::new(&packet[..cut]).count(), usize::from(cut == packet.len()));
        }
    }

    #[test]
    fn a_length_that_the_field_cannot_say_writes_nothing() {
        let mut out = Vec::new();
        put_padding(&mut out, 65_538);
        assert_eq!(out.len(), 65_538);
        out.clear();
        put_padding(&mut out, 65_539);
        assert!(out.is_empty());
    }
}
