//! UDP sockets: whole GSO and GRO batches, ECN marks, the local address of each datagram, both IP versions on one
//! socket.
//!
//! At this border IPv4 addresses that the kernel writes as mapped IPv6 become plain IPv4, and back; nothing above ever
//! sees a mapped one. What a send or receive meets that is not the caller's fault (an ICMP error, a datagram too large
//! for the link, an offload that the device refuses, a source address that is gone) is dealt with here.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::task::{Context, Poll};

use quinn_udp::UdpSocketState;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;

use super::datagrams::codepoint;
pub use super::datagrams::{Buffers, canonical};
use super::errors::ErrorQueue;
use super::tuning;
pub use super::tuning::SOCKET_BUFFER;
use crate::base::{Interface, Transmit};

/// Bytes that one send can carry over IPv4 and IPv6 alike.
const MAX_SEND: usize = 65_507;
/// Errors of others that a call takes off the socket before it gives up.
const MAX_RETRIES: usize = 8;

/// One bound, non-blocking UDP socket.
pub struct UdpSocket {
    io: Arc<tokio::net::UdpSocket>,
    offload: UdpSocketState,
    family: Family,
    local: SocketAddr,
    interface: Interface,
    max_segments: usize,
    errors: ErrorQueue,
    unreachable: Vec<SocketAddr>,
    stats: SocketStats,
}

/// What a socket dropped and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SocketStats {
    /// Sends larger than the link takes, as probes for the packet size are.
    pub too_big: u64,
    /// Sends for which there is no route, or no socket of their IP version.
    pub unroutable: u64,
    /// Sends refused for other reasons: a packet filter, a full queue of the device.
    pub refused: u64,
    /// Sends whose local address is gone; they left from another.
    pub stale_source: u64,
}

/// What became of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// All of it was handed to the kernel, or dropped and counted.
    Whole,
    /// The kernel takes no more now; the rest waits until the socket is writable.
    Blocked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
    Dual,
}

