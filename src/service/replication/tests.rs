//! Services that exchange objects, without anything in between but a delay.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

mod floods;
mod hostile;
mod stage;

use super::*;
use crate::base::{Instant, PeerId, Rng};
use crate::group::{Lane, Output};

/// Services that are all neighbours of each other; each has an owner whose object `i` is so many bytes of `i`.
struct Net {
    now: Instant,
    len: usize,
    all: Vec<Replication>,
    /// When, from whom, to whom, on which lane, what.
    air: BTreeMap<(Instant, u64), (usize, usize, Lane, Bytes)>,
    sent: u64,
    /// Who gives wrong bytes.
    liars: BTreeSet<usize>,
    banned: BTreeSet<(usize, usize)>,
    order: Vec<Vec<u64>>,
    requests: u64,
}

const DELAY: Duration = Duration::from_millis(20);
const LEN: usize = 1_000;

fn peer(number: usize) -> PeerId {
    PeerId([number as u8 + 1; 32])
}

fn object(index: u64, len: usize) -> Bytes {
    vec![index as u8; len].into()
}

impl Net {
    fn new(count: usize, config: ReplicationConfig) -> Self {
        let mut rng = Rng::for_simulation(count as u64);
        let now = Instant::from_micros(1_000_000);
        let mut all: Vec<Replication> = (0..count).map(|_| Replication::new(now, rng.fork(), config)).collect();
        for (number, service) in all.iter_mut().enumerate() {
            for other in (0..count).filter(|&other| other != number) {
                service.peer_up(now, peer(other), DELAY * 2);
            }
        }
        let order = vec![Vec::new(); count];
        let (air, liars, banned) = Default::default();
        Self { now, len: LEN, all, air, sent: 0, liars, banned, order, requests: 0 }
    }

