//! Runs a scenario.

use std::time::Duration;

use super::super::queue::Queue;
use super::super::swarm::{MemberId, Nat};
use super::ground::{Ground, Newcomer, OnMessages};
use super::keeper::Keeper;
use super::people::People;
use super::replicating::Replicating;
use super::report::{Healing, Neighbours, Place, Report, Second};
use super::samples::Samples;
use super::streaming::Streaming;
use super::tally::{Copies, Tally, body, record};
use super::value::{Engine, Hostility, Scenario, is_one_of};
use super::world::OnPackets;
use crate::base::{Instant, Rng};
use crate::crypto::{Identity, IdentityKind};
use crate::group::{GroupAddress, Groupspec, GroupspecBuilder};
use crate::node::routing::SendResult;
use crate::node::{Member, MemberEvent};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The time in the simulation.
    pub now: Duration,
    /// When it ends.
    pub end: Duration,
    /// Members that are there.
    pub members: usize,
    /// Messages, or datagrams, so far.
    pub messages: u64,
}

/// Runs a scenario. `watch` hears of progress each tenth of a second of the simulation's time, and stops the run by
/// answering `false`; then there is no report.
///
/// # Errors
/// A sentence, if the scenario cannot be run.
pub fn run(scenario: &Scenario, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<Option<Report>, String> {
    scenario.check()?;
    let mut rng = Rng::for_simulation(scenario.seed ^ 0x5ce7a110);
    let spec = spec(&mut rng, scenario);
    Ok(match scenario.engine {
        Engine::Swarm => Run::new(scenario, OnMessages::new(scenario, spec), rng).go(watch),
        Engine::World => Run::new(scenario, OnPackets::new(scenario, spec), rng).go(watch),
    })
}

fn spec(rng: &mut Rng, scenario: &Scenario) -> Groupspec {
    let builder = GroupspecBuilder::new("simulation").unique(rng.bytes()).posting().routing().object_replication();
    let builder = if scenario.streams > 0 { builder.multicast() } else { builder };
    builder.server_channel().build().expect("a short name fits")
}

/// What is going to be done.
enum Act {
    Join,
    Replicate,
    Publish,
    Write(usize),
    Unpublish,
    WarmedUp,
    Post(usize),
    Route,
    Put,
    Get,
    Replace,
    Kill,
    CreatorLeaves,
    Part,
    Mend,
    RendezvousDies,
    /// The halves are one: is the ring whole?
    Look,
    Second,
}

struct Run<'a, G> {
    scenario: &'a Scenario,
    ground: G,
    rng: Rng,
    agenda: Queue<Act>,
    people: People,
    /// Whether there still is one.
    rendezvous: bool,
    tally: Tally,
    healing: Option<Healing>,
    replicating: Option<Replicating>,
    streaming: Option<Streaming>,
    seconds: Vec<Second>,
    counted: Copies,
    carried: u64,
}

/// How often things are looked at.
const SLICE: Duration = Duration::from_millis(100);
/// How many members' addresses somebody is told who cannot ask a rendezvous.
const GUIDES: usize = 3;
/// Up to how many members the overlay is drawn.
const SMALL: usize = 200;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.max(0.0))
}

impl<'a, G: Ground> Run<'a, G> {
    fn new(scenario: &'a Scenario, ground: G, rng: Rng) -> Self {
        Self {
            scenario,
            ground,
            rng,
            agenda: Queue::new(),
            people: People::default(),
            rendezvous: true,
            tally: Tally::default(),
            healing: None,
            replicating: None,
            streaming: None,
            seconds: Vec::new(),
            counted: Copies::default(),
            carried: 0,
        }
    }

