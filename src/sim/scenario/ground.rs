//! Where the members of a scenario live: what both engines have in common.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::super::swarm::{MemberId, Nat, Nature, Swarm, address_of};
use super::hostile::Player;
use super::keeper::Keeper;
use super::value::{Hostility, Scenario};
use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::crypto::Identity;
use crate::group::{Groupspec, Hint, Lane};
use crate::node::{Member, MemberConfig, MemberEvent};

/// Somebody who is about to join.
pub(super) struct Newcomer {
    pub(super) identity: Identity,
    pub(super) rng: Rng,
    pub(super) nat: Nat,
    pub(super) hostility: Option<Hostility>,
    /// What it does with objects.
    pub(super) keeper: Keeper,
    /// Members whose addresses it was told, as a user is by others.
    pub(super) guides: Vec<MemberId>,
}

/// What was carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages and bytes by lane, in the order of [`Lane::ALL`], where the engine tells them apart.
    pub lanes: Option<[(u64, u64); Lane::KINDS]>,
    /// Messages, or datagrams.
    pub messages: u64,
    /// Bytes, headers included.
    pub bytes: u64,
}

/// What happened to whom.
pub(super) type Happened = (Instant, MemberId, MemberEvent);
pub(super) type Inbox = Rc<RefCell<Vec<Happened>>>;

/// Where members live.
pub(super) trait Ground {
    fn now(&self) -> Instant;
    fn run_until(&mut self, end: Instant);
    fn join(&mut self, newcomer: Newcomer) -> (MemberId, PeerId);
    /// Takes a member out without farewell.
    fn kill(&mut self, id: MemberId);
    /// Lets a member leave in good order.
    fn leave(&mut self, id: MemberId);
    fn set_island(&mut self, id: MemberId, island: u32);
    fn end_rendezvous(&mut self);
    fn command<R>(&mut self, id: MemberId, command: impl FnOnce(&mut Member, Instant) -> R) -> Option<R>;
    fn member(&self, id: MemberId) -> Option<&Member>;
    fn keeper(&self, id: MemberId) -> Option<&Keeper>;
    /// One way.
    fn delay(&self, from: MemberId, to: MemberId) -> Duration;
    /// Whether they could be connected.
    fn reachable(&self, one: MemberId, other: MemberId) -> bool;
    fn traffic(&self) -> Traffic;
    fn digest(&self) -> [u8; 32];
    fn take_events(&mut self) -> Vec<Happened>;
}

/// The time of day at which worlds begin: 2027-01-15.
const DAWN: Duration = Duration::from_secs(1_800_000_000);

pub(super) fn member_config(spec: &Groupspec, me: PeerId, author: Identity) -> MemberConfig {
    MemberConfig::new(spec.clone(), me, author, WallClock { at_zero: DAWN })
}

/// Members in a [`Swarm`].
pub(super) struct OnMessages {
    swarm: Swarm<Player>,
    spec: Groupspec,
    inbox: Inbox,
}

impl OnMessages {
    pub(super) fn new(scenario: &Scenario, spec: Groupspec) -> Self {
        let mut swarm = Swarm::new(scenario.seed, scenario.terms());
        let inbox = Inbox::default();
        let events = Rc::clone(&inbox);
        swarm.observe(move |now, id, event| events.borrow_mut().push((now, id, event.clone())));
        Self { swarm, spec, inbox }
    }
}

impl Ground for OnMessages {
    fn now(&self) -> Instant {
        self.swarm.now()
    }

    fn run_until(&mut self, end: Instant) {
        self.swarm.run_until(end);
    }

    fn join(&mut self, newcomer: Newcomer) -> (MemberId, PeerId) {
        let Newcomer { identity, mut rng, nat, hostility, keeper, guides } = newcomer;
        let peer = identity.peer_id();
        let known: Vec<_> = guides.into_iter().map(|id| (self.swarm.peer_id(id), address_of(id))).collect();
        let member = Member::new(self.swarm.now(), rng.fork(), member_config(&self.spec, peer, identity));
        let player = Player::new(member, keeper, hostility.map(|kind| (kind, rng)));
        let nature = Nature { nat, ..self.swarm.nature() };
        let id = self.swarm.join(peer, nature, player);
        self.swarm.command(id, |player, now| {
            known.into_iter().for_each(|(peer, address)| player.member.hint(now, peer, &[address], Hint::Member));
        });
        (id, peer)
    }

    fn kill(&mut self, id: MemberId) {
        self.swarm.kill(id);
    }

    fn leave(&mut self, id: MemberId) {
        self.swarm.command(id, |player, now| player.member.leave(now));
        self.swarm.leave(id);
    }

    fn set_island(&mut self, id: MemberId, island: u32) {
        self.swarm.set_island(id, island);
    }

    fn end_rendezvous(&mut self) {
        self.swarm.set_rendezvous(false);
    }

    fn command<R>(&mut self, id: MemberId, command: impl FnOnce(&mut Member, Instant) -> R) -> Option<R> {
        self.swarm.command(id, |player, now| command(&mut player.member, now))
    }

    fn member(&self, id: MemberId) -> Option<&Member> {
        self.swarm.member(id).map(|player| &player.member)
    }

    fn keeper(&self, id: MemberId) -> Option<&Keeper> {
        self.swarm.member(id).map(|player| &player.keeper)
    }

    fn delay(&self, from: MemberId, to: MemberId) -> Duration {
        self.swarm.delay(from, to)
    }

    fn reachable(&self, one: MemberId, other: MemberId) -> bool {
        self.swarm.reachable(one, other)
    }

    fn traffic(&self) -> Traffic {
        let counters = self.swarm.counters();
        Traffic { lanes: Some(counters.lanes), messages: counters.messages(), bytes: counters.bytes() }
    }

    fn digest(&self) -> [u8; 32] {
        self.swarm.digest()
    }

    fn take_events(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.inbox.borrow_mut())
    }
}
