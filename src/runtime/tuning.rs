//! Sizes of socket buffers, and what to tell the user where the kernel keeps them small.

use std::io;

use socket2::SockRef;

/// Bytes asked of the kernel for each direction's socket buffer.
pub const SOCKET_BUFFER: usize = 7 << 20;

/// Asks the kernel for buffers of [`SOCKET_BUFFER`] bytes, and says what to do where it gives less.
#[must_use]
pub(super) fn enlarge_buffers(socket: &SockRef<'_>) -> Option<String> {
    enlarge(SOCKET_BUFFER, |bytes| socket.set_recv_buffer_size(bytes));
    enlarge(SOCKET_BUFFER, |bytes| socket.set_send_buffer_size(bytes));
    let receive = granted(socket.recv_buffer_size());
    let send = granted(socket.send_buffer_size());
    if receive >= SOCKET_BUFFER && send >= SOCKET_BUFFER {
        return None;
    }
    // Root may go beyond the limit for ordinary users.
    #[cfg(target_os = "linux")]
    let (receive, send) = {
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&**socket, SOCKET_BUFFER);
        let _ = rustix::net::sockopt::set_socket_send_buffer_size_force(&**socket, SOCKET_BUFFER);
        (granted(socket.recv_buffer_size()), granted(socket.send_buffer_size()))
    };
    advice(receive, send)
}

/// Asks for `bytes`, or where even asking is refused (macOS, BSD) for half and half again.
fn enlarge(mut bytes: usize, set: impl Fn(usize) -> io::Result<()>) {
    while bytes > 1 << 17 && set(bytes).is_err() {
        bytes /= 2;
    }
}

/// What the kernel granted. Linux answers with twice that, as room for its own bookkeeping.
fn granted(answer: io::Result<usize>) -> usize {
    answer.unwrap_or(0) / if cfg!(any(target_os = "linux", target_os = "android")) { 2 } else { 1 }
}

fn advice(receive: usize, send: usize) -> Option<String> {
    let kib = |bytes: usize| format!("{} KiB", bytes >> 10);
    let mut short = Vec::new();
    let mut raise = Vec::new();
    if receive < SOCKET_BUFFER {
        short.push(format!("{} for receiving", kib(receive)));
        raise.push(format!("net.core.rmem_max={SOCKET_BUFFER}"));
    }
    if send < SOCKET_BUFFER {
        short.push(format!("{} for sending", kib(send)));
        raise.push(format!("net.core.wmem_max={SOCKET_BUFFER}"));
    }
    if short.is_empty() {
        return None;
    }
    let raise = if cfg!(target_os = "linux") {
        format!("sysctl -w {}", raise.join(" "))
    } else if cfg!(windows) {
        "no setting is known".to_owned()
    } else {
        format!("sysctl -w kern.ipc.maxsockbuf={}", SOCKET_BUFFER * 2)
    };
    Some(format!(
        "the kernel gives a socket buffer of {}, not {}: fast transfers may lose packets; to raise it: {raise}",
        short.join(" and "),
        kib(SOCKET_BUFFER),
    ))
}
