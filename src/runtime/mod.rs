//! Floor 9: the real world: tokio, UDP, IP multicast, interface changes, files.
//!
//! Nothing below this floor reads a clock, opens a socket or draws chance from the operating system.

pub mod clock;
mod datagrams;
mod driver;
mod errors;
pub mod identity;
pub mod interfaces;
#[cfg(target_os = "linux")]
mod netlink;

pub mod multicast;
mod tuning;
pub mod udp;
