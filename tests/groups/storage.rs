//! Stored values on sessions: members come and go, versions follow each other.

use crate::acts::{LIFE, long};
use crate::stage::{S, Stage, Ways};
use p2pt::node::storage::Record;

fn values(records: &[Record]) -> Vec<&[u8]> {
    records.iter().filter_map(|record| record.value.as_deref()).collect()
}

#[test]
fn everybody_finds_each_value_while_a_third_leaves_without_farewell() {
    let count = if long() { 60 } else { 24 };
    let mut stage = Stage::new(40);
    stage.add_server();
    let members = stage.crowd(count, &Ways::registered());
    stage.world.run_for(10 * S);
    for number in 0..6 {
        let copies =
            stage.put(members[number * 4 + 1], &format!("key {number}"), Some(&format!("value {number}")), LIFE);
        assert!(copies >= 5, "key {number}: {copies} copies");
    }
    // Every third member, the authors of some values among them.
    for dead in members.iter().step_by(3) {
        stage.kill(*dead);
        stage.world.run_for(2 * S);
        // Whoever asks at once meets holders that are gone.
        let asker = stage.members[stage.members.len() / 2];
        let found = stage.get(&[asker], "key 3");
        assert_eq!(values(&found[0]), [b"value 3"], "{} members are left", stage.members.len());
    }
    let rest = stage.members.clone();
    assert_eq!(rest.len(), count - count.div_ceil(3));
    for number in 0..6 {
        for (asker, records) in rest.iter().zip(stage.get(&rest, &format!("key {number}"))) {
            assert_eq!(values(&records), [format!("value {number}").as_bytes()], "key {number} by {asker:?}");
        }
    }
}

#[test]
fn what_is_superseded_withdrawn_or_over_is_not_found_and_nobody_takes_anothers_place() {
    let mut stage = Stage::new(41);
    stage.add_server();
    let members = stage.crowd(12, &Ways::registered());
    stage.world.run_for(10 * S);
    let (author, other) = (members[2], members[7]);
    stage.put(author, "news", Some("old"), LIFE);
    stage.put(author, "news", Some("new"), LIFE);
    stage.put(author, "short", Some("soon over"), 30 * S);
    stage.put(author, "gone", Some("taken back"), LIFE);
    stage.put(author, "gone", None, LIFE);
    // Another's value under the same key stands beside it.
    stage.put(other, "news", Some("from another"), LIFE);
    for records in stage.get(&members, "news") {
        let mut found = values(&records);
        found.sort_unstable();
        assert_eq!(found, [&b"from another"[..], b"new"]);
        let [one, two] = &records[..] else { panic!("{records:?}") };
        assert_ne!(one.author, two.author);
    }
    assert!(stage.get(&members, "short").iter().all(|records| values(records) == [b"soon over"]));
    assert!(stage.get(&members, "gone").iter().all(Vec::is_empty));
    // Whoever comes later finds the same, from members that hold it.
    let newcomer = stage.join(&Ways::registered());
    stage.world.run_for(30 * S);
    let askers: Vec<_> = members.iter().copied().chain([newcomer]).collect();
    assert!(stage.get(&askers, "short").iter().all(Vec::is_empty), "it is over");
    assert!(stage.get(&askers, "news").iter().all(|records| records.len() == 2));
    assert!(stage.get(&askers, "gone").iter().all(Vec::is_empty));
}
