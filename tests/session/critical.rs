//! Real-time data on one session makes room for itself on others (RFC 7016 sections 2.2.4 and 3.5.2.1).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use p2pt::base::{Instant, Path, Received, SessionId, Transmit};
use p2pt::flow::Priority;
use p2pt::session::congestion::Algorithm;
use p2pt::session::{Session, SessionConfig, SessionParams};
use p2pt::sim::{Fate, Host, HostId, Link, Machine, World};

use crate::pair::{End, Keys, PORT, keys, ms, params, session};

const TIME_CRITICAL: u8 = 0x80;
const REVERSE: u8 = 0x40;
/// Where the flags are in a datagram of profile `plain`.
const FLAGS: usize = 10;

/// A receiver with two sessions, to two senders: `sessions[n]` is the one to `senders[n]`.
struct Receiver {
    sessions: [End; 2],
}

impl Machine for Receiver {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        let end = self.sessions.iter_mut().find(|end| end.session.path().remote == received.path.remote);
        end.expect("only the two senders know the address").handle(now, received);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.sessions.iter_mut().for_each(|end| end.handle_timeout(now));
    }

    fn deadline(&self) -> Option<Instant> {
        self.sessions.iter().filter_map(End::deadline).min()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.sessions.iter_mut().find_map(|end| end.poll_transmit(now))
    }
}

struct Scene {
    world: World<Box<dyn Node>>,
    senders: [HostId; 2],
    receiver: HostId,
}

/// A machine that the test can look into.
trait Node: Machine {
    fn ends(&mut self) -> Vec<&mut End>;
}

impl Node for End {
    fn ends(&mut self) -> Vec<&mut End> {
        vec![self]
    }
}

impl Node for Receiver {
    fn ends(&mut self) -> Vec<&mut End> {
        self.sessions.iter_mut().collect()
    }
}

fn scene(algorithm: Algorithm) -> Scene {
    let mut world: World<Box<dyn Node>> = World::new(1);
    let mut rng = world.rng();
    let shared = SessionConfig { congestion: algorithm, ..SessionConfig::default() };
    let mut senders = Vec::new();
    let mut receiving = Vec::new();
    let addresses = ["192.0.2.11", "192.0.2.12"];
    let link = Link::IDEAL.rate(50_000_000).delay(ms(20)).queue(2_000_000).mtu(1500);
    for address in addresses {
        let (near, far, profiles) = keys(Keys::Plain, &mut rng);
        let now = world.now();
        let own = SessionConfig { congestion: algorithm, ..SessionConfig::default() };
        let sender = session(now, &mut rng, near, &profiles, 0, &own);
        let to = Path::to(std::net::SocketAddr::new(address.parse().unwrap(), PORT));
        // What tells the receiver's sessions apart is their ID.
        let near_id = SessionId(100 + receiving.len() as u32);
        let params = SessionParams { path: to, near_id, ..params(far, &profiles, 1, &shared) };
        receiving.push(End::new(Session::new(now, rng.fork(), params)));
        let host = Host::at(world.internet(), address.parse().unwrap()).links(link, link);
        senders.push(world.add_host(&host, Box::new(End::new(sender)) as Box<dyn Node>));
    }
    let sessions = receiving.try_into().ok().expect("there are two");
    let host = Host::at(world.internet(), crate::pair::FAR.parse().unwrap());
    let receiver = world.add_host(&host, Box::new(Receiver { sessions }));
    world.run_for(ms(200));
    Scene { world, senders: senders.try_into().unwrap(), receiver }
}

#[test]
fn packets_say_what_is_critical_and_other_sessions_are_told_for_800_ms() {
    let mut scene = scene(Algorithm::Cubic);
    let flags = Arc::new(Mutex::new(Vec::new()));
    let seen = flags.clone();
    scene.world.observe(move |_, fate, packet| {
        if matches!(fate, Fate::Sent(_)) {
            seen.lock().unwrap().push((packet.source.ip(), packet.destination.ip(), packet.data[FLAGS]));
        }
    });
    let [live, bulk] = scene.senders;
    let [live_ip, bulk_ip] = [live, bulk].map(|host| scene.world.address_of(host));
    let receiver_ip = scene.world.address_of(scene.receiver);
    scene.world.command(bulk, |node, now| node.ends()[0].feed(now, Priority::Bulk, 1 << 40, 10_000, false));
    scene.world.run_for(ms(300));
    let take = || std::mem::take(&mut *flags.lock().unwrap());
    assert!(take().iter().all(|&(_, _, flags)| flags & (TIME_CRITICAL | REVERSE) == 0));
    scene.world.command(live, |node, now| node.ends()[0].feed(now, Priority::TimeCritical, 500, 500, false));
    scene.world.run_for(ms(700));
    let first = take();
    let any = |from, to, flag: u8| first.iter().any(|&(f, t, flags)| (f, t) == (from, to) && flags & flag != 0);
    assert!(any(live_ip, receiver_ip, TIME_CRITICAL) && !any(bulk_ip, receiver_ip, TIME_CRITICAL));
    assert!(any(receiver_ip, bulk_ip, REVERSE) && !any(receiver_ip, live_ip, REVERSE));
    scene.world.run_for(ms(200));
    take();
    scene.world.run_for(ms(200));
    assert!(take().iter().all(|&(_, _, flags)| flags & REVERSE == 0), "800 ms later it is over");
}

#[test]
fn bulk_grows_by_half_a_percent_a_round_while_the_receiver_hears_live_data_elsewhere() {
    for algorithm in [Algorithm::Cubic, Algorithm::AppendixA] {
        let mut scene = scene(algorithm);
        let [live, bulk] = scene.senders;
        let window = |scene: &mut Scene| {
            let now = scene.world.now();
            let mut window = 0;
            scene.world.command(bulk, |node, _| window = node.ends()[0].session.stats(now).cwnd);
            window
        };
        scene.world.command(bulk, |node, now| node.ends()[0].feed(now, Priority::Bulk, 1 << 40, 10_000, false));
        let live_until = scene.world.now() + Duration::from_secs(4);
        let flow =
            scene.world.command(live, |node, now| node.ends()[0].feed(now, Priority::TimeCritical, 0, 500, false));
        scene.world.host_mut(scene.receiver).ends().into_iter().for_each(|end| end.verify = false);
        while scene.world.now() < live_until {
            scene.world.command(live, |node, now| node.ends()[0].write(now, flow, &[1; 200]));
            scene.world.run_for(ms(100));
        }
        let held = window(&mut scene);
        // A hundred round trips of 40 ms at 384 bytes each; slow start would have filled 250 kB in six.
        assert!(held < 60_000, "{algorithm:?}: {held}");
        scene.world.run_for(Duration::from_secs(3));
        let free = window(&mut scene);
        assert!(free > 200_000, "{algorithm:?}: {free}");
    }
}
