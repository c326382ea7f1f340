//! Malformed input: no bytes make a parser panic or contradict itself.

// The bodies of the fuzz targets, which the fuzz package exports.
#[allow(unreachable_pub)]
#[path = "../fuzz/src/mutate.rs"]
mod mutate;
#[allow(unreachable_pub)]
#[path = "../fuzz/src/targets.rs"]
mod targets;

#[path = "malformed/parsers.rs"]
mod parsers;
