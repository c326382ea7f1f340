//! Whole sessions between two ends of rtmfp-cpp, decrypted from their datagrams and private exponents alone.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::{SessionId, to_hex};
use crate::crypto::certificate::Certificate;
use crate::crypto::flash::component::Component;
use crate::crypto::flash::derive::Derived;
use crate::crypto::flash::packets::CbcOpener;
use crate::crypto::flash::terms::{Settled, Want};
use crate::crypto::group::{Group, PrivateKey};
use crate::crypto::packet::session_id_of;
use crate::crypto::startup;
use crate::wire::{Chunk, Chunks, Header};

use super::{hex, id, list, load, open, private_key};

/// An IIKeying under way.
struct Begun {
    certificate: Vec<u8>,
    skic: Vec<u8>,
}

/// What has been learnt from the datagrams so far. Ends are told apart by address.
#[derive(Default)]
struct Decoder {
    /// RHello's certificates by who sent them.
    certificates: BTreeMap<String, Vec<u8>>,
    /// By initiator's address and ID.
    begun: BTreeMap<(String, SessionId), Begun>,
    /// By receiver's address and ID.
    openers: BTreeMap<(String, SessionId), CbcOpener>,
    nonces: Vec<[u8; 32]>,
    exponents: Vec<Value>,
}

impl Decoder {
    fn startup(&mut self, from: &str, to: &str, to_id: SessionId, plain: &[u8]) {
        let (_, chunks) = Header::decode(plain).unwrap();
        for chunk in Chunks::new(chunks) {
            match Chunk::decode(chunk).unwrap() {
                Chunk::RHello(rhello) => {
                    self.certificates.insert(from.to_owned(), rhello.certificate.to_vec());
                }
                Chunk::IIKeying(keying) => {
                    assert_eq!(keying.signature, b"X");
                    let begun = Begun { certificate: keying.certificate.to_vec(), skic: keying.skic.to_vec() };
                    self.begun.insert((from.to_owned(), keying.initiator_session_id), begun);
                }
                Chunk::RIKeying(keying) => {
                    let begun = &self.begun[&(to.to_owned(), to_id)];
                    let responder = &self.certificates.get(from).or(self.certificates.values().next()).unwrap();
                    let (initiator_opens, responder_opens, nonces) =
                        agree(&self.exponents, begun, responder, keying.skrc);
                    self.openers.insert((to.to_owned(), to_id), initiator_opens);
                    self.openers.insert((from.to_owned(), keying.responder_session_id), responder_opens);
                    self.nonces.extend(nonces);
                }
                _ => {}
            }
        }
    }
}

/// The private key of whoever has this public key.
fn owner(exponents: &[Value], group: Group, public: &[u8]) -> PrivateKey {
    exponents
        .iter()
        .filter(|exponent| exponent.as_str().unwrap().len() / 2 == if group == Group::Modp1024 { 28 } else { 40 })
        .map(|exponent| private_key(group, exponent))
        .find(|key| key.public() == public)
        .expect("the exponent of a public key is recorded")
}

fn agree(
    exponents: &[Value],
    begun: &Begun,
    responder_certificate: &[u8],
    skrc: &[u8],
) -> (CbcOpener, CbcOpener, [[u8; 32]; 2]) {
    let (initiator, responder) = (Component::parse(&begun.skic).unwrap(), Component::parse(skrc).unwrap());
    let [near, far] = [&begun.certificate, responder_certificate].map(|bytes| Certificate::parse(bytes).unwrap());
    let id = initiator.group.or(initiator.key.map(|(group, _)| group)).unwrap();
    let group = Group::from_id(id).unwrap();
    fn public<'a>(id: u64, component: &Component<'a>, certificate: &Certificate<'a>) -> &'a [u8] {
        let fixed = certificate.static_keys.iter().find(|(group, _)| *group == id);
        component.key.map(|(_, public)| public).or(fixed.map(|(_, public)| *public)).unwrap()
    }
    let key = owner(exponents, group, public(id, &initiator, &near));
    let secret = key.agree(public(id, &responder, &far)).unwrap();
    let derived = Derived::new(&secret, &begun.skic, skrc);
    let settle = |near: u8, far: u8| {
        let want = Want { always: near & 4 != 0, require: near & 1 != 0 };
        want.settle(far).expect("both ends agreed")
    };
    let Settled { send, check } = settle(initiator.terms.hmac_flags, responder.terms.hmac_flags);
    let sequence = settle(initiator.terms.sequence_flags, responder.terms.sequence_flags);
    let tag = |on: bool, key, len: u64| on.then_some((key, len as usize));
    let initiator_opens = CbcOpener::new(
        derived.decrypt_key(),
        tag(check, &derived.receive_hmac, responder.terms.hmac_len),
        sequence.check.then_some(32),
    );
    let responder_opens = CbcOpener::new(
        derived.encrypt_key(),
        tag(send, &derived.send_hmac, initiator.terms.hmac_len),
        sequence.send.then_some(32),
    );
    (initiator_opens, responder_opens, [derived.near_nonce, derived.far_nonce])
}

#[test]
fn recorded_sessions_are_decoded_end_to_end() {
    let vectors = load();
    let mut opened_in_sessions = 0;
    for (name, transcript) in vectors["transcripts"].as_object().unwrap() {
        let nodes = &transcript["nodes"];
        let mut decoder = Decoder { exponents: list(&transcript["private_exponents"]).to_vec(), ..Decoder::default() };
        let mut sealed = Vec::new();
        let home = |end: &str| nodes[end]["address"].as_str().unwrap().to_owned();
        for (end, node) in nodes.as_object().unwrap() {
            let certificate = hex(&node["certificate"]);
            assert_eq!(
                crate::crypto::fingerprint(&certificate).to_string(),
                node["fingerprint"].as_str().unwrap(),
                "{name} {end}"
            );
        }
        for event in list(&transcript["events"]) {
            if let Some(log) = event["log"].as_str() {
                for word in log.split(' ').filter(|word| word.len() == 64) {
                    assert!(decoder.nonces.iter().any(|nonce| to_hex(nonce) == word), "{name}: {log}");
                }
                continue;
            }
            let mut datagram = hex(&event["datagram"]);
            let to_id = session_id_of(&datagram).unwrap();
            assert_eq!(to_id, id(&event["session_id"]), "{name}");
            let (from, to) = (home(event["from"].as_str().unwrap()), event["to"].as_str().unwrap().to_owned());
            if event["key"] == "default key" {
                let plain = startup::open(&mut datagram).unwrap();
                assert_eq!(to_hex(&datagram[plain.clone()]), event["plain"].as_str().unwrap(), "{name}");
                decoder.startup(&from, &to, to_id, &datagram[plain]);
                continue;
            }
            // An end that moved is still known by where it was when the session began.
            let moved = !nodes.as_object().unwrap().values().any(|node| node["address"] == *to);
            sealed.push((if moved { home("client") } else { to }, to_id, datagram, event));
            // A responder may speak before its RIKeying arrives.
            sealed.retain(|(to, to_id, datagram, event)| {
                let Some(opener) = decoder.openers.get_mut(&(to.clone(), *to_id)) else { return true };
                let (plain, number, result) = open(opener, *to_id, datagram);
                assert_eq!(result, Ok(()), "{name} {event}");
                assert_eq!(to_hex(&plain), event["plain"].as_str().unwrap(), "{name}");
                assert_eq!(number, event["sseq"].as_u64(), "{name}");
                opened_in_sessions += 1;
                false
            });
        }
        assert!(sealed.is_empty(), "{name}");
    }
    assert_eq!(opened_in_sessions, 70);
}
