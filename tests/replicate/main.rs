//! Files to many, from the command line: real processes on loopback, no server.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod b3sum;
mod hostile;
mod lists;
mod swarm;
