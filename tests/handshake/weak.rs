//! Keys and signatures that are worth less than they look, and certificates that are not what was asked for.

use std::net::SocketAddr;
use std::sync::Arc;

use p2pt::base::{Interface, Path, SessionId, from_hex};
use p2pt::crypto::sign::{Label, SignKey};
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy, Profile, Refusal, epd};
use p2pt::endpoint::{DropReason, EndpointConfig};
use p2pt::wire::{Chunk, RHello, RIKeying};
use sha2::{Digest as _, Sha256};

use crate::forged::Keying;
use crate::net::{Fate, Kind, Net, altered, chunk_of, kind_of, ms, open, startup_datagram, strong};

/// Points of order 1, 2, 4 and 8 on the curve of X25519 and its twist, and their other forms.
fn low_order() -> Vec<[u8; 32]> {
    let points: Vec<String> =
        serde_json::from_str(include_str!("../vectors/low_order.json")).expect("the vectors are JSON");
    points.iter().map(|hex| point(hex)).collect()
}

fn point(hex: &str) -> [u8; 32] {
    from_hex(hex).unwrap().try_into().unwrap()
}

/// A component with another key in it: its last 32 bytes.
fn with_key(component: &[u8], key: &[u8; 32]) -> Vec<u8> {
    [&component[..component.len() - 32], key].concat()
}

#[test]
fn weak_keys_and_the_other_form_of_a_signature_open_nothing() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut keying = Keying::new(86);
    let certificate = keying.identity.certificate().to_vec();
    let skic = keying.skic.clone();
    // S + L signs the same with lax verification.
    keying.send(1, &certificate, &skic, |k, isp| {
        let mut signature = k.initiation.sign(isp);
        let mut carry = 0;
        for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        signature
    });
    assert_eq!(keying.dropped(DropReason::KeyingRefused(Refusal::BadSignature)), 1);
    // Under identity keys of small order anybody's zeros verify; those not canonical have a second peer ID.
    let identity_keys = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    for (n, key) in (10..).zip(identity_keys) {
        let shown = [&certificate[..12], &point(key), &certificate[44..]].concat();
        let forged = [&point(identity_keys[1])[..], &[0; 32]].concat();
        keying.send(n, &shown, &skic, |_, _| forged);
    }
    let weak = DropReason::KeyingRefused(Refusal::WeakIdentityKey);
    assert_eq!(keying.dropped(weak), identity_keys.len() as u64);
    let points = low_order();
    for (n, &point) in (30..).zip(&points) {
        for high_bit in [0, 0x80] {
            let mut low = point;
            low[31] |= high_bit;
            keying.send(n + u32::from(high_bit), &certificate, &with_key(&skic, &low), |k, isp| k.initiation.sign(isp));
            keying.net.run_for(ms(100));
        }
    }
    assert_eq!(keying.dropped(DropReason::KeyingRefused(Refusal::WeakPublicKey)), 2 * points.len() as u64);
    assert_eq!(keying.sessions(), 0);
    assert_eq!(keying.net.count(Kind::RIKeying), 0);
}

/// Answers the first IIKeying of a dialler for `certificate` with this component, signed by `key`.
fn answer(net: &Net, certificate: &[u8], key: &SignKey, component: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let packet = open(&net.first(Kind::IIKeying).data).unwrap();
    let Some(Chunk::IIKeying(keying)) = chunk_of(&packet) else { panic!("an IIKeying") };
    let lp = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let rsp = RIKeying::signed_parameters(SessionId(9), &component(keying.skic));
    let h1 = Sha256::digest([b"p2pt/strong/1 transcript\0", &lp(certificate)[..], &lp(keying.signed())].concat());
    let h2 = Sha256::digest([&h1[..], &lp(&rsp)].concat());
    let signature = key.sign(Label::Responder, &[&h2]);
    let chunk = RIKeying::new(&rsp, &signature).unwrap();
    startup_datagram(keying.initiator_session_id, &[Chunk::RIKeying(chunk)])
}

#[test]
fn a_responder_s_low_order_points_and_another_s_signature_open_nothing() {
    let mut net = Net::new(87);
    let a = net.add("192.0.2.1:1000");
    let mut rng = net.rng.fork();
    let [genuine, middle] = [0, 1].map(|_| Identity::generate(&mut rng, IdentityKind::default()));
    let b = net.add_with(
        "192.0.2.2:2000",
        Arc::new(Keyring::new(genuine.clone(), Policy::default())),
        EndpointConfig::default(),
    );
    net.filter =
        Box::new(|_, datagram| if kind_of(&datagram.data) == Kind::RIKeying { Fate::Drop } else { Fate::Pass });
    net.dial(a, b);
    net.run_until(ms(1000), |net| net.count(Kind::IIKeying) > 0).unwrap();
    let from = net.address(b);
    let reasons = |net: &Net, refusal| net.nodes[a].endpoint.stats().dropped(DropReason::AnswerRefused(refusal));
    // The genuine responder itself, with a key that yields no secret.
    let points = low_order();
    for low in &points {
        let forged = answer(&net, genuine.certificate(), genuine.sign_key(), |skic| with_key(skic, low));
        net.deliver(a, Interface::MAIN, from, &forged);
    }
    assert_eq!(reasons(&net, Refusal::WeakPublicKey), points.len() as u64);
    // Whoever is in the middle, with its own signature under the genuine certificate, and under its own.
    for certificate in [genuine.certificate(), middle.certificate()] {
        let forged = answer(&net, certificate, middle.sign_key(), <[u8]>::to_vec);
        net.deliver(a, Interface::MAIN, from, &forged);
    }
    // The genuine key, for another certificate.
    let forged = answer(&net, middle.certificate(), genuine.sign_key(), <[u8]>::to_vec);
    net.deliver(a, Interface::MAIN, from, &forged);
    assert_eq!(reasons(&net, Refusal::BadSignature), 3);
    assert!(net.opened(a).is_empty());
    // And so it is with the right hash, key and point: this way of making answers is the genuine one's.
    let good = answer(&net, genuine.certificate(), genuine.sign_key(), <[u8]>::to_vec);
    net.deliver(a, Interface::MAIN, from, &good);
    assert_eq!(net.opened(a).len(), 1);
}

