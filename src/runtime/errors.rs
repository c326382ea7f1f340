//! The network's own answers to our datagrams: ICMP errors, as Linux queues them on the socket that sent.
//!
//! Other systems hand such errors to nobody on an unconnected socket (macOS) or without the address that they concern
//! (Windows): there only silence tells that a far end is gone. Those paths are untested.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

pub(super) use imp::ErrorQueue;

#[cfg(target_os = "linux")]
mod imp {
    use std::future::Future;
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd;
    use std::pin::Pin;

    use nix::errno::Errno;
    use nix::libc::{SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    use super::{Arc, Context, Poll, SocketAddr};

    /// Entries taken in one go; the rest waits for the next.
    const MAX_DRAIN: usize = 64;
    /// Room for what accompanies an entry: the error, the sender of the ICMP message, packet information.
    const CONTROL_LEN: usize = 512;

    /// The error queue of one socket.
    pub(in crate::runtime) struct ErrorQueue {
        io: Arc<UdpSocket>,
        ready: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
        found: u64,
    }

    impl ErrorQueue {
        /// Has the kernel queue errors. Where it does not, time decides: slower, not wrong.
        pub(in crate::runtime) fn new(io: &Arc<UdpSocket>) -> Self {
            let v4 = setsockopt(&**io, sockopt::Ipv4RecvErr, &true);
            let v6 = setsockopt(&**io, sockopt::Ipv6RecvErr, &true);
            if v4.and(v6).is_err() && v4.or(v6).is_err() {
                tracing::debug!("icmp errors will not be noticed");
            }
            Self { io: Arc::clone(io), ready: Box::pin(ready(Arc::clone(io))), found: 0 }
        }

        /// Entries taken so far.
        pub(in crate::runtime) fn found(&self) -> u64 {
            self.found
        }

        pub(in crate::runtime) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            let poll = self.ready.as_mut().poll(cx);
            if poll.is_ready() {
                // Forget this notice before the queue is drained, so that one that comes meanwhile is not lost.
                let _ = self.io.try_io(Interest::ERROR, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
                self.ready = Box::pin(ready(Arc::clone(&self.io)));
            }
            poll
        }

        /// Takes what is queued and names the remotes that cannot be reached.
        pub(in crate::runtime) fn drain(&mut self, mut unreachable: impl FnMut(SocketAddr)) {
            for _ in 0..MAX_DRAIN {
                let mut payload = [0; 1];
                let mut control = [0; CONTROL_LEN];
                let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
                let mut slices = [IoSliceMut::new(&mut payload)];
                let Ok(message) =
                    recvmsg::<SockaddrStorage>(self.io.as_raw_fd(), &mut slices, Some(&mut control), flags)
                else {
                    return;
                };
                self.found += 1;
                let says_so = message.cmsgs().is_ok_and(|mut all| all.any(|one| says_unreachable(&one)));
                // Where the datagram was going; what a router on the way says of it comes with the same.
                let destination = message.address.as_ref().and_then(socket_addr);
                if let Some(destination) = destination.filter(|_| says_so) {
                    unreachable(destination);
                }
            }
        }
    }

    fn says_unreachable(message: &ControlMessageOwned) -> bool {
        let error = match message {
            ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => error,
            _ => return false,
        };
        let far = error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
        let errno = Errno::from_raw(i32::try_from(error.ee_errno).unwrap_or(0));
        far && matches!(errno, Errno::ECONNREFUSED | Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EACCES)
    }

    fn socket_addr(address: &SockaddrStorage) -> Option<SocketAddr> {
        let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
    }

    async fn ready(io: Arc<UdpSocket>) {
        if io.ready(Interest::ERROR).await.is_err() {
            // The runtime is shutting down.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use tokio::net::UdpSocket;

    use super::{Arc, Context, Poll, SocketAddr};

    /// Nothing: errors come from calls only, and without the address that they concern.
    pub(in crate::runtime) struct ErrorQueue;

    impl ErrorQueue {
        pub(in crate::runtime) fn new(_: &Arc<UdpSocket>) -> Self {
            Self
        }

        pub(in crate::runtime) fn found(&self) -> u64 {
            0
        }

        pub(in crate::runtime) fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }

        pub(in crate::runtime) fn drain(&mut self, _: impl FnMut(SocketAddr)) {}
    }
}
