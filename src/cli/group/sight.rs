//! What is seen of a group from here, as `members` and `info` tell it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::node::Member;

/// Rates are means over so long.
const OVER: Duration = Duration::from_secs(5);

/// Names of the rates, as in NetGroupInfo (flash-groups section 7.4); storage is ours.
const NAMES: [&str; 8] = [
    "posting_send_data",
    "posting_receive_data",
    "posting_send_control",
    "posting_receive_control",
    "routing_send",
    "routing_receive",
    "storage_send",
    "storage_receive",
];

/// Bytes so far, in the order of the names.
pub(super) fn totals(member: &Member) -> [u64; 8] {
    let (posting, routing, storage) = (member.posting().stats(), member.routing().stats(), member.storage().stats());
    [
        posting.data.0,
        posting.data.1,
        posting.control.0,
        posting.control.1,
        routing.bytes.0,
        routing.bytes.1,
        storage.bytes.0,
        storage.bytes.1,
    ]
}

/// Bytes per second.
#[derive(Default)]
pub(super) struct Meter(VecDeque<(Instant, [u64; 8])>);

impl Meter {
    pub(super) fn new() -> Self {
        Self(VecDeque::from([(Instant::now(), [0; 8])]))
    }

    pub(super) fn add(&mut self, at: Instant, totals: [u64; 8]) {
        self.0.push_back((at, totals));
        // The oldest is the last one that is outside of the span.
        while self.0.get(1).is_some_and(|(second, _)| at.duration_since(*second) >= OVER) {
            self.0.pop_front();
        }
    }

    pub(super) fn rates(&self) -> [f64; 8] {
        let (Some((from, first)), Some((to, last))) = (self.0.front(), self.0.back()) else { return [0.0; 8] };
        let seconds = to.duration_since(*from).as_secs_f64();
        std::array::from_fn(
            |at| if seconds > 0.0 { (last[at].saturating_sub(first[at])) as f64 / seconds } else { 0.0 },
        )
    }
}

/// All members that are known, ourselves first, then around the ring.
pub(super) fn members(member: &Member) -> Value {
    let view = member.view();
    let mut all =
        vec![json!({ "peer_id": view.me().to_string(), "address": view.address().to_string(), "self": true })];
    all.extend(view.members().map(|(address, peer)| {
        let neighbour = view.neighbour(peer);
        let mut told = json!({
            "peer_id": peer.to_string(), "address": address.to_string(), "self": false, "neighbor": neighbour.is_some(),
        });
        if let Some(rtt) = neighbour.map(|neighbour| neighbour.rtt).filter(|rtt| !rtt.is_zero()) {
            told["rtt_ms"] = (rtt.as_secs_f64() * 1e3).into();
        }
        told
    }));
    json!({ "members": all })
}

/// The group in numbers.
pub(super) fn info(member: &Member, rates: &[f64; 8]) -> Value {
    let (view, membership) = (member.view(), member.membership());
    let (neighbours, known) = (view.neighbours().len(), view.members().len());
    let mut told = json!({
        "group_id": member.group().to_string(),
        "peer_id": view.me().to_string(),
        "address": view.address().to_string(),
        "estimated_member_count": membership.estimated_members().round(),
        "known_members": known + 1,
        "neighbor_count": neighbours,
        "wanted_neighbors": membership.target_neighbours(),
        "full_mesh": known > 0 && neighbours == known,
    });
    if let Some((from, to)) = view.coverage() {
        told["local_coverage_from"] = from.to_string().into();
        told["local_coverage_to"] = to.to_string().into();
        let part = to.clockwise_from(from).top64() as f64 / u64::MAX as f64;
        told["local_coverage"] = part.into();
    }
    let stats = member.posting().stats();
    told["posts_received"] = stats.received.into();
    told["posts_duplicate"] = stats.duplicates.into();
    told["values_held"] = member.storage().stats().held.0.into();
    for (name, rate) in NAMES.iter().zip(rates) {
        told[format!("{name}_bytes_per_second")] = rate.round().into();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_means_over_the_last_seconds() {
        let begun = Instant::now();
        let mut meter = Meter(VecDeque::from([(begun, [0; 8])]));
        assert_eq!(meter.rates(), [0.0; 8]);
        for second in 1..=20 {
            meter.add(begun + Duration::from_secs(second), [if second <= 10 { 100 * second } else { 1000 }; 8]);
        }
        assert_eq!(meter.rates(), [0.0; 8]);
        meter.add(begun + Duration::from_secs(21), [1050; 8]);
        assert!((meter.rates()[0] - 10.0).abs() < 1e-9, "{:?}", meter.rates());
        assert!(meter.0.len() <= 7);
    }
}
