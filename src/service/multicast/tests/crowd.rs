//! Many play.

use std::time::Duration;

use super::world::{World, ms, named};
use crate::service::multicast::{StreamKey, StreamSettings};

/// How a stream got to those who played it.
#[derive(Debug)]
pub(super) struct Report {
    /// Of what was written, of a thousand, what was not shown to those who had begun.
    missed: f64,
    p50: Duration,
    p99: Duration,
    last: Duration,
    /// Bytes sent by all, for each player and each byte of the stream.
    upload: f64,
    /// From the publisher's, of the stream.
    publisher: f64,
    duplicates: f64,
    asked: f64,
}

impl World {
    pub(super) fn report(&self, key: StreamKey, publisher: usize, players: &[usize], bytes: u64) -> Report {
        let mut delays = Vec::new();
        let (mut missed, mut all, mut duplicates, mut asked, mut came) = (0, 0, 0, 0, 0);
        for &node in players {
            for (_, shown) in self.nodes[node].shown() {
                let number = super::world::number_of(&shown.unit);
                delays.push(shown.ready.since(self.written[&number]));
            }
            let numbers = self.nodes[node].numbers();
            let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { continue };
            all += last - first + 1;
            missed += last - first + 1 - numbers.len() as u64;
            let info = self.info(node, key);
            duplicates += info.duplicates;
            asked += info.fragments_requested_from_peers;
            came += info.fragments_requested_from_peers + info.fragments_pushed_from_peers;
        }
        delays.sort_unstable();
        let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize];
        let sent = |node: usize| self.nodes[node].sent.0 + self.nodes[node].sent.1;
        let sum: u64 = (0..self.nodes.len()).map(sent).sum();
        Report {
            missed: 1000.0 * missed as f64 / all.max(1) as f64,
            p50: at(0.5),
            p99: at(0.99),
            last: at(1.0),
            upload: sum as f64 / (players.len() as u64 * bytes) as f64,
            publisher: sent(publisher) as f64 / bytes as f64,
            duplicates: duplicates as f64 / came.max(1) as f64,
            asked: asked as f64 / came.max(1) as f64,
        }
    }
}

/// `players` of 2 Mbit/s.
fn crowd(seed: u64, players: usize, time: Duration) -> (World, Report) {
    let mut world = World::of(seed, players + 1, (players + 1).ilog2() as usize + 13);
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(2000)));
    let who: Vec<usize> = (1..=players).collect();
    who.iter().for_each(|node| {
        world.play(*node, named("news"));
    });
    world.stream(0, key, 250_000, time);
    let written: usize =
        (0..world.written.len()).map(|count| if count % 25 == 0 { 50_000 } else { 250_000 / 30 }).sum();
    world.unpublish(0, key);
    world.run(ms(4000));
    let report = world.report(key, 0, &who, written as u64);
    (world, report)
}

#[test]
fn a_crowd_gets_everything_in_time_and_nobody_pays_much() {
    for players in [10, 30] {
        let (world, report) = crowd(1, players, ms(8_000));
        let begun = (1..=players).filter(|node| world.nodes[*node].shown().next().is_some()).count();
        assert!(begun == players && report.missed == 0.0, "{players}: {begun} {report:?}");
        assert!(report.p50 < ms(500) && report.p99 < ms(2000) && report.last < ms(2000), "{players}: {report:?}");
        assert!(report.upload < 1.2 && report.publisher < 4.4, "{players}: {report:?}");
        assert!(report.duplicates < 0.03 && report.asked < 0.03, "{players}: {report:?}");
    }
}

/// Of every hundred members ten are replaced each minute; how long those who came took until a decoder could begin.
fn churn(seed: u64, players: usize, seconds: u64) -> (Report, Vec<Duration>) {
    let degree = (players + 1).ilog2() as usize + 13;
    let mut world = World::of(seed, players + 1, degree);
    let key = world.publish(0, "news", StreamSettings::for_latency(ms(2000)));
    let mut staying: Vec<usize> = (1..=players).collect();
    staying.iter().for_each(|node| {
        world.play(*node, named("news"));
    });
    let mut came = Vec::new();
    let every = (600_000 / players as u64).min(1000 * seconds / 4);
    let mut next = ms(3000).as_millis() as u64;
    for second in 0..seconds {
        while next < 1000 * (second + 1) && second + 4 < seconds {
            let leaves = staying.remove(world.rng.below(staying.len() as u64) as usize);
            world.kill(leaves);
            // Those who had it as a neighbour find others.
            let poor: Vec<usize> =
                (0..world.nodes.len()).filter(|node| world.nodes[*node].up && world.degree(*node) < degree).collect();
            let new = world.add();
            world.link_some(new, degree);
            poor.into_iter().for_each(|node| world.link_some(node, degree));
            world.play(new, named("news"));
            came.push((new, world.now));
            next += every;
        }
        world.stream(0, key, 250_000, ms(1000));
    }
    world.run(ms(4000));
    let written: usize =
        (0..world.written.len()).map(|count| if count % 25 == 0 { 50_000 } else { 250_000 / 30 }).sum();
    let report = world.report(key, 0, &staying, written as u64);
    let joined = came
        .iter()
        .map(|(node, at)| world.nodes[*node].shown().next().map_or(Duration::MAX, |(_, shown)| shown.ready.since(*at)));
    let mut joined: Vec<Duration> = joined.collect();
    joined.sort_unstable();
    (report, joined)
}

#[test]
fn members_come_and_go_and_those_who_stay_miss_nothing() {
    let cases: &[(u64, usize, u64)] = if std::env::var_os("P2PT_LONG").is_some() {
        &[(1, 100, 60), (2, 100, 60), (3, 300, 30)]
    } else {
        &[(1, 40, 15)]
    };
    for &(seed, players, seconds) in cases {
        let (report, joined) = churn(seed, players, seconds);
        println!("seed {seed}, {players} players: {report:?}, joined {joined:?}");
        assert!(report.missed < 1.0, "{report:?}");
        assert!(report.p50 < ms(500) && report.p99 < ms(2000), "{report:?}");
        assert!(report.upload < 1.3 && report.publisher < 4.5, "{report:?}");
        assert!(!joined.is_empty() && joined.last() < Some(&ms(2000)), "{joined:?}");
    }
}
