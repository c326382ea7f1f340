//! Where a member is, how fast its access is, and who can reach it.

use std::time::Duration;

use super::plan::{Rate, Terms};
use crate::base::Rng;

/// What kind of NAT a member is behind, as far as it decides who can connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nat {
    /// None, or one that lets everybody in.
    #[default]
    None,
    /// Endpoint-independent mapping, port-restricted filtering.
    PortRestricted,
    /// A mapping for each destination.
    Symmetric,
}

/// A member's place in the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nature {
    /// Where it is: on a square whose edges meet, of side 1.
    pub place: (f64, f64),
    /// One-way delay of its access line.
    pub access: Duration,
    /// Its uplink.
    pub up: Rate,
    /// Its downlink.
    pub down: Rate,
    /// Its NAT.
    pub nat: Nat,
}

impl Nature {
    /// Draws one by the terms.
    pub(super) fn draw(rng: &mut Rng, terms: &Terms) -> Self {
        let place = (rng.unit(), rng.unit());
        let span = terms.access.1.saturating_sub(terms.access.0);
        let access = terms.access.0 + span.mul_f64(rng.unit());
        let kind = rng.unit();
        let nat = match terms.nats {
            (symmetric, _) if kind < symmetric => Nat::Symmetric,
            (symmetric, restricted) if kind < symmetric + restricted => Nat::PortRestricted,
            _ => Nat::None,
        };
        Self { place, access, up: terms.up, down: terms.down, nat }
    }

    /// One-way delay from here to there.
    pub(super) fn delay_to(&self, other: &Self, terms: &Terms) -> Duration {
        let along = |a: f64, b: f64| {
            let d = (a - b).abs();
            d.min(1.0 - d)
        };
        let (x, y) = (along(self.place.0, other.place.0), along(self.place.1, other.place.1));
        // The greatest distance on the square is half its diagonal.
        let far = (x * x + y * y).sqrt() / std::f64::consts::FRAC_1_SQRT_2;
        self.access + other.access + terms.across.mul_f64(far)
    }

    /// Whether packets get through between the two in neither direction.
    pub(super) fn blocked(&self, other: &Self) -> bool {
        matches!(
            (self.nat, other.nat),
            (Nat::Symmetric, Nat::Symmetric | Nat::PortRestricted) | (Nat::PortRestricted, Nat::Symmetric)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_symmetric_and_within_the_terms() {
        let mut rng = Rng::for_simulation(1);
        let terms = Terms::default();
        for _ in 0..1000 {
            let (a, b) = (Nature::draw(&mut rng, &terms), Nature::draw(&mut rng, &terms));
            let delay = a.delay_to(&b, &terms);
            assert_eq!(delay, b.delay_to(&a, &terms));
            assert!(delay >= terms.access.0 * 2 && delay <= terms.access.1 * 2 + terms.across, "{delay:?}");
        }
    }

    #[test]
    fn a_megabyte_takes_eight_seconds_at_a_megabit() {
        assert_eq!(Rate(1_000_000).time(1_000_000), Duration::from_secs(8));
        assert_eq!(Rate::UNLIMITED.time(u64::MAX), Duration::ZERO);
    }
}
