//! The vector of the design, which two independent derivations agree on, and what has to be refused.

use std::ops::Range;

use x25519_dalek::StaticSecret;

use super::component;
use super::keying::{Responder, StrongInitiation, known_to_initiator, respond_with, transcript};
use super::packets::{GcmOpener, GcmSealer, LAST_NUMBER};
use super::schedule::{EpochSecret, Schedule};
use crate::base::{Rng, SessionId, from_hex, to_hex};
use crate::crypto::identity::{Identity, IdentityKind};
use crate::crypto::packet::{OpenError, Opened, Opener, Sealer, session_id_of};
use crate::crypto::profile::{Initiation, Profile, Refusal, Response, SessionKeys};
use crate::crypto::sign::SignKey;
use crate::crypto::{Keyring, Policy};
use crate::wire::{IIKeying, RIKeying};

const ISID: SessionId = SessionId(0xa1a2_a3a4);
const RSID: SessionId = SessionId(0xb1b2_b3b4);
const COOKIE: [u8; 64] = [0x55; 64];
const PLAIN: &str = "0d0102030401000568656c6c6f";

/// The handshake of the vector, with both ends' messages.
struct Vector {
    initiator: Identity,
    responder: Identity,
    isp: Vec<u8>,
    response: Response,
    keys: SessionKeys,
    ii_signature: Vec<u8>,
    rsp: Vec<u8>,
}

fn vector() -> Vector {
    let initiator = Identity::new(SignKey::from_seed(&[0x11; 32]), None, false);
    let responder = Identity::new(SignKey::from_seed(&[0x22; 32]), None, false);
    let mut initiation = StrongInitiation::with_ephemeral(
        StaticSecret::from([0x33; 32]),
        initiator.sign_key(),
        responder.certificate(),
        responder.sign_key().public(),
        4096,
    );
    let isp = IIKeying::signed_parameters(ISID, &COOKIE, initiator.certificate(), initiation.skic());
    let ii_signature = initiation.sign(&isp);
    let near = Responder {
        sign_key: responder.sign_key(),
        certificate: responder.certificate(),
        session_id: RSID,
        window: 4096,
    };
    let known = known_to_initiator(responder.certificate(), &isp);
    let public = component::decode(initiation.skic()).unwrap();
    let response = respond_with(StaticSecret::from([0x44; 32]), near, &known, public).unwrap();
    let rsp = RIKeying::signed_parameters(RSID, &response.skrc);
    let rikeying = RIKeying::new(&rsp, &response.signature).unwrap();
    let keys = initiation.complete(&[&isp], &rikeying).unwrap();
    assert_eq!(initiation.complete(&[&isp], &rikeying).err(), Some(Refusal::Over));
    Vector { initiator, responder, isp, response, keys, ii_signature, rsp }
}

fn schedule(vector: &Vector) -> Schedule {
    let hash = transcript(&known_to_initiator(vector.responder.certificate(), &vector.isp), &vector.rsp);
    let shared =
        StaticSecret::from([0x33; 32]).diffie_hellman(&component::decode(&vector.response.skrc).unwrap().into());
    Schedule::new(&hash, shared.as_bytes())
}

fn i2r() -> EpochSecret {
    schedule(&vector()).initiator_to_responder
}

fn open(opener: &mut dyn Opener, id: SessionId, datagram: &[u8]) -> Opened {
    let mut data = datagram.to_vec();
    let mut out = Vec::new();
    opener.open_batch(id, &mut data, datagram.len().max(1), &mut out);
    out.pop().unwrap_or(Opened::failed(0, None, OpenError::TooShort))
}

#[test]
fn the_handshake_vector_is_reproduced_byte_for_byte() {
    let vector = vector();
    assert!(vector.initiator.peer_id().to_string().starts_with("97ac8c3d"));
    assert!(vector.responder.peer_id().to_string().starts_with("2e7d33b0"));
    let h1 = known_to_initiator(vector.responder.certificate(), &vector.isp);
    assert_eq!(to_hex(&h1), "42cbca96ffa339387aff1cfda0b0e5c58718442e1ff3002e0d24822ed7b5a5f1");
    let h2 = transcript(&h1, &vector.rsp);
    assert_eq!(to_hex(&h2), "4896dfe18232335f06755a33fcc5271dfdb840816c1b8790e3a6828651102c52");
    assert!(to_hex(&vector.ii_signature).starts_with("bfbea2b8"));
    assert!(to_hex(&vector.response.signature).starts_with("98ee6d26"));
    let key = schedule(&vector).initiator_to_responder.key();
    assert_eq!(to_hex(&key.key), "9b7d82a91c131cb1b04de971697c97ba");
    assert_eq!(to_hex(&key.iv), "2511a4d37541fe35561b5203");
    assert!(to_hex(&vector.keys.near_nonce).starts_with("a1fcace9"));
    assert!(to_hex(&vector.keys.far_nonce).starts_with("60489ad3"));
    assert_eq!(vector.response.keys.near_nonce, vector.keys.far_nonce);
    assert_eq!(vector.response.keys.far_nonce, vector.keys.near_nonce);
}

