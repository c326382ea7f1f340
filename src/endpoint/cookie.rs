//! Cookies of the stateless responder (RFC 7016 sections 3.5.1.1.2 and 3.5.1.2).
//!
//! 64 bytes, because some initiators take no other length: time (4), chance (12), a MAC over these (24), a MAC over
//! these and the initiator's address and port (24). The first MAC says that we made it, the second for whom.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::base::{Instant, Rng};

/// Bytes of a cookie of ours.
pub(crate) const COOKIE_LEN: usize = 64;
/// The longest cookie that is taken from others.
pub(crate) const MAX_COOKIE_LEN: usize = 1024;
/// Whole seconds that a cookie is good for. RFC 7016 wants at least 95; the clock of cookies ticks once a second.
const LIFETIME: u32 = 105;

const TIME: usize = 4;
const BODY: usize = 16;
const MAC: usize = 24;

/// Makes cookies and recognizes them again; the secret lives and dies with it.
pub(crate) struct CookieJar {
    keyed: Hmac<Sha256>,
    /// Added to the time, so that a cookie does not tell how long the process has been running.
    epoch: u32,
}

/// What a cookie is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CookieCheck {
    /// Ours, fresh, and made for this address.
    Valid,
    /// Ours and fresh, but made for another address: a case for a Cookie Change.
    OtherAddress,
    /// Ours, but too old.
    Expired,
    /// Not made by this process, or cut short, or longer.
    Foreign,
}

impl CookieJar {
    /// A jar with a secret of its own.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let secret: [u8; 32] = rng.bytes();
        Self { keyed: Hmac::new_from_slice(&secret).expect("HMAC takes keys of any length"), epoch: rng.u32() }
    }

    /// A cookie for the initiator at `address`.
    pub(crate) fn make(&self, now: Instant, rng: &mut Rng, address: SocketAddr) -> [u8; COOKIE_LEN] {
        let mut cookie = [0; COOKIE_LEN];
        cookie[..TIME].copy_from_slice(&self.seconds(now).to_be_bytes());
        rng.fill(&mut cookie[TIME..BODY]);
        let [made, bound] = self.macs(&cookie[..BODY], address);
        cookie[BODY..BODY + MAC].copy_from_slice(&made);
        cookie[BODY + MAC..].copy_from_slice(&bound);
        cookie
    }

    /// What `cookie` is worth when it comes from `address`.
    pub(crate) fn check(&self, now: Instant, cookie: &[u8], address: SocketAddr) -> CookieCheck {
        let Ok(cookie) = <&[u8; COOKIE_LEN]>::try_from(cookie) else { return CookieCheck::Foreign };
        let [made, bound] = self.macs(&cookie[..BODY], address);
        if !bool::from(made.ct_eq(&cookie[BODY..BODY + MAC])) {
            return CookieCheck::Foreign;
        }
        let time = cookie.first_chunk::<TIME>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        if self.seconds(now).wrapping_sub(time) > LIFETIME {
            return CookieCheck::Expired;
        }
        if bool::from(bound.ct_eq(&cookie[BODY + MAC..])) { CookieCheck::Valid } else { CookieCheck::OtherAddress }
    }

    fn seconds(&self, now: Instant) -> u32 {
        self.epoch.wrapping_add((now.as_micros() / 1_000_000) as u32)
    }

    fn macs(&self, body: &[u8], address: SocketAddr) -> [[u8; MAC]; 2] {
        let made = self.keyed.clone().chain_update(b"made").chain_update(body);
        let bound = self.keyed.clone().chain_update(b"for ").chain_update(body);
        let bound = match address.ip() {
            IpAddr::V4(ip) => bound.chain_update(ip.octets()),
            IpAddr::V6(ip) => bound.chain_update(ip.octets()),
        };
        let bound = bound.chain_update(address.port().to_be_bytes());
        [made, bound].map(|mac| {
            let digest: [u8; 32] = mac.finalize().into_bytes().into();
            *digest.first_chunk().expect("a digest is longer than what is kept of it")
        })
    }
}

impl std::fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CookieJar").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_cookie_is_good_for_its_address_and_for_95_to_120_seconds() {
        let mut rng = Rng::for_simulation(1);
        let jar = CookieJar::new(&mut rng);
        let here: SocketAddr = "192.0.2.1:1000".parse().unwrap();
        for start in [Instant::from_micros(1), Instant::from_micros(7_999_999)] {
            let cookie = jar.make(start, &mut rng, here);
            assert_eq!(jar.check(start, &cookie, here), CookieCheck::Valid);
            let later = |s| start + std::time::Duration::from_secs(s);
            assert_eq!(jar.check(later(95), &cookie, here), CookieCheck::Valid);
            assert_eq!(jar.check(later(120), &cookie, here), CookieCheck::Expired);
            for other in ["192.0.2.1:1001", "192.0.2.2:1000", "[::ffff:192.0.2.1]:1000"] {
                assert_eq!(jar.check(start, &cookie, other.parse().unwrap()), CookieCheck::OtherAddress);
            }
        }
    }

    #[test]
    fn cookies_of_others_cut_ones_and_altered_ones_are_foreign() {
        let mut rng = Rng::for_simulation(2);
        let jar = CookieJar::new(&mut rng);
        let here: SocketAddr = "[2001:db8::1]:1935".parse().unwrap();
        let cookie = jar.make(seconds(5), &mut rng, here);
        assert_eq!(CookieJar::new(&mut rng).check(seconds(5), &cookie, here), CookieCheck::Foreign);
        assert_eq!(jar.check(seconds(5), &cookie[..63], here), CookieCheck::Foreign);
        assert_eq!(jar.check(seconds(5), &[&cookie[..], &[0]].concat(), here), CookieCheck::Foreign);
        assert_eq!(jar.check(seconds(5), &[], here), CookieCheck::Foreign);
        for at in 0..COOKIE_LEN {
            let mut altered = cookie;
            altered[at] ^= 1;
            let expected = if at < BODY + MAC { CookieCheck::Foreign } else { CookieCheck::OtherAddress };
            assert_eq!(jar.check(seconds(5), &altered, here), expected, "byte {at}");
        }
    }

    #[test]
    fn a_cookie_does_not_outlive_its_time_when_the_clock_of_cookies_wraps() {
        let mut rng = Rng::for_simulation(3);
        let mut jar = CookieJar::new(&mut rng);
        jar.epoch = u32::MAX - 10;
        let here: SocketAddr = "192.0.2.1:1000".parse().unwrap();
        let cookie = jar.make(seconds(1), &mut rng, here);
        assert_eq!(jar.check(seconds(90), &cookie, here), CookieCheck::Valid);
        assert_eq!(jar.check(seconds(190), &cookie, here), CookieCheck::Expired);
    }
}
