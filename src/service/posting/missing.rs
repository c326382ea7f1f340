//! Posts that neighbours announced and that have not come yet: whom to ask for them, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::store::Key;
use crate::base::{Instant, PeerId};

/// Announcements that are remembered of one neighbour.
pub(super) const MAX_OF_PEER: usize = 4096;
/// Announcements that are remembered of one post.
const MAX_ANNOUNCERS: usize = 32;
/// How often a post is asked for before it is given up, until somebody announces it again.
const MAX_TRIES: u32 = 12;
/// The longest wait for an answer.
const MAX_WAIT: Duration = Duration::from_secs(4);

/// A post that is missing.
#[derive(Debug)]
pub(super) struct Entry {
    /// Who has it, in the order in which they said so.
    pub(super) announcers: Vec<PeerId>,
    /// When that was heard first.
    pub(super) heard: Instant,
    /// A comparison brought it up: it is nothing new.
    pub(super) compared: bool,
    /// Whom it was asked of last, and when.
    pub(super) asked: Option<(PeerId, Instant)>,
    /// Whom to ask next.
    turn: usize,
    tries: u32,
    due: Instant,
}

/// All posts that are missing.
#[derive(Debug, Default)]
pub(super) struct Missing {
    entries: BTreeMap<Key, Entry>,
    due: BTreeSet<(Instant, Key)>,
    of_peer: BTreeMap<PeerId, usize>,
}

impl Missing {
    /// `peer` has a post that we have not; it is asked for at `due` unless it comes before. Whether there was room to
    /// remember that.
    pub(super) fn announced(&mut self, now: Instant, key: Key, peer: PeerId, due: Instant, compared: bool) -> bool {
        if self.of_peer(peer) >= MAX_OF_PEER {
            return false;
        }
        let entry = self.entries.entry(key).or_insert_with(|| {
            self.due.insert((due, key));
            Entry { announcers: Vec::new(), heard: now, compared, asked: None, turn: 0, tries: 0, due }
        });
        if entry.announcers.contains(&peer) {
            return true;
        }
        if entry.announcers.len() < MAX_ANNOUNCERS {
            entry.announcers.push(peer);
            *self.of_peer.entry(peer).or_default() += 1;
        }
        true
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        self.entries.contains_key(&key)
    }

    /// Whether any of these posts of a stream is missing for sure: somebody has it.
    pub(super) fn any(&self, first: Key, last: Key) -> bool {
        first <= last && self.entries.range(first..=last).next().is_some()
    }

    /// Announcements of a neighbour that are remembered.
    pub(super) fn of_peer(&self, peer: PeerId) -> usize {
        self.of_peer.get(&peer).copied().unwrap_or_default()
    }

    /// It came, or is not wanted any more.
    pub(super) fn remove(&mut self, key: Key) -> Option<Entry> {
        let entry = self.entries.remove(&key)?;
        self.due.remove(&(entry.due, key));
        for peer in &entry.announcers {
            release(&mut self.of_peer, *peer);
        }
        Some(entry)
    }

    /// A neighbour is gone, and with it what it announced.
    pub(super) fn peer_down(&mut self, now: Instant, peer: PeerId) {
        if self.of_peer.remove(&peer).is_none() {
            return;
        }
        let keys: Vec<Key> =
            self.entries.iter().filter(|(_, entry)| entry.announcers.contains(&peer)).map(|(key, _)| *key).collect();
        for key in keys {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            entry.announcers.retain(|announcer| *announcer != peer);
            let was_asked = entry.asked.is_some_and(|(asked, _)| asked == peer);
            if entry.announcers.is_empty() {
                self.remove(key);
            } else if was_asked {
                self.postpone(key, now);
            }
        }
    }

    /// When the next post is to be asked for.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next post that is to be asked for now, and of whom.
    pub(super) fn next_due(&self, now: Instant) -> Option<(Key, PeerId)> {
        let &(_, key) = self.due.first().filter(|(at, _)| *at <= now)?;
        let entry = self.entries.get(&key)?;
        Some((key, entry.announcers[entry.turn % entry.announcers.len()]))
    }

    /// Whom a post was asked of last.
    pub(super) fn asked(&self, key: Key) -> Option<(PeerId, Instant)> {
        self.entries.get(&key)?.asked
    }

    /// It was asked for; the next one is asked after `wait`, and longer each time. `false` if it was asked for too often
    /// and is given up.
    pub(super) fn ask(&mut self, now: Instant, key: Key, wait: Duration) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        if entry.tries >= MAX_TRIES {
            self.remove(key);
            return false;
        }
        entry.asked = Some((entry.announcers[entry.turn % entry.announcers.len()], now));
        entry.turn += 1;
        entry.tries += 1;
        let rounds = entry.turn / entry.announcers.len();
        let wait = (wait * (1 << rounds.min(4))).min(MAX_WAIT);
        self.postpone(key, now + wait);
        true
    }

    /// Looks at a post again at `due`.
    pub(super) fn postpone(&mut self, key: Key, due: Instant) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.due.remove(&(entry.due, key));
            entry.due = due;
            self.due.insert((due, key));
        }
    }

    /// Posts that are missing.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn release(of_peer: &mut BTreeMap<PeerId, usize>, peer: PeerId) {
    if let Some(count) = of_peer.get_mut(&peer) {
        *count -= 1;
        if *count == 0 {
            of_peer.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = ([1; 12], 5);

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    #[test]
    fn announcers_are_asked_in_turn_and_then_again_more_slowly() {
        let mut missing = Missing::default();
        let (a, b) = (PeerId([1; 32]), PeerId([2; 32]));
        assert!(missing.announced(at(0), KEY, a, at(50), false));
        assert!(missing.announced(at(1), KEY, b, at(90), false));
        assert_eq!(missing.next_due(at(49)), None);
        let mut asked = Vec::new();
        while let Some(now) = missing.deadline() {
            let (key, peer) = missing.next_due(now).unwrap();
            if missing.ask(now, key, Duration::from_millis(100)) {
                asked.push((now.as_micros() / 1000, peer));
            }
        }
        assert_eq!(asked.len() as u32, MAX_TRIES);
        assert_eq!(asked[..4], [(50, a), (150, b), (350, a), (550, b)]);
        assert_eq!((missing.len(), missing.of_peer.len(), missing.due.len()), (0, 0, 0));
    }

    #[test]
    fn who_leaves_is_asked_no_more_and_the_next_one_at_once() {
        let mut missing = Missing::default();
        let (a, b) = (PeerId([1; 32]), PeerId([2; 32]));
        missing.announced(at(0), KEY, a, at(0), false);
        missing.announced(at(0), KEY, b, at(0), false);
        missing.announced(at(0), ([1; 12], 6), a, at(0), false);
        assert!(missing.ask(at(0), KEY, Duration::from_secs(1)));
        missing.peer_down(at(10), a);
        assert_eq!(missing.len(), 1);
        assert_eq!(missing.next_due(at(10)), Some((KEY, b)));
        assert!(missing.remove(KEY).is_some_and(|entry| entry.announcers == [b]));
        assert_eq!((missing.of_peer.len(), missing.due.len()), (0, 0));
    }

    #[test]
    fn a_neighbour_is_remembered_up_to_its_limit() {
        let mut missing = Missing::default();
        let peer = PeerId([1; 32]);
        let fitted = (1..10_000).filter(|seq| missing.announced(at(0), ([1; 12], *seq), peer, at(0), false)).count();
        assert_eq!((fitted, missing.len()), (MAX_OF_PEER, MAX_OF_PEER));
    }
}
