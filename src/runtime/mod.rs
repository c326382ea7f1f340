//! Floor 9: the real world: tokio, UDP, IP multicast, interface changes, files.
//!
//! Nothing below this floor reads a clock, opens a socket or draws chance from the operating system.

pub mod clock;
mod datagrams;
mod driver;
mod errors;
pub mod files;
mod group;
mod host;
pub mod identity;
pub mod interfaces;
pub mod multicast;
#[cfg(target_os = "linux")]
mod netlink;
mod peer;
mod state;
mod stream;
mod tuning;
pub mod udp;

pub use group::{Group, GroupItem};
pub use host::{Host, HostConfig};
pub use peer::{Incoming, Peer};
pub use stream::{Answers, Closed, Item, ReceiveError, RecvStream, SendError, SendStream, Within};
