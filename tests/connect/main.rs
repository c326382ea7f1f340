//! `p2pt connect` as processes: pipes through a rendezvous, forwarding, messages, NATs.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

mod lab;
mod nat_groups;
mod nat_matrix;
mod pipes;
#[path = "../support/mod.rs"]
mod support;
