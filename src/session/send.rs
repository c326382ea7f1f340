//! Packets out: what goes into them, and sealing them a batch at a time.

use crate::base::{Ecn, Instant, Path, Transmit};
use crate::wire::{Chunk, Header, put_padding, split_packet};

use super::event::CloseReason;
use super::pmtud::{PROBE_MESSAGE, Probe};
use super::state::{CLOSE_PERIOD, Session, State};

/// Datagrams in one batch at most: what Linux takes in one send.
const MAX_BATCH: usize = 64;
/// Bytes in one batch at most, likewise.
const MAX_BATCH_BYTES: usize = 65_000;
/// A packet that is short by no more than this part is padded, so that the batch goes on behind it.
const PADDING_DIVISOR: usize = 8;
/// Packet size discovery waits until so much was sent: an idle session does not need it.
pub(super) const PROBE_AFTER: u64 = 16 << 10;
/// Bytes of a packet fragment's chunk before its piece, at most.
const FRAGMENT_HEAD: usize = 3 + 1 + 10 + 1;

/// The batch being assembled.
struct Batch {
    buf: Vec<u8>,
    head: usize,
    max_plain: usize,
    user_data: usize,
    ping: bool,
}

impl Session {
    /// The next datagrams to send: up to a GSO batch of equal size, or a single one. To be drained to `None` after
    /// every input.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if !self.confirmed {
            return None;
        }
        if self.keys.sealer.max_batch() == 0 {
            self.finish(CloseReason::Exhausted);
            return None;
        }
        match &mut self.state {
            State::Open => {
                if let Some(check) = self.mobility.take_ping() {
                    let (path, message) = (check.path, check.message);
                    return Some(self.seal_single(now, path, 0, |out, _| Chunk::Ping(&message).encode(out)));
                }
                if let Some(probe) = self.poll_probe(now) {
                    return Some(self.seal_probe(now, &probe));
                }
            }
            State::NearClose { next, .. } if *next <= now => {
                *next = now + CLOSE_PERIOD;
                self.queue_chunk(&Chunk::SessionClose);
            }
            _ => {}
        }
        self.batch(now)
    }

    fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        if !self.may_probe() {
            return None;
        }
        let patience = self.rtt.erto();
        self.mtu.poll(now, patience, &mut self.rng)
    }

    /// Whether packet size discovery is worth its packets.
    pub(super) fn may_probe(&self) -> bool {
        self.counters.bytes_sent >= PROBE_AFTER && self.rtt.smoothed().is_some()
    }

    fn seal_probe(&mut self, now: Instant, probe: &Probe) -> Transmit {
        let Probe { size, message } = *probe;
        let max_plain = self.keys.sealer.max_plain(size);
        self.seal_single(now, self.path, max_plain, |out, left| {
            put_padding(out, left.saturating_sub(3 + PROBE_MESSAGE));
            Chunk::Ping(&message).encode(out);
        })
    }

    /// A packet of its own with what `put` appends; `put` is told how much is left of `max_plain` behind the header.
    fn seal_single(
        &mut self,
        now: Instant,
        path: Path,
        max_plain: usize,
        put: impl FnOnce(&mut Vec<u8>, usize),
    ) -> Transmit {
        let head = self.keys.sealer.head();
        let mut buf = vec![0; head];
        self.header(now).encode(&mut buf);
        let left = max_plain.saturating_sub(buf.len() - head);
        put(&mut buf, left);
        let plain = head..buf.len();
        buf.resize(self.keys.sealer.sealed_len(plain.len()), 0);
        self.keys.sealer.seal_batch(self.far_id, &mut buf, &[plain]);
        self.count_sent(buf.len(), 1);
        Transmit { path, ecn: Ecn::NotEct, segment: buf.len(), data: buf }
    }

    fn header(&mut self, now: Instant) -> Header {
        let (timestamp, timestamp_echo) = self.timestamps.stamp(now);
        Header {
            time_critical_reverse: self.critical.notify_reverse(now),
            timestamp,
            timestamp_echo,
            ..Header::new(self.role.mode())
        }
    }

    fn count_sent(&mut self, bytes: usize, packets: usize) {
        self.counters.bytes_sent += bytes as u64;
        self.counters.packets_sent += packets as u64;
    }

    fn batch(&mut self, now: Instant) -> Option<Transmit> {
        // Packets hold less from now and then on, as their numbers take more bytes.
        let space = self.space();
        if space != self.outbound.space() {
            self.outbound.set_space(space);
        }
        self.outbound.begin_batch();
        let bulk = self.outbound.may_send(now);
        if !bulk && !self.inbound.must_ack() && self.chunks.is_empty() && !self.ping_pending {
            return None;
        }
        let sealer = &self.keys.sealer;
        let max_plain = sealer.max_plain(self.mtu.current());
        let segment = sealer.sealed_len(max_plain);
        let count = MAX_BATCH.min(MAX_BATCH_BYTES / segment).min(sealer.max_batch()).max(1);
        let expected = if bulk { self.outbound.expected().div_ceil(max_plain.max(1)) + 1 } else { 1 };
        let capacity = expected.min(count) * segment;
        let mut batch =
            Batch { buf: Vec::with_capacity(capacity), head: sealer.head(), max_plain, user_data: 0, ping: false };
        let first_tsn = self.outbound.next_tsn();
        self.packets.clear();
        let mut oversize = None;
        for index in 0..count {
            let start = batch.buf.len();
            batch.buf.resize(start + batch.head, 0);
            let plain = batch.buf.len();
            oversize = self.fill_packet(now, &mut batch, segment);
            if batch.buf.len() == plain {
                batch.buf.truncate(start);
                break;
            }
            let short = plain + max_plain - batch.buf.len();
            let goes_on = index + 1 < count
                && oversize.is_none()
                && short <= max_plain / PADDING_DIVISOR
                && self.outbound.may_send(now);
            if goes_on {
                batch.buf.resize(plain + max_plain, 0xff);
            }
            self.packets.push(plain..batch.buf.len());
            batch.buf.resize(start + self.keys.sealer.sealed_len(batch.buf.len() - plain), 0);
            if !goes_on {
                break;
            }
        }
        if let Some(needs) = oversize
            && self.packets.is_empty()
        {
            self.put_oversize(now, &mut batch, needs);
        }
        self.seal(now, first_tsn, batch)
    }

    fn seal(&mut self, now: Instant, first_tsn: u64, batch: Batch) -> Option<Transmit> {
        let Batch { mut buf, head, user_data, ping, .. } = batch;
        if self.packets.is_empty() {
            return None;
        }
        let segment = self.packets.get(1).map_or(buf.len(), |second| second.start - head);
        self.keys.sealer.seal_batch(self.far_id, &mut buf, &self.packets);
        self.count_sent(buf.len(), self.packets.len());
        if user_data > 0 {
            self.outbound.on_batch_sent(now, first_tsn, user_data, &self.rtt);
        }
        self.liveness.on_sent(now, user_data > 0 || ping, ping);
        let ecn = if user_data > 0 { self.ecn.mark() } else { Ecn::NotEct };
        Some(Transmit { path: self.path, ecn, segment, data: buf })
    }

    /// Appends one packet, or nothing if there is nothing to put into it. The bytes of a chunk that no packet holds, if
    /// one is due.
    fn fill_packet(&mut self, now: Instant, batch: &mut Batch, segment: usize) -> Option<usize> {
        let buf = &mut batch.buf;
        let plain = buf.len();
        let limit = plain + batch.max_plain;
        let stamps = self.timestamps.clone();
        self.header(now).encode(buf);
        let empty = buf.len();
        while let Some(&len) = self.chunk_lens.front()
            && buf.len() + len <= limit
        {
            buf.extend_from_slice(&self.chunks[..len]);
            self.chunks.drain(..len);
            self.chunk_lens.pop_front();
        }
        if self.ping_pending && buf.len() + 3 <= limit {
            Chunk::Ping(&[]).encode(buf);
            self.ping_pending = false;
            batch.ping = true;
        }
        let may_send = self.outbound.may_send(now);
        let must_ack = self.inbound.must_ack();
        if (may_send || must_ack) && self.inbound.has_acks() {
            self.put_acks(buf, limit, must_ack);
        }
        let mut oversize = None;
        if may_send {
            let filled = self.outbound.fill(now, buf, limit, segment);
            oversize = filled.oversize;
            if filled.time_critical {
                Header::mark_time_critical(&mut buf[plain..]);
                self.critical.on_sent(now);
            }
            batch.user_data += filled.bytes;
        }
        if buf.len() == empty {
            // Nothing went in: the stamps have not been sent.
            self.timestamps = stamps;
            buf.truncate(plain);
        }
        oversize
    }

    fn put_acks(&mut self, buf: &mut Vec<u8>, limit: usize, obligatory: bool) {
        let start = buf.len();
        let report = self.ecn.report();
        if let Some(ce_count) = report {
            Chunk::EcnReport { ce_count }.encode(buf);
        }
        if self.inbound.put_acks(buf, limit, self.ack_form(), obligatory) {
            if report.is_some() {
                self.ecn.on_reported();
            }
        } else {
            buf.truncate(start);
        }
    }

    /// Appends a packet with a chunk of `needs` bytes, in packet fragments (section 3.4).
    fn put_oversize(&mut self, now: Instant, batch: &mut Batch, needs: usize) {
        let mut whole = Vec::new();
        Header::new(self.role.mode()).encode(&mut whole);
        let limit = whole.len() + needs;
        let filled = self.outbound.fill(now, &mut whole, limit, limit);
        if filled.bytes == 0 {
            return;
        }
        batch.user_data += filled.bytes;
        let id = self.next_packet_id;
        self.next_packet_id += 1;
        let room = batch.max_plain.saturating_sub(Header::MAX_LEN + FRAGMENT_HEAD).max(1);
        let pieces = whole.len().div_ceil(room).max(1);
        // Pieces of equal length make datagrams of equal length.
        for piece in split_packet(&whole, id, whole.len().div_ceil(pieces)) {
            let start = batch.buf.len();
            batch.buf.resize(start + batch.head, 0);
            let plain = batch.buf.len();
            Header::new(self.role.mode()).encode(&mut batch.buf);
            Chunk::PacketFragment(piece).encode(&mut batch.buf);
            self.packets.push(plain..batch.buf.len());
            batch.buf.resize(start + self.keys.sealer.sealed_len(batch.buf.len() - plain), 0);
        }
    }
}
