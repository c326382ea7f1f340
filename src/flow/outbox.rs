//! The messages of a sending flow: their bytes, their lifetimes, and how far they have been cut into fragments.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use crate::base::Instant;
use crate::wire::FragmentControl;

use super::flight::Fragment;
use super::send_types::{Lifetime, MessageId};

/// What a queued message costs beside its bytes, against the send buffer: our choice.
const MESSAGE_OVERHEAD: usize = 64;

/// Messages from the oldest that is not settled to the newest.
#[derive(Debug)]
pub(super) struct Outbox {
    messages: VecDeque<Message>,
    /// Number of the front message.
    front: u64,
    /// The message that the next fragment is cut from.
    cursor: u64,
    /// Unacknowledged bytes of messages that are not abandoned.
    buffered: usize,
    /// When to give up which message.
    lifetimes: BTreeSet<(Instant, u64)>,
    /// Somebody waits for room.
    wants_room: bool,
}

#[derive(Debug)]
struct Message {
    data: Bytes,
    /// Bytes cut into fragments so far.
    cut: u32,
    /// Bytes not acknowledged.
    left: u32,
    /// Sequence number of the first fragment, if there are any.
    first: u64,
    fragments: u32,
    unacked: u32,
    cut_whole: bool,
    abandoned: bool,
    /// Nothing more can become of it.
    settled: bool,
    /// Its entry in `lifetimes`.
    armed: Option<Instant>,
    finish_by: Option<Instant>,
    perishable: bool,
}

impl Outbox {
    pub(super) const fn new() -> Self {
        Self {
            messages: VecDeque::new(),
            front: 0,
            cursor: 0,
            buffered: 0,
            lifetimes: BTreeSet::new(),
            wants_room: false,
        }
    }

    /// Bytes queued and not acknowledged.
    pub(super) const fn buffered(&self) -> usize {
        self.buffered
    }

    /// Whether the messages take up `limit`; then someone will want to know when they no longer do.
    pub(super) fn is_full(&mut self, limit: usize) -> bool {
        let full = self.cost() >= limit;
        self.wants_room |= full;
        full
    }

    /// Whether to say that half of `limit` is free: once, after it was full.
    pub(super) fn take_room(&mut self, limit: usize) -> bool {
        self.wants_room && self.cost() <= limit / 2 && std::mem::take(&mut self.wants_room)
    }

    /// Queues a message of at most 4 GiB.
    pub(super) fn push(&mut self, data: Bytes, lifetime: Lifetime) -> MessageId {
        let id = self.next_id();
        let armed = [lifetime.start_by, lifetime.finish_by].into_iter().flatten().min();
        if let Some(at) = armed {
            self.lifetimes.insert((at, id));
        }
        self.buffered += data.len();
        self.messages.push_back(Message {
            cut: 0,
            left: data.len() as u32,
            data,
            first: 0,
            fragments: 0,
            unacked: 0,
            cut_whole: false,
            abandoned: false,
            settled: false,
            armed,
            finish_by: lifetime.finish_by,
            perishable: armed.is_some(),
        });
        MessageId(id)
    }

    /// Whether a message waits to be cut, or to be skipped.
    pub(super) fn has_uncut(&self) -> bool {
        self.cursor < self.next_id()
    }

    /// Bytes left to cut of the message at the cursor.
    pub(super) fn uncut(&self) -> Option<usize> {
        self.get(self.cursor).map(|message| message.data.len().saturating_sub(message.cut as usize))
    }

    /// Whether nothing follows the message at the cursor and it will not be abandoned by time.
    pub(super) fn cursor_is_lasting_tail(&self) -> bool {
        self.cursor + 1 == self.next_id() && self.get(self.cursor).is_some_and(|message| !message.perishable)
    }

