//! Directed routing: messages to the member nearest to an address, along the ring, or to all neighbours.
//!
//! [`Routing::send_to_nearest`], [`Routing::send_to_neighbor`] and [`Routing::send_to_all_neighbors`] are one hop long, as in Flash
//! (flash-groups section 6.2); [`Routing::route_to_nearest`] goes all the way.
//!
//! # On the wire
//!
//! Lane [`crate::group::Lane::Routes`]. The first byte of a message is its type; numbers are VLUs; unknown types are ignored. Types
//! 01 and 02 are those of [`crate::group::Relay`], by which letters travel. One hop:
//!
//! ```text
//! 10 TO_NEAREST    target (32 bytes) ‖ body (the rest)
//! 11 TO_NEIGHBOR   body (the rest)                          also to all neighbours
//! ```
//!
//! Payloads of letters; the first byte is the kind, unknown kinds are dropped, bytes after the last field are ignored:
//!
//! ```text
//! 01 MESSAGE    length ‖ certificate of the author
//!               return address (32): where on the ring answers go
//!               flags (1): 01 an acknowledgement is wanted
//!               instance (8): random, for each process of the author
//!               sequence ‖ time, in ms since 1970 ‖ length ‖ body (at most 65,536 bytes) ‖ signature (64)
//! 02 ACK        name (32) ‖ hops ‖ length ‖ certificate of the receiver ‖ address of the receiver (32) ‖ signature (64)
//! 03 NO_ROUTE   name (32)
//! ```
//!
//! A MESSAGE is a letter to the nearest member that takes it; it asks for tickets and enters its gateway if an acknowledgement is
//! wanted. ACK and NO_ROUTE are letters to the very member at the return address, via the gateway. A message's *name* is the SHA-256 of
//! its payload. Signed are, after the label and as in the fields, numbers in 8 bytes, LP(x) = length in 4 bytes ‖ x:
//!
//! ```text
//! MESSAGE  "p2pt/1 route" 00 ‖ group ID ‖ author's peer ID ‖ return address ‖ target ‖ flags ‖ instance ‖ sequence ‖ time ‖ LP(body)
//! ACK      "p2pt/1 ack" 00 ‖ group ID ‖ receiver's peer ID ‖ receiver's address ‖ return address ‖ name ‖ hops
//! ```
//!
//! The peer ID is the certificate's, which may be another than the one that the member has in the group. Every member on the
//! way checks signatures, and leaves a neighbour that hands it a bad one. NO_ROUTE is not signed: whoever could forge it is on
//! the way and could drop the message as well; it only makes the author try another way sooner.
//!
//! Messages older than five minutes or more than ten minutes ahead are dropped. Each (author, instance, sequence) is delivered once
//! while it could pass that window, as long as no more than 16,384 arrive in it; a repeated one is acknowledged again.
//! The author sends a message whose acknowledgement does not come again, over another first hop, after 15 and after 45
//! hundredths of the time that it waits, or as soon as NO_ROUTE comes.

mod letter;
mod seen;
mod service;
mod types;

pub use letter::{Ack, Message, no_route_name};
pub use service::Routing;
pub use types::{MAX_BODY, RouteId, Routed, RoutingConfig, RoutingEvent, RoutingStats, SendMode, SendResult};
