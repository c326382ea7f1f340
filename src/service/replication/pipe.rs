//! How much is sent ahead, and how fast at all.

use std::time::Duration;

use crate::base::Instant;

/// Bytes sent and not confirmed, at first.
const FIRST: f64 = 131_072.0;
/// The same at most.
const MOST: f64 = 16_777_216.0;
/// How many times longer than an object takes it may rest, if one at a time is too much.
const LONGEST_REST: f64 = 5.0;
/// The longest rest between two objects, if one at a time is too much.
const MAX_REST: Duration = Duration::from_secs(2);

/// A delay of our own making that other traffic can stand.
const POLITE: Duration = Duration::from_millis(80);
/// One beyond which it is of no use to us either: requests had better go elsewhere.
const IMPOLITE: Duration = Duration::from_millis(800);

/// Confirmations of which the earliest counts.
const LATELY: usize = 4;

/// How many bytes of objects may be on their way to all neighbours together. The uplink is theirs in common, so is this:
/// it grows until confirmations come later than they could, by a delay that others' traffic can stand.
#[derive(Debug)]
pub(super) struct Pipe {
    /// Bytes on their way.
    pub(super) flying: usize,
    cap: f64,
    target: Duration,
    starting: bool,
    cut: Instant,
    /// Nothing is sent before, for even one object at a time is too much.
    rests: Option<Instant>,
    /// How long the last ones waited, in parts of the target.
    lately: [f64; LATELY],
    next: usize,
}

impl Pipe {
    pub(super) const fn new(polite: bool) -> Self {
        let target = Self::target(polite);
        Self {
            flying: 0,
            cap: FIRST,
            target,
            starting: true,
            cut: Instant::ZERO,
            rests: None,
            lately: [0.0; LATELY],
            next: 0,
        }
    }

    const fn target(polite: bool) -> Duration {
        if polite { POLITE } else { IMPOLITE }
    }

    pub(super) const fn set_polite(&mut self, polite: bool) {
        self.target = Self::target(polite);
    }

    pub(super) fn is_polite(&self) -> bool {
        self.target == POLITE
    }

    pub(super) const fn cap(&self) -> usize {
        self.cap as usize
    }

    /// Whether there is room for one more of `usual` bytes when so many are about to be sent. One at a time may always be, however
    /// long it is, but for a rest in between.
    pub(super) fn has_place(&self, now: Instant, given: usize, usual: usize) -> bool {
        let next = self.flying + (given + 1) * usual;
        (self.flying == 0 && given == 0 && self.rest(now).is_none()) || next <= self.cap()
    }

    /// Until when nothing is sent.
    pub(super) fn rest(&self, now: Instant) -> Option<Instant> {
        self.rests.filter(|&until| until > now)
    }

    /// An object of `bytes` was confirmed after `taken`, of which it `waited` so long.
    pub(super) fn confirmed(&mut self, now: Instant, bytes: usize, taken: Duration, waited: Duration) {
        let was_full = self.flying as f64 + bytes as f64 * 2.0 > self.cap;
        self.lately[self.next] = waited.as_secs_f64() / self.target.as_secs_f64();
        self.next = (self.next + 1) % LATELY;
        // All wait in the same uplink; what only one waited for was lost on its way, or is that neighbour's own affair.
        let waited = self.lately.iter().copied().fold(f64::INFINITY, f64::min);
        if waited > 0.5 {
            self.starting = false;
        }
        let bytes = bytes as f64;
        let aim = self.target.as_secs_f64();
        // As much as is sent in the time that an object takes is on its way; what waits is a part of that.
        let excess = (waited - 1.0) * aim / taken.as_secs_f64().max(aim);
        if waited > 1.0 {
            if now >= self.cut + taken {
                self.cut = now;
                self.cap *= 1.0 - excess.min(0.5);
            }
        } else if self.starting {
            self.cap += if was_full { bytes } else { 0.0 };
        } else if was_full {
            self.cap += bytes * (-excess);
        }
        self.cap = self.cap.clamp(bytes / LONGEST_REST, MOST);
        let rest = taken.mul_f64((bytes / self.cap - 1.0).max(0.0));
        self.rests = Some(now + rest.min(MAX_REST));
    }
}

