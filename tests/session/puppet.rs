//! A session whose far end is the test itself: it has the far end's keys, and says what no session would say.

use std::ops::Range;

use p2pt::base::{Ecn, Instant, Path, Received, Rng, SessionId, Transmit};
use p2pt::crypto::{Opened, SessionKeys};
use p2pt::flow::{Lifetime, Order, Priority};
use p2pt::session::{
    BASE_DATAGRAM, CloseReason, Counters, DropReason, FlowError, FlowId, Session, SessionConfig, SessionEvent,
};
use p2pt::wire::{
    AckForm, AckHead, Address, Chunk, Chunks, FIHello, FragmentControl, Header, IHello, Mode, Origin, PacketFragment,
    UserData, encode_ack, flow_option, kind, put_option, split_packet,
};

use crate::pair::{Keys, keys, session};

const ACK: u8 = kind::RANGE_ACK;
const NOTHING: [u8; 0] = [];

struct Puppet {
    session: Session,
    keys: SessionKeys,
    now: Instant,
    events: Vec<SessionEvent>,
    /// Plain packets that the session sent.
    sent: Vec<Vec<u8>>,
}

impl Puppet {
    /// The session is the responder and confirmed.
    fn new() -> Self {
        let mut puppet = Self::unconfirmed(SessionConfig::default());
        puppet.chunk(&Chunk::Ping(b""));
        assert_eq!(puppet.take_events(), [SessionEvent::Confirmed]);
        puppet.sent.clear();
        puppet
    }

    fn unconfirmed(config: SessionConfig) -> Self {
        let mut rng = Rng::for_simulation(1);
        let (near, far, profiles) = keys(Keys::Plain, &mut rng);
        let now = Instant::from_micros(1_000_000);
        let session = session(now, &mut rng, far, &profiles, 1, &config);
        Self { session, keys: near, now, events: Vec::new(), sent: Vec::new() }
    }

    fn packet(&mut self, plain: &[u8]) {
        let mut data = self.seal(plain);
        let segment = data.len();
        let path = Path::to("192.0.2.1:1935".parse().unwrap());
        self.session.receive(self.now, &mut Received { path, ecn: Ecn::NotEct, segment, data: &mut data });
        self.drain();
    }

    fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let head = self.keys.sealer.head();
        let mut data = vec![0; self.keys.sealer.sealed_len(plain.len())];
        let range: Range<usize> = head..head + plain.len();
        data[range.clone()].copy_from_slice(plain);
        self.keys.sealer.seal_batch(SessionId(2), &mut data, &[range]);
        data
    }

    fn drain(&mut self) {
        while let Some(Transmit { mut data, segment, .. }) = self.session.poll_transmit(self.now) {
            let mut opened: Vec<Opened> = Vec::new();
            self.keys.opener.open_batch(SessionId(1), &mut data, segment, &mut opened);
            self.sent.extend(opened.into_iter().map(|packet| data[packet.plain].to_vec()));
        }
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
    }

    fn body(&mut self, chunks: &[u8]) {
        let mut plain = Vec::new();
        Header::new(Mode::Initiator).encode(&mut plain);
        plain.extend_from_slice(chunks);
        self.packet(&plain);
    }

    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let mut chunks = Vec::new();
        chunk.encode(&mut chunks);
        self.body(&chunks);
    }

    fn wait(&mut self, millis: u64) {
        self.now = Instant::from_micros(self.now.as_micros() + millis * 1000);
        self.session.handle_timeout(self.now);
        self.drain();
    }

    fn take_events(&mut self) -> Vec<SessionEvent> {
        std::mem::take(&mut self.events)
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        self.counters().drops.of(reason)
    }

    fn counters(&self) -> Counters {
        self.session.stats(self.now).counters
    }

    /// Kinds of the chunks that the session has sent since the last call; an acknowledgement is [`ACK`] in either form.
    fn sent_kinds(&mut self) -> Vec<u8> {
        let sent = std::mem::take(&mut self.sent);
        let kinds = sent.iter().flat_map(|plain| Chunks::new(Header::decode(plain).unwrap().1).map(|raw| raw.kind));
        kinds.map(|kind| if kind == kind::BITMAP_ACK { ACK } else { kind }).collect()
    }
}

/// A chunk that opens `flow` with metadata "m".
fn opening(flow: u64, options: &[u8]) -> UserData<'_> {
    UserData {
        flow,
        sequence: 1,
        forward_sequence: 0,
        fragment: FragmentControl::Whole,
        abandoned: false,
        is_final: false,
        options: Some(options),
        data: b"hello",
    }
}

