//! The values that callers of posting see.

use std::time::Duration;

use bytes::Bytes;

use crate::base::{PeerId, WallClock};
use crate::crypto::Identity;
use crate::group::GroupId;

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
    /// More posts wait for room than are kept, or newer ones would push out what others had no time to ask for.
    #[error("too many posts wait for neighbours")]
    Full,
    /// It is no signed post of this group.
    #[error("not a signed post of this group")]
    Malformed,
    /// Its time is past what is kept, or in the future.
    #[error("the post's time is too old or in the future")]
    Untimely,
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
    /// How many links it crossed, as far as the neighbours say; at least 1.
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
