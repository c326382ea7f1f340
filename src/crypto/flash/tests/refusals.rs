//! Downgrades, certificates that prove nothing, packets that are not what they seem.

use proptest::prelude::*;

use crate::base::{Rng, SessionId};
use crate::crypto::cbc::{Decryptor, Encryptor};
use crate::crypto::flash::packets::{CbcOpener, CbcSealer};
use crate::crypto::packet::{OpenError, Opener, Sealer};
use crate::crypto::profile::{Profile, ProfileKind, Refusal, SessionKeys};
use crate::crypto::{FlashPeer, Identity, IdentityKind, Keyring, Policy, epd, fingerprint};
use crate::wire::{IIKeying, RIKeying, put_option, vlu};

use super::{hex, load, open};
use crate::crypto::group::Group;

const ISID: SessionId = SessionId(1);
const RSID: SessionId = SessionId(2);
const TAG: [u8; 32] = [7; 32];

fn keyring(rng: &mut Rng, kind: IdentityKind, flash: bool) -> Keyring {
    // Group 14 alone: group 16 takes long in an unoptimised build.
    let policy = Policy { flash, flash_groups: vec![Group::Modp2048], ..Policy::default() };
    Keyring::new(Identity::generate(rng, kind), policy)
}

/// A certificate of RFC 7425 that anyone can show.
fn ephemeral_certificate() -> Vec<u8> {
    let mut certificate = vec![0x01, 0x0a];
    put_option(&mut certificate, 0x15, &[14]);
    put_option(&mut certificate, 0x0e, &[5; 64]);
    certificate
}

/// The refusal of an IIKeying with these fields.
fn respond(near: &Keyring, certificate: &[u8], skic: &[u8], signature: &[u8]) -> Option<Refusal> {
    let isp = IIKeying::signed_parameters(ISID, b"cookie", certificate, skic);
    let keying = IIKeying::new(&isp, signature).unwrap();
    let refusal = near.respond(&mut Rng::for_simulation(9), &keying, RSID).err();
    assert_eq!(near.screen(&keying).err(), refusal, "all of these can be told without public-key work");
    refusal
}

#[test]
fn a_strong_certificate_never_means_another_profile() {
    let mut rng = Rng::for_simulation(1);
    let near = keyring(&mut rng, IdentityKind::default(), true);
    let far = keyring(&mut rng, IdentityKind { server: true, flash: true }, true);
    let vectors = load();
    let flash_skic = hex(&vectors["flash_player_skic"]["hex"]);
    let flash_skrc = hex(&vectors["legacy_server_skrc"]["hex"]);
    assert_eq!(respond(&near, far.certificate(), &flash_skic, &[0; 64]), Some(Refusal::WrongProfile));
    let mut initiation = near.initiate(&mut rng, far.certificate()).unwrap();
    let skic = initiation.skic().to_vec();
    assert_eq!(respond(&near, far.certificate(), &skic, b"X"), Some(Refusal::SignatureSize));
    let rsp = RIKeying::signed_parameters(RSID, &flash_skrc);
    let complete = |initiation: &mut dyn crate::crypto::Initiation, rsp: &[u8], signature: &[u8]| {
        initiation.complete(&[], &RIKeying::new(rsp, signature).unwrap()).err()
    };
    assert_eq!(complete(&mut *initiation, &rsp, &[0; 64]), Some(Refusal::WrongProfile));
    assert_eq!(complete(&mut *initiation, &rsp, b"X"), Some(Refusal::SignatureSize));
    // And the reverse: our component from somebody whose certificate is not ours.
    assert_eq!(respond(&near, &ephemeral_certificate(), &skic, b"X"), Some(Refusal::WrongProfile));
}

