//! The command line's contract, held against every row of the table, and the files it keeps.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod contract;
mod files;
mod samples;
mod tools;
mod waiting;
