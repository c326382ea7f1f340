//! Who is connected with whom, as one member sees it.

use super::plan::MemberId;
use crate::base::Instant;
use crate::group::Lane;

/// A connection that is there, as one of its ends sees it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Who opened it, and when: its name at both ends.
    pub(super) opened: (Instant, MemberId),
    /// What was sent so far arrives no later than this.
    pub(super) arrived: Instant,
    /// Bytes that the member still believes it may send, by lane.
    room: [u32; Lane::KINDS],
}

impl Session {
    pub(super) fn new(opened: (Instant, MemberId)) -> Self {
        Self { opened, arrived: opened.0, room: Lane::ALL.map(|lane| lane.room() as u32) }
    }

    /// Takes `bytes` from the room of a lane; whether it is time to tell of room again.
    pub(super) const fn take(&mut self, lane: Lane, bytes: usize) -> bool {
        let half = lane.room() as u32 / 2;
        let room = &mut self.room[lane.kind()];
        let before = *room;
        *room = before.saturating_sub(bytes as u32);
        before >= half && *room < half
    }

    /// All that was sent on this lane has gone: there is room again.
    pub(super) const fn refill(&mut self, lane: Lane) {
        self.room[lane.kind()] = lane.room() as u32;
    }
}

#[derive(Debug, Clone)]
pub(super) enum LinkState {
    /// Asked for; the number tells apart those who were asked for again.
    Opening(u32),
    Up(Session),
}

/// The connections of one member. Few, so a sorted list beats a tree.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<(MemberId, LinkState)>);

impl Links {
    fn place(&self, peer: MemberId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&peer, |(peer, _)| *peer)
    }

    pub(super) fn get(&self, peer: MemberId) -> Option<&LinkState> {
        self.place(peer).ok().map(|at| &self.0[at].1)
    }

    pub(super) fn session(&self, peer: MemberId) -> Option<&Session> {
        match self.get(peer) {
            Some(LinkState::Up(session)) => Some(session),
            _ => None,
        }
    }

    pub(super) fn session_mut(&mut self, peer: MemberId) -> Option<&mut Session> {
        let at = self.place(peer).ok()?;
        match &mut self.0[at].1 {
            LinkState::Up(session) => Some(session),
            LinkState::Opening(_) => None,
        }
    }

    /// Whether it is still waiting for this opening.
    pub(super) fn opening(&self, peer: MemberId) -> Option<u32> {
        match self.get(peer) {
            Some(LinkState::Opening(number)) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn insert(&mut self, peer: MemberId, state: LinkState) {
        match self.place(peer) {
            Ok(at) => self.0[at].1 = state,
            Err(at) => {
                // Exactly: a hundred thousand members have several million links.
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(4);
                }
                self.0.insert(at, (peer, state));
            }
        }
    }

    pub(super) fn remove(&mut self, peer: MemberId) -> Option<LinkState> {
        self.place(peer).ok().map(|at| self.0.remove(at).1)
    }

    /// Everybody with whom there is a connection.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (MemberId, &Session)> {
        self.0.iter().filter_map(|(peer, state)| match state {
            LinkState::Up(session) => Some((*peer, session)),
            LinkState::Opening(_) => None,
        })
    }
}
