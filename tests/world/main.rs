//! Stories of peers in the virtual world: sessions open, data flows and stays right, whatever links, NATs and moves do.
//!
//! Each story runs over many seeds (`P2PT_SEEDS`, 1,000 by default); one that fails names its seed, and `P2PT_SEED` runs that one
//! alone. What always has to hold: nothing is delivered twice or corrupted, nothing gets stuck, data under way is bounded,
//! no packet number is used twice with one key, and the same seed gives the same bytes.

mod bad_links;
mod crowds;
mod ladder;
mod load;
mod meeting;
mod moving;
mod nats;
mod outages;
mod peer;
mod seeds;
mod sharing;
mod stage;
