//! A file among members that cheat in the ways they know on every lane.

use crate::{is_long, replicate};
use p2pt::sim::scenario::Hostility;

/// `P2PT_LONG=1` runs each kind alone, too.
#[test]
fn a_fifth_who_cheat_delay_it_and_change_nothing() {
    let mut stories = vec![Hostility::ALL.to_vec()];
    if is_long() {
        stories.extend(Hostility::ALL.map(|kind| vec![kind]));
    }
    for kinds in stories {
        let replicated = replicate(|scenario| {
            (scenario.members, scenario.hostile) = (21, 0.2);
            scenario.hostility.clone_from(&kinds);
        });
        println!("{kinds:?}: {:?}, {:.2} copies", replicated.ratio(), replicated.seeded);
        assert!(replicated.ratio().is_some_and(|ratio| ratio < 3.5), "{kinds:?}: {replicated:?}");
        assert!(replicated.seeded < 3.0, "{kinds:?}: {replicated:?}");
    }
}
