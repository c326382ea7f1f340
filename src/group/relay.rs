//! Letters: messages that pass from neighbour to neighbour until they are where they belong. One relay serves one lane.
//!
//! Two message types are the same on every lane that has a relay; numbers are VLUs, addresses are group addresses of 32 bytes:
//!
//! ```text
//! 01 CARRY   ticket ‖ hops ‖ flags (1 byte) ‖ target ‖ [via] ‖ [gateway] ‖ trail ‖ payload (the rest, at most 73,728 bytes)
//! 02 TAKEN   ticket
//! flags      01 exact   02 any mode   04 settling   08 via is there   10 gateway is there
//! ```
//!
//! *Hops* counts the links that the letter has passed, this one included; at most [`MAX_HOPS`]. *Trail*, *exact*, *any mode* and
//! *settling* are those of [`super::next_step`]. *Target* is whom it is for.
//!
//! **Tickets.** A ticket other than 0 asks for TAKEN with the same number, which the receiver sends at once if it accepts the
//! letter. Where none comes within three round-trip times and half a second, or the neighbour is gone before, the letter is handed to
//! another one, as if the silent one were not there; so a neighbour that has died unnoticed costs that time. A silent
//! neighbour is left out of all ways until something comes from it, or for 5 s, and twice as long each further time, to 5 minutes; only a
//! letter for its very address tries it nevertheless, if there is no other way. Letters can come twice.
//!
//! **Gateway and via.** Who sends a letter and wants an answer may be too new to be found on the ring. So it enters the first
//! member that it hands the letter to as the *gateway*; the answer has it as *via*: it is carried to that member first (unless
//! its target is a neighbour before) and from there on without via. If the gateway cannot be reached, the way is the ring's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::address::GroupAddress;
use super::contract::{Lane, Outgoing};
use super::forward::{Goal, Step, Trail, next_step};
use super::outbox::Outbox;
use super::view::View;
use crate::base::{Instant, PeerId, TokenBucket};
use crate::wire::{DecodeError, vlu};

/// Links that a letter can pass.
pub const MAX_HOPS: u32 = 64;
/// The longest payload of a letter, in bytes.
pub const MAX_PAYLOAD: usize = 72 << 10;
/// Letters that can wait for TAKEN, and their bytes; further ones go without a ticket.
pub const MAX_TICKETS: (usize, usize) = (1024, 8 << 20);
/// Messages a second, and at once, that a neighbour can send on the lane.
pub const MESSAGE_RATE: (u64, u64) = (500, 2_000);
/// Bytes a second, and at once, that a neighbour can send on the lane.
pub const BYTE_RATE: (u64, u64) = (8 << 20, 16 << 20);

const CARRY: u8 = 0x01;
const TAKEN: u8 = 0x02;
const EXACT: u8 = 0x01;
const ANY_MODE: u8 = 0x02;
const SETTLING: u8 = 0x04;
const VIA: u8 = 0x08;
const GATEWAY: u8 = 0x10;

/// The first time that a silent neighbour is left out.
const SILENCE: Duration = Duration::from_secs(5);
/// How often that time doubles.
const MAX_MISSES: u32 = 6;
/// How often one member hands on the same letter.
const MAX_TRIES: usize = 8;

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whom it looks for.
    pub goal: Goal,
    /// Links passed.
    pub hops: u32,
    /// Where it goes first.
    pub via: Option<GroupAddress>,
    /// The first member that it was handed to, if its sender wants an answer.
    pub gateway: Option<GroupAddress>,
    /// Its detour.
    pub trail: Trail,
    /// Whether its loss on the way is made good.
    pub sure: bool,
    /// Whether the sender wants answers.
    pub answerable: bool,
    /// The neighbour that it came from; `None` if it begins here.
    pub from: Option<PeerId>,
    /// What it says.
    pub payload: Bytes,
}

impl Letter {
    /// A letter that begins here.
    #[must_use]
    pub fn new(goal: Goal, payload: Bytes) -> Self {
        let trail = Trail::default();
        Self { goal, hops: 0, via: None, gateway: None, trail, sure: true, answerable: false, from: None, payload }
    }

    /// A letter to the very member at `target`, first to `via`.
    #[must_use]
    pub fn to(target: GroupAddress, via: Option<GroupAddress>, payload: Bytes) -> Self {
        Self { via, ..Self::new(Goal { target, exact: true, any_mode: true }, payload) }
    }

