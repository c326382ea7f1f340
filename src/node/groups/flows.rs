//! Lanes as flows.

use std::collections::BTreeMap;

use super::super::Node;
use super::super::event::GroupHandle;
use super::super::parts::Role;
use super::lanes::{Opened, metadata, priority, reception};
use super::parts::{Link, Sending};
use crate::base::{Instant, PeerId};
use crate::endpoint::SessionHandle;
use crate::flow::{Lifetime, MessageId};
use crate::group::{Lane, Outgoing};
use crate::session::{FlowId, SessionEvent};

/// Control flows of one peer that have not named their group yet.
const MAX_UNNAMED: usize = 16;

impl Node {
    /// Takes an event of a session if it is about a group's flow; whether it was.
    pub(in super::super) fn group_event(&mut self, now: Instant, handle: SessionHandle, event: &SessionEvent) -> bool {
        if let SessionEvent::FlowOpened { flow, metadata, return_of } = event {
            return self.groups.is_member() && self.group_flow(handle, *flow, metadata, *return_of);
        }
        let Some(link) = self.groups.links.get_mut(&handle) else { return false };
        let peer = link.peer;
        match event {
            SessionEvent::Message { flow, data, .. } => {
                let of = link.incoming.get(flow).copied();
                let unnamed = link.unnamed.contains(flow);
                let stream_of = link.streams.get(flow).copied();
                if of.is_none() && !unnamed && stream_of.is_none() && !link.spent.contains(flow) {
                    return false;
                }
                let measured = link.measured;
                if let Some(session) = self.endpoint.session_mut(handle) {
                    let _ = session.consume(*flow, data.len());
                }
                if unnamed {
                    self.first_message(now, handle, *flow, data);
                } else if let Some(group) = stream_of {
                    self.stream_named(now, handle, group, *flow, data);
                } else if let Some((group, lane)) = of
                    && let Some(joined) = self.groups.joined.get_mut(&group)
                {
                    joined.member.message(now, peer, lane, data);
                }
                if !measured {
                    self.measure_one(now, handle);
                }
            }
            SessionEvent::FlowFinished { flow, .. } => {
                let was_ours =
                    link.unnamed.remove(flow) | link.spent.remove(flow) | link.streams.remove(flow).is_some();
                let Some((group, lane)) = link.incoming.remove(flow) else {
                    if was_ours {
                        self.release(now, handle, std::time::Duration::ZERO);
                    }
                    return was_ours;
                };
                match lane {
                    Lane::Control => self.groups.ended.push((handle, group, *flow)),
                    Lane::Stream(tag) => self.stream_finished(handle, group, tag, *flow),
                    _ => {}
                }
            }
            SessionEvent::FlowException { flow, .. } => {
                let Some((group, lane)) = link.outgoing.remove(flow) else {
                    let was_ours = link.parting.remove(flow) | link.ending.remove(flow);
                    self.part(handle, false);
                    return was_ours;
                };
                if lane == Lane::Control {
                    self.lost(now, group, peer);
                } else if let Some(sending) = link.uses.get_mut(&group).and_then(|used| used.lanes.get_mut(&lane)) {
                    // A member of another make: this lane is none for it.
                    sending.refused = true;
                }
            }
            SessionEvent::Delivered { flow, id } | SessionEvent::Abandoned { flow, id } => {
                let Some(&(group, lane)) = link.outgoing.get(flow) else {
                    return link.ending.contains(flow) || link.parting.contains(flow);
                };
                if let Some(sending) = link.uses.get_mut(&group).and_then(|used| used.lanes.get_mut(&lane))
                    && let Some(name) = sending.ids.remove(&id.0)
                {
                    sending.names.remove(&name);
                }
                if lane != Lane::Control {
                    self.groups.roomy.insert((group, peer, lane));
                }
                if lane == Lane::Objects {
                    self.tell_queue(handle, group, peer);
                }
            }
            SessionEvent::FlowComplete { flow } => {
                if !link.ending.remove(flow) {
                    return link.outgoing.contains_key(flow);
                }
                self.part(handle, false);
                let Some(link) = self.groups.links.get_mut(&handle) else { return true };
                // Everything is out; who lingers for that may go.
                if link.ending.is_empty() && link.uses.is_empty() {
                    self.release(now, handle, std::time::Duration::ZERO);
                }
            }
            SessionEvent::Writable { flow } => return link.outgoing.contains_key(flow) || link.parting.contains(flow),
            SessionEvent::Lost { flow, .. } => {
                return link.incoming.contains_key(flow)
                    || link.spent.contains(flow)
                    || link.unnamed.contains(flow)
                    || link.streams.contains_key(flow);
            }
            SessionEvent::Closed(_) => {
                self.link_closed(now, handle);
                return false;
            }
            _ => return false,
        }
        true
    }

