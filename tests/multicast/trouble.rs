//! What goes wrong, and what a script is told of it.

use crate::channel::{Channel, Publisher, began, count, ended, last, long, pause, sample};
use crate::support::{Home, PATIENCE, Running};
use p2pt::node::multicast::media::Format;
use rustix::process::Signal;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn where_nobody_is_or_nobody_publishes_it_it_is_not_found() {
    let channel = Channel::new(&[]);
    let alone = channel.home.run(["multicast", "play", "--timeout", "1s", &channel.address(), "film"]);
    assert_eq!((alone.status, alone.stdout.len()), (12, 0), "{}", alone.stderr);
    let mut publisher = channel.publish(&[]);
    publisher.write(&sample("a.ts"));
    let other = channel.home.run(["multicast", "play", "--timeout", "3s", &channel.address(), "other"]);
    assert_eq!(other.status, 12, "{}", other.stderr);
    assert!(other.stderr.contains("there are \"film\""), "{}", other.stderr);
    publisher.finish();
}

#[test]
fn what_makes_no_sense_is_said() {
    let (silent, channel, home) = (Channel::new(&["--posting"]), Channel::new(&[]), Home::new());
    for (line, says) in [
        (&["multicast", "play", &silent.address(), "film"][..], "has no multicast"),
        (&["multicast", "play", &channel.address()], "which stream?"),
        (&["multicast", "publish", "--realtime", "--format", "raw", &channel.address(), "film"], "no clock"),
        (&["multicast", "publish", "--publish-password-file", "-", &channel.address(), "film"], "cannot carry"),
        (&["multicast", "publish", "--flash-timing", "--latency", "1s", &channel.address(), "film"], "cannot be used"),
    ] {
        let wrong = home.run(line);
        assert_eq!(wrong.status, 2, "{line:?}: {}", wrong.stderr);
        assert!(wrong.stderr.contains(says), "{line:?}: {}", wrong.stderr);
    }
    let channel = Channel::new(&[]);
    let mut publisher = channel.publish(&["--format", "flv"]);
    publisher.write(b"this is no Flash video, however long one looks at it");
    let broken = ended(publisher.running);
    assert_eq!(broken.status, 1, "{}", broken.stderr);
    assert!(broken.stderr.contains("not Flash video"), "{}", broken.stderr);
}

#[test]
fn publishing_may_need_a_password() {
    let home = Home::new();
    let password = home.path().join("password");
    fs::write(&password, "correct horse battery staple\n").unwrap();
    let channel = Channel::new(&["--publish-password-file", password.to_str().unwrap()]);
    let wrong = home.path().join("wrong");
    fs::write(&wrong, "incorrect\n").unwrap();
    let refused = home.run(["multicast", "publish", &channel.address(), "film"]);
    assert_eq!(refused.status, 10, "{}", refused.stderr);
    assert!(refused.stderr.contains("--publish-password-file"), "{}", refused.stderr);
    let option = ["--publish-password-file", wrong.to_str().unwrap()];
    let refused = home.run([&["multicast", "publish"], &option[..], &[&channel.address(), "film"]].concat());
    assert_eq!(refused.status, 10, "{}", refused.stderr);
    assert!(!refused.stderr.contains("correct"), "{}", refused.stderr);
    let player = channel.play(&[]);
    let mut publisher = channel.publish(&["--publish-password-file", password.to_str().unwrap()]);
    publisher.await_neighbours(1);
    let stream = sample("av.ts");
    publisher.write(&stream);
    publisher.finish();
    assert!(player.finish().stdout == stream);
}

#[test]
fn a_publisher_that_vanishes_is_missed_and_one_that_comes_back_is_played() {
    let (channel, stream) = (Channel::new(&[]), sample("av.ts"));
    let short = channel.play(&["--timeout", "3s"]);
    let patient = channel.play(&["--keep-open"]);
    let mut publisher = channel.publish(&["--latency", "300ms"]);
    publisher.await_neighbours(2);
    publisher.write(&stream[..23_124]);
    let played = |running: &Running| running.wrote_bytes() >= 13_000;
    short.running.await_that("some of it", played);
    patient.running.await_that("some of it", played);
    publisher.running.signal(Signal::KILL);
    let home = publisher.home;
    ended(publisher.running);
    let vanished = ended(short.running);
    assert_eq!(vanished.status, 3, "{}", vanished.stderr);
    assert!(stream.starts_with(&vanished.stdout), "{} bytes", vanished.stdout.len());
    // It is started anew, and taken for the same publisher's when the first one has been silent for a while.
    let before = patient.running.wrote_bytes();
    let mut publisher = Publisher::start(home, &channel, &["--latency", "300ms"]);
    publisher.await_neighbours(1);
    publisher.write(&stream);
    let resets = |running: &Running| count(&running.said(), "NetStream.MulticastStream.Reset");
    patient.running.await_that("the second stream", |running| resets(running) == 2);
    let of_second = |running: &Running| running.wrote_bytes() > before;
    patient.running.await_that("some of it", of_second);
    publisher.finish();
    // In good order, the next one is played at once, and from its beginning.
    patient.running.await_that("the end", |running| running.said().contains("waiting for the next"));
    let between = patient.running.wrote_bytes();
    let mut publisher = channel.publish(&["--latency", "300ms"]);
    publisher.await_neighbours(1);
    publisher.write(&stream);
    publisher.finish();
    patient.running.await_that("all of it", |running| running.wrote_bytes() >= between + stream.len());
    patient.running.signal(Signal::TERM);
    let played = ended(patient.running);
    assert_eq!(played.status, 143, "{}", played.stderr);
    let second = began(&played.stdout[before..between], &stream, Format::MpegTs);
    assert!(second.is_some(), "{} bytes", between - before);
    assert!(played.stdout[between..] == stream);
}

