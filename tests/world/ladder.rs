//! How fast data goes over links that get worse from rung to rung, against a table of what was measured before
//! (`ladder.txt`; `P2PT_BLESS=1` writes it anew).

use crate::load::Load;
use crate::seeds::long;
use crate::stage::{MS, Pair};
use p2pt::endpoint::EndpointConfig;
use p2pt::sim::Link;
use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

struct Rung {
    name: &'static str,
    rate: u64,
    rtt: u32,
    jitter: u32,
    loss: f64,
    burst: f64,
}

const fn rung(name: &'static str, kbits: u64, rtt: u32, jitter: u32, percent: f64, burst: f64) -> Rung {
    Rung { name, rate: kbits * 1_000, rtt, jitter, loss: percent / 100.0, burst }
}

/// Rate in kbit/s, round trip and jitter in ms, loss in per cent, packets in a burst of losses.
const LADDER: [Rung; 8] = [
    rung("good-wifi", 100_000, 16, 0, 0.1, 1.0),
    rung("congested-wifi", 25_000, 40, 12, 1.0, 6.0),
    rung("weak-4g", 8_000, 90, 15, 2.0, 8.0),
    rung("slow-3g", 3_000, 200, 30, 3.0, 10.0),
    rung("congested-cellular", 1_500, 300, 40, 5.0, 12.0),
    rung("very-bad-cellular", 800, 450, 60, 8.0, 20.0),
    rung("satellite", 25_000, 600, 40, 1.5, 6.0),
    rung("barely-usable", 500, 450, 80, 12.0, 25.0),
];

impl Rung {
    /// One direction: half the round trip, a queue of a round trip's data or 32 packets.
    fn link(&self, climb: Climb) -> Link {
        let queue = (self.rate / 8 * u64::from(self.rtt) / 1_000).max(48_000) as usize;
        let link =
            Link::IDEAL.rate(self.rate).queue(queue).delay(self.rtt * MS / 2).jitter(self.jitter * MS).mtu(1_500);
        let link = Link { jitter_reorders: climb.overtaking, ..link };
        if self.burst > 1.0 { link.burst(self.loss, self.burst) } else { link.loss(self.loss) }
    }

    /// Seconds until both have the session, and from then until a mebibyte is through; the medians of some seeds.
    fn climb(&self, climb: Climb) -> (f64, f64) {
        let mut times: Vec<(f64, f64)> = (0..SEEDS).map(|seed| self.climb_once(seed, climb)).collect();
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let opened = times[times.len() / 2].0;
        times.sort_by(|a, b| a.1.total_cmp(&b.1));
        (opened, times[times.len() / 2].1)
    }

    fn climb_once(&self, seed: u64, climb: Climb) -> (f64, f64) {
        let link = self.link(climb);
        let mut pair = Pair::with(seed, link, link, &EndpointConfig::default());
        let load = Some(Load::bulk(seed, MEBIBYTE));
        if climb.upwards {
            pair.loads(load, None)
        } else {
            pair.loads(None, load)
        }
        pair.dial();
        pair.wait_open(PATIENCE);
        let opened = pair.world.now();
        pair.wait_done(PATIENCE);
        let done = pair.world.now() - opened;
        (opened.as_micros() as f64 / 1e6, done.as_secs_f64())
    }
}

/// A rung, a direction, and whether jitter makes packets overtake each other, as `netem`'s does, or only wait.
#[derive(Debug, Clone, Copy)]
struct Climb {
    level: usize,
    upwards: bool,
    overtaking: bool,
}

const MEBIBYTE: usize = 1 << 20;
const SEEDS: u64 = 21;
/// The worst seed of the worst rung has to be through by then.
const PATIENCE: Duration = Duration::from_secs(180);
/// A median may be off the table's by this factor before somebody has to look.
const TOLERANCE: f64 = 1.35;

