//! Profile `flash` in endpoints: whoever proves nothing is nobody in particular, and what comes before the keys is kept
//! within limits.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use p2pt::base::{Interface, PeerId, Rng, SessionId};
use p2pt::crypto::{
    FarIdentity, FlashPeer, Identity, IdentityKind, Initiation, Keyring, Policy, Profile, Refusal, Response,
    SessionKeys, epd,
};
use p2pt::endpoint::{DropReason, EndpointConfig, EndpointEvent, OpenFailure, SessionHandle};
use p2pt::flow::Order;
use p2pt::session::{DropReason as SessionDrop, SessionEvent};
use p2pt::wire::{
    Chunk, FragmentControl, Header, IIKeying, Mode, RHello, RIKeying, UserData, flow_option, put_option, put_user_data,
};

use crate::net::{Fate, Kind, Net, NodeId, chunk_of, kind_of, ms, open, startup_datagram, strong};

/// A p2pt peer that talks to RTMFP peers of other makes, too.
fn with_flash(rng: &mut Rng) -> Arc<dyn Profile> {
    let policy = Policy { flash: true, ..Policy::default() };
    Arc::new(Keyring::new(Identity::generate(rng, IdentityKind::default()), policy))
}

/// A peer with an ephemeral certificate: `15` and no key of its own. Made twice of one seed it is a peer and whoever has
/// copied what that peer shows to everybody.
fn ephemeral() -> Arc<dyn Profile> {
    Arc::new(FlashPeer::server(&mut Rng::for_simulation(15)))
}

fn add(net: &mut Net, address: &str, profile: Arc<dyn Profile>) -> NodeId {
    net.add_with(address, profile, EndpointConfig::default())
}

/// Whoever holds no key of a certificate, and shows it all the same; keys as any ephemeral peer of RFC 7425 does.
#[derive(Debug)]
struct Impostor {
    shown: Vec<u8>,
    keys: FlashPeer,
}

impl Profile for Impostor {
    fn certificate(&self) -> &[u8] {
        &self.shown
    }

    fn peer_id(&self) -> PeerId {
        p2pt::crypto::fingerprint(&self.shown)
    }

    fn selects_near(&self, _epd: &[u8]) -> bool {
        true
    }

    fn selects(&self, _epd: &[u8], _certificate: &[u8]) -> bool {
        true
    }

    fn examine(&self, certificate: &[u8]) -> Result<FarIdentity, Refusal> {
        self.keys.examine(certificate)
    }

    fn near_prevails(&self, _far_certificate: &[u8]) -> bool {
        true
    }

    fn initiate(&self, rng: &mut Rng, certificate: &[u8]) -> Result<Box<dyn Initiation>, Refusal> {
        self.keys.initiate(rng, certificate)
    }

    fn screen(&self, keying: &IIKeying<'_>) -> Result<FarIdentity, Refusal> {
        self.keys.examine(keying.certificate)
    }

    fn respond(&self, rng: &mut Rng, keying: &IIKeying<'_>, near_id: SessionId) -> Result<Response, Refusal> {
        // To one who keys in another profile it answers in its own.
        self.keys.respond(rng, keying, near_id).or_else(|_| {
            let skic = self.keys.initiate(rng, keying.certificate)?.skic().to_vec();
            let signed = IIKeying::signed_parameters(SessionId(1), b"cookie", keying.certificate, &skic);
            self.keys.respond(rng, &IIKeying::new(&signed, b"X").expect("just made"), near_id)
        })
    }
}

fn impostor(shown: &[u8]) -> Arc<dyn Profile> {
    Arc::new(Impostor { shown: shown.to_vec(), keys: FlashPeer::server(&mut Rng::for_simulation(16)) })
}

