//! Messages to all members that hear the group's IP multicast address, cut into datagrams and put together again.
//!
//! A datagram holds a piece of a message, sealed ([`crate::crypto::CastSealer`]): its place among the message's pieces ‖
//! how many follow the first ‖ bytes. The pieces of a message have consecutive numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::GroupId;
use crate::base::{Instant, Rng};
use crate::crypto::{CAST_LEN, CastOpener, CastSealer, GroupKey, cast_sender};

/// Bytes of a datagram at most: what Ethernet carries over IPv6.
const DATAGRAM: usize = 1_452;
/// Bytes of a piece at most.
const PIECE: usize = DATAGRAM - CAST_LEN - 2;
/// The longest message, in bytes.
pub const MAX_CAST: usize = 256 * PIECE;
/// Senders that are heard at the same time.
const MAX_SENDERS: usize = 64;
/// After so long a silence a sender makes room for another.
const SILENT: Duration = Duration::from_secs(10);
/// Datagrams of unknown senders that are looked at in a second.
const MAX_UNKNOWN: u32 = 100;
/// Messages of a sender of which some pieces have come.
const MAX_PARTIAL: usize = 32;

/// Says things.
#[derive(Debug)]
pub struct Caster(CastSealer);

impl Caster {
    /// For a member of the group whose groupspec has this secret.
    #[must_use]
    pub fn new(secret: &[u8], group: GroupId, rng: &mut Rng) -> Self {
        Self(CastSealer::new(&GroupKey::new(secret), &group.0, rng))
    }

    /// Whether a datagram that was heard is our own.
    #[must_use]
    pub fn is_ours(&self, datagram: &[u8]) -> bool {
        cast_sender(datagram) == Some(self.0.random())
    }

    /// The datagrams of a message; none if it is longer than [`MAX_CAST`].
    pub fn cast(&mut self, message: &[u8]) -> Vec<Vec<u8>> {
        let pieces = message.len().div_ceil(PIECE).max(1);
        let Ok(following) = u8::try_from(pieces - 1) else { return Vec::new() };
        // So that all are about as long.
        let len = message.len().div_ceil(pieces).max(1);
        let piece = |at: u8| {
            let start = (usize::from(at) * len).min(message.len());
            &message[start..(start + len).min(message.len())]
        };
        (0..=following).map(|at| self.0.seal(&[&[at, following], piece(at)])).collect()
    }
}

/// What was counted of datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CastStats {
    /// Messages heard.
    pub messages: u64,
    /// Datagrams that were not sealed by a member, were altered, or came before.
    pub refused: u64,
    /// Datagrams not looked at because too many unknown senders spoke.
    pub limited: u64,
}

/// Hears things.
#[derive(Debug)]
pub struct Casts {
    key: GroupKey,
    group: GroupId,
    senders: BTreeMap<[u8; 16], Sender>,
    /// Unknown ones that were looked at, and since when they are counted.
    unknown: (u32, Instant),
    /// What was counted.
    pub stats: CastStats,
}

#[derive(Debug)]
struct Sender {
    opener: CastOpener,
    heard: Instant,
    /// By the number of their first piece.
    partial: BTreeMap<u64, Partial>,
}

/// The pieces of a message that came.
#[derive(Debug)]
struct Partial {
    pieces: Vec<Option<Bytes>>,
    missing: usize,
}

impl Casts {
    /// For a member of the group whose groupspec has this secret.
    #[must_use]
    pub fn new(now: Instant, secret: &[u8], group: GroupId) -> Self {
        let (senders, stats) = Default::default();
        Self { key: GroupKey::new(secret), group, senders, unknown: (0, now), stats }
    }

    /// A datagram was heard; the message, if it was the last piece of one.
    pub fn hear(&mut self, now: Instant, datagram: &mut [u8]) -> Option<Bytes> {
        let message = self.piece(now, datagram);
        self.stats.messages += u64::from(message.is_some());
        message
    }

    fn piece(&mut self, now: Instant, datagram: &mut [u8]) -> Option<Bytes> {
        let Some(name) = cast_sender(datagram) else {
            self.stats.refused += 1;
            return None;
        };
        if let Some(sender) = self.senders.get_mut(&name) {
            let Some((number, piece)) = sender.opener.open(datagram) else {
                self.stats.refused += 1;
                return None;
            };
            sender.heard = now;
            return sender.take(number, piece);
        }
        if now.since(self.unknown.1) >= Duration::from_secs(1) {
            self.unknown = (0, now);
        }
        if self.unknown.0 >= MAX_UNKNOWN {
            self.stats.limited += 1;
            return None;
        }
        self.unknown.0 += 1;
        let mut opener = CastOpener::new(&self.key, &self.group.0, &name);
        let Some((number, piece)) = opener.open(datagram) else {
            self.stats.refused += 1;
            return None;
        };
        let piece = Bytes::copy_from_slice(piece);
        if self.senders.len() >= MAX_SENDERS {
            self.senders.retain(|_, sender| now.since(sender.heard) < SILENT);
        }
        if self.senders.len() >= MAX_SENDERS {
            self.stats.limited += 1;
            return None;
        }
        let sender = self.senders.entry(name).or_insert(Sender { opener, heard: now, partial: BTreeMap::new() });
        sender.take(number, &piece)
    }
}

