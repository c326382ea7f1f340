//! Which of two sessions with one peer stays (RFC 7016 sections 3.5.1.1.2 and 3.5.1.3).
//!
//! Two confirmed sessions with the same certificate arise in two ways. The far end began anew, because it restarted or
//! moved: then the older one is stale. Or both ends opened at once and neither yielded in time (glare): then both ends
//! must keep the same one, and it is the one whose initiator has the smaller certificate. The two ends do not see the
//! same order of events, and the one that opened first cannot tell glare from a restart right after; so where the rule
//! for glare favours the older session, that one must first prove that it is alive.

use std::time::Duration;

/// How long after an opening of ours the far end may still have been opening to us without knowing of it.
pub(crate) const GLARE_WINDOW: Duration = Duration::from_secs(10);
/// How long a session may take to prove that it is alive while another waits for its place.
pub(crate) const CONTEST: Duration = Duration::from_secs(3);
/// How long a session may take to prove that it can serve an opening, before that goes on by itself.
pub(crate) const SERVE: Duration = Duration::from_secs(1);
/// How long it may take when nothing waits for it.
pub(crate) const SILENCE: Duration = Duration::from_secs(10);

/// An older session, beside one that the same far end opened and has just confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rivalry {
    /// Whether we had opened the older one.
    pub(crate) near_initiated: bool,
    /// Whether the older one opened so shortly before the IIKeying of the newer that this may be glare.
    pub(crate) recent: bool,
    /// Whether our certificate is the smaller one.
    pub(crate) near_prevails: bool,
    /// Whether the older one leads to the address that the newer one came from.
    pub(crate) same_address: bool,
}

/// What becomes of the older session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It closes.
    CloseOld,
    /// It is pinged, and closes if it is silent. Until then there are two.
    ProbeOld,
    /// It is pinged. If it is alive the newer one closes, of which nobody heard yet; if not, it closes itself.
    Contest,
}

impl Rivalry {
    /// Decides.
    pub(crate) const fn verdict(self) -> Verdict {
        let glare = self.near_initiated && self.recent;
        match (glare, self.near_prevails, self.same_address) {
            (true, true, _) => Verdict::Contest,
            (true, false, _) | (false, _, true) => Verdict::CloseOld,
            (false, _, false) => Verdict::ProbeOld,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glare_favours_the_smaller_certificate_and_a_restart_the_newer_session() {
        let of = |near_initiated, recent, near_prevails, same_address| {
            Rivalry { near_initiated, recent, near_prevails, same_address }.verdict()
        };
        for same_address in [false, true] {
            assert_eq!(of(true, true, true, same_address), Verdict::Contest);
            assert_eq!(of(true, true, false, same_address), Verdict::CloseOld);
        }
        for (near_initiated, recent) in [(true, false), (false, true), (false, false)] {
            for near_prevails in [false, true] {
                assert_eq!(of(near_initiated, recent, near_prevails, true), Verdict::CloseOld);
                assert_eq!(of(near_initiated, recent, near_prevails, false), Verdict::ProbeOld);
            }
        }
    }
}
