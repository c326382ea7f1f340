//! Groups from the command line: real processes on loopback, no server.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod crowd;
mod member;
mod passwords;
mod rendezvous;
mod secrets;
mod services;
mod socket;
mod spec;
mod stalled;
