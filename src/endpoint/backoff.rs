//! When to send a startup chunk again (RFC 7016 section 3.5.1.1.1).

use std::time::Duration;

use crate::base::Instant;

const FIRST: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(1500);

/// Intervals of 1, 2.5, 4, 5.5 … seconds: the slowest growth that the RFC allows.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Instant,
    interval: Duration,
    sent: u32,
}

impl Backoff {
    /// The first time is at `start`.
    pub(crate) const fn new(start: Instant) -> Self {
        Self { next: start, interval: FIRST, sent: 0 }
    }

    /// When to send.
    pub(crate) const fn next(&self) -> Instant {
        self.next
    }

    /// How often it was sent.
    pub(crate) const fn sent(&self) -> u32 {
        self.sent
    }

    /// It was sent at `now`.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.next = now + self.interval;
        self.interval += STEP;
        self.sent += 1;
    }

    /// Lets the next time be `now` if it is later.
    pub(crate) fn hasten(&mut self, now: Instant) {
        self.next = self.next.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_grow_by_a_second_and_a_half() {
        let mut backoff = Backoff::new(Instant::ZERO);
        let times: Vec<u64> = (0..12)
            .map(|_| {
                let at = backoff.next();
                backoff.advance(at);
                at.as_micros() / 100_000
            })
            .collect();
        assert_eq!(times, [0, 10, 35, 75, 130, 200, 285, 385, 500, 630, 775, 935]);
        assert_eq!(backoff.sent(), 12);
    }
}
