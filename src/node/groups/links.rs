//! Which groups use which session: from a peer's first INIT, or our own wish, to the last use.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::super::Node;
use super::super::event::{GroupHandle, NodeEvent};
use super::super::parts::{Admission, Peer, Role};
use super::parts::{Link, Use};
use crate::base::{Instant, PeerId};
use crate::endpoint::{ForwardAnswer, ForwardTrust, SessionHandle};
use crate::group::{self, Lane, init_group};
use crate::session::{self, CloseReason, FlowId, SessionEvent};

/// How long an incoming peer may take to show what it wants.
const PROVE_WITHIN: Duration = Duration::from_secs(10);
/// How long a session that no group uses any more may take to deliver what was sent last.
const LINGER: Duration = Duration::from_millis(1_400);
/// How long a farewell waits for what was said before: long enough for some packets to be lost three times in a row.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long a peer whose flow named no group of ours may take to read that.
const HEAR_NO: Duration = Duration::from_secs(1);
/// Silence after which a member is pinged, and how long it may leave that unanswered: ten seconds in all, rather than
/// the half minute that a pipe survives, since others can take its place.
const PING_AFTER: Duration = Duration::from_secs(4);
const DEAD_AFTER: Duration = Duration::from_millis(5_200);

impl Node {
    /// A peer came in while we are in groups: what it wants will show.
    pub(in super::super) fn incoming_member(&mut self, now: Instant, session: SessionHandle) {
        self.roles.insert(session, Role::Member);
        self.groups.unproven.insert((now + PROVE_WITHIN, session));
    }

    /// Something happened in a session that is nobody's but the groups', and is not about their flows.
    pub(in super::super) fn member_event(&mut self, handle: SessionHandle, event: SessionEvent) {
        match event {
            SessionEvent::FlowOpened { flow, metadata, return_of } => {
                let Some(session) = self.endpoint.session_mut(handle) else { return };
                if self.groups_only {
                    let _ = session.reject_flow(flow, 0);
                    return;
                }
                let (far, path) = (*session.far(), session.path());
                self.watch_patiently(handle);
                let mut peer = Peer::new(handle, Admission::Undecided);
                peer.held.push((flow, metadata, return_of));
                self.roles.insert(handle, Role::Peer(peer));
                self.events.push_back(NodeEvent::Incoming { peer: handle, far, path });
            }
            SessionEvent::Closed(_) => {
                self.roles.remove(&handle);
                self.closing.remove(&handle);
            }
            _ => {}
        }
    }

    /// The owner is done with a session; whether groups go on with it.
    pub(in super::super) fn left_to_groups(&mut self, session: SessionHandle) -> bool {
        if !self.groups.uses(session) {
            return false;
        }
        if let Some(Role::Peer(peer)) = self.roles.insert(session, Role::Member) {
            self.moved.remove(&peer.name);
            if peer.admission != Admission::Refused {
                self.events.push_back(NodeEvent::PeerClosed { peer: peer.name, reason: CloseReason::Near });
            }
        }
        self.watch_closely(session);
        true
    }

    /// The link of a session with an authenticated peer.
    pub(super) fn link_of(&mut self, session: SessionHandle) -> Option<&mut Link> {
        let far = self.endpoint.session(session)?.far();
        if !far.authenticated {
            return None;
        }
        let peer = far.peer_id;
        Some(self.groups.links.entry(session).or_insert_with(|| Link::new(peer)))
    }

    /// A control flow's first message came: it must name a group of ours.
    pub(super) fn first_message(&mut self, now: Instant, session: SessionHandle, flow: FlowId, message: &Bytes) {
        let group = init_group(message).and_then(|id| self.groups.find(id));
        let Some(link) = self.groups.links.get_mut(&session) else { return };
        link.unnamed.remove(&flow);
        let peer = link.peer;
        let Some(group) = group else {
            self.groups.stats.strangers += 1;
            if let Some(session) = self.endpoint.session_mut(session) {
                let _ = session.reject_flow(flow, 0);
            }
            return self.release(now, session, HEAR_NO);
        };
        link.incoming.insert(flow, (group, Lane::Control));
        let started_anew = link.uses.get(&group).is_some_and(|used| used.far_control.is_some());
        let elsewhere = self.groups.joined.get(&group).and_then(|joined| joined.peers.get(&peer)).copied();
        // A second INIT on a session, or one on another session: the peer has begun anew, and knows why.
        if started_anew || elsewhere.is_some_and(|elsewhere| elsewhere != session) {
            self.lost(now, group, peer);
            if let Some(link) = self.groups.links.get_mut(&session) {
                link.spent.remove(&flow);
                link.incoming.insert(flow, (group, Lane::Control));
            }
        }
        self.begin_use(now, group, session, false);
        if let Some(used) = self.groups.links.get_mut(&session).and_then(|link| link.uses.get_mut(&group)) {
            used.far_control = Some(flow);
        }
        if let Some(joined) = self.groups.joined.get_mut(&group) {
            joined.member.message(now, peer, Lane::Control, message);
        }
        // The services have to know of the neighbour before they hear what it says next.
        self.drive_groups(now);
    }

