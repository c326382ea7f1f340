//! What is told while a pipe runs: events, progress, and the status line on request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::text::bytes_text;
use crate::cli::output::{Event, Output};
use crate::cli::signals::Signals;
use crate::runtime::Peer;

/// Between two progress events.
const EVERY: Duration = Duration::from_secs(1);

/// Counts what goes through a pipe and tells of it. Clones count together.
#[derive(Debug, Clone)]
pub(super) struct Report(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    out: Output,
    bar: ProgressBar,
    begun: std::sync::Mutex<Instant>,
    sent: AtomicU64,
    received: AtomicU64,
    lost: AtomicU64,
    far_done: AtomicBool,
    next_event: AtomicU64,
}

impl Report {
    pub(super) fn new(out: &Output) -> Self {
        // Where the peer's words come out on the terminal, a bar would stand between them.
        let bar = if out.to_terminal() { ProgressBar::hidden() } else { out.bar(None) };
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(Arc::new(Inner {
            out: out.clone(),
            bar,
            begun: std::sync::Mutex::new(Instant::now()),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            far_done: AtomicBool::new(false),
            next_event: AtomicU64::new(0),
        }))
    }

    /// A report of its own for another pipe of the same command.
    pub(super) fn another(&self) -> Self {
        Self::new(&self.0.out)
    }

    /// A pipe to the peer begins.
    pub(super) fn peer_up(&self, peer: &Peer) {
        *self.0.begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
        let stats = peer.stats();
        let (address, rtt) = stats.map_or((None, None), |stats| (Some(stats.path.remote), stats.srtt));
        let place = address.map(|address| format!(" at {address}")).unwrap_or_default();
        self.0.out.say(format_args!("connected to {}{place}", peer.far().peer_id));
        let lan = address.is_some_and(|address| is_near(address.ip()));
        self.event(
            Event::new("peer_up")
                .with("peer_id", peer.far().peer_id.to_string())
                .with("address", address.map(|address| address.to_string()))
                .with("path", if lan { "lan" } else { "direct" })
                .with("authenticated", peer.far().authenticated)
                .with("rtt_ms", rtt.map(|rtt| rtt.as_secs_f64() * 1e3)),
        );
    }

    /// Says what went wrong with one pipe of several.
    pub(super) fn say(&self, failure: &crate::cli::failure::Failure) {
        self.0.out.say(failure);
    }

    pub(super) fn peer_down(&self, peer: &Peer) {
        self.event(Event::new("peer_down").with("peer_id", peer.far().peer_id.to_string()));
    }

    pub(super) fn moved(&self, to: std::net::SocketAddr) {
        self.0.out.say(format_args!("the peer moved to {to}"));
        self.event(Event::new("path").with("address", to.to_string()));
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.0.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.progress(bytes);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.0.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.progress(bytes);
    }

    /// The peer gave up messages that span so many sequence numbers.
    pub(super) fn lost(&self, span: u64) {
        self.0.lost.fetch_add(span, Ordering::Relaxed);
        self.0.out.say(format_args!("lost: messages that came too late (a gap of {span})"));
        self.event(Event::new("lost").with("direction", "received").with("span", span));
    }

    /// We gave up so many messages.
    pub(super) fn abandoned(&self, messages: usize) {
        if messages > 0 {
            self.0.lost.fetch_add(messages as u64, Ordering::Relaxed);
            self.0.out.say(format_args!("lost: {messages} messages were not delivered in time"));
            self.event(Event::new("lost").with("direction", "sent").with("messages", messages));
        }
    }

    /// All that the peer sent has come.
    pub(super) fn far_finished(&self) {
        self.0.far_done.store(true, Ordering::Relaxed);
    }

    pub(super) fn far_is_done(&self) -> bool {
        self.0.far_done.load(Ordering::Relaxed)
    }

    pub(super) fn bytes_received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    pub(super) fn done(&self, peer: &Peer) {
        self.0.bar.finish_and_clear();
        let (sent, received) = (self.0.sent.load(Ordering::Relaxed), self.bytes_received());
        let took = self.elapsed();
        self.0.out.say(format_args!(
            "done: {} sent, {} received in {:.1} s",
            bytes_text(sent),
            bytes_text(received),
            took.as_secs_f64()
        ));
        self.event(
            Event::new("done")
                .with("peer_id", peer.far().peer_id.to_string())
                .with("sent", sent)
                .with("received", received)
                .with("lost", self.0.lost.load(Ordering::Relaxed))
                .with("seconds", took.as_secs_f64()),
        );
    }

    /// Says how things stand.
    fn status(&self, peer: &Peer) {
        let stats = peer.stats();
        let path = stats.as_ref().map(|stats| format!(", {} at {}", rtt_text(stats.srtt), stats.path.remote));
        self.0.out.say(format_args!(
            "{} sent, {} received, {:.0} s{}",
            bytes_text(self.0.sent.load(Ordering::Relaxed)),
            bytes_text(self.bytes_received()),
            self.elapsed().as_secs_f64(),
            path.unwrap_or_default()
        ));
    }

    fn progress(&self, bytes: usize) {
        self.0.bar.inc(bytes as u64);
        if self.0.out.json().is_none() {
            return;
        }
        let elapsed = self.elapsed();
        let due = self.0.next_event.load(Ordering::Relaxed);
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if millis >= due {
            self.0.next_event.store(millis + EVERY.as_millis() as u64, Ordering::Relaxed);
            self.event(
                Event::new("progress")
                    .with("sent", self.0.sent.load(Ordering::Relaxed))
                    .with("received", self.bytes_received())
                    .with("seconds", elapsed.as_secs_f64()),
            );
        }
    }

    /// Since the peer was reached.
    fn elapsed(&self) -> Duration {
        self.0.begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner).elapsed()
    }

    fn event(&self, event: Event) {
        // Events of this command go to standard error; that nobody reads them is no reason to fail.
        let _ = self.0.out.event(event);
    }
}

fn rtt_text(rtt: Option<Duration>) -> String {
    rtt.map_or_else(|| "RTT not known".to_owned(), |rtt| format!("RTT {:.1} ms", rtt.as_secs_f64() * 1e3))
}

/// Whether an address is of this machine or a private network.
fn is_near(ip: std::net::IpAddr) -> bool {
    match ip {
        std::net::IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unique_local(),
    }
}

/// Says how things stand on each SIGUSR1, and when the peer moves.
pub(super) async fn status_on_signal(mut signals: Signals, report: Report, peer: Peer) {
    loop {
        tokio::select! {
            () = signals.status_wanted() => report.status(&peer),
            moved = peer.moved() => match moved {
                Ok((_, to)) => report.moved(to.remote),
                Err(_) => std::future::pending().await,
            },
        }
    }
}
