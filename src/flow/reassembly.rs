//! Fragments back into messages (RFC 7016 section 3.6.3.3): the RECV_BUFFER.
//!
//! What arrives in order is appended straight to the message being assembled. What arrives early waits in a ring indexed by
//! sequence number, where runs of fragments of one message know their ends, so that a complete one is seen without a search.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::wire::FragmentControl;

use super::recv_types::{Order, RecvEvent};
use super::window::OVERHEAD;

/// A message buffer is made as large as the message before, up to this: a mebibyte, and what may stand before it.
const LARGEST_GUESS: usize = (1 << 20) + (4 << 10);

/// Buffers of fragments of at least this size are used again; smaller ones are made to measure, so that what a fragment really
/// takes up stays in proportion to what it counts for.
const POOLED_FROM: usize = 512;
/// So many buffers are kept for that.
const POOL: usize = 1024;

/// A message has grown above the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// The messages of a flow that are not complete, and those that must wait for their turn.
#[derive(Debug)]
pub(super) struct Reassembly {
    order: Order,
    max_message: usize,
    /// CSN + 1: the number wanted next.
    next: u64,
    /// Places from `next` on; the front, if there is one, is missing.
    ring: VecDeque<Place>,
    /// The message that ends at CSN for the time being.
    current: Option<Current>,
    guess: usize,
    /// Bytes held, with an allowance for each fragment in the ring.
    stored: usize,
    /// Empty buffers.
    pool: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Current {
    first: u64,
    fragments: u64,
    data: Vec<u8>,
}

#[derive(Debug)]
enum Place {
    Missing,
    /// Abandoned by the sender.
    Abandoned,
    /// Nothing to deliver or to report: its message is with the user already.
    Settled,
    Held {
        control: FragmentControl,
        data: Vec<u8>,
        /// At either end of a run of fragments of one message, the sequence number of the other end.
        other_end: u64,
    },
}

impl Reassembly {
    pub(super) const fn new(max_message: usize) -> Self {
        Self {
            order: Order::Original,
            max_message,
            next: 1,
            ring: VecDeque::new(),
            current: None,
            guess: 0,
            stored: 0,
            pool: Vec::new(),
        }
    }

    /// Sets how messages are delivered; those that have become complete by that are.
    pub(super) fn configure(
        &mut self,
        order: Order,
        max_message: usize,
        out: &mut VecDeque<RecvEvent>,
    ) -> Result<(), TooLong> {
        self.max_message = max_message;
        self.order = order;
        if order == Order::AsReceived {
            let mut index = 0;
            while index < self.ring.len() {
                index = self.deliver_run_of(index, out)?;
            }
        }
        Ok(())
    }

    /// CSN + 1.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Bytes held for messages that are not with the user.
    pub(super) const fn stored(&self) -> usize {
        self.stored
    }

    /// Takes in a fragment that was not there yet; one below [`Self::next`] comes too late.
    pub(super) fn insert(
        &mut self,
        sequence: u64,
        control: FragmentControl,
        data: &[u8],
        out: &mut VecDeque<RecvEvent>,
    ) -> Result<(), TooLong> {
        if sequence == self.next {
            self.step();
            if control == FragmentControl::Whole {
                self.lose_current(sequence, out);
                self.check(data.len())?;
                out.push_back(RecvEvent::Message { sequence, fragments: 1, data: Bytes::copy_from_slice(data) });
            } else {
                self.append(sequence, control, data, out)?;
            }
            return self.drain(out);
        }
        let Some(index) = self.place(sequence) else {
            return Ok(());
        };
        let (mut first, mut last) = (sequence, sequence);
        if !control.is_first()
            && let Some(Place::Held { control: before, other_end, .. }) = self.ring.get(index - 1)
            && !before.is_last()
        {
            first = *other_end;
        }
        if !control.is_last()
            && let Some(Place::Held { control: behind, other_end, .. }) = self.ring.get(index + 1)
            && !behind.is_first()
        {
            last = *other_end;
        }
        self.stored += data.len() + OVERHEAD;
        let data = self.buffer_with(data);
        if let Some(place) = self.ring.get_mut(index) {
            *place = Place::Held { control, data, other_end: first };
        }
        self.set_other_end(first, last);
        self.set_other_end(last, first);
        if self.order == Order::AsReceived {
            let start = index - usize::try_from(sequence - first).expect("both lie in the ring");
            self.deliver_run_of(start, out)?;
        }
        Ok(())
    }

