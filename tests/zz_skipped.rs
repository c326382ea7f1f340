//! Runs last, by its name: says once more what this run has skipped.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

mod support;

use std::io::Write;

#[test]
fn what_was_skipped() {
    let all = support::skip::take();
    if !all.is_empty() {
        let _ = writeln!(std::io::stderr(), "\n{} skipped in this run:\n  {}\n", all.len(), all.join("\n  "));
    }
}
