//! How soon posts arrive in small groups.

use crate::acts::heard;
use crate::stage::{MS, S, Stage, Ways};
use p2pt::node::posting::PostError;

#[test]
fn in_twos_and_threes_no_post_waits_for_a_heartbeat() {
    for (seed, count) in [(20, 2), (21, 3), (22, 4)] {
        let mut stage = Stage::new(seed);
        stage.add_server();
        let members = stage.crowd(count, &Ways::registered());
        stage.wait_mesh(3 * S);
        // Two links of 10 ms are one way: 40 ms there and back.
        let round_trip = 40 * MS;
        for number in 0..30 {
            // Posts alone and far apart, so that nothing that follows carries them along.
            stage.world.run_for(S + 137 * number as u32 * MS);
            let author = members[number % count];
            let (begun, post) = (stage.world.now(), format!("post {number}"));
            stage.post(author, &post);
            stage.world.run_for(S);
            for &other in members.iter().filter(|other| **other != author) {
                let arrivals: Vec<_> =
                    heard(&stage.world, other).into_iter().filter(|(_, body)| *body == post).collect();
                assert_eq!(arrivals.len(), 1, "{post} in a group of {count}");
                let took = arrivals[0].0 - begun;
                assert!(took <= round_trip, "{post} after {took:?} in a group of {count}");
            }
        }
    }
}

#[test]
fn a_burst_of_the_longest_posts_arrives_in_order() {
    let mut stage = Stage::new(23);
    stage.add_server();
    let members = stage.crowd(4, &Ways::registered());
    stage.wait_mesh(3 * S);
    let posts: Vec<String> = (0..20).map(|number| format!("{number:04} {}", "x".repeat(60_000))).collect();
    for post in &posts {
        // As fast as the service takes them.
        while let Err(why) = stage.act(members[0], |member, now| member.post(now, None, post.clone().into())) {
            assert_eq!(why, PostError::Full);
            stage.world.run_for(5 * MS);
        }
    }
    let made: Vec<_> = posts.iter().map(|post| (members[0], post.clone())).collect();
    stage.wait_posts(&made, &members, 20 * S);
    for &other in &members[1..] {
        let got: Vec<String> = heard(&stage.world, other).into_iter().map(|(_, body)| body).collect();
        assert!(got == posts, "out of order");
    }
}
