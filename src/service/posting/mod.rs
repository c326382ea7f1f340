//! Posting: every member that is connected receives each post once.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Instant, PeerId, Rng, WallClock};
use crate::crypto::Identity;
use crate::group::{GroupId, Output};

/// The longest body of a post, in bytes.
pub const MAX_BODY: usize = 64 << 10;

/// What names a post: SHA-256 of what its author signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostId(pub [u8; 32]);

/// How posting begins.
#[derive(Debug, Clone)]
pub struct PostingConfig {
    /// The group.
    pub group: GroupId,
    /// Who signs our posts.
    pub author: Identity,
    /// The key whose grants are needed to post, if the groupspec has one.
    pub posting_key: Option<[u8; 32]>,
    /// Our grant, as [`crate::group`] makes it.
    pub grant: Option<Bytes>,
    /// The time of day.
    pub clock: WallClock,
    /// How long posts are kept for those who missed them.
    pub retention: Duration,
}

/// Why a post was not accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Too long.
    #[error("a post has at most 65,536 bytes")]
    TooLong,
    /// The group's posts need a grant, and we have none.
    #[error("this group needs a posting password")]
    NoGrant,
    /// More posts wait for room than are kept.
    #[error("too many posts wait for neighbours")]
    Full,
}

/// What a neighbour says of a post of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has it, and passes it on.
    Accepted,
    /// Our clock is wrong: it is older than the neighbour keeps posts.
    TooOld,
    /// Our clock is wrong: it is too far in the future.
    InFuture,
    /// Our grant is missing, wrong, another's or expired.
    NoGrant,
    /// The signature does not hold, or the form is wrong.
    Malformed,
}

/// A post, as a user gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its name.
    pub id: PostId,
    /// Who wrote it.
    pub author: PeerId,
    /// Which process of the author.
    pub instance: [u8; 8],
    /// Which of that process's posts, from 1.
    pub sequence: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// The author's nickname: a claim.
    pub nick: Option<String>,
    /// The body.
    pub body: Bytes,
    /// How many neighbours it came through, as far as they say.
    pub hops: u32,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostingEvent {
    /// A post of somebody else, once (NetGroup.Posting.Notify).
    Notify(Post),
    /// A neighbour answered to a post of ours.
    Answered {
        /// The post.
        id: PostId,
        /// The neighbour.
        by: PeerId,
        /// Its answer.
        verdict: Verdict,
    },
    /// A neighbour breaks the rules: leave it.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// What it did.
        reason: &'static str,
    },
}

/// The posting service of one membership.
#[derive(Debug)]
pub struct Posting {
    config: PostingConfig,
    outputs: VecDeque<Output<PostingEvent>>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PostingStats {
    /// Bytes of posts sent and received.
    pub data: (u64, u64),
    /// Bytes of everything else sent and received.
    pub control: (u64, u64),
    /// Posts received for the first time.
    pub received: u64,
    /// Copies received beyond the first.
    pub duplicates: u64,
    /// Dropped for a bad form or signature.
    pub malformed: u64,
    /// Dropped for their time.
    pub untimely: u64,
    /// Dropped for want of a grant.
    pub unauthorized: u64,
    /// Dropped or put off because a neighbour or author sent too many.
    pub limited: u64,
}

impl Posting {
    /// Nothing posted yet.
    #[must_use]
    pub fn new(_now: Instant, _rng: Rng, config: PostingConfig) -> Self {
        Self { config, outputs: VecDeque::new() }
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, clock: WallClock) {
        self.config.clock = clock;
    }

    /// Posts under our identity. Goes out as soon as there is a neighbour.
    ///
    /// # Errors
    /// [`PostError`].
    pub fn post(&mut self, _now: Instant, _nick: Option<&str>, _body: Bytes) -> Result<PostId, PostError> {
        Err(PostError::Full)
    }

    /// A post that somebody on this machine signed: it goes out as if it were ours.
    ///
    /// # Errors
    /// [`PostError`] if it is not fit to go out.
    pub fn inject(&mut self, _now: Instant, _signed: Bytes) -> Result<PostId, PostError> {
        Err(PostError::Full)
    }

    /// A neighbour is there.
    pub fn peer_up(&mut self, _now: Instant, _peer: PeerId, _rtt: Duration) {}

    /// A neighbour is gone.
    pub fn peer_down(&mut self, _now: Instant, _peer: PeerId) {}

    /// A message came on the lane of posts.
    pub fn message(&mut self, _now: Instant, _peer: PeerId, _message: &[u8]) {}

    /// So many bytes may be sent to a neighbour now.
    pub fn writable(&mut self, _now: Instant, _peer: PeerId, _room: usize) {}

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> PostingStats {
        PostingStats::default()
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// When to call [`Posting::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<PostingEvent>> {
        self.outputs.pop_front()
    }
}
