//! Runs targets over their corpus and seeded mutations of it: `smoke [TARGET|all] [RUNS] [SEED]`. Ends at the first panic, having
//! printed the seed and the input.

use std::path::Path;

use p2pt::base::{Rng, to_hex};
use p2pt_fuzz::{mutate, targets::TARGETS};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_else(|| "all".to_owned());
    let mut number = |default| arguments.next().map_or(default, |text| text.parse::<u64>().expect("a number"));
    let (runs, seed) = (number(1_000_000), number(1));
    let mut found = false;
    for (name, target) in TARGETS.iter().filter(|(name, _)| wanted == "all" || wanted == *name) {
        found = true;
        let corpus = mutate::corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name));
        let mut rng = Rng::for_simulation(seed);
        for run in 0..corpus.len() as u64 + runs {
            let data = match corpus.get(run as usize) {
                Some(file) => file.clone(),
                None => mutate::mutation(&corpus, &mut rng),
            };
            if std::panic::catch_unwind(|| target(&data)).is_err() {
                eprintln!("{name}: seed {seed}, run {run}: {}", to_hex(&data));
                std::process::exit(1);
            }
        }
        println!("{name}: {} of the corpus, {runs} mutations", corpus.len());
    }
    assert!(found, "no target {wanted}");
}
