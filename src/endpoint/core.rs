//! The state of an endpoint, for the parts that act on it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::{Instant, Rng};
use crate::crypto::Profile;

use super::config::EndpointConfig;
use super::context::{Context, Limits};
use super::cookie::CookieJar;
use super::event::EndpointEvent;
use super::forward::ForwardGate;
use super::fragments::Reassembler;
use super::ids::SessionIds;
use super::openings::Openings;
use super::outbox::Outbox;
use super::pendings::Pendings;
use super::stats::{DropReason, Stats};
use super::table::Table;

/// Events that strangers can cause wait for the owner up to this many; further ones are dropped.
const MAX_STRANGERS_EVENTS: usize = 4096;

/// All that an endpoint is.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) profile: Arc<dyn Profile>,
    pub(crate) config: EndpointConfig,
    pub(crate) rng: Rng,
    pub(crate) jar: CookieJar,
    pub(crate) ids: SessionIds,
    pub(crate) out: Outbox,
    pub(crate) limits: Limits,
    pub(crate) stats: Stats,
    pub(crate) reassembler: Reassembler,
    pub(crate) openings: Openings,
    pub(crate) table: Table,
    pub(crate) pendings: Pendings,
    pub(crate) gate: ForwardGate,
    pub(crate) events: VecDeque<EndpointEvent>,
}

impl Core {
    pub(crate) fn new(mut rng: Rng, profile: Arc<dyn Profile>, config: EndpointConfig) -> Self {
        let limits = Limits::new(&mut rng, config.answer_bytes_per_second, config.keyings_per_second);
        Self {
            jar: CookieJar::new(&mut rng),
            gate: ForwardGate::new(&mut rng),
            limits,
            profile,
            config,
            rng,
            ids: SessionIds::default(),
            out: Outbox::default(),
            stats: Stats::default(),
            reassembler: Reassembler::default(),
            openings: Openings::default(),
            table: Table::default(),
            pendings: Pendings::default(),
            events: VecDeque::new(),
        }
    }

    /// What openings work with, and the openings.
    pub(crate) fn split(&mut self, now: Instant) -> (Context<'_>, &mut Openings) {
        let ctx = Context {
            now,
            profile: &*self.profile,
            rng: &mut self.rng,
            ids: &mut self.ids,
            out: &mut self.out,
            limits: &mut self.limits,
            stats: &mut self.stats,
        };
        (ctx, &mut self.openings)
    }

    /// Counts what was dropped, if it was.
    pub(crate) fn count(&mut self, outcome: Result<(), DropReason>) {
        if let Err(reason) = outcome {
            self.stats.drop(reason);
        }
    }

    /// Raises an event that a stranger caused, if the owner keeps up.
    pub(crate) fn raise_strangers(&mut self, event: EndpointEvent) -> Result<(), DropReason> {
        if self.events.len() >= MAX_STRANGERS_EVENTS {
            return Err(DropReason::EventsFull);
        }
        self.events.push_back(event);
        Ok(())
    }
}
