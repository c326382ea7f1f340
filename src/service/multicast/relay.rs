//! Manifests and fragments: checked, kept, passed on.

use std::time::Duration;

use bytes::Bytes;

use super::fragment::Fragment;
use super::hearing::AIR;
use super::near::Near;
use super::own::OwnMessage;
use super::press::Pressed;
use super::proof::Manifest;
use super::stream::{Context, Fault, MAX_GIFTS, Stream, TICK};
use super::tree::{MANIFESTS, SLICES, Trees, slice_of};
use super::window::Arrival;
use crate::base::{Instant, PeerId};
use crate::group::Lane;

/// Everybody gets one manifest in so long, as a sign that the publisher is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// What a publisher gives to those who ask, of what it pushes at most: a sixteenth.
const PULLS: usize = 16;

/// Of what is known late, so much is waited for what may be on its way.
const LATE: Duration = Duration::from_millis(100);

impl Stream {
    /// A manifest of ours, and its fragments, are signed.
    pub(super) fn publish(&mut self, context: &mut Context<'_>, pressed: Pressed) {
        let Ok(manifest) = Manifest::decode(&pressed.manifest) else { return };
        self.heard = context.now;
        // What is not pushed may be asked for, and a little more.
        let bytes: usize = pressed.messages.iter().map(Bytes::len).sum();
        let pushes: usize = self.nears.values().map(|near| Trees::of(near.pushed.slices(), false).count()).sum();
        let most = SLICES * context.push_limit;
        let free = (most.saturating_sub(pushes) + most / PULLS) * bytes / SLICES;
        self.gifts = (self.gifts + free as u64).min(MAX_GIFTS);
        self.cast(context, &pressed.manifest, &pressed.messages);
        self.vouched(context, None, &manifest, &pressed.manifest);
        for (id, message) in (pressed.first..).zip(&pressed.messages) {
            if self.window.put(context.now, id, message) == Arrival::New {
                self.arrived(context, None, id);
            }
        }
    }

    /// A manifest came.
    pub(super) fn manifest(&mut self, context: &mut Context<'_>, peer: PeerId, bytes: &Bytes) -> Result<(), Fault> {
        let manifest = Manifest::decode(bytes).map_err(|_| Fault::Malformed)?;
        if manifest.key != self.key() || self.press.is_some() || self.window.knows(manifest.first, bytes) {
            return Ok(());
        }
        if self.newest_manifest.as_ref() == Some(bytes) && !self.takes_part {
            return Ok(());
        }
        if !manifest.is_signed(context.group, &self.title) {
            self.counts.info.forged += 1;
            return Err(Fault::Hostile("passed on a manifest that the publisher did not sign"));
        }
        let count = self.vouched(context, Some(peer), &manifest, bytes);
        if count > 0 {
            self.parents.manifest(peer);
        }
        self.check_held(context, &manifest);
        Ok(())
    }

    /// What had waited for a manifest is passed on now, or its sender is a forger.
    fn check_held(&mut self, context: &mut Context<'_>, manifest: &Manifest) {
        let ids: Vec<u64> = (manifest.first..).take(manifest.fragments.len()).collect();
        for waited in self.window.release(context.now, &ids) {
            match waited.arrival {
                Arrival::New => {
                    match waited.from {
                        AIR => self.counts.heard(waited.len),
                        _ => self.counts.got(waited.len, false),
                    }
                    self.arrived(context, Some(waited.from), waited.id);
                }
                Arrival::Forged => {
                    self.counts.info.forged += 1;
                    self.forgers.extend((!self.contradicts).then_some(waited.from));
                }
                _ => self.counts.info.duplicates += 1,
            }
        }
    }

    /// A manifest is right: so many fragments are known by it that were not.
    fn vouched(
        &mut self,
        context: &mut Context<'_>,
        from: Option<PeerId>,
        manifest: &Manifest,
        bytes: &Bytes,
    ) -> usize {
        let now = context.now;
        let is_later = manifest.at > self.newest_at || self.newest_manifest.is_none();
        let is_newest = is_later || manifest.end && self.end.is_none();
        if manifest.end {
            self.end = Some(manifest.first + manifest.fragments.len() as u64);
        }
        if is_newest {
            // What is told again, to newcomers say, does not mean that the publisher is still there.
            self.heard = now;
            self.newest_at = manifest.at;
            self.newest_manifest = Some(bytes.clone());
            // What is said again is no sign of life.
            (self.manifest_at, self.heard) = (now, now);
        }
        // Everybody is told that the publisher is there, or that it is not any more.
        let lives = manifest.at >= self.life_told + SIGN_OF_LIFE.as_micros() as u64;
        let for_all = is_newest && (manifest.end || lives);
        if for_all {
            self.life_told = manifest.at;
        }
        let mut new = Vec::new();
        if self.takes_part {
            let Ok(known) = self.window.vouch(now, manifest, bytes) else {
                // The publisher says one thing here and another there: nobody else is to blame.
                self.contradicts = true;
                return 0;
            };
            new = known;
            self.pace.heard(now, manifest.at);
        }
        if is_newest || !new.is_empty() {
            let to = |(peer, near): (&PeerId, &Near)| {
                (Some(*peer) != from && (for_all || near.pushed.has(MANIFESTS))).then_some(*peer)
            };
            let peers: Vec<PeerId> = self.nears.iter().filter_map(to).collect();
            let message = OwnMessage::Manifest(bytes.clone()).encode();
            for peer in peers {
                self.counts.sent_control.add(now, message.len());
                if !context.out.send(peer, Lane::Manifests, message.clone()) {
                    self.counts.info.limited += 1;
                }
            }
        }
        // One that tells of nothing tells at least how old the stream is.
        if self.press.is_none() && self.takes_part {
            self.expect(now, &new, manifest);
        }
        new.len()
    }

