//! Posts among honest members.

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::{Manner, Report, World, config, identity, ms};
use crate::base::Instant;
use crate::group::{FIRST_ROOM, Output};
use crate::service::posting::{MAX_BODY, PostError, PostId, Posting, PostingStats};

/// `posts` posts of random members, `pause` apart. What was posted, and the extra copies for each delivery.
fn chatter(world: &mut World, posts: usize, pause: Duration) -> (Vec<PostId>, f64) {
    let before = world.stats();
    let members = up(world);
    let ids = (0..posts)
        .map(|count| {
            let node = members[world.rng.below(members.len() as u64) as usize];
            let id = world.post(node, format!("post {count}"));
            world.run(pause);
            id
        })
        .collect();
    world.run(ms(4000));
    (ids, redundancy(before, world.stats()))
}

fn redundancy(before: PostingStats, after: PostingStats) -> f64 {
    (after.duplicates - before.duplicates) as f64 / (after.received - before.received).max(1) as f64
}

fn up(world: &World) -> Vec<usize> {
    (0..world.nodes.len()).filter(|node| world.nodes[*node].up && world.nodes[*node].manner == Manner::Honest).collect()
}

/// The posts of each process came in order.
fn assert_order(world: &World, who: &[usize]) {
    for &node in who {
        let mut last = BTreeMap::new();
        for (_, post) in &world.nodes[node].got {
            let before = last.insert((post.author, post.instance), post.sequence);
            assert!(before.is_none_or(|before| before < post.sequence), "member {node}: {before:?}, {post:?}");
        }
    }
}

/// A world of `members`, warmed up; then the goals are measured.
fn goals(seed: u64, members: usize, posts: usize) -> (Report, f64) {
    let mut world = World::of(seed, members, 23);
    let all = up(&world);
    world.run(ms(2000));
    let (warm_up, _) = chatter(&mut world, 40, ms(100));
    let (ids, redundancy) = chatter(&mut world, posts, ms(50));
    let (report, first) = (world.report(&ids, &all), world.report(&warm_up, &all));
    println!("seed {seed}, {members} members: {report:?}, redundancy {redundancy:.3}; warming up: {first:?}");
    assert_eq!((first.missed, first.doubled), (0, 0), "seed {seed}");
    assert_eq!((report.missed, report.doubled), (0, 0), "seed {seed}");
    assert_order(&world, &all);
    (report, redundancy)
}

#[test]
fn groups_of_a_few_wait_for_nothing() {
    for members in [2, 3, 5] {
        let mut world = World::of(3, members, members - 1);
        world.loss = 0;
        world.run(ms(500));
        let all = up(&world);
        let (ids, _) = chatter(&mut world, 20, ms(37));
        let report = world.report(&ids, &all);
        assert_eq!((report.missed, report.doubled), (0, 0), "{members} members");
        assert!(report.last < ms(700), "{members} members: {report:?}");
        // Until somebody has given the tree its shape.
        world.run(ms(3000));
        let (ids, redundancy) = chatter(&mut world, 50, ms(37));
        let report = world.report(&ids, &all);
        assert!(report.last < ms(450), "{members} members: {report:?}");
        assert!(redundancy < 0.2, "{members} members: {redundancy}");
        assert_order(&world, &all);
    }
}

#[test]
fn twenty_and_a_hundred_members_get_each_post_once_and_soon() {
    for (members, posts) in [(20, 60), (100, 40)] {
        let (report, redundancy) = goals(11, members, posts);
        // The median latency is 80 ms.
        assert!(report.p50 < ms(3 * 160) && report.p99 < ms(1000) && report.hops <= 18, "{report:?}");
        assert!(redundancy < 0.5, "{redundancy}");
    }
}

/// Many worlds, by command.
#[test]
fn the_goals_hold_whatever_the_seed() {
    if std::env::var_os("P2PT_LONG").is_none() {
        return;
    }
    for seed in 100..120 {
        let (report, redundancy) = goals(seed, 60, 40);
        assert!(report.p50 < ms(480) && report.p99 < ms(1000) && report.hops <= 18, "seed {seed}: {report:?}");
        assert!(redundancy < 0.5, "seed {seed}: {redundancy}");
    }
}