#[test]
fn an_ephemeral_copy_of_a_dialled_peer_satisfies_no_peer_id() {
    let listed = strong(&mut Rng::for_simulation(17), IdentityKind::default());
    let whole = listed.certificate().to_vec();
    // The groups alone; those of the peer and a host name; the strong option torn.
    let groups = whole[44..].to_vec();
    let mut torn = whole.clone();
    torn[12] ^= 0x40;
    let cases: [(&str, PeerId, Arc<dyn Profile>, OpenFailure); 5] = [
        ("an ephemeral peer itself", ephemeral().peer_id(), ephemeral(), OpenFailure::WrongIdentity),
        ("a strong peer's groups", listed.peer_id(), impostor(&groups), OpenFailure::WrongIdentity),
        (
            "a strong peer's certificate with more behind it",
            listed.peer_id(),
            impostor(&[&whole[..], &[0x01, 0x0a]].concat()),
            OpenFailure::WrongIdentity,
        ),
        ("a strong peer's certificate, damaged", listed.peer_id(), impostor(&torn), OpenFailure::WrongIdentity),
        (
            "a strong peer's certificate and flash keys",
            listed.peer_id(),
            impostor(&whole),
            OpenFailure::KeyingRefused(Refusal::SignatureSize),
        ),
    ];
    for (case, wanted, attacker, failure) in cases {
        let mut net = Net::new(80);
        let profile = with_flash(&mut net.rng);
        let near = add(&mut net, "192.0.2.1:1000", profile);
        let far = add(&mut net, "203.0.113.66:666", attacker);
        let at = [p2pt::base::Path::to(net.address(far))];
        net.command(near, |endpoint, now| endpoint.connect(now, &epd::fingerprint(wanted), &at));
        net.run_for(ms(96_000));
        assert_eq!(net.failure(near), Some(failure), "{case}");
        assert!(net.opened(near).is_empty() && net.incoming(far) == 0, "{case}");
        assert_eq!(net.nodes[near].endpoint.session_count(), 0, "{case}");
        let stats = net.nodes[near].endpoint.stats();
        if failure == OpenFailure::WrongIdentity {
            assert!(stats.dropped(DropReason::WrongIdentity) > 0, "{case}");
            assert_eq!(net.count(Kind::IIKeying), 0, "{case}: it was not even keyed with");
        } else {
            assert!(stats.dropped(DropReason::AnswerRefused(Refusal::SignatureSize)) > 0, "{case}");
        }
    }
}

#[test]
fn an_anonymous_session_serves_no_opening_by_peer_id() {
    let mut net = Net::new(81);
    let profile = with_flash(&mut net.rng);
    let near = add(&mut net, "192.0.2.1:1000", profile);
    let copy = add(&mut net, "203.0.113.66:666", ephemeral());
    net.dial(copy, near);
    net.run_for(ms(2000));
    let [session] = net.sessions(near)[..] else { panic!("one session came in") };
    let far = *net.nodes[near].endpoint.session(session).unwrap().far();
    assert_eq!((far.peer_id, far.authenticated, far.proven_id()), (net.peer(copy), false, None));
    // It is alive and has the certificate; but it is nobody in particular.
    net.dial(near, copy);
    net.run_for(ms(96_000));
    assert_eq!(net.failure(near), Some(OpenFailure::WrongIdentity));
    assert!(net.opened(near).is_empty());
    assert_eq!(net.sessions(near), [session]);
}

#[test]
fn who_has_proved_nothing_is_on_no_list() {
    let mut net = Net::new(82);
    let profile = with_flash(&mut net.rng);
    let near = add(&mut net, "192.0.2.1:1000", profile);
    let genuine = net.add("192.0.2.2:2000");
    let copy = add(&mut net, "203.0.113.66:666", ephemeral());
    let listed = BTreeSet::from([net.peer(genuine), net.peer(copy)]);
    net.dial(genuine, near);
    net.dial(copy, near);
    net.run_for(ms(2000));
    let admitted = |handle: &SessionHandle| {
        let far = net.nodes[near].endpoint.session(*handle).unwrap().far();
        far.proven_id().is_some_and(|id| listed.contains(&id))
    };
    let sessions = net.sessions(near);
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|session| admitted(session)).count(), 1);
}