    /// Notes that a number was abandoned, or, if `quiet`, that it only ends the flow.
    pub(super) fn abandon(&mut self, sequence: u64, quiet: bool, out: &mut VecDeque<RecvEvent>) -> Result<(), TooLong> {
        let place = if quiet { Place::Settled } else { Place::Abandoned };
        if sequence == self.next {
            self.step();
            self.pass(sequence, place, out)?;
            return self.drain(out);
        }
        if let Some(index) = self.place(sequence)
            && let Some(here) = self.ring.get_mut(index)
        {
            *here = place;
        }
        Ok(())
    }

    /// Takes in that nothing up to `sequence` will come any more (FSN).
    pub(super) fn skip_to(&mut self, sequence: u64, out: &mut VecDeque<RecvEvent>) -> Result<(), TooLong> {
        while self.next <= sequence {
            let at = self.next;
            if let Some(place) = self.ring.pop_front() {
                self.next = at.saturating_add(1);
                let place = if matches!(place, Place::Missing) { Place::Abandoned } else { place };
                self.pass(at, place, out)?;
            } else {
                self.next = sequence.saturating_add(1);
                self.lose_current(at, out);
                report_lost(at, sequence, out);
                break;
            }
            if at == u64::MAX {
                break;
            }
        }
        self.drain(out)
    }

    /// The flow is over: what is unfinished is lost.
    pub(super) fn finish(&mut self, out: &mut VecDeque<RecvEvent>) {
        self.lose_current(self.next, out);
        self.clear();
    }

    /// Discards everything.
    pub(super) fn clear(&mut self) {
        self.ring = VecDeque::new();
        self.pool = Vec::new();
        self.current = None;
        self.stored = 0;
    }

    /// Moves on to the next number, whose place, if the ring has one, was missing.
    fn step(&mut self) {
        self.ring.pop_front();
        self.next = self.next.saturating_add(1);
    }

    /// Delivers what has come into order.
    fn drain(&mut self, out: &mut VecDeque<RecvEvent>) -> Result<(), TooLong> {
        while self.ring.front().is_some_and(|place| !matches!(place, Place::Missing))
            && let Some(place) = self.ring.pop_front()
        {
            let sequence = self.next;
            self.next = sequence.saturating_add(1);
            self.pass(sequence, place, out)?;
        }
        Ok(())
    }

    /// What stood in a place takes its turn.
    fn pass(&mut self, sequence: u64, place: Place, out: &mut VecDeque<RecvEvent>) -> Result<(), TooLong> {
        let (control, data) = match place {
            Place::Held { control, data, .. } => (control, data),
            Place::Settled => {
                self.lose_current(sequence, out);
                return Ok(());
            }
            Place::Abandoned | Place::Missing => {
                self.lose_current(sequence, out);
                report_lost(sequence, sequence, out);
                return Ok(());
            }
        };
        self.stored -= data.len() + OVERHEAD;
        if control == FragmentControl::Whole {
            self.lose_current(sequence, out);
            self.check(data.len())?;
            out.push_back(RecvEvent::Message { sequence, fragments: 1, data: data.into() });
            return Ok(());
        }
        let appended = self.append(sequence, control, &data, out);
        self.recycle(data);
        appended
    }

    fn buffer_with(&mut self, data: &[u8]) -> Vec<u8> {
        let mut buffer = if data.len() >= POOLED_FROM { self.pool.pop().unwrap_or_default() } else { Vec::new() };
        buffer.extend_from_slice(data);
        buffer
    }