    /// Fragments are known to be somewhere.
    fn expect(&mut self, now: Instant, new: &[u64], manifest: &Manifest) {
        let key = manifest.fragments.iter().rposition(|(_, key)| *key).map(|at| manifest.first + at as u64);
        let start = match self.start {
            None if self.is_young(manifest.at) => 1,
            None => key.unwrap_or(manifest.first),
            // Who began where no player can may go back to where one can.
            Some(start) if !self.begins_well() => key.unwrap_or(start).min(start),
            Some(start) => start,
        };
        self.start = Some(start);
        self.hearing.expects(new.len());
        let (mean, deviation) = self.late;
        let late = Duration::from_secs_f64((mean + 4.0 * deviation).max(0.0));
        let patience = self.settings().fetch.max(late).min(self.latency / 2).max(TICK);
        let hears = self.hearing.is_good(now);
        let played = self.pace.due(manifest.at, self.latency).is_some_and(|due| due <= now);
        for &id in new.iter().filter(|id| **id >= start) {
            let has_parent = hears || self.parents.of(slice_of(id)).is_some();
            let wait = if has_parent && !played { patience } else { Duration::from_millis(10) };
            // What a later manifest was ahead of is not pushed any more, unless it is on its way.
            let wait = if manifest.at < self.newest_at { wait.min(LATE) } else { wait };
            self.pulls.expect(now, id, now + wait);
            self.parents.announced(now, id);
        }
    }

    /// A fragment came.
    pub(super) fn fragment(&mut self, context: &mut Context<'_>, peer: PeerId, message: &Bytes) -> Result<(), Fault> {
        let now = context.now;
        match peer {
            AIR => self.counts.received_air.add(now, message.len()),
            _ => self.counts.received_data.add(now, message.len()),
        }
        if !self.takes_part || self.press.is_some() {
            return Err(Fault::Limited);
        }
        let id = Fragment::decode(message).map_err(|_| Fault::Malformed)?.id;
        let mut arrival = self.window.put(now, id, message);
        if arrival == Arrival::Held {
            arrival = self.window.hold(now, id, peer, message);
        }
        if peer == AIR && arrival != Arrival::Forged {
            self.hearing.came(now);
        }
        match arrival {
            Arrival::New => {
                if let Some(near) = self.nears.get_mut(&peer) {
                    near.failures = near.failures.saturating_sub(1);
                }
                let expected = self.pulls.remove(id, &mut self.nears);
                let asked = expected.is_some_and(|(_, asked)| asked == Some(peer));
                match peer {
                    AIR => self.counts.heard(message.len()),
                    _ => self.counts.got(message.len(), asked),
                }
                if let Some((known, _)) = expected.filter(|_| !asked) {
                    let (mean, deviation) = &mut self.late;
                    let error = now.since(known).as_secs_f64() - *mean;
                    *mean += error / 16.0;
                    *deviation += (error.abs() - *deviation) / 16.0;
                }
                self.arrived(context, Some(peer), id);
            }
            Arrival::Known => {
                self.counts.info.duplicates += 1;
                self.pushed_by(now, peer, id, false);
            }
            Arrival::Held => {}
            Arrival::Refused => return Err(Fault::Limited),
            Arrival::Forged => {
                self.counts.info.forged += 1;
                let hostile = Fault::Hostile("altered a fragment");
                return Err(if self.contradicts { Fault::Limited } else { hostile });
            }
        }
        Ok(())
    }

    fn pushed_by(&mut self, now: Instant, peer: PeerId, id: u64, first: bool) {
        let slice = slice_of(id);
        let Some(near) = self.nears.get_mut(&peer) else { return };
        if near.asked.has(slice) {
            near.given.set(slice, true);
            let newest = id + SLICES as u64 >= self.window.high();
            let by = now + 2 * near.rtt + TICK;
            self.parents.pushed(now, peer, id, newest, first);
            for before in (1..=2).filter_map(|back| id.checked_sub(back * SLICES as u64)) {
                self.pulls.hurry(before, by);
            }
        }
    }

    /// A fragment is here that was not: it is passed on.
    fn arrived(&mut self, context: &mut Context<'_>, from: Option<PeerId>, id: u64) {
        self.pulls.remove(id, &mut self.nears);
        if let Some(from) = from {
            self.pushed_by(context.now, from, id, true);
        }
        let Some((message, _)) = self.window.get(id) else { return };
        let message = message.clone();
        let slice = slice_of(id);
        let by = context.now + self.settings().window;
        let lane = Lane::Fragments(self.tag());
        for (peer, near) in &mut self.nears {
            if Some(*peer) == from || !near.pushed.has(slice) || near.has(id) {
                continue;
            }
            match context.out.push(*peer, lane, message.clone(), by) {
                true => self.counts.gave(context.now, message.len(), false),
                false => self.counts.info.limited += 1,
            }
        }
        for peer in self.wishes.remove(&id).unwrap_or_default() {
            if self.nears.get(&peer).is_some_and(|near| !near.pushed.has(slice)) {
                self.give(context, peer, id);
            }
        }
    }
}