/// A responder of profile `flash` in the hands of the test, keyed with, that may speak before its RIKeying arrives.
struct Early {
    net: Net,
    near: NodeId,
    far: SocketAddr,
    near_id: SessionId,
    keys: SessionKeys,
    rikeying: Vec<u8>,
    sequence: u64,
}

impl Early {
    fn new(seed: u64) -> Self {
        let mut net = Net::new(seed);
        let mut rng = net.rng.fork();
        let profile = with_flash(&mut rng);
        let near = add(&mut net, "192.0.2.1:1000", profile);
        let far: SocketAddr = "192.0.2.2:2000".parse().unwrap();
        let responder = FlashPeer::client(&mut rng);
        let wanted = epd::fingerprint(responder.peer_id());
        net.command(near, |endpoint, now| endpoint.connect(now, &wanted, &[p2pt::base::Path::to(far)]));
        let packet = open(&net.first(Kind::IHello).data).unwrap();
        let Some(Chunk::IHello(hello)) = chunk_of(&packet) else { panic!("an IHello") };
        let rhello = RHello { tag: hello.tag, cookie: &[1; 64], certificate: responder.certificate() };
        let rhello = startup_datagram(SessionId::STARTUP, &[Chunk::RHello(rhello)]);
        net.deliver(near, Interface::MAIN, far, &rhello);
        let packet = open(&net.first(Kind::IIKeying).data).unwrap();
        let Some(Chunk::IIKeying(keying)) = chunk_of(&packet) else { panic!("an IIKeying") };
        let response = responder.respond(&mut rng, &keying, SessionId(7)).unwrap();
        let signed = RIKeying::signed_parameters(SessionId(7), &response.skrc);
        let chunk = RIKeying::new(&signed, &response.signature).unwrap();
        let near_id = keying.initiator_session_id;
        let rikeying = startup_datagram(near_id, &[Chunk::RIKeying(chunk)]);
        Self { net, near, far, near_id, keys: response.keys, rikeying, sequence: 0 }
    }

    /// The next message of the responder's flow, as a datagram.
    fn message(&mut self, len: usize) -> Vec<u8> {
        self.sequence += 1;
        let mut options = Vec::new();
        put_option(&mut options, flow_option::METADATA, b"early");
        let data = vec![self.sequence as u8; len];
        let chunk = UserData {
            flow: 3,
            sequence: self.sequence,
            forward_sequence: 0,
            fragment: FragmentControl::Whole,
            abandoned: false,
            is_final: false,
            options: Some(&options),
            data: &data,
        };
        let mut plain = Vec::new();
        Header::new(Mode::Responder).encode(&mut plain);
        put_user_data(&mut plain, &chunk);
        self.keys.sealer.seal(self.near_id, &plain)
    }

    fn deliver(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.net.deliver(self.near, Interface::MAIN, from, datagram);
    }

    fn dropped(&self) -> u64 {
        self.net.nodes[self.near].endpoint.stats().dropped(DropReason::EarlyPacket)
    }

    /// Lets the RIKeying arrive, takes the flow, and says what came of it.
    fn open(&mut self) -> (SessionHandle, Vec<u64>) {
        let rikeying = self.rikeying.clone();
        self.deliver(self.far, &rikeying);
        let [session] = self.net.opened(self.near)[..] else { panic!("the session opens") };
        self.net.command(self.near, |endpoint, _| {
            let session = endpoint.session_mut(session).unwrap();
            let _ = session.accept_flow(p2pt::session::FlowId(3), Order::Original, 1 << 20);
        });
        (session, self.messages())
    }

    /// The sequence numbers of the messages that were delivered.
    fn messages(&self) -> Vec<u64> {
        let sequence = |event: &EndpointEvent| match event {
            EndpointEvent::Session(_, SessionEvent::Message { sequence, .. }) => Some(*sequence),
            _ => None,
        };
        self.net.nodes[self.near].events.iter().filter_map(sequence).collect()
    }

    fn session_drops(&self, session: SessionHandle, reason: SessionDrop) -> u64 {
        let session = self.net.nodes[self.near].endpoint.session(session).unwrap();
        session.stats(self.net.now).counters.drops.of(reason)
    }
}

