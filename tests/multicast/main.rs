//! Live streams from the command line: real processes on loopback, no server.
//!
//! `P2PT_LONG=1` plays five minutes, and stalls for half a minute.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../connect/lab.rs"]
mod lab;
#[path = "../support/mod.rs"]
mod support;

mod bridge;
mod channel;
mod many;
mod samples;
mod trouble;
