//! Stories of streams.

mod air;
mod basics;
mod crowd;
mod talk;
mod world;
