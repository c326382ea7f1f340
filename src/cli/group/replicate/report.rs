//! What is told of a fetch: bars, events, status lines.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::exchange::Exchange;
use super::people;
use super::plan::Plan;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::output::{Event, Output};
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

/// Bytes a second, of late.
struct Rate {
    measured: (Instant, u64),
    now: f64,
    /// Nothing was measured yet.
    is_new: bool,
}

impl Rate {
    /// Of what has so many bytes already.
    fn new(bytes: u64) -> Self {
        Self { measured: (Instant::now(), bytes), now: 0.0, is_new: true }
    }

    /// How many seconds so many bytes take; `None` if that means nothing.
    fn left(&self, bytes: u64) -> Option<f64> {
        (self.now >= SLOWEST).then(|| bytes as f64 / self.now)
    }

    /// The rate, and how long so many bytes take, in words.
    fn pace(&self, bytes: u64) -> String {
        match self.left(bytes) {
            Some(left) => {
                let left = show_duration(Duration::from_secs(left.ceil() as u64));
                format!("{}/s, {left} left", show_size(self.now as u64))
            }
            None if self.is_new => "beginning".to_owned(),
            None => "nothing comes".to_owned(),
        }
    }

    /// So many bytes came until now.
    fn measure(&mut self, bytes: u64) {
        let now = Instant::now();
        let span = now.duration_since(self.measured.0).as_secs_f64();
        if span > 0.2 {
            let rate = bytes.saturating_sub(self.measured.1) as f64 / span;
            let weight = if std::mem::take(&mut self.is_new) { 1.0 } else { FRESH };
            self.now += weight * (rate - self.now);
            self.measured = (now, bytes);
        }
    }
}

/// The line of whoever gives and gets nothing any more.
pub(super) struct Giving {
    out: Output,
    line: ProgressBar,
    rate: Rate,
}

impl Giving {
    pub(super) fn new(out: &Output) -> Self {
        Self { out: out.clone(), line: out.live(), rate: Rate::new(0) }
    }

    /// So much was sent.
    pub(super) fn tell(&mut self, sent: u64, peers: usize) {
        self.rate.measure(sent);
        let rate = if self.rate.now < SLOWEST { 0 } else { self.rate.now as u64 };
        self.line.set_message(format!("{} sent, {}/s, {}", show_size(sent), show_size(rate), people(peers)));
    }
}

impl Drop for Giving {
    fn drop(&mut self) {
        self.out.without(&self.line);
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        let files = self.files.values().map(|file| &file.bar);
        files.chain(&self.bar).for_each(|bar| self.call.out.without(bar));
    }
}

/// The bar of one file.
struct FileBar {
    bar: ProgressBar,
    rate: Rate,
    name: String,
}

/// What was told so far.
pub(super) struct Report<'a> {
    call: &'a Call,
    begun: Instant,
    bar: Option<ProgressBar>,
    giving: Option<Giving>,
    files: BTreeMap<[u8; 32], FileBar>,
    rate: Rate,
    told: Option<Instant>,
    /// Bytes that were there, and were sent, when it was told.
    last: (u64, u64),
}

impl<'a> Report<'a> {
    pub(super) fn new(call: &'a Call) -> Self {
        let begun = Instant::now();
        let rate = Rate::new(0);
        Self { call, begun, bar: None, giving: None, files: BTreeMap::new(), rate, told: None, last: (0, 0) }
    }

    /// A bar for each file of which something has come, where there are several.
    pub(super) fn files(&mut self, plan: &Plan, library: &Library) {
        let Some(all) = self.bar.as_ref().filter(|_| plan.is_list()) else { return };
        let active: Vec<[u8; 32]> = plan.active().copied().collect();
        self.files.retain(|hash, file| {
            let stays = active.contains(hash);
            if !stays {
                self.call.out.without(&file.bar);
            }
            stays
        });
        for hash in &active {
            let Some(part) = library.part(hash) else { continue };
            if !self.files.contains_key(hash) {
                if self.files.len() == BARS || part.count() == 0 {
                    continue;
                }
                let bar = self.call.out.part_bar(part.tree().shape().size(), Some(all));
                self.files.insert(*hash, FileBar { bar, rate: Rate::new(part.bytes()), name: plan.name(hash) });
            }
            let file = self.files.get_mut(hash).expect("it is there now");
            file.rate.measure(part.bytes());
            file.bar.set_position(part.bytes());
            let pace = file.rate.pace(part.tree().shape().size() - part.bytes());
            file.bar.set_message(format!("{}, {pace}", file.name));
        }
    }

    /// How far all of it is.
    pub(super) fn tell(&mut self, bytes: u64, total: u64, exchange: &Exchange, asked: bool) -> Result<(), Failure> {
        let (peers, (received, others)) = (exchange.neighbours(), exchange.received());
        let (now, sent) = (Instant::now(), exchange.sent());
        self.rate.measure(received);
        let share = (others * 100).checked_div(received).unwrap_or(0);
        if total > 0 && bytes < total {
            let bar = self.bar.get_or_insert_with(|| self.call.out.part_bar(total, None));
            bar.set_position(bytes);
            bar.set_message(format!("{}, {}, {share} % from others", self.rate.pace(total - bytes), people(peers)));
        } else if total > 0 {
            // From now on it only gives.
            if let Some(bar) = self.bar.take() {
                self.call.out.without(&bar);
            }
            self.giving.get_or_insert_with(|| Giving::new(&self.call.out)).tell(sent, peers);
        }
        let left = self.rate.left(total.saturating_sub(bytes));
        if asked {
            self.call.out.say(format_args!(
                "{} of {}, {}; {}, {} gave; {share} % from others than the origin",
                show_size(bytes),
                show_size(total),
                self.rate.pace(total.saturating_sub(bytes)),
                people(peers),
                exchange.givers()
            ));
        }
        let nothing_new = self.told.is_some() && bytes == total && (bytes, sent) == self.last;
        if total == 0 || nothing_new || self.told.is_some_and(|told| told.elapsed() < TELL) {
            return Ok(());
        }
        (self.told, self.last) = (Some(now), (bytes, sent));
        self.call.out.event(
            Event::new("replicating")
                .with("bytes", bytes)
                .with("total", total)
                .with("rate", self.rate.now as u64)
                .with("seconds_left", left)
                .with("peers", peers)
                .with("received", received)
                .with("from_others", others)
                .with("sent", sent)
                .with("seconds", self.begun.elapsed().as_secs_f64()),
        )
    }
}
