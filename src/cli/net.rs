//! What every command that goes to the network needs: a runtime, names to addresses, a host.

use super::failure::Failure;
use super::status::Status;
use crate::base::Rng;
use crate::runtime::clock::seeded_rng;
use crate::runtime::{Host, HostConfig};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// Runs `work` to its end on this thread.
///
/// # Errors
/// What `work` says, or 9 if the system refuses what a runtime needs.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("begin to use the network", error))?;
    let result = runtime.block_on(work);
    // A thread that still looks up a name is not waited for.
    runtime.shutdown_background();
    result
}

/// The addresses of `host`, which may be a name, each once.
///
/// # Errors
/// `status` if there are none.
pub(super) async fn lookup(host: &str, port: u16, status: Status) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let none = |came: String| {
        Failure::new(status, format!("find the address of {host}"), came)
            .next("check the name, and that this machine reaches its name servers")
    };
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| none(error.to_string()))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(none("it has none".to_owned())) } else { Ok(addresses) }
}

/// Starts a host; a socket that cannot be had is a failure that names `listen`.
///
/// # Errors
/// 9, with what to do about it.
pub(super) fn start(config: HostConfig, listen: SocketAddr) -> Result<Host, Failure> {
    Host::start(config).map_err(|error| socket_failure(listen, error))
}

/// What a socket that the system refuses means.
pub(super) fn socket_failure(listen: SocketAddr, error: io::Error) -> Failure {
    let next = match error.kind() {
        io::ErrorKind::AddrInUse => {
            Some("another program has this port: end it, or listen on another port (0 takes a free one)")
        }
        io::ErrorKind::AddrNotAvailable => {
            Some("this machine does not have that address: choose one of its own, or [::] for all")
        }
        io::ErrorKind::PermissionDenied => Some("ports below 1024 are for root: choose a higher one"),
        _ => None,
    };
    let failure = Failure::io(format!("use the UDP address {listen}"), error);
    match next {
        Some(next) => failure.next(next),
        None => failure,
    }
}

/// A generator seeded by the system.
///
/// # Errors
/// 9 if it has no randomness to give.
pub(super) fn rng() -> Result<Rng, Failure> {
    seeded_rng().map_err(|error| Failure::io("get randomness from the system", error))
}
