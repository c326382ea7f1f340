//! A file on its way to everybody.

use std::time::Duration;

use super::super::swarm::{MemberId, Rate};
use super::ground::Ground;
use super::people::People;
use super::report::Replicated;
use super::value::{Engine, Scenario};
use crate::base::Instant;

/// Who gives and who fetches.
pub(super) struct Replicating {
    pub(super) seeds: Vec<MemberId>,
    /// And since when.
    pub(super) fetchers: Vec<(MemberId, Instant)>,
}

/// Bytes of the file in a packet, and of everything around them: chunk header, encryption, UDP, IPv4.
const PACKET: (u64, u64) = (1_150, 60);

impl Replicating {
    fn honest<'a>(&'a self, people: &'a People) -> impl Iterator<Item = (MemberId, Instant)> + 'a {
        self.fetchers.iter().copied().filter(|&(id, _)| people.is_there(id) && !people.get(id).hostile)
    }

    /// Whether all who are there have it.
    pub(super) fn is_over(&self, ground: &impl Ground, people: &People) -> bool {
        self.honest(people).all(|(id, _)| ground.keeper(id).is_some_and(|keeper| keeper.done.is_some()))
    }

    pub(super) fn report(&self, scenario: &Scenario, ground: &impl Ground, people: &People) -> Replicated {
        let piece = scenario.piece_size();
        let pieces = scenario.file.div_ceil(piece);
        let wire = scenario.file
            + match scenario.engine {
                Engine::Swarm => pieces * (scenario.terms().overhead + 2),
                Engine::World => scenario.file.div_ceil(PACKET.0) * PACKET.1,
            };
        let count = self.fetchers.len() as u64;
        let Scenario { up, down, .. } = *scenario;
        let all_up = Rate(up.0 * (count + self.seeds.len() as u64));
        let seeds_up = Rate(up.0 * self.seeds.len() as u64);
        let least = seeds_up.time(wire).max(down.time(wire)).max(all_up.time(wire * count));
        let took = |(id, since): (MemberId, Instant)| Some(ground.keeper(id)?.done?.since(since));
        let times: Vec<Duration> = self.honest(people).filter_map(took).collect();
        let honest = self.honest(people).count();
        let stats = |id| ground.member(id).and_then(|member| member.replication()).map(|service| service.stats());
        let sum = |of: fn(&crate::node::replication::ReplicationStats) -> u64| {
            self.honest(people).filter_map(|(id, _)| stats(id)).map(|stats| of(&stats)).sum::<u64>()
        };
        let seeded: u64 = self.seeds.iter().filter_map(|&id| stats(id)).map(|stats| stats.sent_bytes).sum();
        Replicated {
            file: (scenario.file, piece),
            members: (self.seeds.len(), honest),
            done: times.len(),
            last: if times.len() == honest { times.iter().max().copied() } else { None },
            delay: times.iter().map(|time| time.as_micros() as u64).collect(),
            least,
            server: seeds_up.time(wire * count),
            seeded: seeded as f64 / scenario.file as f64,
            duplicates: sum(|stats| stats.duplicates),
            bad: sum(|stats| stats.bad),
            failed: sum(|stats| stats.failed),
            cancelled: sum(|stats| stats.cancelled),
        }
    }
}
