//! The rendezvous service, both sides: registration, introduction, connectivity checks.
//!
//! A client opens a session and, on it, a control flow (metadata `TC` 04 00, RFC 7425 section 5.1.1). On that flow it
//! sends `connect`, then `setPeerInfo` with its own addresses (section 5.3). The server answers on a return flow. From
//! then on the server introduces it: an IHello for its fingerprint is answered by a Redirect with its addresses and
//! forwarded to it as an FIHello (RFC 7016 sections 3.5.1.4 to 3.5.1.6). Content never passes here.
//!
//! Ours, and ignored by others: the developer key is the `app` of `connect` (so it never stands in an IHello); the
//! result's information object carries `observedAddress`; `connectivityCheck` asks for probes ([`Server`] sends them,
//! [`CheckReport`] is what comes of it) and may name, by peer ID and port, another socket of the asker to be probed
//! ([`ProbeTarget`]); a Redirect whose only destination is `0.0.0.0:0` says that no such peer is
//! registered.
//!
//! Programs of other makes register in the redirector's language instead (flow metadata
//! `http://zenomt.com/ns/rtmfp#redirector`); they are introduced in the same way.
//!
//! Groups are joined here too, on a flow of its own for each ([`crate::group::message::Join`]).
//!
//! Goals: no state on disk, constant work per IHello, memory linear in clients. Non-goals: carrying content, remembering
//! clients after they left.

mod check;
mod client;
mod groups;
mod messages;
mod registrar;
mod server;

pub use check::{CheckReport, ProbeSockets, ProbeTarget, Verdict};
pub use client::{Client, ClientEvent, ClientOutput, Refusal};
pub use messages::{CONTROL_METADATA, Command, KeepaliveTimers, MessageError};
pub use server::{Limits, Metrics, Server, ServerConfig, ServerEvent, ServerOutput, SessionKey};

use std::net::{Ipv4Addr, SocketAddr};

/// The address in a Redirect that means "no such peer is registered here".
pub const NOT_REGISTERED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

#[cfg(test)]
mod tests;
