//! All openings, by name, by tag and by time.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Instant;

use super::event::OpeningId;
use super::opening::{Opening, TAG_LEN};

/// The openings of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Openings {
    by_id: BTreeMap<OpeningId, Filed>,
    by_tag: BTreeMap<[u8; TAG_LEN], OpeningId>,
    timers: BTreeSet<(Instant, OpeningId)>,
    named: u64,
}

#[derive(Debug)]
struct Filed {
    opening: Opening,
    tag: [u8; TAG_LEN],
    deadline: Instant,
}

impl Openings {
    /// A new name.
    pub(crate) fn next_id(&mut self) -> OpeningId {
        self.named += 1;
        OpeningId(self.named)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Files a new opening.
    pub(crate) fn insert(&mut self, id: OpeningId, opening: Opening) {
        let (tag, deadline) = (opening.tag(), opening.deadline());
        self.by_id.insert(id, Filed { opening, tag, deadline });
        self.by_tag.insert(tag, id);
        self.timers.insert((deadline, id));
    }

    /// Takes an opening out of the files.
    pub(crate) fn remove(&mut self, id: OpeningId) -> Option<Opening> {
        let filed = self.by_id.remove(&id)?;
        self.by_tag.remove(&filed.tag);
        self.timers.remove(&(filed.deadline, id));
        Some(filed.opening)
    }

    /// An opening.
    pub(crate) fn get(&self, id: OpeningId) -> Option<&Opening> {
        self.by_id.get(&id).map(|filed| &filed.opening)
    }

    /// Does something with an opening, and files it anew.
    pub(crate) fn with<R>(&mut self, id: OpeningId, act: impl FnOnce(&mut Opening) -> R) -> Option<R> {
        let filed = self.by_id.get_mut(&id)?;
        let result = act(&mut filed.opening);
        let (tag, deadline) = (filed.opening.tag(), filed.opening.deadline());
        if tag != filed.tag {
            self.by_tag.remove(&filed.tag);
            self.by_tag.insert(tag, id);
            filed.tag = tag;
        }
        if deadline != filed.deadline {
            self.timers.remove(&(filed.deadline, id));
            self.timers.insert((deadline, id));
            filed.deadline = deadline;
        }
        Some(result)
    }

    /// The opening that sent an IHello with this tag.
    pub(crate) fn by_tag(&self, tag: &[u8]) -> Option<OpeningId> {
        self.by_tag.get(<&[u8; TAG_LEN]>::try_from(tag).ok()?).copied()
    }

    /// The openings of which something holds, in the order in which they began.
    pub(crate) fn which(&self, holds: impl Fn(&Opening) -> bool) -> Vec<OpeningId> {
        self.by_id.iter().filter(|(_, filed)| holds(&filed.opening)).map(|(id, _)| *id).collect()
    }

    /// An opening whose time has come.
    pub(crate) fn due(&self, now: Instant) -> Option<OpeningId> {
        self.timers.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// When the next one's time comes.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }
}