    /// Cuts the next `len` bytes, at most [`Self::uncut`], into a fragment with the number `sequence`.
    pub(super) fn cut(&mut self, len: usize, sequence: u64) -> Option<Fragment> {
        let id = self.cursor;
        let message = self.messages.get_mut(usize::try_from(id.checked_sub(self.front)?).ok()?)?;
        let first = message.fragments == 0;
        if first {
            message.first = sequence;
            if let Some(at) = message.armed.filter(|_| message.armed != message.finish_by) {
                self.lifetimes.remove(&(at, id));
                message.armed = message.finish_by;
                self.lifetimes.extend(message.finish_by.map(|at| (at, id)));
            }
        }
        let offset = message.cut;
        message.cut += len as u32;
        message.fragments += 1;
        message.unacked += 1;
        message.cut_whole = message.cut as usize == message.data.len();
        if message.cut_whole {
            self.cursor += 1;
        }
        Some(Fragment::of_message(id, offset, len as u32, FragmentControl::new(first, message.cut_whole)))
    }

    /// Passes one message at the cursor that was abandoned before it was cut whole. Answers whether there was one: it takes a
    /// sequence number, for a remainder or for itself.
    pub(super) fn skip_abandoned(&mut self) -> bool {
        let id = self.cursor;
        if !self.get(id).is_some_and(|message| message.abandoned) {
            return false;
        }
        self.cursor += 1;
        self.settle(id);
        true
    }

    /// The bytes of a fragment of a message that is not settled.
    pub(super) fn bytes(&self, fragment: &Fragment) -> &[u8] {
        let range = fragment.offset as usize..fragment.offset as usize + fragment.len as usize;
        fragment.message.and_then(|id| self.get(id)).and_then(|message| message.data.get(range)).unwrap_or_default()
    }

    /// A fragment has been acknowledged. Gives the message if it was the last one missing.
    pub(super) fn acked(&mut self, fragment: &Fragment) -> Option<MessageId> {
        let id = fragment.message?;
        let message = self.messages.get_mut(usize::try_from(id.checked_sub(self.front)?).ok()?)?;
        if message.abandoned {
            return None;
        }
        message.unacked -= 1;
        message.left -= fragment.len;
        self.buffered -= fragment.len as usize;
        if message.unacked > 0 || !message.cut_whole {
            return None;
        }
        self.settle(id);
        Some(MessageId(id))
    }

    /// Gives up a message. Its sequence numbers so far, first and count; `None` if it is settled or was given up before.
    pub(super) fn abandon(&mut self, id: MessageId) -> Option<(u64, u32)> {
        let message = self.messages.get_mut(usize::try_from(id.0.checked_sub(self.front)?).ok()?)?;
        if message.abandoned || message.settled {
            return None;
        }
        message.abandoned = true;
        message.data = Bytes::new();
        self.buffered -= message.left as usize;
        let numbers = (message.first, message.fragments);
        if let Some(at) = message.armed.take() {
            self.lifetimes.remove(&(at, id.0));
        }
        if message.cut_whole {
            self.settle(id.0);
        }
        Some(numbers)
    }

    /// When the next lifetime ends.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lifetimes.first().map(|&(at, _)| at)
    }

    /// A message whose lifetime is over.
    pub(super) fn expired(&self, now: Instant) -> Option<MessageId> {
        self.lifetimes.first().filter(|&&(at, _)| at <= now).map(|&(_, id)| MessageId(id))
    }

    /// All messages that may be unsettled.
    pub(super) fn ids(&self) -> impl Iterator<Item = MessageId> + use<> {
        (self.front..self.next_id()).map(MessageId)
    }

    fn next_id(&self) -> u64 {
        self.front + self.messages.len() as u64
    }

    fn cost(&self) -> usize {
        self.buffered + self.messages.len() * MESSAGE_OVERHEAD
    }

    fn get(&self, id: u64) -> Option<&Message> {
        self.messages.get(usize::try_from(id.checked_sub(self.front)?).ok()?)
    }

    fn settle(&mut self, id: u64) {
        let index = id.checked_sub(self.front).and_then(|index| usize::try_from(index).ok());
        if let Some(message) = index.and_then(|index| self.messages.get_mut(index)) {
            message.settled = true;
            message.data = Bytes::new();
            if let Some(at) = message.armed.take() {
                self.lifetimes.remove(&(at, id));
            }
        }
        while self.messages.front().is_some_and(|message| message.settled) {
            self.messages.pop_front();
            self.front += 1;
        }
    }
}
