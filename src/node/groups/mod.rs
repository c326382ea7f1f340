//! Groups on real sessions.
//!
//! A [`Member`] speaks of peers and messages; here its wishes become openings, flows and writes, and what comes of them
//! goes back to it. One session with a peer carries all groups that both are in, and other traffic beside them; it is
//! closed when nothing uses it any more.
//!
//! # On the wire
//! The control lane is a flow in each direction with metadata `47 52 1c` and no return association; its first message,
//! INIT, names the group. The other lanes are a flow each, opened with the first message, with metadata `p2pt group 1` 00
//! and the lane's byte (1 posts, 2 routes, 3 records, 4 objects, 5 manifests, 6 what is asked of objects) and a Return Flow Association to the neighbour's control flow of the
//! group. Who rejects one of these loses that lane, and nothing else. Closing the control flow ends the group's use of the
//! session.
//!
//! For each stream that it takes part in a member opens two flows more to each neighbour: one with metadata `47 52 11`, in answer
//! to the neighbour's control flow, whose first message has to tell the stream's key; and for its fragments one with metadata
//! `47 52 12`, in answer to the neighbour's flow of that stream, without which none can be sent. They are closed when the
//! stream has ended, or is left; and that of fragments when what it answers is closed.

mod air;
mod flows;
mod lan;
mod lanes;
mod links;
pub(super) mod parts;
mod reach;
mod streams;

use std::net::SocketAddr;
use std::ops::Bound;
use std::time::Duration;

use super::Node;
use super::event::{GroupHandle, NodeEvent, RegistrationId};
use super::member::{Member, MemberConfig, MemberEvent};
use crate::base::{Instant, PeerId};
use crate::endpoint::SessionHandle;
use crate::group::{FIRST_ROOM, GroupId, Hint, Lane, MAX_WAITING, MembershipEvent, Output};
use crate::wire::{Address, Origin};
use parts::{Air, Joined, Lan, Leaving, Limits};

pub use parts::GroupStats;

/// How long a group that was left may take to close its sessions.
const LEAVE_WITHIN: Duration = Duration::from_millis(1_500);
/// How often round-trip times are looked at.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// How a node joins a group.
#[derive(Debug, Clone)]
pub struct GroupConfig {
    /// The member.
    pub member: MemberConfig,
    /// Registrations at rendezvous services of this group. There the group is joined too, if its groupspec has a server
    /// channel: then they hand us members and tell members of us.
    pub registrations: Vec<RegistrationId>,
    /// Rendezvous services that may introduce us to members, registered there or not.
    pub rendezvous: Vec<SocketAddr>,
    /// IP multicast groups on which members are sought. The endpoint must listen there to be found by others.
    pub lan: Vec<SocketAddr>,
    /// The group's own IP multicast addresses, to which streams go. The endpoint must listen there, with
    /// [`crate::base::Interface::CAST`], to hear them.
    pub cast: Vec<SocketAddr>,
    /// Members to try first, and where they are.
    pub bootstrap: Vec<(PeerId, Vec<Address>)>,
}

impl GroupConfig {
    /// Nobody to ask yet.
    #[must_use]
    pub fn new(member: MemberConfig) -> Self {
        let (registrations, rendezvous, lan, cast, bootstrap) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { member, registrations, rendezvous, lan, cast, bootstrap }
    }
}

impl Node {
    /// Joins a group. What happens in it is told by [`NodeEvent::Group`]. A group is joined once; a node that runs the
    /// rendezvous service is in none.
    ///
    /// From then on a peer that comes in is taken for a member until it opens a flow that is no group's: only then
    /// [`NodeEvent::Incoming`] tells of it. One that proves to be neither is dropped after ten seconds.
    pub fn join_group(&mut self, now: Instant, config: GroupConfig) -> GroupHandle {
        let GroupConfig { member, registrations, rendezvous, lan, cast, bootstrap } = config;
        let handle = GroupHandle(self.new_id());
        if member.spec.server_channel() {
            for id in &registrations {
                if let Some(registered) = self.registrations.get_mut(id) {
                    registered.client.join(member.spec.id());
                }
            }
        }
        let rng = self.rng.fork();
        let lan = (!lan.is_empty()).then(|| Lan::new(now, member.spec.secret(), lan));
        let (secret, id) = (member.spec.secret().to_vec(), member.spec.id());
        let cast = (!cast.is_empty()).then(|| Air::new(now, &secret, id, &mut self.rng, cast));
        let mut member = Member::new(now, rng, member);
        member.set_casting(cast.is_some());
        for (peer, addresses) in &bootstrap {
            member.hint(now, *peer, addresses, Hint::Member);
        }
        if self.groups.limits.is_none() {
            self.groups.limits = Some(Limits::new(&mut self.rng.fork()));
        }
        let firsthand = bootstrap.iter().flat_map(|(_, addresses)| addresses).map(|address| address.socket).collect();
        let (peers, addresses) = Default::default();
        let joined = Joined { member, registrations, rendezvous, lan, cast, firsthand, peers, addresses };
        self.groups.joined.insert(handle, joined);
        self.groups.measure_at = self.groups.measure_at.or(Some(now + MEASURE_EVERY));
        self.endpoint.raise_unmatched_ihellos(true);
        self.endpoint.raise_beacons(true);
        self.lan_timeout(now);
        self.refresh_addresses(now);
        self.work(now);
        handle
    }