    fn go(mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Option<Report> {
        let end = self.plan();
        while let Some(next) = self.agenda.next_time().filter(|&next| next <= end) {
            if !self.run_until(next, end, watch) {
                return None;
            }
            let (_, act) = self.agenda.pop().expect("it has a next time");
            self.act(act);
            if self.is_replicated() {
                return Some(self.report());
            }
        }
        self.run_until(end, end, watch).then(|| self.report())
    }

    /// Writes the agenda; answers when all is over.
    fn plan(&mut self) -> Instant {
        let Scenario { members, joins, settle, duration, tail, .. } = *self.scenario;
        let begin = Instant::ZERO + at(f64::from(members - 1) / joins) + settle;
        let end = begin + duration + tail;
        for number in 0..members {
            self.agenda.push(Instant::ZERO + at(f64::from(number) / joins), Act::Join);
        }
        let seconds = duration.as_secs_f64();
        let minutes = seconds / 60.0;
        let count = f64::from(members);
        self.agenda.push(begin + duration / 4, Act::WarmedUp);
        if self.scenario.file > 0 {
            self.agenda.push(begin, Act::Replicate);
        }
        self.plan_streams(begin, seconds);
        self.spread(begin, self.scenario.posts * seconds, seconds, Act::Post);
        self.spread(begin, self.scenario.routes * seconds, seconds, |_| Act::Route);
        self.spread(begin, self.scenario.values.into(), seconds.min(2.0), |_| Act::Put);
        // Whoever asks before anything is held waits for the next time.
        self.spread(begin, self.scenario.gets * seconds, seconds, |_| Act::Get);
        self.spread(begin, self.scenario.churn * count * minutes, seconds, |_| Act::Replace);
        self.spread(begin, self.scenario.leaving * count, seconds, |_| Act::Kill);
        if let Some(when) = self.scenario.creator_leaves {
            self.agenda.push(begin + when, Act::CreatorLeaves);
        }
        if let Some(when) = self.scenario.rendezvous_dies {
            self.agenda.push(begin + when, Act::RendezvousDies);
        }
        if let Some(when) = self.scenario.partition {
            self.agenda.push(begin + when, Act::Part);
            self.agenda.push(begin + when + self.scenario.partition_for, Act::Mend);
        }
        let whole = end.as_micros() / 1_000_000;
        (1..=whole).for_each(|second| self.agenda.push(Instant::from_micros(second * 1_000_000), Act::Second));
        end
    }

    fn plan_streams(&mut self, begin: Instant, seconds: f64) {
        let Scenario { streams, units, .. } = *self.scenario;
        if streams == 0 {
            return;
        }
        self.agenda.push(begin, Act::Publish);
        for stream in 0..streams as usize {
            let phase = self.rng.unit();
            let count = (seconds * units) as usize;
            (0..count).for_each(|unit| self.agenda.push(begin + at((unit as f64 + phase) / units), Act::Write(stream)));
        }
        self.agenda.push(begin + at(seconds), Act::Unpublish);
    }

    /// So many acts, evenly over so many seconds, each at a random moment of its part.
    fn spread(&mut self, begin: Instant, count: f64, seconds: f64, act: impl Fn(usize) -> Act) {
        let count = count.round() as usize;
        for number in 0..count {
            let when = (number as f64 + self.rng.unit()) * seconds / count as f64;
            self.agenda.push(begin + at(when), act(number));
        }
    }

    fn run_until(&mut self, until: Instant, end: Instant, watch: &mut dyn FnMut(&Progress) -> bool) -> bool {
        loop {
            let now = self.ground.now();
            self.ground.run_until(until.min(now + SLICE));
            self.hear();
            let progress = Progress {
                now: self.ground.now().since(Instant::ZERO),
                end: end.since(Instant::ZERO),
                members: self.people.living().len(),
                messages: self.ground.traffic().messages,
            };
            if !watch(&progress) {
                return false;
            }
            if self.ground.now() >= until {
                return true;
            }
        }
    }

    fn hear(&mut self) {
        for happened in self.ground.take_events() {
            if let (now, id, MemberEvent::Multicast(event)) = &happened
                && let Some(streaming) = &mut self.streaming
            {
                streaming.happened(*now, *id, event);
            }
            self.tally.happened(&self.people, happened);
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Join => self.join(),
            Act::Replicate => self.replicate(),
            Act::Publish => self.streaming = Some(Streaming::begin(self.scenario, &mut self.ground, &self.people)),
            Act::Write(stream) => {
                if let Some(streaming) = &mut self.streaming {
                    streaming.write(self.scenario, &mut self.ground, stream);
                }
            }
            Act::Unpublish => {
                if let Some(streaming) = &mut self.streaming {
                    streaming.end(&mut self.ground);
                }
            }
            Act::WarmedUp => self.tally.warmed_up(&self.ground, &self.people),
            Act::Post(number) => self.post(number),
            Act::Route => self.route(),
            Act::Put => self.put(),
            Act::Get => self.get(),
            Act::Replace => {
                self.kill();
                self.join();
            }
            Act::Kill => self.kill(),
            Act::CreatorLeaves => self.depart(MemberId(0), false),
            Act::RendezvousDies => {
                self.rendezvous = false;
                self.ground.end_rendezvous();
            }
            Act::Part => {
                self.tally.cut.from = Some(self.ground.now());
                // Every other one around the ring, so that each half has gaps everywhere.
                let sides: Vec<MemberId> = self.people.ring().map(|(_, id)| id).collect();
                for id in sides.into_iter().skip(1).step_by(2) {
                    self.people.set_side(id, 1);
                    self.ground.set_island(id, 1);
                }
            }
            Act::Mend => {
                self.tally.cut.mended = Some(self.ground.now());
                self.healing = Some(Healing::default());
                let all: Vec<MemberId> = self.people.living().to_vec();
                all.into_iter().for_each(|id| self.ground.set_island(id, 0));
                self.agenda.push(self.ground.now() + SLICE, Act::Look);
            }
            Act::Look => {
                let since = self.ground.now().since(self.tally.cut.mended.expect("looked at when mended"));
                match self.ring_is_whole() {
                    true => self.healing.get_or_insert_default().ring = Some(since),
                    false => self.agenda.push(self.ground.now() + SLICE, Act::Look),
                }
            }
            Act::Second => self.second(),
        }
        self.hear();
    }

    fn join(&mut self) {
        let number = self.people.count();
        let Scenario { hostile, symmetric, restricted, .. } = *self.scenario;
        let mut rng = self.rng.fork();
        let identity = Identity::generate(&mut rng, IdentityKind { server: false, flash: false });
        let author = identity.peer_id();
        let nat = match () {
            () if is_one_of(symmetric, number) => Nat::Symmetric,
            () if is_one_of(symmetric + restricted, number) => Nat::PortRestricted,
            () => Nat::None,
        };
        let kinds = &self.scenario.hostility;
        let hostility: Option<Hostility> =
            is_one_of(hostile, number).then(|| kinds[(number as f64 * hostile) as usize % kinds.len()]);
        let cut = self.tally.cut;
        let side = u32::from(cut.from.is_some() && cut.mended.is_none() && number % 2 == 1);
        // Whoever cannot register, or does not because it is hostile, was told of somebody.
        let alone = !self.rendezvous || side == 1 || hostility.is_some() && self.scenario.engine == Engine::World;
        let guides = if alone { self.people.guides(&mut self.rng, side, GUIDES) } else { Vec::new() };
        let seeds = self.scenario.seeds as usize;
        let poisons = number >= seeds && is_one_of(self.scenario.poisoning, number - seeds);
        let keeper = Keeper::new(self.scenario, poisons);
        let (id, peer) = self.ground.join(Newcomer { identity, rng, nat, hostility, keeper, guides });
        self.people.join(id, peer, author, hostility.is_some() || poisons, nat);
        if let Some(begun) = &mut self.replicating {
            begun.fetchers.push((id, self.ground.now()));
            self.fetch(id);
        }
        if let Some(streaming) = self.streaming.as_mut().filter(|_| hostility.is_none()) {
            streaming.play(&mut self.ground, id);
        }
        if side == 1 {
            self.people.set_side(id, 1);
            self.ground.set_island(id, 1);
        }
    }

    /// Kills somebody who publishes nothing.
    fn kill(&mut self) {
        if self.people.living().len() > 1
            && let Some(id) = self.people.somebody(&mut self.rng).filter(|id| id.0 >= self.scenario.streams)
        {
            self.depart(id, true);
        }
    }

    fn depart(&mut self, id: MemberId, killed: bool) {
        if !self.people.is_there(id) {
            return;
        }
        if let Some(member) = self.ground.member(id) {
            self.tally.leaving(&member.posting().stats());
        }
        if killed {
            self.ground.kill(id);
        } else {
            self.ground.leave(id);
        }
        self.hear();
        self.people.leave(id);
    }

    fn post(&mut self, number: usize) {
        let posters = self.scenario.posters;
        let chosen = if posters == 0 {
            self.people.somebody(&mut self.rng)
        } else {
            let mut honest: Vec<MemberId> = self.people.honest().collect();
            honest.sort_unstable();
            honest.truncate(posters as usize);
            honest.get(number % honest.len().max(1)).copied()
        };
        let Some(author) = chosen else { return };
        let body = body(self.tally.next_post(), self.scenario.size as usize);
        // What arrives by the way belongs to a post that is known.
        match self.ground.command(author, |member, now| member.post(now, None, body)) {
            Some(Ok(id)) => self.tally.posted(&self.ground, &self.people, author, id),
            _ => self.tally.posted.refused += 1,
        }
    }

    fn route(&mut self) {
        let Some(from) = self.people.somebody(&mut self.rng) else { return };
        let target = GroupAddress(self.rng.bytes());
        let number = self.tally.routed(self.ground.now(), target);
        let body = body(number, 16);
        let sent = self.ground.command(from, |member, now| member.route_to_nearest(now, target, body, true).1);
        self.tally.routed.refused += u64::from(sent != Some(SendResult::Sent));
    }

    /// Gives the file to the first, and lets all others want it.
    fn replicate(&mut self) {
        let now = self.ground.now();
        let mut all: Vec<MemberId> = self.people.living().to_vec();
        all.sort_unstable();
        let seeds: Vec<MemberId> = all.iter().copied().filter(|id| id.0 < self.scenario.seeds).collect();
        let fetchers: Vec<MemberId> = all.into_iter().filter(|id| id.0 >= self.scenario.seeds).collect();
        for &id in &seeds {
            if let Some(keeper) = self.ground.keeper(id).cloned() {
                self.ground.command(id, |member, now| keeper.share(member, now));
            }
        }
        fetchers.iter().for_each(|&id| self.fetch(id));
        let fetchers = fetchers.into_iter().map(|id| (id, now)).collect();
        self.replicating = Some(Replicating { seeds, fetchers });
    }

    fn fetch(&mut self, id: MemberId) {
        if let Some(keeper) = self.ground.keeper(id).cloned() {
            self.ground.command(id, |member, now| keeper.fetch(member, now));
        }
    }

    /// Whether nothing else was to be done than to replicate a file, and that is done.
    fn is_replicated(&self) -> bool {
        let Scenario { posts, routes, values, churn, .. } = *self.scenario;
        let only = posts + routes + f64::from(values) + churn == 0.0;
        only && self.replicating.as_ref().is_some_and(|begun| begun.is_over(&self.ground, &self.people))
    }

    fn put(&mut self) {
        let Some(by) = self.people.somebody(&mut self.rng) else { return };
        let number = self.tally.value(self.people.get(by).author);
        let (key, value) = record(number);
        let life = Duration::from_secs(3600);
        let put = self.ground.command(by, |member, now| member.put(now, &key, Some(value), life));
        if let Some(Ok(id)) = put {
            self.tally.put(by, id, number);
        }
    }

    fn get(&mut self) {
        let held = self.tally.held();
        let Some(by) = self.people.somebody(&mut self.rng).filter(|_| !held.is_empty()) else { return };
        let number = held[self.rng.below(held.len() as u64) as usize];
        let (key, _) = record(number);
        let now = self.ground.now();
        if let Some(id) = self.ground.command(by, |member, now| member.get(now, &key)) {
            self.tally.asked(now, by, id, number);
        }
    }

    fn second(&mut self) {
        let mut counts: Vec<usize> = self.neighbour_counts();
        counts.sort_unstable();
        let copies = self.tally.copies(&self.ground, &self.people);
        let carried = self.ground.traffic().bytes;
        let least_most = (counts.first().copied(), counts.get(counts.len() / 2).copied(), counts.last().copied());
        self.seconds.push(Second {
            at: self.ground.now().since(Instant::ZERO),
            members: self.people.living().len(),
            neighbours: (
                least_most.0.unwrap_or_default(),
                least_most.1.unwrap_or_default(),
                least_most.2.unwrap_or_default(),
            ),
            copies: (copies.first.saturating_sub(self.counted.first), copies.again.saturating_sub(self.counted.again)),
            bytes: carried - self.carried,
        });
        (self.counted, self.carried) = (copies, carried);
    }

    fn neighbour_counts(&self) -> Vec<usize> {
        let members = self.people.honest().filter_map(|id| self.ground.member(id));
        members.map(|member| member.view().neighbours().len()).collect()
    }

    /// Whether everybody has the next ones on the ring for neighbours, as far as they can be connected.
    fn ring_is_whole(&self) -> bool {
        let around: Vec<(GroupAddress, MemberId)> = self.people.ring().collect();
        let next = around.iter().cycle().skip(1);
        around.iter().zip(next).all(|(&(place, here), &(beside, other))| {
            let knows = |id: MemberId, place: GroupAddress| {
                let member = self.ground.member(id);
                member.is_some_and(|member| member.view().neighbours().any(|neighbour| neighbour.address == place))
            };
            here == other || !self.ground.reachable(here, other) || knows(here, beside) && knows(other, place)
        })
    }

    fn report(mut self) -> Report {
        self.tally.finish(&self.ground, &self.people);
        if let (Some(healing), Some(mended), Some(crossed)) =
            (&mut self.healing, self.tally.cut.mended, self.tally.crossed)
        {
            healing.posts = Some(crossed.since(mended));
        }
        let scenario = self.scenario;
        let routes = (scenario.routes > 0.0).then(|| std::mem::take(&mut self.tally.routed));
        let posts = (scenario.posts > 0.0).then(|| std::mem::take(&mut self.tally.posted));
        Report {
            scenario: scenario.clone(),
            members: (self.people.count(), self.people.living().len()),
            time: self.ground.now().since(Instant::ZERO),
            median_rtt: self.median_rtt(),
            posts,
            routes,
            storage: (scenario.values > 0).then(|| std::mem::take(&mut self.tally.stored)),
            replicated: self.replicating.as_ref().map(|begun| begun.report(scenario, &self.ground, &self.people)),
            streamed: self.streaming.take().map(|streaming| streaming.report(scenario, &self.ground, &self.people)),
            healing: self.healing,
            neighbours: self.neighbours(),
            traffic: self.ground.traffic(),
            wronged: self.tally.wronged,
            digest: self.ground.digest(),
            ring: (self.people.living().len() <= SMALL).then(|| self.ring()),
            seconds: self.seconds,
        }
    }

    fn median_rtt(&mut self) -> Duration {
        let living = self.people.living();
        let mut draw = || living.get(self.rng.below(living.len() as u64) as usize).copied();
        let pairs: Vec<_> = (0..2_000).filter_map(|_| Some((draw()?, draw()?))).collect();
        let apart = pairs.into_iter().filter(|(one, other)| one != other);
        let trips: Samples = apart.map(|(one, other)| self.ground.delay(one, other).as_micros() as u64 * 2).collect();
        Duration::from_micros(trips.quantile(0.5).unwrap_or_default().into())
    }

    fn neighbours(&self) -> Neighbours {
        let counts: Samples = self.neighbour_counts().into_iter().map(|count| count as u64).collect();
        let members = self.people.living().len();
        let target = (members.max(1).ilog2() as usize + 13).min(members.saturating_sub(1));
        let (least, most) = (target as f64 * 0.5, target as f64 * 1.5);
        let within = counts.values().iter().filter(|&&count| (least..=most).contains(&f64::from(count))).count();
        let estimate = |member: &Member| member.membership().estimated_members().round() as u64;
        let estimates: Samples = self.people.honest().filter_map(|id| self.ground.member(id)).map(estimate).collect();
        let read = |share| counts.quantile(share).unwrap_or_default() as usize;
        Neighbours {
            min: read(0.0),
            median: read(0.5),
            max: read(1.0),
            target,
            within: within as f64 / counts.len().max(1) as f64,
            estimate: estimates.quantile(0.5).unwrap_or_default().into(),
        }
    }

    fn ring(&self) -> Vec<Place> {
        let around: Vec<(GroupAddress, MemberId)> = self.people.ring().collect();
        let place = |&(address, id): &(GroupAddress, MemberId)| {
            let neighbours = self.ground.member(id).into_iter().flat_map(|member| member.view().neighbours());
            let index = |place: GroupAddress| around.binary_search_by_key(&place, |&(address, _)| address).ok();
            let person = self.people.get(id);
            Place {
                at: address.top64() as f64 / u64::MAX as f64,
                hostile: person.hostile,
                symmetric: person.nat == Nat::Symmetric,
                neighbours: neighbours.filter_map(|neighbour| index(neighbour.address)).collect(),
            }
        };
        around.iter().map(place).collect()
    }
}
