//! The tree's state.

use std::time::Duration;

use crate::base::{Instant, PeerId};

/// How long a group counts as active after a post.
const ACTIVE: Duration = Duration::from_secs(30);

/// What we know of the tree's shape.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) instance: [u8; 8],
    active_until: Option<Instant>,
    pub(super) parent: Option<PeerId>,
}

impl Tree {
    pub(super) fn new(instance: [u8; 8]) -> Self {
        Self { instance, active_until: None, parent: None }
    }

    /// A post came or went.
    pub(super) fn active(&mut self, now: Instant) {
        self.active_until = Some(now + ACTIVE);
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        None
    }
}
