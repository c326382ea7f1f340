//! What the floors below have that the world can run.

use super::world::Machine;
use crate::base::{Instant, Received, Transmit};
use crate::endpoint::Endpoint;
use crate::node::Node;

/// Whoever commands it drains its events; [`World::command`](super::World::command) is the place for both.
impl Machine for Endpoint {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        Self::handle(self, now, received);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn deadline(&self) -> Option<Instant> {
        Self::deadline(self)
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        Self::poll_transmit(self, now)
    }
}

/// As for an endpoint.
impl Machine for Node {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        Self::handle(self, now, received);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn deadline(&self) -> Option<Instant> {
        Self::deadline(self)
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        Self::poll_transmit(self, now)
    }
}
