//! When a suspended sending flow asks for the window (RFC 7016 section 3.6.2.9.1).

use std::time::Duration;

use crate::base::Instant;

/// The first probe comes within this time, and the period begins with it.
const FIRST: Duration = Duration::from_secs(1);
/// The period does not grow above this.
const LONGEST: Duration = Duration::from_secs(60);

/// The schedule of Buffer Probes: one second after the window closed, then at periods that double.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Probe {
    at: Option<Instant>,
    period: Duration,
}

impl Probe {
    /// Follows the far end's window.
    pub(super) fn on_window(&mut self, now: Instant, before: usize, after: usize) {
        if after > 0 {
            *self = Self::default();
        } else if before > 0 {
            self.at = Some(now + FIRST);
        }
    }

    /// When the next one is due.
    pub(super) const fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Whether one is due; if so, the next is scheduled.
    pub(super) fn take(&mut self, now: Instant, erto: Duration) -> bool {
        if self.at.is_none_or(|at| at > now) {
            return false;
        }
        self.period = (self.period * 2).clamp(FIRST.max(erto), LONGEST.max(erto));
        self.at = Some(now + self.period);
        true
    }
}
