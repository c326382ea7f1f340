//! The time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::{Instant, WallClock};

/// The time since 1970-01-01 00:00 UTC.
fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Milliseconds since 1970.
pub(super) fn unix_millis() -> u64 {
    u64::try_from(unix().as_millis()).unwrap_or(u64::MAX)
}

/// The clock of a machine whose time it is `now`.
pub(super) fn wall_clock(now: Instant) -> WallClock {
    WallClock { at_zero: unix().saturating_sub(now.since(Instant::ZERO)) }
}
