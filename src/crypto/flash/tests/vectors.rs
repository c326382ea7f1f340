//! Primitives, certificates, keying and packets against their vectors.

use crate::base::{SessionId, to_hex};
use crate::crypto::cbc::{Decryptor, Encryptor};
use crate::crypto::certificate::{Certificate, fingerprint};
use crate::crypto::checksum::checksum;
use crate::crypto::flash::derive::Derived;
use crate::crypto::flash::judge;
use crate::crypto::flash::keying::{FlashInitiation, Near, respond_with, screen};
use crate::crypto::flash::packets::{CbcOpener, CbcSealer};
use crate::crypto::flash::terms::{Settled, Want};
use crate::crypto::group::PrivateKey;
use crate::crypto::mac::hmac;
use crate::crypto::packet::{OpenError, Sealer, session_id_of};
use crate::crypto::profile::Initiation;
use crate::crypto::{epd, startup};
use crate::wire::{IIKeying, RIKeying};

use super::{Group, group, hex, id, liberal, list, load, open, private_key, want};

#[test]
fn checksums() {
    for case in list(&load()["checksum"]) {
        assert_eq!(checksum(&hex(&case["bytes"])).to_be_bytes()[..], hex(&case["cksum"]), "{case}");
    }
}

#[test]
fn startup_packets() {
    let vectors = load();
    let default_key: [u8; 16] = hex(&vectors["default_session_key"]).try_into().unwrap();
    assert_eq!(hex(&vectors["cbc_iv"]), [0; 16]);
    for case in list(&vectors["startup_packets"]) {
        let (packet, datagram) = (hex(&case["packet"]), hex(&case["datagram"]));
        let mut chain = hex(&case["aes_plaintext"]);
        assert_eq!(chain[..2], hex(&case["checksum"]));
        Encryptor::new(&default_key).encrypt(&mut chain);
        assert_eq!(chain, hex(&case["ciphertext"]));
        let id = id(&case["session_id"]);
        assert_eq!(to_hex(&startup::seal(id, &packet)), to_hex(&datagram), "{}", case["name"]);
        assert_eq!(session_id_of(&datagram), Some(id));
        let mut opened = datagram.clone();
        let range = startup::open(&mut opened).unwrap();
        assert_eq!(opened[range.clone()][..packet.len()], packet);
        assert!(opened[range][packet.len()..].iter().all(|byte| *byte == 0xff));
        let mut damaged = datagram.clone();
        damaged[20] ^= 1;
        assert_eq!(startup::open(&mut damaged), Err(OpenError::BadChecksum));
        assert_eq!(startup::open(&mut datagram.clone()[..19]), Err(OpenError::TooShort));
        assert_eq!(startup::open(&mut datagram.clone()[..datagram.len() - 1]), Err(OpenError::NotWholeBlocks));
    }
}

#[test]
fn groups_and_agreement() {
    let vectors = load();
    for (name, case) in vectors["groups"].as_object().unwrap() {
        let group = Group::from_id(name.parse().unwrap()).unwrap();
        assert_eq!(to_hex(&group.modulus()), case["modulus"].as_str().unwrap());
        assert_eq!(8 * group.len() as u64, case["bits"].as_u64().unwrap());
    }
    for case in list(&vectors["dh"]) {
        let group = group(&case["group"]);
        let [a, b] = ["a", "b"].map(|name| private_key(group, &case[name]));
        assert_eq!((a.public(), b.public()), (&hex(&case["A"])[..], &hex(&case["B"])[..]));
        let secret = a.agree(b.public()).unwrap();
        assert_eq!(to_hex(&secret), case["secret"].as_str().unwrap());
        assert_eq!(secret.len() as u64, case["secret_length"].as_u64().unwrap());
        assert_eq!(b.agree(a.public()).unwrap(), secret);
    }
    for case in list(&vectors["dh_public_check_group2"]) {
        let accepted = Group::Modp1024.check_public(&hex(&case["public"])).is_ok();
        assert_eq!(accepted, case["accept"].as_bool().unwrap(), "{}", case["case"]);
    }
}