    /// A flow was opened to us: takes it if it is a group's.
    fn group_flow(&mut self, handle: SessionHandle, flow: FlowId, metadata: &[u8], return_of: Option<FlowId>) -> bool {
        let Some(opened) = Opened::by(metadata) else { return false };
        if matches!(self.roles.get(&handle), None | Some(Role::Client)) {
            return false;
        }
        let answered = return_of.and_then(|flow| self.groups.links.get(&handle)?.outgoing.get(&flow)).copied();
        let joined = answered.and_then(|(group, _)| self.groups.joined.get(&group));
        let streams = joined.is_some_and(|joined| joined.member.multicast().is_some());
        let proven = |peer: PeerId| joined.is_some_and(|joined| joined.member.view().neighbour(peer).is_some());
        let peer = self.groups.links.get(&handle).map(|link| link.peer);
        let early = !peer.is_some_and(proven);
        let (taken, lane) = match (self.link_of(handle), opened, answered) {
            (Some(link), Opened::Control, _) => {
                (link.unnamed.len() < MAX_UNNAMED && link.unnamed.insert(flow), Some(Lane::Control))
            }
            (Some(link), Opened::Lane(lane), Some((group, Lane::Control))) => {
                link.incoming.insert(flow, (group, lane));
                (true, Some(lane))
            }
            (Some(link), Opened::Stream, Some((group, Lane::Control))) if streams && link.may_stream() => {
                link.streams.insert(flow, group);
                (true, None)
            }
            (Some(link), Opened::Fragments, Some((group, Lane::Stream(tag)))) if link.may_stream() => {
                let lane = Lane::Fragments(tag);
                link.incoming.insert(flow, (group, lane));
                (true, Some(lane))
            }
            _ => (false, None),
        };
        // A packet of the handshake was lost, or was overtaken: what only neighbours may say waits for it.
        if taken
            && early
            && opened != Opened::Control
            && let Some((group, _)) = answered
            && let Some(used) = self.groups.links.get_mut(&handle).and_then(|link| link.uses.get_mut(&group))
        {
            used.early.push(flow);
            return true;
        }
        if let Some(session) = self.endpoint.session_mut(handle) {
            let (order, window) = reception(lane);
            let _ = if taken { session.accept_flow(flow, order, window) } else { session.reject_flow(flow, 0) };
        }
        true
    }

    /// A group's neighbour has proved to be one, or is none any more: what it said on its lanes is read.
    pub(super) fn read_early(&mut self, handle: SessionHandle, flows: Vec<FlowId>) {
        for flow in flows {
            let lane = self.groups.links.get(&handle).and_then(|link| link.incoming.get(&flow)).map(|&(_, lane)| lane);
            let (order, window) = reception(lane);
            if let Some(session) = self.endpoint.session_mut(handle) {
                let _ = session.accept_flow(flow, order, window);
            }
        }
    }

    /// Sends a member's message, opening the lane if it is the first.
    pub(super) fn group_send(&mut self, now: Instant, group: GroupHandle, outgoing: Outgoing) {
        let Outgoing { peer, lane, data, start_by, finish_by, id } = outgoing;
        let len = data.len();
        let Some(handle) = self.group_session(group, peer) else {
            self.groups.stats.unsent += 1;
            return;
        };
        let bounded = match lane {
            // A stream sends at its own rate, and what cannot be sent in time is dropped.
            Lane::Fragments(_) => Some(true),
            Lane::Objects => Some(self.is_bounded(handle, group)),
            _ => None,
        };
        let (Some(link), Some(session)) = (self.groups.links.get_mut(&handle), self.endpoint.session_mut(handle))
        else {
            self.groups.stats.unsent += 1;
            return;
        };
        let Some(used) = link.uses.get_mut(&group) else { return };
        if !used.lanes.contains_key(&lane) {
            if let Some(bounded) = bounded {
                session.set_bounded(bounded);
            }
            // What a service is told that there is room for is not refused: its room, and one message beyond it.
            session.reserve_send_buffer(2 * lane.room());
            let answered = match lane {
                Lane::Control => None,
                // To whom does not take part nothing is sent.
                Lane::Fragments(tag) => used.far_streams.get(&tag).copied(),
                _ => used.far_control,
            };
            let opened = match answered {
                None if lane != Lane::Control => None,
                answered => session.open_flow(now, &metadata(lane), answered, priority(lane)).ok(),
            };
            let Some(flow) = opened else {
                self.groups.stats.unsent += 1;
                return;
            };
            link.outgoing.insert(flow, (group, lane));
            let (names, ids) = (BTreeMap::new(), BTreeMap::new());
            used.lanes.insert(lane, Sending { flow, refused: false, believed: lane.room(), names, ids });
        }
        let Some(sending) = used.lanes.get_mut(&lane).filter(|sending| !sending.refused) else {
            self.groups.stats.unsent += 1;
            return;
        };
        sending.believed = sending.believed.saturating_sub(len);
        match session.write(now, sending.flow, data, Lifetime { start_by, finish_by }) {
            Ok(message) => {
                if let Some(name) = id {
                    sending.names.insert(name, message.0);
                    sending.ids.insert(message.0, name);
                }
            }
            Err(_) => self.groups.stats.overflowed += 1,
        }
    }

