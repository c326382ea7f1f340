//! Floor 3: one direction of one flow (RFC 7016 section 3.6).
//!
//! [`SendFlow`] queues messages, cuts them into fragments when they are first sent, and repairs what is lost. [`RecvFlow`] puts
//! fragments back together and says what to acknowledge. Neither has a clock, a packet or a congestion window: the session gives
//! time and space, and owns what its flows share (TSN counter, alarms, transmission budget, ACK_NOW).

mod assembly;
mod flight;
mod outbox;
mod priority;
mod probe;
mod reassembly;
mod recv;
mod recv_types;
mod send;
mod send_types;
mod window;

pub use priority::Priority;
pub use recv::RecvFlow;
pub use recv_types::{AckReasons, Fit, Order, Receipt, ReceiveLimits, RecvEvent};
pub use send::SendFlow;
pub use send_types::{
    AckOutcome, Assembled, Lifetime, MAX_METADATA, MessageId, Naks, OpenError, SendEvent, SendOptions, WriteError,
};

#[cfg(test)]
mod figure_tests;
#[cfg(test)]
mod pair_tests;
#[cfg(test)]
mod recv_tests;
#[cfg(test)]
mod send_tests;
#[cfg(test)]
mod test_support;
