//! What one neighbour may cost, and what is no fault of anybody.

use std::time::Duration;

use bytes::Bytes;

use super::stage::{asks, gives, limits_hold};
use crate::base::{Instant, PeerId, RangeSet, Rng};
use crate::group::{Lane, Output};
use crate::service::replication::message::{MAX_MESSAGE, Record, Span, decode};
use crate::service::replication::{MAX_INDEX, Replication, ReplicationConfig, ReplicationEvent, RequestId, Strategy};

const NEAR: PeerId = PeerId([7; 32]);

/// One member whose neighbours are played by the test.
struct Alone {
    service: Replication,
    now: Instant,
    said: Vec<(PeerId, Lane, Bytes)>,
    blamed: Vec<&'static str>,
    requests: Vec<(u64, RequestId)>,
    results: Vec<u64>,
}

impl Alone {
    fn new() -> Self {
        let now = Instant::from_micros(3_600_000_000);
        let config = ReplicationConfig { strategy: Strategy::RarestFirst, ..ReplicationConfig::default() };
        let mut service = Replication::new(now, Rng::for_simulation(5), config);
        service.peer_up(now, NEAR, Duration::from_millis(20));
        let (said, blamed, requests, results) = Default::default();
        Self { service, now, said, blamed, requests, results }
    }

    /// Has the first of these numbers of objects, and wants as many as the second says after them.
    fn sharing(has: u64, wants: u64) -> Self {
        let mut alone = Self::new();
        alone.service.add_have_objects(alone.now, 0..has).unwrap();
        alone.service.add_want_objects(alone.now, has..has + wants).unwrap();
        alone.drain();
        alone
    }

    fn drain(&mut self) {
        while let Some(output) = self.service.poll(self.now) {
            match output {
                Output::Send(outgoing) => self.said.push((outgoing.peer, outgoing.lane, outgoing.data)),
                Output::Event(ReplicationEvent::Misbehaved { reason, .. }) => self.blamed.push(reason),
                Output::Event(ReplicationEvent::Request { index, request, .. }) => self.requests.push((index, request)),
                Output::Event(ReplicationEvent::FetchResult { index, .. }) => self.results.push(index),
                _ => {}
            }
        }
        limits_hold(&self.service);
    }

