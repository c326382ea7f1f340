//! Standard output of a player: a reader that stands still makes neither the player nor the group stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use tokio::sync::oneshot;

use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Bytes that wait for a reader that stands still; units that come beyond are left out.
const MAX_WAITING: usize = 16 << 20;
/// What has gathered is written in pieces of about so many bytes.
const PIECE: usize = 64 << 10;

/// Writes units on a thread of its own.
pub(super) struct Outlet {
    queue: Option<Sender<Vec<u8>>>,
    waiting: Arc<AtomicUsize>,
    /// Units are left out until one comes with which a decoder can begin.
    skips: bool,
}

/// How writing ended.
pub(super) type Ended = oneshot::Receiver<Result<(), Failure>>;

impl Outlet {
    /// An outlet, and how it will end: well after [`Outlet::finish`].
    pub(super) fn start(out: &Output) -> Result<(Self, Ended), Failure> {
        let (queue, pieces) = channel::<Vec<u8>>();
        let (tell, ended) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (left, to) = (Arc::clone(&waiting), out.clone());
        let thread = std::thread::Builder::new().name("outlet".into()).spawn(move || {
            while let Ok(mut piece) = pieces.recv() {
                while piece.len() < PIECE
                    && let Ok(more) = pieces.try_recv()
                {
                    piece.extend_from_slice(&more);
                }
                if let Err(why) = to.data(&piece) {
                    return drop(tell.send(Err(why)));
                }
                left.fetch_sub(piece.len(), Ordering::Relaxed);
            }
            let _ = tell.send(Ok(()));
        });
        thread.map_err(|error| Failure::io("start a thread", error))?;
        Ok((Self { queue: Some(queue), waiting, skips: false }, ended))
    }

    /// Writes a unit; whether it was not left out.
    pub(super) fn put(&mut self, unit: Vec<u8>, key: bool) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        // After a gap there is room again only when half of it has been read: gaps are few then, and long.
        let full = if self.skips { !key || waiting > MAX_WAITING / 2 } else { waiting + unit.len() > MAX_WAITING };
        self.skips = full && waiting > 0;
        if self.skips {
            return false;
        }
        self.waiting.fetch_add(unit.len(), Ordering::Relaxed);
        self.queue.as_ref().is_some_and(|queue| queue.send(unit).is_ok())
    }

    /// Bytes that wait to be read.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// No more units come.
    pub(super) fn finish(&mut self) {
        self.queue = None;
    }
}
