//! Forged, altered and misdirected startup packets: the genuine peer is reached all the same, and each is counted.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use p2pt::base::{Interface, SessionId};
use p2pt::crypto::{Identity, IdentityKind, Keyring, OpenError, Policy, Profile, Refusal};
use p2pt::endpoint::{DropReason, EndpointConfig};
use p2pt::wire::{Chunk, IHello, IIKeying, RHello, RHelloCookieChange, RIKeying};

use crate::net::{Datagram, Fate, Kind, Net, NodeId, altered, chunk_of, kind_of, ms, open, startup_datagram, strong};

fn pair(seed: u64) -> (Net, NodeId, NodeId) {
    let mut net = Net::new(seed);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    (net, a, b)
}

/// The peer is reached within two seconds, and nobody else.
fn assert_reached(net: &mut Net, a: NodeId, b: NodeId, case: &str) {
    let took = net.run_until(ms(20_000), |net| net.are_joined(a, b));
    assert!(took.is_some_and(|took| took <= ms(2000)), "{case}: {took:?}");
    assert_eq!(net.incoming(b), 1, "{case}");
    net.run_for(ms(25_000));
    assert!(net.are_joined(a, b), "{case}");
    assert_eq!((net.nodes[a].endpoint.session_count(), net.nodes[b].endpoint.session_count()), (1, 1), "{case}");
}

/// Alters the first packet of a kind on its way, keeping its checksum good.
fn alter_first(net: &mut Net, which: Kind, mut alter: impl FnMut(&mut Vec<u8>) + 'static) {
    let mut done = false;
    net.filter = Box::new(move |_, datagram| {
        if kind_of(&datagram.data) == which && !done {
            done = true;
            datagram.data = altered(&datagram.data, |chunk, out| {
                let start = out.len();
                chunk.encode(out);
                let mut bytes = out.split_off(start);
                alter(&mut bytes);
                out.extend(bytes);
            });
        }
        Fate::Pass
    });
}

#[test]
fn any_byte_of_any_startup_packet_may_be_altered_once() {
    for which in [Kind::RHello, Kind::IIKeying, Kind::RIKeying] {
        let (mut net, a, b) = pair(60);
        net.dial(a, b);
        net.run_for(ms(1000));
        let packet = open(&net.first(which).data).unwrap();
        let len = chunk_of(&packet).unwrap().encoded_len();
        for at in 0..len {
            let (mut net, a, b) = pair(60);
            alter_first(&mut net, which, move |chunk| chunk[at] ^= 0x15);
            net.dial(a, b);
            assert_reached(&mut net, a, b, &format!("{which:?}, byte {at}"));
        }
    }
}

#[test]
fn an_altered_cookie_change_does_no_harm() {
    let far: SocketAddr = "192.0.2.9:999".parse().unwrap();
    for at in 0..140 {
        let (mut net, a, b) = pair(61);
        net.nodes[a].addresses.push(far);
        let mut changes = 0;
        net.filter = Box::new(move |_, datagram| {
            match kind_of(&datagram.data) {
                Kind::IIKeying => datagram.from = far,
                Kind::CookieChange => {
                    changes += 1;
                    if changes == 1 {
                        datagram.data = altered(&datagram.data, |chunk, out| {
                            let start = out.len();
                            chunk.encode(out);
                            let last = out.len() - 1;
                            out[(start + at).min(last)] ^= 0x15;
                        });
                    }
                }
                _ => {}
            }
            Fate::Pass
        });
        net.dial(a, b);
        let took = net.run_until(ms(20_000), |net| !net.opened(a).is_empty());
        assert!(took.is_some_and(|took| took <= ms(2000)), "byte {at}: {took:?}");
    }
}

#[test]
fn forged_rhellos_come_first_with_the_copied_certificate_and_a_false_cookie() {
    let attacker: SocketAddr = "203.0.113.66:666".parse().unwrap();
    for (own, spoofed) in [(1, 0), (0, 1), (1, 1), (2, 1), (50, 1)] {
        let (mut net, a, b) = pair(62);
        let certificate = net.nodes[b].endpoint.profile().certificate().to_vec();
        let genuine = net.address(b);
        net.dial(a, b);
        let packet = open(&net.first(Kind::IHello).data).unwrap();
        let Some(Chunk::IHello(hello)) = chunk_of(&packet) else { panic!("an IHello") };
        for n in 0..own + spoofed {
            let from = if n < own { attacker } else { genuine };
            let rhello = RHello { tag: hello.tag, cookie: &[n as u8; 64], certificate: &certificate };
            let data = startup_datagram(SessionId::STARTUP, &[Chunk::RHello(rhello)]);
            net.inject(ms(1), Datagram { from, to: net.address(a), data });
        }
        assert_reached(&mut net, a, b, &format!("{own} own, {spoofed} spoofed"));
        if own > 2 {
            assert_eq!(net.nodes[a].endpoint.stats().dropped(DropReason::SurplusRHello), own as u64 - 2);
        }
    }
}

