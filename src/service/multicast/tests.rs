//! Stories of streams.

mod air;
mod basics;
mod crowd;
mod hostile;
mod odd;
mod talk;
mod world;