#[test]
fn the_packet_vectors_are_reproduced_byte_for_byte() {
    let mut vector = vector();
    let plain = from_hex(PLAIN).unwrap();
    let first = vector.keys.sealer.seal(RSID, &plain);
    assert_eq!(to_hex(&first), "b1b2404e000000000000f3fae4cc9777c1275086072c235bfcf553a11389ac3e10b3666155c027");
    let later = GcmSealer::starting_at(i2r(), 1 << 23).seal(RSID, &plain);
    assert_eq!(to_hex(&later), "b1b20141000000800000b275dc93cf6c32b173e15d3812a33d5ce647514a236a76bd2b279449b6");
    for (number, datagram) in [(0, first), (1 << 23, later)] {
        assert_eq!(session_id_of(&datagram), Some(RSID));
        let opened = open(&mut *vector.response.keys.opener, RSID, &datagram);
        assert_eq!((opened.result, opened.number, opened.newest), (Ok(()), Some(number), true));
        assert_eq!(opened.plain, 10..10 + plain.len());
    }
}

#[test]
fn messages_have_the_sizes_that_the_design_counts_on() {
    let vector = vector();
    let chunk_and_timestamp = 3 + 3;
    let sealed = |payload: usize| 4 + (2 + chunk_and_timestamp + payload).next_multiple_of(16);
    assert_eq!(sealed(1 + 16 + 1 + 64 + vector.responder.certificate().len()), 148);
    assert_eq!(sealed(vector.isp.len() + vector.ii_signature.len()), 244);
    assert_eq!(sealed(vector.rsp.len() + vector.response.signature.len()), 132);
}

struct Ends {
    rng: Rng,
    near: Keyring,
    far: Keyring,
}

fn ends() -> Ends {
    let mut rng = Rng::for_simulation(7);
    let [near, far] = [false, true].map(|server| {
        let identity = Identity::generate(&mut rng, IdentityKind { server, flash: false });
        Keyring::new(identity, Policy { flash: true, ..Policy::default() })
    });
    Ends { rng, near, far }
}

/// Copies of `bytes` with one bit of one byte flipped, for every byte.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|at| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        flipped
    })
}

#[test]
fn no_byte_of_iikeying_can_change() {
    let Ends { mut rng, near, far } = ends();
    let initiation = near.initiate(&mut rng, far.certificate()).unwrap();
    let isp = IIKeying::signed_parameters(ISID, &COOKIE, near.certificate(), initiation.skic());
    let signature = initiation.sign(&isp);
    let mut refuse = |isp: &[u8], signature: &[u8]| {
        // What does not decode never reaches a profile.
        let Ok(keying) = IIKeying::new(isp, signature) else { return None };
        Some(far.respond(&mut rng, &keying, RSID).expect_err("a changed IIKeying"))
    };
    for isp in flips(&isp) {
        refuse(&isp, &signature);
    }
    for signature in flips(&signature) {
        assert_eq!(refuse(&isp, &signature), Some(Refusal::BadSignature));
    }
    assert_eq!(refuse(&isp, &signature[..63]), Some(Refusal::SignatureSize));
    assert_eq!(refuse(&isp, &[&signature[..], &[0]].concat()), Some(Refusal::SignatureSize));
    assert_eq!(refuse(&isp, b"X"), Some(Refusal::SignatureSize));
    let zero = IIKeying::signed_parameters(SessionId(0), &COOKIE, near.certificate(), initiation.skic());
    assert_eq!(refuse(&zero, &initiation.sign(&zero)), Some(Refusal::ZeroSessionId));
    let own = IIKeying::signed_parameters(ISID, &COOKIE, far.certificate(), initiation.skic());
    assert_eq!(refuse(&own, &initiation.sign(&own)), Some(Refusal::OwnIdentity));
    let keying = IIKeying::new(&isp, &signature).unwrap();
    assert!(far.respond(&mut Rng::for_simulation(8), &keying, RSID).is_ok());
}