    fn drain(&mut self, number: usize) {
        let now = self.now;
        while let Some(output) = self.all[number].poll(now) {
            match output {
                Output::Send(outgoing) => {
                    let to = outgoing.peer.0[0] as usize - 1;
                    self.sent += 1;
                    self.air.insert((now + DELAY, self.sent), (number, to, outgoing.lane, outgoing.data));
                }
                Output::Event(ReplicationEvent::Request { index, request, .. }) => {
                    self.requests += 1;
                    let lies = self.liars.contains(&number);
                    let bytes = object(if lies { index + 1 } else { index }, self.len);
                    self.all[number].write_requested_object(now, request, bytes).unwrap();
                }
                Output::Event(ReplicationEvent::FetchResult { index, object: bytes, from }) => {
                    if bytes == object(index, self.len) {
                        self.order[number].push(index);
                        self.all[number].add_have_objects(now, index..index + 1).unwrap();
                    } else {
                        self.all[number].bad(now, index, from);
                    }
                }
                Output::Event(ReplicationEvent::Misbehaved { peer, .. }) => {
                    let other = peer.0[0] as usize - 1;
                    self.banned.insert((number, other));
                    self.all[number].peer_down(now, peer);
                    self.all[other].peer_down(now, self::peer(number));
                }
                _ => {}
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            (0..self.all.len()).for_each(|number| self.drain(number));
            let message = self.air.first_key_value().map(|(&(at, _), _)| at);
            let deadline = self.all.iter().filter_map(Replication::deadline).min();
            let Some(next) = message.into_iter().chain(deadline).min().filter(|&next| next <= end) else { break };
            assert!(deadline.is_none_or(|at| at >= self.now), "a deadline in the past is never over");
            self.now = self.now.max(next);
            if message == Some(next) {
                let (_, (from, to, lane, data)) = self.air.pop_first().unwrap();
                self.all[to].message(self.now, peer(from), lane, &data);
                self.all[from].writable(self.now, peer(to), lane, lane.room());
            } else {
                for service in &mut self.all {
                    if service.deadline().is_some_and(|at| at <= next) {
                        service.handle_timeout(next);
                    }
                }
            }
        }
        self.now = end;
    }
}

fn config(strategy: Strategy) -> ReplicationConfig {
    ReplicationConfig { strategy, ..ReplicationConfig::default() }
}

#[test]
fn two_members_exchange_what_they_have() {
    let mut net = Net::new(2, config(Strategy::LowestFirst));
    let now = net.now;
    net.all[0].add_have_objects(now, 0..60).unwrap();
    net.all[1].add_have_objects(now, 50..100).unwrap();
    net.all[0].add_want_objects(now, 0..100).unwrap();
    net.all[1].add_want_objects(now, 0..100).unwrap();
    net.run(Duration::from_secs(5));
    for service in &net.all {
        assert_eq!(service.have().iter().collect::<Vec<_>>(), [0..=99]);
        assert!(service.want().is_empty());
        assert_eq!(service.stats().duplicates + service.stats().unsolicited, 0);
    }
    assert_eq!(net.order[0], (60..100).collect::<Vec<_>>(), "the lowest first");
    assert_eq!(net.requests, 90, "nothing twice");
}

#[test]
fn what_is_not_there_any_more_is_denied_and_what_is_not_wanted_is_not_asked_for() {
    let mut net = Net::new(3, config(Strategy::RarestFirst));
    let now = net.now;
    net.all[0].add_have_objects(now, 0..20).unwrap();
    net.all[1].add_have_objects(now, 10..30).unwrap();
    net.all[2].add_want_objects(now, 5..25).unwrap();
    net.all[2].remove_want_objects(now, 12..14).unwrap();
    net.run(Duration::from_secs(20));
    let got: BTreeSet<u64> = net.order[2].iter().copied().collect();
    assert_eq!(got, (5..12).chain(14..25).collect());
    net.all[0].remove_have_objects(net.now, 0..5).unwrap();
    net.all[2].add_want_objects(net.now, 0..5).unwrap();
    net.run(Duration::from_secs(5));
    assert_eq!(net.all[2].want().len(), 5);
}

#[test]
fn a_liar_is_left_and_what_it_gave_comes_from_others() {
    let mut net = Net::new(5, config(Strategy::RarestFirst));
    net.liars.extend([1, 2]);
    let now = net.now;
    for holder in 0..4 {
        net.all[holder].add_have_objects(now, 0..100).unwrap();
    }
    net.all[4].add_want_objects(now, 0..100).unwrap();
    net.run(Duration::from_secs(30));
    assert_eq!(net.all[4].have().len(), 100);
    assert!(net.banned.iter().all(|&(by, who)| by == 4 && net.liars.contains(&who)), "{:?}", net.banned);
}

#[test]
fn long_objects_go_on_from_whoever_has_given_none_yet() {
    let mut net = Net::new(3, ReplicationConfig::default());
    net.len = 1 << 20;
    let now = net.now;
    // The last one knows only the one in the middle, which learns how long objects are before it gives any.
    net.all[0].peer_down(now, peer(2));
    net.all[2].peer_down(now, peer(0));
    net.all[0].add_have_objects(now, 0..20).unwrap();
    net.all[1].add_want_objects(now, 0..20).unwrap();
    net.run(Duration::from_secs(10));
    net.all[2].add_want_objects(net.now, 0..20).unwrap();
    net.run(Duration::from_secs(10));
    assert_eq!(net.all.iter().map(|service| service.have().len()).collect::<Vec<_>>(), [20, 20, 20]);
}

#[test]
fn whoever_has_given_nothing_good_is_asked_for_one_object_at_a_time() {
    let mut net = Net::new(6, config(Strategy::RarestFirst));
    net.liars.extend([1, 2, 3, 4]);
    let now = net.now;
    for holder in 0..5 {
        net.all[holder].add_have_objects(now, 0..100).unwrap();
    }
    net.all[5].add_want_objects(now, 0..100).unwrap();
    net.run(Duration::from_secs(30));
    assert_eq!(net.all[5].have().len(), 100);
    assert!((1..=4).contains(&net.all[5].stats().bad), "{:?}", net.all[5].stats());
}

#[test]
fn indices_end_where_netgroup_says() {
    let mut net = Net::new(1, ReplicationConfig::default());
    let now = net.now;
    let service = &mut net.all[0];
    assert_eq!(service.add_have_objects(now, 0..MAX_INDEX + 2), Err(ReplicationError::Range));
    assert_eq!(service.add_want_objects(now, 7..u64::MAX), Err(ReplicationError::Range));
    assert_eq!(service.add_have_objects(now, 9..9), Ok(()));
    assert_eq!(service.add_want_objects(now, 0..MAX_INDEX + 1), Ok(()));
    assert_eq!(service.want().iter().collect::<Vec<_>>(), [0..=MAX_INDEX]);
}

#[test]
fn limits_are_kept_within_a_twentieth() {
    for up in [true, false] {
        let rate = Some(20_000);
        let mut net = Net::new(3, ReplicationConfig::default());
        let now = net.now;
        net.all[0].add_have_objects(now, 0..10_000).unwrap();
        match up {
            true => net.all[0].set_limits(now, rate, None),
            false => net.all[1].set_limits(now, None, rate),
        }
        net.all[1].add_want_objects(now, 0..10_000).unwrap();
        net.run(Duration::from_secs(60));
        let stats = (net.all[0].stats().sent_bytes, net.all[1].stats().received_bytes);
        let rate = if up { stats.0 } else { stats.1 } as f64 / 60.0;
        assert!((19_000.0..21_000.0).contains(&rate), "up {up}: {rate} bytes a second");
    }
}

/// What a service asks its owner for, having nothing else to tell that matters here.
fn drained(service: &mut Replication, now: Instant) -> (Vec<Record>, Vec<ReplicationEvent>) {
    let (mut said, mut events) = (Vec::new(), Vec::new());
    while let Some(output) = service.poll(now) {
        match output {
            Output::Send(outgoing) if outgoing.lane == Lane::Asks => said.extend(decode(&outgoing.data).unwrap()),
            Output::Event(event) => events.push(event),
            _ => {}
        }
    }
    (said, events)
}

fn record(record: &Record) -> Bytes {
    let mut message = Vec::new();
    record.put(&mut message);
    message.into()
}

#[test]
fn objects_longer_than_the_first_room_on_the_way_are_given_on() {
    let now = Instant::from_micros(1_000_000);
    let mut service = Replication::new(now, Rng::for_simulation(1), config(Strategy::LowestFirst));
    let (from, to) = (peer(1), peer(2));
    [from, to].into_iter().for_each(|peer| service.peer_up(now, peer, DELAY));
    service.add_want_objects(now, 0..40).unwrap();
    service.message(now, from, Lane::Asks, &record(&Record::Have(vec![0..=39])));
    // Each is longer than all that may be on its way at first; so it knows how long they are before it has given any.
    let long = vec![7; 512 << 10];
    let mut came = 0;
    while came < 20 {
        let (said, events) = drained(&mut service, now);
        for event in events {
            if let ReplicationEvent::FetchResult { index, .. } = event {
                service.add_have_objects(now, index..index + 1).unwrap();
                came += 1;
            }
        }
        let asked =
            said.into_iter().filter_map(|record| if let Record::Request(list) = record { Some(list) } else { None });
        for index in asked.flatten() {
            let mut message = Vec::new();
            crate::wire::vlu::put(&mut message, index);
            message.extend_from_slice(&long);
            service.message(now, from, Lane::Objects, &message.into());
        }
        assert!(service.has_work() || came >= 20, "it goes on asking: {came} came");
    }
    service.message(now, to, Lane::Asks, &record(&Record::Request(vec![0])));
    let (_, events) = drained(&mut service, now);
    let asked = events.iter().any(|event| matches!(event, ReplicationEvent::Request { index: 0, .. }));
    assert!(asked, "its owner is asked for it: {events:?}");
}

#[test]
fn whoever_says_to_have_all_and_gives_nothing_is_asked_three_times() {
    for strategy in [Strategy::LowestFirst, Strategy::RarestFirst] {
        let mut now = Instant::from_micros(1_000_000);
        let mut service = Replication::new(now, Rng::for_simulation(1), config(strategy));
        let (giver, silent) = (peer(1), peer(2));
        [giver, silent].into_iter().for_each(|peer| service.peer_up(now, peer, DELAY));
        service.add_want_objects(now, 0..2_000).unwrap();
        [giver, silent].into_iter().for_each(|peer| {
            service.message(now, peer, Lane::Asks, &record(&Record::Have(vec![0..=1_999])));
        });
        // One object in 200 ms from the one, nothing from the other.
        let (mut queue, mut asked, mut cancelled) = (std::collections::VecDeque::new(), Vec::new(), 0);
        let mut longest = BTreeMap::<u64, Instant>::new();
        let mut waits = Duration::ZERO;
        while service.have().len() < 2_000 {
            while let Some(output) = service.poll(now) {
                match output {
                    Output::Send(outgoing) if outgoing.lane == Lane::Asks => {
                        for record in decode(&outgoing.data).unwrap() {
                            match record {
                                Record::Request(list) if outgoing.peer == silent => {
                                    for &index in &list {
                                        longest.entry(index).or_insert(now);
                                    }
                                    asked.extend(list);
                                }
                                Record::Request(list) => queue.extend(list),
                                Record::Cancel(list) if outgoing.peer == giver => {
                                    queue.retain(|index| !list.contains(index));
                                }
                                Record::Cancel(_) => cancelled += 1,
                                _ => {}
                            }
                        }
                    }
                    Output::Event(ReplicationEvent::FetchResult { index, .. }) => {
                        service.add_have_objects(now, index..index + 1).unwrap();
                        if let Some(since) = longest.remove(&index) {
                            waits = waits.max(now.since(since));
                        }
                    }
                    Output::Event(ReplicationEvent::Misbehaved { peer, .. }) => panic!("{peer:?} is left"),
                    _ => {}
                }
            }
            now += Duration::from_millis(200);
            service.handle_timeout(now);
            if let Some(index) = queue.pop_front() {
                let mut message = Vec::new();
                crate::wire::vlu::put(&mut message, index);
                message.extend_from_slice(&object(index, LEN));
                service.message(now, giver, Lane::Objects, &message.into());
            }
            assert!(now < Instant::from_micros(1_000_000_000), "{} came", service.have().len());
        }
        println!("{strategy:?}: {} asked, {cancelled} taken back, {waits:?} waited at most", asked.len());
        assert!(asked.len() <= 3, "{strategy:?}: {} requests to who gives nothing", asked.len());
        assert!(waits < Duration::from_secs(2), "{strategy:?}: {waits:?} for an object that it was asked for");
    }
}

#[test]
fn who_waits_for_what_others_have_is_told_to_ask_them() {
    let mut now = Instant::from_micros(1_000_000);
    let mut service = Replication::new(now, Rng::for_simulation(1), config(Strategy::LowestFirst));
    (1..=4).for_each(|number| service.peer_up(now, peer(number), DELAY));
    service.add_have_objects(now, 0..40).unwrap();
    // It has as much on the way as it may.
    service.message(now, peer(1), Lane::Asks, &record(&Record::Request((10..30).collect())));
    for event in drained(&mut service, now).1 {
        if let ReplicationEvent::Request { request, .. } = event {
            service.write_requested_object(now, request, vec![7; 128 << 10].into()).unwrap();
        }
    }
    for holder in [2, 3] {
        service.message(now, peer(holder), Lane::Asks, &record(&Record::Have(vec![5..=5])));
    }
    service.message(now, peer(4), Lane::Asks, &record(&Record::Request(vec![5, 6])));
    let mut busy = Vec::new();
    for _ in 0..5 {
        let (said, events) = drained(&mut service, now);
        assert!(events.is_empty(), "there is no room: {events:?}");
        busy.extend(said.into_iter().filter(|record| matches!(record, Record::Busy(_))));
        now += Duration::from_millis(100);
        service.handle_timeout(now);
    }
    assert_eq!(busy, [Record::Busy(vec![5])], "once, and not for what nobody else has");
}

#[test]
fn what_a_neighbour_will_not_give_soon_is_asked_of_another() {
    let mut now = Instant::from_micros(1_000_000);
    let mut service = Replication::new(now, Rng::for_simulation(1), config(Strategy::LowestFirst));
    let (busy, other) = (peer(1), peer(2));
    [busy, other].into_iter().for_each(|peer| service.peer_up(now, peer, DELAY));
    service.add_want_objects(now, 0..1).unwrap();
    let asked = |service: &mut Replication, now| {
        let (said, events) = drained(service, now);
        assert!(!events.iter().any(|event| matches!(event, ReplicationEvent::FetchFailed { .. })), "it is no failure");
        said.iter().filter(|record| matches!(record, Record::Request(_))).count()
    };
    service.message(now, busy, Lane::Asks, &record(&Record::Have(vec![0..=0])));
    assert_eq!(asked(&mut service, now), 1);
    service.message(now, other, Lane::Asks, &record(&Record::Have(vec![0..=0])));
    service.message(now, busy, Lane::Asks, &record(&Record::Busy(vec![0, 7])));
    assert_eq!(asked(&mut service, now), 1);
    assert!(service.neighbours[&other].asked.contains_key(&0) && service.neighbours[&busy].asked.is_empty());
    // That one goes: whoever was busy is asked again, but not at once.
    service.peer_down(now, other);
    let mut again = None;
    for _ in 0..30 {
        now += Duration::from_millis(100);
        service.handle_timeout(now);
        let (said, _) = drained(&mut service, now);
        if said.iter().any(|record| matches!(record, Record::Request(_))) {
            again = again.or(Some(now));
        }
    }
    let after = again.expect("it is asked again").since(Instant::from_micros(1_000_000));
    assert!((Duration::from_millis(1_500)..Duration::from_millis(1_800)).contains(&after), "{after:?}");
    assert_eq!(service.neighbours[&busy].strikes, 0);
}
