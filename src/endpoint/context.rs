//! What the parts of an endpoint share while they handle something.

use crate::base::{Instant, PrefixBuckets, Rng, TokenBucket};
use crate::crypto::Profile;

use super::answers::{AnswerBudget, rate_by_prefix};
use super::ids::SessionIds;
use super::outbox::Outbox;
use super::stats::Stats;

/// RIKeyings verified in a second, over all openings.
const ANSWERS_PER_SECOND: u64 = 1000;
/// IHellos to addresses known from hearsay only: this many a second to one prefix, over all openings and teachers.
const HEARSAY_RATE: u64 = 8;
const HEARSAY_BURST: u64 = 64;

/// The present moment and the shared means, lent to a part of the endpoint.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) profile: &'a dyn Profile,
    pub(crate) rng: &'a mut Rng,
    pub(crate) ids: &'a mut SessionIds,
    pub(crate) out: &'a mut Outbox,
    pub(crate) limits: &'a mut Limits,
    pub(crate) stats: &'a mut Stats,
}

/// Rates that hold across all openings, sessions and strangers.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Bytes of answers.
    pub(crate) answers: AnswerBudget,
    /// IIKeyings that get public-key work, by source prefix.
    pub(crate) keyings: PrefixBuckets,
    /// RIKeyings that get public-key work.
    pub(crate) verifications: TokenBucket,
    /// IHellos sent on hearsay, by destination prefix.
    pub(crate) hearsay: PrefixBuckets,
}

impl Limits {
    /// `answer_rate` bytes a second for answers beyond three times their requests; `keying_rate` IIKeyings a second
    /// from a prefix, four times that at once.
    pub(crate) fn new(rng: &mut Rng, answer_rate: u64, keying_rate: u64) -> Self {
        Self {
            answers: AnswerBudget::new(rng, answer_rate),
            keyings: rate_by_prefix(rng, keying_rate, keying_rate.saturating_mul(4)),
            verifications: TokenBucket::new(ANSWERS_PER_SECOND, ANSWERS_PER_SECOND),
            hearsay: rate_by_prefix(rng, HEARSAY_RATE, HEARSAY_BURST),
        }
    }
}
