//! The receive window (RFC 7016 section 3.6.3.5): what a receiving flow may hold, what it announces, and how that grows.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Instant;

use super::recv_types::ReceiveLimits;

/// What a fragment or a message costs beside its bytes: our choice.
pub(super) const OVERHEAD: usize = 64;
/// Unit of the advertisement (section 2.3.13).
const BLOCK: usize = 1024;
/// Round trips are measured in ticks of this length (section 2.2.4), so a shorter one says no more than this.
const SHORTEST_ROUND: Duration = Duration::from_millis(4);
/// The round trip time as long as nobody has measured it (initial SRTT of section 3.5.2.2).
const UNKNOWN_ROUND: Duration = Duration::from_millis(250);

/// BUFFER_CAPACITY, the unread part of BUFFERED_SIZE, and PREV_RWND.
///
/// The window limits the sender, or soon will, when the user takes more than half of it per round trip; then it doubles. A user
/// who takes less gets no larger one, whatever comes in.
#[derive(Debug)]
pub(super) struct Window {
    capacity: usize,
    max_capacity: usize,
    /// Bytes of complete messages that the user has not consumed.
    unread_bytes: usize,
    /// Lengths of those messages, oldest first.
    unread: VecDeque<usize>,
    /// Consumed bytes of the first of them.
    begun: usize,
    round: Duration,
    round_start: Option<Instant>,
    /// Bytes consumed since `round_start`.
    taken: usize,
    announced: Option<u64>,
}

impl Window {
    pub(super) fn new(limits: ReceiveLimits) -> Self {
        Self {
            capacity: limits.capacity,
            max_capacity: limits.max_capacity,
            unread_bytes: 0,
            unread: VecDeque::new(),
            begun: 0,
            round: UNKNOWN_ROUND,
            round_start: None,
            taken: 0,
            announced: None,
        }
    }

    pub(super) fn set_limits(&mut self, limits: ReceiveLimits) {
        self.capacity = limits.capacity;
        self.max_capacity = limits.max_capacity;
    }