#[test]
fn a_responder_s_certificate_exchanged_on_the_way_is_not_who_was_dialled() {
    let mut net = Net::new(88);
    let [a, b] = [net.add("192.0.2.1:1000"), net.add("192.0.2.2:2000")];
    let middle = strong(&mut net.rng, IdentityKind::default());
    let mut exchanged = 0;
    net.filter = Box::new(move |_, datagram| {
        if kind_of(&datagram.data) == Kind::RHello && exchanged < 3 {
            exchanged += 1;
            datagram.data = altered(&datagram.data, |chunk, out| {
                let Chunk::RHello(hello) = chunk else { panic!("an RHello") };
                Chunk::RHello(RHello { certificate: middle.certificate(), ..hello }).encode(out);
            });
        }
        Fate::Pass
    });
    net.dial(a, b);
    net.run_until(ms(9000), |net| net.are_joined(a, b)).expect("the fourth is genuine");
    assert_eq!(net.nodes[a].endpoint.stats().dropped(DropReason::WrongIdentity), 3);
    assert_eq!(net.nodes[b].endpoint.stats().keyings_examined, 1, "the others were not keyed with");
}

#[test]
fn damaged_certificates_and_overlong_cookies_of_responders_are_refused_in_either_profile() {
    let mut rng = p2pt::base::Rng::for_simulation(89);
    let server = strong(&mut rng, IdentityKind { server: true, ..IdentityKind::default() });
    let whole = server.certificate().to_vec();
    // What can't be read is not even a server. `01 0a`, then the option of 44 bytes, then the groups.
    let (mark, option, rest) = (&whole[..2], &whole[2..46], &whole[46..]);
    let mut version = whole.clone();
    version[13] = 2;
    let cases: [(&str, Vec<u8>, DropReason); 5] = [
        ("doubled", [mark, option, option, rest].concat(), DropReason::WrongIdentity),
        ("behind a Marker", [mark, &[0], option, rest].concat(), DropReason::WrongIdentity),
        ("version 2", version, DropReason::WrongIdentity),
        ("cut", [mark, &option[..20]].concat(), DropReason::WrongIdentity),
        ("stripped", [mark, rest].concat(), DropReason::RHelloRefused(Refusal::FlashNotAllowed)),
    ];
    for (flash, (case, certificate, reason)) in
        [false, true].into_iter().flat_map(|flash| cases.clone().map(|c| (flash, c)))
    {
        let mut net = Net::new(89);
        let policy = Policy { flash, ..Policy::default() };
        let profile = Keyring::new(Identity::generate(&mut net.rng, IdentityKind::default()), policy);
        let a = net.add_with("192.0.2.1:1000", Arc::new(profile), EndpointConfig::default());
        let from: SocketAddr = "192.0.2.2:2000".parse().unwrap();
        // Dialled without an ID: anybody will do, but nobody damaged.
        let wanted = epd::ancillary("rtmfp://192.0.2.2");
        net.command(a, |endpoint, now| endpoint.connect(now, &wanted, &[Path::to(from)]));
        let packet = open(&net.first(Kind::IHello).data).unwrap();
        let Some(Chunk::IHello(hello)) = chunk_of(&packet) else { panic!("an IHello") };
        let deliver = |net: &mut Net, cookie: &[u8], certificate: &[u8]| {
            let rhello = Chunk::RHello(RHello { tag: hello.tag, cookie, certificate });
            net.deliver(a, Interface::MAIN, from, &startup_datagram(SessionId::STARTUP, &[rhello]));
        };
        deliver(&mut net, &[1; 1025], &whole);
        deliver(&mut net, &[1; 64], &certificate);
        let stats = net.nodes[a].endpoint.stats();
        assert_eq!(stats.dropped(DropReason::OversizedCookie), 1, "{case}");
        if flash && case == "stripped" {
            // What is left is an ephemeral certificate of RFC 7425, and whose it is nobody says.
            assert!(net.count(Kind::IIKeying) > 0, "{case}");
            continue;
        }
        assert_eq!(stats.dropped(reason), 1, "{case}, flash {flash}");
        assert_eq!(net.count(Kind::IIKeying), 0, "{case}, flash {flash}");
        // So long a cookie makes an IIKeying that goes out in pieces.
        deliver(&mut net, &[1; 1024], &whole);
        assert!(net.count(Kind::Fragment) > 0, "{case}: the whole one is keyed with");
    }
}