    fn encode(&self, ticket: u64) -> Bytes {
        let mut out = Vec::with_capacity(self.payload.len() + 64 + 33 * self.trail.visited().len());
        out.push(CARRY);
        vlu::put(&mut out, ticket);
        vlu::put(&mut out, u64::from(self.hops));
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        out.push(
            flag(self.goal.exact, EXACT)
                | flag(self.goal.any_mode, ANY_MODE)
                | flag(self.trail.settling, SETTLING)
                | flag(self.via.is_some(), VIA)
                | flag(self.gateway.is_some(), GATEWAY),
        );
        out.extend_from_slice(&self.goal.target.0);
        for address in [self.via, self.gateway].into_iter().flatten() {
            out.extend_from_slice(&address.0);
        }
        self.trail.encode(&mut out);
        out.extend_from_slice(&self.payload);
        out.into()
    }

    /// Reads what follows the type of a CARRY: the ticket and the letter.
    fn decode(from: PeerId, mut rest: &[u8]) -> Result<(u64, Self), DecodeError> {
        let ticket = vlu::take(&mut rest)?;
        let hops = u32::try_from(vlu::take(&mut rest)?).unwrap_or(u32::MAX);
        let (&flags, mut rest) = rest.split_first().ok_or(DecodeError::Truncated)?;
        let mut address = |wanted: bool| -> Result<Option<GroupAddress>, DecodeError> {
            if !wanted {
                return Ok(None);
            }
            let (head, behind) = rest.split_first_chunk::<32>().ok_or(DecodeError::Truncated)?;
            rest = behind;
            Ok(Some(GroupAddress(*head)))
        };
        let target = address(true)?.ok_or(DecodeError::Truncated)?;
        let via = address(flags & VIA != 0)?;
        let gateway = address(flags & GATEWAY != 0)?;
        let trail = Trail::take(&mut rest, flags & SETTLING != 0)?;
        let goal = Goal { target, exact: flags & EXACT != 0, any_mode: flags & ANY_MODE != 0 };
        if rest.len() > MAX_PAYLOAD {
            return Err(DecodeError::TooLarge);
        }
        let payload = Bytes::copy_from_slice(rest);
        let letter = Self {
            goal,
            hops,
            via,
            gateway,
            trail,
            sure: ticket != 0,
            answerable: gateway.is_some(),
            from: Some(from),
            payload,
        };
        Ok((ticket, letter))
    }
}

/// What a message of the lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received<'a> {
    /// A letter, to be looked at and then given to [`Relay::pass`].
    Letter(Letter),
    /// A message of the lane's own: its type and the rest.
    Own(u8, &'a [u8]),
    /// Nothing to be done.
    Done,
    /// Dropped: its form is wrong.
    Malformed,
    /// Dropped: the neighbour sends too many.
    Limited,
    /// Dropped: it has come too far.
    TooFar,
}

/// Where a letter's way ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It is for us.
    Here(Letter),
    /// Nobody here takes it, and nobody is known who would.
    Lost(Letter),
}

/// Carries the letters of one lane.
#[derive(Debug)]
pub struct Relay {
    outbox: Outbox,
    handed: BTreeMap<u64, Handed>,
    handed_bytes: usize,
    due: BTreeSet<(Instant, u64)>,
    ticket: u64,
    silent: BTreeMap<PeerId, Silence>,
    rates: BTreeMap<PeerId, (TokenBucket, TokenBucket)>,
    arrivals: VecDeque<Arrival>,
    received: u64,
    passed: u64,
    refused: u64,
}

#[derive(Debug)]
struct Handed {
    letter: Letter,
    peer: PeerId,
    due: Instant,
    tried: Vec<PeerId>,
}

#[derive(Debug, Clone, Copy)]
struct Silence {
    until: Instant,
    misses: u32,
}

impl Relay {
    /// A relay that carries nothing yet.
    #[must_use]
    pub const fn new(lane: Lane) -> Self {
        Self {
            outbox: Outbox::new(lane),
            handed: BTreeMap::new(),
            handed_bytes: 0,
            due: BTreeSet::new(),
            ticket: 0,
            silent: BTreeMap::new(),
            rates: BTreeMap::new(),
            arrivals: VecDeque::new(),
            received: 0,
            passed: 0,
            refused: 0,
        }
    }

