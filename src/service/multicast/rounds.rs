//! What is looked after in a stream as time passes.

use std::ops::Bound::{Excluded, Unbounded};
use std::time::Duration;

use super::hearing::AIR;
use super::message::StreamMessage;
use super::near::Near;
use super::own::{OwnMessage, Standing};
use super::stream::{Context, DEPENDENCE, Stream, TICK};
use super::tree::{MANIFESTS, TREES, Trees};
use crate::base::PeerId;

/// How often neighbours are told how we stand if nothing changes, and at most.
const STANDING: Duration = Duration::from_secs(2);
const STANDING_SOON: Duration = Duration::from_millis(60);

/// Without any manifest for so long, others are asked for them.
const QUIET: Duration = Duration::from_millis(2_500);
/// A neighbour that knows of newer fragments than we do is asked for manifests this often.
const MISSING_AGAIN: Duration = Duration::from_millis(400);
/// So many are asked to take part if nobody does.
const RELAYS: usize = 3;

impl Stream {
    /// Time passed.
    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        while let Some(pressed) = self.press.as_mut().and_then(|press| press.press(now)) {
            self.publish(context, pressed);
        }
        if !self.takes_part {
            return;
        }
        if self.tick_at.is_some_and(|at| at <= now) {
            self.tick_at = Some(now + TICK);
            self.tick(context);
        }
        self.pull(context);
    }

    fn tick(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let keep = self.settings().window.max(self.latency) + context.margin;
        self.window.expire(now, keep);
        self.pulls.forget_below(self.window.low(), &mut self.nears);
        while self.wishes.first_key_value().is_some_and(|(id, _)| *id < self.window.low()) {
            self.wishes.pop_first();
        }
        // The last manifest may come before others, straight from the publisher.
        if self.press.is_none() && (self.end.is_none() || self.unknown().is_some()) {
            if now.since(self.manifest_at) > QUIET {
                self.manifest_at = now;
                self.parents.no_manifests();
            }
            if self.hearing.is_good(now) {
                self.parents.rest();
            } else {
                self.parents.look(now, &mut self.nears, context.rng);
            }
            self.ask_parents(context);
            self.ask_manifests(context);
            self.ask_relays(context);
        }
        self.cast_title(context);
        self.tell_maps(context);
        let standing = self.stand(now, context.push_limit);
        let changed = |tree: usize| match (self.standing.lags[tree], standing.lags[tree]) {
            (Some(before), Some(lag)) => before.abs_diff(lag) > Duration::from_millis(10).max(before / 4),
            (before, lag) => before != lag,
        };
        let is_new = !self.standing.takes_part || (0..TREES).any(changed);
        let is_other = (0..TREES).any(|tree| (standing.free[tree] == 0) != (self.standing.free[tree] == 0));
        let wait = if is_new {
            STANDING_SOON
        } else if is_other {
            4 * STANDING_SOON
        } else {
            STANDING
        };
        if !self.standing.takes_part || now.since(self.standing_at) >= wait {
            self.tell_standing(context);
        }
    }

    /// Tells each neighbour what it should push, if that has changed.
    fn ask_parents(&mut self, context: &mut Context<'_>) {
        let from = match self.unknown() {
            Some(unknown) => unknown,
            None if self.begins_well() => self.window.high(),
            None => 0,
        };
        let key = self.key();
        let asks: Vec<(PeerId, Trees, Trees)> = self
            .nears
            .iter_mut()
            .filter_map(|(peer, near)| {
                let (before, wanted) = (near.asked, self.parents.wanted_from(*peer));
                near.asked = wanted;
                near.given = near.given.both(wanted);
                (before != wanted).then_some((*peer, before, wanted))
            })
            .collect();
        for (peer, before, wanted) in asks {
            if before.slices() != wanted.slices() {
                self.known(context, peer, &StreamMessage::Push(wanted.slices()));
            }
            if before.has(MANIFESTS) != wanted.has(MANIFESTS) {
                self.own(context, peer, &OwnMessage::Follow { key, on: wanted.has(MANIFESTS), from });
            }
        }
    }

    /// The first fragment that interests us of which no manifest told, of those before others of which one did.
    fn unknown(&self) -> Option<u64> {
        self.window.unknown_from(self.start?)
    }

    /// Asks one who knows of newer fragments than we do for the manifests.
    fn ask_manifests(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        // What is heard is said once or twice, and nobody is waited for.
        let again = if self.hearing.is_good(now) { MISSING_AGAIN / 4 } else { MISSING_AGAIN };
        if now.since(self.asked_missing) < again {
            return;
        }
        let waits = self.window.waits_since(now.minus(again / 2));
        let high = self.window.high();
        let knows_more = |near: &Near| {
            near.standing.newest.max(near.map.as_ref().map_or(0, |map| map.highest())) >= high && high > 0
        };
        let quiet = now.since(self.manifest_at) >= MISSING_AGAIN;
        let ahead = || self.nears.iter().find(|(_, near)| near.standing.takes_part && knows_more(near));
        let ask = match waits {
            // Anybody may have it, and not everybody has.
            Some((id, AIR)) => {
                let helpers: Vec<PeerId> =
                    self.nears.iter().filter(|(_, near)| near.standing.takes_part).map(|(peer, _)| *peer).collect();
                let helper = helpers.get(context.rng.below(helpers.len().max(1) as u64) as usize);
                helper.map(|peer| (id, *peer))
            }
            Some((id, peer)) => Some((id.min(high.max(1)), peer)),
            None => {
                let unknown = self.unknown().and_then(|id| {
                    let knows = |near: &Near| {
                        let Standing { takes_part, publishes, newest, .. } = near.standing;
                        takes_part && (publishes || newest >= id)
                    };
                    self.nears.iter().find(|(_, near)| knows(near)).map(|(peer, _)| (id, *peer))
                });
                unknown.or_else(|| if quiet { ahead().map(|(peer, _)| (high, *peer)) } else { None })
            }
        };
        if let Some((id, peer)) = ask {
            self.asked_missing = now;
            let key = self.key();
            self.own(context, peer, &OwnMessage::Missing { key, id });
        }
    }

    /// Asks those who told us of the stream to take part, as long as nobody else does.
    fn ask_relays(&mut self, context: &mut Context<'_>) {
        // Who has it later than we may have it from us.
        let lags: [_; TREES] = std::array::from_fn(|tree| self.parents.lag(tree, &self.nears));
        let is_nearer = |near: &Near| {
            let nearer =
                |tree: usize| near.standing.lags[tree].is_some_and(|lag| lags[tree].is_none_or(|ours| lag < ours));
            (0..TREES).any(nearer)
        };
        let is_source = |near: &Near| near.is_source() && !near.relays && is_nearer(near);
        if context.now < self.relay_at || self.nears.values().any(is_source) {
            return;
        }
        self.relay_at = context.now + DEPENDENCE / 3;
        let may = |near: &Near| near.depends.is_none_or(|since| context.now.since(since) > DEPENDENCE);
        let asked = self.nears.iter().filter(|(_, near)| near.relays || near.herald.is_some() && may(near));
        // Those who serve us already, then those who knew first.
        let mut asked: Vec<_> =
            asked.map(|(peer, near)| ((!near.is_source(), near.failures, near.herald), *peer)).collect();
        asked.sort_unstable();
        let message = OwnMessage::Relay { key: self.key() };
        for (_, peer) in asked.into_iter().take(RELAYS) {
            if let Some(near) = self.nears.get_mut(&peer) {
                near.relays = true;
                // Who was asked in vain is not the first to be asked again.
                near.failures += u32::from(!near.is_source());
            }
            self.own(context, peer, &message);
        }
    }

    fn tell_maps(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        if now < self.map_at {
            return;
        }
        let settings = self.settings();
        self.map_at = now + settings.update.max(TICK);
        let newest = self.window.newest();
        let tells = |near: &Near| near.standing.takes_part && !near.standing.publishes && near.mapped < newest;
        let wanting = |range: (std::ops::Bound<PeerId>, std::ops::Bound<PeerId>)| {
            self.nears.range(range).find(|(_, near)| tells(near)).map(|(peer, _)| *peer)
        };
        let peers: Vec<PeerId> = if settings.send_to_all {
            self.nears.iter().filter(|(_, near)| tells(near)).map(|(peer, _)| *peer).collect()
        } else {
            let after = self.map_turn.and_then(|turn| wanting((Excluded(turn), Unbounded)));
            after.or_else(|| wanting((Unbounded, Unbounded))).into_iter().collect()
        };
        let Some(map) = (!peers.is_empty()).then(|| self.window.map()).flatten() else { return };
        let message = StreamMessage::Map(map);
        for peer in peers {
            self.map_turn = Some(peer);
            if let Some(near) = self.nears.get_mut(&peer) {
                near.mapped = newest;
            }
            self.known(context, peer, &message);
        }
    }

    /// Asks for what nobody pushed.
    pub(super) fn pull(&mut self, context: &mut Context<'_>) {
        if self.pulls.deadline().is_none_or(|due| due > context.now) {
            return;
        }
        let lags = std::array::from_fn(|tree| self.parents.lag(tree, &self.nears));
        for (peer, id) in self.pulls.ask(context.now, &mut self.nears, &lags) {
            self.known(context, peer, &StreamMessage::Pull(id));
        }
    }
}