#[test]
fn of_two_publishers_of_one_name_one_is_played_at_a_time() {
    let channel = Channel::new(&[]);
    let (first, second) = (sample("av.ts"), sample("hevc.ts"));
    let mut ada = channel.publish(&[]);
    let mut bob = channel.publish(&[]);
    bob.await_neighbours(1);
    let of_bob = channel.play(&["--publisher", &bob.id()]);
    let any = channel.play(&[]);
    for publisher in [&ada, &bob] {
        publisher.await_neighbours(3);
    }
    ada.write(&first);
    any.await_stream();
    bob.write(&second);
    of_bob.await_stream();
    let (ada_id, bob_id) = (ada.id(), bob.id());
    let heard = last(&any.running.said(), "NetStream.MulticastStream.Reset").expect("it plays");
    assert_eq!(heard["publisher"], ada_id.as_str());
    let heard = last(&of_bob.running.said(), "NetStream.MulticastStream.Reset").expect("it plays");
    assert_eq!(heard["publisher"], bob_id.as_str());
    ada.finish();
    bob.finish();
    assert!(any.finish().stdout == first);
    assert!(of_bob.finish().stdout == second);
}

#[test]
fn a_publisher_that_is_told_to_leave_ends_its_stream() {
    let (channel, stream) = (Channel::new(&[]), sample("av.ts"));
    let player = channel.play(&["--latency", "300ms"]);
    let mut publisher = channel.publish(&[]);
    publisher.await_neighbours(1);
    publisher.write(&stream);
    player.running.await_that("some of it", |running| running.wrote_bytes() > 0);
    publisher.running.signal(Signal::INT);
    assert_eq!(ended(publisher.running).status, 130);
    let played = player.finish();
    assert!(stream.starts_with(&played.stdout) && played.stdout.len() + 188 * 20 > stream.len());
}

#[test]
fn a_source_that_stands_still_is_waited_for() {
    let (channel, stream) = (Channel::new(&[]), sample("av.ts"));
    let (stall, patience) = if long() { (30, "20s") } else { (6, "4s") };
    let player = channel.play(&["--timeout", patience, "--latency", "500ms"]);
    let mut publisher = channel.publish(&[]);
    publisher.await_neighbours(1);
    publisher.write(&stream[..20_000]);
    player.running.await_that("what came first", |running| running.wrote_bytes() >= 19_900);
    pause(Duration::from_secs(stall));
    publisher.write(&stream[20_000..]);
    publisher.finish();
    assert!(player.finish().stdout == stream);
}

/// Writes so much, as an even source does.
fn feed(publisher: &mut Publisher, bytes: usize, rate: usize) -> Vec<u8> {
    const PIECE: usize = 64 << 10;
    let begun = Instant::now();
    let mut all = Vec::with_capacity(bytes + PIECE);
    while all.len() < bytes {
        let at = all.len();
        all.extend((at..at + PIECE).map(|n| ((n / 7) ^ (n >> 11)) as u8));
        publisher.write(&all[at..]);
        let due = begun + Duration::from_secs_f64(all.len() as f64 / rate as f64);
        pause(due.saturating_duration_since(Instant::now()));
    }
    all
}

#[test]
fn a_player_that_is_not_read_keeps_nobody_waiting_and_says_what_it_left_out() {
    let channel = Channel::new(&[]);
    let home = Home::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let address = channel.address();
    let mut line = home.p2pt(["multicast", "play", "--json", "--latency", "500ms", &address, "film"]);
    let stalled = Running::start(line.stdout(Stdio::from(writer)));
    drop(line);
    let other = channel.play(&["--latency", "500ms"]);
    let mut publisher = channel.publish(&["--format", "raw"]);
    publisher.await_neighbours(2);
    let stream = feed(&mut publisher, 22 << 20, 3 << 20);
    stalled.await_that("the loss", |running| count(&running.said(), "lost") > 0);
    publisher.finish();
    assert!(other.finish().stdout == stream, "the other has it all");
    // The reader comes back, and gets what was kept.
    let rest = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()).unwrap());
    let stalled = stalled.end(2 * PATIENCE);
    assert_eq!(stalled.status, 0, "{}", stalled.stderr);
    let played = last(&stalled.stderr, "played").expect("it was told");
    assert!(played["unread"].as_u64() > Some(0) && played["lost"] == 0, "{played}");
    let (kept, told) = (rest.join().unwrap(), played["bytes"].as_u64().expect("a number"));
    assert!(kept == told && kept > 8 << 20, "{kept} bytes, {told} told");
}

#[test]
fn players_that_are_killed_are_not_missed() {
    let channel = Channel::new(&[]);
    let mut players = channel.players(6, &["--latency", "1s"]);
    let mut publisher = channel.publish(&["--format", "raw"]);
    publisher.await_neighbours(6);
    let mut stream = feed(&mut publisher, 400 << 10, 200 << 10);
    for victim in players.drain(..3) {
        victim.running.signal(Signal::KILL);
    }
    let rest = feed(&mut publisher, 600 << 10, 200 << 10);
    stream.extend(rest);
    publisher.finish();
    for player in players {
        let played = player.finish();
        assert!(played.stdout == stream, "{} of {} bytes", played.stdout.len(), stream.len());
    }
}
