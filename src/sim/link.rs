//! One direction of a link: rate, delay, queue, and what it does to datagrams on the way.

use super::packet::Cause;
use crate::base::{Ecn, Instant, Rng};
use std::time::Duration;

/// How one direction of a link behaves. [`Link::IDEAL`] plus what a test wants of trouble:
///
/// ```
/// use p2pt::sim::Link;
/// use std::time::Duration;
/// let weak_4g = Link::IDEAL.rate(8_000_000).queue(100_000).delay(Duration::from_millis(45)).burst(0.02, 8.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// Bits per second; `None` is infinitely fast.
    pub rate: Option<u64>,
    /// Bytes that wait for their turn at most; more are dropped at the tail. `None` is endless patience.
    pub queue: Option<usize>,
    /// The time on the way, once sent.
    pub delay: Duration,
    /// Up to so much more delay, uniformly drawn for each datagram.
    pub jitter: Duration,
    /// Whether jitter lets datagrams overtake one another, or they wait for the one before.
    pub jitter_reorders: bool,
    /// The share that is lost, each independently.
    pub loss: f64,
    /// Losses that come in bursts.
    pub burst: Option<Burst>,
    /// The share that is held up, by up to `reorder_by`, while others overtake it.
    pub reorder: f64,
    /// By how much at most.
    pub reorder_by: Duration,
    /// The share that arrives twice.
    pub duplicate: f64,
    /// The share of which one bit is flipped.
    pub corrupt: f64,
    /// The longest packet, IP and UDP headers included.
    pub mtu: usize,
    /// What becomes of longer ones.
    pub oversize: Oversize,
    /// ECN-capable packets that wait longer than this are marked.
    pub mark: Option<Duration>,
}

/// Gilbert's model: a link is good, or bad and then loses everything. States last a geometrically distributed number
/// of packets; while a link of finite rate is idle, the packets that could have passed count too, so that a burst
/// ends by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// The share that is lost on the whole; below 1.
    pub loss: f64,
    /// The mean length of a burst in packets; at least 1.
    pub length: f64,
}

/// What a link does with a packet longer than its MTU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversize {
    /// Drops it and says nothing.
    BlackHole,
    /// Sends it in fragments, of which each can be lost, and all have to arrive.
    Fragment,
}

impl Link {
    /// No loss, no delay, no limit but the MTU that everything has: 65,535.
    pub const IDEAL: Self = Self {
        rate: None,
        queue: None,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        jitter_reorders: false,
        loss: 0.0,
        burst: None,
        reorder: 0.0,
        reorder_by: Duration::ZERO,
        duplicate: 0.0,
        corrupt: 0.0,
        mtu: 65_535,
        oversize: Oversize::BlackHole,
        mark: None,
    };

    /// With this rate in bits per second.
    #[must_use]
    pub const fn rate(mut self, bits_per_second: u64) -> Self {
        self.rate = Some(bits_per_second);
        self
    }

    /// With a queue of so many bytes.
    #[must_use]
    pub const fn queue(mut self, bytes: usize) -> Self {
        self.queue = Some(bytes);
        self
    }

    /// With this one-way delay.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// With up to so much more delay, in order.
    #[must_use]
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Losing this share, each datagram independently.
    #[must_use]
    pub const fn loss(mut self, share: f64) -> Self {
        self.loss = share;
        self
    }

    /// Losing this share in bursts of so many packets on average.
    #[must_use]
    pub const fn burst(mut self, loss: f64, length: f64) -> Self {
        self.burst = Some(Burst { loss, length });
        self
    }

    /// Holding this share up by as much as `by`.
    #[must_use]
    pub const fn reorder(mut self, share: f64, by: Duration) -> Self {
        self.reorder = share;
        self.reorder_by = by;
        self
    }

    /// Doubling this share.
    #[must_use]
    pub const fn duplicate(mut self, share: f64) -> Self {
        self.duplicate = share;
        self
    }

    /// Flipping a bit in this share.
    #[must_use]
    pub const fn corrupt(mut self, share: f64) -> Self {
        self.corrupt = share;
        self
    }

    /// With this MTU, IP and UDP headers included; longer packets vanish.
    #[must_use]
    pub const fn mtu(mut self, bytes: usize) -> Self {
        self.mtu = bytes;
        self
    }

