//! What is found, and what is not.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use p2pt::base::Rng;
use p2pt::crypto::sign::SignKey;
use p2pt::crypto::{Identity, IdentityKind};
use p2pt::group::{GrantKind, GroupAddress, GroupId, sign_grant};
use p2pt::service::storage::{Record, Storage, StorageEvent, StoreError, sign_record};

use crate::hand::{CLOCK, GROUP};
use crate::{HOUR, Ring, config, ring, told};

type Pairs = BTreeSet<(usize, usize)>;

fn put(ring: &mut Ring, at: usize, key: &[u8], value: Option<&[u8]>) -> usize {
    let value = value.map(Bytes::copy_from_slice);
    ring.at(at, |s, now, view| s.put(now, view, key, value, HOUR)).expect("fit to be stored");
    ring.run(Duration::from_secs(4));
    match &told(ring)[..] {
        [(who, StorageEvent::Stored { copies, .. })] if *who == at => *copies,
        other => panic!("{other:?}"),
    }
}

fn get(ring: &mut Ring, at: usize, key: &[u8]) -> Vec<Record> {
    ring.at(at, |s, now, view| s.get(now, view, key));
    ring.run(Duration::from_secs(5));
    match told(ring).pop() {
        Some((who, StorageEvent::Found { records, .. })) if who == at => records,
        other => panic!("{other:?}"),
    }
}

fn values(records: &[Record]) -> Vec<&[u8]> {
    records.iter().filter_map(|record| record.value.as_deref()).collect()
}

fn inject(ring: &mut Ring, at: usize, signed: Bytes) -> StorageEvent {
    ring.at(at, |s, now, view| s.inject(now, view, signed)).expect("fit to be stored");
    ring.run(Duration::from_secs(11));
    told(ring).pop().expect("an answer").1
}

#[test]
fn a_value_is_held_by_the_nearest_six_and_found_by_everybody() {
    for (count, copies) in [(1, 1), (2, 2), (3, 3), (10, 6), (60, 6), (300, 6)] {
        let mut ring = ring(count, 1, Pairs::new());
        assert_eq!(put(&mut ring, count / 2, b"key", Some(b"value")), copies, "{count} members");
        let mut near: Vec<usize> = (0..count).collect();
        let target = GroupAddress::of_key(b"key");
        near.sort_by_key(|&at| ring.members[at].view.address().distance(target));
        assert!(near[..copies].iter().all(|&at| ring.members[at].service.stats().held.0 == 1));
        for at in (0..count).step_by(count.div_ceil(20)) {
            assert_eq!(values(&get(&mut ring, at, b"key")), [b"value"]);
        }
        assert!(get(&mut ring, 0, b"other").is_empty());
    }
}

#[test]
fn a_newer_value_a_tombstone_and_time_take_an_older_one_away() {
    let mut ring = ring(20, 2, Pairs::new());
    put(&mut ring, 3, b"key", Some(b"one"));
    put(&mut ring, 3, b"key", Some(b"two"));
    assert_eq!(values(&get(&mut ring, 9, b"key")), [b"two"]);
    put(&mut ring, 4, b"key", Some(b"of another"));
    assert_eq!(get(&mut ring, 9, b"key").len(), 2);
    put(&mut ring, 3, b"key", None);
    assert_eq!(values(&get(&mut ring, 9, b"key")), [b"of another"]);
    ring.run(HOUR);
    told(&mut ring);
    assert!(get(&mut ring, 9, b"key").is_empty());
    let held: u64 = ring.members.iter().map(|member| member.service.stats().held.0).sum();
    assert_eq!(held, 0);
}

#[test]
fn what_a_short_lived_value_replaced_does_not_come_back() {
    let mut ring = ring(20, 2, Pairs::new());
    put(&mut ring, 3, b"key", Some(b"for long"));
    let short = Duration::from_secs(30);
    ring.at(3, |s, now, view| s.put(now, view, b"key", Some(Bytes::from_static(b"short")), short)).expect("fit");
    ring.run(Duration::from_secs(40));
    told(&mut ring);
    assert!(get(&mut ring, 9, b"key").is_empty());
}

