//! Floor 0: values that every other floor speaks in. No I/O, no clock, no global state.

mod id;
mod limit;
mod net;
mod ranges;
mod rng;
mod time;
mod wall;

pub use id::{ParseHexError, PeerId, SessionId, from_hex, to_hex};
pub use limit::{PrefixBuckets, TokenBucket, source_prefix};
pub use net::{Ecn, Interface, Path, Received, Transmit};
pub use ranges::RangeSet;
pub use rng::Rng;
pub use time::Instant;
pub use wall::WallClock;