#[test]
fn every_rung_is_climbed_in_both_directions_as_fast_as_the_table_says() {
    let climbs: Vec<Climb> = (0..LADDER.len() * 4)
        .map(|n| Climb { level: n / 4, upwards: n % 2 == 0, overtaking: n % 4 > 1 })
        .filter(|climb| LADDER[climb.level].jitter > 0 || !climb.overtaking)
        .collect();
    let measured: Vec<(f64, f64)> = thread::scope(|scope| {
        let run = |&climb: &Climb| scope.spawn(move || LADDER[climb.level].climb(climb));
        let runs: Vec<_> = climbs.iter().map(run).collect();
        runs.into_iter().map(|run| run.join().expect("a rung is not climbed")).collect()
    });
    let mut table = String::from("rung                 way  jitter      open s   1 MiB s  of rate\n");
    for (&Climb { level, upwards, overtaking }, &(opened, done)) in climbs.iter().zip(&measured) {
        let Rung { name, rate, .. } = LADDER[level];
        let share = MEBIBYTE as f64 * 8.0 / done / rate as f64 * 100.0;
        let way = if upwards { "up" } else { "down" };
        let jitter = if overtaking { "overtakes" } else { "waits" };
        writeln!(table, "{level} {name:18} {way:4} {jitter:9} {opened:8.2} {done:9.2} {share:7.0}%").expect("it grows");
    }
    println!("{table}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/world/ladder.txt");
    if std::env::var_os("P2PT_BLESS").is_some() {
        std::fs::write(&path, &table).expect("the table can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("the table is there");
    let time = |line: &str| line.split_whitespace().nth(5).and_then(|time| time.parse::<f64>().ok());
    let golden: Vec<f64> = golden.lines().skip(1).map(|line| time(line).expect("a time")).collect();
    assert_eq!(golden.len(), measured.len());
    for ((climb, &(_, done)), golden) in climbs.iter().zip(&measured).zip(golden) {
        let as_before = (golden / TOLERANCE..golden * TOLERANCE).contains(&done);
        assert!(as_before, "{climb:?}: {done:.2} s, the table says {golden:.2} s\n{table}");
    }
}

/// Megabits that a path of 100 Mbit/s and 100 ms carries a second, once it runs.
fn fill(loss: f64) -> f64 {
    let seconds: u64 = if long() { 120 } else { 10 };
    let link = Link::IDEAL.rate(100_000_000).queue(1_250_000).delay(50 * MS).mtu(1_500);
    let mut pair = Pair::with(2, link.loss(loss), link, &EndpointConfig::default());
    pair.loads(Some(Load::bulk(1, 2 << 30)), None);
    pair.world.host_mut(pair.far).window = 16 << 20;
    pair.world.host_mut(pair.near).window = 16 << 20;
    pair.dial();
    pair.world.run_for(Duration::from_secs(5));
    let before = pair.received_bytes();
    pair.world.run_for(Duration::from_secs(seconds));
    let rate = (pair.received_bytes() - before) as f64 * 8.0 / seconds as f64 / 1e6;
    println!("100 Mbit/s, 100 ms, loss {loss}: {rate:.1} Mbit/s");
    rate
}

#[test]
fn a_long_path_is_filled() {
    assert!(fill(0.0) > 92.0);
}

/// What a controller that takes every loss for congestion cannot do: Reno's formula allows 4.5 Mbit/s.
#[test]
fn a_long_path_with_a_little_loss_is_filled() {
    assert!(fill(0.001) > 90.0);
}

/// Jitter of 12 ms at 25 Mbit/s: a packet is overtaken by up to 25 others, and still comes.
#[test]
fn packets_that_overtake_each_other_are_not_taken_for_lost() {
    let link = Link::IDEAL.rate(25_000_000).queue(125_000).delay(20 * MS).jitter(12 * MS).mtu(1_500);
    let link = Link { jitter_reorders: true, ..link };
    let mut pair = Pair::with(2, link, link, &EndpointConfig::default());
    pair.loads(Some(Load::bulk(1, 16 << 20)), None);
    pair.dial();
    pair.wait_done(Duration::from_secs(60));
    let seconds = pair.world.now().as_micros() as f64 / 1e6;
    let rate = (16 << 20) as f64 * 8.0 / seconds / 1e6;
    let again = pair.world.counters().sent_bytes as f64 / f64::from(16 << 20);
    println!("{rate:.1} of 25 Mbit/s, {again:.2} bytes sent for one");
    assert!(rate > 12.0, "{rate}");
    assert!(again < 1.2, "{again}");
}
