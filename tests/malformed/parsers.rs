//! Every fuzz target over its committed corpus and seeded mutations of it.

use std::path::PathBuf;

use p2pt::base::{Rng, to_hex};
use p2pt::wire::{Chunk, Chunks, Header, amf0, amf3};

use crate::mutate;
use crate::targets::TARGETS;

/// Mutations of each target's corpus.
const RUNS: u64 = 30_000;

fn corpus_of(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// `P2PT_SEED` repeats a run; otherwise the seed is 1, so that two runs of the suite do the same.
fn seed() -> u64 {
    std::env::var("P2PT_SEED").map_or(1, |text| text.parse().expect("P2PT_SEED is a number"))
}

#[test]
fn parsers_survive_their_corpus_and_mutations_of_it() {
    let seed = seed();
    for (name, target) in TARGETS {
        let corpus = mutate::corpus(&corpus_of(name));
        let mut rng = Rng::for_simulation(seed);
        let mutations = (0..RUNS).map(|_| mutate::mutation(&corpus, &mut rng));
        for (run, data) in corpus.iter().cloned().chain(mutations).enumerate() {
            let survived = std::panic::catch_unwind(|| target(&data)).is_ok();
            assert!(survived, "{name}: P2PT_SEED={seed}, input {run}: {}", to_hex(&data));
        }
    }
}

#[test]
fn parsers_survive_every_truncation_of_their_corpus() {
    for (name, target) in TARGETS {
        for file in mutate::corpus(&corpus_of(name)) {
            for len in 0..file.len() {
                let survived = std::panic::catch_unwind(|| target(&file[..len])).is_ok();
                assert!(survived, "{name}: {}", to_hex(&file[..len]));
            }
        }
    }
}

#[test]
fn every_target_has_a_fuzz_target_and_every_corpus_a_target() {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("the fuzz package has a manifest");
    let mut names: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for name in &names {
        let path = format!("fuzz_targets/{name}.rs");
        assert!(fuzz.join(&path).is_file(), "{path}");
        assert!(manifest.contains(&path), "{path} in fuzz/Cargo.toml");
    }
    names.sort();
    let mut folders: Vec<String> = std::fs::read_dir(fuzz.join("corpus"))
        .expect("a corpus")
        .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("an ASCII name"))
        .collect();
    folders.sort();
    assert_eq!(folders, names);
}

#[test]
fn the_corpus_reaches_every_chunk_and_every_type_of_value() {
    let mut kinds = [false; 256];
    for file in mutate::corpus(&corpus_of("packet")) {
        let Ok((_, rest)) = Header::decode(&file) else { continue };
        for chunk in Chunks::new(rest).flat_map(Chunk::decode) {
            kinds[usize::from(chunk.kind())] = true;
        }
    }
    let known = [
        0x00, 0x01, 0x0c, 0x0f, 0x10, 0x11, 0x18, 0x30, 0x38, 0x41, 0x4c, 0x50, 0x51, 0x5e, 0x70, 0x71, 0x78, 0x79,
        0x7f, 0xec,
    ];
    let missed: Vec<_> = known.into_iter().filter(|kind| !kinds[*kind]).collect();
    assert!(missed.is_empty(), "chunk types {missed:02x?}");
    let read = |target, name| std::fs::read(corpus_of(target).join(name)).expect("a file of the corpus");
    assert_eq!(amf0::decode(&read("amf0", "every_type")).map(|values| values.len()), Ok(12));
    assert!(amf3::Value::decode(&read("amf3", "every_type")).is_ok());
}
