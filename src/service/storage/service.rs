//! The storage service.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::letter::{Asker, Payload};
use super::question::{MAX_RENEWALS, Question, What, short};
use super::record::{Fault, SignedRecord, Slot, content_record, sign_record, slot};
use super::replica::{Replica, know, unknow};
use super::shelf::{Placed, Shelf};
use super::types::{MAX_KEY, MAX_LIFE, MAX_VALUE, StorageConfig, StorageEvent, StorageStats, StoreError, StoreId};
use crate::base::{Instant, PeerId, Rng, TokenBucket, WallClock};
use crate::group::{Arrival, Goal, GrantKind, GroupAddress, Lane, Letter, Output, Received, Relay, View, verify_grant};
use crate::wire::DecodeError;

/// Open questions at most.
const MAX_QUESTIONS: usize = 1024;
/// Slots of ours whose last sequence is remembered.
const MAX_LAST: usize = 1024;
/// Holders beyond the due ones that a question goes to.
const MORE_ASKED: usize = 2;
/// Other holders that are asked for full values where the first asked has none.
const FULL_ASKED: usize = 2;
/// Bytes of values that are given to whoever asks: a second, and at once.
const ANSWER_RATE: (u64, u64) = (8 << 20, 16 << 20);

const HELD: u8 = 0;
const NEWER: u8 = 1;
const NO_GRANT: u8 = 2;
const NO_ROOM: u8 = 3;
const UNSIGNED: u8 = 4;
const CLOCK: u8 = 5;
const LIFE: u8 = 6;

/// The storage service of one membership.
#[derive(Debug)]
pub struct Storage {
    config: StorageConfig,
    rng: Rng,
    relay: Relay,
    shelf: Shelf,
    replica: Replica,
    answers: TokenBucket,
    questions: BTreeMap<[u8; 8], Question>,
    ids: u64,
    last: BTreeMap<Slot, u64>,
    sweep: Option<Instant>,
    outputs: VecDeque<Output<StorageEvent>>,
    stats: StorageStats,
}

impl Storage {
    /// Nothing held yet.
    #[must_use]
    pub fn new(_now: Instant, mut rng: Rng, config: StorageConfig) -> Self {
        Self {
            shelf: Shelf::new(config.capacity),
            config,
            replica: Replica::new(rng.fork()),
            answers: TokenBucket::new(ANSWER_RATE.0, ANSWER_RATE.1),
            rng,
            relay: Relay::new(Lane::Records),
            questions: BTreeMap::new(),
            ids: 0,
            last: BTreeMap::new(),
            sweep: None,
            outputs: VecDeque::new(),
            stats: StorageStats::default(),
        }
    }

    /// Sets the time of day.
    pub fn set_clock(&mut self, clock: WallClock) {
        self.config.clock = clock;
    }

