//! Spacing packets out instead of counting them: our burst avoidance (RFC 7016 section 3.5.2.3).
//!
//! Departs from 3.5.2.3 ("not more than six packets between acknowledgements"): a bucket that fills at a little over a
//! window per round trip lets out bursts of no more than [`Pacer::BURST_TIME`] of that rate, which keeps bursts off the
//! network on long paths and does not stop fast short ones after every six packets.

use std::time::Duration;

use crate::base::Instant;

/// Below this round trip nothing is paced: the queue is on this machine or next to it (as rtmfp-cpp does).
const UNPACED_BELOW: Duration = Duration::from_micros(4500);
/// A burst of ten packets is always allowed once the bucket is full.
const MIN_BURST_PACKETS: usize = 10;

/// A bucket of bytes that may leave now.
#[derive(Debug)]
pub struct Pacer {
    tokens: usize,
    refilled: Instant,
    rate: Option<u64>,
    burst: usize,
    segment: usize,
}

impl Pacer {
    /// How much of the rate may leave at once: two ticks of a coarse timer.
    pub const BURST_TIME: Duration = Duration::from_millis(2);

    /// A full bucket that does not limit until a rate is set.
    #[must_use]
    pub fn new(now: Instant, segment: usize) -> Self {
        let burst = MIN_BURST_PACKETS * segment;
        Self { tokens: burst, refilled: now, rate: None, burst, segment }
    }

    /// Sets the rate from the window and the round trip; no round trip or a very short one means no pacing.
    pub fn set(&mut self, now: Instant, window: usize, srtt: Option<Duration>, gain_percent: u32, segment: usize) {
        self.refill(now);
        self.segment = segment;
        self.rate = srtt.filter(|&srtt| srtt >= UNPACED_BELOW).map(|srtt| {
            let per_second = window as u128 * u128::from(gain_percent) * 10_000 / srtt.as_micros().max(1);
            (per_second as u64).max(1)
        });
        let in_burst_time = self.rate.map_or(0, |rate| bytes_in(rate, Self::BURST_TIME));
        self.burst = in_burst_time.max(MIN_BURST_PACKETS * segment);
        self.tokens = self.tokens.min(self.burst);
    }

    /// Whether anything is paced at present.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.rate.is_some()
    }

    /// Bytes that may leave now.
    pub fn allowance(&mut self, now: Instant) -> usize {
        if self.rate.is_none() {
            return usize::MAX;
        }
        self.refill(now);
        self.tokens
    }

    /// Takes what has been sent; a packet may overdraw what is left.
    pub fn spend(&mut self, bytes: usize) {
        self.tokens = self.tokens.saturating_sub(bytes);
    }

    /// When enough has gathered for a worthwhile batch: half of a burst.
    #[must_use]
    pub fn ready_at(&self) -> Instant {
        let Some(rate) = self.rate else { return self.refilled };
        let missing = (self.burst / 2).max(self.segment).saturating_sub(self.tokens);
        self.refilled + Duration::from_micros((missing as u128 * 1_000_000).div_ceil(u128::from(rate)) as u64)
    }

    fn refill(&mut self, now: Instant) {
        let Some(rate) = self.rate else {
            self.tokens = self.burst;
            self.refilled = now;
            return;
        };
        let gained = bytes_in(rate, now - self.refilled);
        if gained > 0 {
            self.tokens = (self.tokens.saturating_add(gained)).min(self.burst);
            self.refilled = now;
        }
    }
}

fn bytes_in(rate: u64, time: Duration) -> usize {
    usize::try_from(u128::from(rate) * time.as_micros() / 1_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn a_window_leaves_within_a_round_trip_and_not_at_once() {
        let mut pacer = Pacer::new(at(0), 1000);
        pacer.set(at(0), 1_000_000, Some(Duration::from_millis(100)), 125, 1000);
        let mut now = at(0);
        let mut sent = 0;
        let mut largest = 0;
        while now <= at(80_000) {
            let burst = pacer.allowance(now);
            largest = largest.max(burst);
            pacer.spend(burst);
            sent += burst;
            now = pacer.ready_at().max(now + Duration::from_micros(1));
        }
        assert!((1_000_000..1_050_000).contains(&sent), "{sent}");
        assert!(largest <= 25_000, "{largest}");
    }

    #[test]
    fn short_round_trips_are_not_paced() {
        let mut pacer = Pacer::new(at(0), 1000);
        pacer.set(at(0), 4380, Some(Duration::from_millis(4)), 200, 1000);
        pacer.spend(1 << 30);
        assert_eq!(pacer.allowance(at(0)), usize::MAX);
        assert!(!pacer.is_active());
    }

    #[test]
    fn waiting_until_ready_gives_something_to_send() {
        let mut pacer = Pacer::new(at(0), 1200);
        pacer.set(at(0), 4380, Some(Duration::from_secs(2)), 125, 1200);
        let first = pacer.allowance(at(0));
        pacer.spend(first);
        let ready = pacer.ready_at();
        assert!(ready > at(0));
        assert!(pacer.allowance(ready) >= 1200);
    }
}
