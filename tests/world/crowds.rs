//! Many peers at once, who come, vanish without a word, and fall apart into islands.

use crate::peer::Peer;
use crate::seeds::{for_some_seeds, long};
use crate::stage::MS;
use p2pt::base::{PeerId, Rng};
use p2pt::endpoint::EndpointConfig;
use p2pt::sim::{Host, HostId, Link, World};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A crowd in which each peer can be dialled.
struct Crowd {
    world: World<Peer>,
    rng: Rng,
    config: EndpointConfig,
    link: Link,
    members: Vec<(HostId, PeerId, SocketAddr)>,
    born: u32,
}

impl Crowd {
    fn new(seed: u64, count: usize) -> Self {
        let mut world = World::new(seed);
        let rng = world.rng();
        let link = Link::IDEAL.rate(20_000_000).queue(64_000).delay(15 * MS).jitter(10 * MS).loss(0.01);
        let config = EndpointConfig::default();
        let mut crowd = Self { world, rng, config, link, members: Vec::new(), born: 0 };
        for _ in 0..count {
            crowd.join();
        }
        crowd
    }

    fn join(&mut self) -> usize {
        self.born += 1;
        let [_, high, middle, low] = self.born.to_be_bytes();
        let address = IpAddr::from([10, high, middle, low]);
        let peer = Peer::plain(&mut self.rng, crate::stage::fresh(&self.config));
        let id = peer.id;
        let host = self.world.add_host(&Host::at(self.world.internet(), address).links(self.link, self.link), peer);
        self.members.push((host, id, SocketAddr::new(address, 1935)));
        self.members.len() - 1
    }

    /// A member dials so many others.
    fn mingle(&mut self, member: usize, count: usize) {
        for _ in 0..count {
            let other = self.rng.below(self.members.len() as u64) as usize;
            if other != member {
                let (_, id, address) = self.members[other];
                self.world.command(self.members[member].0, |peer, now| peer.dial(now, id, address));
            }
        }
    }

    /// Somebody vanishes.
    fn vanish(&mut self) {
        let member = self.rng.below(self.members.len() as u64) as usize;
        let (host, ..) = self.members.swap_remove(member);
        self.world.remove_host(host);
    }

    /// Whom each thinks to have a session with, and who thinks so of him, are the same, and all of them are there.
    fn assert_mutual(&self) {
        for &(host, id, _) in &self.members {
            let endpoint = &self.world.host(host).endpoint;
            for session in endpoint.sessions() {
                let far = endpoint.session(session).expect("listed").far().peer_id;
                let partner = self.members.iter().find(|member| member.1 == far);
                let partner = partner.unwrap_or_else(|| panic!("{id:?} still has a session with {far:?}, who is gone"));
                let back = self.world.host(partner.0).endpoint.sessions_of(id).count();
                assert_eq!((back, endpoint.sessions_of(far).count()), (1, 1), "{id:?} with {far:?}");
            }
        }
    }

    fn sessions(&self) -> usize {
        self.members.iter().map(|&(host, ..)| self.world.host(host).endpoint.sessions().count()).sum()
    }
}

#[test]
fn a_crowd_with_coming_and_going_stays_of_one_mind() {
    for_some_seeds("coming_and_going", 20, |seed| {
        let size = if long() { 1_000 } else { 60 };
        let mut crowd = Crowd::new(seed, size);
        (0..size).for_each(|member| crowd.mingle(member, 3));
        for _ in 0..30 {
            crowd.world.run_for(Duration::from_secs(1));
            crowd.vanish();
            let member = crowd.join();
            crowd.mingle(member, 3);
        }
        // Whoever dials somebody who vanished gives up after 95 s; whoever had a session notices within 10 + 40.
        crowd.world.run_for(Duration::from_secs(100));
        crowd.assert_mutual();
        assert!(crowd.sessions() > size * 2, "{}", crowd.sessions());
        crowd.world.digest()
    });
}

#[test]
fn islands_part_and_meet_again() {
    for_some_seeds("islands_part", 20, |seed| {
        let mut crowd = Crowd::new(seed, 30);
        (0..30).for_each(|member| crowd.mingle(member, 3));
        crowd.world.run_for(Duration::from_secs(20));
        let before = crowd.sessions();
        for member in 0..15 {
            crowd.world.set_island(crowd.members[member].0, 1);
        }
        crowd.world.run_for(Duration::from_secs(90));
        crowd.assert_mutual();
        let apart = crowd.sessions();
        assert!((before / 4..before * 3 / 4).contains(&apart), "{before} sessions, {apart} of them within islands");
        for member in 0..15 {
            crowd.world.set_island(crowd.members[member].0, 0);
        }
        (0..30).for_each(|member| crowd.mingle(member, 3));
        crowd.world.run_for(Duration::from_secs(20));
        crowd.assert_mutual();
        assert!(crowd.sessions() > before, "{before} sessions before, {} after", crowd.sessions());
        crowd.world.digest()
    });
}
