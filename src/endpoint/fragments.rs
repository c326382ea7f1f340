//! Startup packets larger than a datagram should be, in and out (RFC 7016 sections 2.3.1 and 3.4).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{Instant, Interface, Path, SessionId};
use crate::wire::PacketFragment;

use super::stats::{DropReason, Stats};

/// How long a packet may take, as long as it progresses.
const COMPLETE_WITHIN: Duration = Duration::from_secs(60);
/// How long it may stand still.
const PROGRESS_WITHIN: Duration = Duration::from_secs(1);
/// The longest packet that is put together. The largest certificates and keying components that anybody is known to
/// use make 2 KiB.
const MAX_PACKET: usize = 16 << 10;
/// The most pieces of one packet.
const MAX_PIECES: u64 = 64;
/// The most packets at once: in all, and from one source.
const MAX_BUFFERS: usize = 64;
const MAX_BUFFERS_PER_SOURCE: usize = 4;

/// In the absence of knowledge of the path: not more than this every 200 ms to one endpoint.
const PACE: Duration = Duration::from_millis(200);
const PACE_BYTES: usize = 4380;
const PACE_PACKETS: usize = 4;
/// The most bytes that wait for one endpoint, and the most endpoints that they wait for.
const MAX_WAITING: usize = 32 << 10;
const MAX_PACED: usize = 64;

/// Puts fragmented packets together again, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct Reassembler {
    buffers: BTreeMap<Key, Buffer>,
}

/// A packet is known by where it comes from, by its ID there, and by the session ID that its pieces are addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: SocketAddr,
    interface: Interface,
    session: SessionId,
    packet: u64,
}

#[derive(Debug)]
struct Buffer {
    begun: Instant,
    progressed: Instant,
    pieces: BTreeMap<u64, Vec<u8>>,
    /// Index of the final piece, once it came.
    last: Option<u64>,
    bytes: usize,
}

impl Reassembler {
    /// Takes a piece; the whole packet, if it was the last one missing.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        path: Path,
        session: SessionId,
        piece: &PacketFragment<'_>,
    ) -> Result<Option<Vec<u8>>, DropReason> {
        let key = Key { source: path.remote, interface: path.interface, session, packet: piece.packet_id };
        if !self.buffers.contains_key(&key) {
            let lowest = Key { source: key.source, interface: Interface::MAIN, session: SessionId(0), packet: 0 };
            let of_source = self.buffers.range(lowest..).take_while(|(k, _)| k.source == key.source).count();
            if self.buffers.len() >= MAX_BUFFERS || of_source >= MAX_BUFFERS_PER_SOURCE {
                return Err(DropReason::Fragment);
            }
        }
        let buffer = self.buffers.entry(key).or_insert_with(|| Buffer::new(now));
        buffer.add(now, piece)?;
        if !buffer.is_complete() {
            return Ok(None);
        }
        Ok(self.buffers.remove(&key).map(|buffer| buffer.pieces.into_values().flatten().collect()))
    }

    /// When to call [`Self::expire`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.buffers.values().map(Buffer::deadline).min()
    }

    /// Forgets packets that did not get complete in time.
    pub(crate) fn expire(&mut self, now: Instant, stats: &mut Stats) {
        self.buffers.retain(|_, buffer| {
            let keep = buffer.deadline() > now;
            if !keep {
                stats.drop(DropReason::IncompletePacket);
            }
            keep
        });
    }
}

impl Buffer {
    fn new(now: Instant) -> Self {
        Self { begun: now, progressed: now, pieces: BTreeMap::new(), last: None, bytes: 0 }
    }

    fn deadline(&self) -> Instant {
        (self.begun + COMPLETE_WITHIN).min(self.progressed + PROGRESS_WITHIN)
    }

    fn add(&mut self, now: Instant, piece: &PacketFragment<'_>) -> Result<(), DropReason> {
        let beyond = self.last.is_some_and(|last| piece.index > last);
        let contradicts = !piece.more
            && (self.last.is_some_and(|last| last != piece.index)
                || self.pieces.last_key_value().is_some_and(|(highest, _)| *highest > piece.index));
        if piece.bytes.is_empty() || piece.index >= MAX_PIECES || beyond || contradicts {
            return Err(DropReason::Fragment);
        }
        if self.pieces.contains_key(&piece.index) {
            return Ok(());
        }
        if self.bytes + piece.bytes.len() > MAX_PACKET {
            return Err(DropReason::Fragment);
        }
        self.bytes += piece.bytes.len();
        self.progressed = now;
        self.pieces.insert(piece.index, piece.bytes.to_vec());
        if !piece.more {
            self.last = Some(piece.index);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.last.is_some_and(|last| self.pieces.len() as u64 == last + 1)
    }
}

/// Sends the datagrams of fragmented packets at the rate that suits an unknown path.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    endpoints: Vec<Paced>,
}

