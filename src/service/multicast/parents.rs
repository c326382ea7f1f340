//! Whom to ask to push: for each tree the neighbour through which the stream gets here first.
//!
//! A neighbour's cost is what it says it lags behind the publisher, and half the round-trip time. A tree whose parent is gone,
//! or silent while manifests tell of newer fragments, gets another at once. Every two seconds one tree's parent runs against a better
//! candidate: both push, and whoever brings the next fragment first stays.

use std::time::Duration;

use super::near::{Near, Nears};
use super::own::Standing;
use super::tree::{MANIFESTS, TREES, Trees, slice_of};
use crate::base::{Instant, PeerId, Rng};

/// How often a parent runs against another.
const RACE: Duration = Duration::from_secs(2);
/// How long a race lasts at most.
const RACE_ENDS: Duration = Duration::from_secs(2);
/// Who refused is not asked again for so long, who fell silent for that long.
const REFUSED: Duration = Duration::from_secs(1);
const SILENT: Duration = Duration::from_secs(20);
/// A tree is silent after three round trips, and this at least.
const STALL: Duration = Duration::from_millis(300);
/// After a parent was lost, for so long only those are asked who were nearer to the publisher than we: others may hang on us.
const CAUTION: Duration = Duration::from_millis(500);
/// So many manifests in a row that others bring before the parent does.
const MAX_STRAYS: u32 = 8;
/// What a neighbour costs more for each tree that it pushes to us already, so that they are spread over many,
const SPREAD: Duration = Duration::from_millis(8);
/// and for each eight that it pushes to anybody.
const LOAD: Duration = Duration::from_millis(5);

/// What one tree is like.
#[derive(Debug, Clone, Copy, Default)]
struct Tree {
    parent: Option<PeerId>,
    /// Since when something newer is known than came from it.
    waits: Option<Instant>,
    /// Until when only those are asked that lag less than this.
    caution: Option<(Duration, Instant)>,
}

#[derive(Debug)]
struct Race {
    tree: usize,
    candidate: PeerId,
    until: Instant,
}

/// Who pushes.
#[derive(Debug)]
pub(super) struct Parents {
    trees: [Tree; TREES],
    /// Who pushes manifests besides: all fragments wait for them.
    second: Option<PeerId>,
    /// Manifests that others brought first, since the parent did.
    strays: u32,
    race: Option<Race>,
    race_at: Instant,
    /// Whose turn it is to race.
    turn: usize,
}

impl Parents {
    pub(super) fn new(now: Instant, rng: &mut Rng) -> Self {
        let turn = rng.below(TREES as u64) as usize;
        Self { trees: Default::default(), second: None, strays: 0, race: None, race_at: now + RACE, turn }
    }

    /// Who pushes along this tree.
    pub(super) const fn of(&self, tree: usize) -> Option<PeerId> {
        self.trees[tree].parent
    }

    /// How long after the publisher things come along a tree; `None` while nobody pushes them.
    pub(super) fn lag(&self, tree: usize, nears: &Nears) -> Option<Duration> {
        let near = nears.get(&self.trees[tree].parent?)?;
        if near.given.has(tree) { near.cost(tree) } else { None }
    }

    /// What this neighbour should push.
    pub(super) fn wanted_from(&self, peer: PeerId) -> Trees {
        let mut wanted = Trees::default();
        for (at, tree) in self.trees.iter().enumerate() {
            wanted.set(at, tree.parent == Some(peer));
        }
        if let Some(race) = self.race.as_ref().filter(|race| race.candidate == peer) {
            wanted.set(race.tree, true);
        }
        if self.second == Some(peer) {
            wanted.set(MANIFESTS, true);
        }
        wanted
    }

    /// A neighbour pushes nothing of these any more, or never did.
    pub(super) fn lost(&mut self, now: Instant, peer: PeerId, trees: Trees, nears: &Nears) {
        for at in trees.iter() {
            let lag = self.lag(at, nears);
            let tree = &mut self.trees[at];
            if tree.parent == Some(peer) {
                *tree = Tree { caution: lag.map(|lag| (lag, now + CAUTION)).or(tree.caution), ..Tree::default() };
            }
        }
        if trees.has(MANIFESTS) && self.second == Some(peer) {
            self.second = None;
        }
        self.race = self.race.take().filter(|race| race.candidate != peer || !trees.has(race.tree));
    }

    /// A manifest told of a fragment that is not here.
    pub(super) fn announced(&mut self, now: Instant, id: u64) {
        self.trees[slice_of(id)].waits.get_or_insert(now);
    }

    /// A manifest came that was not here. The parent goes if others are always first.
    pub(super) fn manifest(&mut self, peer: PeerId) {
        let tree = &mut self.trees[MANIFESTS];
        self.strays = if tree.parent == Some(peer) { 0 } else { self.strays + 1 };
        if self.strays >= MAX_STRAYS && tree.parent.is_some() {
            (tree.parent, self.strays) = (self.second.take(), 0);
        }
    }

    /// No manifest came for long: others may have some.
    pub(super) fn no_manifests(&mut self) {
        (self.trees[MANIFESTS].parent, self.second) = (None, None);
    }