#[test]
fn a_forger_who_holds_all_places_loses_them_with_the_next_tag() {
    let (mut net, a, b) = pair(63);
    let certificate = net.nodes[b].endpoint.profile().certificate().to_vec();
    let genuine = net.address(b);
    net.dial(a, b);
    let packet = open(&net.first(Kind::IHello).data).unwrap();
    let Some(Chunk::IHello(hello)) = chunk_of(&packet) else { panic!("an IHello") };
    for n in 0..20u8 {
        let rhello = RHello { tag: hello.tag, cookie: &[n; 64], certificate: &certificate };
        let data = startup_datagram(SessionId::STARTUP, &[Chunk::RHello(rhello)]);
        net.inject(ms(1), Datagram { from: genuine, to: net.address(a), data });
    }
    let took = net.run_until(ms(20_000), |net| net.are_joined(a, b));
    assert!(took.is_some_and(|took| took <= ms(5300)), "{took:?}");
}

#[test]
fn a_false_cookie_change_and_a_hundred_forged_rikeyings_come_first() {
    let (mut net, a, b) = pair(64);
    let genuine = net.address(b);
    net.dial(a, b);
    net.run_until(ms(1000), |net| net.count(Kind::IIKeying) > 0).unwrap();
    let packet = open(&net.first(Kind::IIKeying).data).unwrap();
    let Some(Chunk::IIKeying(keying)) = chunk_of(&packet) else { panic!("an IIKeying") };
    let id = keying.initiator_session_id;
    let mut inject = |chunk: Chunk<'_>| {
        let data = startup_datagram(id, &[chunk]);
        net.inject(ms(1), Datagram { from: genuine, to: "192.0.2.1:1000".parse().unwrap(), data });
    };
    inject(Chunk::RHelloCookieChange(RHelloCookieChange { old: &[1; 64], new: &[2; 64] }));
    inject(Chunk::RHelloCookieChange(RHelloCookieChange { old: keying.cookie, new: &[2; 64] }));
    inject(Chunk::RHelloCookieChange(RHelloCookieChange { old: keying.cookie, new: &[3; 64] }));
    for n in 1..=100 {
        let signed = RIKeying::signed_parameters(SessionId(n), keying.skic);
        inject(Chunk::RIKeying(RIKeying::new(&signed, &[7; 64]).unwrap()));
    }
    let signed = RIKeying::signed_parameters(SessionId::STARTUP, keying.skic);
    inject(Chunk::RIKeying(RIKeying::new(&signed, &[7; 64]).unwrap()));
    assert_reached(&mut net, a, b, "forged answers");
    let stats = net.nodes[a].endpoint.stats();
    assert_eq!(stats.dropped(DropReason::CookieChange), 2);
    assert_eq!(stats.dropped(DropReason::AnswerRefused(Refusal::ZeroSessionId)), 1);
    let refused = stats.drops().filter(|(reason, _)| matches!(reason, DropReason::AnswerRefused(_)));
    assert_eq!(refused.map(|(_, count)| count).sum::<u64>(), 101);
    // The false cookie was tried beside the true one.
    assert!(net.nodes[b].endpoint.stats().dropped(DropReason::ForeignCookie) > 0);
}

#[test]
fn at_most_a_thousand_rikeyings_a_second_are_verified() {
    let (mut net, a, b) = pair(65);
    net.filter = Box::new(|_, datagram| match kind_of(&datagram.data) {
        Kind::RIKeying => Fate::Drop,
        _ => Fate::Pass,
    });
    net.dial(a, b);
    net.run_until(ms(1000), |net| net.count(Kind::IIKeying) > 0).unwrap();
    let packet = open(&net.first(Kind::IIKeying).data).unwrap();
    let Some(Chunk::IIKeying(keying)) = chunk_of(&packet) else { panic!("an IIKeying") };
    let signed = RIKeying::signed_parameters(SessionId(5), keying.skic);
    let forged =
        startup_datagram(keying.initiator_session_id, &[Chunk::RIKeying(RIKeying::new(&signed, &[7; 64]).unwrap())]);
    for _ in 0..3000 {
        net.deliver(a, Interface::MAIN, "192.0.2.2:2000".parse().unwrap(), &forged);
    }
    let stats = net.nodes[a].endpoint.stats();
    assert_eq!((stats.answers_examined, stats.dropped(DropReason::AnswerRate)), (1000, 2000));
}

