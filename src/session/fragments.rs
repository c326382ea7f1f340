//! Packet fragments within a session (RFC 7016 section 3.4): what a fragment of user data takes that was numbered when
//! the path carried larger packets than it does now. It cannot be cut again, so its packet is.
//!
//! Departs from 3.4 ("only during session startup"): the section allows for packets of established sessions further on,
//! and without this such a flow would be stuck for ever.

use std::collections::VecDeque;

use crate::base::Instant;
use crate::wire::PacketFragment;

/// Packets in reassembly at one time.
const MAX_PACKETS: usize = 16;
/// Bytes of a reassembled packet at most: more than any datagram that packet size discovery tries.
const MAX_BYTES: usize = 65_536;
/// Pieces of one packet at most.
const MAX_PIECES: usize = 64;
/// Progress keeps a packet alive for so long.
const IDLE_MICROS: u64 = 1_000_000;

/// Packets of which some pieces came.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    packets: VecDeque<Partial>,
}

#[derive(Debug)]
struct Partial {
    id: u64,
    touched: Instant,
    bytes: usize,
    pieces: Vec<Option<Vec<u8>>>,
    count: Option<usize>,
}

impl Reassembly {
    /// Takes a piece; the whole packet if it was the last one missing. `Err` if the piece has no place.
    pub(super) fn on_fragment(&mut self, now: Instant, piece: &PacketFragment<'_>) -> Result<Option<Vec<u8>>, ()> {
        let index = usize::try_from(piece.index).ok().filter(|&index| index < MAX_PIECES).ok_or(())?;
        self.packets.retain(|packet| (now - packet.touched).as_micros() <= u128::from(IDLE_MICROS));
        let at = match self.packets.iter().position(|packet| packet.id == piece.packet_id) {
            Some(at) => at,
            None => {
                if self.packets.len() == MAX_PACKETS {
                    self.packets.pop_front();
                }
                self.packets.push_back(Partial {
                    id: piece.packet_id,
                    touched: now,
                    bytes: 0,
                    pieces: Vec::new(),
                    count: None,
                });
                self.packets.len() - 1
            }
        };
        let packet = &mut self.packets[at];
        if packet.pieces.len() <= index {
            packet.pieces.resize(index + 1, None);
        }
        if packet.pieces[index].is_some() || packet.bytes + piece.bytes.len() > MAX_BYTES {
            return Err(());
        }
        packet.pieces[index] = Some(piece.bytes.to_vec());
        packet.bytes += piece.bytes.len();
        packet.touched = now;
        if !piece.more {
            packet.count = Some(index + 1);
        }
        if packet.count != Some(packet.pieces.len()) || packet.pieces.iter().any(Option::is_none) {
            return Ok(None);
        }
        let packet = self.packets.remove(at).ok_or(())?;
        Ok(Some(packet.pieces.into_iter().flatten().flatten().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::split_packet;

    #[test]
    fn pieces_in_any_order_make_the_packet_once() {
        let packet: Vec<u8> = (0..100).collect();
        let mut reassembly = Reassembly::default();
        let pieces: Vec<_> = split_packet(&packet, 7, 30).collect();
        for piece in pieces[1..].iter().rev() {
            assert_eq!(reassembly.on_fragment(Instant::ZERO, piece), Ok(None));
        }
        assert_eq!(reassembly.on_fragment(Instant::ZERO, &pieces[2]), Err(()), "a piece that is there");
        assert_eq!(reassembly.on_fragment(Instant::ZERO, &pieces[0]), Ok(Some(packet.clone())));
        assert_eq!(reassembly.on_fragment(Instant::ZERO, &pieces[0]), Ok(None), "a new packet of that number");
    }

    #[test]
    fn memory_is_bounded_and_stale_pieces_go() {
        let mut reassembly = Reassembly::default();
        let piece = |packet_id, index| PacketFragment { more: true, packet_id, index, bytes: &[1; 1000] };
        for id in 0..100 {
            reassembly.on_fragment(Instant::ZERO, &piece(id, 0)).unwrap();
        }
        assert_eq!(reassembly.packets.len(), MAX_PACKETS);
        assert_eq!(reassembly.on_fragment(Instant::ZERO, &piece(99, 64)), Err(()));
        assert!(reassembly.on_fragment(Instant::ZERO, &piece(99, u64::MAX)).is_err());
        let later = Instant::from_micros(1_000_001);
        reassembly.on_fragment(later, &piece(200, 0)).unwrap();
        assert_eq!(reassembly.packets.len(), 1);
    }
}
