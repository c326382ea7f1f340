//! Links that lose, hold up, double and corrupt.

use crate::load::Load;
use crate::peer::Peer;
use crate::seeds::{Digest, for_each_seed};
use crate::stage::{FAR, MS, NEAR, Pair, ip, socket, watch};
use p2pt::base::Rng;
use p2pt::crypto::{Identity, IdentityKind, Keyring, Policy};
use p2pt::endpoint::EndpointConfig;
use p2pt::flow::Order;
use p2pt::sim::{Host, Link, Oversize, World};
use std::sync::Arc;
use std::time::Duration;

/// A link of one of several rates and delays.
fn some_link(rng: &mut Rng) -> Link {
    let rate = [2_000_000, 10_000_000, 100_000_000][rng.below(3) as usize];
    let delay = [1, 10, 50, 150][rng.below(4) as usize] * MS;
    Link::IDEAL.rate(rate).queue(64_000).delay(delay).mtu(1_500)
}

/// Both send each other messages of up to 3,000 bytes, then one closes.
fn exchange(seed: u64, up: Link, down: Link) -> Digest {
    let mut pair = Pair::with(seed, up, down, &EndpointConfig::default());
    pair.loads(Some(Load::new(seed, 15, 3_000)), Some(Load::new(seed + 1, 10, 3_000)));
    if seed.is_multiple_of(3) {
        pair.world.host_mut(pair.far).order = Order::AsReceived;
    }
    pair.dial();
    pair.wait_done(Duration::from_secs(120));
    pair.close();
    pair.world.digest()
}

#[test]
fn sessions_open_and_close_at_up_to_20_percent_loss() {
    for_each_seed("sessions_open_and_close", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let link = some_link(&mut rng).loss(rng.unit() * 0.2);
        let mut pair = Pair::new(seed, link);
        pair.dial();
        pair.wait_open(Duration::from_secs(95));
        pair.close();
        pair.world.digest()
    });
}

#[test]
fn data_arrives_at_up_to_20_percent_loss() {
    for_each_seed("data_arrives_at", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let [up, down] = [0, 1].map(|_| some_link(&mut rng).loss(rng.unit() * 0.2));
        exchange(seed, up, down)
    });
}

#[test]
fn data_arrives_when_losses_come_in_bursts() {
    for_each_seed("losses_come_in_bursts", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let [up, down] = [0, 1].map(|_| some_link(&mut rng).burst(rng.unit() * 0.1, 1.0 + rng.unit() * 20.0));
        exchange(seed, up, down)
    });
}

#[test]
fn data_arrives_when_packets_overtake_each_other() {
    for_each_seed("overtake", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let [up, down] = [0, 1].map(|_| {
            let jitter = rng.below(60) as u32 * MS;
            let link = some_link(&mut rng).jitter(jitter).reorder(rng.unit() * 0.3, 40 * MS);
            Link { jitter_reorders: true, ..link }
        });
        exchange(seed, up, down)
    });
}

#[test]
fn data_arrives_once_when_packets_arrive_twice() {
    for_each_seed("arrive_twice", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let [up, down] = [0, 1].map(|_| some_link(&mut rng).duplicate(rng.unit()).reorder(0.2, 20 * MS).loss(0.02));
        exchange(seed, up, down)
    });
}

#[test]
fn data_arrives_right_when_bits_flip() {
    for_each_seed("bits_flip", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let link = some_link(&mut rng).corrupt(rng.unit() * 0.1);
        let mut world = World::new(seed);
        let hosts = [NEAR, FAR].map(|address| {
            let identity = Identity::generate(&mut rng, IdentityKind::default());
            let profile = Arc::new(Keyring::new(identity, Policy::default()));
            let host = Host::at(world.internet(), ip(address)).links(link, link);
            world.add_host(&host, Peer::new(&mut rng, profile, EndpointConfig::default()))
        });
        watch(&mut world);
        let mut pair = Pair { world, near: hosts[0], far: hosts[1] };
        pair.loads(Some(Load::new(seed, 15, 3_000)), Some(Load::new(seed + 1, 10, 3_000)));
        let id = pair.id(pair.far);
        pair.world.command(pair.near, |peer, now| peer.dial(now, id, socket(FAR)));
        pair.wait_done(Duration::from_secs(120));
        pair.close();
        pair.world.digest()
    });
}

#[test]
fn data_arrives_when_the_path_swallows_long_packets() {
    for_each_seed("swallows_long_packets", |seed| {
        let mut rng = Rng::for_simulation(seed);
        let mut link = some_link(&mut rng).loss(0.01).mtu(1_228 + rng.below(300) as usize);
        if seed % 4 == 0 {
            link.oversize = Oversize::Fragment;
        }
        exchange(seed, link, link)
    });
}
