//! IP multicast on the local links, loopback included: how peers find each other without a server.
//!
//! Who looks for a peer sends to the group out of every interface, from its main socket; who can be found listens on
//! sockets that do nothing else, and answers from its main one. Nothing goes beyond the link: time to live 1.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use socket2::{Domain, Protocol, Socket, Type};

use super::interfaces::LocalAddress;
use super::udp::{Sent, UdpSocket};
use crate::base::{Interface, Transmit};
use crate::node::IpMulticast;

/// The discovery group for IPv4, of the block for use within an organisation (RFC 2365).
pub const GROUP_V4: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(239, 255, 112, 50), 19_350));
/// The discovery group for IPv6, on the link only.
pub const GROUP_V6: SocketAddr =
    SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0x7032, 0x7074, 1), 19_350, 0, 0));

/// A socket that hears what is sent to one group, on the interfaces that it joined.
#[derive(Debug)]
pub struct Listener {
    socket: UdpSocket,
    group: SocketAddr,
    /// The only sender to be heard.
    source: Option<IpAddr>,
}

impl Listener {
    /// Listens to `group`. Any number of processes may listen at the same time.
    ///
    /// # Errors
    /// What the operating system says, such as that it has no IPv6, or that no interface can be joined.
    pub fn start(group: SocketAddr, addresses: &[LocalAddress]) -> io::Result<Self> {
        Self::on(Interface::DISCOVERY, &IpMulticast { group, source: None }, addresses)
    }

    /// Listens to a group of members' own, as [`Interface::CAST`].
    ///
    /// # Errors
    /// As [`Listener::start`].
    pub fn to_cast(address: &IpMulticast, addresses: &[LocalAddress]) -> io::Result<Self> {
        Self::on(Interface::CAST, address, addresses)
    }

    fn on(interface: Interface, address: &IpMulticast, addresses: &[LocalAddress]) -> io::Result<Self> {
        let IpMulticast { group, source } = *address;
        let socket = Socket::new(Domain::for_address(group), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
        socket.set_reuse_port(true)?;
        if group.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // On unix the group's own address: then datagrams to other addresses of the same port stay out. Windows binds
        // to own addresses only.
        let bound = match group {
            _ if cfg!(unix) => group,
            SocketAddr::V4(_) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), group.port()),
            SocketAddr::V6(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), group.port()),
        };
        socket.bind(&bound.into())?;
        let mut listener = Self { socket: UdpSocket::from_socket(socket, interface)?, group, source };
        if listener.join(addresses) == 0 {
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no interface takes part in ip multicast"));
        }
        Ok(listener)
    }

    /// The socket to receive from; its paths carry [`Interface::DISCOVERY`] or [`Interface::CAST`].
    pub fn socket(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    /// Joins on interfaces that appeared since; how many it takes part on.
    pub fn join(&mut self, addresses: &[LocalAddress]) -> usize {
        let options = self.socket.options();
        let takes_part = |address: &&LocalAddress| {
            let result = match (self.group.ip(), address.ip) {
                (IpAddr::V4(group), IpAddr::V4(own)) => match self.source {
                    Some(IpAddr::V4(source)) => options.join_ssm_v4(&source, &group, &own),
                    _ => options.join_multicast_v4(&group, &own),
                },
                (IpAddr::V6(group), IpAddr::V6(_)) => options.join_multicast_v6(&group, address.index),
                _ => return false,
            };
            // Joined before, or by another address of the same interface.
            result.map_or_else(|error| error.kind() == io::ErrorKind::AddrInUse, |()| true)
        };
        addresses.iter().filter(takes_part).count()
    }
}

/// Keeps what `socket` sends to groups on the link, and lets listeners on this machine hear it.
pub fn prepare_sender(socket: &UdpSocket) {
    let options = socket.options();
    // One of the two versions may not be this socket's; and these are what systems begin with anyway.
    let _ = options.set_multicast_ttl_v4(1);
    let _ = options.set_multicast_loop_v4(true);
    let _ = options.set_multicast_hops_v6(1);
    let _ = options.set_multicast_loop_v6(true);
}

/// Sends `transmit`, whose remote is a group, out of every interface. What does not leave at once is dropped: whoever
/// looks for a peer repeats it.
pub fn send_everywhere(socket: &mut UdpSocket, transmit: &Transmit, addresses: &[LocalAddress]) {
    let bound = socket.local_addr().ip();
    let mut done = None;
    for address in addresses {
        let ours = bound.is_unspecified() || bound == address.ip;
        if !ours || done == Some(address.index) || address.ip.is_ipv4() != transmit.path.remote.is_ipv4() {
            continue;
        }
        done = Some(address.index);
        let (source, remote) = match (transmit.path.remote, address.ip) {
            (SocketAddr::V6(group), _) => (None, SocketAddrV6::new(*group.ip(), group.port(), 0, address.index).into()),
            (group, IpAddr::V4(own)) => {
                // Linux goes by the source address; others by this option.
                let _ = socket.options().set_multicast_if_v4(&own);
                (Some(address.ip), group)
            }
            (group, source) => (Some(source), group),
        };
        if socket.send_from(transmit, source, remote, &mut 0) == Sent::Blocked {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;
    use crate::base::Path;
    use crate::runtime::interfaces;
    use crate::runtime::udp::Buffers;

    /// Another group and port than the product's, so that a p2pt on this machine is not disturbed.
    fn group(port: u16) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::new(239, 255, 112, 51).into(), port)
    }

    async fn hear(listener: &mut Listener) -> (SocketAddr, Vec<u8>) {
        let mut buffers = Buffers::new();
        let wait = async {
            loop {
                if listener.socket().try_recv(&mut buffers) {
                    let received = buffers.received(Interface::DISCOVERY).next().expect("one datagram");
                    assert_eq!(received.path.local, None);
                    return (received.path.remote, received.data.to_vec());
                }
                poll_fn(|cx| listener.socket().poll_readable(cx)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), wait).await.expect("the group is heard")
    }

    async fn ask(bind: &str, group: SocketAddr, addresses: &[LocalAddress]) -> u16 {
        let mut asker = UdpSocket::bind(bind.parse().unwrap(), Interface::MAIN).unwrap();
        prepare_sender(&asker);
        poll_fn(|cx| asker.poll_writable(cx)).await;
        send_everywhere(&mut asker, &Transmit::single(Path::to(group), b"who is there".to_vec()), addresses);
        asker.local_addr().port()
    }

    #[tokio::test]
    async fn all_listeners_of_a_machine_hear_the_port_to_answer_to() {
        let addresses = interfaces::list().unwrap();
        let loopback: Vec<_> = addresses.into_iter().filter(|address| address.ip.is_loopback()).collect();
        let group = group(19_351);
        let mut first = Listener::start(group, &loopback).unwrap();
        let mut second = Listener::start(group, &loopback).unwrap();
        assert_eq!(second.join(&loopback), 1);
        for bind in ["[::]:0", "127.0.0.1:0"] {
            let port = ask(bind, group, &loopback).await;
            for listener in [&mut first, &mut second] {
                let (remote, data) = hear(listener).await;
                assert_eq!(remote, SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
                assert_eq!(data, b"who is there");
            }
        }
    }

    #[tokio::test]
    async fn without_an_interface_there_is_nothing_to_listen_on() {
        let error = Listener::start(group(19_352), &[]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
