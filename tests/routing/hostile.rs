//! What a neighbour without scruples can do: nothing of it is delivered, and memory stays within its limits.

use std::time::Duration;

use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use p2pt::base::{Instant, PeerId, Rng, WallClock};
use p2pt::group::{GroupAddress, GroupId, MAX_TICKETS, MAX_WAITING, Output};
use p2pt::service::routing::{Routing, RoutingConfig, RoutingEvent};
use sha2::{Digest as _, Sha256};

use crate::hand::{CLOCK, GROUP, ME, NEIGHBOUR, certificate, view};
use crate::{mutate, routing};

struct Written {
    group: GroupId,
    target: GroupAddress,
    time: u64,
    sequence: u8,
    ack: bool,
}

impl Written {
    fn now() -> Self {
        let time = CLOCK.unix_millis(Instant::ZERO);
        Self { group: GROUP, target: GroupAddress::of(ME), time, sequence: 1, ack: false }
    }

    /// A MESSAGE and the CARRY around it, byte by byte as the documentation has them.
    fn carry(&self) -> (Vec<u8>, Vec<u8>) {
        let key = SigningKey::from_bytes(&[0x11; 32]);
        let certificate = certificate(&key);
        let (reply, flags) = (GroupAddress::of(NEIGHBOUR), [u8::from(self.ack)]);
        let signed = [
            &b"p2pt/1 route\0"[..],
            &self.group.0,
            &Sha256::digest(&certificate),
            &reply.0,
            &self.target.0,
            &flags,
            &[7; 8],
            &u64::from(self.sequence).to_be_bytes(),
            &self.time.to_be_bytes(),
            &4u32.to_be_bytes(),
            b"body",
        ]
        .concat();
        let mut payload = [&[1, 50][..], &certificate, &reply.0, &flags, &[7; 8], &[self.sequence]].concat();
        let groups = (0..7).rev().map(|group| (self.time >> (7 * group)) as u8 & 0x7f);
        let groups: Vec<u8> = groups.skip_while(|group| *group == 0).collect();
        let last = groups.len() - 1;
        payload.extend(groups.iter().enumerate().map(|(at, group)| if at < last { group | 0x80 } else { *group }));
        payload.extend_from_slice(b"\x04body");
        payload.extend_from_slice(&key.sign(&signed).to_bytes());
        // Ticket 5, one hop, nearest by mode, with the gateway if an answer is wanted, no trail.
        let mut carry = vec![1, 5, 1, if self.ack { 0x10 } else { 0 }];
        carry.extend_from_slice(&self.target.0);
        if self.ack {
            carry.extend_from_slice(&GroupAddress::of(ME).0);
        }
        carry.push(0);
        carry.extend_from_slice(&payload);
        (carry, payload)
    }
}

fn outputs(routing: &mut Routing) -> Vec<Output<RoutingEvent>> {
    std::iter::from_fn(|| routing.poll()).collect()
}

fn events(routing: &mut Routing) -> Vec<RoutingEvent> {
    let event = |output| if let Output::Event(event) = output { Some(event) } else { None };
    outputs(routing).into_iter().filter_map(event).collect()
}

#[test]
fn a_message_written_by_hand_is_delivered_and_its_acknowledgement_is_as_documented() {
    let (carry, payload) = Written { ack: true, ..Written::now() }.carry();
    let mut routing = routing(&mut Rng::for_simulation(1));
    routing.message(Instant::ZERO, &view(), NEIGHBOUR, &carry);
    let outputs = outputs(&mut routing);
    let author = PeerId(Sha256::digest(certificate(&SigningKey::from_bytes(&[0x11; 32]))).into());
    let routed = outputs.iter().find_map(|output| match output {
        Output::Event(RoutingEvent::Notify(routed)) => Some(routed.clone()),
        _ => None,
    });
    let routed = routed.expect("it is delivered");
    assert_eq!((routed.author, &routed.body[..], routed.hops), (Some(author), &b"body"[..], 1));
    assert_eq!(routed.from, GroupAddress::of(NEIGHBOUR));
    let sent: Vec<&Bytes> =
        outputs.iter().filter_map(|o| if let Output::Send(o) = o { Some(&o.data) } else { None }).collect();
    let [taken, ack] = sent[..] else { panic!("{outputs:?}") };
    assert_eq!(taken[..], [2, 5]);
    // CARRY, ticket, hops, flags, target: to the very address of the neighbour, which is the gateway's neighbour.
    let target = GroupAddress::of(NEIGHBOUR);
    assert_eq!((ack[0], ack[2], ack[3] & 3, &ack[4..36]), (1, 1, 3, &target.0[..]));
    let ack = &ack[36..];
    let ack = if ack[0] == 0 { &ack[1..] } else { panic!("neither via nor trail: {ack:?}") };
    let name = Sha256::digest(&payload);
    assert_eq!((ack[0], &ack[1..33], ack[33], ack[34]), (2, &name[..], 1, 50));
    let (certificate, address, signature) = (&ack[35..85], &ack[85..117], &ack[117..]);
    assert_eq!(address, GroupAddress::of(ME).0);
    let signed =
        [&b"p2pt/1 ack\0"[..], &GROUP.0, &Sha256::digest(certificate), address, &target.0, &name, &1u64.to_be_bytes()]
            .concat();
    let key = VerifyingKey::from_bytes(certificate[12..44].try_into().expect("32 bytes")).expect("a key");
    key.verify_strict(&signed, &signature.try_into().expect("64 bytes")).expect("the signature holds");
}

