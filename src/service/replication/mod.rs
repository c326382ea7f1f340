//! Object replication as NetGroup offers it: members say which objects they have, and get those that they want from
//! neighbours.
//!
//! Objects are known by their index, 0 to 2^53, and are bytes without meaning here: whoever wants one looks at what came, and says
//! [`Replication::bad`] if it is not what it should be. Nothing is pushed: what is wanted is asked for, once, of a
//! neighbour that has it.

mod announce;
mod fetch;
mod message;
mod neighbour;
mod pipe;
mod serve;
mod service;
#[cfg(test)]
mod tests;
mod types;

pub use message::{MAX_MESSAGE, Record, Span, decode};
pub use service::Replication;
pub use types::{
    MAX_INDEX, MAX_OBJECT, ReplicationConfig, ReplicationError, ReplicationEvent, ReplicationStats, RequestId, Strategy,
};
