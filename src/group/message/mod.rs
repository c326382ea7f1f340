//! The known messages of the group protocol, between values and bytes (flash-groups sections 2.5, 2.6 and 3).
//!
//! | message | flow | what it says |
//! |---|---|---|
//! | [`Join`] | GC, to the rendezvous | which group the client joins |
//! | [`Member`] | GC, from the rendezvous | a member to connect to |
//! | [`Init`] | 1c | the group, the proof of membership, the receiver |
//! | [`Control::Unknown02`] | 1c | nothing that is known; follows INIT |
//! | [`Control::Begin`] | 1c | the sender's receive mode, and that it is ready |
//! | [`Report`] | 1c | addresses of both ends, and the members that the receiver ought to have |
//! | [`Control::AskDisconnect`] | 1c | the sender can do without this link |
//!
//! Decoding borrows and never panics; encoding cannot fail.

mod control;
mod init;
mod join;
mod report;
#[cfg(test)]
mod tests;

pub use control::Control;
pub use init::{Init, MessageError, init_group};
pub use join::{Join, Member};
pub use report::{MAX_RECORD_AGE, MAX_REPORT, Record, Records, Report, ReportWriter};

/// Metadata of the flow between a client and the rendezvous on which it joins a group.
pub const JOIN_METADATA: &[u8] = b"GC";
/// Metadata of the control flow between two members.
pub const CONTROL_METADATA: &[u8] = b"GR\x1c";
