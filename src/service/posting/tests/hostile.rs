//! Neighbours that are silent, lie or flood; posts that are not what they seem.

use bytes::Bytes;
use std::time::Duration;

use super::world::{BEGIN, GROUP, Manner, World, config, identity, ms};
use crate::base::{Instant, PeerId, Rng};
use crate::crypto::sign::SignKey;
use crate::group::{FIRST_ROOM, GrantKind, GroupId, Outgoing, Output, sign_grant};
use crate::service::posting::format::{LinkState, Message, Run, Span};
use crate::service::posting::{PostError, PostId, Posting, PostingConfig, PostingEvent, Verdict, sign_post};

/// A third of the members behave in `manner`; everybody else gets everything, once, and nothing else.
fn a_third(manner: Manner) -> World {
    let mut world = World::new(71);
    for node in 0..30 {
        world.add(if node % 3 == 2 { manner } else { Manner::Honest });
    }
    (0..30).for_each(|node| world.link_some(node, 12));
    let honest: Vec<usize> = (0..30).filter(|node| node % 3 != 2).collect();
    world.run(ms(1000));
    let mut ids = Vec::new();
    for count in 0..60 {
        let node = honest[world.rng.below(20) as usize];
        ids.push(world.post(node, format!("post {count}")));
        world.run(ms(150));
    }
    world.run(ms(12_000));
    let report = world.report(&ids, &honest);
    println!("{manner:?}: {report:?}");
    assert_eq!((report.missed, report.doubled), (0, 0), "{manner:?}");
    assert!(report.p50 < ms(500) && report.p99 < ms(5000), "{manner:?}: {report:?}");
    for node in honest {
        assert!(world.nodes[node].got.iter().all(|(_, post)| world.posted.contains_key(&post.id)), "{manner:?}");
    }
    world
}

#[test]
fn a_silent_third_delays_posts_and_loses_none() {
    let world = a_third(Manner::Silent);
    assert!(world.nodes.iter().all(|node| node.banned.is_empty()), "nothing can be proved against it");
}

#[test]
fn a_forging_third_is_left() {
    let world = a_third(Manner::Forging);
    let left =
        |node: usize| (0..30).filter(|other| world.nodes[*other].banned.contains(&world.nodes[node].peer)).count();
    assert!((0..30).all(|node| left(node) == 0 || node % 3 == 2), "nobody else");
    // Leaves of the tree have nothing to pass on.
    assert!((0..30).filter(|node| left(*node) > 0).count() >= 7, "{:?}", (0..30).map(left).collect::<Vec<_>>());
}

#[test]
fn a_replaying_third_is_harmless() {
    a_third(Manner::Replaying);
}

#[test]
fn a_flooding_third_is_harmless() {
    let world = a_third(Manner::Flooding);
    let honest = (0..30).filter(|node| node % 3 != 2);
    assert!(
        honest
            .clone()
            .all(|node| honest.clone().all(|other| !world.nodes[node].banned.contains(&world.nodes[other].peer)))
    );
}

/// One member whose neighbours are played by the test.
struct Alone {
    posting: Posting,
    now: Instant,
}

impl Alone {
    fn new(config: PostingConfig, neighbours: &[PeerId]) -> Self {
        let now = Instant::ZERO + Duration::from_secs(3600);
        let mut posting = Posting::new(now, Rng::for_simulation(1), config);
        neighbours.iter().for_each(|peer| posting.peer_up(now, *peer, ms(20)));
        while posting.poll().is_some() {}
        Self { posting, now }
    }

    /// The time of day in milliseconds.
    fn time(&self) -> u64 {
        (BEGIN + (self.now - Instant::ZERO)).as_millis() as u64
    }

    fn says(&mut self, peer: PeerId, message: &Message<'_>) {
        self.posting.message(self.now, peer, &message.encode());
    }

    fn posts(&mut self, peer: PeerId, hops: u64, signed: &Bytes) {
        self.says(peer, &Message::Post { hops, signed });
    }