#[test]
fn content_is_found_under_its_digest() {
    let mut ring = ring(20, 3, Pairs::new());
    let value = Bytes::from(vec![7; 60_000]);
    ring.at(1, |s, now, view| s.put_content(now, view, value.clone(), HOUR)).expect("fit");
    ring.run(Duration::from_secs(4));
    assert!(matches!(told(&mut ring)[..], [(1, StorageEvent::Stored { copies: 6, .. })]));
    let key = GroupAddress::of_key(&value).0;
    let found = get(&mut ring, 15, &key);
    assert_eq!((found.len(), found[0].author, found[0].value.clone()), (1, None, Some(value)));
}

#[test]
fn members_that_cannot_connect_to_each_other_hold_and_find() {
    for seed in 0..3 {
        let some: Vec<usize> = (0..40).filter(|at| at % 3 == 0).collect();
        let pairs = some.iter().flat_map(|&a| some.iter().filter(move |&&b| a < b).map(move |&b| (a, b))).collect();
        let mut ring = ring(40, seed, pairs);
        for number in 0..10u8 {
            assert_eq!(put(&mut ring, usize::from(number), &[number], Some(&[number])), 6, "seed {seed}");
        }
        for at in 0..40 {
            let key = [at as u8 % 10];
            assert_eq!(values(&get(&mut ring, at, &key)), [&key], "seed {seed}");
        }
    }
}

#[test]
fn an_older_version_is_refused_and_nobody_writes_into_anothers_slot() {
    let mut ring = ring(20, 4, Pairs::new());
    let mut rng = Rng::for_simulation(4);
    let author = Identity::generate(&mut rng, IdentityKind::default());
    let end = CLOCK.unix_millis(ring.now) + 3_600_000;
    let record = |sequence, value: &[u8]| sign_record(&author, GROUP, b"key", sequence, end, Some(value), None);
    assert!(matches!(inject(&mut ring, 0, record(10, b"ten")), StorageEvent::Stored { copies: 6, .. }));
    assert!(
        matches!(inject(&mut ring, 0, record(9, b"nine")), StorageEvent::Refused { reason, .. } if reason.contains("newer"))
    );
    assert_eq!(values(&get(&mut ring, 5, b"key")), [b"ten"]);

    // The same record by another hand, for another group, with another value: nothing is even sent.
    let mut changed = record(11, b"eleven").to_vec();
    let at = changed.len() - 65;
    changed[at] ^= 1;
    let foreign = sign_record(&author, GroupId([1; 32]), b"key", 11, end, Some(b"x"), None);
    for bad in [Bytes::from(changed), foreign, Bytes::from_static(b"\x01"), Bytes::new()] {
        assert_eq!(ring.at(0, |s, now, view| s.inject(now, view, bad)), Err(StoreError::Unsigned));
    }
    assert_eq!(values(&get(&mut ring, 5, b"key")), [b"ten"]);
}

#[test]
fn who_writes_with_a_slow_clock_still_replaces_its_own_value() {
    let mut ring = ring(20, 5, Pairs::new());
    put(&mut ring, 3, b"key", Some(b"one"));
    // Another process of the same author, whose clock is an hour behind.
    let late = p2pt::base::WallClock { at_zero: CLOCK.at_zero - HOUR / 2 };
    let mut rng = Rng::for_simulation(5);
    let author = Identity::generate(&mut rng, IdentityKind::default());
    let own = |rng: &mut Rng, clock| {
        let config = p2pt::service::storage::StorageConfig { author: author.clone(), clock, ..config(rng) };
        Storage::new(p2pt::base::Instant::ZERO, rng.fork(), config)
    };
    ring.members[7].service = own(&mut rng, CLOCK);
    ring.members[8].service = own(&mut rng, late);
    put(&mut ring, 7, b"other", Some(b"fast"));
    put(&mut ring, 8, b"other", Some(b"slow"));
    assert_eq!(values(&get(&mut ring, 9, b"other")), [b"slow"]);
}