    /// Stores a value under our identity for so long; without a value, a tombstone that takes the place of what we stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put(
        &mut self,
        now: Instant,
        view: &View,
        key: &[u8],
        value: Option<Bytes>,
        life: Duration,
    ) -> Result<StoreId, StoreError> {
        if key.len() > MAX_KEY || value.as_ref().is_some_and(|value| value.len() > MAX_VALUE) {
            return Err(StoreError::TooLong);
        }
        let expiry = self.expiry(now, life)?;
        let grant = self.grant(now)?;
        let sequence = self.next_sequence(now, slot(key, Some(self.config.author.peer_id())), 0);
        let group = self.config.group;
        let signed = sign_record(&self.config.author, group, key, sequence, expiry, value.as_deref(), grant.as_deref());
        let record = SignedRecord::decode(&signed).map_err(|_| StoreError::TooLong)?;
        Ok(self.ask_to_hold(now, view, record, MAX_RENEWALS))
    }

    /// Stores a value under its own SHA-256, without author.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_content(
        &mut self,
        now: Instant,
        view: &View,
        value: Bytes,
        life: Duration,
    ) -> Result<StoreId, StoreError> {
        if value.len() > MAX_VALUE {
            return Err(StoreError::TooLong);
        }
        let expiry = self.expiry(now, life)?;
        let grant = self.grant(now)?;
        let time = self.config.clock.unix_millis(now);
        let warrant = grant.as_deref().map(|grant| (&self.config.author, time, grant));
        let signed = content_record(self.config.group, expiry, &value, warrant);
        let record = SignedRecord::decode(&signed).map_err(|_| StoreError::TooLong)?;
        Ok(self.ask_to_hold(now, view, record, 0))
    }

    /// Stores a record that somebody on this machine signed, with [`sign_record`] or [`content_record`].
    ///
    /// # Errors
    /// [`StoreError`] if it is not fit to be stored.
    pub fn inject(&mut self, now: Instant, view: &View, signed: Bytes) -> Result<StoreId, StoreError> {
        let record = SignedRecord::decode(&signed).map_err(|_| StoreError::Unsigned)?;
        self.check(now, &record).map_err(|fault| match fault {
            Fault::Unsigned => StoreError::Unsigned,
            Fault::NoGrant => StoreError::NoGrant,
            Fault::Life | Fault::Clock => StoreError::Life,
        })?;
        if record.expiry() <= self.config.clock.unix_millis(now) {
            return Err(StoreError::Life);
        }
        Ok(self.ask_to_hold(now, view, record, 0))
    }

    /// Asks for the values of a key.
    pub fn get(&mut self, now: Instant, view: &View, key: &[u8]) -> StoreId {
        let what = What::Get {
            key: key.to_vec(),
            found: BTreeMap::new(),
            missing: BTreeMap::new(),
            fetches: std::collections::BTreeSet::new(),
        };
        if key.len() > MAX_KEY {
            // Nobody can have stored it.
            self.ids += 1;
            let id = StoreId(self.ids);
            self.outputs.push_back(Output::Event(StorageEvent::Found { id, records: Vec::new(), holders: 0 }));
            return id;
        }
        let key = Bytes::copy_from_slice(key);
        self.ask(now, view, GroupAddress::of_key(&key), what, |asker| Payload::Get(asker, key))
    }

    /// A neighbour came or went, or the arc that we cover changed: what others should hold now goes to them.
    pub fn view_changed(&mut self, now: Instant, _view: &View) {
        if self.shelf.size().0 > 0 {
            self.replica.changed(now);
        }
    }

    /// A neighbour is gone.
    pub fn peer_down(&mut self, now: Instant, view: &View, peer: PeerId) {
        self.relay.peer_down(now, view, peer);
        self.drain(now, view);
    }

    /// A message came on the lane of records.
    pub fn message(&mut self, now: Instant, view: &View, peer: PeerId, message: &[u8]) {
        match self.relay.receive(now, peer, message) {
            Received::Done | Received::Own(..) => {}
            Received::Limited | Received::TooFar => self.stats.limited += 1,
            Received::Malformed => self.blame(Some(peer), "a record's letter of a wrong form"),
            Received::Letter(letter) => {
                self.relay.pass(now, view, letter, &[]);
                self.drain(now, view);
            }
        }
    }

    /// So many bytes may be sent to a neighbour now.
    pub fn writable(&mut self, _now: Instant, peer: PeerId, room: usize) {
        self.relay.writable(peer, room);
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> StorageStats {
        let (records, bytes) = self.shelf.size();
        StorageStats {
            bytes: self.relay.bytes(),
            held: (records as u64, bytes as u64),
            limited: self.stats.limited + self.relay.counts().1,
            ..self.stats
        }
    }

    /// Bytes kept beside the records held: letters on their way and tables.
    #[must_use]
    pub fn working_bytes(&self) -> usize {
        self.relay.held_bytes() + 64 * self.replica.entries() + self.questions.len() * 256
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant, view: &View) {
        self.relay.handle_timeout(now, view);
        self.drain(now, view);
        let now_ms = self.config.clock.unix_millis(now);
        if self.sweep.is_some_and(|sweep| sweep <= now) {
            self.shelf.sweep(now_ms);
            self.set_sweep(now);
        }
        for (to, number, offers) in self.replica.handle_timeout(now, now_ms, view, &mut self.shelf) {
            self.send(now, view, (to, None), Payload::Offer(view.address(), number, offers));
        }
        while let Some((slot, to)) = self.replica.next_copy(now, &mut self.shelf) {
            let Some(held) = self.shelf.get(slot) else { continue };
            let copy = Payload::Copy(quiet(view), held.record.bytes().clone());
            self.send(now, view, (to, None), copy);
        }
        self.replica.copied(now);
        let due: Vec<[u8; 8]> = self
            .questions
            .iter()
            .filter(|(_, question)| question.deadline() <= now)
            .map(|(question, _)| *question)
            .collect();
        due.into_iter().for_each(|question| self.look_after(now, view, question));
        self.drain(now, view);
    }

    /// When to call [`Storage::handle_timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let questions = self.questions.values().map(Question::deadline).min();
        [questions, self.relay.deadline(), self.replica.deadline(), self.sweep].into_iter().flatten().min()
    }

    /// What it wants or tells; drain to `None`.
    pub fn poll(&mut self) -> Option<Output<StorageEvent>> {
        self.relay.poll().map(Output::Send).or_else(|| self.outputs.pop_front())
    }

    fn expiry(&self, now: Instant, life: Duration) -> Result<u64, StoreError> {
        if life.as_millis() == 0 || life > MAX_LIFE {
            return Err(StoreError::Life);
        }
        Ok(self.config.clock.unix_millis(now) + life.as_millis() as u64)
    }

    /// Our grant, where one is needed.
    fn grant(&self, now: Instant) -> Result<Option<Bytes>, StoreError> {
        let Some(key) = &self.config.posting_key else { return Ok(None) };
        let grant = self.config.grant.clone().ok_or(StoreError::NoGrant)?;
        let time = self.config.clock.unix_millis(now);
        let author = self.config.author.peer_id();
        verify_grant(&grant, key, GrantKind::Posting, self.config.group, author, time)
            .map_err(|_| StoreError::NoGrant)?;
        Ok(Some(grant))
    }

    /// The sequence after the last one of a slot of ours and after `other`.
    fn next_sequence(&mut self, now: Instant, slot: Slot, other: u64) -> u64 {
        let last = self.last.get(&slot).copied().unwrap_or(0).max(other);
        let sequence = self.config.clock.unix_millis(now).max(last.saturating_add(1));
        if self.last.len() >= MAX_LAST && !self.last.contains_key(&slot) {
            self.last.pop_first();
        }
        self.last.insert(slot, sequence);
        sequence
    }

    fn check(&self, now: Instant, record: &SignedRecord) -> Result<(), Fault> {
        let now_ms = self.config.clock.unix_millis(now);
        record.check(self.config.group, self.config.posting_key.as_ref(), now_ms)
    }

    /// Whether a record that others hold is its author's, whatever our clock says of its time.
    fn is_genuine(&self, now: Instant, record: &SignedRecord) -> bool {
        let time = self.config.clock.unix_millis(now).max(record.written());
        record.check(self.config.group, self.config.posting_key.as_ref(), time).is_ok()
    }

    fn ask_to_hold(&mut self, now: Instant, view: &View, record: SignedRecord, renewals: u32) -> StoreId {
        let (target, bytes) = (record.target(), record.bytes().clone());
        let what = What::Put { record: Box::new(record), renewals, refusal: None };
        self.ask(now, view, target, what, |asker| Payload::Put(asker, bytes))
    }

    fn ask(
        &mut self,
        now: Instant,
        view: &View,
        target: GroupAddress,
        what: What,
        payload: impl FnOnce(Asker) -> Payload,
    ) -> StoreId {
        self.ids += 1;
        let id = StoreId(self.ids);
        self.begin(now, view, target, (id, what), payload);
        self.drain(now, view);
        id
    }

    fn begin(
        &mut self,
        now: Instant,
        view: &View,
        target: GroupAddress,
        (id, what): (StoreId, What),
        payload: impl FnOnce(Asker) -> Payload,
    ) {
        let name = self.rng.bytes();
        let asker = Asker { question: name, reply: view.address(), gateway: None };
        let goal = Goal { target, exact: false, any_mode: true };
        let letter = Letter { answerable: true, ..Letter::new(goal, payload(asker).encode()) };
        if self.questions.len() >= MAX_QUESTIONS {
            let oldest = self.questions.iter().min_by_key(|(_, question)| question.id).map(|(name, _)| *name);
            if let Some(old) = oldest.and_then(|oldest| self.questions.remove(&oldest)) {
                self.stats.limited += 1;
                self.outputs.push_back(Output::Event(StorageEvent::TimedOut { id: old.id }));
            }
        }
        let mut question = Question::new(now, id, letter.clone(), self.config.timeout, what);
        question.first_hops.extend(self.relay.pass(now, view, letter, &[]));
        self.questions.insert(name, question);
    }

    /// Ends a question that has its answer, or asks again.
    fn look_after(&mut self, now: Instant, view: &View, name: [u8; 8]) {
        let now_ms = self.config.clock.unix_millis(now);
        let Some(question) = self.questions.get_mut(&name) else { return };
        if let Some(event) = question.outcome(now, now_ms) {
            if let (StorageEvent::Found { .. }, What::Get { key, .. }) = (&event, &question.what) {
                let key = Bytes::copy_from_slice(key);
                let due = Replica::holders(view, GroupAddress::of_key(&key), 0);
                let left = question.look_closer(now, due);
                if !left.is_empty() {
                    let asker = Asker { question: name, reply: view.address(), gateway: question.gateway() };
                    for holder in left {
                        self.send(now, view, (holder, None), Payload::Look(asker, true, key.clone()));
                    }
                    return;
                }
            }
            self.questions.remove(&name);
            self.outputs.push_back(Output::Event(event));
        } else if question.asks_again(now) {
            let first = self.relay.pass(now, view, question.letter.clone(), &question.first_hops);
            question.first_hops.extend(first);
        }
    }

    /// Counts what is wrong, and tells of the neighbour whose doing it is.
    fn blame(&mut self, peer: Option<PeerId>, reason: &'static str) {
        self.stats.malformed += 1;
        if let Some(peer) = peer {
            self.outputs.push_back(Output::Event(StorageEvent::Misbehaved { peer, reason }));
        }
    }

    /// Sends a payload to one member.
    fn send(&mut self, now: Instant, view: &View, (to, via): (GroupAddress, Option<GroupAddress>), payload: Payload) {
        self.relay.pass(now, view, Letter::to(to, via, payload.encode()), &[]);
    }

    fn answer(&mut self, now: Instant, view: &View, asker: &Asker, payload: Payload) {
        self.send(now, view, (asker.reply, asker.gateway), payload);
    }

    /// Takes what has arrived, and what got lost here.
    fn drain(&mut self, now: Instant, view: &View) {
        while let Some(arrival) = self.relay.arrived() {
            match arrival {
                Arrival::Here(letter) => self.arrived(now, view, &letter),
                Arrival::Lost(letter) => {
                    if let Ok(Some(Payload::Copy(_, record))) = Payload::decode(&letter.payload)
                        && let Ok(record) = SignedRecord::decode(&record)
                        && letter.from.is_none()
                    {
                        unknow(&mut self.shelf, record.slot(), letter.goal.target);
                    }
                }
            }
        }
    }

    fn arrived(&mut self, now: Instant, view: &View, letter: &Letter) {
        // Who wrote it, if it came straight from its writer.
        let writer = letter.from.filter(|_| letter.hops <= 1);
        let Ok(payload) = Payload::decode(&letter.payload) else {
            return self.blame(writer, "a letter of records of a wrong form");
        };
        match payload {
            None => {}
            Some(Payload::Put(asker, record)) => {
                let asker = Asker { gateway: letter.gateway, ..asker };
                self.hold(now, view, (writer, true), &asker, &record);
            }
            Some(Payload::Copy(asker, record)) => self.hold(now, view, (writer, false), &asker, &record),
            Some(Payload::Held(question, holder, verdict, total, record)) => {
                self.held(now, view, question, (holder, verdict, total), &record);
            }
            Some(Payload::Get(asker, key)) => {
                let asker = Asker { gateway: letter.gateway, ..asker };
                self.asked(now, view, &asker, &key);
            }
            Some(Payload::Look(asker, true, key)) => self.give_values(now, view, &asker, &key, 0),
            Some(Payload::Look(asker, false, key)) => {
                let versions = self.shelf.under(&key).map(|record| {
                    let (sequence, tie) = short(record.version());
                    (record.author().map_or([0; 32], |author| author.0), sequence, tie)
                });
                let holds = Payload::Holds(asker.question, view.address(), versions.collect());
                self.answer(now, view, &asker, holds);
            }
            Some(Payload::Value(question, holder, total, count, record)) => {
                self.value(now, view, question, (holder, total, count), &record);
            }
            Some(Payload::Holds(question, holder, versions)) => {
                let Some(asked) = self.questions.get_mut(&question) else { return };
                asked.answer(now, Some(holder), 0);
                let wanted = asked.missing_of(now, holder, &versions);
                let What::Get { key, .. } = &asked.what else { return };
                let key = Bytes::copy_from_slice(key);
                let asker = Asker { question, reply: view.address(), gateway: asked.gateway() };
                for author in wanted {
                    self.send(now, view, (holder, None), Payload::Fetch(asker, author, key.clone()));
                }
                self.look_after(now, view, question);
            }
            Some(Payload::Fetch(asker, author, key)) => {
                let record = self.shelf.of_author(&key, author).map(|record| record.bytes().clone());
                let record = record.filter(|record| self.answers.take(now, record.len() as u64));
                let count = u64::from(record.is_some());
                let record = record.unwrap_or_default();
                let value = Payload::Value(asker.question, view.address(), 0, count, record);
                self.answer(now, view, &asker, value);
            }
            Some(Payload::Offer(sender, number, offers)) => {
                let (wanted, coming) = self.replica.choose(now, &self.shelf, &offers);
                self.send(now, view, (sender, None), Payload::Want(view.address(), number, wanted, coming));
                // Whoever offers a version holds that one; if ours is newer, it is offered in our next pass.
                for (slot, sequence, tie) in offers {
                    if self.shelf.version(slot).is_some_and(|version| short(version) == (sequence, tie)) {
                        know(&mut self.shelf, slot, sender);
                    } else {
                        unknow(&mut self.shelf, slot, sender);
                    }
                }
            }
            Some(Payload::Want(sender, number, wanted, coming)) => {
                self.replica.wanted(now, &mut self.shelf, (sender, number), &wanted, &coming);
            }
        }
    }

    /// Holds a record, if it may; a record that was put goes to the other holders too.
    fn hold(
        &mut self,
        now: Instant,
        view: &View,
        (writer, is_first): (Option<PeerId>, bool),
        asker: &Asker,
        bytes: &Bytes,
    ) {
        let record = match SignedRecord::decode(bytes) {
            Ok(record) => record,
            // Of a later kind, maybe.
            Err(DecodeError::UnknownType(_) | DecodeError::Forbidden) => return self.stats.malformed += 1,
            Err(_) => return self.blame(writer, "a record of a wrong form"),
        };
        let mut newer = Bytes::new();
        let (slot, target) = (record.slot(), record.target());
        let verdict = match self.check(now, &record) {
            Err(Fault::Unsigned) => {
                self.blame(writer, "a record whose signature does not hold");
                UNSIGNED
            }
            Err(Fault::NoGrant) => {
                self.stats.unauthorized += 1;
                NO_GRANT
            }
            Err(Fault::Clock) => CLOCK,
            Err(Fault::Life) => LIFE,
            Ok(()) => match self.shelf.put(record, self.config.clock.unix_millis(now)) {
                Placed::New => {
                    self.replica.wake(now);
                    self.set_sweep(now);
                    HELD
                }
                Placed::Same => HELD,
                Placed::Newer => {
                    newer = self.shelf.get(slot).map(|held| held.record.bytes().clone()).unwrap_or_default();
                    NEWER
                }
                Placed::Full => {
                    self.stats.limited += 1;
                    NO_ROOM
                }
                Placed::Ended => LIFE,
            },
        };
        self.replica.came(slot);
        let mut total = u64::from(is_first);
        if is_first && matches!(verdict, HELD | NO_ROOM) {
            for holder in Replica::holders(view, target, 0).into_iter().filter(|holder| *holder != view.address()) {
                total += 1;
                know(&mut self.shelf, slot, holder);
                self.send(now, view, (holder, None), Payload::Copy(*asker, bytes.clone()));
            }
        }
        if asker.question != [0; 8] {
            let held = Payload::Held(asker.question, view.address(), verdict, total, newer);
            self.answer(now, view, asker, held);
        } else if verdict == NEWER {
            self.send(now, view, (asker.reply, None), Payload::Copy(quiet(view), newer));
        } else if verdict == HELD {
            know(&mut self.shelf, slot, asker.reply);
        }
    }

    /// A holder's answer to a record of ours.
    fn held(
        &mut self,
        now: Instant,
        view: &View,
        name: [u8; 8],
        (holder, verdict, total): (GroupAddress, u8, u64),
        newer: &Bytes,
    ) {
        let Some(question) = self.questions.get_mut(&name) else { return };
        let What::Put { record, renewals, .. } = &question.what else { return };
        let reason = match verdict {
            HELD => {
                question.answer(now, Some(holder), total);
                return self.look_after(now, view, name);
            }
            NEWER => {
                // A claim, unless the newer record is there and holds.
                let Ok(newer) = SignedRecord::decode(newer) else { return };
                let is_newer = newer.slot() == record.slot() && newer.version() > record.version();
                let renewals = *renewals;
                if !is_newer || !self.is_genuine(now, &newer) {
                    return;
                }
                if renewals > 0 {
                    return self.renew(now, view, name, newer.version().0, renewals - 1);
                }
                "a newer version is there"
            }
            NO_GRANT => "the grant does not hold",
            NO_ROOM => "there is no room",
            UNSIGNED => "the signature does not hold",
            CLOCK => "it was written in the future: check the clock",
            LIFE => "it lives too long, or not any more: check the clock",
            _ => "for a reason that is not known here",
        };
        if let Some(question) = self.questions.get_mut(&name) {
            question.refuse(reason);
            question.answer(now, None, total);
            self.look_after(now, view, name);
        }
    }

    /// Signs a value of ours anew, after a version that was there already.
    fn renew(&mut self, now: Instant, view: &View, name: [u8; 8], after: u64, renewals: u32) {
        let Some(question) = self.questions.remove(&name) else { return };
        let What::Put { record, .. } = &question.what else { return };
        let old = record.to_record();
        let sequence = self.next_sequence(now, record.slot(), after);
        let grant = self.config.grant.clone().filter(|_| self.config.posting_key.is_some());
        let (author, group) = (&self.config.author, self.config.group);
        let signed = sign_record(author, group, &old.key, sequence, old.expiry, old.value.as_deref(), grant.as_deref());
        let Ok(record) = SignedRecord::decode(&signed) else { return };
        let (target, bytes) = (record.target(), record.bytes().clone());
        let what = What::Put { record: Box::new(record), renewals, refusal: None };
        self.begin(now, view, target, (question.id, what), |asker| Payload::Put(asker, bytes));
    }

    /// We are the first who is asked for a key: we answer, and have others answer.
    fn asked(&mut self, now: Instant, view: &View, asker: &Asker, key: &Bytes) {
        let target = GroupAddress::of_key(key);
        let others = Replica::holders(view, target, MORE_ASKED);
        let others: Vec<GroupAddress> = others.into_iter().filter(|other| *other != view.address()).collect();
        let has_none = self.shelf.under(key).next().is_none();
        self.give_values(now, view, asker, key, 1 + others.len() as u64);
        for (at, other) in others.into_iter().enumerate() {
            let full = has_none && at < FULL_ASKED;
            self.send(now, view, (other, None), Payload::Look(*asker, full, key.clone()));
        }
    }

    /// Sends all that we have under a key, as far as we may; `total` is how many are asked with us, if we are the first asked.
    fn give_values(&mut self, now: Instant, view: &View, asker: &Asker, key: &Bytes, total: u64) {
        let records = self.shelf.under(key).map(|record| record.bytes().clone());
        // Whoever asks names where the answer goes: it must not become a flood.
        let may = |bytes: &Bytes| self.answers.take(now, bytes.len() as u64);
        let mut records: Vec<Bytes> = records.filter(may).collect();
        let count = records.len() as u64;
        if records.is_empty() {
            records.push(Bytes::new());
        }
        for record in records {
            let value = Payload::Value(asker.question, view.address(), total, count, record);
            self.answer(now, view, asker, value);
        }
    }

    fn value(
        &mut self,
        now: Instant,
        view: &View,
        name: [u8; 8],
        (holder, total, count): (GroupAddress, u64, u64),
        bytes: &Bytes,
    ) {
        let record = SignedRecord::decode(bytes).ok().filter(|record| self.is_genuine(now, record));
        if !bytes.is_empty() && record.is_none() {
            self.stats.malformed += 1;
        }
        let Some(question) = self.questions.get_mut(&name) else { return };
        question.answer(now, Some(holder), total);
        question.value(holder, count, record);
        self.look_after(now, view, name);
    }

    fn set_sweep(&mut self, now: Instant) {
        let now_ms = self.config.clock.unix_millis(now);
        // Not for each one by itself.
        let wait = |end: u64| Duration::from_millis(end.saturating_sub(now_ms).max(1000));
        self.sweep = self.shelf.next_end().map(|end| now + wait(end));
    }
}

/// The asker of what needs no answer.
fn quiet(view: &View) -> Asker {
    Asker { question: [0; 8], reply: view.address(), gateway: None }
}
