//! What is known of the tree: who gives it its shape, and our place in it.

use std::time::Duration;

use super::format::StreamName;
use crate::base::{Instant, PeerId, TokenBucket};

/// How long a group counts as active after a post.
const ACTIVE: Duration = Duration::from_secs(30);
/// A root that was silent for longer may be replaced.
const ROOT_LIFE: Duration = Duration::from_secs(25);
/// The time between two beats of a root.
pub(super) const BEAT_PERIOD: Duration = Duration::from_secs(10);
/// Beats of one root that follow closer than this are not passed on.
const MIN_PERIOD: Duration = Duration::from_secs(4);
/// How far the time of a beat may be behind that of the one before, in milliseconds.
const MAX_BACK: u64 = 15_000;
/// Who would be root waits up to this long, the less the lower its peer ID.
const ELECTION: Duration = Duration::from_secs(4);
/// Changes of the root, a second and at once.
const CHANGES: (u64, u64) = (1, 8);
/// When to choose a parent, after the first copy of a beat.
const DECIDE: Duration = Duration::from_millis(400);
/// When to cut the links that are not of the tree, after that.
const CUT: Duration = Duration::from_millis(600);

/// Who gives the tree its shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    pub(super) author: PeerId,
    pub(super) stream: StreamName,
    /// Of its last beat.
    pub(super) sequence: u64,
    /// Of its last beat, in milliseconds since 1970.
    pub(super) time: u64,
    /// When its last beat came.
    pub(super) at: Instant,
    /// It is us.
    pub(super) mine: bool,
}

/// What we know of the tree.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) instance: [u8; 8],
    /// Of our own last beat.
    pub(super) sequence: u64,
    pub(super) root: Option<Root>,
    pub(super) parent: Option<PeerId>,
    active_until: Option<Instant>,
    /// When to become root.
    pub(super) elect_at: Option<Instant>,
    /// When to beat again, as root.
    pub(super) beat_at: Option<Instant>,
    pub(super) decide_at: Option<Instant>,
    pub(super) cut_at: Option<Instant>,
    changes: TokenBucket,
}

/// What a beat is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// A copy of the one that we follow.
    Copy,
    /// One to follow, if it is genuine.
    Next,
    /// None to follow.
    Ignored,
}

impl Tree {
    pub(super) fn new(instance: [u8; 8]) -> Self {
        Self {
            instance,
            sequence: 0,
            root: None,
            parent: None,
            active_until: None,
            elect_at: None,
            beat_at: None,
            decide_at: None,
            cut_at: None,
            changes: TokenBucket::new(CHANGES.0, CHANGES.1),
        }
    }

    /// A post came or went. `me` signs our beats, if we may beat at all.
    pub(super) fn stir(&mut self, now: Instant, me: Option<PeerId>) {
        self.active_until = Some(now + ACTIVE);
        let Some(me) = me else { return };
        match self.root {
            Some(root) if root.mine => {
                self.beat_at.get_or_insert(now.max(root.at + BEAT_PERIOD));
            }
            Some(root) if now < root.at + ROOT_LIFE => {}
            _ => {
                let rank = u32::from(u16::from_be_bytes([me.0[0], me.0[1]]));
                self.elect_at.get_or_insert(now + ELECTION * rank / (1 << 16));
            }
        }
    }

    pub(super) fn is_active(&self, now: Instant) -> bool {
        self.active_until.is_some_and(|until| now < until)
    }

    /// Whether somebody may become root.
    pub(super) fn is_rootless(&self, now: Instant) -> bool {
        self.root.is_none_or(|root| now >= root.at + ROOT_LIFE)
    }

    /// Judges a beat by what it says.
    pub(super) fn judge(&mut self, now: Instant, author: PeerId, stream: StreamName, sequence: u64, time: u64) -> Beat {
        let Some(root) = self.root else { return Beat::Next };
        if root.stream == stream {
            return match sequence.cmp(&root.sequence) {
                std::cmp::Ordering::Equal => Beat::Copy,
                std::cmp::Ordering::Greater if now >= root.at + MIN_PERIOD => Beat::Next,
                _ => Beat::Ignored,
            };
        }
        let better = author < root.author && time.saturating_add(MAX_BACK) >= root.time;
        if (better || self.is_rootless(now)) && self.changes.take(now, 1) { Beat::Next } else { Beat::Ignored }
    }

    /// Follows a beat that is genuine.
    pub(super) fn follow(&mut self, root: Root) {
        self.elect_at = None;
        self.beat_at = root.mine.then_some(root.at + BEAT_PERIOD);
        self.decide_at = Some(root.at + DECIDE);
        self.root = Some(root);
    }

    /// A parent was chosen.
    pub(super) fn decided(&mut self, now: Instant) {
        self.decide_at = None;
        self.cut_at = Some(now + CUT);
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.elect_at, self.beat_at, self.decide_at, self.cut_at].into_iter().flatten().min()
    }
}
