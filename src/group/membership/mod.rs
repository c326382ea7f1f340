//! One membership: the overlay of a group on the known wire protocol (flash-groups sections 3 and 4).
//!
//! # How it goes
//!
//! Whoever becomes known, by a hint or by a neighbour's report, is in the heard list. From that list the *best list* is
//! computed whenever it changed (section 4.3): three nearest on the ring each side, six fastest, one at random, and long
//! links. Who is in it and not connected is dialled, ring-near ones first. An open session begins with the handshake (3.1,
//! 3.4, 3.5); once both INITs are proven the peer is a neighbour. Each end then reports the members that the *other* ought to
//! have, so a newcomer finds its place in a few steps, each of which brings it nearer.
//!
//! Reports go out at once on a change near the receiver (debounced, and rarer while changes go on), otherwise to one neighbour
//! drawn by lot each period; the period grows to ten seconds while nothing changes. Neighbours whom nobody needs are left by
//! mutual consent (3.7): who is asked and still needs the asker looks for a replacement first.
//!
//! Lost members are remembered and probed, so that partitions heal.
//!
//! # What a liar can do
//!
//! Nothing before its token is proven. Then: its records are hearsay, few of them are unproven at a time, fewer when they turn
//! out false; they never push out a neighbour that is near on the ring; messages beyond a rate are dropped; all tables have
//! limits ([`MAX_MEMBERS`] and its neighbours in that file). All of it is counted in [`MembershipStats`].

mod acting;
mod core;
mod handshake;
mod limits;
mod links;
mod lost;
mod neighbours;
mod reports;
mod settings;
mod stats;
#[cfg(test)]
mod tests;
mod topology;

pub use self::core::Membership;
pub use limits::{MAX_LOST, MAX_MEMBERS, MAX_OPENING, MAX_UNPROVEN};
pub use settings::{MembershipConfig, MembershipEvent};
pub use stats::MembershipStats;
