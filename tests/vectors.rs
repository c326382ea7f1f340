//! Vectors that others made: the codecs must read them as described and write the same bytes.

#[path = "vectors/groups.rs"]
mod groups;
#[path = "vectors/groupspecs.rs"]
mod groupspecs;
#[path = "vectors/recorded.rs"]
mod recorded;
#[path = "vectors/wire.rs"]
mod wire;
