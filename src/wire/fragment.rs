//! Packet Fragment payloads (RFC 7016 sections 2.3.1 and 3.4).

use super::error::DecodeError;
use super::reader::{take_rest, take_u8};
use super::vlu;

const MORE_FRAGMENTS: u8 = 0x80;

/// One piece of a packet that is unavoidably larger than the path carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketFragment<'a> {
    /// Whether further pieces follow.
    pub more: bool,
    /// The same for all pieces of a packet.
    pub packet_id: u64,
    /// Index of this piece, from 0.
    pub index: u64,
    /// The piece, never empty.
    pub bytes: &'a [u8],
}

impl<'a> PacketFragment<'a> {
    pub(super) fn decode(mut payload: &'a [u8]) -> Result<Self, DecodeError> {
        let flags = take_u8(&mut payload)?;
        let fragment = Self {
            more: flags & MORE_FRAGMENTS != 0,
            packet_id: vlu::take(&mut payload)?,
            index: vlu::take(&mut payload)?,
            bytes: take_rest(&mut payload),
        };
        if fragment.bytes.is_empty() { Err(DecodeError::Forbidden) } else { Ok(fragment) }
    }

    pub(super) fn payload_len(&self) -> usize {
        1 + vlu::len(self.packet_id) + vlu::len(self.index) + self.bytes.len()
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        out.push(if self.more { MORE_FRAGMENTS } else { 0 });
        vlu::put(out, self.packet_id);
        vlu::put(out, self.index);
        out.extend_from_slice(self.bytes);
    }
}

/// The pieces of `packet` (header and chunks, unencrypted), none longer than `max_piece` bytes. Each goes into a packet of its own,
/// under a header of the same mode.
pub fn split_packet(packet: &[u8], packet_id: u64, max_piece: usize) -> impl Iterator<Item = PacketFragment<'_>> {
    let max_piece = max_piece.max(1);
    let last = packet.len().div_ceil(max_piece).saturating_sub(1);
    packet.chunks(max_piece).enumerate().map(move |(index, bytes)| PacketFragment {
        more: index < last,
        packet_id,
        index: index as u64,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_pieces_make_the_packet(
            packet in proptest::collection::vec(any::<u8>(), 0..300),
            max_piece in 0usize..100,
            packet_id: u64,
        ) {
            let mut whole: Vec<u8> = Vec::new();
            let mut ended = packet.is_empty();
            for (index, piece) in split_packet(&packet, packet_id, max_piece).enumerate() {
                prop_assert!(!ended);
                let mut payload = Vec::new();
                piece.put_payload(&mut payload);
                prop_assert_eq!(payload.len(), piece.payload_len());
                prop_assert_eq!(PacketFragment::decode(&payload), Ok(piece));
                prop_assert_eq!((piece.packet_id, piece.index), (packet_id, index as u64));
                prop_assert!(piece.bytes.len() <= max_piece.max(1));
                whole.extend(piece.bytes);
                ended = !piece.more;
            }
            prop_assert!(ended);
            prop_assert_eq!(whole, packet);
        }
    }

    #[test]
    fn an_empty_piece_is_refused() {
        assert_eq!(PacketFragment::decode(&[0x80, 7, 0]), Err(DecodeError::Forbidden));
        assert_eq!(PacketFragment::decode(&[0x80, 7]), Err(DecodeError::Truncated));
    }
}