#[test]
fn a_damaged_strong_option_is_refused_in_every_profile() {
    let mut rng = Rng::for_simulation(2);
    let near = keyring(&mut rng, IdentityKind::default(), true);
    let far = Identity::generate(&mut rng, IdentityKind::default());
    let certificate = far.certificate();
    let (option, rest) = certificate.split_at(44);
    assert_eq!(near.examine(certificate).map(|far| far.kind), Ok(ProfileKind::Strong));

    let doubled = [option, certificate].concat();
    assert_eq!(near.examine(&doubled), Err(Refusal::DamagedStrongOption));
    let behind_a_marker = [rest, &[0], option].concat();
    assert_eq!(near.examine(&behind_a_marker), Err(Refusal::DamagedStrongOption));
    let before_a_marker = [certificate, &[0]].concat();
    assert_eq!(near.examine(&before_a_marker), Err(Refusal::DamagedStrongOption));
    let mut version_2 = certificate.to_vec();
    version_2[11] = 2;
    assert_eq!(near.examine(&version_2), Err(Refusal::DamagedStrongOption));
    let mut shorter = vec![0x2a];
    shorter.extend_from_slice(&option[1..43]);
    shorter.extend_from_slice(rest);
    assert_eq!(near.examine(&shorter), Err(Refusal::DamagedStrongOption));
    let mut as_randomness = certificate.to_vec();
    as_randomness[1..3].copy_from_slice(&[0x80, 0x0e]);
    assert_eq!(near.examine(&as_randomness), Err(Refusal::DamagedStrongOption));
    assert_eq!(near.examine(&certificate[..40]), Err(Refusal::DamagedStrongOption));
    let mut small_order = certificate.to_vec();
    small_order[12..44].fill(0);
    assert_eq!(near.examine(&small_order), Err(Refusal::WeakIdentityKey));
    let mut not_canonical = certificate.to_vec();
    not_canonical[12..44].fill(0xff);
    assert_eq!(near.examine(&not_canonical), Err(Refusal::WeakIdentityKey));
    let mut long = certificate.to_vec();
    put_option(&mut long, 0x0e, &[1; 462]);
    assert_eq!(near.examine(&long), Err(Refusal::CertificateSize));
    assert_eq!(near.examine(&[]), Err(Refusal::CertificateSize));
    assert_eq!(near.examine(&[0x05, 0x0e]), Err(Refusal::MalformedCertificate));
    assert_eq!(near.examine(near.certificate()), Err(Refusal::OwnIdentity));
    // Stripped of the option it is somebody else, who can prove nothing.
    let stripped = near.examine(rest).unwrap();
    assert!(stripped.kind == ProfileKind::Flash && !stripped.authenticated && stripped.peer_id != far.peer_id());
}

#[test]
fn a_flash_certificate_is_taken_only_when_asked_for_and_believed_only_if_static() {
    let mut rng = Rng::for_simulation(3);
    let strict = keyring(&mut rng, IdentityKind::default(), false);
    let open = keyring(&mut rng, IdentityKind::default(), true);
    let vectors = load();
    let certificate = |name: &str| hex(&vectors["certificates"][name]["hex"]);
    let (by_key, copyable) = (certificate("alice_static_14"), ephemeral_certificate());
    assert_eq!(strict.examine(&by_key), Err(Refusal::FlashNotAllowed));
    assert_eq!(strict.initiate(&mut rng, &by_key).err(), Some(Refusal::FlashNotAllowed));
    assert_eq!(respond(&strict, &copyable, &[1, 2], b"X"), Some(Refusal::FlashNotAllowed));
    assert!(open.examine(&by_key).unwrap().authenticated);
    assert!(!open.examine(&copyable).unwrap().authenticated);
    assert!(open.selects(&epd::fingerprint(fingerprint(&by_key)), &by_key));
    assert!(!open.selects(&epd::fingerprint(fingerprint(&copyable)), &copyable));
    assert!(open.selects(&epd::ancillary("rtmfp:"), &copyable));
    for bad in ["bad_both_static_and_ephemeral", "bad_neither"] {
        assert_eq!(open.examine(&certificate(bad)), Err(Refusal::KeyKind));
    }
    let group_2 = certificate("alice_static_2_flash_player_style");
    assert_eq!(open.initiate(&mut rng, &group_2).err(), Some(Refusal::NoCommonGroup));
    let skic = hex(&vectors["key_agreement"][1]["skic"]);
    let strong_terms = [&skic[..skic.len() - 7], &[3, 0x1a, 7, 16, 2, 0x1e, 7]].concat();
    assert_eq!(respond(&open, &group_2, &strong_terms, b"X"), Some(Refusal::NoCommonGroup));
    assert_eq!(respond(&open, &by_key, &strong_terms, b"X"), Some(Refusal::NoCommonGroup));
}

