//! When units are due that come faster than their own clock goes.

use std::time::Duration;

use super::unit::{Unit, unit_kind};
use crate::base::Instant;

/// A step of the clock that is longer is none: the clock was set anew.
const LONGEST_GAP: i64 = 10_000;
/// A step back that is longer is none, either. Shorter ones there are where sound and pictures take turns.
const LONGEST_BACK: i64 = 1_000;
/// Whoever fell behind by more does not catch up with the rest.
const CATCH_UP: Duration = Duration::from_millis(500);

/// Says when to publish each unit, so that a stream goes by its own clock, as in `--realtime`.
///
/// Clocks wrap: that of Flash video after 2^32 ms, that of a transport stream after 2^33/90 ms. They may also jump, by an
/// edit say, which costs no time; a single unit whose time fits neither what was before nor what follows (codec headers at
/// time 0, say) is published with what was before. A gap of up to ten seconds is waited for.
///
/// After a stall of the input what is late is published at once, but for at most half a second of it: the rest
/// stays late.
#[derive(Debug, Default)]
pub struct Pacer {
    state: Option<State>,
}

#[derive(Debug)]
struct State {
    /// The newest time on the stream's clock, and when that is due.
    newest: u32,
    at: Instant,
    /// A time that did not fit; another one near it proves that the clock was set anew.
    apart: Option<u32>,
}

impl Pacer {
    /// Nothing was published yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: None }
    }

    /// When the next unit is due; never before those that were asked for earlier. What has no clock is due at once.
    pub fn due(&mut self, now: Instant, unit: &Unit) -> Instant {
        if unit.kind == unit_kind::RAW {
            return now;
        }
        let time = unit.timestamp;
        let Some(state) = &mut self.state else {
            self.state = Some(State { newest: time, at: now, apart: None });
            return now;
        };
        let period = period(unit.kind);
        let step = step(state.newest, time, period);
        if fits(step) {
            state.apart = None;
            if step > 0 {
                state.newest = time;
                state.at += Duration::from_millis(step.unsigned_abs());
            }
        } else if let Some(apart) = state.apart.take_if(|apart| fits(self::step(*apart, time, period))) {
            let step = self::step(apart, time, period).max(0);
            state.newest = time;
            state.at += Duration::from_millis(step.unsigned_abs());
        } else {
            state.apart = Some(time);
        }
        let late = now - state.at;
        if late > CATCH_UP {
            state.at += late - CATCH_UP;
        }
        state.at
    }
}

const fn fits(step: i64) -> bool {
    -LONGEST_BACK <= step && step <= LONGEST_GAP
}

/// After how many milliseconds the clock begins at 0 again.
const fn period(kind: u8) -> i64 {
    if kind == unit_kind::MPEG_TS { ((1 << 33) + 89) / 90 } else { 1 << 32 }
}

/// The way from one time to another on a clock that wraps, the shorter way round.
const fn step(from: u32, to: u32, period: i64) -> i64 {
    let ahead = (to as i64 - from as i64).rem_euclid(period);
    if ahead > period / 2 { ahead - period } else { ahead }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::message_kind::VIDEO;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    /// When each is published, by whoever waits for each until it is due.
    fn published(kind: u8, times: impl IntoIterator<Item = u32>) -> Vec<u64> {
        let (mut pacer, mut now) = (Pacer::new(), at(1000));
        let publish = |timestamp| {
            now = now.max(pacer.due(now, &Unit { kind, timestamp, key: false, data: Bytes::new() }));
            now.as_micros() / 1000 - 1000
        };
        times.into_iter().map(publish).collect()
    }

    #[test]
    fn units_go_by_their_clock_across_its_end() {
        let evenly = |from: u32, count: u32| (0..count).map(move |n| from.wrapping_add(40 * n));
        let wanted: Vec<u64> = (0..100).map(|n| 40 * n).collect();
        assert_eq!(published(VIDEO, evenly(7, 100)), wanted);
        assert_eq!(published(VIDEO, evenly(u32::MAX - 2000, 100)), wanted);
        // 2^33/90 is no whole number: a millisecond of it is rounding.
        let end = (1u64 << 33) / 90;
        let wrapping = (0..100u64).map(|n| u32::try_from((end - 2000 + 40 * n) % (end + 1)).unwrap());
        assert_eq!(published(unit_kind::MPEG_TS, wrapping), wanted);
        assert_eq!(published(unit_kind::RAW, evenly(7, 3)), [0, 0, 0]);
    }

    #[test]
    fn jumps_cost_no_time_and_gaps_do() {
        assert_eq!(published(VIDEO, [0, 40, 900_000, 900_040, 900_080]), [0, 40, 40, 80, 120]);
        assert_eq!(published(VIDEO, [900_000, 900_040, 0, 40, 80]), [0, 40, 40, 80, 120]);
        assert_eq!(published(VIDEO, [0, 40, 8_040, 8_080]), [0, 40, 8_040, 8_080]);
        // Sound that comes behind its pictures, and headers that have no time.
        assert_eq!(published(VIDEO, [100, 140, 110, 150, 180, 160]), [0, 40, 40, 50, 80, 80]);
        assert_eq!(published(VIDEO, [5_000, 5_040, 0, 5_080, 5_120, 0, 5_160]), [0, 40, 40, 80, 120, 120, 160]);
    }

    #[test]
    fn after_a_stall_at_most_half_a_second_is_caught_up() {
        let mut pacer = Pacer::new();
        let mut due = |now: u64, timestamp| {
            let unit = Unit { kind: VIDEO, timestamp, key: false, data: Bytes::new() };
            pacer.due(at(now), &unit).as_micros() / 1000
        };
        assert_eq!([due(0, 0), due(0, 40)], [0, 40]);
        // Thirty seconds nothing came: what follows goes on as if it had stopped for all but half a second.
        assert_eq!(due(30_000, 80), 29_500);
        assert_eq!([due(30_000, 580), due(30_000, 620), due(30_000, 5_620)], [30_000, 30_040, 35_040]);
        // A short one is made up for.
        assert_eq!([due(35_400, 5_660), due(35_400, 6_020)], [35_080, 35_440]);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_due_in_order_never_long_past_and_never_far_ahead(
            steps in proptest::collection::vec((any::<u32>(), 0u32..3, 0u64..3_000), 1..60),
            kind in proptest::sample::select(vec![VIDEO, unit_kind::MPEG_TS]),
        ) {
            let (mut pacer, mut now, mut time) = (Pacer::new(), at(0), 0u32);
            let mut last = at(0);
            for (jump, what, wait) in steps {
                now += Duration::from_millis(wait);
                let step = if what == 0 { jump } else { jump % 200 };
                time = time.wrapping_add(step) % ((1u64 << 33) / 90) as u32;
                let due = pacer.due(now, &Unit { kind, timestamp: time, key: false, data: Bytes::new() });
                prop_assert!(due >= last && due + CATCH_UP >= now);
                prop_assert!(due <= last.max(now) + Duration::from_millis(LONGEST_GAP as u64));
                (last, now) = (due, now.max(due));
            }
        }
    }
}
