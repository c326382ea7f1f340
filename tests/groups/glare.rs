//! Two members dial each other at the same moment, on a bad network.

use crate::acts::{heard, long};
use crate::stage::{MS, S, Stage, Ways};
use p2pt::base::{Instant, Rng};
use p2pt::group::Hint;
use p2pt::node::MemberEvent;
use p2pt::node::routing::RoutingEvent;
use p2pt::sim::{HostId, Link, Participant};
use p2pt::wire::{Address, Origin};
use std::time::Duration;

/// When a member was given a message that was sent to all its neighbours.
fn routed(host: &Participant) -> Vec<(Instant, String)> {
    let message = |(at, event): (Instant, &MemberEvent)| match event {
        MemberEvent::Routing(RoutingEvent::Notify(routed)) => {
            Some((at, String::from_utf8_lossy(&routed.body).into_owned()))
        }
        _ => None,
    };
    host.told().filter_map(message).collect()
}

/// One run; whether a session between the two was replaced, and when the last of the first posts came.
fn run(seed: u64) -> (bool, Duration) {
    let mut stage = Stage::new(seed);
    let mut rng = Rng::for_simulation(seed);
    let delay = [5, 20, 100][rng.below(3) as usize] * MS;
    stage.link = Link::IDEAL.delay(delay).jitter(delay / 2).loss(0.1);
    let pair = [stage.join(&Ways::default()), stage.join(&Ways::default())];
    let meet = |stage: &mut Stage, host: HostId, other: HostId| {
        let (id, at) = (stage.id(other), stage.at(other));
        let address = Address { origin: Origin::Unknown, socket: at };
        stage.act(host, |member, now| member.hint(now, id, &[address], Hint::Neighbor));
    };
    let begun = stage.world.now();
    meet(&mut stage, pair[0], pair[1]);
    stage.world.run_for(Duration::from_micros(rng.below(delay.as_micros() as u64 * 8)));
    meet(&mut stage, pair[1], pair[0]);
    // Both speak as soon as they can, so that lanes are open when one of two sessions goes.
    let mut posts = Vec::new();
    for number in 0..20 {
        for host in pair {
            let post = format!("{number} of {host:?}");
            stage.post(host, &post);
            posts.push((host, post));
        }
        stage.world.run_for(delay);
    }
    stage.wait_posts(&posts, &pair, 60 * S);
    let last = pair.iter().flat_map(|&host| heard(&stage.world, host)).map(|(at, _)| at).max().expect("they came");
    // What was to be decided is decided by then.
    stage.world.run_for(30 * S);
    assert!(stage.are_neighbours(pair[0], pair[1]), "seed {seed}: {:?}", stage.picture());
    for (host, other) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        let post = format!("at last, of {host:?}");
        stage.post(host, &post);
        stage.act(host, |member, now| member.send_to_all_neighbors(now, post.clone().into()));
        let there = |heard: Vec<(Instant, String)>| heard.iter().any(|(_, body)| *body == post);
        let both =
            |world: &p2pt::sim::World<Participant>| there(heard(world, other)) && there(routed(world.host(other)));
        // A tenth is lost on each of two links, in both directions: sometimes one thing has to be said five times.
        assert!(stage.world.wait_for(20 * S, both), "seed {seed}: a lane of {host:?} is dead");
    }
    let sessions = pair.map(|host| stage.world.host(host).node.endpoint().session_count());
    assert_eq!(sessions, [1, 1], "seed {seed}");
    let stats = pair.map(|host| stage.world.host(host).node.group_stats().unsent);
    (stats != [0, 0], last - begun)
}

/// RFC 7016 section 3.5.1.3: one of two sessions goes, and with it what was open in it.
#[test]
fn glare_leaves_no_lane_dead() {
    let seeds = if long() { 3_000 } else { 60 };
    let runs: Vec<(bool, Duration)> = (0..seeds).map(|seed| run(1_000 + seed)).collect();
    let unsent = runs.iter().filter(|run| run.0).count();
    let last = runs.iter().map(|run| run.1).max().expect("there were runs");
    println!("{seeds} runs, {unsent} with messages that had no way; the last of the first posts after {last:?}");
}