#[test]
fn thirty_two_packets_that_overtake_their_rikeying_are_delivered_and_the_next_is_counted() {
    let mut early = Early::new(83);
    let packets: Vec<Vec<u8>> = (0..40).map(|_| early.message(100)).collect();
    for (n, packet) in packets.iter().enumerate() {
        early.deliver(early.far, packet);
        assert_eq!(early.dropped(), (n as u64 + 1).saturating_sub(32));
    }
    let (session, messages) = early.open();
    assert_eq!(messages, (1..=32).collect::<Vec<u64>>());
    // The far end sends the others again, as after any loss.
    for packet in &packets {
        early.deliver(early.far, packet);
    }
    assert_eq!(early.messages(), (1..=40).collect::<Vec<u64>>(), "each once");
    assert_eq!(early.session_drops(session, SessionDrop::Replayed), 32);
    assert_eq!(early.dropped(), 8, "an open session keeps nothing back");
}

#[test]
fn early_packets_come_from_whom_we_key_with_and_within_their_bytes() {
    let mut early = Early::new(84);
    let id = early.near_id;
    // Whoever sees the IIKeying knows our ID, but has no place here.
    let mut rng = Rng::for_simulation(84);
    let mut junk = |len: usize| {
        let mut bytes = vec![0; len];
        rng.fill(&mut bytes);
        let words = [&bytes[4..8], &bytes[8..12]].map(|word| u32::from_be_bytes(word.try_into().unwrap()));
        bytes[..4].copy_from_slice(&(id.0 ^ words[0] ^ words[1]).to_be_bytes());
        assert_eq!(p2pt::crypto::session_id_of(&bytes), Some(id));
        bytes
    };
    for n in 0..1000u16 {
        let datagram = junk(640);
        early.deliver(SocketAddr::from(([203, 0, 113, n as u8], 1000 + n)), &datagram);
    }
    assert_eq!(early.dropped(), 1000, "none of another source is kept");
    // With the responder's address for its own it fills the buffer, and no more than that: 48 KiB.
    for _ in 0..100 {
        let datagram = junk(4096);
        early.deliver(early.far, &datagram);
    }
    assert_eq!(early.dropped(), 1000 + 100 - 12);
    let packets: Vec<Vec<u8>> = (0..3).map(|_| early.message(100)).collect();
    early.deliver(early.far, &packets[0]);
    let (session, messages) = early.open();
    assert!(messages.is_empty());
    let unopened = [SessionDrop::NotAuthentic, SessionDrop::NotWholeBlocks, SessionDrop::BadSequenceNumber];
    assert_eq!(unopened.map(|reason| early.session_drops(session, reason)).iter().sum::<u64>(), 12);
    for packet in &packets {
        early.deliver(early.far, packet);
    }
    let flow = p2pt::session::FlowId(3);
    early.net.command(early.near, |endpoint, _| {
        endpoint.session_mut(session).unwrap().accept_flow(flow, Order::Original, 1 << 20).unwrap();
    });
    assert_eq!(early.messages(), [1, 2, 3], "the session has come to no harm");
}

#[test]
fn a_strong_responder_has_nothing_to_say_early() {
    let mut net = Net::new(85);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    net.filter =
        Box::new(|_, datagram| if kind_of(&datagram.data) == Kind::RIKeying { Fate::Drop } else { Fate::Pass });
    net.dial(a, b);
    net.run_until(ms(1000), |net| net.count(Kind::IIKeying) > 0).unwrap();
    let packet = open(&net.first(Kind::IIKeying).data).unwrap();
    let Some(Chunk::IIKeying(keying)) = chunk_of(&packet) else { panic!("an IIKeying") };
    let mut datagram = vec![9; 64];
    datagram[..4].copy_from_slice(&keying.initiator_session_id.0.to_be_bytes());
    for _ in 0..5 {
        net.deliver(a, Interface::MAIN, "192.0.2.2:2000".parse().unwrap(), &datagram);
    }
    assert_eq!(net.nodes[a].endpoint.stats().dropped(DropReason::EarlyPacket), 5);
}
