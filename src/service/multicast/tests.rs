//! Stories of streams.

mod air;
mod basics;
mod crowd;
mod odd;
mod talk;
mod world;