    /// Reads a message from a neighbour, and answers with TAKEN where that is asked.
    pub fn receive<'a>(&mut self, now: Instant, peer: PeerId, message: &'a [u8]) -> Received<'a> {
        self.received += message.len() as u64;
        self.silent.remove(&peer);
        let new = || (TokenBucket::new(MESSAGE_RATE.0, MESSAGE_RATE.1), TokenBucket::new(BYTE_RATE.0, BYTE_RATE.1));
        let (messages, bytes) = self.rates.entry(peer).or_insert_with(new);
        if !messages.take(now, 1) || !bytes.take(now, message.len() as u64) {
            return Received::Limited;
        }
        let Some((&kind, mut rest)) = message.split_first() else { return Received::Malformed };
        match kind {
            CARRY => match Letter::decode(peer, rest) {
                Err(_) => Received::Malformed,
                Ok((_, letter)) if letter.hops > MAX_HOPS => Received::TooFar,
                Ok((ticket, letter)) => {
                    if ticket != 0 {
                        let mut taken = vec![TAKEN];
                        vlu::put(&mut taken, ticket);
                        self.outbox.send(peer, taken.into());
                    }
                    Received::Letter(letter)
                }
            },
            TAKEN => {
                let Ok(ticket) = vlu::take(&mut rest) else { return Received::Malformed };
                if self.handed.get(&ticket).is_some_and(|handed| handed.peer == peer) {
                    self.forget(ticket);
                }
                Received::Done
            }
            kind => Received::Own(kind, rest),
        }
    }

    /// Carries a letter on; what ends here comes out of [`Relay::arrived`]. A letter that begins here goes to none of `but`
    /// first if there is another way. The neighbour that it was handed to, if any.
    pub fn pass(&mut self, now: Instant, view: &View, letter: Letter, but: &[PeerId]) -> Option<PeerId> {
        if !but.is_empty() {
            let mut trial = letter.clone();
            if !matches!(self.step(now, view, &mut trial, but), Step::To(_)) {
                return self.hand(now, view, letter, Vec::new());
            }
        }
        self.hand(now, view, letter, but.to_vec())
    }

    /// Sends a message of the lane's own to a neighbour. Whether there is place for it.
    pub fn send(&mut self, peer: PeerId, message: Bytes) -> bool {
        let sent = self.outbox.send(peer, message);
        self.refused += u64::from(!sent);
        sent
    }

    /// The next letter whose way has ended here.
    pub fn arrived(&mut self) -> Option<Arrival> {
        self.arrivals.pop_front()
    }

    /// The next message to send.
    pub fn poll(&mut self) -> Option<Outgoing> {
        self.outbox.poll()
    }

    /// There are so many bytes of room for a neighbour now.
    pub fn writable(&mut self, peer: PeerId, room: usize) {
        self.outbox.writable(peer, room);
    }

    /// Whether `bytes` could go to a neighbour at once.
    #[must_use]
    pub fn has_room(&self, peer: PeerId, bytes: usize) -> bool {
        self.outbox.has_room(peer, bytes)
    }

    /// A neighbour is gone: what it has not said to have taken goes another way.
    pub fn peer_down(&mut self, now: Instant, view: &View, peer: PeerId) {
        self.outbox.peer_down(peer);
        self.silent.remove(&peer);
        self.rates.remove(&peer);
        let lost: Vec<u64> =
            self.handed.iter().filter(|(_, handed)| handed.peer == peer).map(|(&ticket, _)| ticket).collect();
        for ticket in lost {
            self.hand_again(now, view, ticket);
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant, view: &View) {
        while let Some(&(due, ticket)) = self.due.first().filter(|(due, _)| *due <= now) {
            if let Some(handed) = self.handed.get(&ticket) {
                let silence = self.silent.entry(handed.peer).or_insert(Silence { until: Instant::ZERO, misses: 0 });
                if silence.until <= now {
                    silence.until = now + SILENCE * (1 << silence.misses);
                    silence.misses = (silence.misses + 1).min(MAX_MISSES);
                }
            }
            self.due.remove(&(due, ticket));
            self.hand_again(now, view, ticket);
        }
        if self.silent.len() > view.neighbours().len() {
            self.silent.retain(|peer, _| view.neighbour(*peer).is_some());
        }
    }

    /// When to call [`Relay::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Bytes sent and received.
    #[must_use]
    pub const fn bytes(&self) -> (u64, u64) {
        (self.outbox.sent(), self.received)
    }

    /// Letters of others handed on, and times that there was no place for a message.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.passed, self.refused)
    }

    /// Bytes that wait for room.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.outbox.waiting()
    }

    /// Bytes that are kept for what is on its way.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.handed_bytes + self.outbox.waiting()
    }

    fn hand_again(&mut self, now: Instant, view: &View, ticket: u64) {
        let Some(mut handed) = self.forget(ticket) else { return };
        handed.tried.push(handed.peer);
        if handed.tried.len() < MAX_TRIES {
            self.hand(now, view, handed.letter, handed.tried);
        } else {
            self.arrivals.push_back(Arrival::Lost(handed.letter));
        }
    }

    fn forget(&mut self, ticket: u64) -> Option<Handed> {
        let handed = self.handed.remove(&ticket)?;
        self.due.remove(&(handed.due, ticket));
        self.handed_bytes -= handed.letter.payload.len();
        Some(handed)
    }

    fn hand(&mut self, now: Instant, view: &View, letter: Letter, mut tried: Vec<PeerId>) -> Option<PeerId> {
        loop {
            let mut next = letter.clone();
            let peer = match self.step(now, view, &mut next, &tried) {
                Step::To(peer) => peer,
                Step::Here => {
                    self.arrivals.push_back(Arrival::Here(letter));
                    return None;
                }
                Step::NoWay => {
                    self.arrivals.push_back(Arrival::Lost(letter));
                    return None;
                }
            };
            next.hops += 1;
            if next.answerable && next.from.is_none() {
                next.gateway = Some(GroupAddress::of(peer));
            }
            let is_kept = letter.sure
                && self.handed.len() < MAX_TICKETS.0
                && self.handed_bytes + letter.payload.len() <= MAX_TICKETS.1;
            let ticket = if is_kept { self.ticket + 1 } else { 0 };
            if next.hops > MAX_HOPS {
                return None;
            }
            if !self.outbox.send(peer, next.encode(ticket)) {
                self.refused += 1;
                tried.push(peer);
                continue;
            }
            self.passed += u64::from(letter.from.is_some());
            if is_kept {
                self.ticket = ticket;
                let rtt = view.neighbour(peer).map_or(Duration::ZERO, |neighbour| neighbour.rtt);
                let due = now + rtt * 3 + Duration::from_millis(500);
                self.due.insert((due, ticket));
                self.handed_bytes += letter.payload.len();
                self.handed.insert(ticket, Handed { letter, peer, due, tried });
            }
            return Some(peer);
        }
    }

    /// Where `letter` goes next; brings it up to date for that.
    fn step(&self, now: Instant, view: &View, letter: &mut Letter, tried: &[PeerId]) -> Step {
        let target = letter.goal.target;
        let is_open = |peer: PeerId| !tried.contains(&peer);
        let direct = view.neighbours().find(|neighbour| neighbour.address == target && is_open(neighbour.peer));
        if view.address() == target {
            return Step::Here;
        }
        let is_silent = |peer: PeerId| self.silent.get(&peer).is_some_and(|silence| silence.until > now);
        if let Some(neighbour) = direct.filter(|neighbour| !is_silent(neighbour.peer)) {
            (letter.via, letter.trail) = (None, Trail::default());
            return Step::To(neighbour.peer);
        }
        let shunned = |peer: PeerId| !is_open(peer) || is_silent(peer);
        if let Some(via) = letter.via.take() {
            let goal = Goal { target: via, exact: true, any_mode: true };
            if let Step::To(peer) = next_step(view, &goal, &mut letter.trail, &shunned) {
                letter.via = Some(via);
                return Step::To(peer);
            }
            letter.trail = Trail::default();
        }
        match (next_step(view, &letter.goal, &mut letter.trail, &shunned), direct) {
            (Step::Here | Step::NoWay, Some(neighbour)) if letter.goal.exact => Step::To(neighbour.peer),
            (step, _) => step,
        }
    }
}
