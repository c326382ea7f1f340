//! What neighbours tell of a stream, and want of it.

use bytes::Bytes;

use super::message::StreamMessage;
use super::own::OwnMessage;
use super::parents::refuse;
use super::stream::{Context, Fault, Stream, places};
use super::tree::{MANIFESTS, TREES, Trees};
use crate::base::PeerId;
use crate::group::Lane;

/// Fragments that neighbours wait for because we did not have them when they asked.
const MAX_WISHES: usize = 1024;

impl Stream {
    /// One of our own messages came, but for titles.
    pub(super) fn own_message(
        &mut self,
        context: &mut Context<'_>,
        peer: PeerId,
        message: OwnMessage,
    ) -> Result<(), Fault> {
        let now = context.now;
        match message {
            OwnMessage::Title(_) => {}
            OwnMessage::Manifest(bytes) => return self.manifest(context, peer, &bytes),
            OwnMessage::Standing { standing, .. } => {
                let Some(near) = self.nears.get_mut(&peer) else { return Ok(()) };
                let begins = standing.takes_part && !near.standing.takes_part;
                near.standing = standing;
                if begins && self.takes_part {
                    self.introduce(context, peer);
                }
                let Some(near) = self.nears.get_mut(&peer) else { return Ok(()) };
                if !standing.takes_part {
                    (near.wants, near.pushed, near.map, near.depends) = Default::default();
                    near.relays = false;
                }
                let gone = (0..TREES).filter(|tree| standing.lags[*tree].is_none());
                let mut lost = Trees::default();
                gone.for_each(|tree| lost.set(tree, self.parents.wanted_from(peer).has(tree)));
                if !lost.is_empty() {
                    self.lost(now, peer, lost);
                }
                if (0..TREES).any(|tree| self.parents.of(tree).is_none()) {
                    self.soon(now);
                }
            }
            OwnMessage::Follow { on, from, .. } => {
                let Some(near) = self.nears.get_mut(&peer).filter(|_| self.takes_part) else { return Ok(()) };
                near.wants.set(MANIFESTS, on);
                self.grant(context, peer);
                if self.nears.get(&peer).is_some_and(|near| near.pushed.has(MANIFESTS)) {
                    let newest = || self.window.newest_key().unwrap_or(self.window.high().saturating_sub(1));
                    let begin = || if self.is_young(self.newest_at) { 1 } else { newest() };
                    self.send_manifests(context, peer, if from == 0 { begin() } else { from });
                }
            }
            OwnMessage::Missing { id, .. } => {
                if self.takes_part {
                    self.send_manifests(context, peer, id);
                }
            }
            OwnMessage::Granted { slices, manifests, .. } => {
                let Some(near) = self.nears.get_mut(&peer) else { return Ok(()) };
                let granted = Trees::of(slices, manifests);
                let refused = near.asked.without(granted);
                near.given = near.asked.both(granted);
                refuse(near, now, refused);
                self.lost(now, peer, refused);
            }
            OwnMessage::Relay { .. } => {
                if let Some(near) = self.nears.get_mut(&peer) {
                    near.depends = Some(now);
                }
            }
        }
        Ok(())
    }

    fn send_manifests(&mut self, context: &mut Context<'_>, peer: PeerId, from: u64) {
        let manifests: Vec<Bytes> = self.window.manifests_from(from.max(1)).cloned().collect();
        for manifest in manifests {
            if !self.may_have(context, peer, manifest.len()) {
                return;
            }
            self.own(context, peer, &OwnMessage::Manifest(manifest));
        }
    }

    /// Whether a neighbour has not asked for too much.
    fn may_have(&mut self, context: &Context<'_>, peer: PeerId, bytes: usize) -> bool {
        let near = self.nears.get_mut(&peer);
        let may = near.is_some_and(|near| near.served.take(context.now, bytes as u64));
        self.counts.info.limited += u64::from(!may);
        may
    }

    /// Pushes to a neighbour what it wants, as far as there are places.
    pub(super) fn grant(&mut self, context: &mut Context<'_>, peer: PeerId) {
        let Some(near) = self.nears.get(&peer) else { return };
        let (wants, mut pushed) = (near.wants, near.pushed.both(near.wants));
        for tree in wants.without(pushed).iter() {
            // Who pushes to us does not get the same from us.
            let is_parent = self.parents.wanted_from(peer).has(tree);
            let is_place = self.pushed_along(tree).count() < places(tree, context.push_limit);
            pushed.set(tree, is_place && !is_parent);
        }
        if let Some(near) = self.nears.get_mut(&peer) {
            near.pushed = pushed;
        }
        let granted = OwnMessage::granted(self.key(), pushed);
        self.own(context, peer, &granted);
    }

    /// A known message came.
    pub(super) fn stream_message(
        &mut self,
        context: &mut Context<'_>,
        peer: PeerId,
        message: StreamMessage,
    ) -> Result<(), Fault> {
        match message {
            // The title says the same, signed; and only a manifest ends a stream.
            StreamMessage::Infos(_) | StreamMessage::End(_) => {}
            StreamMessage::Map(map) => {
                if let Some(near) = self.nears.get_mut(&peer) {
                    near.map = Some(map);
                }
            }
            StreamMessage::Push(slices) => {
                let Some(near) = self.nears.get_mut(&peer).filter(|_| self.takes_part) else { return Ok(()) };
                near.wants = Trees::of(slices, near.wants.has(MANIFESTS));
                self.grant(context, peer);
            }
            StreamMessage::Pull(id) => self.serve(context, peer, id),
        }
        Ok(())
    }

    /// A neighbour asks for a fragment.
    fn serve(&mut self, context: &mut Context<'_>, peer: PeerId, id: u64) {
        if !self.takes_part {
            return;
        }
        if self.window.has(id) {
            self.give(context, peer, id);
        } else if id >= self.window.low() && id < self.window.high() + 64 && self.wishes.len() < MAX_WISHES {
            let wishes = self.wishes.entry(id).or_default();
            if wishes.len() < 8 && !wishes.contains(&peer) {
                wishes.push(peer);
            }
        }
    }

    /// Sends what was asked for.
    pub(super) fn give(&mut self, context: &mut Context<'_>, peer: PeerId, id: u64) {
        let Some((message, _)) = self.window.get(id) else { return };
        let message = message.clone();
        let len = message.len();
        if !self.may_have(context, peer, len) {
            return;
        }
        if self.press.is_some() {
            let Some(left) = self.gifts.checked_sub(len as u64) else {
                self.counts.info.limited += 1;
                return;
            };
            self.gifts = left;
        }
        let by = context.now + self.settings().window;
        match context.out.push(peer, Lane::Fragments(self.tag()), message, by) {
            true => self.counts.gave(context.now, len, true),
            false => self.counts.info.limited += 1,
        }
    }
}
