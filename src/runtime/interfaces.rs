//! The machine's own addresses, and notice of their changes.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// One address of one network interface that is up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalAddress {
    /// The interface's number.
    pub index: u32,
    /// The address.
    pub ip: IpAddr,
    /// Bits that it shares with its neighbours on the link.
    pub prefix: u8,
}

/// The addresses of all interfaces that are up, in a fixed order.
///
/// # Errors
/// What the operating system says when asked.
pub fn list() -> io::Result<Vec<LocalAddress>> {
    let mut addresses: Vec<LocalAddress> = if_addrs::get_if_addrs()?
        .into_iter()
        // Windows reports no state here for some adapters, but lists addresses of live ones only.
        .filter(|found| cfg!(windows) || found.is_oper_up() || found.is_loopback())
        .map(|found| {
            let prefix = match &found.addr {
                if_addrs::IfAddr::V4(v4) => v4.prefixlen,
                if_addrs::IfAddr::V6(v6) => v6.prefixlen,
            };
            LocalAddress { index: found.index.unwrap_or(0), ip: found.ip(), prefix }
        })
        .collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// The addresses under which others may reach a socket bound to `bound`: those that lead beyond the machine and that
/// mean the same everywhere.
#[must_use]
pub fn reachable(addresses: &[LocalAddress], bound: SocketAddr, both_versions: bool) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    addresses
        .iter()
        .map(|address| address.ip)
        .filter(|ip| both_versions || ip.is_ipv4() == bound.is_ipv4())
        .filter(|ip| match ip {
            IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
            IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
        })
        .map(|ip| SocketAddr::new(ip, bound.port()))
        .collect()
}

/// How long to let a burst of changes settle.
const SETTLE: Duration = Duration::from_millis(30);
/// How often to look where the system gives no notice.
const POLL: Duration = Duration::from_secs(1);

/// Notices changes of addresses, links and routes: by netlink on Linux, by looking each second elsewhere.
#[derive(Debug)]
pub struct Watcher {
    current: Vec<LocalAddress>,
    #[cfg(target_os = "linux")]
    notices: Option<super::netlink::Notices>,
}

impl Watcher {
    /// Begins to watch.
    ///
    /// # Errors
    /// What the operating system says when asked for the addresses.
    pub fn start() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let notices = super::netlink::Notices::subscribe()
            .inspect_err(|error| tracing::debug!(%error, "no netlink notices, looking each second instead"))
            .ok();
        Ok(Self {
            #[cfg(target_os = "linux")]
            notices,
            current: list()?,
        })
    }

    /// The addresses as last seen.
    #[must_use]
    pub fn current(&self) -> &[LocalAddress] {
        &self.current
    }

    /// Waits until something changed that may move the machine's traffic to another way.
    pub async fn changed(&mut self) -> &[LocalAddress] {
        loop {
            let rerouted = self.notice().await;
            // An error now may be none in a moment; the old list serves till then.
            let found = list().unwrap_or_else(|_| self.current.clone());
            if rerouted || found != self.current {
                self.current = found;
                return &self.current;
            }
        }
    }

    /// Waits for a reason to look; whether a route changed.
    async fn notice(&mut self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(notices) = &mut self.notices {
            match notices.wait(SETTLE).await {
                Ok(rerouted) => return rerouted,
                Err(error) => {
                    tracing::debug!(%error, "netlink notices ended, looking each second instead");
                    self.notices = None;
                }
            }
        }
        tokio::time::sleep(POLL).await;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ip: &str, prefix: u8) -> LocalAddress {
        LocalAddress { index: 1, ip: ip.parse().unwrap(), prefix }
    }

    #[test]
    fn the_machine_has_a_loopback_address() {
        assert!(list().unwrap().iter().any(|found| found.ip.is_loopback() && found.index > 0));
    }

    #[test]
    fn only_addresses_that_mean_the_same_elsewhere_are_told() {
        let own =
            [address("127.0.0.1", 8), address("192.168.7.9", 24), address("fe80::1", 64), address("2001:db8::5", 64)];
        let told = |bound: &str, both| {
            reachable(&own, bound.parse().unwrap(), both).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told("[::]:7", true), ["192.168.7.9:7", "[2001:db8::5]:7"]);
        assert_eq!(told("0.0.0.0:7", false), ["192.168.7.9:7"]);
        assert_eq!(told("127.0.0.1:7", false), ["127.0.0.1:7"]);
    }
}
