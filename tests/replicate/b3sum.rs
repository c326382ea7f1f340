//! The hash in an address beside what the program `b3sum` prints.

use crate::support::{Home, skip};
use crate::swarm::{Seed, bytes};

#[test]
fn the_hash_in_the_address_is_what_b3sum_prints() {
    if !skip::has("b3sum", "the_hash_in_the_address_is_what_b3sum_prints") {
        return;
    }
    let home = Home::new();
    for len in [0, 1, 1024, 16_384, 16_385, 1_000_000, 9_000_000] {
        let file = home.path().join("file");
        std::fs::write(&file, bytes(len, 7)).unwrap();
        let printed = std::process::Command::new("b3sum").arg("--no-names").arg(&file).output().unwrap();
        let seed = Seed::start(&[], &[&file]);
        let hash = String::from_utf8(printed.stdout).unwrap();
        assert!(seed.address().contains(&format!("/b3={}/file", hash.trim())), "{len}: {hash}");
    }
}