#[derive(Debug)]
struct Paced {
    path: Path,
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Sizes and times of what went out within the last 200 ms.
    sent: VecDeque<(Instant, usize)>,
}

impl Pacer {
    /// Queues the datagrams of one packet; `false` if too much waits already.
    pub(crate) fn push(&mut self, path: Path, datagrams: Vec<Vec<u8>>) -> bool {
        let bytes: usize = datagrams.iter().map(Vec::len).sum();
        let at = self.endpoints.iter().position(|paced| paced.path.leads_like(&path));
        if at.is_none() && self.endpoints.len() >= MAX_PACED {
            return false;
        }
        let at = at.unwrap_or_else(|| {
            self.endpoints.push(Paced { path, waiting: VecDeque::new(), bytes: 0, sent: VecDeque::new() });
            self.endpoints.len() - 1
        });
        let paced = &mut self.endpoints[at];
        if paced.bytes + bytes > MAX_WAITING {
            return false;
        }
        paced.bytes += bytes;
        paced.waiting.extend(datagrams);
        true
    }

    /// A datagram whose time has come.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(Path, Vec<u8>)> {
        for paced in &mut self.endpoints {
            paced.forget(now);
        }
        self.endpoints.retain(|paced| !paced.waiting.is_empty() || !paced.sent.is_empty());
        let paced = self.endpoints.iter_mut().find(|paced| paced.ready_at().is_some_and(|at| at <= now))?;
        let datagram = paced.waiting.pop_front()?;
        paced.bytes -= datagram.len();
        paced.sent.push_back((now, datagram.len()));
        Some((paced.path, datagram))
    }

    /// When to call [`Self::poll`] again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.endpoints.iter().filter_map(Paced::ready_at).min()
    }
}