fn metadata() -> Vec<u8> {
    let mut options = Vec::new();
    put_option(&mut options, flow_option::METADATA, b"m");
    options
}

#[test]
fn our_own_mark_a_startup_packet_and_mode_zero_are_dropped_and_counted() {
    let mut puppet = Puppet::unconfirmed(SessionConfig::default());
    for (flags, reason) in [
        (2, DropReason::OwnMode),
        (3, DropReason::StartupMode),
        (0, DropReason::BadHeader),
        (0x0d, DropReason::BadHeader),
    ] {
        puppet.packet(&[flags]);
        assert_eq!(puppet.dropped(reason), if flags == 0x0d { 2 } else { 1 });
    }
    assert!(!puppet.session.is_confirmed() && puppet.sent.is_empty());
    puppet.packet(&[1]);
    assert!(puppet.session.is_confirmed(), "a packet without chunks is a packet");
}

#[test]
fn startup_chunks_inside_a_session_are_dropped_and_the_rest_is_read() {
    let mut puppet = Puppet::new();
    let mut chunks = Vec::new();
    Chunk::IHello(IHello { epd: b"epd", tag: b"tag" }).encode(&mut chunks);
    Chunk::Ping(b"still here").encode(&mut chunks);
    puppet.body(&chunks);
    assert_eq!(puppet.dropped(DropReason::StartupChunk), 1);
    assert_eq!(puppet.sent_kinds(), [kind::PING_REPLY]);
}

#[test]
fn pings_are_answered_with_their_message_up_to_a_packet_and_a_bound() {
    let mut puppet = Puppet::new();
    puppet.chunk(&Chunk::Ping(&[7; 1000]));
    let reply = puppet.sent.pop().unwrap();
    let raw = Chunks::new(Header::decode(&reply).unwrap().1).next().unwrap();
    assert_eq!((raw.kind, raw.payload), (kind::PING_REPLY, &[7; 1000][..]));
    puppet.chunk(&Chunk::Ping(&[7; 1300]));
    assert_eq!((puppet.dropped(DropReason::PingNotAnswered), puppet.sent.len()), (1, 0));
    let mut many = Vec::new();
    (0..1000).for_each(|_| Chunk::Ping(&[1; 50]).encode(&mut many));
    puppet.body(&many);
    let answered = puppet.sent_kinds().len();
    assert!((100..200).contains(&answered), "{answered}");
}

#[test]
fn a_broken_chunk_is_skipped_and_what_would_continue_it_is_not_guessed() {
    let mut puppet = Puppet::new();
    let options = metadata();
    let mut chunks = Vec::new();
    Chunk::UserData(opening(5, &options)).encode(&mut chunks);
    chunks.extend_from_slice(&[kind::USER_DATA, 0, 3, 0, 5, 0]);
    chunks.extend_from_slice(&[kind::NEXT_USER_DATA, 0, 2, 0, b'x']);
    Chunk::Unknown { kind: 0x42 }.encode(&mut chunks);
    Chunk::Ping(b"").encode(&mut chunks);
    puppet.body(&chunks);
    assert_eq!((puppet.dropped(DropReason::BadChunk), puppet.dropped(DropReason::StrayNextUserData)), (1, 1));
    assert!(puppet.sent_kinds().contains(&kind::PING_REPLY));
    puppet.session.accept_flow(FlowId(5), Order::Original, 1 << 20).unwrap();
    puppet.drain();
    let messages = puppet.take_events().into_iter().filter(|e| matches!(e, SessionEvent::Message { .. })).count();
    assert_eq!(messages, 1);
}

#[test]
fn new_flows_are_bounded_in_number_and_by_the_second() {
    let config = SessionConfig { max_receiving_flows: 30, new_flows_per_second: 20, ..SessionConfig::default() };
    let mut puppet = Puppet::unconfirmed(config);
    let options = metadata();
    let opened = |puppet: &mut Puppet, flows: Range<u64>| {
        for flow in flows {
            puppet.chunk(&Chunk::UserData(opening(flow, &options)));
        }
        puppet.take_events().into_iter().filter(|e| matches!(e, SessionEvent::FlowOpened { .. })).count()
    };
    assert_eq!(opened(&mut puppet, 0..100), 20, "no more than the rate at once");
    assert_eq!(puppet.dropped(DropReason::TooManyFlows), 80);
    puppet.wait(1000);
    assert_eq!(opened(&mut puppet, 100..200), 10, "nor than there may be");
}