    /// Marking ECN-capable packets that waited longer than this.
    #[must_use]
    pub const fn mark(mut self, wait: Duration) -> Self {
        self.mark = Some(wait);
        self
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::IDEAL
    }
}

/// What one direction carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkStats {
    /// Packets that came out at the far end, copies included.
    pub packets: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Packets that did not.
    pub dropped: u64,
    /// The longest that a packet waited in the queue.
    pub longest_wait: Duration,
}

/// One direction of a link, at work.
#[derive(Debug)]
pub(super) struct Wire {
    config: Link,
    up: bool,
    rng: Rng,
    stats: LinkStats,
    /// When the last packet in the queue will have been sent, in nanoseconds.
    busy_until: u64,
    /// When the last packet in order arrives.
    last_arrival: Instant,
    bad: bool,
    last_packet: Instant,
}

/// How a packet passes: when it arrives, perhaps twice, and what was done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) at: Instant,
    pub(super) again: Option<Instant>,
    pub(super) marked: bool,
    /// The bit to flip, a number to be taken modulo the number of bits.
    pub(super) flip: Option<u64>,
}

impl Wire {
    pub(super) fn new(config: Link, rng: Rng) -> Self {
        Self {
            config,
            up: true,
            rng,
            stats: LinkStats::default(),
            busy_until: 0,
            last_arrival: Instant::ZERO,
            bad: false,
            last_packet: Instant::ZERO,
        }
    }

    /// What it carried so far.
    pub(super) const fn stats(&self) -> LinkStats {
        self.stats
    }

    /// Behaves so from now on; what is in the queue keeps its times.
    pub(super) fn configure(&mut self, config: Link) {
        self.config = config;
    }

    /// A link that is down loses what is sent into it; what is on its way still arrives.
    pub(super) fn set_up(&mut self, up: bool) {
        self.up = up;
    }

    pub(super) fn pass(&mut self, now: Instant, wire_len: usize, ecn: Ecn) -> Result<Passage, Cause> {
        let passage = self.try_pass(now, wire_len, ecn);
        match passage {
            Ok(Passage { again, .. }) => {
                let copies = 1 + u64::from(again.is_some());
                self.stats.packets += copies;
                self.stats.bytes += copies * wire_len as u64;
            }
            Err(_) => self.stats.dropped += 1,
        }
        passage
    }

    fn try_pass(&mut self, now: Instant, wire_len: usize, ecn: Ecn) -> Result<Passage, Cause> {
        if !self.up {
            return Err(Cause::Outage);
        }
        let fragments = if wire_len <= self.config.mtu {
            1
        } else if self.config.oversize == Oversize::Fragment {
            wire_len.div_ceil(self.config.mtu.max(1))
        } else {
            return Err(Cause::TooBig);
        };
        let (sent, wait) = self.transmit(now, wire_len)?;
        // Loss comes after the queue: a packet that is lost on the way has taken its time on the link.
        for _ in 0..fragments {
            self.lose(now)?;
        }
        let at = self.arrival(sent);
        let again = self.chance(self.config.duplicate).then(|| self.arrival(sent));
        let flip = self.chance(self.config.corrupt).then(|| self.rng.u64());
        let marked = ecn == Ecn::Ect && self.config.mark.is_some_and(|limit| wait > limit);
        Ok(Passage { at, again, marked, flip })
    }

    /// Queues and sends: when its last bit is on the way, in nanoseconds, and how long it waited.
    fn transmit(&mut self, now: Instant, wire_len: usize) -> Result<(u64, Duration), Cause> {
        let now = now.as_micros().saturating_mul(1_000);
        let Some(rate) = self.config.rate else { return Ok((now, Duration::ZERO)) };
        let wait = self.busy_until.saturating_sub(now);
        let backlog = u128::from(wait) * u128::from(rate) / 8_000_000_000;
        if self.config.queue.is_some_and(|limit| backlog + wire_len as u128 > limit as u128) {
            return Err(Cause::QueueFull);
        }
        self.busy_until = self.busy_until.max(now) + sending_time(wire_len, rate);
        let wait = Duration::from_nanos(wait);
        self.stats.longest_wait = self.stats.longest_wait.max(wait);
        Ok((self.busy_until, wait))
    }

