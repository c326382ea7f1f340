//! Startup packets on their way out: building, sealing, fragmenting, delaying.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Instant, Path, SessionId, Transmit};
use crate::crypto::startup;
use crate::wire::{Chunk, Header, Mode, split_packet};

use super::fragments::Pacer;
use super::stats::{DropReason, Stats};

/// The longest startup datagram that is sent whole.
const MAX_DATAGRAM: usize = 1200;
/// Bytes of a fragmented packet that go into one datagram: what is left of it after everything that goes around a piece.
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