#[test]
fn every_second_data_packet_is_acknowledged_at_once_and_a_single_one_within_200_ms() {
    let mut puppet = Puppet::new();
    let options = metadata();
    puppet.chunk(&Chunk::UserData(opening(5, &options)));
    assert_eq!(puppet.sent_kinds(), [ACK], "a new flow at once");
    puppet.session.accept_flow(FlowId(5), Order::Original, 1 << 20).unwrap();
    puppet.drain();
    puppet.sent.clear();
    let data = |puppet: &mut Puppet, sequence| {
        puppet.chunk(&Chunk::UserData(UserData { sequence, forward_sequence: 0, options: None, ..opening(5, &[]) }));
        puppet.sent_kinds()
    };
    assert_eq!(data(&mut puppet, 2), NOTHING);
    assert_eq!(data(&mut puppet, 3), [ACK]);
    assert_eq!(data(&mut puppet, 4), NOTHING);
    puppet.wait(199);
    assert_eq!(puppet.sent_kinds(), NOTHING);
    puppet.wait(1);
    assert_eq!(puppet.sent_kinds(), [ACK]);
    assert_eq!(data(&mut puppet, 6), [ACK], "a gap at once");
    assert_eq!(data(&mut puppet, 6), [ACK], "a duplicate at once");
    puppet.chunk(&Chunk::BufferProbe { flow: 5 });
    assert_eq!(puppet.sent_kinds(), [ACK], "a buffer probe at once");
    puppet.chunk(&Chunk::BufferProbe { flow: 99 });
    assert_eq!(puppet.sent_kinds(), NOTHING, "of an unknown flow not at all");
}

#[test]
fn a_flow_without_metadata_is_rejected_with_an_exception_before_each_acknowledgement() {
    let mut puppet = Puppet::new();
    puppet.chunk(&Chunk::UserData(UserData { options: None, ..opening(9, &[]) }));
    assert_eq!(puppet.sent_kinds(), [kind::FLOW_EXCEPTION, ACK]);
    assert!(puppet.take_events().is_empty(), "the user does not hear of it");
}

#[test]
fn acknowledgements_of_what_was_never_sent_do_nothing() {
    let mut puppet = Puppet::new();
    let flow = puppet.session.open_flow(puppet.now, b"m", None, Priority::Normal).unwrap();
    puppet.session.write(puppet.now, flow, vec![1; 3000].into(), Lifetime::UNLIMITED).unwrap();
    puppet.drain();
    puppet.sent.clear();
    let before = puppet.session.stats(puppet.now);
    let head = AckHead { flow: flow.0, buffer_blocks: 64, cumulative: 0 };
    let mut chunks = Vec::new();
    encode_ack(&mut chunks, head, [1000..=u64::MAX].into_iter(), AckForm::Range, 1000);
    encode_ack(&mut chunks, AckHead { flow: 77, ..head }, std::iter::empty(), AckForm::Range, 1000);
    puppet.body(&chunks);
    let after = puppet.session.stats(puppet.now);
    assert_eq!((after.outstanding, after.cwnd), (before.outstanding, before.cwnd));
    assert!(puppet.take_events().is_empty());
}

#[test]
fn the_far_end_may_reject_our_flow_and_introduce_others() {
    let mut puppet = Puppet::new();
    let flow = puppet.session.open_flow(puppet.now, b"m", None, Priority::Normal).unwrap();
    puppet.session.write(puppet.now, flow, vec![1; 30].into(), Lifetime::UNLIMITED).unwrap();
    puppet.drain();
    puppet.chunk(&Chunk::FlowException { flow: flow.0, code: 404 });
    puppet.chunk(&Chunk::FlowException { flow: 1234, code: 404 });
    let events = puppet.take_events();
    assert!(events.contains(&SessionEvent::FlowException { flow, code: 404 }), "{events:?}");
    let reply = Address { origin: Origin::Observed, socket: "198.51.100.7:99".parse().unwrap() };
    puppet.chunk(&Chunk::FIHello(FIHello { epd: b"epd", reply, tag: b"tag" }));
    let expected = SessionEvent::FIHello { epd: b"epd".to_vec(), reply, tag: b"tag".to_vec() };
    assert_eq!(puppet.take_events(), [expected]);
    assert!(puppet.session.send_fihello(b"epd", reply, b"tag"));
    assert!(!puppet.session.send_fihello(&[0; 1300], reply, b"tag"), "it would not fit into a packet");
    puppet.sent.clear();
    puppet.drain();
    assert_eq!(puppet.sent_kinds(), [kind::FIHELLO]);
}