    /// A group uses a session from now on, if it does not yet. `asked` is whether we want that on a session that is older
    /// than the wish: then the first word is ours, whoever opened the session.
    pub(super) fn begin_use(&mut self, now: Instant, group: GroupHandle, handle: SessionHandle, asked: bool) {
        let Some(session) = self.endpoint.session(handle) else { return };
        let told = group::Link {
            remote: session.path().remote,
            near_nonce: *session.near_nonce(),
            far_nonce: *session.far_nonce(),
            initiator: asked || session.role() == session::Role::Initiator,
            rtt: session.stats(now).srtt,
        };
        let Some(link) = self.link_of(handle) else { return };
        if link.uses.contains_key(&group) {
            return;
        }
        link.uses.insert(group, Use::default());
        link.measured |= told.rtt.is_some();
        let peer = link.peer;
        self.closing.remove(&handle);
        self.groups.unproven.retain(|&(_, session)| session != handle);
        self.watch_closely(handle);
        if let Some(joined) = self.groups.joined.get_mut(&group) {
            joined.peers.insert(peer, handle);
            joined.member.peer_up(now, peer, told);
        }
    }

    /// Gives a session that is not only groups' the ordinary patience.
    pub(in super::super) fn watch_patiently(&mut self, handle: SessionHandle) {
        let (keepalive, give_up) = self.patience;
        if let Some(session) = self.endpoint.session_mut(handle) {
            session.set_keepalive(keepalive);
            session.set_give_up(give_up);
        }
    }

    /// Notices soon when a session dies that only groups use.
    fn watch_closely(&mut self, handle: SessionHandle) {
        if let Some(Role::Member) = self.roles.get(&handle)
            && let Some(session) = self.endpoint.session_mut(handle)
        {
            session.set_keepalive(Some(PING_AFTER));
            session.set_give_up(DEAD_AFTER);
        }
    }

    /// The membership wants to be rid of a peer.
    pub(super) fn let_go(&mut self, now: Instant, group: GroupHandle, peer: PeerId) {
        let session = self.groups.joined.get_mut(&group).and_then(|joined| joined.peers.remove(&peer));
        match session {
            Some(session) => self.end_use(now, session, group),
            None => self.stop_reaching(now, group, peer),
        }
    }

    /// The group's connection with a peer is over, not by our wish.
    pub(super) fn lost(&mut self, now: Instant, group: GroupHandle, peer: PeerId) {
        let Some(joined) = self.groups.joined.get_mut(&group) else { return };
        let Some(session) = joined.peers.remove(&peer) else { return };
        joined.member.peer_down(now, peer);
        self.end_use(now, session, group);
    }

    /// Closes a group's flows in a session, and the session if nothing else uses it.
    pub(super) fn end_use(&mut self, now: Instant, handle: SessionHandle, group: GroupHandle) {
        let Some(link) = self.groups.links.get_mut(&handle) else { return };
        let Some(used) = link.uses.remove(&group) else { return };
        let outgoing: BTreeMap<FlowId, (GroupHandle, Lane)> =
            link.outgoing.extract_if(.., |_, (of, _)| *of == group).collect();
        let incoming: BTreeMap<FlowId, (GroupHandle, Lane)> =
            link.incoming.extract_if(.., |_, (of, _)| *of == group).collect();
        link.spent.extend(incoming.into_keys());
        link.spent.extend(link.streams.extract_if(.., |_, of| *of == group).map(|(flow, _)| flow));
        if let Some(session) = self.endpoint.session_mut(handle) {
            let is_busy = |flow: FlowId| session.buffered(flow).is_ok_and(|bytes| bytes > 0);
            let waits = outgoing.iter().any(|(&flow, (_, lane))| *lane != Lane::Control && is_busy(flow));
            for (flow, (_, lane)) in outgoing {
                if waits && lane == Lane::Control {
                    link.parting.insert(flow);
                    self.groups.parting.insert((now + LAST_WORDS, handle));
                } else if session.close_flow(flow).is_ok() {
                    link.ending.insert(flow);
                }
            }
        }
        self.read_early(handle, used.early);
        self.release(now, handle, LINGER);
    }

