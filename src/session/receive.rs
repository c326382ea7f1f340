//! Packets in: opening, judging, and what each chunk means (RFC 7016 sections 2.2.4, 2.3 and 3.5).

use crate::base::{Instant, Path, Received};
use crate::wire::{Chunk, Chunks, Header, Mode, RawChunk, UserData};

use super::event::SessionEvent;
use super::liveness::OUTAGE;
use super::outbound::Context;
use super::state::{Session, State};
use super::stats::DropReason;

/// What is known of the packet whose chunks are read.
#[derive(Debug, Clone, Copy)]
struct Packet {
    now: Instant,
    path: Path,
    number: Option<u64>,
    mode: Mode,
    /// It was put together from packet fragments; there are none within it.
    reassembled: bool,
}

impl Session {
    /// Takes what one receive brought for this session's ID. Whatever it is, this cannot fail: what is not right is
    /// counted and dropped.
    pub fn receive(&mut self, now: Instant, received: &mut Received<'_>) {
        if self.state == State::Closed {
            return;
        }
        let mut opened = std::mem::take(&mut self.opened);
        self.keys.opener.open_batch(self.near_id, received.data, received.segment, &mut opened);
        self.counters.bytes_received += received.data.len() as u64;
        let mut valid = 0;
        let mut highest: Option<(u64, bool)> = None;
        for datagram in opened.drain(..) {
            if let Err(error) = datagram.result {
                self.counters.drops.count(error.into());
                continue;
            }
            let plain = received.data.get(datagram.plain).unwrap_or_default();
            let packet =
                Packet { now, path: received.path, number: datagram.number, mode: Mode::Startup, reassembled: false };
            if self.on_packet(packet, plain) {
                valid += 1;
                if let Some(number) = datagram.number {
                    highest = highest.max(Some((number, datagram.newest)));
                }
            }
        }
        self.opened = opened;
        if valid == 0 {
            return;
        }
        self.counters.packets_received += valid as u64;
        if !self.is_open() {
            return;
        }
        self.ecn.on_packets(received.ecn, valid);
        if received.path.leads_like(&self.path) {
            self.mobility.on_home_packet(highest.map(|(number, _)| number));
        } else if highest.is_some_and(|(_, newest)| newest) {
            self.mobility.on_foreign_packet(now, received.path, &mut self.rng);
        }
    }

    /// Reads an authentic packet; whether it was one that the far end may have sent.
    fn on_packet(&mut self, mut packet: Packet, plain: &[u8]) -> bool {
        let Ok((header, chunks)) = Header::decode(plain) else {
            self.counters.drops.count(DropReason::BadHeader);
            return false;
        };
        if header.mode == self.role.mode() {
            self.counters.drops.count(DropReason::OwnMode);
            return false;
        }
        if header.mode == Mode::Startup {
            self.counters.drops.count(DropReason::StartupMode);
            return false;
        }
        packet.mode = header.mode;
        if !self.confirmed {
            self.confirmed = true;
            self.events.push_back(SessionEvent::Confirmed);
        }
        if self.liveness.on_heard(packet.now) >= OUTAGE {
            self.outbound.hasten(packet.now, &self.rtt);
        }
        if !self.is_open() {
            self.on_chunks(packet, chunks);
            return true;
        }
        let now = packet.now;
        self.critical.on_received(now, header.time_critical, header.time_critical_reverse);
        if let Some(timestamp) = header.timestamp {
            self.timestamps.on_timestamp(now, timestamp);
        }
        let sample = header.timestamp_echo.and_then(|echo| self.timestamps.on_echo(now, echo));
        if let Some(sample) = sample {
            self.rtt.on_sample(sample);
            if let (Some(timestamp), Some(echo)) = (header.timestamp, header.timestamp_echo) {
                self.forward.on_stamps(now, timestamp, echo);
            }
            self.inbound.set_rtt(self.rtt.smoothed().unwrap_or(sample));
        }
        self.outbound.begin_packet();
        let ecn = self.on_chunks(packet, chunks);
        if !self.is_open() {
            return true;
        }
        if self.outbound.packet_has_acks() {
            self.ecn.on_acks();
        }
        let context = Context { sample, critical: self.critical.state(now), ecn };
        if self.outbound.finish_packet(now, &self.rtt, &context, &mut self.counters) {
            self.mtu.on_ack();
        }
        self.inbound.finish_packet(now);
        true
    }

