//! How much strangers may make us send, and to whom.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::{Instant, PrefixBuckets, Rng, TokenBucket};

/// An answer of up to so many times the request is free: it makes us no worse an amplifier than a plain server.
const FREE_FACTOR: usize = 3;
/// Buckets in a table by prefix: 32 KiB each.
const PREFIX_SLOTS: usize = 1024;

/// The bytes that answers to strangers may have beyond three times their requests: so many in all, so many for each /24
/// or /56.
#[derive(Debug)]
pub(crate) struct AnswerBudget {
    global: TokenBucket,
    prefixes: PrefixBuckets,
}

impl AnswerBudget {
    /// `rate` bytes a second in all; a prefix gets an eighth of it.
    pub(crate) fn new(rng: &mut Rng, rate: u64) -> Self {
        let share = (rate / 8).max(1);
        Self {
            global: TokenBucket::new(rate, rate),
            prefixes: PrefixBuckets::new(rng.u64(), PREFIX_SLOTS, share, share),
        }
    }

    /// Whether a request of `request` bytes from `source` may have an answer of `answer` bytes.
    pub(crate) fn allows(&mut self, now: Instant, source: IpAddr, request: usize, answer: usize) -> bool {
        answer <= request.saturating_mul(FREE_FACTOR)
            || self.prefixes.take(now, source, answer as u64) && self.global.take(now, answer as u64)
    }
}

/// A table by prefix for something that happens at most `rate` times a second, `burst` times at once.
pub(crate) fn rate_by_prefix(rng: &mut Rng, rate: u64, burst: u64) -> PrefixBuckets {
    PrefixBuckets::new(rng.u64(), PREFIX_SLOTS, rate, burst)
}

/// Whether a datagram can honestly come from there: from a host, and from a port that can be answered.
pub(crate) fn is_possible_source(address: SocketAddr) -> bool {
    let ip = address.ip();
    let reserved = match ip {
        IpAddr::V4(v4) => v4.octets()[0] == 0 || v4.octets()[0] >= 240,
        IpAddr::V6(_) => false,
    };
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !reserved
}

/// Whether we would send to `address` because `teacher` says so. Nobody but a process on this machine may point us at
/// services on its loopback.
pub(crate) fn is_fit_on_hearsay(address: SocketAddr, teacher: IpAddr) -> bool {
    let mapped = matches!(address.ip(), IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    is_possible_source(address) && !mapped && (!address.ip().is_loopback() || teacher.is_loopback())
}

/// Whether `address` lies in the network of `bits` leading bits around `network`.
pub(crate) fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(u32::from(a)), u128::from(u32::from(n)), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (u128::from(a), u128::from(n), 128),
        _ => return false,
    };
    let host_bits = width - u32::from(bits).min(width);
    host_bits == 128 || address >> host_bits == network >> host_bits
}

/// At most `N` times in a window for each address, exactly, in a table that never grows. When its row is full of
/// addresses that still count, a new one is refused.
#[derive(Debug)]
pub(crate) struct RecentAddresses<const N: usize> {
    key: u64,
    window: Duration,
    rows: Vec<[Option<Recent<N>>; 4]>,
}

#[derive(Debug, Clone, Copy)]
struct Recent<const N: usize> {
    address: SocketAddr,
    times: [Option<Instant>; N],
}

impl<const N: usize> RecentAddresses<N> {
    /// An empty table of `rows` times four addresses.
    pub(crate) fn new(rng: &mut Rng, rows: usize, window: Duration) -> Self {
        Self { key: rng.u64(), window, rows: vec![[None; 4]; rows.max(1)] }
    }

    /// Whether `address` may once more; if so it counts.
    pub(crate) fn allows(&mut self, now: Instant, address: SocketAddr) -> bool {
        let at = (mix(address, self.key) % self.rows.len() as u64) as usize;
        let is_recent = |time: &Option<Instant>| time.is_some_and(|time| now - time < self.window);
        let row = &mut self.rows[at];
        let known = row.iter().position(|cell| cell.as_ref().is_some_and(|recent| recent.address == address));
        let cell = known.or_else(|| {
            row.iter().position(|cell| cell.as_ref().is_none_or(|recent| !recent.times.iter().any(is_recent)))
        });
        let Some(cell) = cell else { return false };
        if known.is_none() {
            row[cell] = Some(Recent { address, times: [None; N] });
        }
        let Some(recent) = &mut row[cell] else { return false };
        match recent.times.iter_mut().find(|time| !is_recent(time)) {
            Some(time) => {
                *time = Some(now);
                true
            }
            None => false,
        }
    }
}