    /// Says farewell where everything else that was said has arrived, or has had its time.
    pub(super) fn part(&mut self, handle: SessionHandle, in_any_case: bool) {
        let Some(link) = self.groups.links.get_mut(&handle) else { return };
        if link.parting.is_empty() || !(in_any_case || link.ending.is_empty()) {
            return;
        }
        self.groups.parting.retain(|&(_, waiting)| waiting != handle);
        let controls = std::mem::take(&mut link.parting);
        if let Some(session) = self.endpoint.session_mut(handle) {
            link.ending.extend(controls.into_iter().filter(|&flow| session.close_flow(flow).is_ok()));
        }
    }

    /// Closes a session that nothing uses, once what was sent is out, or after `within`.
    pub(super) fn release(&mut self, now: Instant, session: SessionHandle, within: Duration) {
        let unused = self.groups.links.get(&session).is_none_or(|link| link.uses.is_empty() && link.unnamed.is_empty());
        if unused && matches!(self.roles.get(&session), Some(Role::Member)) {
            self.close_soon(now, session, within);
        }
    }

    /// A session is over.
    pub(super) fn link_closed(&mut self, now: Instant, session: SessionHandle) {
        self.groups.unproven.retain(|&(_, unproven)| unproven != session);
        self.groups.parting.retain(|&(_, parting)| parting != session);
        if let Some(link) = self.groups.links.remove(&session) {
            for group in link.uses.into_keys() {
                if let Some(joined) = self.groups.joined.get_mut(&group)
                    && joined.peers.get(&link.peer) == Some(&session)
                {
                    joined.peers.remove(&link.peer);
                    joined.member.peer_down(now, link.peer);
                }
            }
        }
        for leaving in self.groups.leaving.values_mut() {
            leaving.sessions.remove(&session);
        }
        self.check_left(now);
    }

    /// A session takes the place of another one with the same peer. Its keys are other ones, so memberships begin anew:
    /// who opened it says so at once, the other end waits for that.
    pub(in super::super) fn link_replaced(&mut self, now: Instant, old: SessionHandle, new: SessionHandle) {
        let Some(link) = self.groups.links.get(&old) else { return };
        let (peer, groups) = (link.peer, link.uses.keys().copied().collect::<Vec<_>>());
        if groups.is_empty() {
            return;
        }
        let ours = self.endpoint.session(new).is_some_and(|session| session.role() == session::Role::Initiator);
        if ours {
            self.roles.entry(new).or_insert(Role::Member);
        }
        for group in groups {
            let moved = self.groups.joined.get(&group).is_some_and(|joined| joined.peers.get(&peer) != Some(&old));
            if !moved {
                self.lost(now, group, peer);
            }
            if ours {
                self.begin_use(now, group, new, false);
            }
        }
    }

    /// A neighbour has proved to be a member: it may introduce others to us, and is heard on all lanes.
    pub(super) fn trust_neighbour(&mut self, group: GroupHandle, peer: PeerId) {
        let Some(&session) = self.groups.joined.get(&group).and_then(|joined| joined.peers.get(&peer)) else { return };
        let used = self.groups.links.get_mut(&session).and_then(|link| link.uses.get_mut(&group));
        let early = used.map(|used| std::mem::take(&mut used.early)).unwrap_or_default();
        self.read_early(session, early);
        if !matches!(self.roles.get(&session), Some(Role::Registration(_))) {
            self.endpoint.set_forwarding(session, ForwardAnswer::RHello, ForwardTrust::Member);
        }
    }

    /// Drops peers that have not shown what they want, and parts from those who do not listen to the end.
    pub(super) fn links_timeout(&mut self, now: Instant) {
        while let Some(&(_, session)) = self.groups.parting.first().filter(|&&(at, _)| at <= now) {
            self.part(session, true);
            self.groups.parting.pop_first();
        }
        while let Some(&(at, session)) = self.groups.unproven.first().filter(|&&(at, _)| at <= now) {
            self.groups.unproven.remove(&(at, session));
            if matches!(self.roles.get(&session), Some(Role::Member)) && !self.groups.uses(session) {
                self.close_session(now, session);
            }
        }
    }
}