    /// What it sends, decoded by `read`, and its events.
    fn drain(&mut self) -> (Vec<(PeerId, Bytes)>, Vec<PostingEvent>) {
        let (mut sent, mut events) = (Vec::new(), Vec::new());
        while let Some(output) = self.posting.poll() {
            match output {
                Output::Send(Outgoing { peer, data, .. }) => sent.push((peer, data)),
                Output::Event(event) => events.push(event),
                other => panic!("{other:?}"),
            }
        }
        (sent, events)
    }

    /// The verdict that it sends to `peer`, and how many posts it hands out.
    fn verdict(&mut self, peer: PeerId, signed: &Bytes) -> (Option<Verdict>, usize) {
        self.posts(peer, 0, signed);
        let (sent, events) = self.drain();
        let verdict = sent.iter().find_map(|(to, data)| match Message::decode(data) {
            Ok(Some(Message::Answer(answers))) if *to == peer => Some(answers[0].0),
            _ => None,
        });
        (verdict, events.iter().filter(|event| matches!(event, PostingEvent::Notify(_))).count())
    }
}

fn peer(number: u8) -> PeerId {
    PeerId([number; 32])
}

#[test]
fn times_outside_of_the_window_are_refused_and_told() {
    let author = identity(2);
    let mut alone = Alone::new(config(identity(1)), &[peer(1)]);
    let now = alone.time();
    let at = |time, sequence| sign_post(&author, GROUP, [1; 8], sequence, time, None, b"body", None);
    for (sequence, time, verdict) in [
        (1, now - 300_001, Verdict::TooOld),
        (1, 0, Verdict::TooOld),
        (1, now + 600_001, Verdict::InFuture),
        (1, u64::MAX, Verdict::InFuture),
        (1, now - 299_000, Verdict::Accepted),
        (2, now + 600_000, Verdict::Accepted),
    ] {
        let expected = (Some(verdict), usize::from(verdict == Verdict::Accepted));
        assert_eq!(alone.verdict(peer(1), &at(time, sequence)), expected, "{time}");
    }
    assert_eq!(alone.posting.stats().untimely, 4);
    // The same again: still accepted, and handed out no more.
    assert_eq!(alone.verdict(peer(1), &at(now - 299_000, 1)), (Some(Verdict::Accepted), 0));
    assert_eq!(alone.posting.stats().duplicates, 1);
}

#[test]
fn a_grant_is_needed_where_there_is_a_posting_key() {
    let (key, other_key) = (SignKey::from_seed(&[5; 32]), SignKey::from_seed(&[6; 32]));
    let (author, stranger) = (identity(2), identity(3));
    let keyed = PostingConfig { posting_key: Some(key.public()), ..config(identity(1)) };
    let mut alone = Alone::new(keyed.clone(), &[peer(1), peer(2)]);
    let now = alone.time();
    let grant =
        |key, who: &crate::crypto::Identity, end| sign_grant(key, GrantKind::Posting, GROUP, who.peer_id(), end);
    let good = grant(&key, &author, now + 1000);
    let post = |grant: Option<&[u8]>, sequence| sign_post(&author, GROUP, [1; 8], sequence, now, None, b"body", grant);
    let bad: [Option<Bytes>; 5] = [
        None,
        Some(grant(&key, &stranger, now + 1000)),
        Some(grant(&other_key, &author, now + 1000)),
        Some(grant(&key, &author, now)),
        Some(sign_grant(&key, GrantKind::Publishing, GROUP, author.peer_id(), now + 1000)),
    ];
    for grant in &bad {
        assert_eq!(alone.verdict(peer(1), &post(grant.as_deref(), 1)), (Some(Verdict::NoGrant), 0), "{grant:?}");
    }
    assert_eq!(alone.posting.stats().unauthorized, 5);
    assert_eq!(alone.verdict(peer(1), &post(Some(&good), 1)), (Some(Verdict::Accepted), 1));
    alone.now += ms(999);
    assert_eq!(alone.verdict(peer(1), &post(Some(&good), 2)).0, Some(Verdict::Accepted));
    alone.now += ms(1);
    assert_eq!(alone.verdict(peer(1), &post(Some(&good), 3)).0, Some(Verdict::NoGrant));
    // To pass on what has no grant is against the rules.
    alone.posts(peer(2), 3, &post(None, 4));
    let banned = |event: &PostingEvent| matches!(event, PostingEvent::Misbehaved { peer: who, .. } if *who == peer(2));
    assert!(alone.drain().1.iter().any(banned));

    // Here it fails at once.
    let mut mine = Alone::new(keyed.clone(), &[peer(1)]);
    assert_eq!(mine.posting.post(mine.now, None, "body".into()), Err(PostError::NoGrant));
    let injected = sign_post(&author, GROUP, [1; 8], 1, now, None, b"body", Some(&good));
    assert!(mine.posting.inject(mine.now, injected).is_ok());
    let own = grant(&key, &keyed.author, now + 1000);
    let mut mine = Alone::new(PostingConfig { grant: Some(own), ..keyed }, &[peer(1)]);
    assert!(mine.posting.post(mine.now, None, "body".into()).is_ok());
}

