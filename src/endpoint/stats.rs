//! What was dropped and why, and how much work strangers caused.

use std::collections::BTreeMap;

use crate::crypto::{OpenError, Refusal};

/// Why something that arrived was dropped. Nothing of it is ever answered with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum DropReason {
    /// A datagram without a session ID.
    #[error("datagram too short")]
    TooShort,
    /// No session, no opening has this ID.
    #[error("unknown session")]
    UnknownSession,
    /// A startup datagram that the Default Session Key does not open.
    #[error("startup packet: {0}")]
    NotOpened(OpenError),
    /// A startup packet whose header or chunk is malformed.
    #[error("malformed startup packet")]
    Malformed,
    /// A packet under the Default Session Key whose mode is not Startup.
    #[error("startup packet of another mode")]
    NotStartup,
    /// A chunk that has no place in this kind of startup packet.
    #[error("misplaced chunk")]
    Misplaced,
    /// A second chunk in one datagram that asks for an answer.
    #[error("second request in one datagram")]
    SecondRequest,
    /// A datagram from a multicast, broadcast or unspecified address, or from port 0.
    #[error("impossible source")]
    ImpossibleSource,
    /// A multicast IHello whose source is not on one of our links.
    #[error("multicast query from off link")]
    OffLink,
    /// An IHello that does not select us, and nobody wants to hear of those.
    #[error("meant for another endpoint")]
    NotSelected,
    /// An IHello or FIHello with a tag or endpoint discriminator longer than allowed.
    #[error("tag or endpoint discriminator too long")]
    OversizedHello,
    /// An answer would have been larger than its request earns, and the budgets for such are spent.
    #[error("answer budget spent")]
    AnswerBudget,
    /// More events than the owner takes.
    #[error("event queue full")]
    EventsFull,
    /// More startup packets waiting than allowed.
    #[error("send queue full")]
    OutboxFull,
    /// An RHello whose tag is nobody's.
    #[error("unexpected RHello")]
    UnmatchedRHello,
    /// An RHello of another identity than the dialled one.
    #[error("RHello of another identity")]
    WrongIdentity,
    /// An RHello whose certificate we do not accept.
    #[error("RHello: {0}")]
    RHelloRefused(Refusal),
    /// An RHello whose cookie is longer than 1,024 bytes.
    #[error("RHello with an oversized cookie")]
    OversizedCookie,
    /// More RHellos than are kept for one opening, or for one source.
    #[error("surplus RHello")]
    SurplusRHello,
    /// A Redirect whose tag is nobody's.
    #[error("unexpected Redirect")]
    UnmatchedRedirect,
    /// An address from a Redirect that we never send to on hearsay.
    #[error("address not taken on hearsay")]
    HearsayForbidden,
    /// More addresses than are taken from one teacher, or in all.
    #[error("too many addresses")]
    HearsayLimit,
    /// An IHello withheld because its destination got enough of them.
    #[error("destination has had enough")]
    DestinationLimit,
    /// An IIKeying whose cookie is not ours.
    #[error("foreign cookie")]
    ForeignCookie,
    /// An IIKeying whose cookie is too old.
    #[error("expired cookie")]
    ExpiredCookie,
    /// An IIKeying that was answered and confirmed before.
    #[error("replayed IIKeying")]
    ReplayedKeying,
    /// An IIKeying refused by the profile.
    #[error("IIKeying: {0}")]
    KeyingRefused(Refusal),
    /// An IIKeying beyond the rate of its source.
    #[error("IIKeying beyond the rate of its source")]
    KeyingRate,
    /// More unconfirmed sessions than allowed, in all or from one prefix.
    #[error("too many unconfirmed sessions")]
    UnconfirmedLimit,
    /// An IIKeying that our own opening prevails over (RFC 7016 section 3.5.1.3).
    #[error("IIKeying discarded in glare")]
    Glare,
    /// An RIKeying refused by the profile.
    #[error("RIKeying: {0}")]
    AnswerRefused(Refusal),
    /// More RIKeyings than are verified in a second.
    #[error("too many RIKeyings")]
    AnswerRate,
    /// A Cookie Change for another cookie than ours, or a second one.
    #[error("unfounded Cookie Change")]
    CookieChange,
    /// A packet fragment that contradicts earlier ones, or exceeds a limit.
    #[error("unusable packet fragment")]
    Fragment,
    /// A fragmented packet that did not get complete in time.
    #[error("incomplete fragmented packet")]
    IncompletePacket,
    /// A packet fragment within a reassembled packet.
    #[error("nested packet fragment")]
    NestedFragment,
    /// An FIHello in a session that has no right to forward.
    #[error("FIHello not wanted here")]
    ForwardNotAllowed,
    /// An FIHello that would make us send to an address where nobody may be sent.
    #[error("FIHello with a forbidden address")]
    ForwardForbidden,
    /// More FIHellos than a forwarder may send, or for one reply address.
    #[error("too many FIHellos")]
    ForwardRate,
    /// A packet before its session had keys, more than are kept.
    #[error("early packet")]
    EarlyPacket,
    /// More sessions than allowed.
    #[error("too many sessions")]
    SessionLimit,
}

/// Counters of one endpoint since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    drops: BTreeMap<DropReason, u64>,
    /// Datagrams handed in.
    pub datagrams_in: u64,
    /// Bytes of startup datagrams handed in.
    pub startup_bytes_in: u64,
    /// Bytes of startup datagrams sent.
    pub startup_bytes_out: u64,
    /// RHellos sent.
    pub rhellos: u64,
    /// Redirects sent, Implied Redirects among them.
    pub redirects: u64,
    /// Cookie Changes sent.
    pub cookie_changes: u64,
    /// IIKeyings for which public-key work was done.
    pub keyings_examined: u64,
    /// RIKeyings for which public-key work was done.
    pub answers_examined: u64,
    /// Sessions that opened with us as the initiator.
    pub opened: u64,
    /// Sessions that opened with us as the responder, confirmed by the far end.
    pub confirmed: u64,
    /// Sessions that died unconfirmed.
    pub unconfirmed_expired: u64,
}

impl Stats {
    /// How often something was dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops.get(&reason).copied().unwrap_or(0)
    }

    /// All reasons that occurred, with their counts.
    pub fn drops(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        self.drops.iter().map(|(reason, count)| (*reason, *count))
    }

    pub(crate) fn drop(&mut self, reason: DropReason) {
        *self.drops.entry(reason).or_default() += 1;
    }
}
