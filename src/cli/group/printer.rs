//! What goes to standard output while a membership runs. A reader that stands still does not make the membership stand
//! still: what it has not taken waits, up to a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::cli::failure::Failure;
use crate::cli::output::{Event, Output};
use crate::cli::table::row::Json;

/// Bytes that wait for a reader that stands still; what comes beyond is dropped and counted.
const MAX_WAITING: usize = 16 << 20;
/// What has gathered is written in pieces of about so many bytes.
const PIECE: usize = 64 << 10;

/// Writes to standard output on a thread of its own.
pub(super) struct Printer {
    queue: Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    /// Posts or events that were dropped since the last one that was not.
    dropped: u64,
    out: Output,
    thread: JoinHandle<()>,
}

impl Printer {
    /// A printer, and what it fails with.
    pub(super) fn start(out: &Output) -> Result<(Self, oneshot::Receiver<Failure>), Failure> {
        let (queue, pieces) = channel::<Vec<u8>>();
        let (failed, failure) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (left, to) = (Arc::clone(&waiting), out.clone());
        let thread = std::thread::Builder::new().name("printer".into()).spawn(move || {
            while let Ok(mut piece) = pieces.recv() {
                while piece.len() < PIECE
                    && let Ok(more) = pieces.try_recv()
                {
                    piece.extend_from_slice(&more);
                }
                if let Err(why) = to.data(&piece) {
                    return drop(failed.send(why));
                }
                left.fetch_sub(piece.len(), Ordering::Relaxed);
            }
        });
        let thread = thread.map_err(|error| Failure::io("start a thread", error))?;
        Ok((Self { queue, waiting, dropped: 0, out: out.clone(), thread }, failure))
    }

    pub(super) fn print(&mut self, piece: Vec<u8>) {
        if self.waiting.load(Ordering::Relaxed) + piece.len() > MAX_WAITING {
            if self.dropped == 0 {
                self.out.say("standard output is not read: what comes now is dropped");
            }
            self.dropped += 1;
            return;
        }
        self.tell_loss();
        self.hand_over(piece);
    }

    /// Writes what waits.
    pub(super) fn finish(mut self) {
        self.tell_loss();
        drop(self.queue);
        // A reader that stands still meets the signal's own limit.
        let _ = self.thread.join();
    }

    /// A gap is told where it is: in the stream of events, and on standard error.
    fn tell_loss(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped == 0 {
            return;
        }
        self.out.say(format_args!("{dropped} posts or events were dropped, since standard output was not read"));
        if self.out.json() == Some(Json::Stdout) {
            let lost = Event::new("lost").with("direction", "received").with("messages", dropped);
            self.hand_over(format!("{}\n", lost.line()).into_bytes());
        }
    }

    fn hand_over(&self, piece: Vec<u8>) {
        self.waiting.fetch_add(piece.len(), Ordering::Relaxed);
        let _ = self.queue.send(piece);
    }
}