    fn lose(&mut self, now: Instant) -> Result<(), Cause> {
        if let Some(burst) = self.config.burst {
            // A chain of two states, so many steps on.
            let leave = 1.0 / burst.length.max(1.0);
            let enter = (leave * burst.loss / (1.0 - burst.loss)).min(1.0);
            let idle = u64::try_from(now.since(self.last_packet).as_nanos()).unwrap_or(u64::MAX);
            let steps = self.config.rate.map_or(1, |rate| idle / sending_time(1_500, rate).max(1)).clamp(1, 10_000);
            let settled = enter / (enter + leave);
            let memory = (1.0 - enter - leave).powi(steps as i32);
            let bad = settled + (f64::from(u8::from(self.bad)) - settled) * memory;
            self.last_packet = now;
            self.bad = self.rng.unit() < bad;
            if self.bad {
                return Err(Cause::Burst);
            }
        }
        if self.chance(self.config.loss) { Err(Cause::Loss) } else { Ok(()) }
    }

    fn arrival(&mut self, sent: u64) -> Instant {
        let jitter = self.draw(self.config.jitter);
        let arrival = Instant::from_micros(sent.div_ceil(1_000)) + self.config.delay + jitter;
        if self.chance(self.config.reorder) {
            return arrival + self.draw(self.config.reorder_by);
        }
        if self.config.jitter_reorders {
            return arrival;
        }
        self.last_arrival = self.last_arrival.max(arrival);
        self.last_arrival
    }

    fn draw(&mut self, up_to: Duration) -> Duration {
        let micros = u64::try_from(up_to.as_micros()).unwrap_or(u64::MAX);
        if micros == 0 { Duration::ZERO } else { Duration::from_micros(self.rng.below(micros.saturating_add(1))) }
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.rng.unit() < share
    }
}