/// A rate that is kept to in the long run: what is taken beyond what there is must be waited for before anything else is.
#[derive(Debug)]
pub(super) struct Limit {
    rate: Option<u64>,
    /// When all that was taken is paid for.
    paid: Instant,
}

impl Limit {
    pub(super) const fn new(rate: Option<u64>) -> Self {
        Self { rate, paid: Instant::ZERO }
    }

    pub(super) fn set(&mut self, now: Instant, rate: Option<u64>) {
        self.rate = rate;
        self.paid = self.paid.min(now + Duration::from_secs(1));
    }

    /// When something may be taken; `None` if now.
    pub(super) fn wait(&self, now: Instant) -> Option<Instant> {
        (self.rate.is_some() && self.paid > now).then_some(self.paid)
    }

    /// Takes `bytes`.
    pub(super) fn take(&mut self, now: Instant, bytes: usize) {
        if let Some(rate) = self.rate {
            // What was not used is lost, but for what the coarseness of timers costs.
            let from = self.paid.max(Instant::from_micros(now.as_micros().saturating_sub(20_000)));
            self.paid = from + Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
        }
    }

    /// What `reserved` bytes were taken for had `used`.
    pub(super) fn settle(&mut self, reserved: usize, used: usize) {
        if let Some(rate) = self.rate {
            let micros = |bytes: usize| bytes as u64 * 1_000_000 / rate.max(1);
            self.paid = Instant::from_micros((self.paid.as_micros() + micros(used)).saturating_sub(micros(reserved)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: usize = 16 << 10;
    const BASE: Duration = Duration::from_millis(100);

    /// Sends for `seconds` through an uplink of `rate` bytes a second, which others keep filled for `others`; how much of it was used.
    fn share(pipe: &mut Pipe, now: &mut Instant, seconds: u64, rate: f64, others: Duration) -> f64 {
        let end = *now + Duration::from_secs(seconds);
        let mut free = *now;
        let mut air: std::collections::VecDeque<(Instant, Instant, Duration)> = std::collections::VecDeque::new();
        let mut sent = 0;
        while *now < end {
            while pipe.has_place(*now, 0, OBJECT) {
                let wait = free.since(*now) + others;
                free = free.max(*now) + Duration::from_secs_f64(OBJECT as f64 / rate);
                air.push_back((*now, free + others + BASE, wait));
                pipe.flying += OBJECT;
                sent += OBJECT;
            }
            let landed = air.front().map(|landing| landing.1);
            let next = landed.into_iter().chain(pipe.rest(*now)).min().expect("something is on its way, or rests");
            *now = next;
            if landed == Some(next) {
                let (at, _, wait) = air.pop_front().expect("it just was");
                pipe.flying -= OBJECT;
                pipe.confirmed(next, OBJECT, next.since(at), wait);
            }
        }
        pipe.flying = 0;
        sent as f64 / rate / seconds as f64
    }

    #[test]
    fn it_fills_an_uplink_that_it_has_alone_and_nearly_leaves_one_that_others_fill() {
        for rate in [125_000.0, 1_250_000.0, 12_500_000.0] {
            let mut pipe = Pipe::new(true);
            let mut now = Instant::from_micros(1);
            share(&mut pipe, &mut now, 5, rate, Duration::ZERO);
            let alone = share(&mut pipe, &mut now, 10, rate, Duration::ZERO);
            assert!(alone > 0.9, "{rate}: {alone}");
            share(&mut pipe, &mut now, 5, rate, Duration::from_millis(200));
            let beside = share(&mut pipe, &mut now, 10, rate, Duration::from_millis(200));
            let objects_a_second = beside * rate / OBJECT as f64;
            assert!(beside > 0.0 && (beside < 0.1 || objects_a_second < 2.0), "{rate}: {beside}");
            share(&mut pipe, &mut now, 5, rate, Duration::ZERO);
            let again = share(&mut pipe, &mut now, 10, rate, Duration::ZERO);
            assert!(again > 0.9, "{rate}: {again}");
        }
    }

    #[test]
    fn one_object_may_always_be_sent_however_long_it_is() {
        let mut pipe = Pipe::new(true);
        let now = Instant::from_micros(1);
        assert!(pipe.has_place(now, 0, 1 << 20));
        pipe.flying = 1 << 20;
        assert!(!pipe.has_place(now, 0, 1 << 20));
    }
}
