//! Stories of posting: machines joined by a fixed random graph, messages with latency, in virtual time.

mod world;

mod hostile;
mod stories;
mod vectors;