/// A responder, and an initiator's IIKeying for it in the hands of the test.
pub(crate) struct Keying {
    pub(crate) net: Net,
    pub(crate) responder: NodeId,
    pub(crate) from: SocketAddr,
    pub(crate) cookie: Vec<u8>,
    pub(crate) skic: Vec<u8>,
    pub(crate) identity: Keyring,
    pub(crate) initiation: Box<dyn p2pt::crypto::Initiation>,
}

impl Keying {
    pub(crate) fn new(seed: u64) -> Self {
        let mut net = Net::new(seed);
        let responder = net.add("192.0.2.2:2000");
        let from = "192.0.2.1:1000".parse().unwrap();
        let mut rng = net.rng.fork();
        let identity = Keyring::new(Identity::generate(&mut rng, IdentityKind::default()), Policy::default());
        let certificate = net.nodes[responder].endpoint.profile().certificate().to_vec();
        let cookie = rhello_cookie(&mut net, responder, from);
        let initiation = identity.initiate(&mut rng, &certificate).unwrap();
        Self { net, responder, from, cookie, skic: initiation.skic().to_vec(), identity, initiation }
    }

    pub(crate) fn send(
        &mut self,
        id: u32,
        certificate: &[u8],
        skic: &[u8],
        sign: impl FnOnce(&Self, &[u8]) -> Vec<u8>,
    ) {
        let signed = IIKeying::signed_parameters(SessionId(id), &self.cookie, certificate, skic);
        let signature = sign(self, &signed);
        let chunk = Chunk::IIKeying(IIKeying::new(&signed, &signature).unwrap());
        let data = startup_datagram(SessionId::STARTUP, &[chunk]);
        self.net.deliver(self.responder, Interface::MAIN, self.from, &data);
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.net.nodes[self.responder].endpoint.stats().dropped(reason)
    }

    pub(crate) fn sessions(&self) -> usize {
        self.net.nodes[self.responder].endpoint.session_count()
    }
}

/// A cookie for `from`, honestly asked for.
fn rhello_cookie(net: &mut Net, responder: NodeId, from: SocketAddr) -> Vec<u8> {
    let wanted = p2pt::crypto::epd::fingerprint(net.peer(responder));
    let hello = startup_datagram(SessionId::STARTUP, &[Chunk::IHello(IHello { epd: &wanted, tag: &[4; 16] })]);
    net.deliver(responder, Interface::MAIN, from, &hello);
    let packet = open(&net.log.last().unwrap().2.data).unwrap();
    let Some(Chunk::RHello(rhello)) = chunk_of(&packet) else { panic!("an RHello") };
    rhello.cookie.to_vec()
}

#[test]
fn a_keying_that_is_not_what_it_claims_makes_no_session() {
    let mut keying = Keying::new(66);
    let certificate = keying.identity.certificate().to_vec();
    let skic = keying.skic.clone();
    let own = keying.net.nodes[keying.responder].endpoint.profile().certificate().to_vec();
    let genuine = |k: &Keying, isp: &[u8]| k.initiation.sign(isp);
    // Whoever, with what session ID, certificate, component, signature.
    keying.send(0, &certificate, &skic, genuine);
    keying.send(1, &own, &skic, genuine);
    keying.send(2, &certificate, &skic, |k, isp| k.initiation.sign(isp)[..63].to_vec());
    keying.send(3, &certificate, &skic, |k, isp| [k.initiation.sign(isp), vec![0]].concat());
    keying.send(4, &certificate, &skic, |k, isp| {
        let mut signature = k.initiation.sign(isp);
        signature[40] ^= 4;
        signature
    });
    keying.send(5, &certificate, &skic, |k, isp| k.initiation.sign(&isp[..isp.len() - 1]));
    keying.send(6, &[], &skic, genuine);
    keying.send(7, &certificate, &[], genuine);
    keying.send(8, &certificate, &[0x01, 0x0d], genuine);
    // A victim's key with an option more: another peer ID, but not the attacker's to sign for.
    let victim = strong(&mut keying.net.rng.fork(), IdentityKind::default());
    keying.send(9, &[victim.certificate(), &[0x01, 0x0a]].concat(), &skic, genuine);
    assert_eq!(keying.sessions(), 0);
    assert!(keying.net.log.iter().all(|(_, kind, _)| *kind == Kind::RHello), "nothing was answered");
    let refusals: BTreeSet<DropReason> =
        keying.net.nodes[keying.responder].endpoint.stats().drops().map(|(reason, _)| reason).collect();
    for refusal in [Refusal::ZeroSessionId, Refusal::OwnIdentity, Refusal::SignatureSize, Refusal::BadSignature] {
        assert!(refusals.contains(&DropReason::KeyingRefused(refusal)), "{refusal:?} in {refusals:?}");
    }
    assert_eq!(keying.dropped(DropReason::KeyingRefused(Refusal::SignatureSize)), 2);
    keying.send(10, &certificate, &skic, genuine);
    assert_eq!(keying.sessions(), 1, "the genuine one still gets its answer");
}

