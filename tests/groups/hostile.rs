//! A third of the members cheat, on the wire.

use crate::acts::LIFE;
use crate::cheat::{Cheat, Kind};
use crate::stage::{MS, S, Stage, Ways};
use p2pt::sim::HostId;

/// Runs, with the cheats at work each tenth of a second.
fn go(stage: &mut Stage, cheats: &mut [Cheat], tenths: u32) {
    for _ in 0..tenths {
        stage.world.run_for(100 * MS);
        cheats.iter_mut().for_each(|cheat| cheat.turn(stage));
    }
}

#[test]
fn posts_and_values_arrive_and_forgeries_do_not_though_a_third_cheat() {
    let mut stage = Stage::new(60);
    stage.add_server();
    let honest = stage.crowd(12, &Ways::registered());
    stage.world.run_for(3 * S);
    let mut cheats: Vec<Cheat> = Kind::ALL.into_iter().map(|kind| Cheat::new(&mut stage, kind, &honest)).collect();
    go(&mut stage, &mut cheats, 20);
    for cheat in &cheats {
        let id = stage.id(cheat.host);
        let deceived =
            |host: &&HostId| stage.world.host(**host).view().is_some_and(|view| view.neighbour(id).is_some());
        let deceived = honest.iter().filter(deceived).count();
        assert!(deceived > 6 || cheat.said > 100, "hardly anybody took it for a neighbour");
    }
    let mut posts = Vec::new();
    for number in 0..40 {
        let (author, post) = (honest[number * 5 % 12], format!("post {number}"));
        stage.post(author, &post);
        posts.push((author, post));
        go(&mut stage, &mut cheats, 2);
    }
    go(&mut stage, &mut cheats, 50);
    stage.wait_posts(&posts, &honest, 10 * S);
    assert!(stage.put(honest[3], "key", Some("value"), LIFE) >= 2);
    go(&mut stage, &mut cheats, 20);
    for records in stage.get(&honest, "key") {
        assert!(records.len() == 1 && records[0].value.as_deref() == Some(b"value"), "{records:?}");
    }
    let ids: Vec<_> = cheats.iter().map(|cheat| stage.id(cheat.host)).collect();
    let blamed = stage.blamed(&honest);
    println!("{} blamed; said {:?}", blamed.len(), cheats.iter().map(|cheat| cheat.said).collect::<Vec<_>>());
    assert!(blamed.iter().all(|(_, peer, _)| ids.contains(peer)), "an honest member was called a cheat: {blamed:?}");
    assert!(cheats.iter().skip(2).all(|cheat| cheat.said > 100), "they did what they could");
}
