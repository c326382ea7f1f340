//! How much is sent ahead, and how fast at all.

use std::time::Duration;

use crate::base::Instant;

/// Bytes sent and not confirmed, at least.
const LEAST: f64 = 65_536.0;
/// The same at most.
const MOST: f64 = 16_777_216.0;

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
    /// How long the last ones waited, in parts of the target.
    lately: [f64; LATELY],
    next: usize,
}

impl Pipe {
    pub(super) const fn new(polite: bool) -> Self {
        let target = Self::target(polite);
        Self { flying: 0, cap: LEAST * 2.0, target, starting: true, cut: Instant::ZERO, lately: [0.0; LATELY], next: 0 }
    }

    const fn target(polite: bool) -> Duration {
        if polite { POLITE } else { IMPOLITE }
    }

    pub(super) const fn set_polite(&mut self, polite: bool) {
        self.target = Self::target(polite);
    }

    pub(super) const fn cap(&self) -> usize {
        self.cap as usize
    }

    /// An object of `bytes` was confirmed after `taken`; the same neighbour has once done it in `least`.
    pub(super) fn confirmed(&mut self, now: Instant, bytes: usize, taken: Duration, least: Duration) {
        let was_full = self.flying as f64 + bytes as f64 * 2.0 > self.cap;
        self.lately[self.next] = taken.saturating_sub(least).as_secs_f64() / self.target.as_secs_f64();
        self.next = (self.next + 1) % LATELY;
        // All wait in the same uplink; what only one waited for was lost on its way, or is that neighbour's own affair.
        let waited = self.lately.iter().copied().fold(f64::INFINITY, f64::min);
        if waited > 0.5 {
            self.starting = false;
        }
        let bytes = bytes as f64;
        if waited > 2.0 {
            if now >= self.cut + taken {
                self.cut = now;
                self.cap *= 0.8;
            }
        } else if self.starting {
            self.cap += if was_full { bytes } else { 0.0 };
        } else if waited > 1.0 {
            self.cap -= bytes * bytes / self.cap * (waited - 1.0);
        } else if was_full {
            self.cap += bytes * bytes / self.cap * (1.0 - waited);
        }
        self.cap = self.cap.clamp(LEAST.max(bytes * 2.0), MOST);
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
