//! What goes out: messages as far as there is room for them, and events.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::types::StreamEvent;
use crate::base::{Instant, PeerId};
use crate::group::{Lane, Outgoing, Output};

/// Bytes that wait for room on one lane to one neighbour; fragments never do.
const MAX_WAITING: usize = 1 << 20;

#[derive(Debug)]
struct Way {
    room: usize,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
}

/// What waits to be taken.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    ready: VecDeque<Output<StreamEvent>>,
    ways: BTreeMap<(PeerId, Lane), Way>,
}

impl Outbox {
    /// Something happened.
    pub(super) fn tell(&mut self, event: StreamEvent) {
        self.ready.push_back(Output::Event(event));
    }

    /// Sends a message, now or once there is room; whether there is place for it.
    pub(super) fn send(&mut self, peer: PeerId, lane: Lane, data: Bytes) -> bool {
        let way = self.way(peer, lane);
        if way.waiting.is_empty() && data.len() <= way.room {
            way.room -= data.len();
            self.ready.push_back(Output::Send(Outgoing::new(peer, lane, data)));
            return true;
        }
        let fits = way.waiting_bytes + data.len() <= MAX_WAITING;
        if fits {
            way.waiting_bytes += data.len();
            way.waiting.push_back(data);
        }
        fits
    }

    /// Sends a message that is worthless after a while, if there is room; whether there is.
    pub(super) fn push(&mut self, peer: PeerId, lane: Lane, data: Bytes, finish_by: Instant) -> bool {
        let way = self.way(peer, lane);
        let fits = data.len() <= way.room;
        if fits {
            way.room -= data.len();
            let finish_by = Some(finish_by);
            self.ready.push_back(Output::Send(Outgoing { finish_by, ..Outgoing::new(peer, lane, data) }));
        }
        fits
    }

    /// Says something to all who hear the group's own IP multicast address.
    pub(super) fn cast(&mut self, data: Bytes) {
        self.ready.push_back(Output::Cast(data));
    }

    /// Nothing more goes to a neighbour on this lane.
    pub(super) fn finish(&mut self, peer: PeerId, lane: Lane) {
        if self.ways.remove(&(peer, lane)).is_some() {
            self.ready.push_back(Output::Finish { peer, lane });
        }
    }

    /// So many bytes may be sent now.
    pub(super) fn writable(&mut self, peer: PeerId, lane: Lane, room: usize) {
        let Some(way) = self.ways.get_mut(&(peer, lane)) else { return };
        way.room = room;
        while let Some(data) = way.waiting.pop_front() {
            if data.len() > way.room {
                way.waiting.push_front(data);
                return;
            }
            way.room -= data.len();
            way.waiting_bytes -= data.len();
            self.ready.push_back(Output::Send(Outgoing::new(peer, lane, data)));
        }
    }

    /// A neighbour is gone, or not wanted any more: so is what waits for it.
    pub(super) fn peer_down(&mut self, peer: PeerId) {
        self.ways.retain(|(other, _), _| *other != peer);
    }

    pub(super) fn poll(&mut self) -> Option<Output<StreamEvent>> {
        self.ready.pop_front()
    }

    fn way(&mut self, peer: PeerId, lane: Lane) -> &mut Way {
        let new = || Way { room: lane.room(), waiting: VecDeque::new(), waiting_bytes: 0 };
        self.ways.entry((peer, lane)).or_insert_with(new)
    }
}
