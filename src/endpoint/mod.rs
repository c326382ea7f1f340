//! Floor 5: many sessions over a few sockets.
//!
//! [`Endpoint`] demultiplexes, opens sessions and answers those who want one, statelessly until they have proved that
//! they are where they say; it redirects and forwards, and decides which of two sessions with one peer stays. What only
//! a service can decide, it raises as events and takes as commands.
//!
//! What a stranger can cause is bounded everywhere: answers by the size of what they answer or by a byte budget,
//! public-key work by a cookie and the rate of the source, memory by tables of fixed size. Whatever is dropped is
//! counted by reason ([`Stats`]).
//!
//! Not here: who is let in, who is introduced to whom (`service`, `node`); sockets and clocks (`runtime`).

mod answers;
mod backoff;
mod candidates;
mod config;
mod context;
mod cookie;
mod core;
mod demux;
mod event;
mod forward;
mod fragments;
mod glare;
mod ids;
mod initiator;
mod keying;
mod lifecycle;
mod machine;
mod opening;
mod openings;
mod outbox;
mod pendings;
mod responder;
mod stats;
mod table;

pub use config::EndpointConfig;
pub use event::{EndpointEvent, ForwardAnswer, ForwardTrust, OpenFailure, OpeningId, OpeningTerms, SessionHandle};
pub use machine::Endpoint;
pub use stats::{DropReason, Stats};