#[test]
fn terms_and_keys_that_protect_too_little_are_refused() {
    let mut rng = Rng::for_simulation(4);
    let near = keyring(&mut rng, IdentityKind::default(), true);
    let by_key = hex(&load()["certificates"]["alice_static_14"]["hex"]);
    let skic = |hmac: [u8; 2], sequence: u8| {
        let mut skic = vec![2, 0x1d, 14];
        put_option(&mut skic, 0x1a, &hmac);
        put_option(&mut skic, 0x1e, &[sequence]);
        skic
    };
    assert_eq!(respond(&near, &by_key, &skic([7, 16], 7), b"X"), None);
    assert_eq!(respond(&near, &by_key, &skic([2, 32], 2), b"X"), None);
    for (hmac, sequence, refusal) in [
        ([0, 16], 7, Refusal::NoHmac),
        ([1, 16], 7, Refusal::NoHmac),
        ([7, 15], 7, Refusal::NoHmac),
        ([7, 33], 7, Refusal::NoHmac),
        ([7, 16], 0, Refusal::NoSequenceNumbers),
        ([7, 16], 1, Refusal::NoSequenceNumbers),
    ] {
        assert_eq!(respond(&near, &by_key, &skic(hmac, sequence), b"X"), Some(refusal));
    }
    assert_eq!(respond(&near, &by_key, &[], b"X"), Some(Refusal::ComponentSize));
    assert_eq!(respond(&near, &by_key, &vec![1; 4097], b"X"), Some(Refusal::ComponentSize));
    assert_eq!(respond(&near, &by_key, &[9, 9], b"X"), Some(Refusal::MalformedComponent));
    for weak in [&[1][..], &[0xff; 256], &[0; 300]] {
        let mut skic = skic([7, 16], 7).split_off(3);
        put_option(&mut skic, 0x0d, &[&[14], weak].concat());
        assert_eq!(respond(&near, &ephemeral_certificate(), &skic, b"X"), Some(Refusal::WeakPublicKey));
        let mut certificate = Vec::new();
        put_option(&mut certificate, 0x1d, &[&[14], weak].concat());
        assert_eq!(near.initiate(&mut rng, &certificate).err(), Some(Refusal::WeakPublicKey));
    }
}

/// A session between these, and the refusals that do not end the attempt.
fn session(near: &dyn Profile, far: &dyn Profile) -> (SessionKeys, SessionKeys) {
    let mut rng = Rng::for_simulation(5);
    assert_ne!(near.near_prevails(far.certificate()), far.near_prevails(near.certificate()));
    let mut initiation = near.initiate(&mut rng, far.certificate()).unwrap();
    let isp = IIKeying::signed_parameters(ISID, b"cookie", near.certificate(), initiation.skic());
    let signature = initiation.sign(&isp);
    assert_eq!(signature, b"X");
    let keying = IIKeying::new(&isp, &signature).unwrap();
    assert_eq!(far.screen(&keying).map(|far| (far.peer_id, far.kind)), Ok((near.peer_id(), ProfileKind::Flash)));
    let response = far.respond(&mut rng, &keying, RSID).unwrap();
    let zero = RIKeying::signed_parameters(SessionId(0), &response.skrc);
    let refused = initiation.complete(&[], &RIKeying::new(&zero, b"X").unwrap());
    assert_eq!(refused.err(), Some(Refusal::ZeroSessionId));
    let rsp = RIKeying::signed_parameters(RSID, &response.skrc);
    let rikeying = RIKeying::new(&rsp, &response.signature).unwrap();
    let keys = initiation.complete(&[], &rikeying).unwrap();
    assert_eq!(initiation.complete(&[], &rikeying).err(), Some(Refusal::Over));
    assert_eq!((keys.near_nonce, keys.far_nonce), (response.keys.far_nonce, response.keys.near_nonce));
    (keys, response.keys)
}

