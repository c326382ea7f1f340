//! Members that do not do what they should. In the overlay they behave, or they would be nobody's neighbours.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::super::swarm::Actor;
use super::keeper::Keeper;
use super::value::Hostility;
use crate::base::{Instant, PeerId, Rng};
use crate::group::{Hint, Lane, Link, Outgoing, Output, Unreachable};
use crate::node::{Member, MemberEvent};
use crate::wire::Address;

/// How often it does more than it is asked to.
const RHYTHM: Duration = Duration::from_millis(100);
/// How many messages it makes up each time.
const BURST: usize = 5;
/// How many messages of others it remembers.
const MEMORY: usize = 64;

/// A member of a swarm, honest or not.
pub(super) struct Player {
    pub(super) member: Member,
    pub(super) keeper: Keeper,
    hostile: Option<Box<Hostile>>,
}

struct Hostile {
    kind: Hostility,
    rng: Rng,
    peers: Vec<PeerId>,
    heard: VecDeque<(Lane, Bytes)>,
    extra: VecDeque<Outgoing>,
    next: Instant,
}

impl Player {
    pub(super) fn new(member: Member, keeper: Keeper, hostility: Option<(Hostility, Rng)>) -> Self {
        let hostile = hostility.map(|(kind, rng)| {
            let (peers, heard, extra) = Default::default();
            Box::new(Hostile { kind, rng, peers, heard, extra, next: Instant::ZERO })
        });
        Self { member, keeper, hostile }
    }
}

impl Hostile {
    /// What becomes of a message that the honest member in it would send.
    fn tamper(&mut self, mut outgoing: Outgoing) -> Option<Outgoing> {
        match self.kind {
            Hostility::Silent => return None,
            Hostility::Forging => outgoing.data = self.forged(&outgoing.data),
            Hostility::Misrouting => outgoing.peer = self.somebody()?,
            Hostility::Replaying | Hostility::Flooding => {}
        }
        Some(outgoing)
    }

    /// The same with a byte changed, somewhere behind its beginning.
    fn forged(&mut self, data: &Bytes) -> Bytes {
        let mut data = data.to_vec();
        if data.len() > 2 {
            let at = 1 + self.rng.below(data.len() as u64 - 1) as usize;
            data[at] ^= 1 << self.rng.below(8);
        }
        data.into()
    }

    fn somebody(&mut self) -> Option<PeerId> {
        let at = self.rng.below(self.peers.len() as u64) as usize;
        self.peers.get(at).copied()
    }

    fn hear(&mut self, lane: Lane, message: &[u8]) {
        if lane != Lane::Control && matches!(self.kind, Hostility::Replaying | Hostility::Forging) {
            self.heard.push_back((lane, Bytes::copy_from_slice(message)));
            if self.heard.len() > MEMORY {
                self.heard.pop_front();
            }
        }
    }

    fn act(&mut self, now: Instant) {
        self.next = now + RHYTHM;
        for _ in 0..BURST {
            let Some(peer) = self.somebody() else { return };
            let known = self.rng.below(self.heard.len() as u64) as usize;
            let heard = self.heard.get(known).cloned();
            let (lane, data) = match (self.kind, heard) {
                (Hostility::Replaying, Some(heard)) => heard,
                (Hostility::Forging, Some((lane, data))) => (lane, self.forged(&data)),
                (Hostility::Flooding, _) => self.nonsense(),
                _ => return,
            };
            self.extra.push_back(Outgoing::new(peer, lane, data));
        }
    }

    /// A message that begins like one of a service's.
    fn nonsense(&mut self) -> (Lane, Bytes) {
        let lane = Lane::ALL[1 + self.rng.below(Lane::ALL.len() as u64 - 1) as usize];
        let mut data = vec![0; 1 + self.rng.below(300) as usize];
        self.rng.fill(&mut data);
        data[0] %= 16;
        (lane, data.into())
    }
}

impl Actor for Player {
    fn poll(&mut self, now: Instant) -> Option<Output<MemberEvent>> {
        let Some(hostile) = &mut self.hostile else {
            loop {
                match self.member.poll(now)? {
                    Output::Event(MemberEvent::Replication(event))
                        if !self.keeper.happened(now, &mut self.member, &event) => {}
                    other => return Some(other),
                }
            }
        };
        loop {
            if let Some(extra) = hostile.extra.pop_front() {
                return Some(Output::Send(extra));
            }
            match self.member.poll(now)? {
                Output::Send(outgoing) if outgoing.lane != Lane::Control => {
                    if let Some(outgoing) = hostile.tamper(outgoing) {
                        return Some(Output::Send(outgoing));
                    }
                }
                other => return Some(other),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.hostile.as_ref().filter(|hostile| !hostile.peers.is_empty()).map(|hostile| hostile.next);
        self.member.deadline().into_iter().chain(own).min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.member.handle_timeout(now);
        if let Some(hostile) = self.hostile.as_mut().filter(|hostile| hostile.next <= now) {
            hostile.act(now);
        }
    }

    fn hint(&mut self, now: Instant, peer: PeerId, addresses: &[Address], hint: Hint) {
        self.member.hint(now, peer, addresses, hint);
    }

    fn peer_up(&mut self, now: Instant, peer: PeerId, link: Link) {
        if let Some(hostile) = self.hostile.as_mut().filter(|hostile| !hostile.peers.contains(&peer)) {
            hostile.peers.push(peer);
        }
        self.member.peer_up(now, peer, link);
    }

    fn peer_down(&mut self, now: Instant, peer: PeerId) {
        if let Some(hostile) = &mut self.hostile {
            hostile.peers.retain(|&known| known != peer);
        }
        self.member.peer_down(now, peer);
    }

    fn unreachable(&mut self, now: Instant, peer: PeerId, why: Unreachable) {
        self.member.unreachable(now, peer, why);
    }

    fn message(&mut self, now: Instant, peer: PeerId, lane: Lane, message: &Bytes) {
        if let Some(hostile) = &mut self.hostile {
            hostile.hear(lane, message);
        }
        self.member.message(now, peer, lane, message);
    }

    fn writable(&mut self, now: Instant, peer: PeerId, lane: Lane, room: usize) {
        self.member.writable(now, peer, lane, room);
    }

    fn set_addresses(&mut self, now: Instant, addresses: Vec<Address>) {
        self.member.membership_mut().set_addresses(now, addresses);
    }
}