#[test]
fn no_byte_of_rikeying_can_change_and_a_forged_one_does_not_end_the_attempt() {
    let Ends { mut rng, near, far } = ends();
    let mut initiation = near.initiate(&mut rng, far.certificate()).unwrap();
    let isp = IIKeying::signed_parameters(ISID, &COOKIE, near.certificate(), initiation.skic());
    let signature = initiation.sign(&isp);
    let response = far.respond(&mut rng, &IIKeying::new(&isp, &signature).unwrap(), RSID).unwrap();
    let rsp = RIKeying::signed_parameters(RSID, &response.skrc);
    let mut refuse = |rsp: &[u8], signature: &[u8]| {
        let Ok(rikeying) = RIKeying::new(rsp, signature) else { return None };
        Some(initiation.complete(&[&isp], &rikeying).expect_err("a changed RIKeying"))
    };
    for rsp in flips(&rsp) {
        refuse(&rsp, &response.signature);
    }
    for signature in flips(&response.signature) {
        assert_eq!(refuse(&rsp, &signature), Some(Refusal::BadSignature));
    }
    assert_eq!(refuse(&rsp, &response.signature[..63]), Some(Refusal::SignatureSize));
    let zero = RIKeying::signed_parameters(SessionId(0), &response.skrc);
    assert_eq!(refuse(&zero, &response.signature), Some(Refusal::ZeroSessionId));
    // A reflection of the initiator's own words.
    let own = RIKeying::signed_parameters(ISID, component_of(&isp));
    assert_eq!(refuse(&own, &signature), Some(Refusal::BadSignature));
    let rikeying = RIKeying::new(&rsp, &response.signature).unwrap();
    let other_cookie = IIKeying::signed_parameters(ISID, &[1; 64], near.certificate(), initiation.skic());
    assert_eq!(initiation.complete(&[&other_cookie], &rikeying).err(), Some(Refusal::BadSignature));
    assert!(initiation.complete(&[&other_cookie, &isp], &rikeying).is_ok());
}

fn component_of(isp: &[u8]) -> &[u8] {
    IIKeying::new(isp, &[]).unwrap().skic
}

#[test]
fn keying_meant_for_another_is_refused() {
    let Ends { mut rng, near, far } = ends();
    let mallory = Keyring::new(Identity::generate(&mut rng, IdentityKind::default()), Policy::default());
    // Made for Mallory, relayed by her.
    let initiation = near.initiate(&mut rng, mallory.certificate()).unwrap();
    let isp = IIKeying::signed_parameters(ISID, &COOKIE, near.certificate(), initiation.skic());
    let signature = initiation.sign(&isp);
    let relayed = IIKeying::new(&isp, &signature).unwrap();
    assert_eq!(far.respond(&mut rng, &relayed, RSID).err(), Some(Refusal::BadSignature));
    // The initiator's certificate exchanged, and signed anew by somebody else.
    let swapped = IIKeying::signed_parameters(ISID, &COOKIE, near.certificate(), initiation.skic());
    let hash = known_to_initiator(far.certificate(), &swapped);
    let forged = mallory.identity().sign_key().sign(crate::crypto::sign::Label::Initiator, &[&hash]);
    let keying = IIKeying::new(&swapped, &forged).unwrap();
    assert_eq!(far.respond(&mut rng, &keying, RSID).err(), Some(Refusal::BadSignature));
    // The victim's key with one more option is another identity, and only the victim can use it.
    let alias = [far.certificate(), &[0x02, 0x0e, 0x77]].concat();
    let far_identity = near.examine(&alias).unwrap();
    assert_ne!(far_identity.peer_id, far.peer_id());
    let mut initiation = near.initiate(&mut rng, &alias).unwrap();
    let isp = IIKeying::signed_parameters(ISID, &COOKIE, near.certificate(), initiation.skic());
    let signature = initiation.sign(&isp);
    let keying = IIKeying::new(&isp, &signature).unwrap();
    assert_eq!(far.respond(&mut rng, &keying, RSID).err(), Some(Refusal::BadSignature));
    // And a genuine answer under the other certificate does not complete this attempt.
    let genuine = near.initiate(&mut rng, far.certificate()).unwrap();
    let genuine_isp = IIKeying::signed_parameters(ISID, &COOKIE, near.certificate(), genuine.skic());
    let genuine_signature = genuine.sign(&genuine_isp);
    let answer = far.respond(&mut rng, &IIKeying::new(&genuine_isp, &genuine_signature).unwrap(), RSID).unwrap();
    let rsp = RIKeying::signed_parameters(RSID, &answer.skrc);
    let rikeying = RIKeying::new(&rsp, &answer.signature).unwrap();
    assert_eq!(initiation.complete(&[&isp, &genuine_isp], &rikeying).err(), Some(Refusal::BadSignature));
}