#[test]
fn only_close_counts_once_the_session_has_left_open() {
    let mut puppet = Puppet::new();
    puppet.chunk(&Chunk::SessionClose);
    assert_eq!(puppet.take_events(), [SessionEvent::Closed(CloseReason::Far)]);
    assert_eq!(puppet.sent_kinds(), [kind::SESSION_CLOSE_ACK]);
    puppet.chunk(&Chunk::Ping(b""));
    puppet.chunk(&Chunk::UserData(opening(5, &metadata())));
    assert_eq!((puppet.sent_kinds(), puppet.take_events()), (vec![], vec![]));
    assert_eq!(puppet.dropped(DropReason::WrongState), 2);
    puppet.chunk(&Chunk::SessionClose);
    assert_eq!(puppet.sent_kinds(), [kind::SESSION_CLOSE_ACK], "each Close is answered");
    puppet.chunk(&Chunk::SessionCloseAck);
    assert!(puppet.session.is_gone() && puppet.take_events().is_empty());
}

#[test]
fn a_packet_in_fragments_is_read_once_it_is_whole_but_not_within_another() {
    let mut puppet = Puppet::new();
    let mut whole = Vec::new();
    Header::new(Mode::Initiator).encode(&mut whole);
    Chunk::Ping(&[3; 900]).encode(&mut whole);
    let pieces: Vec<_> = split_packet(&whole, 4, 300).collect();
    for piece in pieces.iter().rev() {
        assert_eq!(puppet.sent_kinds(), NOTHING);
        puppet.chunk(&Chunk::PacketFragment(*piece));
    }
    assert_eq!(puppet.sent_kinds(), [kind::PING_REPLY]);
    let mut nested = Vec::new();
    Header::new(Mode::Initiator).encode(&mut nested);
    Chunk::PacketFragment(PacketFragment { more: false, packet_id: 9, index: 0, bytes: &whole }).encode(&mut nested);
    puppet.chunk(&Chunk::PacketFragment(PacketFragment { more: false, packet_id: 8, index: 0, bytes: &nested }));
    whole[0] = Mode::Startup as u8;
    puppet.chunk(&Chunk::PacketFragment(PacketFragment { more: false, packet_id: 7, index: 0, bytes: &whole }));
    assert_eq!((puppet.sent_kinds(), puppet.dropped(DropReason::Fragment)), (vec![], 2));
}

#[test]
fn each_end_has_its_mark_and_drops_what_carries_the_same() {
    let mut responder = Puppet::new();
    responder.chunk(&Chunk::Ping(b""));
    assert_eq!(Header::decode(&responder.sent[0]).unwrap().0.mode, Mode::Responder);
    let mut rng = Rng::for_simulation(1);
    let (near, mut far, profiles) = keys(Keys::Plain, &mut rng);
    let now = Instant::from_micros(1_000_000);
    let mut initiator = session(now, &mut rng, near, &profiles, 0, &SessionConfig::default());
    let Transmit { mut data, segment, .. } = initiator.poll_transmit(now).expect("an initiator speaks first");
    let mut opened: Vec<Opened> = Vec::new();
    far.opener.open_batch(SessionId(2), &mut data, segment, &mut opened);
    assert_eq!(Header::decode(&data[opened[0].plain.clone()]).unwrap().0.mode, Mode::Initiator);
    for mark in [Mode::Initiator, Mode::Responder] {
        let mut data = far.sealer.seal(SessionId(1), &[mark as u8]);
        let (segment, path) = (data.len(), initiator.path());
        initiator.receive(now, &mut Received { path, ecn: Ecn::NotEct, segment, data: &mut data });
    }
    let counters = initiator.stats(now).counters;
    assert_eq!((counters.drops.of(DropReason::OwnMode), counters.packets_received), (1, 1));
}

#[test]
fn only_an_open_flow_of_the_far_end_is_answered() {
    let mut puppet = Puppet::new();
    let answer = |puppet: &mut Puppet| puppet.session.open_flow(puppet.now, b"m", Some(FlowId(5)), Priority::Normal);
    assert_eq!(answer(&mut puppet), Err(FlowError::AnsweredFlowClosed));
    puppet.chunk(&Chunk::UserData(opening(5, &metadata())));
    assert!(answer(&mut puppet).is_ok());
    puppet.session.reject_flow(FlowId(5), 1).unwrap();
    assert_eq!(answer(&mut puppet), Err(FlowError::AnsweredFlowClosed));
}

