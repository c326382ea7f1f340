//! What a node keeps of its groups; what it does with them stands in the files beside this one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use super::super::dial::Attempt;
use super::super::event::{GroupHandle, RegistrationId};
use super::super::member::Member;
use crate::base::{Instant, PeerId, PrefixBuckets, Rng, Transmit};
use crate::endpoint::{OpeningId, SessionHandle};
use crate::group::{Beacons, Caster, Casts, GroupId, Lane};
use crate::session::FlowId;
use crate::wire::Address;

/// Flows for streams that a peer may have open with us: two each for the streams that a group can have, and as many again
/// that are ending.
const MAX_STREAM_FLOWS: usize = 256;

/// The groups of a node.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(super) joined: BTreeMap<GroupHandle, Joined>,
    /// Memberships that were left, until the sessions that only they used are closed.
    pub(super) leaving: BTreeMap<GroupHandle, Leaving>,
    /// Sessions with members, or with peers that may turn out to be members.
    pub(super) links: BTreeMap<SessionHandle, Link>,
    pub(super) reaches: BTreeMap<OpeningId, Reach>,
    /// Incoming sessions, and until when a group must use them.
    pub(super) unproven: BTreeSet<(Instant, SessionHandle)>,
    /// Sessions in which farewells wait, and how long at most.
    pub(super) parting: BTreeSet<(Instant, SessionHandle)>,
    /// Far ends' control flows that have ended. What was said before on other lanes is heard first.
    pub(super) ended: Vec<(SessionHandle, GroupHandle, FlowId)>,
    /// Lanes on which room was made since the service heard of it.
    pub(super) roomy: BTreeSet<(GroupHandle, PeerId, Lane)>,
    /// What waits to be sent to groups' own IP multicast addresses.
    pub(super) casting: VecDeque<Transmit>,
    /// Our address as each rendezvous sees it.
    pub(super) observed: BTreeMap<RegistrationId, SocketAddr>,
    /// When to look at round-trip times again.
    pub(super) measure_at: Option<Instant>,
    pub(super) limits: Option<Limits>,
    pub(super) stats: GroupStats,
}

/// What others may make us do.
#[derive(Debug)]
pub(super) struct Limits {
    /// Introductions, by who asks.
    pub(super) introductions: PrefixBuckets,
    /// Hearsay addresses that we try, by where they lead.
    pub(super) hearsay: PrefixBuckets,
    /// Beacons that are looked at, by where they come from.
    pub(super) beacons: PrefixBuckets,
}

impl Limits {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            introductions: PrefixBuckets::new(rng.u64(), 1024, 20, 40),
            hearsay: PrefixBuckets::new(rng.u64(), 1024, 4, 64),
            beacons: PrefixBuckets::new(rng.u64(), 256, 500, 1000),
        }
    }
}

/// What was counted of groups in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupStats {
    /// Members introduced to somebody who looked for them.
    pub introductions: u64,
    /// Introductions refused by a limit.
    pub introductions_limited: u64,
    /// Control flows refused because their first message names no group of ours.
    pub strangers: u64,
    /// Flows of streams refused because their first message names none.
    pub nameless: u64,
    /// Messages dropped because the neighbour or its lane was gone.
    pub unsent: u64,
    /// Messages dropped because a service sent more than there was room for.
    pub overflowed: u64,
    /// Beacons of members heard.
    pub beacons: u64,
    /// Beacons not looked at because too many came.
    pub beacons_limited: u64,
    /// Addresses of members not tried, because they cannot be theirs or too many lead to one network.
    pub addresses_refused: u64,
    /// Messages to a group's own IP multicast address that were dropped because too many waited.
    pub casts_dropped: u64,
}

/// One membership.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) member: Member,
    pub(super) registrations: Vec<RegistrationId>,
    pub(super) rendezvous: Vec<SocketAddr>,
    pub(super) lan: Option<Lan>,
    /// Its own IP multicast addresses, if it has any.
    pub(super) cast: Option<Air>,
    /// Where members are that the user named, or whose beacons we heard: not hearsay.
    pub(super) firsthand: BTreeSet<SocketAddr>,
    /// Which session carries what is between us and a peer.
    pub(super) peers: BTreeMap<PeerId, SessionHandle>,
    /// Our addresses as the membership was told last.
    pub(super) addresses: Vec<Address>,
}

/// A membership's beacons.
#[derive(Debug)]
pub(super) struct Lan {
    pub(super) beacons: Beacons,
    /// Where they go.
    pub(super) groups: Vec<SocketAddr>,
    /// How many went out as planned.
    pub(super) sent: usize,
    pub(super) joined: Instant,
    /// When the next one is planned.
    pub(super) next: Instant,
    /// When the last one went out.
    pub(super) last: Option<Instant>,
    /// When to answer a newcomer, and how many others have since it was heard.
    pub(super) answer_at: Option<Instant>,
    pub(super) answers_heard: u32,
}

/// A group's IP multicast addresses.
#[derive(Debug)]
pub(super) struct Air {
    pub(super) caster: Caster,
    pub(super) casts: Casts,
    pub(super) addresses: Vec<SocketAddr>,
}

