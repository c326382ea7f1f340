//! A file to standard output, in order, while it is fetched.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::sync::watch;

use super::disk;
use super::exchange::Exchange;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::node::files::{Head, Shape, Tree, piece};

/// Bytes that are fetched ahead of what is written.
const AHEAD: u64 = 16 << 20;
/// Bytes that were written and are still given to others.
const BEHIND: u64 = 8 << 20;

/// How far it is.
pub(super) struct Stream {
    hash: [u8; 32],
    shape: Shape,
    base: u64,
    /// The next piece to be written.
    next: u64,
    /// The first piece that is not wanted yet.
    wanted: u64,
    /// Bytes handed over to be written.
    written: u64,
}

impl Stream {
    /// Begins; the last piece came with the head, and is kept if it is near.
    pub(super) fn begin(hash: [u8; 32], head: &Head, exchange: &mut Exchange) -> Result<Self, Failure> {
        let shape = head.tree.shape();
        let base = exchange.library.reserve(hash);
        exchange.library.remember(Tree::new(hash, shape));
        let mut stream = Self { hash, shape, base, next: 0, wanted: 0, written: 0 };
        // The last piece is kept for its time, whatever the size: it is one.
        let object = piece(&head.tree, shape.last(), &head.data).expect("it was just proven");
        exchange.library.accept(base + shape.last(), &object).map_err(disk)?;
        exchange.announce(&hash);
        stream.want(exchange);
        Ok(stream)
    }

    /// Wants what is near enough.
    fn want(&mut self, exchange: &Exchange) {
        let end = (self.next + (AHEAD / self.shape.piece_size()).max(2)).min(self.shape.last());
        if end > self.wanted {
            exchange.want(self.base + self.wanted..self.base + end);
            self.wanted = end;
        }
    }

    /// Wants again what has not come.
    pub(super) fn want_again(&self, exchange: &Exchange) {
        for piece in self.next..self.wanted {
            if exchange.library.held(&self.hash, piece).is_none() {
                exchange.want(self.base + piece..self.base + piece + 1);
            }
        }
    }

    /// The next piece if it is there; `Some(None)` after the last.
    pub(super) fn next(&mut self, exchange: &mut Exchange) -> Option<Option<Bytes>> {
        if self.is_done() {
            return Some(None);
        }
        let data = exchange.library.held(&self.hash, self.next)?;
        self.next += 1;
        self.written += data.len() as u64;
        let kept = (BEHIND / self.shape.piece_size()).max(2);
        if let Some(old) = self.next.checked_sub(kept + 1)
            && old != self.shape.last()
        {
            exchange.library.forget(&self.hash, old);
            exchange.have_not(self.base + old..self.base + old + 1);
        }
        self.want(exchange);
        Some(Some(data))
    }

    /// Whether it waits for its reader, not for others.
    pub(super) fn is_ready(&self, exchange: &Exchange) -> bool {
        self.is_done() || exchange.library.held(&self.hash, self.next).is_some()
    }

    /// Whether all of it was handed over.
    pub(super) fn is_done(&self) -> bool {
        self.next == self.shape.pieces()
    }

    /// Bytes handed over, and of all.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.written, self.shape.size())
    }
}

/// What writes to standard output, on a thread that may wait.
pub(super) struct Writer {
    to: mpsc::Sender<Option<Bytes>>,
    ended: watch::Receiver<Option<Option<Failed>>>,
}

/// A failure that can be told twice.
type Failed = std::sync::Arc<Failure>;

/// Begins to write.
pub(super) fn writer(out: &Output) -> Writer {
    let (to, mut from) = mpsc::channel::<Option<Bytes>>(1);
    let (tell, ended) = watch::channel(None);
    let out = out.clone();
    std::thread::spawn(move || {
        while let Some(Some(data)) = from.blocking_recv() {
            if let Err(failure) = out.data(&data) {
                tell.send_replace(Some(Some(Failed::new(failure))));
                return;
            }
        }
        tell.send_replace(Some(None));
    });
    Writer { to, ended }
}

impl Writer {
    /// Hands over a piece.
    pub(super) async fn send(&self, data: Bytes) -> Result<(), ()> {
        self.to.send(Some(data)).await.map_err(|_| ())
    }

    /// Waits until all is written.
    pub(super) async fn finish(&self) -> Result<(), Failure> {
        let _ = self.to.send(None).await;
        self.ended().await
    }

    /// How it ended.
    pub(super) async fn ended(&self) -> Result<(), Failure> {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(None)) => Ok(()),
            Ok(Some(Some(failure))) => Err(Failure::new(failure.status, failure.tried.clone(), &failure.came)),
            _ => Err(Failure::new(Status::Failed, "write to standard output", "the thread that writes has ended")),
        }
    }

    /// Waits until it fails.
    pub(super) async fn failed(&self) -> Failure {
        match self.ended().await {
            Err(failure) => failure,
            Ok(()) => std::future::pending().await,
        }
    }
}
