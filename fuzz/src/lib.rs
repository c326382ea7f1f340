//! Fuzz targets of p2pt, as plain functions, so that they always compile and run in three ways:
//!
//! - `cargo test --test malformed` in the main package: the corpus and seeded mutations of it;
//! - `cargo run --release --no-default-features --bin smoke -- [TARGET] [RUNS] [SEED]` here, on stable: as many mutations as you like;
//! - `cargo +nightly fuzz run TARGET` here: libFuzzer, guided by coverage. Where cargo-fuzz is not installed, a nightly compiler does:
//!   `RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
//!   -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
//!   -Cllvm-args=-sanitizer-coverage-trace-compares" cargo +nightly build --release --target x86_64-unknown-linux-gnu --bins`, then
//!   `target/x86_64-unknown-linux-gnu/release/TARGET FOUND_FOLDER corpus/TARGET`.
//!
//! A new target is a function in `targets.rs` with a row in its table, a file in `fuzz_targets/`, a `[[bin]]` in `Cargo.toml` and a
//! few small files in `corpus/TARGET/`. A finding becomes a file there, named after what it shows.

pub mod mutate;
pub mod targets;
