//! The service: what its owner and its neighbours tell it.

use std::collections::VecDeque;

use bytes::Bytes;

use super::media::{Head, Unit};
use super::message::{MAX_NAME, StreamKey};
use super::types::{
    LiveStream, MulticastConfig, MulticastInfo, PlayId, StreamError, StreamEvent, StreamSettings, Wanted,
};
use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::group::{Lane, Output, View};

/// The multicast service of one membership.
#[derive(Debug)]
pub struct Multicast {
    config: MulticastConfig,
    rng: Rng,
    outputs: VecDeque<Output<StreamEvent>>,
    plays: u64,
}

impl Multicast {
    /// No streams.
    #[must_use]
    pub fn new(_now: Instant, rng: Rng, config: MulticastConfig) -> Self {
        Self { config, rng, outputs: VecDeque::new(), plays: 0 }
    }

    /// Publishes a stream of this name. It is announced with its first unit.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn publish(&mut self, _now: Instant, name: &str, _settings: StreamSettings) -> Result<StreamKey, StreamError> {
        if name.len() > MAX_NAME {
            return Err(StreamError::Name);
        }
        Ok(StreamKey::of(self.config.group, self.config.author.peer_id(), &self.rng.bytes()))
    }

    /// The next unit of a stream of ours; `head` is what must precede it where a player begins with it.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn write(&mut self, _now: Instant, _key: StreamKey, _unit: &Unit, _head: &Head) -> Result<(), StreamError> {
        Err(StreamError::Unknown)
    }

    /// A stream of ours ends in good order, with what was written.
    pub fn unpublish(&mut self, _now: Instant, _key: StreamKey) {}

    /// Plays a stream, as soon as there is one that is wanted.
    pub fn play(&mut self, _now: Instant, _wanted: Wanted) -> PlayId {
        self.plays += 1;
        PlayId(self.plays)
    }

    /// Plays no longer.
    pub fn stop(&mut self, _now: Instant, _play: PlayId) {}

    /// The settings that a member has for itself, of all streams: to how many neighbours a fragment is pushed at most, and for
    /// how long fragments are kept beyond the window.
    pub fn set_relaying(&mut self, _push_limit: usize, _margin: std::time::Duration) {}

    /// The streams that we know of.
    pub fn streams(&self) -> impl Iterator<Item = LiveStream> + '_ {
        std::iter::empty()
    }

    /// What is counted of a stream.
    #[must_use]
    pub fn info(&self, _now: Instant, _key: StreamKey) -> Option<MulticastInfo> {
        None
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, clock: WallClock) {
        self.config.clock = clock;
    }

    /// A neighbour is there.
    pub fn peer_up(&mut self, _now: Instant, _view: &View, _peer: PeerId) {}

    /// It is gone.
    pub fn peer_down(&mut self, _now: Instant, _view: &View, _peer: PeerId) {}

    /// A neighbour's message came.
    pub fn message(&mut self, _now: Instant, _view: &View, _peer: PeerId, _lane: Lane, _message: &Bytes) {}

    /// Something was heard on the group's own IP multicast address.
    pub fn heard_cast(&mut self, _now: Instant, _view: &View, _message: &Bytes) {}

    /// Whether the group has such an address, to which streams are sent.
    pub fn set_casting(&mut self, _casting: bool) {}

    /// So many bytes may be sent to a neighbour on this lane now.
    pub fn writable(&mut self, _now: Instant, _peer: PeerId, _lane: Lane, _room: usize) {}

    /// Time passed.
    pub fn handle_timeout(&mut self, _now: Instant, _view: &View) {}

    /// When to call [`Multicast::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<StreamEvent>> {
        self.outputs.pop_front()
    }
}