    fn recycle(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() >= POOLED_FROM && self.pool.len() < POOL {
            buffer.clear();
            self.pool.push(buffer);
        }
    }

    /// A fragment of several takes its turn.
    fn append(
        &mut self,
        sequence: u64,
        control: FragmentControl,
        data: &[u8],
        out: &mut VecDeque<RecvEvent>,
    ) -> Result<(), TooLong> {
        if control.is_first() {
            self.lose_current(sequence, out);
            let buffer = Vec::with_capacity(self.guess.max(data.len()));
            self.current = Some(Current { first: sequence, fragments: 0, data: buffer });
        }
        let Some(current) = &mut self.current else {
            report_lost(sequence, sequence, out);
            return Ok(());
        };
        current.data.extend_from_slice(data);
        current.fragments += 1;
        self.stored += data.len();
        let len = current.data.len();
        self.check(len)?;
        if control.is_last()
            && let Some(Current { first, fragments, mut data }) = self.current.take()
        {
            self.stored -= len;
            self.guess = len.min(LARGEST_GUESS);
            if data.capacity() / 2 > len {
                data.shrink_to_fit();
            }
            out.push_back(RecvEvent::Message { sequence: first, fragments, data: data.into() });
        }
        Ok(())
    }

    /// The message being assembled goes no further than before `sequence`.
    fn lose_current(&mut self, sequence: u64, out: &mut VecDeque<RecvEvent>) {
        if let Some(current) = self.current.take() {
            self.stored -= current.data.len();
            report_lost(current.first, sequence.saturating_sub(1), out);
        }
    }

    /// Delivers the run that begins at `index` of the ring if it is a whole message. Gives the index behind the run.
    fn deliver_run_of(&mut self, index: usize, out: &mut VecDeque<RecvEvent>) -> Result<usize, TooLong> {
        let first = self.next.saturating_add(index as u64);
        let Some(Place::Held { control, other_end, .. }) = self.ring.get(index) else {
            return Ok(index + 1);
        };
        let fragments = *other_end - first + 1;
        let behind = index + usize::try_from(fragments).expect("the run lies in the ring");
        let ends = matches!(self.ring.get(behind - 1), Some(Place::Held { control, .. }) if control.is_last());
        if !control.is_first() || !ends {
            return Ok(behind);
        }
        let mut message = Vec::new();
        for place in self.ring.range_mut(index..behind) {
            if let Place::Held { data, .. } = std::mem::replace(place, Place::Settled) {
                self.stored -= data.len() + OVERHEAD;
                if fragments == 1 {
                    message = data;
                } else {
                    message.extend_from_slice(&data);
                }
            }
        }
        self.check(message.len())?;
        out.push_back(RecvEvent::Message { sequence: first, fragments, data: message.into() });
        Ok(behind)
    }

    /// Index in the ring of a number above `next`, with places up to there.
    fn place(&mut self, sequence: u64) -> Option<usize> {
        let index = usize::try_from(sequence.checked_sub(self.next)?).ok()?;
        if self.ring.len() <= index {
            self.ring.resize_with(index + 1, || Place::Missing);
        }
        Some(index)
    }

    fn set_other_end(&mut self, sequence: u64, to: u64) {
        if let Some(index) = self.place(sequence)
            && let Some(Place::Held { other_end, .. }) = self.ring.get_mut(index)
        {
            *other_end = to;
        }
    }

    const fn check(&self, len: usize) -> Result<(), TooLong> {
        if len > self.max_message { Err(TooLong) } else { Ok(()) }
    }
}

/// Adds to the gap that was reported last, if it reaches up to here and the user has not seen it yet.
fn report_lost(first: u64, last: u64, out: &mut VecDeque<RecvEvent>) {
    if let Some(RecvEvent::Lost { last: before, .. }) = out.back_mut()
        && before.checked_add(1) == Some(first)
    {
        *before = last;
        return;
    }
    out.push_back(RecvEvent::Lost { first, last });
}
