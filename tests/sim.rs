//! The virtual world itself, with machines so simple that whatever goes wrong is the world's fault.

use p2pt::base::{Ecn, Instant, Interface, Path, Received, Rng, Transmit};
use p2pt::sim::{Cause, Dependence, Fate, Host, HostId, Link, Machine, Nat, NetworkId, Packet, World};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

/// Keeps what it receives; sends what it is told, and answers if it is an echo.
#[derive(Debug, Default)]
struct Toy {
    echo: bool,
    out: VecDeque<Transmit>,
    received: Vec<(Instant, Path, Vec<u8>)>,
    batches: Vec<(usize, usize)>,
    marks: usize,
    wake: Option<Instant>,
    woken: Vec<Instant>,
}

impl Toy {
    fn echo() -> Self {
        Self { echo: true, ..Self::default() }
    }

    fn send(&mut self, to: SocketAddr, data: &[u8]) {
        self.out.push_back(Transmit::single(Path::to(to), data.to_vec()));
    }
}

impl Machine for Toy {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        let Received { path, ecn, segment, data } = received;
        self.marks += usize::from(ecn == Ecn::Ce);
        self.batches.push((segment, data.len()));
        for datagram in data.chunks(segment) {
            self.received.push((now, path, datagram.to_vec()));
            if self.echo {
                self.out.push_back(Transmit::single(path, datagram.to_vec()));
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.wake = None;
        self.woken.push(now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.wake
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit> {
        self.out.pop_front()
    }
}

const MS: Duration = Duration::from_millis(1);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1_000)
}

/// Two hosts on the public network; the link from the first is as given, all others are ideal.
fn pair(seed: u64, up: Link) -> (World<Toy>, HostId, HostId) {
    let mut world = World::new(seed);
    let near = Host::at(world.internet(), ip("192.0.2.1")).links(up, Link::IDEAL);
    let far = Host::at(world.internet(), ip("192.0.2.2"));
    let near = world.add_host(&near, Toy::default());
    let far = world.add_host(&far, Toy::default());
    (world, near, far)
}

/// One datagram of `len` bytes each millisecond.
fn stream(world: &mut World<Toy>, from: HostId, count: u64, len: usize) {
    for n in 0..count {
        world.at(at(n), move |world| {
            world.command(from, |toy, _| {
                let mut data = vec![0; len];
                data[..8].copy_from_slice(&n.to_be_bytes());
                toy.send(address("192.0.2.2:1935"), &data);
            });
        });
    }
}

#[test]
fn a_datagram_goes_to_and_fro_in_its_delay_and_says_whence_it_came() {
    let (mut world, near, far) = pair(1, Link::IDEAL.delay(30 * MS));
    world.command(near, |toy, _| toy.send(address("192.0.2.2:1935"), b"hello"));
    world.host_mut(far).echo = true;
    world.run_until(at(100));
    let path = |local, remote| Path { interface: Interface(0), local: Some(ip(local)), remote: address(remote) };
    assert_eq!(world.host(far).received, [(at(30), path("192.0.2.2", "192.0.2.1:1935"), b"hello".to_vec())]);
    assert_eq!(world.host(near).received, [(at(30), path("192.0.2.1", "192.0.2.2:1935"), b"hello".to_vec())]);
    assert_eq!(world.now(), at(100));
}

#[test]
fn a_deadline_is_kept_to_the_microsecond_even_when_it_moves() {
    let (mut world, near, _) = pair(1, Link::IDEAL);
    world.command(near, |toy, _| toy.wake = Some(at(50)));
    world.at(at(10), move |world| world.command(near, |toy, _| toy.wake = Some(at(20))));
    world.at(at(30), move |world| world.command(near, |toy, _| toy.wake = Some(at(90))));
    world.run_until(at(200));
    assert_eq!(world.host(near).woken, [at(20), at(90)]);
}

#[test]
#[should_panic(expected = "for ever")]
fn a_machine_that_hangs_is_found_out() {
    struct Stuck;
    impl Machine for Stuck {
        fn handle(&mut self, _: Instant, _: Received<'_>) {}
        fn handle_timeout(&mut self, _: Instant) {}
        fn deadline(&self) -> Option<Instant> {
            Some(Instant::ZERO)
        }
        fn poll_transmit(&mut self, _: Instant) -> Option<Transmit> {
            None
        }
    }
    let mut world = World::new(1);
    world.add_host(&Host::at(world.internet(), ip("192.0.2.1")), Stuck);
    world.run_until(at(1));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let trouble = Link::IDEAL.delay(20 * MS).jitter(5 * MS).loss(0.1).duplicate(0.05).reorder(0.1, 9 * MS).corrupt(0.1);
    let run = |seed| {
        let (mut world, near, far) = pair(seed, trouble);
        world.host_mut(far).echo = true;
        stream(&mut world, near, 1_000, 100);
        world.run_until(at(2_000));
        (world.digest(), world.counters().clone())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).0, run(8).0);
}

#[test]
fn losses_are_counted_by_cause_and_nothing_goes_astray() {
    let (mut world, near, far) = pair(3, Link::IDEAL.loss(0.1).burst(0.1, 5.0).duplicate(0.1).corrupt(0.1));
    stream(&mut world, near, 20_000, 100);
    world.run_until(at(30_000));
    let counters = world.counters();
    let [random, burst] = [Cause::Loss, Cause::Burst].map(|cause| counters.dropped_by(cause));
    // Four standard deviations: 40 for single losses, 134 for some 400 bursts of 5 on average.
    assert!((1_640..1_960).contains(&random), "{random}");
    assert!((1_464..2_536).contains(&burst), "{burst}");
    assert_eq!(counters.sent, 20_000);
    assert_eq!(counters.sent + counters.duplicated, counters.delivered + counters.dropped_in_all());
    let received = &world.host(far).received;
    assert_eq!(received.len() as u64, counters.delivered);
    // A bit in a hundred bytes, of which the first eight are the number.
    let altered = received.iter().filter(|(_, _, data)| data[8..].iter().any(|&byte| byte != 0)).count() as u64;
    assert!((counters.corrupted * 88 / 100..=counters.corrupted).contains(&altered), "{altered} {counters:?}");
}

#[test]
fn a_link_carries_its_rate_and_no_more_and_a_long_queue_is_long() {
    // 1,028 bytes each millisecond are 8.2 Mbit/s; half of it passes, a thousand datagrams in two seconds.
    let (mut world, near, far) = pair(1, Link::IDEAL.rate(4_112_000).queue(100_000));
    stream(&mut world, near, 2_000, 1_000);
    world.run_until(at(2_000));
    assert_eq!(world.host(far).received.len(), 1_000);
    let (up, _) = world.link_stats(near);
    // 100,000 bytes at 514,000 bytes a second.
    assert!((188 * MS..195 * MS).contains(&up.longest_wait), "{up:?}");
    assert!(world.counters().dropped_by(Cause::QueueFull) > 800);
}

#[test]
fn a_queue_marks_instead_of_dropping_when_it_may() {
    let (mut world, near, far) = pair(1, Link::IDEAL.rate(8_000_000).mark(5 * MS));
    world.command(near, |toy, _| {
        let path = Path::to(address("192.0.2.2:1935"));
        // Twenty packets of a millisecond each: the first six wait 5 ms at most.
        toy.out.push_back(Transmit { path, ecn: Ecn::Ect, segment: 972, data: vec![0; 972 * 20] });
    });
    world.run_until(at(1_000));
    assert_eq!(world.counters().marked, 14);
    assert_eq!(world.host(far).marks, 14);
}

#[test]
fn batches_are_cut_on_sending_and_joined_again_on_receiving() {
    let mut world = World::new(1);
    let near = Host::at(world.internet(), ip("192.0.2.1"));
    let far = Host::at(world.internet(), ip("192.0.2.2")).gro(MS);
    let [near, far] = [near, far].map(|host| world.add_host(&host, Toy::default()));
    let path = Path::to(address("192.0.2.2:1935"));
    world.command(near, |toy, _| {
        for (segment, len) in [(1_000, 4_500), (1_000, 2_000), (300, 300)] {
            toy.out.push_back(Transmit { path, ecn: Ecn::NotEct, segment, data: vec![0; len] });
        }
    });
    world.run_until(at(10));
    // The first batch ends with its short datagram; the second takes the single one in, which ends it too.
    assert_eq!(world.host(far).batches, [(1_000, 4_500), (1_000, 2_300)]);
    assert_eq!(world.counters().delivered, 8);
}

#[test]
fn islands_do_not_hear_each_other_and_a_cut_link_loses_everything() {
    let (mut world, near, far) = pair(1, Link::IDEAL);
    stream(&mut world, near, 300, 10);
    for (when, island) in [(50, 1), (100, 0)] {
        world.at(at(when), move |world| world.set_island(far, island));
    }
    for (when, up) in [(200, false), (220, true)] {
        world.at(at(when), move |world| world.set_up(far, up));
    }
    world.run_until(at(400));
    let counters = world.counters();
    let dropped = [Cause::Partition, Cause::Outage].map(|cause| counters.dropped_by(cause));
    // What was sent in the moment of the change meets the change, which is made before the packet passes.
    assert_eq!(dropped, [50, 20]);
    assert_eq!(counters.delivered, 230);
}

#[test]
fn hosts_come_move_and_go() {
    let (mut world, near, far) = pair(1, Link::IDEAL);
    let say = |world: &mut World<Toy>, to: &str, data: &[u8]| {
        world.command(near, |toy, _| toy.send(address(to), data));
        world.run_for(MS);
    };
    say(&mut world, "192.0.2.2:1935", b"1");
    world.set_address(far, ip("192.0.2.77"));
    say(&mut world, "192.0.2.2:1935", b"lost");
    say(&mut world, "192.0.2.77:1935", b"2");
    world.set_socket_port(far, Interface(0), 4_000);
    say(&mut world, "192.0.2.77:1935", b"lost");
    say(&mut world, "192.0.2.77:4000", b"3");
    let gone = world.remove_host(far);
    let heard: Vec<&[u8]> = gone.received.iter().map(|(_, _, data)| &data[..]).collect();
    assert_eq!(heard, [b"1", b"2", b"3"]);
    say(&mut world, "192.0.2.77:4000", b"lost");
    let dropped = [Cause::NoRoute, Cause::NoSocket].map(|cause| world.counters().dropped_by(cause));
    assert_eq!(dropped, [2, 1]);
    assert_eq!(world.hosts().map(|(host, _)| host).collect::<Vec<_>>(), [near]);
}

#[test]
fn multicast_stays_on_its_network_and_reaches_who_listens() {
    let group = address("239.255.5.4:16162");
    let mut world = World::new(1);
    let home = world.add_nat(world.internet(), ip("203.0.113.1"), Nat::FULL_CONE);
    let lan = world.inside(home);
    let listener = |network: NetworkId, address| Host::at(network, address).join(Interface(1), group);
    let speaker = world.add_host(&Host::at(lan, ip("192.168.1.1")), Toy::default());
    let hears = world.add_host(&listener(lan, ip("192.168.1.2")), Toy::default());
    let deaf = world.add_host(&Host::at(lan, ip("192.168.1.3")), Toy::default());
    let outside = world.add_host(&listener(world.internet(), ip("192.0.2.1")), Toy::default());
    world.command(speaker, |toy, _| toy.send(group, b"anybody?"));
    world.run_until(at(1));
    let heard = &world.host(hears).received;
    assert_eq!(heard.len(), 1);
    assert_eq!((heard[0].1.interface, heard[0].1.remote), (Interface(1), address("192.168.1.1:1935")));
    assert!(world.host(deaf).received.is_empty() && world.host(outside).received.is_empty());
    // A socket that listens to a group does not hear what is sent to the host.
    world.command(speaker, |toy, _| toy.send(address("192.168.1.2:16162"), b"you?"));
    world.run_until(at(2));
    assert_eq!(world.counters().dropped_by(Cause::NoSocket), 1);
}

/// A world with a server of two ports and another server outside, and a client behind NATs: the outermost first.
fn behind(nats: &[Nat]) -> (World<Toy>, [HostId; 3]) {
    let mut world = World::new(1);
    let mut network = world.internet();
    for (depth, &nat) in nats.iter().enumerate() {
        let outside = if depth == 0 { ip("203.0.113.1") } else { IpAddr::from([10, 0, depth as u8, 1]) };
        let nat = world.add_nat(network, outside, nat);
        network = world.inside(nat);
    }
    let client = Host::at(network, ip("192.168.1.2"));
    let server = Host::at(world.internet(), ip("198.51.100.1")).socket(Interface(1), 2_000);
    let other = Host::at(world.internet(), ip("198.51.100.2"));
    let hosts = [client, server, other].map(|host| world.add_host(&host, Toy::default()));
    (world, hosts)
}

/// After the client sent to the server: whether another server sees it at the same address, and whether the server's
/// socket, its other socket and the other server get through to that.
fn reach(nats: &[Nat]) -> (bool, [bool; 3]) {
    let (mut world, [client, server, other]) = behind(nats);
    world.command(client, |toy, _| toy.send(address("198.51.100.1:1935"), b"hello"));
    world.run_for(MS);
    let seen = world.host(server).received[0].1.remote;
    let answers = [(server, 0), (server, 1), (other, 0)].map(|(from, socket)| {
        let before = world.host(client).received.len();
        let path = Path { interface: Interface(socket), ..Path::to(seen) };
        world.command(from, |toy, _| toy.out.push_back(Transmit::single(path, b"answer".to_vec())));
        world.run_for(MS);
        world.host(client).received.len() > before
    });
    world.command(client, |toy, _| toy.send(address("198.51.100.2:1935"), b"hello"));
    world.run_for(MS);
    (world.host(other).received[0].1.remote == seen, answers)
}

#[test]
fn the_four_kinds_of_nat_behave_as_their_names_say() {
    let table = [
        (Nat::FULL_CONE, true, [true, true, true]),
        (Nat::RESTRICTED_CONE, true, [true, true, false]),
        (Nat::PORT_RESTRICTED, true, [true, false, false]),
        (Nat::SYMMETRIC, false, [true, false, false]),
    ];
    for (nat, same_mapping, answers) in table {
        assert_eq!(reach(&[nat]), (same_mapping, answers), "{nat:?}");
        // In a nest the strictest of each behaviour wins.
        assert_eq!(reach(&[nat, Nat::FULL_CONE]), (same_mapping, answers), "{nat:?} outside");
        assert_eq!(reach(&[Nat::FULL_CONE, nat]), (same_mapping, answers), "{nat:?} inside");
        assert_eq!(reach(&[Nat::SYMMETRIC, nat, nat]), (false, [true, false, false]), "{nat:?} twice inside");
    }
}

#[test]
fn behaviours_can_be_combined_freely() {
    use Dependence::{AddressDependent, EndpointIndependent};
    let odd = Nat { mapping: AddressDependent, filtering: EndpointIndependent, ..Nat::FULL_CONE };
    assert_eq!(reach(&[odd]), (false, [true, true, true]));
    let odd = Nat { mapping: EndpointIndependent, filtering: AddressDependent, ..Nat::SYMMETRIC };
    assert_eq!(reach(&[odd]), (true, [true, true, false]));
}

#[test]
fn a_mapping_times_out_without_traffic_from_inside() {
    let (mut world, [client, server, _]) = behind(&[Nat { timeout: Duration::from_secs(30), ..Nat::FULL_CONE }]);
    let knock = |world: &mut World<Toy>| {
        world.command(server, |toy, _| toy.send(address("203.0.113.1:1935"), b"knock"));
        world.run_for(MS);
        world.host(client).received.len()
    };
    world.command(client, |toy, _| toy.send(address("198.51.100.1:1935"), b"hello"));
    world.run_until(at(29_000));
    assert_eq!(knock(&mut world), 1);
    world.run_until(at(31_000));
    assert_eq!(knock(&mut world), 1);
    assert_eq!(world.counters().dropped_by(Cause::NatUnmapped), 1);
}

#[test]
fn hairpinning_turns_traffic_round_with_the_outside_source() {
    for (hairpinning, arrives) in [(true, 1), (false, 0)] {
        let (mut world, [client, ..]) = behind(&[Nat { hairpinning, ..Nat::FULL_CONE }]);
        let sibling = Host::at(world.network_of(client), ip("192.168.1.3"));
        let sibling = world.add_host(&sibling, Toy::default());
        for (from, to) in [(client, "198.51.100.1:1935"), (sibling, "203.0.113.1:1935")] {
            world.command(from, |toy, _| toy.send(address(to), b"hello"));
            world.run_for(MS);
        }
        let received = &world.host(client).received;
        assert_eq!(received.len(), arrives);
        assert!(received.iter().all(|(_, path, _)| path.remote == address("203.0.113.1:1936")));
        assert_eq!(world.counters().dropped_by(Cause::NatHairpin), 1 - arrives as u64);
    }
}

#[test]
fn hosts_behind_nats_punch_holes_as_the_kinds_allow() {
    let kinds = [None, Some(Nat::FULL_CONE), Some(Nat::PORT_RESTRICTED), Some(Nat::SYMMETRIC)];
    for (a, near) in kinds.into_iter().enumerate() {
        for (b, far) in kinds.into_iter().enumerate() {
            let met = punch([near, far]);
            let impossible = a.min(b) >= 2 && a.max(b) == 3;
            assert_eq!(met, [!impossible; 2], "{a} {b}");
        }
    }
}

/// Two hosts learn each other's mapping from a server that both sent to, then both send, three times: who hears.
fn punch(nats: [Option<Nat>; 2]) -> [bool; 2] {
    let mut world = World::new(1);
    let server = Host::at(world.internet(), ip("198.51.100.1"));
    let server = world.add_host(&server, Toy::default());
    let hosts = [(nats[0], "203.0.113.1"), (nats[1], "203.0.113.2")].map(|(nat, outside)| {
        let place = match nat {
            None => Host::at(world.internet(), ip(outside)),
            Some(nat) => {
                let nat = world.add_nat(world.internet(), ip(outside), nat);
                Host::at(world.inside(nat), ip("192.168.1.2"))
            }
        };
        let host = world.add_host(&place, Toy::default());
        world.command(host, |toy, _| toy.send(address("198.51.100.1:1935"), b"hello"));
        world.run_for(MS);
        host
    });
    let seen = [0, 1].map(|n: usize| world.host(server).received[n].1.remote);
    for _ in 0..3 {
        for n in [0, 1] {
            // What came from a new mapping of the other's NAT is answered to there.
            let heard = world.host(hosts[n]).received.last().map(|(_, path, _)| path.remote);
            world.command(hosts[n], |toy, _| toy.send(heard.unwrap_or(seen[1 - n]), b"punch"));
        }
        world.run_for(MS);
    }
    hosts.map(|host| !world.host(host).received.is_empty())
}

#[test]
fn a_stranger_may_forge_any_source() {
    let (mut world, _, far) = pair(1, Link::IDEAL);
    let forged = Packet {
        source: address("1.2.3.4:5"),
        destination: address("192.0.2.2:1935"),
        ecn: Ecn::NotEct,
        data: b"forged".to_vec(),
    };
    world.inject(world.internet(), forged);
    world.run_until(at(1));
    assert_eq!(world.host(far).received[0].1.remote, address("1.2.3.4:5"));
}

#[test]
fn observers_see_each_fate_and_checks_each_machine() {
    let (mut world, near, far) = pair(5, Link::IDEAL.loss(0.5));
    let fates = Rc::new(RefCell::new((0, 0, 0)));
    let seen = Rc::clone(&fates);
    world.observe(move |_, fate, _| {
        let mut seen = seen.borrow_mut();
        match fate {
            Fate::Sent(_) => seen.0 += 1,
            Fate::Delivered(_) => seen.1 += 1,
            Fate::Dropped(Cause::Loss) => seen.2 += 1,
            other => panic!("{other:?}"),
        }
    });
    let most = Rc::new(RefCell::new(0));
    let peak = Rc::clone(&most);
    world.check(move |_, host, toy: &Toy| {
        if host == far {
            let mut peak = peak.borrow_mut();
            *peak = toy.received.len().max(*peak);
        }
    });
    stream(&mut world, near, 1_000, 10);
    world.run_until(at(2_000));
    let (sent, delivered, lost) = *fates.borrow();
    assert_eq!((sent, sent - lost), (1_000, delivered));
    assert!((400..600).contains(&lost));
    assert_eq!(*most.borrow(), delivered);
}

#[test]
fn two_thousand_hosts_talk_at_random() {
    let mut world = World::new(11);
    let mut rng = Rng::for_simulation(11);
    let name = |n: u64| SocketAddr::new(IpAddr::from([10, (n >> 16) as u8, (n >> 8) as u8, n as u8]), 1935);
    let link = Link::IDEAL.rate(10_000_000).queue(100_000).delay(20 * MS).jitter(5 * MS).loss(0.01);
    let internet = world.internet();
    let hosts: Vec<HostId> =
        (0..2_000).map(|n| world.add_host(&Host::at(internet, name(n).ip()).links(link, link), Toy::echo())).collect();
    for &host in &hosts {
        let to = name(rng.below(2_000));
        world.command(host, |toy, _| toy.send(to, b"ball"));
    }
    world.run_until(at(3_000));
    // A ball takes 40 to 50 ms one way and is lost one time in fifty.
    let sent = world.counters().sent;
    assert!((50_000..90_000).contains(&sent), "{sent}");
}