#[test]
fn every_kind_of_certificate_keys_with_every_other_in_both_roles() {
    let mut rng = Rng::for_simulation(10);
    let ours = [false, true].map(|flash| keyring(&mut rng, IdentityKind { server: false, flash }, true));
    let others = [FlashPeer::client(&mut rng), FlashPeer::server(&mut rng)];
    for (near, far) in ours.iter().flat_map(|near| others.iter().map(move |far| (near, far))) {
        for (one, other) in [(near as &dyn Profile, far as &dyn Profile), (far, near)] {
            let (mut keys, mut far_keys) = session(one, other);
            let datagram = keys.sealer.seal(RSID, b"hello");
            assert_eq!(&open(&mut *far_keys.opener, RSID, &datagram).0[..5], b"hello");
        }
    }
}

#[test]
fn a_p2pt_identity_and_an_rfc_peer_speak_and_nothing_altered_opens() {
    let mut rng = Rng::for_simulation(11);
    let ours = keyring(&mut rng, IdentityKind::default(), true);
    let (mut near, mut far) = session(&ours, &FlashPeer::client(&mut rng));
    assert_eq!(near.kind, ProfileKind::Flash);
    let (sealer, opener) = (&mut *near.sealer, &mut *far.opener);
    let datagram = sealer.seal(RSID, b"hello");
    for at in 4..datagram.len() {
        let mut flipped = datagram.clone();
        flipped[at] ^= 0x10;
        assert_eq!(open(opener, RSID, &flipped).2, Err(OpenError::NotAuthentic), "byte {at}");
    }
    assert_eq!(open(&mut *near.opener, ISID, &datagram).2, Err(OpenError::NotAuthentic), "reflected");
    assert_eq!(open(opener, RSID, &datagram[..35]).2, Err(OpenError::TooShort));
    assert_eq!(open(opener, RSID, &[&datagram[..], &[0]].concat()).2, Err(OpenError::NotWholeBlocks));
    let (plain, number, result) = open(opener, RSID, &datagram);
    assert_eq!((&plain[..5], number, result), (&b"hello"[..], Some(0), Ok(())));
    assert_eq!(open(opener, RSID, &datagram).2, Err(OpenError::Replayed));
}

#[test]
fn a_batch_is_what_its_packets_are_one_by_one_also_where_numbers_grow() {
    for tag in [None, Some((&TAG, 16))] {
        let mut batched = CbcSealer::starting_at(&[5; 16], tag, Some(100));
        let mut single = CbcSealer::starting_at(&[5; 16], tag, Some(100));
        let mut opener = CbcOpener::new(&[5; 16], tag, Some(64));
        let mut number = 100;
        for count in [28, 1, 40] {
            assert!(count <= batched.max_batch());
            let head = batched.head();
            let plains: Vec<Vec<u8>> = (0..count).map(|n| vec![n as u8; 1 + n * 37 % 200]).collect();
            let (mut buf, mut packets) = (Vec::new(), Vec::new());
            for plain in &plains {
                let start = buf.len() + head;
                packets.push(start..start + plain.len());
                buf.resize(buf.len() + batched.sealed_len(plain.len()), 0);
                buf[start..start + plain.len()].copy_from_slice(plain);
            }
            batched.seal_batch(RSID, &mut buf, &packets);
            let mut at = 0;
            for plain in &plains {
                let datagram = single.seal(RSID, plain);
                assert_eq!(buf[at..at + datagram.len()], datagram);
                let (opened, opened_number, result) = open(&mut opener, RSID, &datagram);
                assert_eq!((&opened[..plain.len()], opened_number, result), (&plain[..], Some(number), Ok(())));
                (at, number) = (at + datagram.len(), number + 1);
            }
        }
    }
    let end = CbcSealer::starting_at(&[5; 16], None, Some(u64::MAX));
    assert_eq!(end.max_batch(), 0);
    assert_eq!(CbcSealer::starting_at(&[5; 16], None, None).max_batch(), usize::MAX);
}