    /// Gives up a member's message.
    pub(super) fn group_cancel(&mut self, group: GroupHandle, peer: PeerId, lane: Lane, id: u64) {
        let Some(handle) = self.group_session(group, peer) else { return };
        let (Some(link), Some(session)) = (self.groups.links.get_mut(&handle), self.endpoint.session_mut(handle))
        else {
            return;
        };
        let sending = link.uses.get_mut(&group).and_then(|used| used.lanes.get_mut(&lane));
        if let Some(sending) = sending
            && let Some(message) = sending.names.remove(&id)
        {
            sending.ids.remove(&message);
            let _ = session.abandon(sending.flow, MessageId(message));
        }
    }

    /// Parts from those who have left, once nothing that they said is unread. Answers whether there were any.
    pub(in super::super) fn lose_ended(&mut self, now: Instant) -> bool {
        let ended = std::mem::take(&mut self.groups.ended);
        for &(handle, group, flow) in &ended {
            let Some(link) = self.groups.links.get(&handle) else { continue };
            // Unless it has begun anew meanwhile.
            if link.uses.get(&group).is_some_and(|used| used.far_control == Some(flow)) {
                self.lost(now, group, link.peer);
            }
        }
        self.work(now);
        !ended.is_empty()
    }

    /// Tells services of room that was made, a quarter of a lane's at least. Answers whether any was told.
    pub(super) fn tell_room(&mut self, now: Instant) -> bool {
        let mut told = false;
        for (group, peer, lane) in std::mem::take(&mut self.groups.roomy) {
            let Some(handle) = self.group_session(group, peer) else { continue };
            let (Some(link), Some(session)) = (self.groups.links.get_mut(&handle), self.endpoint.session(handle))
            else {
                continue;
            };
            let Some(sending) = link.uses.get_mut(&group).and_then(|used| used.lanes.get_mut(&lane)) else { continue };
            let most = lane.room();
            let buffered = session.buffered(sending.flow).unwrap_or(most);
            let room = most.saturating_sub(buffered);
            let worth = room >= sending.believed + most / 4 || buffered == 0 && room > sending.believed;
            if worth && let Some(joined) = self.groups.joined.get_mut(&group) {
                sending.believed = room;
                joined.member.writable(now, peer, lane, room);
                told = true;
            }
        }
        told
    }

    /// Whether what is on its way is bounded by others than the session: by replication, which looks how long it waits, if
    /// nothing else is sent; or by the rate of a stream.
    pub(super) fn is_bounded(&self, handle: SessionHandle, group: GroupHandle) -> bool {
        let streams = |link: &Link| link.outgoing.values().any(|(_, lane)| matches!(lane, Lane::Fragments(_)));
        if self.groups.links.get(&handle).is_some_and(streams) {
            return true;
        }
        let replication = self.groups.joined.get(&group).and_then(|joined| joined.member.replication());
        matches!(self.roles.get(&handle), Some(Role::Member)) && replication.is_some_and(|service| service.is_polite())
    }

    /// Tells a member how long packets to a neighbour wait on the way, beyond the shortest time that they took.
    fn tell_queue(&mut self, handle: SessionHandle, group: GroupHandle, peer: PeerId) {
        let bounded = self.is_bounded(handle, group);
        let Some(session) = self.endpoint.session_mut(handle) else { return };
        session.set_bounded(bounded);
        if let (Some(wait), Some(joined)) = (session.queueing(), self.groups.joined.get_mut(&group)) {
            joined.member.queue_to(peer, wait);
        }
    }

    /// Tells members the round-trip times of their neighbours.
    pub(super) fn measure(&mut self, now: Instant) {
        let used = self.groups.links.iter().filter(|(_, link)| !link.uses.is_empty());
        let sessions: Vec<SessionHandle> = used.map(|(&session, _)| session).collect();
        for session in sessions {
            self.measure_one(now, session);
        }
    }

    fn measure_one(&mut self, now: Instant, handle: SessionHandle) {
        let Some(srtt) = self.endpoint.session(handle).and_then(|session| session.stats(now).srtt) else { return };
        let Some(link) = self.groups.links.get_mut(&handle) else { return };
        link.measured = true;
        for group in link.uses.keys() {
            if let Some(joined) = self.groups.joined.get_mut(group) {
                joined.member.rtt(link.peer, srtt);
            }
        }
    }
}