impl UdpSocket {
    /// Binds a socket. `[::]` takes IPv4 too, and falls back to `0.0.0.0` on a machine without IPv6.
    ///
    /// # Errors
    /// What the operating system says: the port is taken, the address is not ours, and the like.
    pub fn bind(address: SocketAddr, interface: Interface) -> io::Result<Self> {
        let any6 = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        match open(address, any6).and_then(|socket| Self::from_socket(socket, interface)) {
            Err(error)
                if any6 && !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) =>
            {
                let any4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
                Self::from_socket(open(any4, false)?, interface)
            }
            result => result,
        }
    }

    /// Takes over a bound socket.
    ///
    /// # Errors
    /// What the operating system says when options are set.
    pub fn from_socket(socket: Socket, interface: Interface) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let socket: std::net::UdpSocket = socket.into();
        let local = canonical(socket.local_addr()?);
        let family = match socket.local_addr()? {
            SocketAddr::V4(_) => Family::V4,
            SocketAddr::V6(_) if SockRef::from(&socket).only_v6().unwrap_or(true) => Family::V6,
            SocketAddr::V6(_) => Family::Dual,
        };
        let offload = prepare(&SockRef::from(&socket))?;
        let max_segments = offload.max_gso_segments();
        let io = Arc::new(tokio::net::UdpSocket::from_std(socket)?);
        let errors = ErrorQueue::new(&io);
        let stats = SocketStats::default();
        Ok(Self { io, offload, family, local, interface, max_segments, errors, unreachable: Vec::new(), stats })
    }

    /// The address it is bound to; unspecified where it takes datagrams for any of the machine's.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The number that paths through it carry.
    #[must_use]
    pub fn interface(&self) -> Interface {
        self.interface
    }

    /// What it dropped and why.
    #[must_use]
    pub fn stats(&self) -> SocketStats {
        self.stats
    }

    /// Datagrams that one send may hold; 1 where the kernel does not cut them.
    #[must_use]
    pub fn max_segments(&self) -> usize {
        self.max_segments
    }

    /// Whether datagrams of this IP version can leave here.
    #[must_use]
    pub fn reaches(&self, remote: &IpAddr) -> bool {
        match self.family {
            Family::Dual => true,
            Family::V4 => remote.is_ipv4(),
            Family::V6 => remote.is_ipv6(),
        }
    }

    /// The socket's options.
    pub(super) fn options(&self) -> SockRef<'_> {
        SockRef::from(&*self.io)
    }

    /// Asks the kernel for buffers that a fast path needs, and says what to do where it gives less.
    #[must_use]
    pub fn enlarge_buffers(&self) -> Option<String> {
        tuning::enlarge_buffers(&self.options())
    }

    /// Receives what is there, up to the room in `buffers`; whether that was anything.
    pub fn try_recv(&mut self, buffers: &mut Buffers) -> bool {
        for _ in 0..MAX_RETRIES {
            let result = self.io.try_io(Interest::READABLE, || {
                buffers.fill(|slices, meta| self.offload.recv((&*self.io).into(), slices, meta))
            });
            match result {
                Ok(count) => return count > 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // An error of an earlier send, which the kernel hands to whoever calls next.
                Err(_) => self.take_errors(),
            }
        }
        false
    }

    /// Sends `transmit` from the byte `from` on, which moves forward.
    pub fn try_send(&mut self, transmit: &Transmit, from: &mut usize) -> Sent {
        self.send_from(transmit, transmit.path.local, transmit.path.remote, from)
    }

    /// Sends like [`UdpSocket::try_send`], but from and to the addresses given.
    pub(super) fn send_from(
        &mut self,
        transmit: &Transmit,
        mut source: Option<IpAddr>,
        remote: SocketAddr,
        from: &mut usize,
    ) -> Sent {
        let Some(destination) = self.native(remote) else {
            self.stats.unroutable += 1;
            *from = transmit.data.len();
            return Sent::Whole;
        };
        let segment = transmit.segment.max(1);
        let mut retries = 0;
        while let Some(rest) = transmit.data.get(*from..)
            && !rest.is_empty()
        {
            let segments = self.max_segments.min(MAX_SEND / segment).max(1);
            let contents = &rest[..rest.len().min(segment * segments)];
            let outgoing = quinn_udp::Transmit {
                destination,
                ecn: codepoint(transmit.ecn),
                contents,
                segment_size: (contents.len() > segment).then_some(segment),
                src_ip: source,
            };
            let result = self.io.try_io(Interest::WRITABLE, || self.offload.try_send((&*self.io).into(), &outgoing));
            let Err(error) = result else {
                *from += contents.len();
                continue;
            };
            let batched = contents.len() > segment;
            match self.judge(error, source.is_some(), batched) {
                Verdict::Block => return Sent::Blocked,
                Verdict::Again if retries < MAX_RETRIES => retries += 1,
                Verdict::WithoutSource => {
                    // The address may be gone, or the cause another: only if it works without it was that the cause.
                    let plain = quinn_udp::Transmit { src_ip: None, ..outgoing };
                    let sent = self.io.try_io(Interest::WRITABLE, || self.offload.try_send((&*self.io).into(), &plain));
                    self.forgive();
                    match sent {
                        Ok(()) => {
                            self.stats.stale_source += 1;
                            source = None;
                            *from += contents.len();
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Sent::Blocked,
                        Err(_) if batched => self.max_segments = 1,
                        Err(_) => {
                            self.stats.refused += 1;
                            *from += contents.len();
                        }
                    }
                }
                Verdict::Singly => {
                    tracing::info!("segmentation offload refused; datagrams are sent one by one");
                    self.max_segments = 1;
                    self.forgive();
                }
                Verdict::TooBig => {
                    self.stats.too_big += 1;
                    *from += contents.len();
                }
                Verdict::Unroutable | Verdict::Again => {
                    self.stats.unroutable += 1;
                    *from += contents.len();
                }
                Verdict::Refused => {
                    self.stats.refused += 1;
                    *from += contents.len();
                }
            }
        }
        Sent::Whole
    }

    /// A remote of which the network said that it cannot be reached; drain to `None`.
    pub fn poll_unreachable(&mut self) -> Option<SocketAddr> {
        self.unreachable.pop()
    }

    /// Ready when there is something to receive.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_recv_ready(cx).map(|_| ())
    }

    /// Ready when the kernel takes sends again.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_send_ready(cx).map(|_| ())
    }

    /// Ready when the network reported errors, which it has taken note of.
    pub fn poll_errors(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.errors.poll_ready(cx).map(|()| self.take_errors())
    }

    fn take_errors(&mut self) {
        let unreachable = &mut self.unreachable;
        self.errors.drain(|remote| {
            // A bound, since an attacker can send such errors; what is missed here shows by silence.
            if unreachable.len() < 64 {
                unreachable.push(canonical(remote));
            }
        });
    }

    fn judge(&mut self, error: io::Error, has_source: bool, batched: bool) -> Verdict {
        const EIO: i32 = 5;
        let is_io = cfg!(unix) && error.raw_os_error() == Some(EIO);
        match error.kind() {
            io::ErrorKind::WouldBlock => Verdict::Block,
            _ if quinn_udp::is_msg_size_err(&error) => {
                self.take_errors();
                Verdict::TooBig
            }
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => {
                // Either an ICMP error of an earlier send, then this one has not been tried, or there is no route.
                let refused = error.kind() == io::ErrorKind::ConnectionRefused;
                let found = self.errors.found();
                self.take_errors();
                match has_source {
                    _ if refused || self.errors.found() != found => Verdict::Again,
                    // Newer kernels know no route from an address that is gone.
                    true => Verdict::WithoutSource,
                    false => Verdict::Unroutable,
                }
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::AddrNotAvailable if has_source => Verdict::WithoutSource,
            io::ErrorKind::InvalidInput if batched => Verdict::Singly,
            _ if is_io && has_source => Verdict::WithoutSource,
            _ if is_io && batched => Verdict::Singly,
            _ => {
                tracing::debug!(%error, "send refused");
                Verdict::Refused
            }
        }
    }

    /// `quinn_udp` stops GSO and ECN marks for good after one refusal. Where the cause was something else, start anew.
    fn forgive(&mut self) {
        if let Ok(fresh) = prepare(&self.options()) {
            self.offload = fresh;
        }
    }

    /// The form of `remote` that this socket's family takes.
    fn native(&self, remote: SocketAddr) -> Option<SocketAddr> {
        match (self.family, remote) {
            (Family::V4, SocketAddr::V4(_)) | (Family::V6 | Family::Dual, SocketAddr::V6(_)) => Some(remote),
            (Family::Dual, SocketAddr::V4(v4)) => {
                Some(SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into())
            }
            (Family::V4, SocketAddr::V6(_)) | (Family::V6, SocketAddr::V4(_)) => None,
        }
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("local", &self.local)
            .field("interface", &self.interface)
            .finish_non_exhaustive()
    }
}

