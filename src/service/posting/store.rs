//! The posts that are held for those who missed them, and what can be said of them in few bytes.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::format::{Run, Span, StreamName};
use super::types::PostId;
use crate::base::{Instant, PeerId};

/// What names a post in this service: its stream and its sequence number.
pub(super) type Key = (StreamName, u64);

/// Bytes of posts that are held at most; the oldest go first.
pub(super) const MAX_BYTES: usize = 64 << 20;
/// Bytes of posts of one author that are held at most; its oldest go first.
pub(super) const MAX_AUTHOR_BYTES: usize = 16 << 20;
/// What a post costs besides its bytes, roughly.
const OVERHEAD: usize = 400;

/// Whence a post came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is ours, under this ID.
    Ours(PostId),
    /// Who brought it.
    Neighbour(PeerId),
}

/// A post that is held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) signed: Bytes,
    pub(super) author: PeerId,
    /// Milliseconds since 1970.
    pub(super) time: u64,
    /// Links that it crossed.
    pub(super) hops: u64,
    pub(super) origin: Origin,
    /// When it came.
    pub(super) since: Instant,
}

impl Held {
    fn cost(&self) -> usize {
        self.signed.len() + OVERHEAD
    }
}

/// All posts that are held.
#[derive(Debug, Default)]
pub(super) struct Store {
    held: BTreeMap<Key, Held>,
    /// By time; with the part of each in a digest.
    by_time: BTreeMap<(u64, Key), u64>,
    by_author: BTreeSet<(PeerId, u64, Key)>,
    shares: BTreeMap<PeerId, usize>,
    bytes: usize,
}