#[test]
fn forged_foreign_stale_and_repeated_messages_are_not_delivered() {
    let view = view();
    let deliver = |carries: &[Vec<u8>]| {
        let mut routing = routing(&mut Rng::for_simulation(1));
        carries.iter().for_each(|carry| routing.message(Instant::ZERO, &view, NEIGHBOUR, carry));
        let told = events(&mut routing);
        let count = |is: fn(&RoutingEvent) -> bool| told.iter().filter(|event| is(event)).count();
        let delivered = count(|event| matches!(event, RoutingEvent::Notify(_)));
        (delivered, count(|event| matches!(event, RoutingEvent::Misbehaved { .. })), routing.stats())
    };
    let good = Written::now().carry().0;
    assert_eq!(deliver(std::slice::from_ref(&good)).0, 1);
    let (delivered, blamed, stats) = deliver(&[good.clone(), good.clone(), good.clone()]);
    assert_eq!((delivered, blamed, stats.looped), (1, 0, 2));

    for at in 38..good.len() {
        let mut forged = good.clone();
        forged[at] ^= 0x04;
        let (delivered, _, stats) = deliver(&[forged]);
        assert!(delivered == 0 && stats.malformed + stats.stale > 0, "byte {at}: {stats:?}");
    }
    let foreign = Written { group: GroupId([1; 32]), ..Written::now() }.carry().0;
    assert_eq!((deliver(std::slice::from_ref(&foreign)).0, deliver(&[foreign]).1), (0, 1));
    // Signed for another target.
    let mut misrouted = good.clone();
    misrouted[4..36].copy_from_slice(&[0x33; 32]);
    assert_eq!((deliver(std::slice::from_ref(&misrouted)).0, deliver(&[misrouted]).1), (0, 1));

    let now = CLOCK.unix_millis(Instant::ZERO);
    for (time, arrives) in [(now - 300_000, 1), (now - 300_001, 0), (now + 600_000, 1), (now + 600_001, 0)] {
        let (delivered, blamed, stats) = deliver(&[Written { time, ..Written::now() }.carry().0]);
        assert_eq!((delivered, blamed, stats.stale), (arrives, 0, 1 - arrives as u64));
    }
    // A bad one first, then the good one.
    let mut bad = good.clone();
    *bad.last_mut().expect("a signature") ^= 1;
    assert_eq!(deliver(&[bad, good]).0, 1);
}

#[test]
fn an_acknowledgement_that_somebody_else_wrote_for_another_message_is_none() {
    let view = view();
    let mut routing = routing(&mut Rng::for_simulation(2));
    let target = GroupAddress::of(NEIGHBOUR);
    let (_, sent) = routing.route_to_nearest(Instant::ZERO, &view, target, Bytes::from_static(b"x"), true);
    assert_eq!(sent, p2pt::service::routing::SendResult::Sent);
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/routes/ack");
    let ack = std::fs::read(corpus).expect("an acknowledgement");
    // The neighbours take the message, and that is the last that is heard of it.
    let mut told = Vec::new();
    for _ in 0..10 {
        for output in outputs(&mut routing) {
            match output {
                Output::Send(sent) if sent.data[0] == 1 => {
                    let now = Instant::ZERO + Duration::from_millis(1);
                    routing.message(now, &view, sent.peer, &[2, sent.data[1]]);
                    routing.message(now, &view, sent.peer, &ack);
                }
                Output::Event(event) => told.push(event),
                _ => {}
            }
        }
        if let Some(deadline) = routing.deadline() {
            routing.handle_timeout(deadline, &view);
        }
    }
    assert!(matches!(told[..], [RoutingEvent::Undelivered { no_route: false, .. }]), "{told:?}");
}

#[test]
fn a_hundred_thousand_mutations_grow_no_memory() {
    let view = view();
    let runs = if std::env::var_os("P2PT_LONG").is_some() { 1_000_000 } else { 100_000 };
    let corpus = mutate::corpus(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/routes"));
    let mut rng = Rng::for_simulation(3);
    let clock = WallClock { ..CLOCK };
    let author = p2pt::crypto::Identity::generate(&mut rng, p2pt::crypto::IdentityKind::default());
    let config = RoutingConfig { group: GROUP, author, clock, ack_timeout: Duration::from_secs(10) };
    let mut routing = Routing::new(Instant::ZERO, rng.fork(), config);
    for run in 0..runs {
        // Twice as often as a neighbour may.
        let now = Instant::from_micros(run * 1000);
        routing.message(now, &view, NEIGHBOUR, &mutate::mutation(&corpus, &mut rng));
        routing.handle_timeout(now, &view);
        outputs(&mut routing);
    }
    assert!(routing.working_bytes() <= MAX_TICKETS.1 + 2 * MAX_WAITING, "{}", routing.working_bytes());
    let stats = routing.stats();
    assert!(stats.limited > runs / 4 && stats.malformed > 1000, "{stats:?}");
}
