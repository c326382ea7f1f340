//! What the operator learns: events, counts, a line on the terminal.

use crate::cli::failure::Failure;
use crate::cli::output::{Event, Output};
use crate::cli::table::row::Json;
use crate::cli::units::show_duration;
use crate::node::rendezvous::{Metrics, ServerEvent};
use crate::runtime::Host;
use indicatif::ProgressBar;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Events that wait for a slow reader; what comes beyond is counted instead.
const QUEUE: usize = 4096;

/// Tells what happens. A reader of the events that stands still does not make the service stand still.
pub(super) struct Report {
    started: Instant,
    live: ProgressBar,
    events: Option<Writer>,
    dropped: u64,
}

/// A thread that writes events.
struct Writer {
    queue: SyncSender<Event>,
    failure: oneshot::Receiver<Failure>,
    thread: JoinHandle<()>,
}

impl Report {
    pub(super) fn new(out: &Output) -> Result<Self, Failure> {
        let events = match out.json() {
            Some(Json::Stdout) => {
                Some(Writer::start(out.clone()).map_err(|error| Failure::io("start a thread", error))?)
            }
            _ => None,
        };
        Ok(Self { started: Instant::now(), live: out.live(), events, dropped: 0 })
    }

    /// Waits until events cannot be written any more.
    pub(super) async fn failed(&mut self) -> Failure {
        if let Some(writer) = &mut self.events
            && let Ok(failure) = (&mut writer.failure).await
        {
            return failure;
        }
        std::future::pending().await
    }

    /// Something happened in the service.
    pub(super) fn event(&mut self, event: &ServerEvent) {
        tracing::info!("{event}");
        self.tell(match event {
            ServerEvent::Registered { peer, observed } => {
                Event::new("registered").with("peer_id", peer.to_string()).with("observed", observed.to_string())
            }
            ServerEvent::Gone { peer } => Event::new("gone").with("peer_id", peer.to_string()),
            ServerEvent::Refused { peer, reason } => {
                Event::new("refused").with("peer_id", peer.to_string()).with("reason", *reason)
            }
        });
    }

    /// Tells the counts as an event.
    pub(super) fn metrics(&mut self, host: &Host) {
        let metrics = metrics(host);
        let event = Event::new("metrics")
            .with("uptime_s", self.started.elapsed().as_secs())
            .with("clients", metrics.clients)
            .with("registered", metrics.registered)
            .with("introductions", metrics.introductions)
            .with("unknown", metrics.unknown)
            .with("redirected", metrics.redirected)
            .with("refused_key", metrics.refused_key)
            .with("limited", metrics.limited)
            .with("checks", metrics.checks)
            .with("malformed", metrics.malformed)
            .with("groups", metrics.groups)
            .with("memberships", metrics.memberships)
            .with("events_dropped", self.dropped);
        self.tell(event);
    }

    /// Brings the terminal's line up to date.
    pub(super) fn show(&self, host: &Host) {
        if !self.live.is_hidden() {
            self.live.set_message(self.line(host));
        }
    }

    /// The counts in one line.
    pub(super) fn line(&self, host: &Host) -> String {
        let metrics = metrics(host);
        let up = show_duration(Duration::from_secs(self.started.elapsed().as_secs()));
        let mut line = format!(
            "up {up}: {} registered, {} introductions, {} asked for peers not here",
            metrics.registered, metrics.introductions, metrics.unknown
        );
        let rest = [
            (metrics.groups, "groups"),
            (metrics.memberships, "members in them"),
            (metrics.redirected, "sent elsewhere"),
            (metrics.refused_key, "refused for their key"),
            (metrics.limited, "over a limit"),
            (metrics.checks, "checks"),
        ];
        for (count, what) in rest.into_iter().filter(|(count, _)| *count > 0) {
            line.push_str(&format!(", {count} {what}"));
        }
        line
    }

    /// Writes what waits.
    pub(super) fn end(self) {
        self.live.finish_and_clear();
        if let Some(Writer { queue, thread, .. }) = self.events {
            drop(queue);
            // A panic there was told by the thread itself; a reader that stands still meets the signal's own limit.
            let _ = thread.join();
        }
    }

    fn tell(&mut self, event: Event) {
        if let Some(writer) = &self.events
            && writer.queue.try_send(event).is_err()
        {
            self.dropped += 1;
        }
    }
}

impl Writer {
    fn start(out: Output) -> io::Result<Self> {
        let (queue, events) = sync_channel::<Event>(QUEUE);
        let (failed, failure) = oneshot::channel();
        let thread = thread::Builder::new().name("events".into()).spawn(move || {
            for event in events {
                if let Err(why) = out.event(event) {
                    return drop(failed.send(why));
                }
            }
        })?;
        Ok(Self { queue, failure, thread })
    }
}

fn metrics(host: &Host) -> Metrics {
    host.with_node(|node, _| node.rendezvous_metrics()).unwrap_or_default()
}
