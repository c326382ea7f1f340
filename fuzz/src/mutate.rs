//! Mutations of a corpus, by seed: a poor man's fuzzer that runs anywhere and repeats itself.

use std::path::Path;

use p2pt::base::Rng;

/// Longest input that is made.
const MAX_LEN: usize = 4096;

/// Bytes at which parsers change their mind.
const TELLING: [u8; 12] = [0x00, 0x01, 0x02, 0x03, 0x05, 0x09, 0x0a, 0x11, 0x7f, 0x80, 0xfe, 0xff];

/// The files of the corpus folder `dir`, in the order of their names.
///
/// # Panics
/// If the folder cannot be read or is empty: then nothing would be tested.
#[must_use]
pub fn corpus(dir: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}: no corpus", dir.display());
    files.iter().map(|file| std::fs::read(file).expect("a readable file")).collect()
}

/// An input made from one or two of `corpus` by a few changes.
#[must_use]
pub fn mutation(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut data = pick(corpus, rng).clone();
    for _ in 0..=rng.below(4) {
        let at = rng.below(data.len() as u64 + 1) as usize;
        let len = rng.below(9) as usize;
        match rng.below(9) {
            0 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
            1 | 2 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte = telling(rng);
                }
            }
            3 => data.insert(at, telling(rng)),
            4 => drop(data.drain(at..(at + len).min(data.len()))),
            5 => data.truncate(at),
            6 => {
                let copy = data[at..(at + 8 * len).min(data.len())].to_vec();
                data.splice(at..at, copy);
            }
            7 => data.splice(at..at, rng.bytes::<8>()[..len.min(8)].iter().copied()).for_each(drop),
            _ => {
                let other = pick(corpus, rng);
                let from = rng.below(other.len() as u64 + 1) as usize;
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
        }
        data.truncate(MAX_LEN);
    }
    data
}

fn pick<'a>(corpus: &'a [Vec<u8>], rng: &mut Rng) -> &'a Vec<u8> {
    &corpus[rng.below(corpus.len() as u64) as usize]
}

fn telling(rng: &mut Rng) -> u8 {
    TELLING[rng.below(TELLING.len() as u64) as usize]
}
