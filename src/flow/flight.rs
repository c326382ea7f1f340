//! The fragments of a sending flow, from their first transmission to their acknowledgement: what RFC 7016 calls SEND_QUEUE.
//!
//! A ring indexed by sequence number. Acknowledged fragments stay in it as hollow places until those before them are gone, so its
//! front is always unacknowledged. Transmissions are also logged in TSN order: an entry of the log counts while its fragment is
//! still in flight under that TSN, and dead ones are dropped when they come to the front. So an acknowledgement costs what it
//! newly acknowledges and what it lists, never what is in flight.

use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::base::Instant;
use crate::wire::FragmentControl;

use super::send_types::Naks;

/// One entry of the SEND_QUEUE.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment {
    /// TSN of the latest transmission.
    tsn: u64,
    /// When that was, if it was not the first.
    sent_again: Option<Instant>,
    /// The message that it is a part of; `None` for one that only takes up a sequence number.
    pub(super) message: Option<u64>,
    /// Where its bytes begin in the message.
    pub(super) offset: u32,
    /// How many they are.
    pub(super) len: u32,
    /// TRANSMIT_SIZE.
    size: u32,
    /// In a hollow place: all places from here on, this many, are known to be hollow. 0 says nothing.
    hollow_run: u32,
    pub(super) control: FragmentControl,
    pub(super) is_final: bool,
    pub(super) abandoned: bool,
    in_flight: bool,
    sent_abandoned: bool,
    acked: bool,
    /// Once found lost by what was acknowledged before it.
    passed: bool,
}

impl Fragment {
    /// A part of a message.
    pub(super) const fn of_message(message: u64, offset: u32, len: u32, control: FragmentControl) -> Self {
        Self {
            tsn: 0,
            sent_again: None,
            message: Some(message),
            offset,
            len,
            size: 0,
            hollow_run: 0,
            control,
            is_final: false,
            abandoned: false,
            in_flight: false,
            sent_abandoned: false,
            acked: false,
            passed: false,
        }
    }

    /// A place that was abandoned before it could be sent.
    pub(super) const fn abandoned() -> Self {
        Self { message: None, abandoned: true, ..Self::of_message(0, 0, 0, FragmentControl::Whole) }
    }

    /// The same, with the final flag or without.
    pub(super) const fn with_final(mut self, is_final: bool) -> Self {
        self.is_final = is_final;
        self
    }

    const fn is_idle(&self) -> bool {
        !self.in_flight && !self.acked
    }

    /// Whether section 3.6.2.3 lets it be sent wherever it stands in the queue.
    const fn wants_sending(&self) -> bool {
        self.is_idle() && (!self.abandoned || self.is_final)
    }
}

/// The fragments between the first that is not acknowledged and the last that has a number.
#[derive(Debug)]
pub(super) struct Flight {
    /// Sequence number of the ring's front.
    base: u64,
    ring: VecDeque<Fragment>,
    /// Places of the ring that are not hollow.
    live: usize,
    /// TSN and sequence number of each transmission, TSNs ascending.
    log: VecDeque<(u64, u64)>,
    /// Idle fragments that shall be sent: lost ones, and the final one even if abandoned.
    waiting: BTreeSet<u64>,
    outstanding: usize,
    /// MAX_TSN_ACK as the packets before told it, latest first.
    heard: [u64; LOSS_AFTER - 1],
    shortest_round: Duration,
    /// Fragments that were found lost and then came all the same.
    late: u32,
}

/// A fragment is lost with this many negative acknowledgements (section 3.6.2.5).
const LOSS_AFTER: usize = 3;

impl Flight {
    pub(super) const fn new() -> Self {
        Self {
            base: 1,
            ring: VecDeque::new(),
            live: 0,
            log: VecDeque::new(),
            waiting: BTreeSet::new(),
            outstanding: 0,
            heard: [0; LOSS_AFTER - 1],
            shortest_round: Duration::ZERO,
            late: 0,
        }
    }

    /// An acknowledgement that comes sooner after a transmission than this is not of that transmission.
    pub(super) fn set_shortest_round(&mut self, shortest: Duration) {
        self.shortest_round = shortest;
    }

    /// NEXT_SN.
    pub(super) fn next_sequence(&self) -> u64 {
        self.base + self.ring.len() as u64
    }

    /// F_OUTSTANDING_BYTES.
    pub(super) const fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Whether nothing is unacknowledged.
    pub(super) const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Whether a fragment could be sent now: the head if abandoned, or one that waits for it.
    pub(super) fn has_eligible(&self) -> bool {
        !self.waiting.is_empty() || self.head_is_abandoned_and_idle()
    }

    /// The first eligible fragment.
    pub(super) fn first_eligible(&self) -> Option<u64> {
        if self.head_is_abandoned_and_idle() { Some(self.base) } else { self.waiting.first().copied() }
    }

