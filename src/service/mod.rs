//! Floor 7: services on top of sessions. They speak of peers, flows and messages, never of packets, and never import
//! one another.

pub mod files;
pub mod multicast;
pub mod posting;
pub mod rendezvous;
pub mod replication;
pub mod routing;
pub mod storage;
