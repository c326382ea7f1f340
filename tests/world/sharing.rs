//! Several sessions at one bottleneck, and a bottleneck that marks instead of dropping.

use crate::load::Load;
use crate::peer::Peer;
use crate::seeds::for_some_seeds;
use crate::stage::{MS, Pair, fresh, ip};
use p2pt::endpoint::EndpointConfig;
use p2pt::sim::{Cause, Host, HostId, Link, Nat, World};
use std::net::SocketAddr;
use std::time::Duration;

/// What a peer was delivered so far.
fn received(world: &World<Peer>, host: HostId) -> usize {
    world.host(host).harvest.values().map(|harvest| harvest.bytes).sum()
}

#[test]
fn sessions_behind_one_link_share_it() {
    for_some_seeds("share_it", 4, |seed| {
        let mut world = World::new(seed);
        let mut rng = world.rng();
        let nat = world.add_nat(world.internet(), ip("203.0.113.1"), Nat::FULL_CONE);
        let bottleneck = Link::IDEAL.rate(10_000_000).queue(60_000).delay(20 * MS).mtu(1_500);
        world.set_links(nat, bottleneck, bottleneck);
        let inside = world.inside(nat);
        let pairs = [1, 2].map(|n: u8| {
            let load = Load::bulk(seed + u64::from(n), 1 << 28);
            let mut far = Peer::plain(&mut rng, fresh(&EndpointConfig::default()));
            let mut near = Peer::plain(&mut rng, fresh(&EndpointConfig::default()));
            (near.load, far.expect) = (Some(load), Some(load));
            let (id, at) = (far.id, SocketAddr::from(([192, 0, 2, n], 1935)));
            let far = world.add_host(&Host::at(world.internet(), at.ip()), far);
            let near = world.add_host(&Host::at(inside, [192, 168, 1, n].into()), near);
            world.command(near, |peer, now| peer.dial(now, id, at));
            // The second comes when the first has taken all there is.
            world.run_for(Duration::from_secs(5));
            far
        });
        world.run_for(Duration::from_secs(10));
        let before = pairs.map(|far| received(&world, far));
        world.run_for(Duration::from_secs(30));
        let [first, second] = [0, 1].map(|n| (received(&world, pairs[n]) - before[n]) as f64 * 8.0 / 30.0);
        assert!(first + second > 8_500_000.0, "{first} and {second} of 10 Mbit/s");
        assert!((0.5..2.0).contains(&(first / second)), "{first} and {second}");
        world.digest()
    });
}

#[test]
fn a_queue_that_marks_stays_short_and_drops_nothing() {
    for_some_seeds("that_marks", 10, |seed| {
        let link = Link::IDEAL.rate(10_000_000).queue(400_000).delay(20 * MS).mtu(1_500);
        let waits = [Some(10 * MS), None].map(|mark| {
            let mut pair = Pair::with(seed, Link { mark, ..link }, Link::IDEAL, &EndpointConfig::default());
            pair.loads(Some(Load::bulk(seed, 4 << 20)), None);
            pair.dial();
            pair.wait_done(Duration::from_secs(20));
            let counters = pair.world.counters();
            assert_eq!(counters.marked > 0, mark.is_some());
            assert!(mark.is_none() || counters.dropped_by(Cause::QueueFull) == 0, "{counters:?}");
            let (up, _) = pair.world.link_stats(pair.near);
            (up.longest_wait, pair.world.digest())
        });
        assert!(waits[0].0 < 120 * MS, "with marks {:?}, without {:?}", waits[0].0, waits[1].0);
        waits[0].1
    });
}
