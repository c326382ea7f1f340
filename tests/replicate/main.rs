//! Files to many, from the command line: real processes on loopback, no server.
//!
//! `P2PT_LONG=1` kills a fetcher 100 times, and shares 100 GiB.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod b3sum;
mod disks;
mod hostile;
mod kills;
mod lists;
mod swarm;
mod terminal;
mod trouble;
