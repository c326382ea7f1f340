//! Stories of streams.

mod basics;
mod crowd;
mod world;