#[test]
fn keepalive_pings_are_empty_and_back_the_timeout_off_while_they_have_no_answer() {
    // How long data waits to be sent again, after so many seconds of silence.
    let patience = |silence: u64| {
        let mut puppet = Puppet::new();
        (0..silence * 20).for_each(|_| puppet.wait(50));
        for plain in &puppet.sent {
            let chunks: Vec<_> = Chunks::new(Header::decode(plain).unwrap().1).collect();
            assert_eq!((chunks.len(), chunks[0].kind, chunks[0].payload.len()), (1, kind::PING, 0));
        }
        let pings = puppet.sent.len();
        let flow = puppet.session.open_flow(puppet.now, b"m", None, Priority::Normal).unwrap();
        puppet.session.write(puppet.now, flow, b"data".to_vec().into(), Lifetime::UNLIMITED).unwrap();
        puppet.drain();
        let start = puppet.now;
        while puppet.counters().timeouts == 0 {
            puppet.wait(50);
        }
        (pings, (puppet.now - start).as_millis())
    };
    assert_eq!(patience(1), (0, 3000));
    // The first Ping after ten seconds, then one a second; twice the answer was missed.
    assert_eq!(patience(13), (3, 6000));
}

#[test]
fn a_probe_of_the_packet_size_is_padding_and_behind_it_a_ping() {
    let mut puppet = Puppet::new();
    let flow = puppet.session.open_flow(puppet.now, b"m", None, Priority::Normal).unwrap();
    puppet.session.write(puppet.now, flow, vec![1; 60_000].into(), Lifetime::UNLIMITED).unwrap();
    puppet.drain();
    let probe = (0..200).find_map(|_| {
        puppet.wait(20);
        let stamp = puppet.sent.iter().rev().find_map(|plain| Header::decode(plain).unwrap().0.timestamp);
        let mut plain = Vec::new();
        Header { timestamp_echo: stamp, ..Header::new(Mode::Initiator) }.encode(&mut plain);
        let head = AckHead { flow: flow.0, buffer_blocks: 64, cumulative: u64::MAX };
        encode_ack(&mut plain, head, std::iter::empty(), AckForm::Range, 100);
        puppet.packet(&plain);
        puppet.sent.iter().find(|plain| plain.len() > BASE_DATAGRAM).cloned()
    });
    let probe = probe.expect("enough was sent to make it worth while");
    let kinds: Vec<u8> = Chunks::new(Header::decode(&probe).unwrap().1).map(|raw| raw.kind).collect();
    assert_eq!(kinds, [kind::PADDING, kind::PING]);
}

#[test]
fn authentic_nonsense_never_panics() {
    for seed in 0..300 {
        let mut rng = Rng::for_simulation(seed);
        let mut puppet = Puppet::new();
        let flow = puppet.session.open_flow(puppet.now, b"m", None, Priority::Normal).unwrap();
        let options = metadata();
        for _ in 0..60 {
            let _ =
                puppet.session.write(puppet.now, flow, vec![1; rng.below(3000) as usize].into(), Lifetime::UNLIMITED);
            let mut chunks = Vec::new();
            for _ in 0..rng.below(6) {
                let start = chunks.len();
                match rng.below(6) {
                    0 => Chunk::UserData(opening(rng.below(8), &options)).encode(&mut chunks),
                    1 => Chunk::PingReply(&rng.bytes::<16>()).encode(&mut chunks),
                    2 => Chunk::EcnReport { ce_count: rng.u32() as u8 }.encode(&mut chunks),
                    3 => {
                        let head = AckHead { flow: flow.0, buffer_blocks: rng.below(99), cumulative: rng.below(40) };
                        let first = rng.below(50);
                        let ranges = [first..=first + rng.below(9)].into_iter();
                        encode_ack(&mut chunks, head, ranges, AckForm::Compact, 200);
                    }
                    4 => Chunk::PacketFragment(PacketFragment {
                        more: rng.below(2) == 0,
                        packet_id: rng.below(3),
                        index: rng.below(5),
                        bytes: &rng.bytes::<40>(),
                    })
                    .encode(&mut chunks),
                    _ => {
                        let kinds = [0x10, 0x11, 0x50, 0x51, 0x18, 0x5e, 0x01, 0x7f, 0xec];
                        let len = rng.below(12) as u8;
                        chunks.extend_from_slice(&[kinds[rng.below(9) as usize], 0, len]);
                        chunks.extend((0..len).map(|_| rng.u32() as u8));
                    }
                }
                if rng.below(3) == 0 && chunks.len() > start {
                    let at = start + rng.below((chunks.len() - start) as u64) as usize;
                    chunks[at] ^= 1 << rng.below(8);
                }
            }
            puppet.body(&chunks);
            puppet.wait(rng.below(400));
        }
        let stats = puppet.session.stats(puppet.now);
        assert!(stats.outstanding <= stats.cwnd + 100_000, "seed {seed}: {stats:?}");
    }
}