    fn hears(&mut self, records: &[Record]) {
        let message = asks(records);
        assert!(message.len() <= MAX_MESSAGE, "{}", message.len());
        self.service.message(self.now, NEAR, Lane::Asks, &message.into());
        self.drain();
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.service.deadline().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.service.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn records(&mut self) -> Vec<Record> {
        let said = std::mem::take(&mut self.said);
        let asks = said.iter().filter(|(_, lane, _)| *lane == Lane::Asks);
        asks.flat_map(|(.., message)| decode(message).unwrap()).collect()
    }

    fn requested(&mut self) -> Vec<u64> {
        let lists = self.records().into_iter().filter_map(|record| match record {
            Record::Request(list) => Some(list),
            _ => None,
        });
        lists.flatten().collect()
    }

    /// The same messages again and again until it is left, for so many times at most; how many were heard.
    fn until_left(&mut self, most: usize, mut next: impl FnMut(u64) -> Vec<Record>) -> usize {
        for at in 0..most {
            if !self.blamed.is_empty() {
                return at;
            }
            self.hears(&next(at as u64));
        }
        panic!("it was heard {most} times");
    }
}

fn comb(from: u64, count: u64) -> Vec<Span> {
    (0..count).map(|at| from + 2 * at..=from + 2 * at).collect::<RangeSet>().iter().collect()
}

#[test]
fn saying_and_unsaying_everything_costs_a_few_times_what_saying_it_does() {
    let mut alone = Alone::sharing(0, 200_000);
    let all = || vec![0..=MAX_INDEX];
    let times = alone.until_left(20, |_| vec![Record::Have(all()), Record::Gone(all())]);
    assert!(times < 4, "{times}");
    assert!(alone.service.stats().limited > 0);
    // In small bits too: an object a time.
    let mut alone = Alone::sharing(0, 200_000);
    let one: Vec<Record> = (0..500).flat_map(|_| [Record::Have(vec![9..=9]), Record::Gone(vec![9..=9])]).collect();
    assert!(alone.until_left(2_000, |_| one.clone()) < 1_000);
}

#[test]
fn an_honest_holder_of_all_there_is_is_heard() {
    let mut alone = Alone::sharing(0, 262_144);
    alone.hears(&[Record::Have(vec![0..=262_143])]);
    alone.wait(Duration::from_secs(1));
    // And one that gets everything piece by piece, at a gibibit a second.
    let mut alone = Alone::sharing(0, 100_000);
    let mut rng = Rng::for_simulation(3);
    for _ in 0..500 {
        alone.wait(Duration::from_millis(20));
        let new: RangeSet = (0..160).map(|_| rng.below(100_000)).map(|index| index..=index).collect();
        alone.hears(&[Record::Have(new.iter().collect()), Record::Got(vec![1; 160]), Record::Deny(vec![100_001; 160])]);
    }
    assert!(alone.blamed.is_empty(), "{:?}", alone.blamed);
}

#[test]
fn ranges_without_end_are_too_many() {
    // Overlapping ones cost nothing; those in between are counted, wherever they begin.
    let mut alone = Alone::sharing(0, 1_000);
    let times = alone.until_left(200, |at| vec![Record::Have(comb((200 - at) * 20_000, 8_000))]);
    assert!(times <= 10, "{times}");
    let mut alone = Alone::sharing(60_000, 0);
    let times = alone.until_left(2_000, |at| {
        let spans = comb(0, 4_000);
        if at % 2 == 0 { vec![Record::Have(spans)] } else { vec![Record::Gone(spans)] }
    });
    assert!(times <= 200, "{times}");
    let mut alone = Alone::sharing(100, 100);
    alone.hears(&[Record::Want(comb(0, 256))]);
    assert!(alone.blamed.is_empty());
    alone.hears(&[Record::Want(comb(0, 257))]);
    assert_eq!(alone.blamed, ["more ranges of objects than anybody wants"]);
}

#[test]
fn what_is_beyond_all_indices_or_cut_off_is_not_heard() {
    let have = |spans: Vec<Span>| asks(&[Record::Have(spans)]);
    let beyond = [
        have(vec![0..=MAX_INDEX + 1]),
        have(vec![MAX_INDEX + 1..=MAX_INDEX + 1]),
        have(vec![5..=u64::MAX - 1]),
        asks(&[Record::Request(vec![1, MAX_INDEX + 1])]),
        asks(&[Record::Got(vec![u64::MAX])]),
        // Two ranges whose sum goes around.
        vec![0x01, 12, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        vec![0x01, 5, 0],
        vec![0x04],
        vec![0; MAX_MESSAGE + 1],
    ];
    for message in beyond {
        let mut alone = Alone::sharing(100, 100);
        alone.service.message(alone.now, NEAR, Lane::Asks, &Bytes::from(message.clone()));
        alone.drain();
        assert_eq!(alone.blamed.len(), 1, "{:02x?}", &message[..message.len().min(20)]);
        assert_eq!(alone.service.stats().malformed, 1);
        // Nothing it says afterwards is heard.
        alone.hears(&[Record::Have(vec![100..=199])]);
        assert!(alone.requested().is_empty());
    }
}

#[test]
fn the_same_request_again_while_its_object_is_read_takes_no_room_for_ever() {
    let mut alone = Alone::sharing(100, 0);
    alone.hears(&[Record::Want(vec![0..=99])]);
    alone.wait(Duration::from_millis(50));
    for _ in 0..10 {
        alone.hears(&[Record::Request(vec![3])]);
    }
    // The owner answers late, and everything that it was asked for.
    for (index, request) in std::mem::take(&mut alone.requests) {
        assert_eq!(index, 3);
        alone.service.write_requested_object(alone.now, request, vec![0; 16_384].into()).unwrap();
    }
    alone.drain();
    alone.hears(&[Record::Got(vec![3])]);
    assert_eq!((alone.service.stats().sent, alone.service.pipe.flying), (1, 0));
}

#[test]
fn nobody_is_to_blame_for_what_was_withdrawn() {
    // Somebody stops giving while much of it is asked for, and denies what it was asked for meanwhile.
    let mut alone = Alone::sharing(0, 1_000);
    alone.hears(&[Record::Have(vec![0..=999])]);
    let mut asked = alone.requested();
    while asked.len() < 100 {
        alone.now += Duration::from_millis(1);
        let (index, rest) = asked.split_first().map(|(index, rest)| (*index, rest.to_vec())).unwrap();
        alone.service.message(alone.now, NEAR, Lane::Objects, &gives(index, &[0; 100]).into());
        alone.service.good(alone.now, index);
        alone.drain();
        asked = [rest, alone.requested()].concat();
    }
    let mut far = Alone::sharing(1_000, 0);
    far.hears(&[Record::Request(asked.clone())]);
    far.service.remove_have_objects(far.now, 0..1_000).unwrap();
    for (_, request) in std::mem::take(&mut far.requests) {
        far.service.deny_requested_object(far.now, request);
    }
    far.wait(Duration::from_secs(1));
    let told: Vec<Bytes> =
        far.said.iter().filter(|(_, lane, _)| *lane == Lane::Asks).map(|told| told.2.clone()).collect();
    for message in told {
        alone.service.message(alone.now, NEAR, Lane::Asks, &message);
    }
    alone.drain();
    assert!(alone.blamed.is_empty(), "{:?}", alone.blamed);
    // Others ask for it while they do not know yet that it is gone.
    for some in asked.chunks(50) {
        far.hears(&[Record::Request(some.to_vec())]);
    }
    far.wait(Duration::from_secs(1));
    assert!(far.blamed.is_empty(), "{:?}", far.blamed);
    // What was never there is another matter.
    let times = far.until_left(10, |_| vec![Record::Request((2_000..2_010).collect())]);
    assert!(times <= 4, "{times}");
}

/// A holder whose file was changed under it was left for the forty requests that it denied at once.
#[test]
fn what_is_denied_at_once_counts_once_and_every_time_counts() {
    let mut alone = Alone::sharing(0, 1_000);
    alone.hears(&[Record::Have(vec![0..=999])]);
    let mut asked = alone.requested();
    while asked.len() < 60 {
        alone.now += Duration::from_millis(1);
        let (index, rest) = asked.split_first().map(|(index, rest)| (*index, rest.to_vec())).unwrap();
        alone.service.message(alone.now, NEAR, Lane::Objects, &gives(index, &[0; 100]).into());
        alone.service.good(alone.now, index);
        alone.drain();
        asked = [rest, alone.requested()].concat();
    }
    alone.hears(&[Record::Deny(asked.clone())]);
    assert!(alone.blamed.is_empty(), "{:?}", alone.blamed);
    // Promised and denied again and again is another matter.
    let times = alone.until_left(40, |_| {
        let again = Record::Have(vec![0..=999]);
        vec![again, Record::Deny((0..1_000).collect())]
    });
    assert!(times <= 40, "{times}");
}

#[test]
fn who_wants_nothing_any_more_is_not_to_blame() {
    let mut alone = Alone::sharing(200, 0);
    alone.hears(&[Record::Want(vec![0..=199])]);
    alone.hears(&[Record::Request((0..120).collect())]);
    for (_, request) in std::mem::take(&mut alone.requests) {
        alone.service.write_requested_object(alone.now, request, vec![0; 1_000].into()).unwrap();
    }
    alone.hears(&[Record::Cancel((0..120).collect())]);
    alone.wait(Duration::from_secs(1));
    assert!(alone.blamed.is_empty(), "{:?}", alone.blamed);
    assert_eq!(alone.service.pipe.flying, 0);
}

#[test]
fn whoever_was_left_keeps_nobody_awake() {
    let mut alone = Alone::sharing(100, 100);
    alone.service.message(alone.now, NEAR, Lane::Asks, &asks(&[Record::Request(vec![500])]).into());
    alone.service.message(alone.now, NEAR, Lane::Asks, &Bytes::from_static(&[4]));
    alone.drain();
    assert_eq!(alone.blamed.len(), 1);
    assert_eq!(alone.service.deadline(), None, "its answer is never sent, and a past deadline is never over");
}

/// Messages of every kind, as they are said.
fn samples() -> Vec<(Lane, Vec<u8>)> {
    let spans = vec![0..=4, 9..=9, 100..=300];
    let list = vec![0, 1, 5, 130, 299, MAX_INDEX];
    let records = [
        Record::Have(spans.clone()),
        Record::Gone(vec![9..=9, 120..=140]),
        Record::Want(spans),
        Record::Request(list.clone()),
        Record::Deny(list.clone()),
        Record::Cancel(list.clone()),
        Record::Got(list),
    ];
    let mut samples: Vec<_> = records.iter().map(|record| (Lane::Asks, asks(std::slice::from_ref(record)))).collect();
    samples.push((Lane::Asks, asks(&records)));
    samples.push((Lane::Objects, gives(120, &[1; 100])));
    samples.push((Lane::Objects, gives(0, &[])));
    samples
}

fn mutated(message: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut message = message.to_vec();
    for _ in 0..=rng.below(3) {
        let at = rng.below(message.len() as u64 + 1) as usize;
        match rng.below(6) {
            0 => message.truncate(at),
            1 => message.insert(at, rng.u64() as u8),
            2 => message.extend_from_within(..at),
            3 => message.splice(at..at, [0xff, 0xff, 0xff, 0x7f]).for_each(drop),
            _ => {
                if let Some(byte) = message.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
        }
    }
    message
}

/// `P2PT_LONG=1` mutates each kind 100,000 times.
#[test]
fn mutated_messages_of_every_kind_are_survived_within_all_limits() {
    let seed = std::env::var("P2PT_SEED").map_or(1, |text| text.parse().expect("a number"));
    let runs = if std::env::var_os("P2PT_LONG").is_some() { 100_000 } else { 2_000 };
    let samples = samples();
    for (kind, (lane, sample)) in samples.iter().enumerate() {
        let mut rng = Rng::for_simulation(seed + kind as u64);
        let mut alone = Alone::sharing(150, 200);
        let (mut left, mut heard) = (0, 0);
        for run in 0..runs {
            // Between them what is right, so that there is something to disturb.
            let (lane, message) = match rng.below(3) {
                0 => samples[rng.below(samples.len() as u64) as usize].clone(),
                _ => (*lane, mutated(sample, &mut rng)),
            };
            alone.service.message(alone.now, NEAR, lane, &Bytes::from(message.clone()));
            let tells = std::panic::AssertUnwindSafe(|| {
                alone.drain();
                alone.wait(Duration::from_millis(rng.below(300)));
                for (index, request) in std::mem::take(&mut alone.requests) {
                    match index % 3 {
                        0 => alone.service.deny_requested_object(alone.now, request),
                        _ => alone.service.write_requested_object(alone.now, request, vec![0; 500].into()).unwrap(),
                    }
                }
                for index in std::mem::take(&mut alone.results) {
                    alone.service.good(alone.now, index);
                    alone.service.add_want_objects(alone.now, index..index + 1).unwrap();
                }
                alone.drain();
                alone.said.clear();
            });
            let survived = std::panic::catch_unwind(tells).is_ok();
            assert!(survived, "P2PT_SEED={seed}, kind {kind}, run {run}: {message:02x?}");
            heard += 1;
            if !alone.blamed.is_empty() {
                alone.service.peer_down(alone.now, NEAR);
                assert_eq!(alone.service.pipe.flying, 0, "P2PT_SEED={seed}, kind {kind}, run {run}");
                alone.service.peer_up(alone.now, NEAR, Duration::from_millis(20));
                alone.blamed.clear();
                left += 1;
            }
        }
        println!("kind {kind}: {heard} heard, left {left} times");
        assert!(left < heard, "something is heard");
    }
}
