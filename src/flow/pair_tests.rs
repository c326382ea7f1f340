//! A sending and a receiving flow over a network that loses, reorders and doubles packets, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, RangeSet, Rng};
use crate::wire::{AckForm, Chunk, Chunks, UserData};

use super::*;

const ERTO: Duration = Duration::from_millis(500);
const DELAYED_ACK: Duration = Duration::from_millis(200);
/// By then the world must be done; the longest buffer probe period is a minute.
const END_OF_TIME: Instant = Instant::from_micros(3_600_000_000);

/// What kind of network, sender and reader a seed makes.
#[derive(Debug, Clone)]
struct Scenario {
    loss: f64,
    duplication: f64,
    delay: (u64, u64),
    packet_space: (usize, usize),
    budget: usize,
    messages: u64,
    longest: u64,
    perishable: f64,
    abandoned: f64,
    order: Order,
    limits: ReceiveLimits,
    form: AckForm,
    /// Microseconds between two readings of the user, and bytes taken by one.
    reader: (u64, usize),
    suspends: bool,
}

impl Scenario {
    fn of(rng: &mut Rng) -> Self {
        let smallest = 150 + rng.below(1000) as usize;
        Self {
            loss: [0.0, 0.01, 0.05, 0.2][rng.below(4) as usize],
            duplication: [0.0, 0.05][rng.below(2) as usize],
            delay: (1000 + rng.below(50_000), [1, 3000, 60_000][rng.below(3) as usize]),
            packet_space: (smallest, smallest + rng.below(400) as usize),
            budget: 2000 << rng.below(6),
            messages: 1 + rng.below(40),
            longest: [20, 400, 3000, 12_000][rng.below(4) as usize],
            perishable: [0.0, 0.4, 1.0][rng.below(3) as usize],
            abandoned: [0.0, 0.3][rng.below(2) as usize],
            order: [Order::Original, Order::AsReceived][rng.below(2) as usize],
            limits: ReceiveLimits { capacity: 3000 << rng.below(6), max_capacity: 200_000, ..ReceiveLimits::default() },
            form: [AckForm::Bitmap, AckForm::Range, AckForm::Compact][rng.below(3) as usize],
            reader: (1000 + rng.below(50_000), 500 << rng.below(8)),
            suspends: rng.below(4) == 0,
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Sender,
    Receiver,
}

struct World {
    rng: Rng,
    scenario: Scenario,
    now: Instant,
    network: BTreeMap<(Instant, u64), (To, Vec<u8>)>,
    packets: u64,
    send: SendFlow,
    recv: Option<RecvFlow>,
    tsn: u64,
    max_tsn_ack: u64,
    timeout: Option<Instant>,
    delayed_ack: Option<Instant>,
    data_packets: u32,
    next_write: Instant,
    next_read: Instant,
    written: u64,
    unread: usize,
    suspended: bool,
    /// Messages by what became of them at the sender.
    delivered: BTreeSet<u64>,
    abandoned: BTreeSet<u64>,
    /// Messages that the far user got, and the sequence numbers accounted for.
    received: Vec<u64>,
    accounted: RangeSet,
    sent_complete: bool,
    recv_complete: bool,
    forward_sequence: u64,
}

fn content(id: u64, len: u64) -> Bytes {
    let mut rng = Rng::for_simulation(id);
    let mut data = id.to_be_bytes().to_vec();
    data.resize(8 + len as usize, 0);
    rng.fill(&mut data[8..]);
    data.into()
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::for_simulation(seed);
        let scenario = Scenario::of(&mut rng);
        let options = SendOptions { packet_space: scenario.packet_space.0, send_buffer: 50_000, ..Default::default() };
        let mut send = SendFlow::open(5, b"pair", None, options).unwrap();
        send.set_min_rtt(Duration::from_micros(2 * scenario.delay.0 * rng.below(2)));
        Self {
            send,
            recv: None,
            rng,
            scenario,
            now: Instant::ZERO,
            network: BTreeMap::new(),
            packets: 0,
            tsn: 1,
            max_tsn_ack: 0,
            timeout: None,
            delayed_ack: None,
            data_packets: 0,
            next_write: Instant::ZERO,
            next_read: Instant::ZERO,
            written: 0,
            unread: 0,
            suspended: false,
            delivered: BTreeSet::new(),
            abandoned: BTreeSet::new(),
            received: Vec::new(),
            accounted: RangeSet::new(),
            sent_complete: false,
            recv_complete: false,
            forward_sequence: 0,
        }
    }

    fn run(&mut self) {
        while !(self.sent_complete && self.recv_complete) {
            self.write();
            self.read();
            self.expire();
            self.deliver();
            self.transmit();
            self.take_send_events();
            let next = [
                self.network.first_key_value().map(|((at, _), _)| *at),
                self.timeout,
                self.delayed_ack,
                self.send.deadline(),
                (self.written <= self.scenario.messages).then_some(self.next_write),
                (self.unread > 0 || self.suspended).then_some(self.next_read),
            ];
            let next = next.into_iter().flatten().min().expect("the world has come to a stop");
            self.now = self.now.max(next);
            assert!(self.now < END_OF_TIME, "stuck");
        }
        self.judge();
    }

    fn write(&mut self) {
        while self.now >= self.next_write && self.written <= self.scenario.messages {
            if self.written == self.scenario.messages {
                self.send.close();
                self.written += 1;
                return;
            }
            let len = self.rng.below(self.scenario.longest);
            let mut lifetime = Lifetime::UNLIMITED;
            if self.rng.unit() < self.scenario.perishable {
                let after = |rng: &mut Rng| Duration::from_millis(rng.below(400));
                let (start, finish) = (after(&mut self.rng), after(&mut self.rng));
                lifetime.start_by = (self.rng.below(2) == 0).then_some(self.now + start);
                lifetime.finish_by = (self.rng.below(2) == 0).then_some(self.now + finish);
            }
            match self.send.write(self.now, content(self.written, len), lifetime) {
                Ok(id) => {
                    assert_eq!(id.0, self.written);
                    self.written += 1;
                    if self.rng.unit() < self.scenario.abandoned {
                        let some = self.rng.below(self.written);
                        self.send.abandon(MessageId(some));
                    }
                }
                Err(error) => assert_eq!(error, WriteError::Full),
            }
            self.next_write = self.now + Duration::from_micros(self.rng.below(8000));
            let (smallest, largest) = self.scenario.packet_space;
            self.send.set_packet_space(smallest + self.rng.below((largest - smallest + 1) as u64) as usize);
        }
    }

    fn read(&mut self) {
        if self.now < self.next_read {
            return;
        }
        let (period, bytes) = self.scenario.reader;
        self.next_read = self.now + Duration::from_micros(period);
        let Some(recv) = &mut self.recv else {
            return;
        };
        let mut tell = false;
        if self.scenario.suspends && self.rng.below(4) == 0 {
            self.suspended = !self.suspended;
            if self.suspended {
                recv.suspend();
            } else {
                tell |= recv.resume();
            }
        }
        let bytes = bytes.min(self.unread);
        self.unread -= bytes;
        tell |= recv.consume(bytes);
        self.take_recv_events();
        if tell {
            self.acknowledge();
        }
    }

    fn expire(&mut self) {
        self.send.handle_timeout(self.now);
        if self.send.take_buffer_probe(self.now, ERTO) {
            let mut packet = Vec::new();
            Chunk::BufferProbe { flow: 5 }.encode(&mut packet);
            self.put(To::Receiver, packet);
        }
        if self.timeout.is_some_and(|at| at <= self.now) {
            self.timeout = None;
            self.send.on_timeout();
            assert_eq!(self.send.outstanding(), 0);
        }
        if self.delayed_ack.is_some_and(|at| at <= self.now) {
            self.acknowledge();
        }
    }

    fn transmit(&mut self) {
        while self.send.is_ready() && self.send.outstanding() < self.scenario.budget {
            let mut packet = vec![0xff; 5];
            let limit = 5 + self.scenario.packet_space.1;
            let before = self.send.outstanding();
            let assembled = self.send.assemble(self.now, &mut packet, limit, &mut self.tsn);
            assert_eq!(assembled.bytes, packet.len() - 5);
            assert_eq!(before + assembled.bytes, self.send.outstanding());
            assert!(packet.len() <= limit);
            assert!(self.send.outstanding() < self.send.window() + self.scenario.packet_space.1);
            if assembled.fragments == 0 {
                assert!(!self.send.is_ready() || assembled.needs.is_some(), "ready, and yet nothing to send");
                break;
            }
            self.timeout = Some(self.now + ERTO);
            let packet = packet.split_off(5);
            self.check_forward_sequence(&packet);
            self.put(To::Receiver, packet);
        }
    }

    /// What was declared done is not sent again, except to say just that, and never taken back.
    fn check_forward_sequence(&mut self, packet: &[u8]) {
        let mut previous: Option<UserData<'_>> = None;
        for raw in Chunks::new(packet) {
            let data = match Chunk::decode(raw).unwrap() {
                Chunk::UserData(data) => data,
                Chunk::NextUserData(next) => previous.unwrap().followed_by(&next).unwrap(),
                other => panic!("{other:?}"),
            };
            assert!(data.forward_sequence >= self.forward_sequence, "the FSN was taken back");
            assert!(data.sequence > data.forward_sequence || data.abandoned && data.sequence == data.forward_sequence);
            self.forward_sequence = data.forward_sequence;
            previous = Some(data);
        }
    }

    fn put(&mut self, to: To, packet: Vec<u8>) {
        let copies = 1 + u64::from(self.rng.unit() < self.scenario.duplication);
        for _ in 0..copies {
            if self.rng.unit() < self.scenario.loss {
                continue;
            }
            let (base, jitter) = self.scenario.delay;
            let at = self.now + Duration::from_micros(base + self.rng.below(jitter));
            self.packets += 1;
            let to = if to == To::Sender { To::Sender } else { To::Receiver };
            self.network.insert((at, self.packets), (to, packet.clone()));
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.network.first_entry()
            && entry.key().0 <= self.now
        {
            match entry.remove() {
                (To::Sender, packet) => self.at_sender(&packet),
                (To::Receiver, packet) => self.at_receiver(&packet),
            }
        }
    }

    fn at_sender(&mut self, packet: &[u8]) {
        let before = self.send.outstanding();
        for raw in Chunks::new(packet) {
            let (Chunk::RangeAck(ack) | Chunk::BitmapAck(ack)) = Chunk::decode(raw).unwrap() else {
                panic!("only acknowledgements go this way");
            };
            let outcome = self.send.on_ack(self.now, &ack);
            self.max_tsn_ack = self.max_tsn_ack.max(outcome.max_tsn);
            assert_eq!(outcome.acked_bytes, before - self.send.outstanding());
        }
        self.send.on_naks(self.max_tsn_ack);
        if self.timeout.is_some() {
            self.timeout = (self.send.outstanding() > 0).then_some(self.now + ERTO);
        }
    }

    fn at_receiver(&mut self, packet: &[u8]) {
        let mut ack_now = false;
        let mut previous: Option<UserData<'_>> = None;
        for raw in Chunks::new(packet) {
            let data = match Chunk::decode(raw).unwrap() {
                Chunk::UserData(data) => data,
                Chunk::NextUserData(next) => previous.unwrap().followed_by(&next).unwrap(),
                Chunk::BufferProbe { .. } => {
                    ack_now |= self.recv.as_mut().is_some_and(RecvFlow::on_buffer_probe);
                    continue;
                }
                _ => panic!("only data goes this way"),
            };
            previous = Some(data);
            let recv = self.recv.get_or_insert_with(|| {
                let mut recv = RecvFlow::open(&data, self.scenario.limits, |_| false);
                assert_eq!(recv.metadata().as_ref(), b"pair");
                recv.accept(self.scenario.order, self.scenario.limits);
                recv.set_rtt(Duration::from_micros(2 * self.scenario.delay.0));
                recv
            });
            ack_now |= recv.on_data(self.now, &data).ack_now();
            let bound = 3 * recv.capacity() + self.scenario.longest as usize + self.scenario.packet_space.1;
            assert!(recv.buffered() <= bound, "buffered {} of {bound}", recv.buffered());
        }
        self.data_packets += u32::from(previous.is_some());
        self.take_recv_events();
        if ack_now || self.data_packets >= 2 {
            self.acknowledge();
        } else if previous.is_some() && self.delayed_ack.is_none() {
            self.delayed_ack = Some(self.now + DELAYED_ACK);
        }
    }

    fn acknowledge(&mut self) {
        (self.delayed_ack, self.data_packets) = (None, 0);
        if let Some(recv) = self.recv.as_mut().filter(|recv| recv.should_ack()) {
            let mut packet = Vec::new();
            assert!(recv.put_ack(&mut packet, 100, self.scenario.form, Fit::Truncated));
            self.put(To::Sender, packet);
        }
    }

    fn take_recv_events(&mut self) {
        let Some(recv) = &mut self.recv else {
            return;
        };
        while let Some(event) = recv.poll() {
            assert!(!self.recv_complete, "{event:?} after the end");
            let (first, last) = match event {
                RecvEvent::Message { sequence, fragments, data } => {
                    let id = u64::from_be_bytes(data[..8].try_into().unwrap());
                    assert_eq!(data, content(id, data.len() as u64 - 8), "message {id} is corrupted");
                    self.unread += data.len();
                    self.received.push(id);
                    (sequence, sequence + fragments - 1)
                }
                RecvEvent::Lost { first, last } => (first, last),
                RecvEvent::Complete => {
                    self.recv_complete = true;
                    continue;
                }
                RecvEvent::Rejected | RecvEvent::Gone => panic!("{event:?}"),
            };
            if self.scenario.order == Order::Original {
                assert_eq!(first, self.accounted.max().unwrap_or(0) + 1, "out of order");
            }
            for sequence in first..=last {
                assert!(self.accounted.insert(sequence), "{sequence} is reported twice");
            }
        }
    }

    fn take_send_events(&mut self) {
        while let Some(event) = self.send.poll() {
            match event {
                SendEvent::Delivered(id) => assert!(self.delivered.insert(id.0)),
                SendEvent::Abandoned(id) => assert!(self.abandoned.insert(id.0)),
                SendEvent::Complete => self.sent_complete = true,
                SendEvent::Writable => self.next_write = self.now,
                SendEvent::Exception(_) | SendEvent::Gone => panic!("{event:?}"),
            }
        }
    }

    fn judge(&self) {
        let received: BTreeSet<u64> = self.received.iter().copied().collect();
        assert_eq!(received.len(), self.received.len(), "a message was delivered twice");
        if self.scenario.order == Order::Original {
            assert!(self.received.is_sorted());
        }
        assert!(self.delivered.is_disjoint(&self.abandoned));
        assert_eq!(self.delivered.len() + self.abandoned.len(), self.scenario.messages as usize);
        assert!(self.delivered.is_subset(&received), "acknowledged and not delivered");
        if self.scenario.perishable == 0.0 && self.scenario.abandoned == 0.0 {
            assert_eq!(received.len() as u64, self.scenario.messages);
        }
        let accounted: Vec<_> = self.accounted.iter().collect();
        assert_eq!(accounted.len(), 1, "a gap was not reported: {accounted:?}");
        assert_eq!(*accounted[0].start(), 1);
        assert_eq!((self.send.outstanding(), self.send.buffered()), (0, 0));
        assert!(self.recv.as_ref().unwrap().buffered() >= self.unread);
    }
}

#[test]
fn nothing_is_doubled_corrupted_misordered_unreported_or_stuck_over_1200_seeds() {
    for seed in 0..1200 {
        let outcome = std::panic::catch_unwind(|| World::new(seed).run());
        assert!(outcome.is_ok(), "seed {seed}: {:?}", World::new(seed).scenario);
    }
}
