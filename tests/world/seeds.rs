//! Runs a scene over many seeds on all cores, and says which seeds fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A scene is run at least with so many seeds; `P2PT_SEEDS` says otherwise, `P2PT_SEED` picks a single one.
const SEEDS: u64 = 1_000;
/// One seed in so many is run twice, to see that it gives the same bytes.
const TWICE: u64 = 10;

/// What identifies a run: the digest of all its traffic.
pub(crate) type Digest = [u8; 32];

/// Runs `scene` over all seeds. A scene asserts what has to hold and returns the digest of its world.
pub(crate) fn for_each_seed(name: &str, scene: impl Fn(u64) -> Digest + Sync) {
    if let Some(seed) = number("P2PT_SEED") {
        scene(seed);
        return;
    }
    over(name, number("P2PT_SEEDS").unwrap_or(SEEDS), scene);
}

/// Runs `scene` over the first seeds: for scenes that take long. `P2PT_SEEDS` raises their number in proportion.
pub(crate) fn for_some_seeds(name: &str, count: u64, scene: impl Fn(u64) -> Digest + Sync) {
    if let Some(seed) = number("P2PT_SEED") {
        scene(seed);
        return;
    }
    over(name, (number("P2PT_SEEDS").unwrap_or(SEEDS) * count / SEEDS).max(1), scene);
}

/// Whether `P2PT_LONG` asks for what takes minutes.
pub(crate) fn long() -> bool {
    std::env::var_os("P2PT_LONG").is_some()
}

fn over(name: &str, count: u64, scene: impl Fn(u64) -> Digest + Sync) {
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count || failed.lock().is_ok_and(|failed| failed.len() >= 3) {
                return;
            }
            let run = || {
                let digest = scene(seed);
                if seed.is_multiple_of(TWICE) {
                    assert_eq!(digest, scene(seed), "the same seed gives other bytes");
                }
            };
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                eprintln!("{name} fails with seed {seed}: P2PT_SEED={seed} cargo test --test world {name}");
                failed.lock().expect("nobody panics under the lock").push(seed);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().expect("nobody panics under the lock");
    assert!(failed.is_empty(), "{name} fails with seeds {failed:?} of {count}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
