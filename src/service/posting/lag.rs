//! How long after the first announcement of a post its push comes, usually.

use std::collections::BTreeMap;
use std::time::Duration;

use super::store::Key;
use crate::base::Instant;

/// The shortest and the longest time that a push is waited for.
const WAIT: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(400));
/// Questions that are remembered.
const MAX_ASKS: usize = 512;

/// An estimate: the longest lag that was seen, forgotten slowly. What matters is the tail, and the lags of posts of different
/// authors differ too much for a mean and a deviation.
#[derive(Debug, Default)]
pub(super) struct Lag {
    longest: Option<Duration>,
    /// Posts that were asked for before their push came, and when they had been announced.
    asks: BTreeMap<Key, Instant>,
}

impl Lag {
    /// How long to wait for the push of a post that was announced. `rtt` is what is thought before anything was measured.
    pub(super) fn wait(&self, rtt: Duration) -> Duration {
        let wait = self.longest.map_or(2 * rtt, |longest| longest * 5 / 4 + WAIT.0);
        wait.clamp(WAIT.0, WAIT.1)
    }

    /// A push came this long after the announcement.
    pub(super) fn pushed(&mut self, lag: Duration) {
        self.longest = Some(self.longest.map_or(lag, |longest| lag.max(longest - longest / 64)));
    }

    /// A post that was announced at `heard` came because it was asked for.
    pub(super) fn asked(&mut self, key: Key, heard: Instant) {
        if self.asks.len() >= MAX_ASKS {
            self.asks.pop_first();
        }
        self.asks.insert(key, heard);
    }

    /// Another copy of a post came, unasked: whether it would have come without asking.
    pub(super) fn came_after_all(&mut self, now: Instant, key: Key) -> bool {
        let heard = self.asks.remove(&key);
        if let Some(heard) = heard {
            self.pushed(now.since(heard));
        }
        heard.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_what_is_measured_within_its_limits() {
        let mut lag = Lag::default();
        let ms = Duration::from_millis;
        assert_eq!(lag.wait(ms(100)), ms(200));
        assert_eq!((lag.wait(ms(1)), lag.wait(ms(900))), (WAIT.0, WAIT.1));
        lag.pushed(ms(80));
        (0..10).for_each(|_| lag.pushed(ms(0)));
        assert!((ms(100)..ms(120)).contains(&lag.wait(ms(1))), "{:?}", lag.wait(ms(1)));
        (0..500).for_each(|_| lag.pushed(ms(0)));
        assert!(lag.wait(ms(1)) < ms(22), "{:?}", lag.wait(ms(1)));
        lag.asked(([1; 12], 1), Instant::ZERO);
        assert!(lag.came_after_all(Instant::from_micros(200_000), ([1; 12], 1)));
        assert!(lag.wait(ms(1)) > ms(200));
        assert!(!lag.came_after_all(Instant::from_micros(200_000), ([1; 12], 1)));
    }
}
