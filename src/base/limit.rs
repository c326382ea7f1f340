//! Rate limits in constant memory: a token bucket, and a fixed table of them by source prefix.

use std::net::IpAddr;

use super::Instant;

/// Tokens that refill with time: `rate` a second, never more than `burst`.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    rate: u64,
    burst: u64,
    micro_tokens: u64,
    updated: Instant,
}

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub const fn new(rate: u64, burst: u64) -> Self {
        Self { rate, burst, micro_tokens: burst.saturating_mul(1_000_000), updated: Instant::ZERO }
    }

    /// Takes `tokens` if they are there.
    pub fn take(&mut self, now: Instant, tokens: u64) -> bool {
        let elapsed = u64::try_from((now - self.updated).as_micros()).unwrap_or(u64::MAX);
        self.updated = now.max(self.updated);
        let full = self.burst.saturating_mul(1_000_000);
        self.micro_tokens = self.micro_tokens.saturating_add(elapsed.saturating_mul(self.rate)).min(full);
        let wanted = tokens.saturating_mul(1_000_000);
        let granted = self.micro_tokens >= wanted;
        if granted {
            self.micro_tokens -= wanted;
        }
        granted
    }
}

/// What one customer's addresses have in common: the /24 of an IPv4 address, the /56 of an IPv6 address.
#[must_use]
pub fn source_prefix(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(u32::from(v4) >> 8),
        // A mark in the top byte keeps the two families apart.
        IpAddr::V6(v6) => (u128::from(v6) >> 72) as u64 | 1 << 63,
    }
}

/// A bucket for each source prefix, in a table that never grows: prefixes share a bucket where they collide, so a
/// flood of sources can slow some honest ones down but can't make the table larger.
#[derive(Debug)]
pub struct PrefixBuckets {
    key: u64,
    buckets: Vec<TokenBucket>,
}

impl PrefixBuckets {
    /// `slots` buckets of `rate` tokens a second and `burst` at most. `key` is secret, so that nobody can choose whom
    /// to collide with.
    #[must_use]
    pub fn new(key: u64, slots: usize, rate: u64, burst: u64) -> Self {
        Self { key, buckets: vec![TokenBucket::new(rate, burst); slots.max(1)] }
    }

    /// Takes `tokens` from the bucket of `source`'s prefix if they are there.
    pub fn take(&mut self, now: Instant, source: IpAddr, tokens: u64) -> bool {
        let mixed = (source_prefix(source) ^ self.key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = ((u128::from(mixed ^ mixed >> 29) * self.buckets.len() as u128) >> 64) as usize;
        self.buckets[slot].take(now, tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_grants_its_burst_then_its_rate() {
        let mut bucket = TokenBucket::new(10, 5);
        let at = |ms: u64| Instant::from_micros(ms * 1000);
        assert_eq!((0..9).filter(|_| bucket.take(at(0), 1)).count(), 5);
        assert!(!bucket.take(at(99), 1));
        assert!(bucket.take(at(100), 1));
        assert_eq!((0..100).filter(|_| bucket.take(at(60_000), 1)).count(), 5);
    }

    #[test]
    fn neighbours_in_a_prefix_share_and_strangers_rarely_do() {
        let mut table = PrefixBuckets::new(7, 4096, 1, 3);
        let v4 = |a: u8, d: u8| IpAddr::from([10, 0, a, d]);
        assert_eq!((0..9).filter(|d| table.take(Instant::ZERO, v4(0, *d), 1)).count(), 3);
        let others = (1..=200).filter(|a| table.take(Instant::ZERO, v4(*a, 1), 1)).count();
        assert!(others > 190, "{others}");
    }
}