    /// A member; `None` if the group was left.
    #[must_use]
    pub fn group(&self, group: GroupHandle) -> Option<&Member> {
        self.groups.joined.get(&group).map(|joined| &joined.member)
    }

    /// The groups that this node is in.
    pub fn groups(&self) -> impl Iterator<Item = (GroupHandle, GroupId)> + '_ {
        self.groups.joined.iter().map(|(&handle, joined)| (handle, joined.member.group()))
    }

    /// The session that connects us with a neighbour, for what it measures ([`Node::stats`]).
    #[must_use]
    pub fn group_session(&self, group: GroupHandle, peer: PeerId) -> Option<SessionHandle> {
        self.groups.joined.get(&group)?.peers.get(&peer).copied()
    }

    /// What was counted of groups in all.
    #[must_use]
    pub const fn group_stats(&self) -> GroupStats {
        self.groups.stats
    }

    /// Does something with a member, and then what it wants; `None` if the group was left.
    pub fn with_group<R>(
        &mut self,
        now: Instant,
        group: GroupHandle,
        run: impl FnOnce(&mut Member, Instant) -> R,
    ) -> Option<R> {
        let joined = self.groups.joined.get_mut(&group)?;
        let result = run(&mut joined.member, now);
        self.work(now);
        Some(result)
    }

    /// Whether peers that want something else than our groups are turned away at once, rather than told of by
    /// [`NodeEvent::Incoming`]. For whoever looks at no such event.
    pub fn set_groups_only(&mut self, only: bool) {
        self.groups_only = only;
    }

    /// Bytes of messages on this lane that no neighbour has acknowledged yet; of [`Lane::Routes`] those that wait for room,
    /// too.
    #[must_use]
    pub fn group_backlog(&self, group: GroupHandle, lane: Lane) -> usize {
        let Some(joined) = self.groups.joined.get(&group) else { return 0 };
        let of = |session: &SessionHandle| {
            let sending = self.groups.links.get(session)?.uses.get(&group)?.lanes.get(&lane)?;
            self.endpoint.session(*session)?.buffered(sending.flow).ok()
        };
        let waiting = if lane == Lane::Routes { joined.member.routing().waiting_bytes() } else { 0 };
        joined.peers.values().filter_map(of).sum::<usize>() + waiting
    }

    /// Flows that groups have with a neighbour now, of both ends, those included that are ending.
    #[must_use]
    pub fn group_flows(&self, group: GroupHandle, peer: PeerId) -> usize {
        let link = self.group_session(group, peer).and_then(|session| self.groups.links.get(&session));
        link.map_or(0, parts::Link::flows)
    }

    /// Leaves a group in good order: what was said before goes out first, as far as a second allows.
    /// [`NodeEvent::GroupLeft`] says when nothing of it is left, after 1.5 s at most. The handle means nothing from now on.
    pub fn leave_group(&mut self, now: Instant, group: GroupHandle) {
        let Some(joined) = self.groups.joined.get_mut(&group) else { return };
        let mut sessions: Vec<SessionHandle> = joined.peers.values().copied().collect();
        // What waited for room goes to the flows, which take it all.
        for &peer in joined.peers.keys() {
            for lane in [Lane::Posts, Lane::Routes, Lane::Records] {
                joined.member.writable(now, peer, lane, FIRST_ROOM + MAX_WAITING);
            }
        }
        self.work(now);
        let Some(joined) = self.groups.joined.get_mut(&group) else { return };
        joined.member.leave(now);
        self.work(now);
        let Some(joined) = self.groups.joined.remove(&group) else { return };
        for &session in &sessions {
            self.end_use(now, session, group);
        }
        self.give_up_reaching(now, group);
        for id in &joined.registrations {
            if let Some(registered) = self.registrations.get_mut(id) {
                registered.client.leave(joined.member.group());
            }
        }
        // Those that something else uses stay.
        sessions.retain(|session| self.closing.contains_key(session));
        let leaving = Leaving { until: now + LEAVE_WITHIN, sessions: sessions.into_iter().collect() };
        self.groups.leaving.insert(group, leaving);
        if self.groups.joined.is_empty() {
            self.groups.measure_at = None;
            self.endpoint.raise_unmatched_ihellos(self.raises_unmatched);
            self.endpoint.raise_beacons(false);
        }
        self.check_left(now);
        self.work(now);
    }

    /// Leaves all groups without a word: their sessions are about to close.
    pub(super) fn leave_groups(&mut self, now: Instant) {
        let groups: Vec<GroupHandle> = self.groups.joined.keys().copied().collect();
        for group in groups {
            self.give_up_reaching(now, group);
            self.groups.joined.remove(&group);
            self.events.push_back(NodeEvent::GroupLeft { group });
        }
        self.groups.measure_at = None;
        self.groups.links.clear();
        self.groups.unproven.clear();
    }

    /// Tells which groups are left altogether.
    pub(super) fn check_left(&mut self, now: Instant) {
        let done = |leaving: &Leaving| leaving.sessions.is_empty() || leaving.until <= now;
        let left: Vec<GroupHandle> =
            self.groups.leaving.iter().filter(|(_, leaving)| done(leaving)).map(|(&group, _)| group).collect();
        for group in left {
            self.groups.leaving.remove(&group);
            self.events.push_back(NodeEvent::GroupLeft { group });
        }
    }

    /// Does what is due.
    pub(super) fn groups_timeout(&mut self, now: Instant) {
        for joined in self.groups.joined.values_mut() {
            if joined.member.deadline().is_some_and(|deadline| deadline <= now) {
                joined.member.handle_timeout(now);
            }
        }
        self.lan_timeout(now);
        self.reaches_timeout(now);
        self.links_timeout(now);
        if self.groups.measure_at.is_some_and(|at| at <= now) {
            self.groups.measure_at = Some(now + MEASURE_EVERY);
            self.measure(now);
        }
        self.check_left(now);
    }

    /// Does what members want. Answers whether they wanted anything.
    pub(super) fn drive_groups(&mut self, now: Instant) -> bool {
        let mut moved = false;
        let mut next = self.groups.joined.first_key_value().map(|(&group, _)| group);
        while let Some(group) = next {
            next = self.groups.joined.range((Bound::Excluded(group), Bound::Unbounded)).next().map(|(&group, _)| group);
            while let Some(output) = self.groups.joined.get_mut(&group).and_then(|joined| joined.member.poll(now)) {
                moved = true;
                self.member_output(now, group, output);
            }
        }
        // Only now, when services have sent what they had in mind, is it known how much room there is.
        moved | self.tell_room(now)
    }

    fn member_output(&mut self, now: Instant, group: GroupHandle, output: Output<MemberEvent>) {
        match output {
            Output::Connect { peer, addresses, introducers } => {
                self.reach(now, group, peer, &addresses, &introducers);
            }
            Output::Disconnect { peer } => self.let_go(now, group, peer),
            Output::Send(outgoing) => self.group_send(now, group, outgoing),
            Output::Cancel { peer, lane, id } => self.group_cancel(group, peer, lane, id),
            Output::Finish { peer, lane } => self.group_finish(group, peer, lane),
            Output::Cast(message) => self.cast(group, &message),
            Output::Event(event) => {
                if let MemberEvent::Membership(MembershipEvent::NeighborConnect { peer }) = &event {
                    self.trust_neighbour(group, *peer);
                }
                self.events.push_back(NodeEvent::Group { group, event });
            }
        }
    }

    /// Tells memberships under which addresses we may be reached, if these changed.
    pub(super) fn refresh_addresses(&mut self, now: Instant) {
        let local = self.local_addresses.iter().map(|&socket| Address { origin: Origin::Local, socket });
        let local: Vec<Address> = local.collect();
        for joined in self.groups.joined.values_mut() {
            let mut addresses = Vec::new();
            for id in &joined.registrations {
                let session = self.registrations.get(id).and_then(|registered| registered.session);
                if let (Some(session), Some(&observed)) = (session, self.groups.observed.get(id))
                    && let Some(session) = self.endpoint.session(session)
                {
                    addresses.push(Address { origin: Origin::Relay, socket: session.path().remote });
                    addresses.push(Address { origin: Origin::Observed, socket: observed });
                }
            }
            addresses.extend(&local);
            addresses.dedup();
            if joined.addresses != addresses {
                joined.addresses.clone_from(&addresses);
                joined.member.membership_mut().set_addresses(now, addresses);
            }
        }
    }

    /// A rendezvous names a member of a group, which we shall connect to.
    pub(super) fn group_named(&mut self, now: Instant, id: RegistrationId, group: GroupId, peer: PeerId) {
        let session = self.registrations.get(&id).and_then(|registered| registered.session);
        let remote = session.and_then(|session| self.endpoint.session(session)).map(|session| session.path().remote);
        let addresses: Vec<Address> =
            remote.map(|socket| Address { origin: Origin::Relay, socket }).into_iter().collect();
        let handle = self.groups.find(group);
        if let Some(joined) = handle.and_then(|handle| self.groups.joined.get_mut(&handle)) {
            joined.member.hint(now, peer, &addresses, Hint::Neighbor);
        }
    }

    /// A rendezvous has told where it sees us, or is gone.
    pub(super) fn group_registration(&mut self, now: Instant, id: RegistrationId, observed: Option<SocketAddr>) {
        match observed {
            Some(observed) => self.groups.observed.insert(id, observed),
            None => self.groups.observed.remove(&id),
        };
        self.refresh_addresses(now);
    }
}
