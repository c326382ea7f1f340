//! When what was published when is played.

use std::time::Duration;

use crate::base::Instant;

/// By how much our clock may be slower than the publisher's: parts of a million.
const DRIFT: i64 = 200;

/// Our time when the stream began, as if nothing needed time to get here: the least that any manifest says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// Microseconds, and when it was so.
    base: Option<(i64, Instant)>,
}

fn micros(now: Instant) -> i64 {
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

impl Pace {
    /// A manifest came that was signed so many microseconds after the stream began.
    pub(super) fn heard(&mut self, now: Instant, at: u64) {
        let sample = micros(now).saturating_sub(i64::try_from(at).unwrap_or(i64::MAX));
        let base = match self.base {
            Some((base, since)) => sample.min(base + micros(now).saturating_sub(micros(since)) / 1_000_000 * DRIFT),
            None => sample,
        };
        let since = match self.base {
            // Drift is counted in whole seconds.
            Some((_, since)) if now.since(since) < Duration::from_secs(1) && base != sample => since,
            _ => now,
        };
        self.base = Some((base, since));
    }

    /// When that is played which was signed so many microseconds after the stream began.
    pub(super) fn due(&self, at: u64, latency: Duration) -> Option<Instant> {
        let (base, _) = self.base?;
        let due = base.saturating_add(i64::try_from(at).unwrap_or(i64::MAX));
        Some(Instant::from_micros(u64::try_from(due).unwrap_or(0)) + latency)
    }
}