#[test]
fn what_is_injected_is_checked_and_answered_for() {
    let author = identity(2);
    let mut alone = Alone::new(config(identity(1)), &[peer(1)]);
    let now = alone.time();
    let good = sign_post(&author, GROUP, [1; 8], 1, now, Some("nick"), b"body", None);
    let id = alone.posting.inject(alone.now, good.clone()).expect("a good post");
    assert_eq!(alone.posting.inject(alone.now, good.clone()), Ok(id));
    let (sent, events) = alone.drain();
    let pushed: Vec<_> = sent.iter().filter(|(_, data)| data[0] == 1).collect();
    assert_eq!((pushed.len(), events.len()), (1, 0));
    assert_eq!(pushed[0].1[..], [&[1, 0], &good[..]].concat());
    alone.says(peer(1), &Message::Answer(vec![(Verdict::TooOld, id), (Verdict::NoGrant, PostId([0; 32]))]));
    assert_eq!(alone.drain().1, [PostingEvent::Answered { id, by: peer(1), verdict: Verdict::TooOld }]);

    let elsewhere = sign_post(&author, GroupId([8; 32]), [1; 8], 2, now, None, b"body", None);
    let old = sign_post(&author, GROUP, [1; 8], 2, now - 400_000, None, b"body", None);
    for (signed, error) in [
        (elsewhere, PostError::Malformed),
        (good.slice(1..), PostError::Malformed),
        (Bytes::new(), PostError::Malformed),
        (old, PostError::Untimely),
    ] {
        assert_eq!(alone.posting.inject(alone.now, signed), Err(error));
    }
}

#[test]
fn after_a_forgery_the_good_post_is_taken_from_somebody_else() {
    let author = identity(2);
    let mut alone = Alone::new(config(identity(1)), &[peer(1), peer(2), peer(3)]);
    let good = sign_post(&author, GROUP, [1; 8], 1, alone.time(), None, b"body", None);
    let other_group = sign_post(&author, GroupId([8; 32]), [1; 8], 1, alone.time(), None, b"body", None);
    let mut forged = good.to_vec();
    *forged.last_mut().expect("it has bytes") ^= 1;
    for (liar, lie) in [(peer(1), Bytes::from(forged)), (peer(2), other_group)] {
        alone.posts(liar, 2, &lie);
        let (sent, events) = alone.drain();
        assert!(sent.iter().all(|(_, data)| data[0] != 1), "it is not passed on");
        assert!(matches!(events[..], [PostingEvent::Misbehaved { peer, .. }] if peer == liar), "{events:?}");
        alone.posts(liar, 2, &good);
        assert_eq!(alone.drain().1, [], "who lied is not heard");
    }
    alone.posts(peer(3), 2, &good);
    assert!(matches!(&alone.drain().1[..], [PostingEvent::Notify(post)] if post.hops == 3));
    assert_eq!((alone.posting.stats().malformed, alone.posting.stats().received), (2, 1));
}

