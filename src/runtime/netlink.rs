//! Linux's own notices of changes to links, addresses and routes (rtnetlink).

use std::io;
use std::time::Duration;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use tokio::net::UdpSocket;

/// `RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR`, `RTMGRP_IPV4_ROUTE`, `RTMGRP_IPV6_IFADDR`. Routes of IPv6 are left out: each
/// router advertisement renews them.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100;
/// Numbers of the messages that tell of routes: `RTM_NEWROUTE` and `RTM_DELROUTE`.
const ROUTES: [u16; 2] = [24, 25];

/// A subscription.
#[derive(Debug)]
pub(super) struct Notices {
    /// Datagrams all the same, only of another address family: connecting and addresses are all that would not work.
    socket: UdpSocket,
}

impl Notices {
    pub(super) fn subscribe() -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        // Protocol 0 of this family is NETLINK_ROUTE.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self { socket: UdpSocket::from_std(socket.into())? })
    }

    /// Waits for a change and for the burst to settle; whether a route was among it.
    pub(super) async fn wait(&mut self, settle: Duration) -> io::Result<bool> {
        self.socket.readable().await?;
        tokio::time::sleep(settle).await;
        let mut rerouted = false;
        let mut message = vec![0; 16 << 10];
        loop {
            match self.socket.try_recv(&mut message) {
                Ok(len) => rerouted |= tells_of_routes(message.get(..len).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(rerouted),
                // The kernel had more to tell than fits: anything may have changed.
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                    rerouted = true;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether one of the messages end to end in `bytes` (each a header of 16 bytes with its length first) is of routes.
fn tells_of_routes(mut bytes: &[u8]) -> bool {
    while let Some((&[a, b, c, d, k0, k1], _)) = bytes.split_first_chunk::<6>() {
        if ROUTES.contains(&u16::from_ne_bytes([k0, k1])) {
            return true;
        }
        let len = u32::from_ne_bytes([a, b, c, d]) as usize;
        bytes = bytes.get(len.max(16).next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, len: usize) -> Vec<u8> {
        let mut bytes = (len as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(len.next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_route_is_found_behind_other_messages() {
        assert!(!tells_of_routes(&[]));
        assert!(!tells_of_routes(&[message(16, 33), message(20, 16)].concat()));
        assert!(tells_of_routes(&[message(16, 33), message(24, 16)].concat()));
        assert!(!tells_of_routes(&message(16, 0)));
    }

    #[tokio::test]
    async fn subscribing_needs_no_privilege_and_quiet_is_quiet() {
        let mut notices = Notices::subscribe().unwrap();
        let wait = notices.wait(Duration::ZERO);
        // Other tests may change interfaces meanwhile, so an answer is fine; an error is not.
        if let Ok(result) = tokio::time::timeout(Duration::from_millis(50), wait).await {
            result.unwrap();
        }
    }
}
