//! Records written by hand, and what a neighbour without scruples can do with them.

use std::time::Duration;

use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use p2pt::base::{Instant, PeerId, Rng, WallClock};
use p2pt::crypto::sign::SignKey;
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::group::{GrantKind, GroupAddress, GroupId, MAX_TICKETS, MAX_WAITING, Output, sign_grant};
use p2pt::service::storage::{
    Asker, MAX_RECORD, Payload, SignedRecord, Storage, StorageConfig, StorageEvent, content_record, sign_record,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::hand::{CLOCK, GROUP, ME, NEIGHBOUR, certificate, view};
use crate::{config, mutate};

/// The identity that grows from a seed, and its certificate, by hand.
fn identity(seed: u8) -> (Identity, SigningKey, Vec<u8>) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let certificate = certificate(&key);
    let file = [b"p2pt identity 1\n\x33\x01", &certificate[..], b"\x21\x02", &[seed; 32]].concat();
    (Identity::from_bytes(&file).expect("an identity"), key, certificate)
}

#[test]
fn records_written_by_hand_are_the_documented_ones() {
    let (author, key, certificate) = identity(0x11);
    let peer: [u8; 32] = Sha256::digest(&certificate).into();
    for value in [Some(&b"value"[..]), None] {
        let mut signed = [
            &b"p2pt/1 store\0"[..],
            &GROUP.0,
            &3u32.to_be_bytes(),
            b"key",
            &peer,
            &200u64.to_be_bytes(),
            &5u64.to_be_bytes(),
        ]
        .concat();
        let mut record = [&[1, 3][..], b"key", &[50], &certificate, &[0x81, 0x48, 5]].concat();
        match value {
            Some(value) => {
                signed.extend_from_slice(&5u32.to_be_bytes());
                signed.extend_from_slice(value);
                record.extend_from_slice(&[0, 5]);
                record.extend_from_slice(value);
            }
            None => record.push(1),
        }
        record.extend_from_slice(&key.sign(&signed).to_bytes());
        assert_eq!(sign_record(&author, GROUP, b"key", 200, 5, value, None), record);
        let read = SignedRecord::decode(&record).expect("a record");
        assert_eq!(read.check(GROUP, None, 1000), Ok(()));
        let user = read.to_record();
        assert_eq!((user.author, user.sequence, user.expiry), (Some(PeerId(peer)), 200, 5));
        assert_eq!(user.value.as_deref(), value);
        for at in 0..record.len() {
            let mut forged = record.clone();
            forged[at] ^= 0x10;
            let held = SignedRecord::decode(&forged).is_ok_and(|forged| forged.check(GROUP, None, 1000).is_ok());
            assert!(!held, "byte {at}");
        }
    }
    assert_eq!(content_record(GROUP, 5, b"value", None), b"\x02\x05\x00\x05value"[..]);
    let read = SignedRecord::decode(b"\x02\x05\x00\x05value").expect("content");
    assert_eq!((read.key()[..].to_vec(), read.author()), (Sha256::digest(b"value").to_vec(), None));
}

proptest! {
    #[test]
    fn what_is_signed_is_read_again_and_no_truncation_is(
        key in proptest::collection::vec(any::<u8>(), 0..80),
        value in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
        grant in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..80)),
        sequence in 0u64..1 << 50,
        expiry in 0u64..1 << 50,
    ) {
        let (author, ..) = identity(0x22);
        let signed = sign_record(&author, GROUP, &key, sequence, expiry, value.as_deref(), grant.as_deref());
        prop_assert!(signed.len() <= MAX_RECORD);
        let read = SignedRecord::decode(&signed).expect("a record").to_record();
        prop_assert_eq!(&read.key[..], &key[..]);
        prop_assert_eq!((read.sequence, read.expiry, read.author), (sequence, expiry, Some(author.peer_id())));
        prop_assert_eq!(read.value.as_deref(), value.as_deref());
        for cut in 0..signed.len() {
            prop_assert!(SignedRecord::decode(&signed[..cut]).is_err());
        }
        prop_assert!(SignedRecord::decode(&[&signed[..], &[0]].concat()).is_err());
    }
}

/// A payload as a letter from the neighbour to us.
fn carry(payload: &Payload) -> Vec<u8> {
    let head = [&[1, 9, 1, 0x03][..], &GroupAddress::of(ME).0, &[0]].concat();
    [head, payload.encode().to_vec()].concat()
}

