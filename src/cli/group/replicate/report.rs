//! What is told of a fetch: bars, events, status lines.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::exchange::Exchange;
use super::people;
use super::plan::Plan;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::output::Event;
use crate::cli::units::{show_duration, show_size};
use crate::runtime::files::Library;

/// Bars of single files at most.
const BARS: usize = 8;
/// How often events tell how far it is.
const TELL: Duration = Duration::from_secs(1);
/// Bytes a second, below which the time left means nothing.
const SLOWEST: f64 = 100.0;
/// The weight of a new measurement of the rate.
const FRESH: f64 = 0.3;

/// What was told so far.
pub(super) struct Report<'a> {
    call: &'a Call,
    begun: Instant,
    bar: Option<ProgressBar>,
    files: BTreeMap<[u8; 32], ProgressBar>,
    measured: (Instant, u64),
    rate: f64,
    told: Option<Instant>,
}

impl<'a> Report<'a> {
    pub(super) fn new(call: &'a Call) -> Self {
        let begun = Instant::now();
        Self { call, begun, bar: None, files: BTreeMap::new(), measured: (begun, 0), rate: 0.0, told: None }
    }

    /// A bar for each file that is being fetched, where there are several.
    pub(super) fn files(&mut self, plan: &Plan, library: &Library) {
        if !plan.is_list() {
            return;
        }
        let active: Vec<[u8; 32]> = plan.active().copied().collect();
        self.files.retain(|hash, bar| {
            let stays = active.contains(hash);
            if !stays {
                bar.finish_and_clear();
            }
            stays
        });
        for hash in &active {
            let Some(part) = library.part(hash) else { continue };
            if !self.files.contains_key(hash) {
                if self.files.len() == BARS {
                    continue;
                }
                let bar = self.call.out.bar(Some(part.tree().shape().size()));
                bar.set_message(plan.name(hash));
                self.files.insert(*hash, bar);
            }
            self.files[hash].set_position(part.bytes());
        }
    }

    /// How far all of it is.
    pub(super) fn tell(&mut self, bytes: u64, total: u64, exchange: &Exchange, asked: bool) -> Result<(), Failure> {
        let (peers, (received, others)) = (exchange.neighbours(), exchange.received());
        let now = Instant::now();
        let span = now.duration_since(self.measured.0).as_secs_f64();
        if span > 0.2 {
            let rate = received.saturating_sub(self.measured.1) as f64 / span;
            self.rate += FRESH * (rate - self.rate);
            self.measured = (now, received);
        }
        let share = (others * 100).checked_div(received).unwrap_or(0);
        if total > 0 {
            let bar = self.bar.get_or_insert_with(|| self.call.out.bar(Some(total)));
            bar.set_position(bytes);
            bar.set_message(format!("{}, {share} % not from the origin", people(peers)));
        }
        let left = (self.rate >= SLOWEST).then(|| total.saturating_sub(bytes) as f64 / self.rate);
        if asked {
            let left = left.map(|left| format!(", {} left", show_duration(Duration::from_secs(left as u64))));
            self.call.out.say(format_args!(
                "{} of {}{}; {}, {} gave; {share} % not from the origin",
                show_size(bytes),
                show_size(total),
                left.unwrap_or_default(),
                people(peers),
                exchange.givers()
            ));
        }
        if total == 0 || self.told.is_some_and(|told| told.elapsed() < TELL) {
            return Ok(());
        }
        self.told = Some(now);
        self.call.out.event(
            Event::new("replicating")
                .with("bytes", bytes)
                .with("total", total)
                .with("rate", self.rate as u64)
                .with("seconds_left", left)
                .with("peers", peers)
                .with("received", received)
                .with("from_others", others)
                .with("sent", exchange.sent())
                .with("seconds", self.begun.elapsed().as_secs_f64()),
        )
    }
}