    pub(super) fn set_round(&mut self, rtt: Duration) {
        self.round = rtt.max(SHORTEST_ROUND);
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// What unread messages take up.
    pub(super) fn unread(&self) -> usize {
        self.unread_bytes + self.unread.len() * OVERHEAD
    }

    /// A message of `len` bytes waits for the user.
    pub(super) fn delivered(&mut self, len: usize) {
        self.unread_bytes += len;
        self.unread.push_back(len);
    }

    /// The user has done with so many bytes.
    pub(super) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.unread_bytes);
        self.unread_bytes -= bytes;
        self.taken += bytes;
        self.begun += bytes;
        while let Some(&len) = self.unread.front()
            && len <= self.begun
        {
            self.begun -= len;
            self.unread.pop_front();
        }
    }

    /// Nothing is unread any more: it was discarded.
    pub(super) fn forget_unread(&mut self) {
        self.unread_bytes = 0;
        self.unread.clear();
        self.begun = 0;
    }

    /// Looks whether a round trip is over, and whether the window was small for it.
    pub(super) fn tick(&mut self, now: Instant) {
        let elapsed = match self.round_start {
            Some(start) if now.since(start) < self.round => return,
            Some(start) => now.since(start),
            None => self.round,
        };
        let per_round = self.taken as u128 * self.round.as_micros() / elapsed.as_micros().max(1);
        if per_round * 2 >= self.capacity as u128 && self.capacity < self.max_capacity && self.round_start.is_some() {
            self.capacity = (self.capacity * 2).min(self.max_capacity);
        }
        self.round_start = Some(now);
        self.taken = 0;
    }

    /// Blocks to announce, `stored` being what unfinished messages take up. While nobody suspends it, at least one, because
    /// else a gap could never be closed; but none once unread messages alone fill it, for there the user is the one who waits.
    pub(super) fn blocks(&self, stored: usize, suspended: bool) -> u64 {
        let unread = self.unread();
        let free = self.capacity.saturating_sub(unread + stored);
        let least = usize::from(!suspended && unread < self.capacity);
        free.div_ceil(BLOCK).max(least) as u64
    }

    /// PREV_RWND.
    pub(super) const fn announced(&self) -> Option<u64> {
        self.announced
    }

    pub(super) fn announce(&mut self, blocks: u64) {
        self.announced = Some(blocks);
    }

    /// Whether `blocks` is so much more than was announced that the sender should hear of it without asking: a quarter of the
    /// window, when less than half of it was announced.
    pub(super) fn is_worth_announcing(&self, blocks: u64) -> bool {
        let (block, capacity) = (BLOCK as u64, self.capacity as u64);
        self.announced.is_some_and(|before| {
            before * block * 2 < capacity && blocks > before && (blocks - before) * block * 4 >= capacity
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ReceiveLimits = ReceiveLimits { capacity: 10_000, max_capacity: 50_000, max_message: 1 << 20 };

    #[test]
    fn what_is_unread_counts_and_is_freed_in_whatever_portions_it_is_consumed() {
        let mut window = Window::new(LIMITS);
        for len in [1000, 0, 2000] {
            window.delivered(len);
        }
        assert_eq!(window.unread(), 3000 + 3 * OVERHEAD);
        window.consume(500);
        assert_eq!(window.unread(), 2500 + 3 * OVERHEAD);
        window.consume(1000);
        assert_eq!(window.unread(), 1500 + OVERHEAD);
        window.consume(1000);
        assert_eq!(window.unread(), 500 + OVERHEAD);
        window.consume(9999);
        assert_eq!(window.unread(), 0);
        window.delivered(0);
        window.consume(0);
        assert_eq!(window.unread(), 0);
    }

    #[test]
    fn advertisement_rounds_up_and_is_one_block_at_least_unless_nobody_reads() {
        let mut window = Window::new(LIMITS);
        assert_eq!(window.blocks(0, false), 10);
        assert_eq!(window.blocks(10_000 - 1025, false), 2);
        assert_eq!(window.blocks(10_000 - 1024, false), 1);
        assert_eq!(window.blocks(20_000, false), 1);
        assert_eq!(window.blocks(20_000, true), 0);
        window.delivered(10_000);
        assert_eq!(window.blocks(0, false), 0);
        assert_eq!(Window::new(ReceiveLimits { capacity: 0, ..LIMITS }).blocks(0, false), 0);
    }

    #[test]
    fn doubles_each_round_trip_in_which_the_user_takes_half_of_it_and_never_above_the_maximum() {
        let mut window = Window::new(LIMITS);
        window.set_round(Duration::from_millis(100));
        let mut capacities = Vec::new();
        for round in 0..6 {
            window.tick(Instant::ZERO + Duration::from_millis(100 * round));
            capacities.push(window.capacity());
            let len = window.capacity() / 2;
            window.delivered(len);
            window.consume(len);
        }
        assert_eq!(capacities, [10_000, 20_000, 40_000, 50_000, 50_000, 50_000]);
    }

    #[test]
    fn stays_where_the_user_is_slow() {
        let mut window = Window::new(LIMITS);
        window.set_round(Duration::from_millis(100));
        for round in 0..20 {
            window.tick(Instant::ZERO + Duration::from_millis(100 * round));
            window.delivered(6000);
            window.consume(4900);
        }
        // Half of the window, but in ten round trips.
        window.consume(5000);
        window.tick(Instant::ZERO + Duration::from_millis(3000));
        assert_eq!(window.capacity(), 10_000);
    }

    #[test]
    fn reopening_is_announced_unasked_only_by_a_quarter() {
        let mut window = Window::new(LIMITS);
        assert!(!window.is_worth_announcing(10));
        window.announce(1);
        assert!(!window.is_worth_announcing(3));
        assert!(window.is_worth_announcing(4));
        window.announce(5);
        assert!(!window.is_worth_announcing(10));
    }
}