    /// Reads the chunks of a packet; whether an ECN report told of congestion.
    fn on_chunks(&mut self, packet: Packet, chunks: &[u8]) -> bool {
        let mut congestion = false;
        let mut before: Option<UserData<'_>> = None;
        for raw in Chunks::new(chunks) {
            let Ok(chunk) = Chunk::decode(raw) else {
                self.counters.drops.count(DropReason::BadChunk);
                // What a Next User Data chunk would continue is not known.
                before = None;
                continue;
            };
            match chunk {
                Chunk::UserData(data) if self.is_open() => {
                    self.on_data(packet.now, &data);
                    before = Some(data);
                }
                Chunk::NextUserData(next) if self.is_open() => {
                    before = before.and_then(|data| data.followed_by(&next));
                    match &before {
                        Some(data) => self.on_data(packet.now, data),
                        None => self.counters.drops.count(DropReason::StrayNextUserData),
                    }
                }
                Chunk::EcnReport { ce_count } if self.is_open() => congestion |= self.ecn.on_report(ce_count),
                Chunk::PacketFragment(_) => congestion |= self.on_fragment(packet, raw),
                chunk => self.on_chunk(packet, &chunk),
            }
        }
        congestion
    }

    fn on_data(&mut self, now: Instant, data: &UserData<'_>) {
        let outbound = &self.outbound;
        let is_open = |flow| outbound.flow(flow).is_some_and(crate::flow::SendFlow::is_open);
        if let Err(reason) = self.inbound.on_data(now, data, is_open, &mut self.events) {
            self.counters.drops.count(reason);
        }
    }

    fn on_chunk(&mut self, packet: Packet, chunk: &Chunk<'_>) {
        match chunk {
            Chunk::SessionClose => self.on_close(packet.now),
            Chunk::SessionCloseAck => self.on_close_ack(),
            Chunk::Padding | Chunk::Unknown { .. } => {}
            Chunk::IHello(_)
            | Chunk::RHello(_)
            | Chunk::Redirect(_)
            | Chunk::RHelloCookieChange(_)
            | Chunk::IIKeying(_)
            | Chunk::RIKeying(_) => self.counters.drops.count(DropReason::StartupChunk),
            _ if !self.is_open() => self.counters.drops.count(DropReason::WrongState),
            Chunk::BitmapAck(ack) | Chunk::RangeAck(ack) => {
                self.outbound.on_ack(packet.now, ack, &mut self.events);
            }
            Chunk::FlowException { flow, code } => {
                self.outbound.on_exception(*flow, *code, &mut self.events);
            }
            Chunk::BufferProbe { flow } => self.inbound.on_buffer_probe(*flow),
            Chunk::Ping(message) => {
                if !self.queue_chunk(&Chunk::PingReply(message)) {
                    self.counters.drops.count(DropReason::PingNotAnswered);
                }
            }
            Chunk::PingReply(message) => self.on_ping_reply(packet, message),
            Chunk::FIHello(hello) => self.events.push_back(SessionEvent::FIHello {
                epd: hello.epd.to_vec(),
                reply: hello.reply,
                tag: hello.tag.to_vec(),
            }),
            // `on_chunks` has them.
            Chunk::UserData(_) | Chunk::NextUserData(_) | Chunk::EcnReport { .. } | Chunk::PacketFragment(_) => {}
        }
    }

    fn on_ping_reply(&mut self, packet: Packet, message: &[u8]) {
        if self.mtu.on_ping_reply(packet.now, message) {
            self.outbound.set_space(self.space());
            return;
        }
        let Some((path, rtt)) = self.mobility.on_ping_reply(packet.now, packet.path, packet.number, message) else {
            return;
        };
        let from = std::mem::replace(&mut self.path, path);
        self.rtt = super::rtt::Rtt::default();
        self.rtt.on_sample(rtt);
        self.mtu = super::pmtud::PathMtu::new(packet.now, self.config.max_datagram);
        self.outbound.set_space(self.space());
        self.outbound.on_new_path(packet.now, &self.config);
        self.forward = super::rtt::ForwardDelay::default();
        self.events.push_back(SessionEvent::PathChanged { from, to: path });
    }

    /// A piece of a packet (section 3.4). Whether an ECN report in it told of congestion.
    fn on_fragment(&mut self, packet: Packet, raw: RawChunk<'_>) -> bool {
        let whole = match Chunk::decode(raw) {
            Ok(Chunk::PacketFragment(piece)) if !packet.reassembled && self.is_open() => {
                self.reassembly.on_fragment(packet.now, &piece)
            }
            _ => Err(()),
        };
        match whole {
            Ok(None) => false,
            Ok(Some(whole)) => match Header::decode(&whole) {
                // Timestamps and flags are those of the packets that carried the pieces.
                Ok((header, chunks)) if header.mode == packet.mode => {
                    self.on_chunks(Packet { reassembled: true, ..packet }, chunks)
                }
                _ => {
                    self.counters.drops.count(DropReason::Fragment);
                    false
                }
            },
            Err(()) => {
                self.counters.drops.count(DropReason::Fragment);
                false
            }
        }
    }
}