impl Paced {
    fn forget(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|(at, _)| *at + PACE <= now) {
            self.sent.pop_front();
        }
    }

    /// When the next datagram fits into the window.
    fn ready_at(&self) -> Option<Instant> {
        let next = self.waiting.front()?.len();
        let mut bytes: usize = self.sent.iter().map(|(_, len)| len).sum::<usize>() + next;
        let mut packets = self.sent.len() + 1;
        let mut ready = Instant::ZERO;
        for (at, len) in &self.sent {
            if bytes <= PACE_BYTES && packets <= PACE_PACKETS {
                break;
            }
            bytes -= len;
            packets -= 1;
            ready = *at + PACE;
        }
        Some(ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::split_packet;

    fn path(host: u8) -> Path {
        Path::to(SocketAddr::from(([192, 0, 2, host], 1000)))
    }

    fn at_ms(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    const ID: SessionId = SessionId::STARTUP;

    #[test]
    fn pieces_in_any_order_twice_and_interleaved_make_the_packet() {
        let packets: Vec<Vec<u8>> = (0..2u8).map(|n| (0..3000u32).map(|i| (i as u8) ^ n).collect()).collect();
        let mut reassembler = Reassembler::default();
        let mut pieces: Vec<_> = (0..2).flat_map(|n| split_packet(&packets[n], n as u64, 700)).collect();
        pieces.reverse();
        pieces.insert(3, pieces[2]);
        let whole: Vec<Vec<u8>> = pieces
            .iter()
            .filter_map(|piece| reassembler.take(at_ms(0), path(1), ID, piece).expect("a good piece"))
            .collect();
        assert_eq!(whole, [packets[1].clone(), packets[0].clone()]);
        assert_eq!(reassembler.deadline(), None);
    }

    #[test]
    fn sources_and_packet_ids_are_kept_apart() {
        let piece = |more, index, packet_id| PacketFragment { more, packet_id, index, bytes: b"abc" };
        let mut reassembler = Reassembler::default();
        assert_eq!(reassembler.take(at_ms(0), path(1), ID, &piece(true, 0, 1)), Ok(None));
        assert_eq!(reassembler.take(at_ms(0), path(2), ID, &piece(false, 1, 1)), Ok(None));
        assert_eq!(reassembler.take(at_ms(0), path(1), ID, &piece(false, 1, 2)), Ok(None));
        assert_eq!(reassembler.take(at_ms(0), path(1), SessionId(7), &piece(false, 1, 1)), Ok(None));
        assert_eq!(reassembler.take(at_ms(0), path(1), ID, &piece(false, 1, 1)), Ok(Some(b"abcabc".to_vec())));
    }

    #[test]
    fn a_packet_that_stands_still_for_a_second_or_takes_a_minute_is_forgotten() {
        let mut reassembler = Reassembler::default();
        let mut stats = Stats::default();
        let piece = |index| PacketFragment { more: true, packet_id: 1, index, bytes: b"x" };
        reassembler.take(at_ms(0), path(1), ID, &piece(0)).unwrap();
        assert_eq!(reassembler.deadline(), Some(at_ms(1000)));
        reassembler.expire(at_ms(1000), &mut stats);
        assert_eq!((reassembler.deadline(), stats.dropped(DropReason::IncompletePacket)), (None, 1));
        for index in 0..63 {
            reassembler.take(at_ms(2000 + index * 950), path(1), ID, &piece(index)).unwrap();
            reassembler.expire(at_ms(2000 + index * 950), &mut stats);
        }
        assert_eq!(reassembler.deadline(), Some(at_ms(2000 + 62 * 950 + 1000)));
        reassembler.expire(at_ms(62_000), &mut stats);
        assert_eq!((reassembler.deadline(), stats.dropped(DropReason::IncompletePacket)), (None, 2));
    }

    #[test]
    fn contradictions_and_excess_are_refused() {
        let mut reassembler = Reassembler::default();
        let bytes = [7; 1000];
        let piece = |more, index| PacketFragment { more, packet_id: 1, index, bytes: &bytes };
        reassembler.take(at_ms(0), path(1), ID, &piece(true, 5)).unwrap();
        for bad in [piece(false, 4), piece(true, 64), piece(true, u64::MAX)] {
            assert_eq!(reassembler.take(at_ms(0), path(1), ID, &bad), Err(DropReason::Fragment), "{bad:?}");
        }
        reassembler.take(at_ms(0), path(1), ID, &piece(false, 20)).unwrap();
        assert_eq!(reassembler.take(at_ms(0), path(1), ID, &piece(true, 21)), Err(DropReason::Fragment));
        assert_eq!(reassembler.take(at_ms(0), path(1), ID, &piece(false, 19)), Err(DropReason::Fragment));
        let taken = (6..20).filter(|index| reassembler.take(at_ms(0), path(1), ID, &piece(true, *index)).is_ok());
        assert_eq!(taken.count(), 14);
        let over = PacketFragment { more: true, packet_id: 1, index: 0, bytes: &[0; 400] };
        assert_eq!(reassembler.take(at_ms(0), path(1), ID, &over), Err(DropReason::Fragment));
    }

    #[test]
    fn a_flood_of_first_pieces_is_bounded_in_all_and_for_each_source() {
        let mut reassembler = Reassembler::default();
        let mut taken = |host, packet_id| {
            let piece = PacketFragment { more: true, packet_id, index: 0, bytes: b"x" };
            reassembler.take(at_ms(0), path(host), ID, &piece).is_ok()
        };
        assert_eq!((0..100).filter(|n| taken(1, *n)).count(), 4);
        assert_eq!((2..200).filter(|host| taken(*host, 0)).count(), 60);
    }

    #[test]
    fn sending_keeps_to_four_packets_and_4380_bytes_in_any_200_ms() {
        let mut pacer = Pacer::default();
        assert!(pacer.push(path(1), vec![vec![0; 1200]; 5]));
        assert!(pacer.push(path(1), vec![vec![0; 100]; 9]));
        let mut sent: Vec<(u64, usize)> = Vec::new();
        for ms in 0..3000 {
            while let Some((to, datagram)) = pacer.poll(at_ms(ms)) {
                assert_eq!(to, path(1));
                sent.push((ms, datagram.len()));
            }
        }
        assert_eq!(sent.len(), 14);
        for (start, _) in &sent {
            let window: Vec<usize> =
                sent.iter().filter(|(at, _)| (*start..start + 200).contains(at)).map(|(_, len)| *len).collect();
            assert!(window.len() <= 4 && window.iter().sum::<usize>() <= 4380, "{window:?}");
        }
        assert!(sent.last().is_some_and(|(at, _)| *at <= 800), "{sent:?}");
        assert_eq!(pacer.deadline(), None);
        assert!(pacer.push(path(1), vec![vec![0; 1200]; 27]));
        assert!(!pacer.push(path(1), vec![vec![0; 1200]]), "too much waits");
    }
}