    /// A neighbour pushed a fragment; nothing newer is known of its slice if `newest`, and it was not here if `first`.
    pub(super) fn pushed(&mut self, now: Instant, peer: PeerId, id: u64, newest: bool, first: bool) {
        let at = slice_of(id);
        let tree = &mut self.trees[at];
        if tree.parent == Some(peer) {
            tree.waits = if newest { None } else { Some(now) };
        }
        let Some(race) = self.race.as_ref().filter(|race| race.tree == at) else { return };
        if race.candidate == peer {
            // The first that it brings decides.
            if first {
                *tree = Tree { parent: Some(peer), ..Tree::default() };
            }
            self.race = None;
        }
    }

    /// Nobody need push.
    pub(super) fn rest(&mut self) {
        (self.trees, self.second, self.race) = Default::default();
    }

    /// Looks after all trees: whom to ask otherwise than before is seen from [`Parents::wanted_from`].
    pub(super) fn look(&mut self, now: Instant, nears: &mut Nears, rng: &mut Rng) {
        for tree in 0..TREES {
            self.drop_silent(now, tree, nears);
        }
        let begin = rng.below(TREES as u64) as usize;
        for tree in (0..TREES).map(|at| (begin + at) % TREES) {
            if self.trees[tree].parent.is_none() {
                self.trees[tree].parent = self.best(now, tree, nears, None);
                self.trees[tree].waits = None;
            }
        }
        if self.second.is_none() && self.trees[MANIFESTS].parent.is_some() {
            self.second = self.best(now, MANIFESTS, nears, self.lag(MANIFESTS, nears));
        }
        self.look_at_race(now, nears, rng);
    }

    fn drop_silent(&mut self, now: Instant, at: usize, nears: &mut Nears) {
        let tree = self.trees[at];
        let (Some(parent), Some(since)) = (tree.parent, tree.waits) else { return };
        let Some(near) = nears.get(&parent) else { return };
        if now.since(since) > (3 * near.rtt).max(STALL) {
            let mut silent = Trees::default();
            silent.set(at, true);
            self.lost(now, parent, silent, nears);
            if let Some(near) = nears.get_mut(&parent) {
                near.refused[at] = now + SILENT;
            }
        }
    }

    /// The best neighbour to push along a tree, of those who are not behind us.
    fn best(&self, now: Instant, at: usize, nears: &Nears, below: Option<Duration>) -> Option<PeerId> {
        let caution = self.trees[at].caution.filter(|(_, until)| now < *until).map(|(lag, _)| lag);
        let may = |peer: &PeerId, near: &Near| {
            let lag = near.standing.lags[at]?;
            let serves = near.standing.takes_part && (near.standing.free[at] > 0 || near.given.has(at));
            let fits = serves && near.refused[at] <= now && !near.pushed.has(at) && !near.wants.has(at);
            let is_new = self.trees[at].parent != Some(*peer) && self.second != Some(*peer);
            let is_near = caution.is_none_or(|caution| lag < caution) && below.is_none_or(|below| lag < below);
            (fits && is_new && is_near).then(|| self.price(peer, near, at)).flatten()
        };
        nears.iter().filter_map(|(peer, near)| Some((may(peer, near)?, *peer))).min().map(|(_, peer)| peer)
    }

    fn price(&self, peer: &PeerId, near: &Near, at: usize) -> Option<Duration> {
        let Standing { free, .. } = near.standing;
        let ours = self.trees.iter().filter(|tree| tree.parent == Some(*peer)).count() as u32;
        let most = free.iter().copied().max().unwrap_or(0);
        let used: u32 = free.iter().map(|free| u32::from(most - free)).sum();
        Some(near.cost(at)? + SPREAD * ours + LOAD * (used / 8))
    }

    fn look_at_race(&mut self, now: Instant, nears: &Nears, rng: &mut Rng) {
        self.race = self.race.take().filter(|race| now < race.until);
        if now < self.race_at || self.race.is_some() {
            return;
        }
        self.race_at = now + RACE / 2 + Duration::from_micros(rng.below(RACE.as_micros() as u64));
        self.turn = (self.turn + 1) % TREES;
        let tree = self.turn;
        let Some(parent) = self.trees[tree].parent.and_then(|parent| nears.get(&parent)) else { return };
        let ours = parent.cost(tree);
        let Some(candidate) = self.best(now, tree, nears, ours) else { return };
        let cost = nears.get(&candidate).and_then(|near| near.cost(tree));
        if cost >= ours {
            return;
        }
        if tree == MANIFESTS {
            // No fragment decides there: what they say does.
            self.trees[MANIFESTS].parent = Some(candidate);
        } else {
            self.race = Some(Race { tree, candidate, until: now + RACE_ENDS });
        }
    }
}

/// For so long who said no is not asked again.
pub(super) fn refuse(near: &mut Near, now: Instant, trees: Trees) {
    trees.iter().for_each(|tree| near.refused[tree] = near.refused[tree].max(now + REFUSED));
}
