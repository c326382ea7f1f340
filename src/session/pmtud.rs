//! Packet size discovery (RFC 7016 section 3.5.4.3, after RFC 4821 and RFC 8899): a padding chunk, then a Ping; if the
//! reply comes, packets of that size pass.

use std::time::Duration;

use crate::base::{Instant, Rng};

/// What every path is taken to carry: bytes of UDP payload.
pub const BASE_DATAGRAM: usize = 1200;
/// Unanswered probes of one size before it counts as too large.
const PROBES: u32 = 3;
/// The search ends when the answer is known this closely.
const PRECISION: usize = 16;
/// After the search: when to try larger ones again (RFC 8899, PMTU_RAISE_TIMER).
const RAISE_PERIOD: Duration = Duration::from_secs(600);
/// After a black hole: when to search anew.
const BLACK_HOLE_REST: Duration = Duration::from_secs(60);
/// Timeouts in a row, each after the far end was heard again, after which larger packets than the base are suspected. The
/// first may be what an outage has left.
const BLACK_HOLE_TIMEOUTS: u32 = 2;
/// Bytes of a probe's Ping message.
pub(super) const PROBE_MESSAGE: usize = 8;

/// A probe to send: a datagram of exactly `size` bytes with a Ping of this message behind padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) size: usize,
    pub(super) message: [u8; PROBE_MESSAGE],
}

/// The search for one path's packet size.
#[derive(Debug)]
pub(super) struct PathMtu {
    current: usize,
    ceiling: usize,
    /// The smallest size known not to pass, or one above the ceiling.
    too_large: usize,
    outstanding: Option<(Probe, Instant)>,
    failures: u32,
    next: Instant,
    suspicions: u32,
    /// The last timeout since something was acknowledged.
    last_timeout: Option<Instant>,
}

impl PathMtu {
    pub(super) fn new(now: Instant, ceiling: usize) -> Self {
        let ceiling = ceiling.max(BASE_DATAGRAM);
        Self {
            current: BASE_DATAGRAM,
            ceiling,
            too_large: ceiling + 1,
            outstanding: None,
            failures: 0,
            next: now,
            suspicions: 0,
            last_timeout: None,
        }
    }

    /// The datagram size in use.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    fn searching(&self) -> bool {
        self.too_large > self.current + 1
            && (self.too_large > self.ceiling || self.too_large - self.current > PRECISION)
    }

    /// The next size: first the ceiling, which most paths carry, then halfway.
    fn candidate(&self) -> usize {
        if self.too_large > self.ceiling { self.ceiling } else { self.current.midpoint(self.too_large) }
    }

    /// When [`Self::poll`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.outstanding {
            Some((_, until)) => Some(*until),
            None if self.ceiling > BASE_DATAGRAM => Some(self.next),
            None => None,
        }
    }

    /// The probe to send now, if one is due; it counts as lost after `patience`.
    pub(super) fn poll(&mut self, now: Instant, patience: Duration, rng: &mut Rng) -> Option<Probe> {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return None;
        }
        if self.outstanding.take().is_some() {
            self.failures += 1;
            if self.failures >= PROBES {
                self.too_large = self.candidate();
                self.failures = 0;
            }
        } else if !self.searching() {
            // The raise timer: what did not pass then may pass now.
            self.too_large = self.ceiling + 1;
        }
        if !self.searching() {
            self.next = now + RAISE_PERIOD;
            return None;
        }
        let probe = Probe { size: self.candidate(), message: rng.bytes() };
        self.outstanding = Some((probe, now + patience));
        Some(probe)
    }

    /// A Ping Reply came; whether it answers the probe, and so the size in use is larger now.
    pub(super) fn on_ping_reply(&mut self, now: Instant, message: &[u8]) -> bool {
        let Some((probe, _)) = self.outstanding.filter(|(probe, _)| *message == probe.message) else {
            return false;
        };
        self.outstanding = None;
        self.failures = 0;
        self.current = probe.size;
        self.on_ack();
        self.next = if self.searching() { now } else { now + RAISE_PERIOD };
        true
    }

    /// Something was acknowledged: packets pass.
    pub(super) fn on_ack(&mut self) {
        self.suspicions = 0;
        self.last_timeout = None;
    }

    /// A retransmission timeout with loss. Whether the size in use fell back to the base: a path that carries less than
    /// it did swallows data and lets the answers to Pings through, so the far end was heard at `heard`, in between.
    pub(super) fn on_timeout(&mut self, now: Instant, heard: Instant) -> bool {
        if self.last_timeout.replace(now).is_some_and(|last| heard > last) {
            self.suspicions += 1;
        }
        if self.suspicions < BLACK_HOLE_TIMEOUTS || self.current == BASE_DATAGRAM {
            return false;
        }
        self.current = BASE_DATAGRAM;
        self.too_large = self.ceiling + 1;
        self.outstanding = None;
        self.failures = 0;
        self.next = now + BLACK_HOLE_REST;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    /// Searches a path that carries `limit` bytes; the result and how many probes it took.
    fn search(limit: usize, ceiling: usize) -> (usize, u32) {
        let mut rng = Rng::for_simulation(1);
        let mut mtu = PathMtu::new(Instant::ZERO, ceiling);
        let mut now = Instant::ZERO;
        let mut probes = 0;
        while let Some(deadline) = mtu.deadline()
            && deadline < Instant::ZERO + RAISE_PERIOD
        {
            now = now.max(deadline);
            if let Some(probe) = mtu.poll(now, PATIENCE, &mut rng) {
                probes += 1;
                assert!(probe.size > mtu.current() && probe.size <= ceiling);
                if probe.size <= limit {
                    assert!(!mtu.on_ping_reply(now, b"another"));
                    assert!(mtu.on_ping_reply(now, &probe.message));
                }
            }
        }
        (mtu.current(), probes)
    }

    #[test]
    fn finds_the_ceiling_at_once_and_smaller_limits_within_the_precision() {
        assert_eq!(search(1500, 1452), (1452, 1));
        for limit in [1200, 1232, 1280, 1372, 1400, 1451] {
            let (found, probes) = search(limit, 1452);
            assert!(found <= limit && limit - found < PRECISION && probes <= 20, "{limit}: {found} in {probes}");
        }
        assert_eq!(search(1200, 1200), (1200, 0));
        let (found, _) = search(9000, 65_507);
        assert!((8984..=9000).contains(&found), "{found}");
    }

    #[test]
    fn timeouts_in_a_row_while_small_packets_pass_fall_back_to_the_base_and_a_rest() {
        let mut rng = Rng::for_simulation(1);
        let mut mtu = PathMtu::new(Instant::ZERO, 1452);
        let probe = mtu.poll(Instant::ZERO, PATIENCE, &mut rng).unwrap();
        mtu.on_ping_reply(Instant::ZERO, &probe.message);
        let at = |second: u64| Instant::from_micros(second * 1_000_000);
        for second in 0..9 {
            assert!(!mtu.on_timeout(at(second), at(0)), "an outage is no black hole");
        }
        assert!(!mtu.on_timeout(at(10), at(9)));
        mtu.on_ack();
        assert!(!mtu.on_timeout(at(20), at(19)));
        assert!(!mtu.on_timeout(at(22), at(21)));
        assert!(mtu.on_timeout(at(24), at(23)));
        assert_eq!(mtu.current(), BASE_DATAGRAM);
        assert_eq!(mtu.deadline(), Some(at(24) + BLACK_HOLE_REST));
        assert_eq!(mtu.poll(at(24) + BLACK_HOLE_REST, PATIENCE, &mut rng).unwrap().size, 1452);
    }
}