fn asker(question: u8) -> Asker {
    Asker { question: [question; 8], reply: GroupAddress::of(NEIGHBOUR), gateway: None }
}

fn outputs(storage: &mut Storage) -> Vec<Output<StorageEvent>> {
    std::iter::from_fn(|| storage.poll()).collect()
}

#[test]
fn a_holder_keeps_to_its_capacity_and_to_each_authors_share() {
    let mut rng = Rng::for_simulation(4);
    let capacity = 1 << 20;
    let mut storage = Storage::new(Instant::ZERO, rng.fork(), StorageConfig { capacity, ..config(&mut rng) });
    let end = CLOCK.unix_millis(Instant::ZERO) + 3_600_000;
    let value = vec![1; 10_000];
    let fill = |storage: &mut Storage, author: &Identity, count: u32, from: u64| {
        for number in 0..count {
            let key = number.to_be_bytes();
            let record = sign_record(author, GROUP, &key, 1, end, Some(&value), None);
            let now = Instant::from_micros((from + u64::from(number)) * 10_000);
            storage.message(now, &view(), NEIGHBOUR, &carry(&Payload::Copy(asker(0), record)));
            outputs(storage);
        }
    };
    fill(&mut storage, &identity(1).0, 200, 0);
    let (_, bytes) = storage.stats().held;
    assert!(bytes <= capacity as u64 / 4 && bytes > capacity as u64 / 5, "{bytes}");
    (2..12).for_each(|seed| fill(&mut storage, &identity(seed).0, 100, u64::from(seed) * 100));
    let (_, bytes) = storage.stats().held;
    assert!(bytes <= capacity as u64 && bytes > capacity as u64 * 9 / 10, "{bytes}");
    assert!(storage.stats().limited > 0);
}

#[test]
fn a_holder_takes_nothing_foreign_forged_untimely_or_without_a_grant() {
    let (key, other_key) = (SignKey::from_seed(&[5; 32]), SignKey::from_seed(&[6; 32]));
    let (author, ..) = identity(1);
    let (stranger, ..) = identity(2);
    let start = CLOCK.unix_millis(Instant::ZERO);
    let (hour, day) = (3_600_000, 86_400_000);
    let grant = |key: &SignKey, kind, of: &Identity, until| sign_grant(key, kind, GROUP, of.peer_id(), until);
    let good = grant(&key, GrantKind::Posting, &author, start + hour);
    let record = |group, sequence, end, grant: Option<&Bytes>| {
        sign_record(&author, group, b"key", sequence, end, Some(b"x"), grant.map(|grant| &grant[..]))
    };
    let mut forged = record(GROUP, start, start + hour, Some(&good)).to_vec();
    *forged.last_mut().expect("a signature") ^= 1;
    let bad = [
        ("another group", record(GroupId([1; 32]), start, start + hour, Some(&good))),
        ("a forgery", forged.into()),
        ("over", record(GROUP, start, start, Some(&good))),
        ("more than 30 days", record(GROUP, start, start + 32 * day, Some(&good))),
        ("from the future", record(GROUP, start + 2 * hour, start + 3 * hour, Some(&good))),
        ("no grant", record(GROUP, start, start + hour, None)),
        (
            "another's grant",
            record(GROUP, start, start + hour, Some(&grant(&key, GrantKind::Posting, &stranger, start + hour))),
        ),
        (
            "of another key",
            record(GROUP, start, start + hour, Some(&grant(&other_key, GrantKind::Posting, &author, start + hour))),
        ),
        (
            "to publish",
            record(GROUP, start, start + hour, Some(&grant(&key, GrantKind::Publishing, &author, start + hour))),
        ),
        ("expired", record(GROUP, start, start + hour, Some(&grant(&key, GrantKind::Posting, &author, start)))),
        (
            "for years",
            record(GROUP, start, start + hour, Some(&grant(&key, GrantKind::Posting, &author, start + 400 * day))),
        ),
        // Written, so it says, when the grant was valid; but then it would be over by now.
        (
            "backdated",
            record(
                GROUP,
                start - 60 * day,
                start + hour,
                Some(&grant(&key, GrantKind::Posting, &author, start - 59 * day)),
            ),
        ),
    ];
    let mut rng = Rng::for_simulation(6);
    let keyed = StorageConfig { posting_key: Some(key.public()), ..config(&mut rng) };
    let mut storage = Storage::new(Instant::ZERO, rng.fork(), keyed);
    for (why, record) in bad {
        storage.message(Instant::ZERO, &view(), NEIGHBOUR, &carry(&Payload::Copy(asker(0), record)));
        outputs(&mut storage);
        assert_eq!(storage.stats().held.0, 0, "{why}");
    }
    let good = record(GROUP, start, start + hour, Some(&good));
    storage.message(Instant::ZERO, &view(), NEIGHBOUR, &carry(&Payload::Copy(asker(0), good)));
    assert_eq!(storage.stats().held.0, 1);
}

