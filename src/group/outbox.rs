//! What waits for room on one lane: nobody sends beyond what the carrier said that it takes.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::contract::{FIRST_ROOM, Lane, Outgoing};
use crate::base::PeerId;

/// Bytes that may wait for one neighbour; more are refused.
pub const MAX_WAITING: usize = 512 << 10;

/// The messages of one lane that go out, with a bounded queue for each neighbour whose room is used up.
#[derive(Debug)]
pub struct Outbox {
    lane: Lane,
    peers: BTreeMap<PeerId, Waiting>,
    ready: VecDeque<Outgoing>,
    sent: u64,
}

#[derive(Debug)]
struct Waiting {
    room: usize,
    queue: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    /// Nothing waits.
    #[must_use]
    pub const fn new(lane: Lane) -> Self {
        Self { lane, peers: BTreeMap::new(), ready: VecDeque::new(), sent: 0 }
    }

    /// Sends `data` to a neighbour, now or when there is room. Whether there is place for it.
    pub fn send(&mut self, peer: PeerId, data: Bytes) -> bool {
        let waiting = self.peers.entry(peer).or_insert(Waiting { room: FIRST_ROOM, queue: VecDeque::new(), bytes: 0 });
        if waiting.bytes + data.len() > MAX_WAITING {
            return false;
        }
        waiting.bytes += data.len();
        waiting.queue.push_back(data);
        self.flush(peer);
        true
    }

    /// There are so many bytes of room for a neighbour now.
    pub fn writable(&mut self, peer: PeerId, room: usize) {
        if let Some(waiting) = self.peers.get_mut(&peer) {
            waiting.room = room;
            self.flush(peer);
        }
    }

    /// Whether `bytes` could go to a neighbour at once.
    #[must_use]
    pub fn has_room(&self, peer: PeerId, bytes: usize) -> bool {
        self.peers.get(&peer).map_or(FIRST_ROOM >= bytes, |waiting| waiting.room >= waiting.bytes + bytes)
    }

    /// A neighbour is gone, and what waits for it.
    pub fn peer_down(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        self.ready.retain(|outgoing| outgoing.peer != peer);
    }

    /// Bytes handed out so far.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that wait for room.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.peers.values().map(|waiting| waiting.bytes).sum()
    }

    /// The next message to send.
    pub fn poll(&mut self) -> Option<Outgoing> {
        self.ready.pop_front()
    }

    fn flush(&mut self, peer: PeerId) {
        let Some(waiting) = self.peers.get_mut(&peer) else { return };
        while waiting.queue.front().is_some_and(|data| data.len() <= waiting.room) {
            let Some(data) = waiting.queue.pop_front() else { return };
            waiting.room -= data.len();
            waiting.bytes -= data.len();
            self.sent += data.len() as u64;
            self.ready.push_back(Outgoing::new(peer, self.lane, data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_beyond_the_room_and_what_waits_is_bounded() {
        let mut outbox = Outbox::new(Lane::Routes);
        let peer = PeerId([1; 32]);
        let piece = Bytes::from(vec![0; 64 << 10]);
        let taken = (0..20).filter(|_| outbox.send(peer, piece.clone())).count();
        assert_eq!(taken, 12);
        assert_eq!(std::iter::from_fn(|| outbox.poll()).count(), 4);
        assert_eq!(outbox.waiting(), MAX_WAITING);
        outbox.writable(peer, 100 << 10);
        assert_eq!(std::iter::from_fn(|| outbox.poll()).count(), 1);
        outbox.peer_down(peer);
        assert_eq!(outbox.waiting(), 0);
    }
}
