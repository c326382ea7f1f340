//! Floor 6: one membership in a group: groupspec, ring, members, neighbours.
//!
//! It speaks of peers and messages, never of sessions: [`Output`]s go out, [`Membership`]'s methods take what came of them.
//! The services of floor 7 stand on the [`View`] that it keeps.

mod address;
mod beacon;
mod cast;
mod contract;
mod forward;
mod grant;
mod known;
mod membership;
pub mod message;
mod outbox;
mod relay;
mod spec;
mod view;

pub use crate::crypto::password::PasswordError;
pub use crate::crypto::sign::SignKey;
pub use address::GroupAddress;
pub use beacon::{BEACON_LEN, Beacons};
pub use cast::{CastStats, Caster, Casts, MAX_CAST};
pub use contract::{FIRST_ROOM, Hint, Lane, Link, OBJECTS_ROOM, Outgoing, Output, Unreachable};
pub use forward::{Goal, MAX_DETOUR, MAX_VISITED, Step, Trail, next_step};
pub use grant::{GRANT_LEN, GrantError, GrantKind, MAX_GRANT_LIFE, sign_grant, verify_grant};
pub use membership::{
    MAX_LOST, MAX_MEMBERS, MAX_OPENING, MAX_UNPROVEN, Membership, MembershipConfig, MembershipEvent, MembershipStats,
};
pub use message::init_group;
pub use outbox::{MAX_WAITING, Outbox};
pub use relay::{Arrival, BYTE_RATE, Letter, MAX_HOPS, MAX_PAYLOAD, MAX_TICKETS, MESSAGE_RATE, Received, Relay};
pub use spec::{
    BuildError, GroupId, Groupspec, GroupspecBuilder, GroupspecError, IpMulticast, MAX_TEXT, PasswordHash, PasswordKey,
    SpecOption, kind as spec_kind,
};
pub use view::{Neighbour, ReceiveMode, View, estimate_between, target_for};