#[test]
fn low_order_points_yield_no_session() {
    // u-coordinates of the points of order 1, 2, 4 and 8 on the curve and its twist, and their other forms.
    let points: Vec<String> =
        serde_json::from_str(include_str!("../../../tests/vectors/low_order.json")).expect("vectors are JSON");
    let Ends { mut rng, near, far } = ends();
    for (point, high_bit) in points.iter().flat_map(|point| [(point, false), (point, true)]) {
        let mut point: [u8; 32] = from_hex(point).unwrap().try_into().unwrap();
        point[31] |= u8::from(high_bit) << 7;
        let skic = component::encode(&point);
        let initiation = near.initiate(&mut rng, far.certificate()).unwrap();
        let isp = IIKeying::signed_parameters(ISID, &COOKIE, near.certificate(), &skic);
        let signature = initiation.sign(&isp);
        let keying = IIKeying::new(&isp, &signature).unwrap();
        assert_eq!(far.respond(&mut rng, &keying, RSID).err(), Some(Refusal::WeakPublicKey), "{point:02x?}");
    }
}

#[test]
fn a_session_speaks_both_ways_in_batches() {
    let Vector { mut keys, mut response, .. } = vector();
    let far = &mut response.keys;
    for (sealer, opener, id) in [(&mut keys.sealer, &mut far.opener, RSID), (&mut far.sealer, &mut keys.opener, ISID)] {
        let (head, segment) = (sealer.head(), sealer.sealed_len(40));
        let packets: Vec<Range<usize>> = (0..5).map(|n| n * segment + head..n * segment + head + 40 - n / 4).collect();
        let mut buf: Vec<u8> = (0..5 * segment - 1).map(|n| n as u8).collect();
        let plains: Vec<Vec<u8>> = packets.iter().map(|packet| buf[packet.clone()].to_vec()).collect();
        sealer.seal_batch(id, &mut buf, &packets);
        let mut out = Vec::new();
        opener.open_batch(id, &mut buf, segment, &mut out);
        let opened: Vec<Vec<u8>> = out.iter().map(|opened| buf[opened.plain.clone()].to_vec()).collect();
        assert_eq!(opened, plains);
        assert!(out.iter().zip(0..).all(|(opened, n)| opened.number == Some(n) && opened.newest));
        assert_eq!(sealer.max_plain(segment), 40);
    }
}

#[test]
fn altered_replayed_and_misdirected_packets_do_not_open() {
    let Vector { mut keys, mut response, .. } = vector();
    let (sealer, opener) = (&mut *keys.sealer, &mut *response.keys.opener);
    let datagram = sealer.seal(RSID, b"packet");
    // The session ID selects the session and is authenticated in the clear form; 4..10 is the number.
    for (at, flipped) in flips(&datagram).enumerate().skip(4) {
        let error = open(opener, RSID, &flipped).result.expect_err("a changed packet");
        let expected: &[OpenError] = if (4..10).contains(&at) {
            &[OpenError::NotAuthentic, OpenError::OtherEpoch]
        } else {
            &[OpenError::NotAuthentic]
        };
        assert!(expected.contains(&error), "byte {at}: {error}");
    }
    assert_eq!(open(opener, ISID, &datagram).result, Err(OpenError::NotAuthentic));
    assert_eq!(open(&mut *keys.opener, RSID, &datagram).result, Err(OpenError::NotAuthentic), "reflected");
    for len in 0..27 {
        assert_eq!(open(opener, RSID, &datagram[..len]).result, Err(OpenError::TooShort));
    }
    assert_eq!(open(opener, RSID, &datagram[..27]).result, Err(OpenError::NotAuthentic));
    assert_eq!(open(opener, RSID, &datagram).result, Ok(()));
    let again = open(opener, RSID, &datagram);
    assert_eq!((again.result, again.number, again.newest), (Err(OpenError::Replayed), Some(0), false));
}