#[test]
fn without_a_grant_nothing_is_stored_where_one_is_needed() {
    let key = SignKey::from_seed(&[5; 32]);
    let mut ring = Ring::new(20, 6, Pairs::new(), |at, _, rng| {
        let mut config = config(rng);
        config.posting_key = Some(key.public());
        let end = CLOCK.unix_millis(p2pt::base::Instant::ZERO) + 3_600_000;
        let grant = |kind, signer: &SignKey| sign_grant(signer, kind, GROUP, config.author.peer_id(), end);
        config.grant = match at {
            0 => Some(grant(GrantKind::Posting, &key)),
            1 => Some(grant(GrantKind::Publishing, &key)),
            2 => Some(grant(GrantKind::Posting, &SignKey::from_seed(&[6; 32]))),
            _ => None,
        };
        Storage::new(p2pt::base::Instant::ZERO, rng.fork(), config)
    });
    assert_eq!(put(&mut ring, 0, b"key", Some(b"value")), 6);
    assert_eq!(values(&get(&mut ring, 9, b"key")), [b"value"]);
    ring.at(0, |s, now, view| s.put_content(now, view, Bytes::from_static(b"content"), HOUR)).expect("granted");
    ring.run(Duration::from_secs(4));
    assert!(matches!(told(&mut ring)[..], [(0, StorageEvent::Stored { copies: 6, .. })]));
    for at in 1..4 {
        let refused = ring.at(at, |s, now, view| s.put(now, view, b"key", None, HOUR));
        assert_eq!(refused, Err(StoreError::NoGrant), "{at}");
    }
    // A member that does not ask for grants sends what the others refuse.
    let mut rng = Rng::for_simulation(6);
    ring.members[4].service = Storage::new(p2pt::base::Instant::ZERO, rng.fork(), config(&mut rng));
    ring.at(4, |s, now, view| s.put(now, view, b"other", Some(Bytes::from_static(b"x")), HOUR)).expect("it thinks so");
    ring.run(Duration::from_secs(11));
    let told = told(&mut ring);
    assert!(matches!(told[..], [(4, StorageEvent::Refused { reason, .. })] if reason.contains("grant")), "{told:?}");
    assert!(get(&mut ring, 9, b"other").is_empty());
}

#[test]
fn what_is_too_long_or_lives_too_long_is_not_stored() {
    let mut ring = ring(2, 7, Pairs::new());
    let mut put = |key: &[u8], len, life| {
        ring.at(0, |s, now, view| s.put(now, view, key, Some(Bytes::from(vec![0; len])), life)).err()
    };
    assert_eq!(put(&[0; 1025], 1, HOUR), Some(StoreError::TooLong));
    assert_eq!(put(b"k", 65_537, HOUR), Some(StoreError::TooLong));
    assert_eq!(put(b"k", 65_536, HOUR), None);
    assert_eq!(put(b"k", 1, Duration::ZERO), Some(StoreError::Life));
    assert_eq!(put(b"k", 1, HOUR * 24 * 31), Some(StoreError::Life));
}

#[test]
fn a_nearest_member_that_lies_hides_no_value_from_who_knows_other_holders() {
    let mut ring = ring(12, 8, Pairs::new());
    put(&mut ring, 3, b"key", Some(b"value"));
    let nearest = ring.nearest(GroupAddress::of_key(b"key"));
    // It has forgotten everything, and as it sees it there is nobody else.
    let mut rng = Rng::for_simulation(8);
    ring.members[nearest].service = Storage::new(ring.now, rng.fork(), config(&mut rng));
    let peers: Vec<_> = ring.members[nearest].view.members().map(|(_, peer)| peer).collect();
    let asker = ring.members.iter().position(|member| member.peer == peers[0]).expect("a member");
    let asker_peer = ring.members[asker].peer;
    for peer in peers.into_iter().filter(|peer| *peer != asker_peer) {
        ring.members[nearest].view.remove_member(peer);
    }
    assert!(ring.members[nearest].view.neighbour(asker_peer).is_some());
    assert_eq!(values(&get(&mut ring, asker, b"key")), [b"value"]);
}
