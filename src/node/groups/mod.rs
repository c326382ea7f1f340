//! Groups on real sessions.
//!
//! A [`Member`] speaks of peers and messages; here its wishes become openings, flows and writes, and what comes of them
//! goes back to it. One session with a peer carries all groups that both are in, and other traffic beside them; it is
//! closed when nothing uses it any more.
//!
//! # On the wire
//! The control lane is a flow in each direction with metadata `47 52 1c` and no return association; its first message,
//! INIT, names the group. The other lanes are a flow each, opened with the first message, with metadata `p2pt group 1` 00
//! and the lane's byte (1 posts, 2 routes, 3 records) and a Return Flow Association to the neighbour's control flow of the
//! group. Who rejects one of these loses that lane, and nothing else.

pub(super) mod parts;

use std::net::SocketAddr;

use super::Node;
use super::event::{GroupHandle, NodeEvent, RegistrationId};
use super::member::{Member, MemberConfig};
use crate::base::{Instant, PeerId};
use crate::group::{GroupId, Hint, Output};
use crate::wire::Address;
use parts::Joined;

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
    /// Members to try first, and where they are.
    pub bootstrap: Vec<(PeerId, Vec<Address>)>,
}

impl GroupConfig {
    /// Nobody to ask yet.
    #[must_use]
    pub const fn new(member: MemberConfig) -> Self {
        Self { member, registrations: Vec::new(), rendezvous: Vec::new(), lan: Vec::new(), bootstrap: Vec::new() }
    }
}

impl Node {
    /// Joins a group. What happens in it is told by [`NodeEvent::Group`].
    ///
    /// From then on a peer that comes in is taken for a member until it opens a flow that is no group's: only then
    /// [`NodeEvent::Incoming`] tells of it. One that proves to be neither is dropped after ten seconds.
    pub fn join_group(&mut self, now: Instant, config: GroupConfig) -> GroupHandle {
        let handle = GroupHandle(self.new_id());
        let rng = self.rng.fork();
        let mut member = Member::new(now, rng, config.member);
        for (peer, addresses) in &config.bootstrap {
            member.hint(now, *peer, addresses, Hint::Member);
        }
        self.groups.joined.insert(handle, Joined { member });
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

    /// Leaves a group in good order; [`NodeEvent::GroupLeft`] says when nothing of it is left. The handle means nothing from
    /// now on.
    pub fn leave_group(&mut self, now: Instant, group: GroupHandle) {
        if let Some(joined) = self.groups.joined.get_mut(&group) {
            joined.member.leave(now);
        }
        self.work(now);
        if self.groups.joined.remove(&group).is_some() {
            self.events.push_back(NodeEvent::GroupLeft { group });
        }
    }

    /// Does what members want. Answers whether they wanted anything.
    pub(super) fn drive_groups(&mut self, now: Instant) -> bool {
        let mut moved = false;
        let handles: Vec<GroupHandle> = self.groups.joined.keys().copied().collect();
        for group in handles {
            while let Some(output) = self.groups.joined.get_mut(&group).and_then(|joined| joined.member.poll(now)) {
                moved = true;
                if let Output::Event(event) = output {
                    self.events.push_back(NodeEvent::Group { group, event });
                }
            }
        }
        moved
    }
}
