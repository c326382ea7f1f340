//! Floor 4: one peer, once keyed (RFC 7016 sections 3.5.2 to 3.5.5, and what of 3.6 concerns all flows together).
//!
//! [`Session`] takes datagrams and gives datagrams; it never fails over what comes from the network. Keying, which
//! session a datagram belongs to, and who may come in are `endpoint`'s.
//!
//! Goals: a bulk transfer costs no allocation, hash look-up or timer operation per packet, only per batch; a lost tail or
//! an overflown socket buffer costs milliseconds, not a retransmission timeout; an outage costs no more than itself.
//! Not goals: several paths at once, forward error correction.
//!
//! | part | file |
//! |---|---|
//! | the session and what its owner may ask | `state`, `config`, `event`, `stats` |
//! | packets in, packets out, time | `receive`, `send`, `timers` |
//! | all sending flows, all receiving flows | `outbound`, `inbound` |
//! | round trip and retransmission timeout | `rtt`, `transmissions` |
//! | transmission budget, bursts | [`congestion`] |
//! | time-critical notification, ECN | `critical`, `ecn` |
//! | Pings: silence, new addresses, packet size | `liveness`, `mobility`, `pmtud` |
//! | packets larger than the path | `fragments` |
//!
//! Departures from the RFC, each explained where it is made: pacing instead of six packets between acknowledgements
//! (`congestion::pacer`), a mild answer to loss without a queue (`congestion::cubic`), loss by time and tail probes
//! (`transmissions`, `outbound`), a Ping each second in silence (`liveness`), random Ping messages instead of a keyed hash
//! (`mobility`), packet fragments in open sessions (`fragments`), nothing sent before confirmation (`state`).

mod config;
pub mod congestion;
mod critical;
mod ecn;
mod event;
mod fragments;
mod inbound;
mod liveness;
mod mobility;
mod outbound;
mod pmtud;
mod receive;
mod reordering;
mod rtt;
mod send;
mod state;
mod stats;
mod timers;
mod transmissions;

pub use config::{Role, SessionConfig, SessionParams};
pub use critical::CriticalBoard;
pub use event::{CloseReason, FlowError, FlowId, SessionEvent};
pub use pmtud::BASE_DATAGRAM;
pub use state::Session;
pub use stats::{Counters, DropReason, Drops, SessionStats};