#[test]
fn a_value_that_is_anothers_or_for_another_key_is_not_found() {
    let mut rng = Rng::for_simulation(5);
    let mut storage = Storage::new(Instant::ZERO, rng.fork(), config(&mut rng));
    storage.get(Instant::ZERO, &view(), b"key");
    let sent = outputs(&mut storage);
    // We are asked ourselves if we are the nearest; otherwise the neighbour that was asked is the liar.
    let question = sent.iter().find_map(|output| {
        let Output::Send(sent) = output else { return None };
        let at = sent.data.windows(3).rposition(|end| end == b"key")?;
        (0..at).rev().find_map(|from| match Payload::decode(&sent.data[from..]) {
            Ok(Some(Payload::Get(asker, key) | Payload::Look(asker, _, key))) if &key[..] == b"key" => {
                Some(asker.question)
            }
            _ => None,
        })
    });
    let question = question.expect("the question");
    let end = CLOCK.unix_millis(Instant::ZERO) + 3_600_000;
    let (author, ..) = identity(1);
    let other_key = sign_record(&author, GROUP, b"other", 1, end, Some(b"x"), None);
    let foreign = sign_record(&author, p2pt::group::GroupId([1; 32]), b"key", 1, end, Some(b"x"), None);
    let mut forged = sign_record(&author, GROUP, b"key", 1, end, Some(b"x"), None).to_vec();
    *forged.last_mut().expect("a signature") ^= 1;
    for bad in [other_key, foreign, Bytes::from(forged), Bytes::from_static(b"\x01\x02")] {
        let value = Payload::Value(question, GroupAddress::of(NEIGHBOUR), 1, 4, bad);
        storage.message(Instant::from_micros(1), &view(), NEIGHBOUR, &carry(&value));
    }
    let mut found = Vec::new();
    for second in 1..15 {
        storage.handle_timeout(Instant::from_micros(second * 1_000_000), &view());
        found.extend(outputs(&mut storage).into_iter().filter_map(|output| match output {
            Output::Event(StorageEvent::Found { records, .. }) => Some(records.len()),
            _ => None,
        }));
    }
    assert_eq!(found, [0]);
}

#[test]
fn a_hundred_thousand_mutations_grow_no_memory() {
    let runs = if std::env::var_os("P2PT_LONG").is_some() { 1_000_000 } else { 100_000 };
    let view = view();
    let corpus = mutate::corpus(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/records"));
    let mut rng = Rng::for_simulation(3);
    let author = Identity::generate(&mut rng, IdentityKind::default());
    let clock = WallClock { ..CLOCK };
    let config = StorageConfig { author, clock, capacity: 1 << 16, ..config(&mut rng) };
    let mut storage = Storage::new(Instant::ZERO, rng.fork(), config);
    let mut most = 0;
    for run in 0..runs {
        // Twice as often as a neighbour may.
        let now = Instant::from_micros(run * 1000);
        storage.message(now, &view, NEIGHBOUR, &mutate::mutation(&corpus, &mut rng));
        if storage.deadline().is_some_and(|deadline| deadline <= now) {
            storage.handle_timeout(now, &view);
        }
        outputs(&mut storage);
        most = most.max(storage.working_bytes());
    }
    assert!(most <= MAX_TICKETS.1 + 2 * MAX_WAITING + (4 << 20), "{most}");
    let stats = storage.stats();
    assert!(stats.held.1 <= 1 << 16 && stats.limited > runs / 4 && stats.malformed > 1000, "{stats:?}");
    println!("{most} bytes at most beside {:?} held", stats.held);
    assert!(storage.deadline().is_none_or(|deadline| deadline.since(Instant::ZERO) < Duration::from_secs(1 << 32)));
}
