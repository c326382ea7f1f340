//! Halves that part, and a rendezvous that dies.

use crate::acts::heard;
use crate::stage::{MS, S, Stage, Ways};
use p2pt::sim::Nat;

/// How soon halves have to be one again.
const HEAL_WITHIN: std::time::Duration = std::time::Duration::from_secs(30);

#[test]
fn halves_without_a_rendezvous_find_together_and_hear_what_they_missed() {
    for (seed, apart) in [(50, 60 * S), (51, 200 * S)] {
        let mut stage = Stage::new(seed);
        let server = stage.add_server();
        let members = stage.crowd(8, &Ways::registered());
        stage.wait_mesh(3 * S);
        stage.world.remove_host(server);
        stage.world.run_for(20 * S);
        let part = |stage: &mut Stage, island| {
            members.iter().skip(1).step_by(2).for_each(|&host| stage.world.set_island(host, island));
        };
        part(&mut stage, 1);
        let mut posts = Vec::new();
        for number in 0..20 {
            stage.world.run_for(apart / 20);
            let (author, post) = (members[number % 8], format!("post {number}"));
            stage.post(author, &post);
            posts.push((author, post));
        }
        let across = members.iter().map(|&host| heard(&stage.world, host).len());
        assert!(across.clone().all(|count| count < posts.len() / 2 + 1), "{:?}", across.collect::<Vec<_>>());
        part(&mut stage, 0);
        let mended = stage.world.now();
        stage.wait_mesh(HEAL_WITHIN);
        let took = stage.world.now() - mended;
        stage.wait_posts(&posts, &members, HEAL_WITHIN - took);
        println!("a mesh after {took:?}, all posts after {:?}", stage.world.now() - mended);
    }
}

#[test]
fn a_group_outlives_its_rendezvous_and_a_newcomer_hears_it_all() {
    let mut stage = Stage::new(52);
    let server = stage.add_server();
    let open = stage.join(&Ways::registered());
    stage.crowd(3, &Ways { nat: Some(Nat::PORT_RESTRICTED), ..Ways::registered() });
    stage.wait_mesh(3 * S);
    stage.world.remove_host(server);
    // At once, while members notice, and long after they have.
    let members = stage.members.clone();
    let mut posts = Vec::new();
    for number in 0..12 {
        let (author, post) = (members[number % members.len()], format!("post {number}"));
        stage.post(author, &post);
        posts.push((author, post));
        stage.wait_posts(&posts, &members, 500 * MS);
        stage.world.run_for(5 * S);
    }
    let bootstrap = vec![(stage.id(open), stage.at(open))];
    let newcomer = stage.join(&Ways { nat: Some(Nat::PORT_RESTRICTED), bootstrap, ..Ways::default() });
    stage.wait_mesh(10 * S);
    // The past within the retention, and the present in both directions.
    for author in [newcomer, members[2]] {
        let post = format!("post {}", posts.len());
        stage.post(author, &post);
        posts.push((author, post));
    }
    let members = stage.members.clone();
    stage.wait_posts(&posts, &members, 10 * S);
}

#[test]
fn who_was_cut_off_alone_comes_back_and_misses_nothing() {
    let mut stage = Stage::new(53);
    stage.add_server();
    let members = stage.crowd(5, &Ways::registered());
    stage.wait_mesh(3 * S);
    let mut posts = Vec::new();
    let lonely = members[4];
    for (number, away) in [5 * S, 40 * S, 120 * S].into_iter().enumerate() {
        stage.world.set_island(lonely, 1);
        stage.world.run_for(away / 2);
        for author in [members[number], lonely] {
            let post = format!("post {number} of {author:?}");
            stage.post(author, &post);
            posts.push((author, post));
        }
        stage.world.run_for(away / 2);
        stage.world.set_island(lonely, 0);
        let begun = stage.world.now();
        stage.wait_posts(&posts, &members, HEAL_WITHIN);
        println!("back after {away:?}: all posts after {:?}", stage.world.now() - begun);
        stage.wait_mesh(HEAL_WITHIN);
        stage.world.run_for(10 * S);
    }
}