impl Sender {
    fn take(&mut self, number: u64, piece: &[u8]) -> Option<Bytes> {
        let (&[at, following], bytes) = piece.split_first_chunk()?;
        let first = number.checked_sub(at.into()).filter(|_| at <= following)?;
        if following == 0 {
            return Some(Bytes::copy_from_slice(bytes));
        }
        let count = usize::from(following) + 1;
        let partial =
            self.partial.entry(first).or_insert_with(|| Partial { pieces: vec![None; count], missing: count });
        if partial.pieces.len() != count {
            return None;
        }
        let place = partial.pieces.get_mut(usize::from(at))?;
        if place.replace(Bytes::copy_from_slice(bytes)).is_none() {
            partial.missing -= 1;
        }
        if partial.missing == 0 {
            let whole = self.partial.remove(&first)?;
            return Some(whole.pieces.into_iter().flatten().collect::<Vec<Bytes>>().concat().into());
        }
        if self.partial.len() > MAX_PARTIAL {
            self.partial.pop_first();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use proptest::prelude::*;

    const GROUP: GroupId = GroupId([9; 32]);

    fn ends() -> (Caster, Casts) {
        let caster = Caster::new(b"G:0101", GROUP, &mut Rng::for_simulation(1));
        (caster, Casts::new(Instant::ZERO, b"G:0101", GROUP))
    }

    proptest! {
        #[test]
        fn messages_are_heard_whatever_their_length_and_the_order_of_their_pieces(len in 0usize..40_000, seed: u64) {
            let (mut caster, mut casts) = ends();
            let mut rng = Rng::for_simulation(seed);
            let message: Vec<u8> = (0..len).map(|_| rng.bytes::<1>()[0]).collect();
            let mut datagrams = caster.cast(&message);
            prop_assert!(datagrams.iter().all(|datagram| datagram.len() <= DATAGRAM));
            for at in 1..datagrams.len() {
                datagrams.swap(at, rng.below(at as u64 + 1) as usize);
            }
            let last = datagrams.pop().unwrap();
            for datagram in &mut datagrams {
                prop_assert_eq!(casts.hear(Instant::ZERO, datagram), None);
            }
            prop_assert_eq!(casts.hear(Instant::ZERO, &mut last.clone()), Some(Bytes::from(message)));
            prop_assert_eq!(casts.hear(Instant::ZERO, &mut last.clone()), None, "a replay");
            prop_assert_eq!(casts.stats, CastStats { messages: 1, refused: 1, limited: 0 });
        }

        #[test]
        fn whatever_a_member_says_is_heard_or_not(
            pieces in proptest::collection::vec((0u8..4, 0u8..4, proptest::collection::vec(any::<u8>(), 0..9)), 0..60),
        ) {
            let (mut caster, mut casts) = ends();
            for (at, following, bytes) in pieces {
                let mut datagram = caster.0.seal(&[&[at, following], &bytes]);
                let heard = casts.hear(Instant::ZERO, &mut datagram);
                prop_assert!(at <= following || heard.is_none());
                prop_assert!(following > 0 || at > 0 || heard == Some(Bytes::from(bytes)));
            }
            prop_assert_eq!(casts.hear(Instant::ZERO, &mut caster.0.seal(&[])), None);
            prop_assert_eq!(casts.stats.refused, 0);
        }

        #[test]
        fn noise_is_none(mut noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(ends().1.hear(Instant::ZERO, &mut noise), None);
        }
    }

    #[test]
    fn the_longest_message_is_heard_and_a_longer_one_is_not_sent() {
        let (mut caster, mut casts) = ends();
        let message = vec![7; MAX_CAST];
        let datagrams = caster.cast(&message);
        assert_eq!(datagrams.len(), 256);
        let heard = datagrams.into_iter().filter_map(|mut datagram| casts.hear(Instant::ZERO, &mut datagram)).last();
        assert_eq!(heard, Some(message.into()));
        assert_eq!(caster.cast(&vec![7; MAX_CAST + 1]).len(), 0);
    }

    #[test]
    fn what_is_lost_of_a_message_leaves_nothing_behind_for_long() {
        let (mut caster, mut casts) = ends();
        for _ in 0..1_000 {
            let mut datagrams = caster.cast(&[7; 3 * PIECE]);
            assert_eq!(casts.hear(Instant::ZERO, &mut datagrams[1]), None);
        }
        let sender = casts.senders.values().next().unwrap();
        assert!(sender.partial.len() <= MAX_PARTIAL);
    }

    #[test]
    fn strangers_cost_little_and_members_are_heard_beside_them() {
        let (mut caster, mut casts) = ends();
        let mut rng = Rng::for_simulation(2);
        assert!(casts.hear(Instant::ZERO, &mut caster.cast(b"one")[0]).is_some());
        let mut stranger = || Caster::new(b"G:0102", GROUP, &mut rng).cast(b"noise").remove(0);
        (0..1_000).for_each(|_| assert_eq!(casts.hear(Instant::ZERO, &mut stranger()), None));
        assert_eq!((casts.senders.len(), casts.stats.limited), (1, 1_001 - u64::from(MAX_UNKNOWN)));
        assert!(casts.hear(Instant::ZERO, &mut caster.cast(b"two")[0]).is_some());
        // As many members as are heard, and one more.
        let mut later = Instant::ZERO + Duration::from_secs(2);
        for number in 0..MAX_SENDERS as u64 {
            later += Duration::from_millis(20);
            let mut caster = Caster::new(b"G:0101", GROUP, &mut Rng::for_simulation(10 + number));
            let heard = casts.hear(later, &mut caster.cast(b"three")[0]);
            assert_eq!(heard.is_some(), number < MAX_SENDERS as u64 - 1, "member {number}");
        }
        let mut newest = Caster::new(b"G:0101", GROUP, &mut Rng::for_simulation(3));
        assert!(casts.hear(later + SILENT * 2, &mut newest.cast(b"four")[0]).is_some(), "the silent ones made room");
        assert_eq!(casts.senders.len(), 1);
    }
}
