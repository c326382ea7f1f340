//! Startup packets on their way out: building, sealing, fragmenting, delaying.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Instant, Path, SessionId, Transmit};
use crate::crypto::startup;
use crate::wire::{Chunk, Header, Mode, split_packet};

use super::fragments::Pacer;
use super::stats::{DropReason, Stats};

/// The longest startup datagram that is sent whole.
const MAX_DATAGRAM: usize = 1200;
/// Bytes of a fragmented packet that go into one datagram: what is left of it after everything that goes around a
/// piece.
const PIECE: usize = 1152;
/// The most datagrams that wait for the driver.
const MAX_QUEUE: usize = 4096;
/// The most answers that wait for their moment.
const MAX_DELAYED: usize = 64;

/// Startup datagrams that wait to be sent. In the order in which they came, but for those that wait for a moment.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Transmit>,
    delayed: BTreeMap<(Instant, u64), Transmit>,
    delayed_count: u64,
    pacer: Pacer,
    next_packet_id: u64,
}

impl Outbox {
    /// Sends `packet` (from [`packet`]) to session `id` at the far end of `path`.
    pub(crate) fn send(&mut self, path: Path, id: SessionId, packet: &[u8], stats: &mut Stats) {
        if datagram_len(packet.len()) > MAX_DATAGRAM {
            self.send_in_pieces(path, id, packet, stats);
        } else {
            self.send_datagram(path, startup::seal(id, packet), stats);
        }
    }

    /// Sends a sealed datagram.
    pub(crate) fn send_datagram(&mut self, path: Path, datagram: Vec<u8>, stats: &mut Stats) {
        if self.queue.len() >= MAX_QUEUE {
            stats.drop(DropReason::OutboxFull);
        } else {
            stats.startup_bytes_out += datagram.len() as u64;
            self.queue.push_back(Transmit::single(path, datagram));
        }
    }

    /// Sends a whole packet of session 0 at `when`.
    pub(crate) fn send_later(&mut self, when: Instant, path: Path, packet: &[u8], stats: &mut Stats) {
        if self.delayed.len() >= MAX_DELAYED || datagram_len(packet.len()) > MAX_DATAGRAM {
            return stats.drop(DropReason::OutboxFull);
        }
        self.delayed_count += 1;
        let transmit = Transmit::single(path, startup::seal(SessionId::STARTUP, packet));
        stats.startup_bytes_out += transmit.data.len() as u64;
        self.delayed.insert((when, self.delayed_count), transmit);
    }

    fn send_in_pieces(&mut self, path: Path, id: SessionId, packet: &[u8], stats: &mut Stats) {
        self.next_packet_id = (self.next_packet_id + 1) & 0xffff;
        let datagrams: Vec<Vec<u8>> = split_packet(packet, self.next_packet_id, PIECE)
            .map(|piece| {
                let mut outer = Vec::with_capacity(MAX_DATAGRAM);
                Header::new(Mode::Startup).encode(&mut outer);
                Chunk::PacketFragment(piece).encode(&mut outer);
                startup::seal(id, &outer)
            })
            .collect();
        let bytes: usize = datagrams.iter().map(Vec::len).sum();
        if self.pacer.push(path, datagrams) {
            stats.startup_bytes_out += bytes as u64;
        } else {
            stats.drop(DropReason::OutboxFull);
        }
    }

    /// The next datagram to send now.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(transmit) = self.queue.pop_front() {
            return Some(transmit);
        }
        if let Some((path, datagram)) = self.pacer.poll(now) {
            return Some(Transmit::single(path, datagram));
        }
        let due = self.delayed.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(due.remove())
    }

    /// When there will be something to send.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if !self.queue.is_empty() {
            return Some(Instant::ZERO);
        }
        let delayed = self.delayed.first_key_value().map(|((when, _), _)| *when);
        [delayed, self.pacer.deadline()].into_iter().flatten().min()
    }
}

/// The plain packet that carries `chunk`. It has a timestamp, without which some implementations misread it.
pub(crate) fn packet(now: Instant, chunk: &Chunk<'_>) -> Vec<u8> {
    let mut packet = Vec::with_capacity(Header::MAX_LEN + chunk.encoded_len());
    Header { timestamp: Some(now.timestamp()), ..Header::new(Mode::Startup) }.encode(&mut packet);
    chunk.encode(&mut packet);
    packet
}

/// Pads `packet` so that its datagram gets at least `datagram` bytes (a multiple of 16, plus 4).
pub(crate) fn pad(packet: &mut Vec<u8>, datagram: usize) {
    let len = datagram.saturating_sub(6);
    if packet.len() < len {
        packet.resize(len, 0xff);
    }
}

/// Bytes of the datagram that a plain packet of `packet` bytes makes.
pub(crate) const fn datagram_len(packet: usize) -> usize {
    4 + (2 + packet).next_multiple_of(16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::session_id_of;
    use crate::endpoint::fragments::Reassembler;
    use crate::wire::{Chunks, RHello};

    #[test]
    fn a_long_packet_arrives_in_paced_pieces_of_at_most_1200_bytes() {
        let certificate: Vec<u8> = (0..7000u32).map(|n| n as u8).collect();
        let whole =
            packet(Instant::ZERO, &Chunk::RHello(RHello { tag: b"tag", cookie: b"c", certificate: &certificate }));
        let (mut out, mut stats, mut reassembler) = (Outbox::default(), Stats::default(), Reassembler::default());
        let path = Path::to("192.0.2.1:9".parse().expect("an address"));
        out.send(path, SessionId(7), &whole, &mut stats);
        let (mut arrived, mut datagrams, mut last) = (None, 0, Instant::ZERO);
        while let Some(at) = out.deadline() {
            while let Some(mut transmit) = out.poll(at) {
                assert!(transmit.data.len() <= MAX_DATAGRAM);
                assert_eq!(session_id_of(&transmit.data), Some(SessionId(7)));
                let range = startup::open(&mut transmit.data).expect("it opens");
                let (header, chunks) = Header::decode(&transmit.data[range]).expect("a header");
                assert_eq!(header.mode, Mode::Startup);
                let raw = Chunks::new(chunks).next().expect("a chunk");
                let Ok(Chunk::PacketFragment(piece)) = Chunk::decode(raw) else { panic!("a fragment") };
                let done = reassembler.take(at, path, SessionId(7), &piece).expect("a good piece");
                arrived = arrived.or(done);
                (datagrams, last) = (datagrams + 1, at);
            }
        }
        assert_eq!(arrived, Some(whole));
        assert_eq!((datagrams, last), (7, Instant::from_micros(200_000)), "4380 bytes in 200 ms");
        assert!(stats.startup_bytes_out > 7000);
    }

    #[test]
    fn delayed_answers_keep_their_moment_and_their_number_is_bounded() {
        let (mut out, mut stats) = (Outbox::default(), Stats::default());
        let path = Path::to("192.0.2.1:9".parse().expect("an address"));
        for n in 0..100 {
            out.send_later(Instant::from_micros(1000 - n), path, &[0x0b], &mut stats);
        }
        assert_eq!(stats.dropped(DropReason::OutboxFull), 36);
        assert_eq!(out.deadline(), Some(Instant::from_micros(937)));
        assert_eq!(out.poll(Instant::from_micros(936)), None);
        let mut sent = 0;
        while out.poll(Instant::from_micros(1000)).is_some() {
            sent += 1;
        }
        assert_eq!((sent, out.deadline()), (64, None));
    }
}
