//! When to send a startup chunk again (RFC 7016 section 3.5.1.1.1).
//!
//! Departs from it in the beginning. Intervals that start at a second and grow by one and a half leave three tries in five
//! seconds, and at 20 % loss either way one opening in twenty loses all three. So whoever our own user has named is asked
//! four times a second until there is an answer, for five seconds at most (176 bytes each, IP and UDP included), and then on
//! the schedule of the RFC; likewise an IIKeying to somebody whom we had asked. An introducer who has answered is asked once
//! a second as long as the peer itself has not. Addresses that others have taught us are asked five times at intervals that
//! double.

use std::time::Duration;

use crate::base::Instant;

const FIRST: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(1500);
/// The interval at first, and how long that lasts.
const BRISK: Duration = Duration::from_millis(250);
const BRISK_FOR: Duration = Duration::from_secs(5);
/// How often an introducer is asked again, and for how long. Peers answer to three introductions in ten seconds: this asks
/// for the next three as well.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_FOR: Duration = Duration::from_secs(14);
/// How often a rendezvous is asked again that does not know the peer: it may register just now.
const SOON: Duration = Duration::from_millis(500);

/// Intervals of 1, 2.5, 4, 5.5 … seconds, the slowest growth that the RFC allows, or doubling from a quarter of a second; a
/// time of equal ones may come before.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Instant,
    interval: Duration,
    doubles: bool,
    haste: Option<Haste>,
    sent: u32,
}

#[derive(Debug, Clone, Copy)]
struct Haste {
    every: Duration,
    until: Instant,
}

impl Backoff {
    /// The RFC's schedule; the first time is at `start`.
    pub(crate) const fn new(start: Instant) -> Self {
        Self { next: start, interval: FIRST, doubles: false, haste: None, sent: 0 }
    }

    /// The RFC's schedule, behind five seconds of haste.
    pub(crate) fn brisk(start: Instant) -> Self {
        Self { haste: Some(Haste { every: BRISK, until: start + BRISK_FOR }), ..Self::new(start) }
    }

    /// Intervals that double.
    pub(crate) const fn doubling(start: Instant) -> Self {
        Self { next: start, interval: BRISK, doubles: true, haste: None, sent: 0 }
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
        self.sent += 1;
        self.haste = self.haste.filter(|haste| now < haste.until);
        self.step(now);
    }

    fn step(&mut self, now: Instant) {
        if let Some(haste) = self.haste {
            self.next = now + haste.every;
            return;
        }
        self.next = now + self.interval;
        self.interval = if self.doubles { self.interval * 2 } else { self.interval + STEP };
    }

    /// There was an answer at `now`: no hurry any more.
    pub(crate) fn calm(&mut self, now: Instant) {
        if self.haste.take().is_some() {
            self.step(now);
        }
    }

    /// The answer leads to somebody else, of whom nothing was heard yet.
    pub(crate) fn keep_asking(&mut self, now: Instant) {
        if self.haste.is_some_and(|haste| haste.every < AGAIN) {
            self.haste = Some(Haste { every: AGAIN, until: now + AGAIN_FOR });
            self.step(now);
        }
    }

    /// The answer is that nothing is known of the peer yet.
    pub(crate) fn ask_soon(&mut self, now: Instant) {
        if let Some(haste) = self.haste.as_mut().filter(|haste| haste.every == BRISK) {
            haste.every = SOON;
            self.step(now);
        }
    }

    /// Lets the next time be `now` if it is later.
    pub(crate) fn hasten(&mut self, now: Instant) {
        self.next = self.next.min(now);
    }

    /// Begins anew at `now` with the schedule of `fresh`, and counts on.
    pub(crate) fn renew(&mut self, now: Instant, fresh: Self) {
        let next = self.next.min(now);
        *self = Self { next, sent: self.sent, ..fresh };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(mut backoff: Backoff, count: usize) -> Vec<u64> {
        let mut next = || {
            let at = backoff.next();
            backoff.advance(at);
            at.as_micros() / 10_000
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn intervals_grow_by_a_second_and_a_half() {
        let tenths: Vec<u64> = times(Backoff::new(Instant::ZERO), 12).iter().map(|at| at / 10).collect();
        assert_eq!(tenths, [0, 10, 35, 75, 130, 200, 285, 385, 500, 630, 775, 935]);
    }

    #[test]
    fn a_brisk_one_is_sent_four_times_a_second_for_five_seconds_or_until_there_is_an_answer() {
        let brisk = times(Backoff::brisk(Instant::ZERO), 24);
        assert!(brisk[..21].iter().enumerate().all(|(n, at)| *at == 25 * n as u64), "{brisk:?}");
        assert_eq!(brisk[21..], [600, 850, 1250]);
        let mut backoff = Backoff::brisk(Instant::ZERO);
        backoff.advance(Instant::ZERO);
        backoff.calm(Instant::from_micros(40_000));
        assert_eq!(times(backoff.clone(), 3), [104, 354, 754]);
        backoff.calm(Instant::from_micros(80_000));
        assert_eq!(times(backoff, 3), [104, 354, 754], "a second answer changes nothing");
    }

    #[test]
    fn an_introducer_is_asked_each_second_after_its_answer() {
        let mut backoff = Backoff::brisk(Instant::ZERO);
        backoff.advance(Instant::ZERO);
        backoff.keep_asking(Instant::from_micros(40_000));
        backoff.keep_asking(Instant::from_micros(90_000));
        let asked = times(backoff, 17);
        assert!(asked[..15].iter().enumerate().all(|(n, at)| *at == 104 + 100 * n as u64), "{asked:?}");
        assert_eq!(asked[15..], [1754, 2154]);
    }

    #[test]
    fn who_knows_nothing_yet_is_asked_twice_a_second_until_it_does() {
        let mut backoff = Backoff::brisk(Instant::ZERO);
        backoff.advance(Instant::ZERO);
        backoff.ask_soon(Instant::from_micros(40_000));
        assert_eq!(times(backoff.clone(), 3), [54, 104, 154]);
        backoff.keep_asking(Instant::from_micros(90_000));
        assert_eq!(times(backoff, 3), [109, 209, 309]);
    }

    #[test]
    fn a_renewed_one_begins_again_and_counts_on() {
        let mut backoff = Backoff::doubling(Instant::ZERO);
        assert_eq!(times(backoff.clone(), 5), [0, 25, 75, 175, 375]);
        (0..5).for_each(|_| backoff.advance(backoff.next()));
        let now = Instant::from_micros(4_000_000);
        backoff.renew(now, Backoff::doubling(now));
        assert_eq!(times(backoff.clone(), 3), [400, 425, 475]);
        assert_eq!(backoff.sent(), 5);
    }
}
