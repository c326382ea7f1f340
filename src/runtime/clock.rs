//! Real time and real chance, for the machines that take both as arguments.

use std::time;

use crate::base::{Instant, Rng};

/// A monotonic clock in the time of the sans-IO machines: microseconds since it was started.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: time::Instant,
}

impl Clock {
    /// A clock whose epoch is now.
    #[must_use]
    pub fn start() -> Self {
        Self { epoch: time::Instant::now() }
    }

    /// The time on this clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.epoch.elapsed()
    }

    /// The moment of the process's own clock at which this one shows `at`; `None` if that clock cannot tell it.
    #[must_use]
    pub fn real(&self, at: Instant) -> Option<time::Instant> {
        self.epoch.checked_add(at.since(Instant::ZERO))
    }
}

/// A generator seeded by the operating system.
///
/// # Errors
/// What the operating system says when it has no randomness to give.
pub fn seeded_rng() -> std::io::Result<Rng> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(std::io::Error::other)?;
    Ok(Rng::from_seed(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_from_its_start_and_translates_back() {
        let clock = Clock::start();
        let first = clock.now();
        std::thread::sleep(std::time::Duration::from_millis(2));
        let second = clock.now();
        assert!(second.since(first) >= std::time::Duration::from_millis(2));
        assert!(clock.real(second).is_some_and(|real| real <= time::Instant::now()));
        assert_eq!(
            clock.real(Instant::FAR_FUTURE).is_some(),
            clock.epoch.checked_add(std::time::Duration::from_micros(u64::MAX)).is_some()
        );
    }

    #[test]
    fn two_generators_differ() {
        assert_ne!(seeded_rng().unwrap().bytes::<32>(), seeded_rng().unwrap().bytes::<32>());
    }
}