/// What a failed send calls for.
enum Verdict {
    Block,
    Again,
    WithoutSource,
    Singly,
    TooBig,
    Unroutable,
    Refused,
}

/// Turns on what the kernel offers.
fn prepare(socket: &Socket) -> io::Result<UdpSocketState> {
    let offload = UdpSocketState::new(socket.into())?;
    // The room for what accompanies a datagram is too small in quinn-udp 0.6.3: its timestamps push the ECN mark out.
    #[cfg(target_os = "linux")]
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::ReceiveTimestampns, &false)?;
    Ok(offload)
}

fn open(address: SocketAddr, dual: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!dual)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;
    use crate::base::{Ecn, Path};

    const MAIN: Interface = Interface::MAIN;

    async fn receive(socket: &mut UdpSocket, buffers: &mut Buffers) {
        let wait = async {
            while !socket.try_recv(buffers) {
                poll_fn(|cx| socket.poll_readable(cx)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), wait).await.expect("a datagram comes");
    }

    async fn send(socket: &mut UdpSocket, transmit: &Transmit) {
        let mut from = 0;
        while socket.try_send(transmit, &mut from) == Sent::Blocked {
            poll_fn(|cx| socket.poll_writable(cx)).await;
        }
        assert_eq!(from, transmit.data.len());
    }

    fn batch(remote: SocketAddr, segment: usize, len: usize) -> Transmit {
        let data = (0..len).map(|i| (i % 251) as u8).collect();
        Transmit { path: Path::to(remote), ecn: Ecn::Ect, segment, data }
    }

    #[tokio::test]
    async fn a_batch_arrives_whole_marked_and_with_plain_ipv4_addresses() {
        batch_goes_over("127.0.0.1").await;
        batch_goes_over("::1").await;
    }

    async fn batch_goes_over(ip: &str) {
        let ip: IpAddr = ip.parse().unwrap();
        let mut near = UdpSocket::bind("[::]:0".parse().unwrap(), MAIN).unwrap();
        let mut far = UdpSocket::bind(SocketAddr::new(ip, 0), MAIN).unwrap();
        let sent = batch(far.local_addr(), 1_000, 30_500);
        send(&mut near, &sent).await;

        let mut buffers = Buffers::new();
        let mut arrived = Vec::new();
        while arrived.len() < sent.data.len() {
            receive(&mut far, &mut buffers).await;
            for received in buffers.received(MAIN) {
                assert_eq!(received.path.local, Some(ip));
                assert_eq!(received.path.remote.port(), near.local_addr().port());
                assert_eq!(received.ecn, Ecn::Ect);
                assert!(received.segment == 1_000 || received.data.len() == 500);
                arrived.extend_from_slice(received.data);
            }
        }
        assert_eq!(arrived, sent.data);

        let remote = SocketAddr::new(ip, near.local_addr().port());
        send(&mut far, &Transmit::single(Path::to(remote), b"answer".to_vec())).await;
        receive(&mut near, &mut buffers).await;
        let received = buffers.received(MAIN).next().unwrap();
        assert_eq!(received.path, Path { interface: MAIN, local: Some(remote.ip()), remote: far.local_addr() });
        assert_eq!((&*received.data, received.ecn), (&b"answer"[..], Ecn::NotEct));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_closed_port_is_reported_with_its_address_and_spoils_no_later_send() {
        for bind in ["[::]:0", "127.0.0.1:0"] {
            let mut near = UdpSocket::bind(bind.parse().unwrap(), MAIN).unwrap();
            let mut far = UdpSocket::bind("127.0.0.1:0".parse().unwrap(), MAIN).unwrap();
            let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            send(&mut near, &Transmit::single(Path::to(gone), vec![1])).await;
            let noticed = poll_fn(|cx| near.poll_errors(cx));
            tokio::time::timeout(Duration::from_secs(5), noticed).await.expect("the error wakes");
            assert_eq!(near.poll_unreachable(), Some(gone));
            assert_eq!(near.poll_unreachable(), None);

            // Now without waiting: the pending error meets the next send, which goes out all the same.
            send(&mut near, &Transmit::single(Path::to(gone), vec![2])).await;
            send(&mut near, &Transmit::single(Path::to(far.local_addr()), vec![3])).await;
            receive(&mut far, &mut Buffers::new()).await;
            assert_eq!(near.poll_unreachable(), Some(gone));
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_source_address_that_is_gone_costs_neither_the_datagrams_nor_the_offload() {
        let mut near = UdpSocket::bind("[::]:0".parse().unwrap(), MAIN).unwrap();
        let mut far = UdpSocket::bind("127.0.0.1:0".parse().unwrap(), MAIN).unwrap();
        let segments = near.max_segments();
        let mut stale = batch(far.local_addr(), 100, 1_000);
        stale.path.local = Some("198.51.100.1".parse().unwrap());
        send(&mut near, &stale).await;
        assert_eq!(near.stats().stale_source, 1);
        assert_eq!(near.max_segments(), segments);
        let mut buffers = Buffers::new();
        receive(&mut far, &mut buffers).await;
        let received = buffers.received(MAIN).next().unwrap();
        assert_eq!((received.data.len(), received.ecn), (1_000, Ecn::Ect));
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_counted_and_dropped() {
        let mut near = UdpSocket::bind("127.0.0.1:0".parse().unwrap(), MAIN).unwrap();
        send(&mut near, &Transmit::single(Path::to("[::1]:9".parse().unwrap()), vec![1])).await;
        assert_eq!(near.stats().unroutable, 1);
        let remote = near.local_addr();
        send(&mut near, &Transmit::single(Path::to(remote), vec![0; 65_530])).await;
        assert_eq!(near.stats().too_big, 1);
        send(&mut near, &Transmit::single(Path::to(remote), vec![1])).await;
        receive(&mut near, &mut Buffers::new()).await;
    }

    #[test]
    fn addresses_are_written_in_one_way() {
        let canon = |text: &str| canonical(text.parse().unwrap()).to_string();
        assert_eq!(canon("[::ffff:192.0.2.7]:80"), "192.0.2.7:80");
        assert_eq!(canon("192.0.2.7:80"), "192.0.2.7:80");
        assert_eq!(canon("[2001:db8::1%7]:80"), "[2001:db8::1]:80");
        assert_eq!(canon("[fe80::1%7]:80"), "[fe80::1%7]:80");
    }
}
