//! What each end sends and requires of the other on every packet (RFC 7425 section 4.6.4): an HMAC instead of a checksum, and
//! sequence numbers. Both are settled by flags in the keying components.

use crate::crypto::group::Group;
use crate::crypto::profile::Refusal;

/// Flag: I will always send it.
const SEND: u8 = 4;
/// Flag: I will send it on request.
const SEND_ON_REQUEST: u8 = 2;
/// Flag: I request it from you. We take a request as a requirement, as rtmfp-cpp does.
const REQUEST: u8 = 1;

/// Shortest and longest HMAC.
const HMAC_LENGTHS: std::ops::RangeInclusive<u64> = 4..=32;

/// What the near end wants of one protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::crypto) struct Want {
    /// Send it whether or not the far end asks.
    pub(in crate::crypto) always: bool,
    /// Have it from the far end, or no session.
    pub(in crate::crypto) require: bool,
}

/// What becomes of one protection in the two directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) send: bool,
    pub(super) check: bool,
}

impl Want {
    /// The flags that say it. On request we always can.
    pub(super) fn flags(self) -> u8 {
        SEND_ON_REQUEST | if self.always { SEND } else { 0 } | if self.require { REQUEST } else { 0 }
    }

    /// What follows from the far end's flags; `None` if it does not offer what we require.
    pub(super) fn settle(self, far: u8) -> Option<Settled> {
        if self.require && far & (SEND | SEND_ON_REQUEST) == 0 {
            return None;
        }
        Some(Settled {
            send: self.always || far & REQUEST != 0,
            check: far & SEND != 0 || (self.require && far & SEND_ON_REQUEST != 0),
        })
    }
}

/// What the near end offers and accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::crypto) struct Terms {
    /// Groups, most wanted first.
    pub(in crate::crypto) groups: Vec<Group>,
    /// HMACs.
    pub(in crate::crypto) hmac: Want,
    /// Bytes of the HMACs that we send.
    pub(in crate::crypto) hmac_len: u8,
    /// Fewest bytes of the HMACs that we accept.
    pub(in crate::crypto) hmac_min: u8,
    /// Sequence numbers.
    pub(in crate::crypto) sequence: Want,
    /// Sequence numbers that are remembered against replay.
    pub(in crate::crypto) window: u32,
}

/// What a far end's component says about these terms. What it does not mention is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FarTerms {
    pub(super) hmac_flags: u8,
    pub(super) hmac_len: u64,
    pub(super) sequence_flags: u8,
}

/// How the packets of a session are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Protection {
    /// Bytes of HMAC on what we send.
    pub(super) send_hmac: Option<usize>,
    /// Bytes of HMAC on what we receive.
    pub(super) check_hmac: Option<usize>,
    /// Sequence numbers.
    pub(super) sequence: Settled,
}

impl Terms {
    /// The protection that both ends' terms come to.
    pub(super) fn settle(&self, far: FarTerms) -> Result<Protection, Refusal> {
        let hmac = self.hmac.settle(far.hmac_flags).ok_or(Refusal::NoHmac)?;
        let sequence = self.sequence.settle(far.sequence_flags).ok_or(Refusal::NoSequenceNumbers)?;
        if hmac.check && (!HMAC_LENGTHS.contains(&far.hmac_len) || far.hmac_len < u64::from(self.hmac_min)) {
            return Err(Refusal::NoHmac);
        }
        Ok(Protection {
            send_hmac: hmac.send.then_some(usize::from(self.hmac_len)),
            check_hmac: hmac.check.then_some(far.hmac_len as usize),
            sequence,
        })
    }
}