    /// Appends a fragment, idle, and gives its sequence number.
    pub(super) fn push(&mut self, fragment: Fragment) -> u64 {
        let sequence = self.next_sequence();
        if fragment.is_final {
            self.waiting.insert(sequence);
        }
        self.ring.push_back(fragment);
        self.live += 1;
        sequence
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Fragment> {
        self.ring.get(usize::try_from(sequence.checked_sub(self.base)?).ok()?)
    }

    fn get_mut(&mut self, sequence: u64) -> Option<&mut Fragment> {
        self.ring.get_mut(usize::try_from(sequence.checked_sub(self.base)?).ok()?)
    }

    /// Notes that `sequence` goes into a packet as a chunk of `size` bytes.
    pub(super) fn sent(&mut self, now: Instant, sequence: u64, tsn: u64, size: usize) {
        let Some(fragment) = self.get_mut(sequence) else {
            return;
        };
        fragment.sent_again = (fragment.tsn > 0).then_some(now);
        fragment.tsn = tsn;
        fragment.size = size as u32;
        fragment.in_flight = true;
        fragment.sent_abandoned = fragment.abandoned;
        self.outstanding += size;
        self.log.push_back((tsn, sequence));
        if !self.waiting.is_empty() {
            self.waiting.remove(&sequence);
        }
    }

    /// Removes abandoned fragments from the head that need no chunk of their own, because what follows tells the far end of them:
    /// another of their kind, or a fragment that goes out now (`more_to_send`, or one that waits).
    pub(super) fn trim(&mut self, more_to_send: bool) {
        while self.head_is_abandoned_and_idle() {
            let told = more_to_send || !self.waiting.is_empty() || self.second_is_abandoned_and_idle();
            if !told || self.ring.front().is_none_or(|head| head.is_final) {
                return;
            }
            self.ring.pop_front();
            self.base += 1;
            self.live -= 1;
            self.drop_hollow_front();
        }
    }

    /// FSN: nothing up to here will be sent again.
    ///
    /// The abandoned head counts once it is idle or was already abandoned when sent, for then no copy with data is outstanding.
    pub(super) fn forward_sequence(&self) -> u64 {
        match self.ring.front() {
            Some(head) if head.abandoned && (!head.in_flight || head.sent_abandoned) => self.base,
            _ => self.base - 1,
        }
    }

    /// Gives up a fragment; one that was acknowledged is left alone.
    pub(super) fn abandon(&mut self, sequence: u64) {
        if let Some(fragment) = self.get_mut(sequence).filter(|fragment| !fragment.acked) {
            fragment.abandoned = true;
            if !fragment.is_final {
                self.waiting.remove(&sequence);
            }
        }
    }

    /// Takes in that everything up to `cumulative` has arrived; `each` sees every fragment that is acknowledged by that, and the
    /// TSN that arrived with it, if that is known.
    pub(super) fn ack_up_to(&mut self, now: Instant, cumulative: u64, mut each: impl FnMut(&Fragment, Option<u64>)) {
        while self.base <= cumulative
            && let Some(fragment) = self.ring.pop_front()
        {
            let sequence = self.base;
            self.base += 1;
            if !fragment.acked {
                self.retire(now, sequence, &fragment, &mut each);
            }
        }
        self.drop_hollow_front();
    }

    /// Takes in that the numbers of `range` have arrived; those that do not exist are ignored.
    pub(super) fn ack_range(
        &mut self,
        now: Instant,
        range: RangeInclusive<u64>,
        mut each: impl FnMut(&Fragment, Option<u64>),
    ) {
        let first = (*range.start()).max(self.base);
        let end = (*range.end()).min(self.next_sequence().saturating_sub(1));
        let mut sequence = first;
        while sequence <= end {
            let Some(fragment) = self.get_mut(sequence) else {
                break;
            };
            if fragment.acked {
                sequence += u64::from(fragment.hollow_run.max(1));
                continue;
            }
            fragment.acked = true;
            let copy = *fragment;
            self.retire(now, sequence, &copy, &mut each);
            sequence += 1;
        }
        // The next acknowledgement most likely lists this range again.
        if let Some(fragment) = self.get_mut(first).filter(|_| first <= end) {
            fragment.hollow_run = u32::try_from(sequence - first).unwrap_or(u32::MAX);
        }
        self.drop_hollow_front();
    }

    /// Counts the negative acknowledgements of one packet, by the highest TSN acknowledged so far in the session.
    ///
    /// A fragment gets one whenever MAX_TSN_ACK is above its TSN. As MAX_TSN_ACK never falls, it has had three of them just when
    /// MAX_TSN_ACK was above its TSN two packets ago. Where packets overtake each other (not `by_count`), that says nothing.
    pub(super) fn on_naks(&mut self, max_tsn_ack: u64, by_count: bool) -> Naks {
        let max_tsn_ack = max_tsn_ack.max(self.heard[0]);
        let lost_below = if by_count { self.heard[LOSS_AFTER - 2] } else { 0 };
        self.heard.rotate_right(1);
        self.heard[0] = max_tsn_ack;
        let mut naks = Naks::default();
        while let Some(&(tsn, sequence)) = self.log.front() {
            if !self.is_in_flight_as(tsn, sequence) {
                self.log.pop_front();
            } else if tsn < lost_below {
                self.log.pop_front();
                naks.lost_bytes += self.pass(sequence);
                naks.lost_fragments += 1;
                naks.newest_lost = tsn;
            } else {
                naks.any = tsn < max_tsn_ack;
                break;
            }
        }
        naks.any |= naks.lost_fragments > 0;
        naks
    }

    /// How many fragments came late since the last time this was asked: found lost, but only overtaken.
    pub(super) fn take_late(&mut self) -> u32 {
        std::mem::take(&mut self.late)
    }

    /// Loss by time: everything in flight whose TSN is below `tsn` is lost.
    pub(super) fn lose_sent_before(&mut self, tsn: u64) -> Naks {
        let mut naks = Naks::default();
        while let Some(&(sent_as, sequence)) = self.log.front()
            && sent_as < tsn
        {
            self.log.pop_front();
            if self.is_in_flight_as(sent_as, sequence) {
                naks.any = true;
                naks.lost_bytes += self.pass(sequence);
                naks.lost_fragments += 1;
                naks.newest_lost = sent_as;
            }
        }
        naks
    }

    /// TSN of the newest transmission in flight.
    pub(super) fn newest_in_flight(&self) -> Option<u64> {
        self.log.iter().rev().find(|&&(tsn, sequence)| self.is_in_flight_as(tsn, sequence)).map(|&(tsn, _)| tsn)
    }

    /// Takes the newest transmission back, to be sent again; its encoded bytes.
    pub(super) fn recall_newest(&mut self) -> usize {
        while let Some((tsn, sequence)) = self.log.pop_back() {
            if self.is_in_flight_as(tsn, sequence) {
                return self.lose(sequence);
            }
        }
        0
    }

    /// Everything in flight is lost. Answers whether anything was in flight.
    pub(super) fn on_timeout(&mut self) -> bool {
        let mut any = false;
        while let Some((tsn, sequence)) = self.log.pop_front() {
            if self.is_in_flight_as(tsn, sequence) {
                self.lose(sequence);
                any = true;
            }
        }
        any
    }

    /// Puts the last sequence number back as an abandoned one, to carry an FSN Update, where everything is acknowledged but the
    /// far end has been seen not to know of a gap.
    pub(super) fn revive_last(&mut self) {
        if self.live == 0 && self.base > 1 {
            self.ring.clear();
            self.base -= 1;
            self.push(Fragment::abandoned());
        }
    }

    /// What an acknowledgement does to a live fragment, which the caller has taken out or hollowed.
    ///
    /// If a fragment was sent again just now, it is the earlier copy that has arrived, late. To take the later one's TSN for it
    /// would be to miss all that was sent in between.
    fn retire(
        &mut self,
        now: Instant,
        sequence: u64,
        fragment: &Fragment,
        each: &mut impl FnMut(&Fragment, Option<u64>),
    ) {
        self.live -= 1;
        if !fragment.in_flight {
            self.late += u32::from(fragment.passed);
            self.waiting.remove(&sequence);
            each(fragment, None);
            return;
        }
        self.outstanding -= fragment.size as usize;
        let early = fragment.sent_again.is_some_and(|at| now.since(at) < self.shortest_round);
        self.late += u32::from(early && fragment.passed);
        each(fragment, if early { None } else { Some(fragment.tsn) });
    }

    /// Loses what later ones have overtaken.
    fn pass(&mut self, sequence: u64) -> usize {
        if let Some(fragment) = self.get_mut(sequence) {
            fragment.passed = true;
        }
        self.lose(sequence)
    }

    fn lose(&mut self, sequence: u64) -> usize {
        let Some(fragment) = self.get_mut(sequence) else {
            return 0;
        };
        fragment.in_flight = false;
        let size = fragment.size as usize;
        let waits = fragment.wants_sending();
        self.outstanding -= size;
        if waits {
            self.waiting.insert(sequence);
        }
        size
    }

    fn is_in_flight_as(&self, tsn: u64, sequence: u64) -> bool {
        self.get(sequence).is_some_and(|fragment| fragment.in_flight && !fragment.acked && fragment.tsn == tsn)
    }

    fn head_is_abandoned_and_idle(&self) -> bool {
        self.ring.front().is_some_and(|head| head.abandoned && !head.in_flight)
    }

    fn second_is_abandoned_and_idle(&self) -> bool {
        self.ring.iter().skip(1).find(|fragment| !fragment.acked).is_some_and(|next| next.abandoned && !next.in_flight)
    }

    fn drop_hollow_front(&mut self) {
        while self.ring.front().is_some_and(|fragment| fragment.acked) {
            self.ring.pop_front();
            self.base += 1;
        }
    }
}