#[test]
fn a_keying_made_for_one_responder_is_worth_nothing_at_another() {
    // M, whom the initiator dialled, hands the IIKeying on to R; only a cookie of R's own could be put in, which is
    // signed.
    let mut keying = Keying::new(67);
    let mut rng = keying.net.rng.fork();
    let middle = strong(&mut rng, IdentityKind::default());
    let for_middle = keying.identity.initiate(&mut rng, middle.certificate()).unwrap();
    let certificate = keying.identity.certificate().to_vec();
    let skic = for_middle.skic().to_vec();
    keying.send(1, &certificate, &skic, |_, isp| for_middle.sign(isp));
    assert_eq!(keying.dropped(DropReason::KeyingRefused(Refusal::BadSignature)), 1);
    // M puts its own certificate in and signs anew: that is M's session, under M's name.
    let as_middle = middle.initiate(&mut rng, keying.net.nodes[keying.responder].endpoint.profile().certificate());
    let as_middle = as_middle.unwrap();
    keying.send(2, middle.certificate(), &skic, |_, isp| as_middle.sign(isp));
    assert_eq!(keying.sessions(), 1);
    assert!(keying.net.nodes[keying.responder].events.is_empty(), "and it never confirms without the ephemeral key");
}

#[test]
fn cookies_are_good_here_now_and_for_this_address_only() {
    let mut keying = Keying::new(68);
    let certificate = keying.identity.certificate().to_vec();
    let skic = keying.skic.clone();
    let genuine = |k: &Keying, isp: &[u8]| k.initiation.sign(isp);
    let home = keying.from;
    for elsewhere in ["192.0.2.1:1001", "192.0.2.3:1000"] {
        keying.from = elsewhere.parse().unwrap();
        keying.send(1, &certificate, &skic, genuine);
    }
    keying.from = home;
    assert_eq!(keying.net.nodes[keying.responder].endpoint.stats().cookie_changes, 2);
    let cookie = keying.cookie.clone();
    for bad in [&cookie[..63], &[cookie.clone(), vec![0]].concat(), &[0; 1025], &[]] {
        keying.cookie = bad.to_vec();
        keying.send(2, &certificate, &skic, genuine);
    }
    let other = keying.net.add("192.0.2.99:99");
    keying.cookie = rhello_cookie(&mut keying.net, other, home);
    keying.send(3, &certificate, &skic, genuine);
    assert_eq!(keying.dropped(DropReason::ForeignCookie), 5);
    keying.cookie = cookie;
    keying.net.run_for(ms(120_000));
    keying.send(4, &certificate, &skic, genuine);
    assert_eq!(keying.dropped(DropReason::ExpiredCookie), 1);
    assert_eq!((keying.sessions(), keying.net.nodes[keying.responder].endpoint.stats().keyings_examined), (0, 0));
}