#[test]
fn a_thousand_members_get_each_post_once_and_soon() {
    if std::env::var_os("P2PT_LONG").is_none() {
        return;
    }
    let (report, redundancy) = goals(12, 1000, 100);
    assert!(report.p50 < ms(3 * 160) && report.p99 < ms(1000) && report.hops <= 18, "{report:?}");
    assert!(redundancy < 0.5, "{redundancy}");
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let run = |seed| {
        let mut world = World::of(seed, 12, 6);
        chatter(&mut world, 20, ms(30));
        (world.bytes, world.stats())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn who_stays_misses_nothing_while_a_third_is_replaced_each_minute() {
    let mut world = World::of(21, 40, 13);
    world.run(ms(2000));
    let stayers: Vec<usize> = (0..15).collect();
    let mut ids = Vec::new();
    for second in 0..60 {
        // 12 of 40 in a minute; the newcomers go too.
        if second % 5 == 0 {
            let others: Vec<usize> = up(&world).into_iter().filter(|node| *node >= 15).collect();
            let gone = others[world.rng.below(others.len() as u64) as usize];
            world.kill(gone);
            let new = world.add(Manner::Honest);
            world.link_some(new, 13);
        }
        for _ in 0..2 {
            let members = up(&world);
            let node = members[world.rng.below(members.len() as u64) as usize];
            ids.push(world.post(node, "through the churn"));
            world.run(ms(500));
        }
        for node in up(&world) {
            if world.degree(node) < 10 {
                world.link_some(node, 13);
            }
        }
    }
    world.run(ms(15_000));
    // A post whose author left before anybody had it is nobody's.
    let reached: Vec<PostId> = ids
        .iter()
        .copied()
        .filter(|id| world.nodes.iter().any(|node| node.got.iter().any(|(_, post)| post.id == *id)))
        .collect();
    assert!(reached.len() >= ids.len() - 3);
    let report = world.report(&reached, &stayers);
    println!("{report:?}");
    assert_eq!((report.missed, report.doubled), (0, 0));
    assert!(report.p99 < ms(2000), "{report:?}");
}

#[test]
fn a_late_member_gets_what_is_kept_in_order_and_soon() {
    let mut world = World::of(31, 10, 9);
    world.run(ms(1000));
    let mut ids = Vec::new();
    for count in 0..700 {
        ids.push(world.post(count % 10, format!("number {count}")));
        if count % 10 == 0 {
            world.run(ms(50));
        }
    }
    world.run(ms(3000));
    let old = up(&world);
    let report = world.report(&ids, &old);
    assert_eq!((report.missed, report.doubled), (0, 0));
    let before = world.stats();
    let late = world.add(Manner::Honest);
    world.link_some(late, 10);
    world.run(ms(8000));
    let report = world.report(&ids, &[late]);
    assert_eq!((report.missed, report.doubled), (0, 0));
    assert_order(&world, &[late]);
    let redundancy = redundancy(before, world.stats());
    assert!(redundancy < 0.2, "{redundancy}");
}

#[test]
fn what_is_older_than_the_retention_is_given_to_nobody() {
    let mut world = World::of(32, 3, 2);
    let old = world.post(0, "old");
    world.run(Duration::from_secs(200));
    let young = world.post(0, "young");
    world.run(Duration::from_secs(101));
    let late = world.add(Manner::Honest);
    world.link_some(late, 3);
    world.run(ms(20_000));
    let got: Vec<PostId> = world.nodes[late].got.iter().map(|(_, post)| post.id).collect();
    assert_eq!(got, [young]);
    assert_ne!(old, young);
    world.run(Duration::from_secs(300));
    assert!(world.nodes.iter().all(|node| node.posting.store.bytes() == 0 && node.posting.streams.size() == (0, 0)));
}

#[test]
fn the_posts_of_both_halves_reach_the_other_when_they_meet() {
    let mut world = World::of(41, 20, 8);
    world.run(ms(1000));
    let (near, far): (Vec<usize>, Vec<usize>) = (0..20).partition(|node| *node < 10);
    let cut: Vec<((usize, usize), Duration)> =
        world.links.iter().filter(|((a, b), _)| *a < 10 && *b >= 10).map(|(link, latency)| (*link, *latency)).collect();
    cut.iter().for_each(|((a, b), _)| world.unlink(*a, *b));
    for half in [&near, &far] {
        for count in 0..120 {
            world.post(half[count % 10], "while apart");
            world.run(ms(20));
        }
    }
    world.run(ms(60_000));
    let ids: Vec<PostId> = world.posted.keys().copied().collect();
    let all = up(&world);
    assert_eq!(world.report(&ids, &all).missed, 20 * 120);
    cut[..2].iter().for_each(|((a, b), latency)| world.link(*a, *b, *latency));
    world.run(ms(10_000));
    let report = world.report(&ids, &all);
    assert_eq!((report.missed, report.doubled), (0, 0));
}

/// So many posts of such a length, as fast as there is room for them.
fn post_all(world: &mut World, node: usize, count: usize, length: usize) -> Vec<PostId> {
    let mut ids = Vec::new();
    while ids.len() < count {
        match world.try_post(node, vec![7; length]) {
            Ok(id) => ids.push(id),
            Err(error) => {
                assert_eq!(error, PostError::Full);
                world.run(ms(10));
            }
        }
    }
    ids
}

#[test]
fn many_posts_are_in_flight_at_once() {
    let mut world = World::of(51, 20, 10);
    world.run(ms(1000));
    chatter(&mut world, 20, ms(100));
    let begin = world.now;
    // 2 MB from one author, eight times the room of a lane.
    let ids = post_all(&mut world, 3, 500, 4000);
    assert!(world.now - begin < ms(3000), "{:?}", world.now - begin);
    world.run(ms(6000));
    let all = up(&world);
    let report = world.report(&ids, &all);
    assert_eq!((report.missed, report.doubled), (0, 0));
    assert_order(&world, &all);
}

/// Whoever posted more at once than members hold of one author left those behind who had not got it all by push.
#[test]
fn who_posts_more_than_is_held_waits_until_others_had_time_to_ask() {
    let mut world = World::of(52, 6, 10);
    world.run(ms(1000));
    let begin = world.now;
    let ids = post_all(&mut world, 3, 700, 60_000);
    // 40 MiB, of which 16 may go at once, over links that take from 0.8 MiB a second on.
    let took = world.now - begin;
    assert!((ms(7000)..ms(50_000)).contains(&took), "{took:?}");
    world.run(ms(10_000));
    let all = up(&world);
    let report = world.report(&ids, &all);
    assert_eq!((report.missed, report.doubled), (0, 0));
    assert_order(&world, &all);
}

#[test]
fn posts_wait_for_the_first_neighbour() {
    let mut world = World::new(61);
    let (a, b) = (world.add(Manner::Honest), world.add(Manner::Honest));
    let ids: Vec<PostId> = (0..10).map(|count| world.post(a, format!("{count}"))).collect();
    world.run(ms(1000));
    world.link(a, b, ms(20));
    world.run(ms(25));
    assert_eq!(world.report(&ids, &[b]).missed, 0);
    assert!(world.nodes[a].got.is_empty());
    world.run(ms(25));
    assert_eq!(world.nodes[a].answers.len(), 10);
    let c = world.add(Manner::Honest);
    let fitted = (0..5000).take_while(|_| world.try_post(c, "waiting").is_ok()).count();
    assert_eq!(fitted, 1024);
}

#[test]
fn a_post_has_a_length_a_nickname_and_hops() {
    let mut world = World::new(62);
    let nodes: Vec<usize> = (0..3).map(|_| world.add(Manner::Honest)).collect();
    nodes.windows(2).for_each(|pair| world.link(pair[0], pair[1], ms(10)));
    let long = world.try_post(0, vec![0; MAX_BODY + 1]);
    assert_eq!(long, Err(PostError::TooLong));
    let nick = "é".repeat(40);
    let now = world.now;
    world.nodes[0].posting.post(now, Some(&nick), vec![1; MAX_BODY].into()).expect("there is room");
    world.drain(0);
    world.run(ms(500));
    for (node, hops) in [(1, 1), (2, 2)] {
        let (_, post) = &world.nodes[node].got[0];
        assert_eq!((post.hops, post.sequence, post.body.len()), (hops, 1, MAX_BODY));
        assert_eq!(post.nick.as_deref(), Some(&*"é".repeat(32)));
        assert_eq!(post.author, world.nodes[0].peer);
    }
}

#[test]
fn nothing_is_sent_beyond_the_room() {
    let mut posting = Posting::new(Instant::ZERO, crate::base::Rng::for_simulation(1), config(identity(1)));
    let peer = identity(2).peer_id();
    posting.peer_up(Instant::ZERO, peer, ms(20));
    let mut sent = 0;
    let mut drain = |posting: &mut Posting| {
        while let Some(output) = posting.poll() {
            if let Output::Send(outgoing) = output {
                sent += outgoing.data.len();
            }
        }
        sent
    };
    let posted = (0..1000).take_while(|_| posting.post(Instant::ZERO, None, vec![1; 1000].into()).is_ok()).count();
    assert!((200..FIRST_ROOM / 1000).contains(&posted), "{posted}");
    let before = drain(&mut posting);
    assert!(before <= FIRST_ROOM);
    posting.handle_timeout(Instant::ZERO + ms(50));
    posting.writable(Instant::ZERO + ms(60), peer, 0);
    assert!(drain(&mut posting) <= FIRST_ROOM);
    posting.writable(Instant::ZERO + ms(70), peer, 3000);
    assert!(posting.post(Instant::ZERO + ms(70), None, vec![1; 1000].into()).is_ok());
    assert!(drain(&mut posting) <= before + 3000);
}