#[test]
fn no_byte_of_a_post_can_be_changed() {
    let key = SignKey::from_seed(&[5; 32]);
    let author = identity(2);
    let keyed = PostingConfig { posting_key: Some(key.public()), ..config(identity(1)) };
    let now = Alone::new(keyed.clone(), &[peer(1)]).time();
    let grant = sign_grant(&key, GrantKind::Posting, GROUP, author.peer_id(), now + 1000);
    let good = sign_post(&author, GROUP, [1; 8], 1, now, Some("nick"), b"body", Some(&grant));
    for at in 0..good.len() {
        let mut alone = Alone::new(keyed.clone(), &[peer(1), peer(2)]);
        let mut forged = good.to_vec();
        forged[at] ^= 0x10;
        alone.posts(peer(1), 1, &Bytes::from(forged));
        let (sent, events) = alone.drain();
        let handed_out = events.iter().any(|event| matches!(event, PostingEvent::Notify(_)));
        assert!(!handed_out && sent.iter().all(|(_, data)| data[0] != 1), "byte {at}");
        let stats = alone.posting.stats();
        assert_eq!(stats.malformed + stats.untimely + stats.unauthorized, 1, "byte {at} is counted: {stats:?}");
        // And the good one is not taken for seen.
        alone.posts(peer(2), 1, &good);
        assert!(alone.drain().1.iter().any(|event| matches!(event, PostingEvent::Notify(_))), "byte {at}");
    }
}

#[test]
fn beats_of_strangers_shape_nothing() {
    let mut alone = Alone::new(config(identity(1)), &[peer(1), peer(2)]);
    let (time, now) = (alone.time(), alone.now);
    let beat = |seed, sequence, time| {
        crate::service::posting::signed::sign_beat(&identity(seed), GROUP, ([seed as u8; 8], sequence, time), None)
    };
    let passed = |alone: &mut Alone, signed: &Bytes| {
        alone.posts(peer(1), 1, signed);
        alone.drain().0.iter().filter(|(to, data)| *to == peer(2) && data[0] == 1).count()
    };
    let (low, high) = if identity(5).peer_id() < identity(6).peer_id() { (5, 6) } else { (6, 5) };
    assert_eq!(passed(&mut alone, &beat(low, 1, time - 400_000)), 0, "too old");
    assert_eq!(passed(&mut alone, &beat(low, 7, time)), 1);
    assert_eq!(passed(&mut alone, &beat(low, 7, time)), 0, "a copy");
    assert_eq!(passed(&mut alone, &beat(low, 8, time)), 0, "too soon");
    assert_eq!(passed(&mut alone, &beat(high, 9, time)), 0, "a worse root");
    alone.now = now + Duration::from_secs(5);
    assert_eq!(passed(&mut alone, &beat(low, 6, time)), 0, "an old one of its own");
    assert_eq!(passed(&mut alone, &beat(low, 8, time)), 1);
    alone.now = now + Duration::from_secs(60);
    assert_eq!(passed(&mut alone, &beat(high, 9, time)), 1, "the better one is gone");
    let mut forged = beat(low, 99, time).to_vec();
    *forged.last_mut().expect("it has bytes") ^= 1;
    assert_eq!(passed(&mut alone, &forged.into()), 0);
    assert!(alone.posting.neighbours[&peer(1)].banned);
    assert_eq!(alone.posting.stats().received, 0, "a beat is no post");
}

