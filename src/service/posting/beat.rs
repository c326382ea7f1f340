//! Beats, which give the tree its shape.

use super::machine::Posting;
use super::signed::Signed;
use crate::base::{Instant, PeerId};

impl Posting {
    pub(super) fn beat(&mut self, _now: Instant, _peer: PeerId, _hops: u64, _post: &Signed<'_>, _bytes: &[u8]) {}
    pub(super) fn tree_timeout(&mut self, _now: Instant) {}
    pub(super) fn parent_lost(&mut self, _now: Instant, peer: PeerId) {
        if self.tree.parent == Some(peer) {
            self.tree.parent = None;
        }
    }
    pub(super) fn parent_missed(&mut self, _now: Instant, _by: PeerId) {}
    pub(super) fn pushed_by(&mut self, _peer: PeerId) {}
    pub(super) fn in_tree(&self, peer: PeerId) -> bool {
        self.tree.parent == Some(peer) || self.neighbours.get(&peer).is_some_and(|neighbour| neighbour.child)
    }
}