impl Store {
    pub(super) fn get(&self, key: Key) -> Option<&Held> {
        self.held.get(&key)
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes in a post that is not there.
    pub(super) fn insert(&mut self, key: Key, held: Held) {
        self.by_time.insert((held.time, key), digest(key));
        self.by_author.insert((held.author, held.time, key));
        *self.shares.entry(held.author).or_default() += held.cost();
        self.bytes += held.cost();
        self.held.insert(key, held);
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Held> {
        let held = self.held.remove(&key)?;
        self.by_time.remove(&(held.time, key));
        self.by_author.remove(&(held.author, held.time, key));
        self.bytes -= held.cost();
        if let Some(share) = self.shares.get_mut(&held.author) {
            *share -= held.cost();
            if *share == 0 {
                self.shares.remove(&held.author);
            }
        }
        Some(held)
    }

    /// When the post came that would have to go if one of `len` bytes of `author` came; nothing if there is room.
    pub(super) fn crowded(&self, author: PeerId, len: usize) -> Option<Instant> {
        let share = self.shares.get(&author).map_or(0, |share| *share + len + OVERHEAD);
        let oldest = (share > MAX_AUTHOR_BYTES).then(|| self.oldest_of(author)).flatten();
        oldest.and_then(|key| self.held.get(&key)).map(|held| held.since)
    }

    fn oldest_of(&self, author: PeerId) -> Option<Key> {
        self.by_author.range((author, 0, ([0; 12], 0))..).next().map(|&(_, _, key)| key)
    }

    /// What must go, after a post of `author` came, for the limits to hold.
    pub(super) fn surplus(&self, author: PeerId) -> Option<Key> {
        if self.shares.get(&author).is_some_and(|share| *share > MAX_AUTHOR_BYTES) {
            return self.oldest_of(author);
        }
        (self.bytes > MAX_BYTES).then(|| self.oldest().map(|(_, key)| key)).flatten()
    }

    /// The oldest post and its time.
    pub(super) fn oldest(&self) -> Option<(u64, Key)> {
        self.by_time.first_key_value().map(|(&(time, key), _)| (time, key))
    }

    fn range(&self, from: u64, to: u64) -> impl DoubleEndedIterator<Item = (u64, Key, u64)> {
        let bound = |time| (time, ([0; 12], 0));
        self.by_time.range(bound(from)..bound(to.max(from))).map(|(&(time, key), &digest)| (time, key, digest))
    }

    /// What is held of the times `from..to`.
    pub(super) fn span(&self, from: u64, to: u64) -> Span {
        let (count, sum) =
            self.range(from, to).fold((0, 0u64), |(count, sum), (_, _, digest)| (count + 1, sum.wrapping_add(digest)));
        Span { from, to, count, digest: sum.to_be_bytes() }
    }

    /// `from..to` cut into at most `parts` spans with about as many posts each. One only if it cannot be cut.
    pub(super) fn split(&self, from: u64, to: u64, parts: usize) -> Vec<Span> {
        let count = self.range(from, to).count();
        let step = count.div_ceil(parts.max(1)).max(1);
        let mut bounds: Vec<u64> = self.range(from, to).step_by(step).map(|(time, _, _)| time).collect();
        bounds.retain(|time| *time > from);
        bounds.dedup();
        let starts = std::iter::once(from).chain(bounds.iter().copied());
        let ends = bounds.iter().copied().chain([to]);
        starts.zip(ends).map(|(from, to)| self.span(from, to)).collect()
    }

    /// The posts of `from..to`, oldest first, but at most `limit`.
    pub(super) fn keys(&self, from: u64, to: u64, limit: usize) -> Vec<Key> {
        self.range(from, to).map(|(_, key, _)| key).take(limit).collect()
    }
}

/// Keys as runs; consecutive ones that stand beside each other after sorting become one.
pub(super) fn runs(mut keys: Vec<Key>) -> Vec<Run> {
    keys.sort_unstable();
    let mut runs: Vec<Run> = Vec::new();
    for (stream, sequence) in keys {
        match runs.last_mut() {
            Some(run) if run.stream == stream && sequence < run.first + run.count => {}
            Some(run) if run.stream == stream && run.first + run.count == sequence => run.count += 1,
            _ => runs.push(Run { stream, first: sequence, count: 1 }),
        }
    }
    runs
}

/// A post's part in a digest.
fn digest((stream, sequence): Key) -> u64 {
    let digest = Sha256::new().chain_update(stream).chain_update(sequence.to_be_bytes()).finalize();
    u64::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(posts: u64) -> Store {
        let mut store = Store::default();
        for at in 0..posts {
            let held = Held {
                signed: Bytes::from(vec![0; 100]),
                author: PeerId([(at % 3) as u8; 32]),
                time: 1000 + at / 2,
                hops: 1,
                origin: Origin::Neighbour(PeerId([9; 32])),
                since: Instant::ZERO,
            };
            store.insert(([(at % 3) as u8; 12], at / 3 + 1), held);
        }
        store
    }

    #[test]
    fn spans_tile_and_add_up() {
        let store = filled(1000);
        let whole = store.span(0, u64::MAX);
        assert_eq!(whole.count, 1000);
        let parts = store.split(0, u64::MAX, 16);
        assert!((15..=17).contains(&parts.len()));
        assert!(parts.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!((parts[0].from, parts.last().unwrap().to), (0, u64::MAX));
        assert_eq!(parts.iter().map(|part| part.count).sum::<u64>(), 1000);
        let sum = parts.iter().fold(0u64, |sum, part| sum.wrapping_add(u64::from_be_bytes(part.digest)));
        assert_eq!(sum.to_be_bytes(), whole.digest);
        assert_eq!(store.split(1000, 1001, 16).len(), 1, "posts of one millisecond");
    }

    #[test]
    fn what_was_taken_out_leaves_nothing_behind() {
        let mut store = filled(99);
        while let Some((_, key)) = store.oldest() {
            assert!(store.remove(key).is_some());
        }
        assert_eq!((store.bytes, store.shares.len(), store.by_author.len()), (0, 0, 0));
        assert_eq!(store.span(0, u64::MAX).count, 0);
    }

    #[test]
    fn keys_become_runs() {
        let (a, b) = ([1; 12], [2; 12]);
        let keys = vec![(a, 3), (b, 9), (a, 1), (a, 2), (a, 7), (a, 2)];
        let run = |stream, first, count| Run { stream, first, count };
        assert_eq!(runs(keys), [run(a, 1, 3), run(a, 7, 1), run(b, 9, 1)]);
    }
}