#[test]
fn a_hundred_thousand_mutated_messages_leave_memory_within_its_limits() {
    let mut rng = Rng::for_simulation(81);
    let mut alone = Alone::new(config(identity(1)), &[peer(1), peer(2)]);
    let time = alone.time();
    let author = identity(2);
    let signed: Vec<Bytes> =
        (1..50).map(|sequence| sign_post(&author, GROUP, [1; 8], sequence, time, Some("n"), &[7; 100], None)).collect();
    let stream = crate::service::posting::signed::Signed::parse(&signed[0]).expect("a post").stream();
    let run = Run { stream, first: 1, count: 40 };
    let far = Run { stream: [9; 12], first: 1, count: u64::MAX / 2 };
    let span = Span { from: time - 1000, to: time + 1000, count: 3, digest: [1; 8] };
    let mut samples: Vec<Vec<u8>> = vec![
        Message::Have(vec![run, far, run]).encode(),
        Message::Want(vec![run, far]).encode(),
        Message::Link(LinkState::Parent).encode(),
        Message::Answer(vec![(Verdict::NoGrant, PostId([3; 32])); 3]).encode(),
        Message::Compare(vec![span; 40]).encode(),
        Message::List { from: time - 1000, to: time + 9, runs: vec![run, far] }.encode(),
    ];
    samples.extend(signed.iter().map(|signed| Message::Post { hops: 1, signed }.encode()));
    let mut most = 0;
    for count in 0..100_000u64 {
        let mut message = samples[rng.below(samples.len() as u64) as usize].clone();
        for _ in 0..rng.below(4) {
            let at = rng.below(message.len() as u64) as usize;
            message[at] = rng.u32() as u8;
        }
        message.truncate(message.len() - rng.below(3) as usize * rng.below(message.len() as u64) as usize / 3);
        if count % 100 == 0 {
            alone.now += ms(1);
            // The other neighbour has no room.
            alone.posting.writable(alone.now, peer(1), FIRST_ROOM);
        }
        alone.posting.message(alone.now, peer(1), &message);
        if alone.posting.neighbours[&peer(1)].banned {
            alone.posting.peer_down(alone.now, peer(1));
            alone.posting.peer_up(alone.now, peer(1), ms(20));
        }
        alone.drain();
        if alone.posting.deadline().is_some_and(|deadline| deadline <= alone.now) {
            alone.posting.handle_timeout(alone.now);
        }
        let waiting: usize = alone.posting.neighbours.values().map(super::super::neighbour::Neighbour::size).sum();
        most = most.max(waiting + alone.posting.missing.len());
    }
    assert!(most < 2 * (8192 + 1024 + 512 + 4096 + 1024), "{most}");
    assert!(alone.posting.store.bytes() < 50 * 2000);
    let (streams, ranges) = alone.posting.streams.size();
    assert!(streams == 1 && ranges < 50, "{streams}, {ranges}");
    assert!(alone.posting.stats().malformed > 1000);
}

#[test]
fn twenty_bytes_that_name_thousands_of_posts_are_no_cheap_way_to_keep_us_busy() {
    let mut alone = Alone::new(config(identity(1)), &[peer(1)]);
    let id = alone.posting.post(alone.now, None, "one of ours".into()).expect("there is room");
    let stream = alone.posting.store.keys(0, u64::MAX, 1)[0].0;
    let have = Message::Have(vec![Run { stream, first: 1, count: 1 << 60 }]).encode();
    assert!(have.len() < 25, "{}", have.len());
    // Each that is looked through says that the neighbour has our post.
    let looked_through = |alone: &mut Alone| {
        (0..5000).for_each(|_| alone.posting.message(alone.now, peer(1), &have));
        let accepted = |event: &&PostingEvent| matches!(event, PostingEvent::Answered { id: of, .. } if *of == id);
        alone.drain().1.iter().filter(accepted).count()
    };
    let at_once = looked_through(&mut alone);
    assert!((1900..=4_000_000 / 2048).contains(&at_once), "{at_once}");
    alone.now += Duration::from_secs(1);
    let a_second = looked_through(&mut alone);
    assert!((200..=500_000 / 2048 + 1).contains(&a_second), "{a_second}");
}

#[test]
fn an_author_has_a_share_and_all_together_have_a_limit() {
    let mut alone = Alone::new(config(identity(1)), &[peer(1)]);
    let mut handed_out = 0;
    for number in 0..7 {
        let author = identity(100 + number);
        for sequence in 1..=300 {
            let signed = sign_post(&author, GROUP, [1; 8], sequence, alone.time(), None, &[7; 64 << 10], None);
            alone.now += ms(10);
            alone.posts(peer(1), 1, &signed);
            let events = alone.drain().1;
            handed_out += events.iter().filter(|event| matches!(event, PostingEvent::Notify(_))).count();
            assert!(alone.posting.store.bytes() <= 64 << 20);
        }
        let share = (number as usize + 1) * (16 << 20);
        assert!(alone.posting.store.bytes() <= share.min(64 << 20));
    }
    assert_eq!(handed_out, 7 * 300);
    assert!(alone.posting.store.bytes() > 63 << 20);
}
