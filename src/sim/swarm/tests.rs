//! What the swarm promises, shown with members that know nothing of groups.

use super::*;
use crate::group::{FIRST_ROOM, Hint};
use std::collections::VecDeque;

const MS: Duration = Duration::from_millis(1);

/// Connects to whomever it is told of, and notes what happens.
#[derive(Default)]
struct Chatter {
    outputs: VecDeque<Output<MemberEvent>>,
    links: BTreeMap<PeerId, Link>,
    ups: usize,
    downs: usize,
    failures: Vec<Unreachable>,
    got: Vec<(Instant, PeerId, Vec<u8>)>,
    rooms: usize,
    /// Says something each 10 ms until then.
    until: Option<(Instant, Instant)>,
}

impl Chatter {
    fn say(&mut self, peer: PeerId, data: Vec<u8>) {
        self.outputs.push_back(Output::Send(Outgoing::new(peer, Lane::Posts, data.into())));
    }

    fn want(&mut self, peer: PeerId, addresses: &[Address], introducers: &[PeerId]) {
        let (addresses, introducers) = (addresses.to_vec(), introducers.to_vec());
        self.outputs.push_back(Output::Connect { peer, addresses, introducers });
    }
}

impl Actor for Chatter {
    fn poll(&mut self, _: Instant) -> Option<Output<MemberEvent>> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        self.until.map(|(next, _)| next)
    }

    fn handle_timeout(&mut self, now: Instant) {
        let peers: Vec<PeerId> = self.links.keys().copied().collect();
        peers.into_iter().for_each(|peer| self.say(peer, now.as_micros().to_be_bytes().to_vec()));
        self.until = self.until.map(|(_, end)| (now + MS * 10, end)).filter(|(next, end)| next < end);
    }

    fn hint(&mut self, _: Instant, peer: PeerId, addresses: &[Address], _: Hint) {
        self.want(peer, addresses, &[]);
    }

    fn peer_up(&mut self, _: Instant, peer: PeerId, link: Link) {
        self.ups += 1;
        self.links.insert(peer, link);
    }

    fn peer_down(&mut self, _: Instant, peer: PeerId) {
        self.downs += 1;
        self.links.remove(&peer);
    }

    fn unreachable(&mut self, _: Instant, _: PeerId, why: Unreachable) {
        self.failures.push(why);
    }

    fn message(&mut self, now: Instant, peer: PeerId, _: Lane, message: &Bytes) {
        self.got.push((now, peer, message.to_vec()));
    }

    fn writable(&mut self, _: Instant, _: PeerId, _: Lane, room: usize) {
        assert_eq!(room, FIRST_ROOM);
        self.rooms += 1;
    }

    fn set_addresses(&mut self, _: Instant, _: Vec<Address>) {}
}

fn swarm(seed: u64, count: u8, terms: Terms) -> (Swarm<Chatter>, Vec<MemberId>) {
    let mut swarm = Swarm::new(seed, terms);
    let ids = (0..count)
        .map(|at| {
            let nature = swarm.nature();
            swarm.join(PeerId([at; 32]), nature, Chatter::default())
        })
        .collect();
    swarm.run_for(Duration::from_secs(5));
    (swarm, ids)
}

fn one_way(swarm: &Swarm<Chatter>, ids: &[MemberId]) -> Vec<(Instant, PeerId, Vec<u8>)> {
    swarm.member(ids[1]).unwrap().got.clone()
}

#[test]
fn the_rendezvous_introduces_ring_neighbours_and_both_know_the_nonces() {
    let (swarm, ids) = swarm(1, 4, Terms::default());
    for &id in &ids {
        let member = swarm.member(id).unwrap();
        assert_eq!((member.links.len(), member.downs), (3, 0));
        for (peer, link) in &member.links {
            let far = &swarm.member(swarm.find(*peer).unwrap()).unwrap().links[&swarm.peer_id(id)];
            assert_eq!((link.near_nonce, link.far_nonce), (far.far_nonce, far.near_nonce));
            assert_ne!(link.near_nonce, link.far_nonce);
            assert_ne!(link.initiator, far.initiator);
        }
    }
    assert_eq!(swarm.counters().sessions, 6);
}

