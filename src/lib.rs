//! p2pt: peer-to-peer utilities over RTMFP (RFC 7016, RFC 7425).
//!
//! The library is sans-IO from the wire up to [`node`]: bytes, time and chance come in as arguments, packets and events
//! come out. [`sim`] runs it in virtual time, [`runtime`] on UDP sockets.
//!
//! | floor | module | holds |
//! |---|---|---|
//! | 0 | [`base`] | values: time, seeded chance, ids, paths, range sets |
//! | 1 | [`wire`] | RFC 7016 section 2 and AMF: bytes to values and back |
//! | 2 | [`crypto`] | the profiles `strong`, `flash`, `plain` |
//! | 3 | [`flow`] | one direction of one flow |
//! | 4 | [`session`] | one peer, once keyed |
//! | 5 | [`endpoint`] | many sessions: startup, demultiplexing, redirect, forwarding |
//! | 6 | [`group`] | one membership: groupspec, ring, members, neighbours |
//! | 7 | [`service`] | rendezvous, both sides; posting, routing, storage |
//! | 8 | [`node`] | all of it as one sans-IO object |
//! | 9 | [`sim`] | the virtual world |
//! | 9 | [`runtime`] | the real world |
//! | 10 | [`cli`] | the commands |
//!
//! [`rfc7016`] says of each requirement of the RFC where it is met, and where p2pt departs.

pub mod base;
pub mod cli;
pub mod crypto;
pub mod endpoint;
pub mod flow;
pub mod group;
pub mod node;
#[doc = include_str!("rfc7016.md")]
pub mod rfc7016 {}
pub mod runtime;
pub mod service;
pub mod session;
pub mod sim;
pub mod wire;