/// Nanoseconds that a packet occupies a link of this rate.
fn sending_time(wire_len: usize, rate: u64) -> u64 {
    let nanos = (wire_len as u128 * 8_000_000_000).div_ceil(u128::from(rate.max(1)));
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    fn wire(config: Link) -> Wire {
        Wire::new(config, Rng::for_simulation(1))
    }

    #[test]
    fn a_packet_takes_its_sending_time_and_then_the_delay() {
        let mut wire = wire(Link::IDEAL.rate(8_000_000).delay(20 * MS));
        // 1,000 bytes at 1 MB/s: a millisecond each, one after the other.
        for n in 1..=3 {
            assert_eq!(wire.pass(at(0), 1_000, Ecn::NotEct).map(|p| p.at), Ok(at(20 + n)));
        }
        assert_eq!(wire.pass(at(100), 1_000, Ecn::NotEct).map(|p| p.at), Ok(at(121)));
        assert_eq!(wire.stats(), LinkStats { packets: 4, bytes: 4_000, dropped: 0, longest_wait: 2 * MS });
    }

    #[test]
    fn a_full_queue_drops_at_the_tail_and_drains_at_the_rate() {
        let mut wire = wire(Link::IDEAL.rate(8_000_000).queue(3_000));
        let passed = (0..5).filter(|_| wire.pass(at(0), 1_000, Ecn::NotEct).is_ok()).count();
        assert_eq!(passed, 3);
        assert_eq!(wire.pass(at(0), 1_000, Ecn::NotEct), Err(Cause::QueueFull));
        assert!(wire.pass(at(1), 1_000, Ecn::NotEct).is_ok());
        assert_eq!(wire.pass(at(1), 1_000, Ecn::NotEct), Err(Cause::QueueFull));
    }

    #[test]
    fn ecn_capable_packets_that_wait_are_marked_and_others_are_not() {
        let mut wire = wire(Link::IDEAL.rate(8_000_000).mark(MS));
        let marks: Vec<bool> =
            (0..4).map(|_| wire.pass(at(0), 1_000, Ecn::Ect).is_ok_and(|passage| passage.marked)).collect();
        assert_eq!(marks, [false, false, true, true]);
        assert!(!wire.pass(at(0), 1_000, Ecn::NotEct).is_ok_and(|passage| passage.marked));
    }

    #[test]
    fn random_loss_has_its_share_and_no_memory() {
        let lost = losses(Link::IDEAL.loss(0.1));
        let share = lost.iter().filter(|&&lost| lost).count() as f64 / lost.len() as f64;
        assert!((0.095..0.105).contains(&share), "{share}");
        assert!((1.0..1.2).contains(&mean_burst(&lost)), "{}", mean_burst(&lost));
    }

    #[test]
    fn bursts_have_their_share_and_their_length() {
        let lost = losses(Link::IDEAL.burst(0.05, 12.0));
        let share = lost.iter().filter(|&&lost| lost).count() as f64 / lost.len() as f64;
        assert!((0.04..0.06).contains(&share), "{share}");
        assert!((10.5..13.5).contains(&mean_burst(&lost)), "{}", mean_burst(&lost));
    }

    #[test]
    fn a_burst_ends_while_a_link_of_finite_rate_is_idle() {
        let mut wire = wire(Link::IDEAL.rate(1_000_000).burst(0.1, 1_000.0));
        // A packet each ten minutes: every one meets the link at its long-term share, whatever the one before met.
        let lost: Vec<bool> = (0..20_000).map(|n| wire.pass(at(n * 600_000), 100, Ecn::NotEct).is_err()).collect();
        let share = lost.iter().filter(|&&lost| lost).count() as f64 / lost.len() as f64;
        assert!((0.09..0.11).contains(&share), "{share}");
        assert!((1.0..1.3).contains(&mean_burst(&lost)), "{}", mean_burst(&lost));
    }

    #[test]
    fn jitter_keeps_the_order_unless_told_otherwise() {
        let jitter = Link::IDEAL.delay(10 * MS).jitter(10 * MS);
        let arrivals = arrivals(jitter);
        assert!(arrivals.is_sorted());
        let mut wild = jitter;
        wild.jitter_reorders = true;
        assert!(!self::arrivals(wild).is_sorted());
    }

    #[test]
    fn reordering_and_duplication_have_their_share() {
        let held = arrivals(Link::IDEAL.delay(10 * MS).reorder(0.1, 5 * MS));
        let late = held.iter().enumerate().filter(|&(n, &arrival)| arrival > at(10 + n as u64)).count();
        assert!((900..1_100).contains(&late), "{late}");
        let mut wire = wire(Link::IDEAL.duplicate(0.1));
        let twice = (0..10_000).filter(|&n| wire.pass(at(n), 100, Ecn::NotEct).unwrap().again.is_some()).count();
        assert!((900..1_100).contains(&twice), "{twice}");
    }

    #[test]
    fn the_mtu_swallows_or_fragments() {
        let mut link = Link::IDEAL.mtu(1_500).loss(0.1);
        let mut hole = wire(link);
        assert_eq!(hole.pass(at(0), 1_501, Ecn::NotEct), Err(Cause::TooBig));
        link.oversize = Oversize::Fragment;
        let mut pieces = wire(link);
        let lost = (0..10_000).filter(|&n| pieces.pass(at(n), 4_500, Ecn::NotEct).is_err()).count();
        // Three pieces, each lost one time in ten: 27.1 %.
        assert!((2_600..2_820).contains(&lost), "{lost}");
    }

    #[test]
    fn a_link_that_is_down_loses_everything() {
        let mut wire = wire(Link::IDEAL);
        wire.set_up(false);
        assert_eq!(wire.pass(at(0), 10, Ecn::NotEct), Err(Cause::Outage));
        wire.set_up(true);
        assert!(wire.pass(at(0), 10, Ecn::NotEct).is_ok());
    }

    fn losses(config: Link) -> Vec<bool> {
        let mut wire = wire(config);
        (0..100_000).map(|n| wire.pass(at(n), 1_000, Ecn::NotEct).is_err()).collect()
    }

    fn arrivals(config: Link) -> Vec<Instant> {
        let mut wire = wire(config);
        (0..10_000).map(|n| wire.pass(at(n), 1_000, Ecn::NotEct).unwrap().at).collect()
    }

    fn mean_burst(lost: &[bool]) -> f64 {
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() + usize::from(lost[0]);
        lost.iter().filter(|&&lost| lost).count() as f64 / bursts as f64
    }
}
