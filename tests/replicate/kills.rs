//! kill -9 at any moment.

use crate::support::Home;
use crate::support::schema::Schema;
use crate::swarm::{LONG, Seed, bytes, fetch, long, made};
use rustix::process::Signal;
use std::fs;
use std::time::{Duration, Instant};

/// Random numbers, the seed of which is printed with what fails.
struct Lot(u64);

impl Lot {
    fn new() -> Self {
        let drawn = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("P2PT_SEED").map_or(drawn, |text| text.parse().unwrap());
        eprintln!("P2PT_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// The last number that a process told under this name.
fn last(said: &str, event: &str, field: &str) -> Option<u64> {
    Schema::of_events().lines(said).iter().rev().find(|line| line["event"] == event)?[field].as_u64()
}

#[test]
fn a_fetcher_killed_at_random_moments_fetches_nothing_twice() {
    let (size, rate) = (8_000_000, 5_000_000);
    let (source, content, mut lot) = (Home::new(), bytes(size, 6), Lot::new());
    let seed = Seed::start(&["--json"], &[&made(&source, "film", &content)]);
    let home = Home::new();
    let kills = if long() { 100 } else { 5 };
    let (mut kept, mut whole) = (0, 0);
    for _ in 0..kills {
        let fetcher = fetch(&home, &["--json", "--down", "40Mbit/s"], &seed.address());
        // From before it has found anybody to when it has most.
        let moment = Instant::now() + Duration::from_millis(lot.below(1_000));
        while Instant::now() < moment && !home.path().join("film").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        fetcher.signal(Signal::KILL);
        let killed = fetcher.end(LONG);
        if home.path().join("film").exists() {
            assert!(fs::read(home.path().join("film")).unwrap() == content);
            fs::remove_file(home.path().join("film")).unwrap();
            (kept, whole) = (0, whole + 1);
            continue;
        }
        assert_eq!(killed.status, 137, "{}", killed.stderr);
        let told = last(&killed.stderr, "replicating", "bytes").unwrap_or(0);
        assert!(told == 0 || told >= kept, "{told} bytes are left of {kept}");
        kept = kept.max(told);
    }
    let ended = fetch(&home, &["--json"], &seed.address()).end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(fs::read(home.path().join("film")).unwrap() == content);
    let received = last(&ended.stderr, "fetched", "received").unwrap();
    assert!(received <= size as u64 - kept, "{received} came of what was missing of {kept}");
    seed.running.signal(Signal::TERM);
    let ended = seed.running.end(LONG);
    let sent = last(&ended.stderr, "replicating", "sent").unwrap();
    // On its way is what 200 ms bring, and each time the last piece comes with the head.
    let most = (whole + 1) * size as u64 + kills * (rate / 5 + 65_536);
    eprintln!(
        "{kills} kills: {whole} came after the file was whole, {kept} of {size} bytes were kept at the last of them and {received} came \
         then; {sent} bytes were sent in all, of {most} at most"
    );
    assert!(sent * 100 <= most * 102, "{sent} bytes were sent, of {most} at most");
}

#[test]
fn a_seed_killed_once_two_copies_are_out_is_not_needed_any_more() {
    let size = 4_000_000;
    let (source, content) = (Home::new(), bytes(size, 7));
    let seed = Seed::start(&["--json", "--up", "40Mbit/s"], &[&made(&source, "film", &content)]);
    let homes = [Home::new(), Home::new(), Home::new()];
    let fetchers = homes.each_ref().map(|home| fetch(home, &["--json"], &seed.address()));
    seed.running.await_that("two copies, or the end", |running| {
        let out = last(&running.said(), "replicating", "sent").is_some_and(|sent| sent >= 2 * size as u64);
        out || homes.iter().all(|home| home.path().join("film").exists())
    });
    seed.running.signal(Signal::KILL);
    for (fetcher, home) in fetchers.into_iter().zip(&homes) {
        let ended = fetcher.end(LONG);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        assert!(fs::read(home.path().join("film")).unwrap() == content);
        let received = last(&ended.stderr, "fetched", "received").unwrap();
        assert!(received <= size as u64 + 16 * 16_384, "{received}: nothing came twice but at the end");
    }
}