#[test]
fn the_window_takes_late_packets_once_and_forgets_older_ones() {
    let mut sealer = GcmSealer::new(i2r());
    let mut opener = GcmOpener::new(i2r(), 4096);
    let datagrams: Vec<_> = (0..=4096).map(|_| sealer.seal(RSID, b"x")).collect();
    let newest = open(&mut opener, RSID, &datagrams[4096]);
    assert!(newest.newest);
    assert_eq!(open(&mut opener, RSID, &datagrams[0]).result, Err(OpenError::BelowWindow));
    let late = open(&mut opener, RSID, &datagrams[1]);
    assert_eq!((late.result, late.newest), (Ok(()), false));
    assert_eq!(open(&mut opener, RSID, &datagrams[1]).result, Err(OpenError::Replayed));
}

#[test]
fn keys_change_under_loss_and_reordering_and_old_ones_go() {
    const EPOCH: u64 = 1 << 23;
    let mut sealer = GcmSealer::starting_at(i2r(), EPOCH - 3);
    let datagrams: Vec<_> = (0..6).map(|n| sealer.seal(RSID, &[n])).collect();
    // Numbers EPOCH − 3 to EPOCH + 2; a batch may straddle the change.
    let mut batched = GcmSealer::starting_at(i2r(), EPOCH - 3);
    let mut buf: Vec<u8> = (0..6).flat_map(|n| [&[0; 10][..], &[n], &[0; 16]].concat()).collect();
    batched.seal_batch(RSID, &mut buf, &std::array::from_fn::<_, 6, _>(|n| n * 27 + 10..n * 27 + 11));
    assert_eq!(buf, datagrams.concat());

    let mut opener = GcmOpener::new(i2r(), 4096);
    for (index, newest) in [(1, true), (4, true), (0, false), (5, true), (2, false), (3, false)] {
        let opened = open(&mut opener, RSID, &datagrams[index]);
        assert_eq!((opened.result, opened.newest), (Ok(()), newest), "{index}");
    }
    // The last epoch's key stays exactly while the window reaches into it.
    let mut opener = GcmOpener::new(i2r(), 4096);
    assert!(open(&mut opener, RSID, &datagrams[4]).newest);
    assert!(open(&mut opener, RSID, &GcmSealer::starting_at(i2r(), EPOCH + 4094).seal(RSID, b"x")).newest);
    assert_eq!(open(&mut opener, RSID, &datagrams[1]).result, Err(OpenError::BelowWindow));
    assert_eq!(open(&mut opener, RSID, &datagrams[2]).result, Ok(()));
    assert!(format!("{opener:?}").contains("last: true"));
    assert!(open(&mut opener, RSID, &GcmSealer::starting_at(i2r(), EPOCH + 4095).seal(RSID, b"x")).newest);
    assert!(format!("{opener:?}").contains("last: false"));
}

#[test]
fn only_an_authentic_packet_moves_the_epoch_and_never_by_two() {
    const EPOCH: u64 = 1 << 23;
    let mut opener = GcmOpener::new(i2r(), 4096);
    let ahead = GcmSealer::starting_at(i2r(), 2 * EPOCH).seal(RSID, b"x");
    assert_eq!(open(&mut opener, RSID, &ahead).result, Err(OpenError::OtherEpoch));
    let mut forged = GcmSealer::starting_at(i2r(), EPOCH).seal(RSID, b"x");
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(open(&mut opener, RSID, &forged).result, Err(OpenError::NotAuthentic));
    assert_eq!(open(&mut opener, RSID, &ahead).result, Err(OpenError::OtherEpoch));
    let next = GcmSealer::starting_at(i2r(), EPOCH).seal(RSID, b"x");
    assert_eq!(open(&mut opener, RSID, &next).result, Ok(()));
    assert_eq!(open(&mut opener, RSID, &ahead).result, Ok(()));
    assert_eq!(open(&mut opener, RSID, &GcmSealer::new(i2r()).seal(RSID, b"x")).result, Err(OpenError::BelowWindow));
    assert_eq!(GcmSealer::new(i2r()).max_batch() as u64, LAST_NUMBER);
}