#[test]
fn a_strong_certificate_cannot_be_talked_down() {
    for flash in [false, true] {
        let mut keying = Keying::new(69);
        let policy = Policy { flash, ..Policy::default() };
        let mut rng = keying.net.rng.fork();
        let kind = IdentityKind { flash, ..IdentityKind::default() };
        let profile = Keyring::new(Identity::generate(&mut rng, kind), policy);
        let config = EndpointConfig::default();
        keying.responder = keying.net.add_with("192.0.2.5:5000", std::sync::Arc::new(profile), config);
        keying.cookie = rhello_cookie(&mut keying.net, keying.responder, keying.from);
        let certificate = keying.identity.certificate().to_vec();
        // Flash components and Flash's non-signature, with a strong certificate.
        let mut flash_skic = vec![0x02, 0x1d, 0x0e, 0x41, 0x0e];
        flash_skic.extend([9; 64]);
        keying.send(1, &certificate, &flash_skic, |_, _| b"X".to_vec());
        let skic = keying.skic.clone();
        keying.send(2, &certificate, &skic, |_, _| b"X".to_vec());
        // The mark stripped, doubled, behind a Marker, of another version.
        let stripped: Vec<u8> = certificate[44..].to_vec();
        let doubled = [&certificate[..44], &certificate[..]].concat();
        let behind = [&[0][..], &certificate[..]].concat();
        let mut version = certificate.clone();
        version[11] = 2;
        for (n, bad) in [stripped, doubled, behind, version].into_iter().enumerate() {
            keying.send(3 + n as u32, &bad, &flash_skic, |_, _| b"X".to_vec());
            keying.send(30 + n as u32, &bad, &skic, |k, isp| k.initiation.sign(isp));
        }
        let strong_ones = keying.net.nodes[keying.responder].endpoint.stats().keyings_examined;
        assert_eq!(strong_ones, 0, "flash {flash}: all refused before any public-key work");
        assert_eq!(keying.sessions(), 0, "flash {flash}");
    }
}

#[test]
fn our_own_packets_reflected_to_us_do_nothing() {
    let (mut net, a, b) = pair(70);
    let home = net.address(a);
    let mut reflected = Vec::new();
    net.dial(a, b);
    for _ in 0..40 {
        net.run_for(ms(5));
        for (_, kind, datagram) in net.log.drain(..) {
            if datagram.from == home {
                reflected.push((kind, datagram));
            }
        }
        for (_, datagram) in reflected.drain(..) {
            net.inject(ms(1), Datagram { from: datagram.to, to: home, data: datagram.data });
        }
    }
    net.run_for(ms(2000));
    assert!(net.are_joined(a, b));
    assert_eq!(net.incoming(a), 0);
}

#[test]
fn startup_chunks_have_their_places_and_one_answer_goes_to_a_datagram() {
    let (mut net, a, _) = pair(71);
    let wanted = p2pt::crypto::epd::fingerprint(net.peer(a));
    let hello = Chunk::IHello(IHello { epd: &wanted, tag: &[8; 16] });
    let from: SocketAddr = "192.0.2.2:2000".parse().unwrap();
    net.deliver(a, Interface::MAIN, from, &startup_datagram(SessionId::STARTUP, &[hello, hello, hello]));
    assert_eq!(net.log.len(), 1);
    let signed = RIKeying::signed_parameters(SessionId(5), b"skrc");
    for misplaced in [
        Chunk::RIKeying(RIKeying::new(&signed, b"X").unwrap()),
        Chunk::RHelloCookieChange(RHelloCookieChange { old: b"a", new: b"b" }),
        Chunk::Ping(b"ping"),
        Chunk::SessionClose,
    ] {
        net.deliver(a, Interface::MAIN, from, &startup_datagram(SessionId::STARTUP, &[misplaced]));
    }
    // The default key with another mode; an impossible source; a tag too long; a bad checksum.
    let mut packet = open(&startup_datagram(SessionId::STARTUP, &[hello])).unwrap();
    packet[0] = 1;
    net.deliver(a, Interface::MAIN, from, &p2pt::crypto::startup::seal(SessionId::STARTUP, &packet));
    let good = startup_datagram(SessionId::STARTUP, &[hello]);
    for impossible in ["224.0.0.1:9", "192.0.2.2:0", "255.255.255.255:7", "[ff02::1]:9"] {
        net.deliver(a, Interface::MAIN, impossible.parse().unwrap(), &good);
    }
    let long = Chunk::IHello(IHello { epd: &wanted, tag: &[8; 129] });
    net.deliver(a, Interface::MAIN, from, &startup_datagram(SessionId::STARTUP, &[long]));
    // Garbage in the last cipher block leaves the session ID and breaks the checksum.
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    net.deliver(a, Interface::MAIN, from, &broken);
    assert_eq!(net.log.len(), 1, "nothing else was answered");
    let stats = net.nodes[a].endpoint.stats();
    for (reason, count) in [
        (DropReason::SecondRequest, 2),
        (DropReason::Misplaced, 4),
        (DropReason::NotStartup, 1),
        (DropReason::ImpossibleSource, 4),
        (DropReason::OversizedHello, 1),
        (DropReason::NotOpened(OpenError::BadChecksum), 1),
    ] {
        assert_eq!(stats.dropped(reason), count, "{reason}");
    }
}
