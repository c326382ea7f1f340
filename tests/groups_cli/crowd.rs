//! Many members and many posts.

use crate::member::{Club, Member, mesh};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Each member but the poster prints each post exactly once.
fn check(members: &[Member], posts: &BTreeMap<String, usize>) {
    for (at, member) in members.iter().enumerate() {
        let expected = posts.values().filter(|poster| **poster != at).count();
        member.await_lines(expected);
    }
    // Whatever came twice would come now.
    std::thread::sleep(Duration::from_millis(300));
    for (at, member) in members.iter().enumerate() {
        let mut printed = member.printed();
        printed.sort();
        let mut expected: Vec<&String> =
            posts.iter().filter(|(_, poster)| **poster != at).map(|(post, _)| post).collect();
        expected.sort();
        assert!(
            printed.iter().eq(expected.iter().copied()),
            "member {at}: {} lines, {} expected",
            printed.len(),
            expected.len()
        );
    }
}

#[test]
fn twenty_members_print_each_others_posts_exactly_once() {
    let count = if std::env::var_os("P2PT_LONG").is_some() { 1_000 } else { 200 };
    let club = Club::new(&[]);
    let mut members = mesh(&club, 20, &[]);
    let mut posts = BTreeMap::new();
    for number in 0..count {
        let poster = number * 7 % members.len();
        let post = format!("post {number} of member {poster}");
        members[poster].post(&post);
        posts.insert(post, poster);
    }
    check(&members, &posts);
}

/// The median time that a call takes, of 21.
fn median(mut call: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            let begun = Instant::now();
            call();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[10]
}

#[test]
fn a_post_from_a_script_through_the_socket_takes_milliseconds() {
    let club = Club::new(&[]);
    let members = mesh(&club, 3, &[]);
    let mut count = 0;
    // Beside other tests everything takes longer: then a post may take what starting a process takes, so many times over.
    let quick = (0..10).any(|_| {
        let start = median(|| assert_eq!(members[0].run(&["--version"]).status, 0));
        let post = median(|| {
            count += 1;
            let ended = members[0].run(&["post", &club.address(), &format!("number {count}")]);
            assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
        });
        println!("post through the socket: {post:?} at the median; the start of a process: {start:?}");
        post < Duration::from_millis(20) || post < start * 5
    });
    assert!(quick);
    let expected: Vec<String> = (1..=count).map(|number| format!("number {number}")).collect();
    members[1..].iter().for_each(|member| member.await_lines(count));
    members[1..].iter().for_each(|member| assert_eq!(member.printed(), expected));
    assert!(members[0].printed().is_empty(), "one's own");
}

#[test]
fn a_post_alone_joins_posts_and_leaves_within_two_seconds() {
    let club = Club::new(&[]);
    let members = mesh(&club, 3, &[]);
    // The quickest of a few, since the machine may be busy with other tests.
    let times: Vec<Duration> = (0..3)
        .map(|number| {
            let ended = club.run(&["post", &club.address(), &format!("from outside {number}")]);
            assert_eq!(ended.status, 0, "{}", ended.stderr);
            ended.took
        })
        .collect();
    println!("post alone: {times:?}");
    assert!(times.iter().min().unwrap() < &Duration::from_secs(2), "{times:?}");
    members.iter().for_each(|member| member.await_lines(3));
}

#[test]
fn members_that_are_killed_are_missed_by_nobody() {
    let club = Club::new(&[]);
    let mut members = mesh(&club, 6, &[]);
    for round in 0..2 {
        let killed = members.remove(1);
        killed.running.signal(Signal::KILL);
        // The socket that it left behind is no hindrance to its next of kin.
        let ended = killed.running.end(crate::support::PATIENCE);
        assert_eq!(ended.status, 137);
        let again = Member::start(killed.home, &club, &[]);
        again.await_neighbours(&club, 1);
        assert_eq!(again.run(&["post", &club.address(), &format!("back in round {round}")]).status, 0);
        members[0].post(&format!("after the death of round {round}"));
        for member in &members {
            let came = |text: String| {
                member.running.await_that("a post after a death", |running| running.wrote().contains(&text))
            };
            came(format!("back in round {round}"));
        }
        members[1..].iter().for_each(|member| {
            member.running.await_that("a post", |running| running.wrote().contains(&format!("death of round {round}")));
        });
        members.push(again);
    }
    for member in &members {
        let mut printed = member.printed();
        let count = printed.len();
        printed.sort();
        printed.dedup();
        assert_eq!(printed.len(), count, "nothing came twice");
    }
}