#[test]
fn only_an_authentic_number_is_called_newest() {
    for (tag, newest) in [(None, false), (Some((&TAG, 16)), true)] {
        let mut sealer = CbcSealer::starting_at(&[5; 16], tag, Some(0));
        let mut opener = CbcOpener::new(&[5; 16], tag, Some(64));
        let mut datagram = sealer.seal(RSID, b"x");
        let mut out = Vec::new();
        opener.open_batch(RSID, &mut datagram, 64, &mut out);
        assert_eq!((out[0].result, out[0].newest), (Ok(()), newest));
    }
}

#[test]
fn a_number_beyond_64_bits_does_not_wrap() {
    let cipher = Encryptor::new(&[5; 16]);
    let mut opener = CbcOpener::new(&[5; 16], Some((&TAG, 16)), Some(64));
    let key = crate::crypto::mac::MacKey::new(&TAG);
    let seal = |plain: [u8; 16]| {
        let mut chain = plain;
        cipher.encrypt(&mut chain);
        [&[0; 4], &chain[..], &key.tag(&chain)[..16]].concat()
    };
    let mut huge = [0xff; 16];
    huge[12] = 0x7f;
    let (plain, number, result) = open(&mut opener, RSID, &seal(huge));
    assert_eq!((plain.len(), number, result), (3, Some(u64::MAX), Ok(())));
    assert_eq!(open(&mut opener, RSID, &seal([0xff; 16])).2, Err(OpenError::BadSequenceNumber));
    assert_eq!(open(&mut opener, RSID, &seal([0; 16])).2, Err(OpenError::BelowWindow));
    let mut out = Vec::new();
    vlu::put(&mut out, u64::MAX);
    assert_eq!(
        open(&mut opener, RSID, &seal(std::array::from_fn(|at| *out.get(at).unwrap_or(&0)))).2,
        Err(OpenError::Replayed)
    );
}

proptest! {
    #[test]
    fn chains_side_by_side_are_the_chains_alone(lengths in proptest::collection::vec(0usize..9, 0..40)) {
        let cipher = Encryptor::new(&[3; 16]);
        let mut buf: Vec<u8> = (0..16 * lengths.iter().sum::<usize>()).map(|n| (n * n) as u8).collect();
        let plain = buf.clone();
        let mut at = 0;
        let chains: Vec<_> = lengths.iter().map(|blocks| { let start = at; at += 16 * blocks; start..at }).collect();
        cipher.encrypt_batch(&mut buf, chains.iter().cloned());
        for chain in chains {
            let mut alone = plain[chain.clone()].to_vec();
            cipher.encrypt(&mut alone);
            prop_assert_eq!(&buf[chain.clone()], &alone[..]);
            Decryptor::new(&[3; 16]).decrypt(&mut alone);
            prop_assert_eq!(&plain[chain], &alone[..]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 1..200), hmac in any::<bool>(), numbered in any::<bool>()) {
        let mut opener = CbcOpener::new(&[5; 16], hmac.then_some((&TAG, 4)), numbered.then_some(64));
        let (_, _, result) = open(&mut opener, RSID, &bytes);
        prop_assert!(result.is_err() || !hmac);
        let near = keyring(&mut Rng::for_simulation(6), IdentityKind::default(), true);
        let _ = near.examine(&bytes);
        near.selects(&bytes, &bytes);
        let isp = IIKeying::signed_parameters(ISID, b"", &ephemeral_certificate(), &bytes);
        let _ = near.screen(&IIKeying::new(&isp, &bytes).unwrap());
    }
}
