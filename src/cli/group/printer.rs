//! What goes to standard output while a membership runs. A reader that stands still does not make the membership stand
//! still: what it has not taken waits, up to a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Bytes that wait for a reader that stands still; what comes beyond is dropped and counted.
const MAX_WAITING: usize = 64 << 20;

/// Writes to standard output on a thread of its own.
pub(super) struct Printer {
    queue: Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
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
                // What has gathered meanwhile goes with it, in one write.
                pieces.try_iter().take(256).for_each(|more| piece.extend_from_slice(&more));
                left.fetch_sub(piece.len(), Ordering::Relaxed);
                if let Err(why) = to.data(&piece) {
                    return drop(failed.send(why));
                }
            }
        });
        let thread = thread.map_err(|error| Failure::io("start a thread", error))?;
        Ok((Self { queue, waiting, dropped: 0, out: out.clone(), thread }, failure))
    }

    pub(super) fn print(&mut self, piece: Vec<u8>) {
        let length = piece.len();
        if self.waiting.fetch_add(length, Ordering::Relaxed) + length > MAX_WAITING {
            self.waiting.fetch_sub(length, Ordering::Relaxed);
            if self.dropped == 0 {
                self.out.say("standard output is not read: what comes now is dropped");
            }
            self.dropped += 1;
        } else {
            let _ = self.queue.send(piece);
        }
    }

    /// Writes what waits.
    pub(super) fn finish(self) {
        if self.dropped > 0 {
            self.out
                .say(format_args!("{} posts or events were dropped, since standard output was not read", self.dropped));
        }
        drop(self.queue);
        // A reader that stands still meets the signal's own limit.
        let _ = self.thread.join();
    }
}