impl Air {
    pub(super) fn new(now: Instant, secret: &[u8], group: GroupId, rng: &mut Rng, addresses: Vec<SocketAddr>) -> Self {
        Self { caster: Caster::new(secret, group, rng), casts: Casts::new(now, secret, group), addresses }
    }
}

/// A membership that is over.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) until: Instant,
    pub(super) sessions: BTreeSet<SessionHandle>,
}

/// An attempt to open a session with a member.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) peer: PeerId,
    pub(super) attempt: Attempt,
    /// Who may introduce us, and when to ask: if its own addresses do not lead to it.
    pub(super) introducers: Vec<SocketAddr>,
    /// Which addresses are no hearsay: those of our own rendezvous and neighbours, and what the user named.
    pub(super) firsthand: BTreeSet<SocketAddr>,
    pub(super) ask_at: Option<Instant>,
    /// Who wants it.
    pub(super) groups: BTreeSet<GroupHandle>,
}

impl Reach {
    fn deadline(&self) -> Instant {
        self.ask_at.map_or(self.attempt.deadline(), |at| at.min(self.attempt.deadline()))
    }
}

/// A session, as far as groups use it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) peer: PeerId,
    pub(super) uses: BTreeMap<GroupHandle, Use>,
    /// The far end's control flows that have not named their group yet.
    pub(super) unnamed: BTreeSet<FlowId>,
    /// The far end's flows of streams that have not named theirs yet, and their groups.
    pub(super) streams: BTreeMap<FlowId, GroupHandle>,
    /// The far end's flows of groups.
    pub(super) incoming: BTreeMap<FlowId, (GroupHandle, Lane)>,
    /// Our flows of groups.
    pub(super) outgoing: BTreeMap<FlowId, (GroupHandle, Lane)>,
    /// The far end's flows whose group does not use the session any more.
    pub(super) spent: BTreeSet<FlowId>,
    /// Our flows that are closed and not yet acknowledged to their end.
    pub(super) ending: BTreeSet<FlowId>,
    /// Control flows of ours that will be closed when what was said on other lanes has arrived: who hears that we are gone
    /// takes nothing from us any more.
    pub(super) parting: BTreeSet<FlowId>,
    /// Whether the groups know a round-trip time.
    pub(super) measured: bool,
}

impl Link {
    pub(super) const fn new(peer: PeerId) -> Self {
        Self {
            peer,
            uses: BTreeMap::new(),
            unnamed: BTreeSet::new(),
            streams: BTreeMap::new(),
            incoming: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            spent: BTreeSet::new(),
            ending: BTreeSet::new(),
            parting: BTreeSet::new(),
            measured: false,
        }
    }

    /// Flows of both ends.
    pub(super) fn flows(&self) -> usize {
        let far = self.unnamed.len() + self.streams.len() + self.incoming.len() + self.spent.len();
        far + self.outgoing.len() + self.ending.len() + self.parting.len()
    }

    /// Whether the far end may open another flow for a stream.
    pub(super) fn may_stream(&self) -> bool {
        let of_streams = |(_, lane): &&(_, Lane)| matches!(lane, Lane::Stream(_) | Lane::Fragments(_));
        self.streams.len() + self.incoming.values().filter(of_streams).count() < MAX_STREAM_FLOWS
    }
}

/// One group's use of a session.
#[derive(Debug, Default)]
pub(super) struct Use {
    /// The far end's control flow, once its INIT came.
    pub(super) far_control: Option<FlowId>,
    /// The far end's flow of each stream, the newest if it opened several.
    pub(super) far_streams: BTreeMap<u64, FlowId>,
    /// Lanes that the neighbour opened before the end of its handshake came: the flows are not read until then.
    pub(super) early: Vec<FlowId>,
    pub(super) lanes: BTreeMap<Lane, Sending>,
}

/// One of our flows.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) flow: FlowId,
    /// The far end does not want it.
    pub(super) refused: bool,
    /// How many bytes the service believes it may send.
    pub(super) believed: usize,
    /// Messages that the service has names for, and their names.
    pub(super) names: BTreeMap<u64, u64>,
    pub(super) ids: BTreeMap<u64, u64>,
}

impl Groups {
    /// Which membership is in this group.
    pub(super) fn find(&self, id: GroupId) -> Option<GroupHandle> {
        self.joined.iter().find(|(_, joined)| joined.member.group() == id).map(|(&handle, _)| handle)
    }

    /// Whether any group uses the session.
    pub(crate) fn uses(&self, session: SessionHandle) -> bool {
        self.links.get(&session).is_some_and(|link| !link.uses.is_empty())
    }

    /// Whether this node is in any group.
    pub(crate) fn is_member(&self) -> bool {
        !self.joined.is_empty()
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let members = self.joined.values().filter_map(|joined| joined.member.deadline()).min();
        let reaches = self.reaches.values().map(Reach::deadline).min();
        let leaving = self.leaving.values().map(|leaving| leaving.until).min();
        let unproven = self.unproven.first().map(|&(at, _)| at);
        let lan = self.joined.values().filter_map(|joined| joined.lan.as_ref()).map(Lan::deadline).min();
        let parting = self.parting.first().map(|&(at, _)| at);
        let parts = [members, reaches, leaving, unproven, lan, parting, self.measure_at];
        parts.into_iter().flatten().min()
    }
}
