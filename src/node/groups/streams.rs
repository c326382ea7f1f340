//! Lanes of streams: opened and closed while a neighbourhood lasts, as streams come and go.

use bytes::Bytes;

use super::super::Node;
use super::super::event::GroupHandle;
use super::parts::{Link, Sending};
use crate::base::{Instant, PeerId};
use crate::endpoint::SessionHandle;
use crate::group::Lane;
use crate::service::multicast::StreamMessage;
use crate::session::{FlowId, Session};

impl Node {
    /// The first message of a stream's flow came: it must tell which stream.
    pub(super) fn stream_named(
        &mut self,
        now: Instant,
        handle: SessionHandle,
        group: GroupHandle,
        flow: FlowId,
        message: &Bytes,
    ) {
        let (Some(link), Some(session)) = (self.groups.links.get_mut(&handle), self.endpoint.session_mut(handle))
        else {
            return;
        };
        link.streams.remove(&flow);
        let peer = link.peer;
        let Ok(StreamMessage::Infos(infos)) = StreamMessage::decode(message) else {
            self.groups.stats.nameless += 1;
            let _ = session.reject_flow(flow, 0);
            return;
        };
        let tag = infos.key.tag();
        link.incoming.insert(flow, (group, Lane::Stream(tag)));
        let before = link.uses.get_mut(&group).and_then(|used| used.far_streams.insert(tag, flow));
        if before.is_some() {
            // It has begun anew: what answered the former flow may have been refused.
            finish(link, session, group, Lane::Fragments(tag));
        }
        if let Some(joined) = self.groups.joined.get_mut(&group) {
            joined.member.message(now, peer, Lane::Stream(tag), message);
        }
    }

    /// A neighbour takes part in a stream no longer: it gets no fragments any more.
    pub(super) fn stream_finished(&mut self, handle: SessionHandle, group: GroupHandle, tag: u64, flow: FlowId) {
        let (Some(link), Some(session)) = (self.groups.links.get_mut(&handle), self.endpoint.session_mut(handle))
        else {
            return;
        };
        let Some(used) = link.uses.get_mut(&group) else { return };
        if used.far_streams.get(&tag) == Some(&flow) {
            used.far_streams.remove(&tag);
            finish(link, session, group, Lane::Fragments(tag));
        }
    }

    /// A member sends nothing more on a lane.
    pub(super) fn group_finish(&mut self, group: GroupHandle, peer: PeerId, lane: Lane) {
        let Some(handle) = self.group_session(group, peer).filter(|_| lane != Lane::Control) else { return };
        if let (Some(link), Some(session)) = (self.groups.links.get_mut(&handle), self.endpoint.session_mut(handle)) {
            finish(link, session, group, lane);
        }
        let bounded = self.is_bounded(handle, group);
        if let Some(session) = self.endpoint.session_mut(handle).filter(|_| matches!(lane, Lane::Fragments(_))) {
            session.set_bounded(bounded);
        }
    }
}

/// Closes our flow of a lane, once what was sent on it has arrived.
fn finish(link: &mut Link, session: &mut Session, group: GroupHandle, lane: Lane) {
    let Some(Sending { flow, .. }) = link.uses.get_mut(&group).and_then(|used| used.lanes.remove(&lane)) else {
        return;
    };
    // One that was refused is closed already.
    if link.outgoing.remove(&flow).is_some() && session.close_flow(flow).is_ok() {
        link.ending.insert(flow);
    }
}