fn mix(address: SocketAddr, key: u64) -> u64 {
    let ip = match address.ip() {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    [ip as u64, (ip >> 64) as u64, u64::from(address.port())].iter().fold(key, |hash, word| {
        let product = u128::from(hash ^ word ^ 0x9e37_79b9_7f4a_7c15) * u128::from(0xd6e8_feb8_6659_fd93_u64 ^ key);
        (product >> 64) as u64 ^ product as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_beyond_three_times_the_request_cost_budget() {
        let mut budget = AnswerBudget::new(&mut Rng::for_simulation(1), 8000);
        let source = |n: u32| IpAddr::from(n.to_be_bytes());
        for n in 0..10_000 {
            assert!(budget.allows(Instant::ZERO, source(n << 8), 148, 444));
        }
        let spent: usize = (0..10_000).filter(|n| budget.allows(Instant::ZERO, source(n << 8), 64, 404)).count() * 404;
        assert!((7000..=8000).contains(&spent), "{spent}");
        let mut budget = AnswerBudget::new(&mut Rng::for_simulation(1), 8000);
        let one: usize = (0..100).filter(|_| budget.allows(Instant::ZERO, source(7), 64, 404)).count() * 404;
        assert!((500..=1000).contains(&one), "{one}");
    }

    #[test]
    fn an_address_counts_exactly_within_its_window() {
        let mut recent = RecentAddresses::<3>::new(&mut Rng::for_simulation(1), 16, Duration::from_secs(10));
        let address = "192.0.2.1:5".parse().unwrap();
        let at = |s| Instant::from_micros(s * 1_000_000);
        let granted: Vec<u64> = (0..40).filter(|s| recent.allows(at(*s), address)).collect();
        assert_eq!(granted, [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]);
        assert!(recent.allows(at(33), "192.0.2.1:6".parse().unwrap()));
    }

    #[test]
    fn a_flood_of_addresses_is_bounded_by_the_table() {
        let mut recent = RecentAddresses::<3>::new(&mut Rng::for_simulation(1), 16, Duration::from_secs(10));
        let granted = (0..10_000u32)
            .filter(|n| recent.allows(Instant::ZERO, SocketAddr::new(IpAddr::from(n.to_be_bytes()), 9)))
            .count();
        assert!(granted <= 16 * 4, "{granted}");
    }

    #[test]
    fn hearsay_never_leads_to_loopback_groups_or_port_0() {
        let outside: IpAddr = "203.0.113.1".parse().unwrap();
        let fit = |text: &str, teacher| is_fit_on_hearsay(text.parse().unwrap(), teacher);
        for bad in [
            "127.0.0.1:9",
            "[::1]:9",
            "224.0.0.1:9",
            "[ff02::1]:9",
            "255.255.255.255:9",
            "0.0.0.0:9",
            "0.1.2.3:9",
            "[::]:9",
            "192.0.2.1:0",
            "[::ffff:127.0.0.1]:9",
            "250.0.0.1:9",
        ] {
            assert!(!fit(bad, outside), "{bad}");
        }
        for good in ["192.168.1.1:9", "198.51.100.1:1935", "[2001:db8::1]:9", "[fe80::1]:9"] {
            assert!(fit(good, outside), "{good}");
        }
        assert!(fit("127.0.0.1:9", "127.0.0.1".parse().unwrap()));
        assert!(fit("[::1]:9", "127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn networks_contain_their_hosts() {
        let within = |a: &str, n: &str, bits| is_within(a.parse().unwrap(), n.parse().unwrap(), bits);
        assert!(within("192.168.1.77", "192.168.1.1", 24));
        assert!(!within("192.168.2.77", "192.168.1.1", 24));
        assert!(within("fe80::5", "fe80::1", 64));
        assert!(within("9.9.9.9", "1.1.1.1", 0));
        assert!(!within("::1", "127.0.0.1", 0));
    }
}
