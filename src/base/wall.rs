//! The time of day, for what outlives a process: posts, grants, stored values.

use std::time::Duration;

use super::time::Instant;

/// Where a machine's [`Instant`]s lie in the time of day. Its owner sets it anew when the system's clock is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WallClock {
    /// The time since 1970-01-01 00:00 UTC at [`Instant::ZERO`].
    pub at_zero: Duration,
}

impl WallClock {
    /// Milliseconds since 1970-01-01 00:00 UTC at `now`.
    #[must_use]
    pub const fn unix_millis(&self, now: Instant) -> u64 {
        (self.at_zero.as_micros() as u64).saturating_add(now.as_micros()) / 1000
    }
}