#[test]
fn the_same_seed_gives_the_same_messages() {
    let run = |seed| {
        let (mut swarm, ids) = swarm(seed, 6, Terms::default());
        let now = swarm.now();
        for &id in &ids {
            swarm.command(id, |member, _| member.until = Some((now + MS, now + MS * 500)));
        }
        swarm.kill(ids[2]);
        swarm.run_for(Duration::from_secs(2));
        assert!(swarm.counters().delivered > 500, "{:?}", swarm.counters());
        swarm.digest()
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn messages_of_a_pair_keep_their_order_and_lost_ones_are_late() {
    let (mut swarm, ids) = swarm(5, 2, Terms { loss: 0.3, ..Terms::default() });
    let to = swarm.peer_id(ids[1]);
    let delay = swarm.delay(ids[0], ids[1]);
    let begin = swarm.now();
    for number in 0..200_u8 {
        swarm.run_until(begin + MS * u32::from(number) * 20);
        swarm.command(ids[0], |member, _| member.say(to, vec![number]));
    }
    swarm.run_for(Duration::from_secs(1));
    let got = one_way(&swarm, &ids);
    assert!(got.iter().map(|(.., data)| data[0]).eq(0..200));
    let late = got.iter().filter(|(at, _, data)| *at > begin + MS * u32::from(data[0]) * 20 + delay);
    assert!((40..190).contains(&late.count()), "lost ones, and those behind them");
    assert!(got.iter().all(|(at, _, data)| *at >= begin + MS * u32::from(data[0]) * 20 + delay));
}

#[test]
fn rates_of_both_ends_hold_and_room_is_told() {
    let megabit = Rate(1_000_000);
    let terms = Terms { loss: 0.0, up: megabit, down: megabit, overhead: 0, ..Terms::default() };
    let (mut swarm, ids) = swarm(6, 3, terms);
    let (begin, to) = (swarm.now(), swarm.peer_id(ids[2]));
    // Half a megabyte each from two: four seconds for the one uplink, eight for the one downlink.
    for &from in &ids[..2] {
        for _ in 0..50 {
            swarm.command(from, |member, _| member.say(to, vec![0; 10_000]));
        }
    }
    swarm.run_for(Duration::from_secs(20));
    let got = &swarm.member(ids[2]).unwrap().got;
    assert_eq!(got.len(), 100);
    let taken = got.last().unwrap().0.since(begin);
    assert!(taken > Duration::from_secs(8) && taken < Duration::from_millis(8_300), "{taken:?}");
    assert!(swarm.member(ids[0]).unwrap().rooms >= 1);
    assert_eq!(swarm.sent(ids[0]), 500_000);
    assert_eq!(swarm.counters().lanes[Lane::Posts.kind()], (100, 1_000_000));
}

#[test]
fn who_leaves_is_missed_at_once_and_who_is_killed_after_a_while() {
    let (mut swarm, ids) = swarm(7, 3, Terms::default());
    swarm.leave(ids[0]);
    swarm.run_for(MS * 100);
    assert_eq!(swarm.member(ids[1]).unwrap().downs, 1);
    swarm.kill(ids[2]);
    swarm.run_for(Duration::from_secs(9));
    assert_eq!(swarm.member(ids[1]).unwrap().downs, 1);
    swarm.run_for(Duration::from_secs(2));
    assert_eq!(swarm.member(ids[1]).unwrap().downs, 2);
    assert_eq!(swarm.members().count(), 1);
    let gone = swarm.peer_id(ids[2]);
    swarm.command(ids[1], |member, _| member.want(gone, &[], &[]));
    swarm.run_for(Duration::from_secs(5));
    assert_eq!(swarm.member(ids[1]).unwrap().failures, [Unreachable::Gone]);
}

#[test]
fn a_short_cut_only_delays_and_a_long_one_parts() {
    let (mut swarm, ids) = swarm(8, 2, Terms::default());
    let to = swarm.peer_id(ids[1]);
    swarm.set_island(ids[1], 1);
    (0..20).for_each(|number| {
        swarm.command(ids[0], |member, _| member.say(to, vec![number])).unwrap();
    });
    swarm.run_for(Duration::from_secs(5));
    assert!(one_way(&swarm, &ids).is_empty());
    swarm.set_island(ids[1], 0);
    (20..40).for_each(|number| {
        swarm.command(ids[0], |member, _| member.say(to, vec![number])).unwrap();
    });
    swarm.run_for(Duration::from_secs(20));
    assert!(one_way(&swarm, &ids).iter().map(|(.., data)| data[0]).eq(0..40));
    assert_eq!(swarm.member(ids[0]).unwrap().downs, 0);

    swarm.set_island(ids[1], 1);
    swarm.command(ids[0], |member, _| member.say(to, vec![99]));
    swarm.run_for(Duration::from_secs(11));
    assert_eq!((swarm.member(ids[0]).unwrap().downs, swarm.member(ids[1]).unwrap().downs), (1, 1));
    let ups = swarm.member(ids[0]).unwrap().ups;
    swarm.set_island(ids[1], 0);
    swarm.run_for(Duration::from_secs(7));
    assert!(swarm.member(ids[0]).unwrap().ups > ups, "the rendezvous introduces them anew");
    assert!(one_way(&swarm, &ids).iter().all(|(.., data)| data[0] != 99));
}

#[test]
fn without_a_rendezvous_a_common_neighbour_introduces_and_nats_decide() {
    let terms = Terms::default();
    let mut swarm: Swarm<Chatter> = Swarm::new(9, terms);
    swarm.set_rendezvous(false);
    let nats = [Nat::None, Nat::PortRestricted, Nat::PortRestricted, Nat::Symmetric];
    let ids: Vec<MemberId> = (0..4)
        .map(|at| {
            let nature = Nature { nat: nats[usize::from(at)], ..swarm.nature() };
            swarm.join(PeerId([at; 32]), nature, Chatter::default())
        })
        .collect();
    let hub = swarm.peer_id(ids[0]);
    for &id in &ids[1..] {
        swarm.command(id, |member, _| member.want(hub, &[address_of(MemberId(0))], &[]));
    }
    swarm.run_for(Duration::from_secs(2));
    assert_eq!(swarm.member(ids[0]).unwrap().links.len(), 3, "whoever has no NAT is reached directly");
    let two = swarm.peer_id(ids[2]);
    swarm.command(ids[1], |member, _| member.want(two, &[address_of(MemberId(2))], &[]));
    swarm.command(ids[3], |member, _| member.want(two, &[address_of(MemberId(2))], &[hub]));
    swarm.run_for(Duration::from_secs(5));
    assert_eq!(swarm.member(ids[1]).unwrap().failures, [Unreachable::Gone], "nobody introduced them");
    assert_eq!(swarm.member(ids[3]).unwrap().failures, [Unreachable::Blocked]);
    swarm.command(ids[1], |member, _| member.want(two, &[address_of(MemberId(2))], &[hub]));
    swarm.run_for(Duration::from_secs(2));
    assert!(swarm.member(ids[1]).unwrap().links.contains_key(&two));
}
