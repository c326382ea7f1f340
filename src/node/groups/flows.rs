//! Lanes as flows.

use std::collections::BTreeMap;

use super::super::Node;
use super::super::event::GroupHandle;
use super::super::parts::Role;
use super::parts::Sending;
use crate::base::{Instant, PeerId};
use crate::endpoint::SessionHandle;
use crate::flow::{Lifetime, MessageId, Order, Priority};
use crate::group::message::CONTROL_METADATA as CONTROL;
use crate::group::{Lane, Outgoing};
use crate::session::{FlowId, SessionEvent};

/// Metadata of our other lanes, but for the last byte.
const OURS: &[u8] = b"p2pt group 1\0";
/// How far the receive window of a lane may grow; what comes is dealt with at once.
const LANE_WINDOW: usize = 512 << 10;
/// The same of the lane of objects, which are up to a mebibyte long and of which several are on their way.
const OBJECTS_WINDOW: usize = 8 << 20;
/// Control flows of one peer that have not named their group yet.
const MAX_UNNAMED: usize = 16;

/// How far a lane's receive window may grow, and in which order its messages are wanted: objects mean something by themselves.
const fn reception(lane: Option<Lane>) -> (Order, usize) {
    match lane {
        Some(Lane::Objects) => (Order::AsReceived, OBJECTS_WINDOW),
        _ => (Order::Original, LANE_WINDOW),
    }
}

/// What the flow of a lane is opened with.
fn metadata(lane: Lane) -> Vec<u8> {
    match lane {
        Lane::Control => CONTROL.to_vec(),
        Lane::Posts => [OURS, &[1]].concat(),
        Lane::Routes => [OURS, &[2]].concat(),
        Lane::Records => [OURS, &[3]].concat(),
        Lane::Objects => [OURS, &[4]].concat(),
        Lane::Asks => [OURS, &[6]].concat(),
        Lane::Manifests => [OURS, &[5]].concat(),
        // The known protocol's, with the flow that they answer.
        Lane::Stream(_) => vec![0x47, 0x52, 0x11],
        Lane::Fragments(_) => vec![0x47, 0x52, 0x12],
    }
}

/// The lane of one of our own flows: `None` for flows of others, `Some(None)` for a lane that we do not know.
fn own_lane(metadata: &[u8]) -> Option<Option<Lane>> {
    match metadata.strip_prefix(OURS)? {
        [1] => Some(Some(Lane::Posts)),
        [2] => Some(Some(Lane::Routes)),
        [3] => Some(Some(Lane::Records)),
        [4] => Some(Some(Lane::Objects)),
        [5] => Some(Some(Lane::Manifests)),
        [6] => Some(Some(Lane::Asks)),
        _ => Some(None),
    }
}

/// The handshake and reports go first, objects last.
const fn priority(lane: Lane) -> Priority {
    match lane {
        Lane::Control | Lane::Manifests | Lane::Stream(_) | Lane::Fragments(_) => Priority::High,
        Lane::Posts | Lane::Routes | Lane::Asks => Priority::Normal,
        Lane::Records => Priority::Low,
        Lane::Objects => Priority::Bulk,
    }
}

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
                if of.is_none() && !unnamed && !link.spent.contains(flow) {
                    return false;
                }
                let measured = link.measured;
                if let Some(session) = self.endpoint.session_mut(handle) {
                    let _ = session.consume(*flow, data.len());
                }
                if unnamed {
                    self.first_message(now, handle, *flow, data);
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
                let was_ours = link.unnamed.remove(flow) | link.spent.remove(flow);
                let Some((group, lane)) = link.incoming.remove(flow) else {
                    if was_ours {
                        self.release(now, handle, std::time::Duration::ZERO);
                    }
                    return was_ours;
                };
                if lane == Lane::Control {
                    self.groups.ended.push((handle, group, *flow));
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
                return link.incoming.contains_key(flow) || link.spent.contains(flow) || link.unnamed.contains(flow);
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
        let control = metadata == CONTROL;
        let own = own_lane(metadata);
        if !control && own.is_none() || matches!(self.roles.get(&handle), None | Some(Role::Client)) {
            return false;
        }
        let answered = return_of.and_then(|flow| self.groups.links.get(&handle)?.outgoing.get(&flow)).copied();
        let group = answered.filter(|(_, lane)| *lane == Lane::Control).map(|(group, _)| group);
        let joined = group.and_then(|group| self.groups.joined.get(&group));
        let proven = |peer: PeerId| joined.is_some_and(|joined| joined.member.view().neighbour(peer).is_some());
        let peer = self.groups.links.get(&handle).map(|link| link.peer);
        let early = !peer.is_some_and(proven);
        let taken = match (self.link_of(handle), own.flatten(), group) {
            (Some(link), ..) if control && link.unnamed.len() < MAX_UNNAMED => link.unnamed.insert(flow),
            (Some(link), Some(lane), Some(group)) => {
                link.incoming.insert(flow, (group, lane));
                // A packet of the handshake was lost, or was overtaken: what only neighbours may say waits for it.
                if early && let Some(used) = link.uses.get_mut(&group) {
                    used.early.push(flow);
                    return true;
                }
                true
            }
            _ => false,
        };
        if let Some(session) = self.endpoint.session_mut(handle) {
            let _ = match taken {
                true => {
                    let (order, window) = reception(own.flatten());
                    session.accept_flow(flow, order, window)
                }
                false => session.reject_flow(flow, 0),
            };
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
        let (Some(link), Some(session)) = (self.groups.links.get_mut(&handle), self.endpoint.session_mut(handle))
        else {
            self.groups.stats.unsent += 1;
            return;
        };
        let Some(used) = link.uses.get_mut(&group) else { return };
        if !used.lanes.contains_key(&lane) {
            // What a service is told that there is room for is not refused: its room, and one message beyond it.
            session.reserve_send_buffer(2 * lane.room());
            let answered = if lane == Lane::Control { None } else { used.far_control };
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

    /// Tells a member how long packets to a neighbour wait on the way, beyond the shortest time that they took.
    fn tell_queue(&mut self, handle: SessionHandle, group: GroupHandle, peer: PeerId) {
        let Some(session) = self.endpoint.session(handle) else { return };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_is_known_by_its_metadata() {
        assert_eq!(metadata(Lane::Control), [0x47, 0x52, 0x1c]);
        let ours = |lane: &Lane| !matches!(lane, Lane::Control | Lane::Stream(_) | Lane::Fragments(_));
        for lane in Lane::ALL.into_iter().filter(ours) {
            assert_eq!(own_lane(&metadata(lane)), Some(Some(lane)));
        }
        assert_eq!(own_lane(b"p2pt group 1\0\x63"), Some(None));
        assert_eq!(own_lane(CONTROL), None);
    }
}