#[test]
fn certificates_and_discriminators() {
    let vectors = load();
    for (name, case) in vectors["certificates"].as_object().unwrap() {
        let certificate = hex(&case["hex"]);
        let read = Certificate::parse(&certificate);
        let kind = read.as_ref().map_err(|refusal| *refusal).and_then(judge);
        assert_eq!(kind.is_ok(), case["valid"].as_bool().unwrap(), "{name}");
        if let Some(expected) = case["fingerprint"].as_str() {
            assert_eq!(fingerprint(&certificate).to_string(), expected, "{name}");
            assert_eq!(epd::fingerprint(fingerprint(&certificate)), hex(&case["canonical_epd"]), "{name}");
        }
        let Ok(is_static) = kind else { continue };
        let read = read.unwrap();
        assert_eq!(is_static, case["static"].as_bool().unwrap(), "{name}");
        assert_eq!(read.accepts_ancillary, case["accepts_ancillary"].as_bool().unwrap(), "{name}");
        assert_eq!(read.hostname.map(to_hex), case["hostname"].as_str().map(str::to_owned), "{name}");
        let groups: Vec<u64> = list(&case["groups"]).iter().map(|group| group.as_u64().unwrap()).collect();
        let keys = read.static_keys.iter().map(|(group, _)| *group);
        assert_eq!(keys.chain(read.ephemeral_groups).collect::<Vec<_>>(), groups, "{name}");
    }
    for case in list(&vectors["epd_selection"]) {
        let epd = hex(&vectors["epds"][case["epd"].as_str().unwrap()]);
        let certificate = hex(&vectors["certificates"][case["certificate"].as_str().unwrap()]["hex"]);
        assert_eq!(epd::selects(&epd, &certificate), case["selects"].as_bool().unwrap(), "{case}");
    }
    assert_eq!(epd::ancillary("rtmfp:"), hex(&vectors["epds"]["ancillary_bare"]));
    for case in list(&vectors["glare"]) {
        let [near, far] = ["near", "far"].map(|end| hex(&vectors["certificates"][case[end].as_str().unwrap()]["hex"]));
        // As `Keyring::near_prevails` has it.
        assert_eq!(near <= far, case["near_wins"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn negotiation() {
    for case in list(&load()["negotiation"]) {
        let flag = |name: &str| case[name].as_bool().unwrap();
        let near = Want { always: flag("near_send_always"), require: flag("near_require") };
        let settled = near.settle(case["far_flags"].as_u64().unwrap() as u8);
        let expected = || Settled { send: flag("near_will_send"), check: flag("near_will_check") };
        assert_eq!(settled, (!flag("fail")).then(expected), "{case}");
    }
}

#[test]
fn key_agreement() {
    let vectors = load();
    let random = |component: &[u8]| {
        let at = component.windows(2).position(|pair| pair == [0x41, 0x0e]);
        at.map_or([0; 64], |at| component[at + 2..at + 66].try_into().unwrap())
    };
    for case in list(&vectors["key_agreement"]) {
        let name = &case["name"];
        let group = group(&case["group"]);
        let certificates = ["initiator_certificate", "responder_certificate"]
            .map(|end| hex(&vectors["certificates"][case[end].as_str().unwrap()]["hex"]));
        let [initiator, responder] = certificates.each_ref().map(|bytes| Certificate::parse(bytes).unwrap());
        let keys = ["initiator_exponent", "responder_exponent"].map(|end| private_key(group, &case[end]));
        let statics = ["initiator_static", "responder_static"].map(|end| case[end].as_bool().unwrap());
        let terms = ["initiator", "responder"].map(|end| {
            let flags = |what: &str| want(&case[what][format!("{end}_flags")]);
            let len = case["hmac"][format!("{end}_length")].as_u64().unwrap() as u8;
            liberal(flags("hmac"), len, flags("sseq"))
        });
        let near = |end: usize| Near {
            static_keys: if statics[end] { std::slice::from_ref(&keys[end]) } else { &[] },
            terms: &terms[end],
        };
        let (skic, skrc) = (hex(&case["skic"]), hex(&case["skrc"]));
        let mut initiation = FlashInitiation::with_key(near(0), &responder, keys[0].clone(), &random(&skic)).unwrap();
        assert_eq!(to_hex(initiation.skic()), to_hex(&skic), "{name}");
        let (chosen, public) = screen(near(1), &initiator, &skic).unwrap();
        assert_eq!((chosen, public), (group, keys[0].public()), "{name}");
        let response = respond_with(near(1), &keys[1], &random(&skrc), &skic, public).unwrap();
        assert_eq!(to_hex(&response.skrc), to_hex(&skrc), "{name}");
        let rsp = RIKeying::signed_parameters(SessionId(9), &skrc);
        let rikeying = RIKeying::new(&rsp, b"X").unwrap();
        let opened = initiation.complete(&[], &rikeying).unwrap();

        let secret = keys[0].agree(keys[1].public()).unwrap();
        assert_eq!(to_hex(&secret), case["dh_secret"].as_str().unwrap(), "{name}");
        for (end, near, far, made) in
            [("initiator", &skic, &skrc, &opened), ("responder", &skrc, &skic, &response.keys)]
        {
            let expected = |what: &str| case[end][what].as_str().unwrap().to_owned();
            let derived = Derived::new(&secret, near, far);
            assert_eq!(to_hex(&derived.encrypt), expected("encrypt_key_256"), "{name}");
            assert_eq!(to_hex(&derived.decrypt), expected("decrypt_key_256"), "{name}");
            assert_eq!(to_hex(derived.encrypt_key()), expected("encrypt_key"), "{name}");
            assert_eq!(to_hex(derived.decrypt_key()), expected("decrypt_key"), "{name}");
            assert_eq!(to_hex(&derived.send_hmac), expected("send_hmac_key"), "{name}");
            assert_eq!(to_hex(&derived.receive_hmac), expected("recv_hmac_key"), "{name}");
            assert_eq!(to_hex(&made.near_nonce), expected("near_nonce"), "{name}");
            assert_eq!(to_hex(&made.far_nonce), expected("far_nonce"), "{name}");
        }
    }
}

#[test]
fn components_of_others_are_understood() {
    let vectors = load();
    let skic = hex(&vectors["flash_player_skic"]["hex"]);
    let skrc = hex(&vectors["legacy_server_skrc"]["hex"]);
    let legacy = Want { always: false, require: false };
    let terms = liberal(legacy, 10, legacy);
    let exponents = &vectors["private_exponents"];
    let [alice, bob] = ["alice", "bob"].map(|name| private_key(Group::Modp1024, &exponents[name]["2"]));
    let alice_certificate = hex(&vectors["certificates"]["alice_static_2_flash_player_style"]["hex"]);
    let alice_read = Certificate::parse(&alice_certificate).unwrap();
    let ephemeral = Near { static_keys: &[], terms: &terms };
    let (group, public) = screen(ephemeral, &alice_read, &skic).unwrap();
    assert_eq!((group, public), (Group::Modp1024, alice.public()));
    // A server that offers nothing: refused where an HMAC is required, a session otherwise.
    let server = hex(&vectors["certificates"]["adobe_style_server_2_5_14"]["hex"]);
    let server = Certificate::parse(&server).unwrap();
    let keys: [PrivateKey; 1] = [bob];
    let near = Near { static_keys: &keys, terms: &terms };
    let rsp = RIKeying::signed_parameters(SessionId(1), &skrc);
    let rikeying = RIKeying::new(&rsp, b"X").unwrap();
    let complete = |near: Near<'_>| {
        FlashInitiation::with_key(near, &server, keys[0].clone(), &[0; 64]).unwrap().complete(&[], &rikeying)
    };
    assert!(complete(near).is_ok());
    let both = Want { always: true, require: true };
    let strict = liberal(both, 16, legacy);
    assert_eq!(complete(Near { terms: &strict, ..near }).err(), Some(crate::crypto::Refusal::NoHmac));
    let strict = liberal(legacy, 16, both);
    assert_eq!(complete(Near { terms: &strict, ..near }).err(), Some(crate::crypto::Refusal::NoSequenceNumbers));
    let isp = IIKeying::signed_parameters(SessionId(1), b"cookie", &alice_certificate, &skic);
    assert!(IIKeying::new(&isp, b"X").is_ok());
}

#[test]
fn session_packets() {
    for case in list(&load()["session_packets"]) {
        let name = format!("{} {} {}", case["name"], case["mode"], case["sseq"]);
        let key: [u8; 16] = hex(&case["key"]).try_into().unwrap();
        let hmac_key: Option<[u8; 32]> = case["hmac_key"].as_str().map(|_| hex(&case["hmac_key"]).try_into().unwrap());
        let tag = hmac_key.as_ref().map(|key| (key, case["hmac_length"].as_u64().unwrap() as usize));
        let number = case["sseq"].as_u64();
        let (packet, datagram, id) = (hex(&case["packet"]), hex(&case["datagram"]), id(&case["session_id"]));
        let mut sealer = CbcSealer::starting_at(&key, tag, number);
        let len = sealer.sealed_len(packet.len());
        assert!(sealer.max_plain(len) >= packet.len() && sealer.max_plain(len - 1) < packet.len());
        assert_eq!(to_hex(&sealer.seal(id, &packet)), to_hex(&datagram), "{name}");

        let mut chain = hex(&case["encrypted"])[..hex(&case["aes_plaintext"]).len()].to_vec();
        Decryptor::new(&key).decrypt(&mut chain);
        assert_eq!(to_hex(&chain), case["aes_plaintext"].as_str().unwrap(), "{name}");
        let mut opener = CbcOpener::new(&key, tag, number.map(|_| 32));
        let (plain, opened_number, result) = open(&mut opener, id, &datagram);
        assert_eq!((opened_number, result), (number, Ok(())), "{name}");
        assert_eq!(plain[..packet.len()], packet, "{name}");
        let again = open(&mut opener, id, &datagram).2;
        assert_eq!(again, if number.is_some() { Err(OpenError::Replayed) } else { Ok(()) }, "{name}");
    }
}

#[test]
fn replay_window() {
    let vectors = load();
    let section = &vectors["replay_window"];
    let window = section["window"].as_u64().unwrap() as u32;
    let tag = ([7; 32], 16);
    let mut opener = CbcOpener::new(&[5; 16], Some((&tag.0, tag.1)), Some(window));
    for arrival in list(&section["arrivals"]) {
        let mut sealer = CbcSealer::starting_at(&[5; 16], Some((&tag.0, tag.1)), arrival["sseq"].as_u64());
        let accepted = open(&mut opener, SessionId(1), &sealer.seal(SessionId(1), b"x")).2.is_ok();
        assert_eq!(accepted, arrival["accept"].as_bool().unwrap(), "{arrival}");
    }
}

#[test]
fn tokens_over_nonces() {
    let vectors = load();
    let case = &vectors["tcserver_auth"];
    let text = |name: &str| case[name].as_str().unwrap();
    let app = to_hex(&hmac(text("key").as_bytes(), &[text("app").as_bytes()]));
    assert_eq!(app, text("app_token"));
    let over = |nonce: &str| to_hex(&hmac(&hex(&case[nonce]), &[app.as_bytes()]));
    assert_eq!(over("server_near_nonce"), text("hashed_token_sent_by_client"));
    assert_eq!(over("client_near_nonce"), text("authToken_from_server"));
}
