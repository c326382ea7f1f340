//! One to many: a real source, and what it costs its publisher.

use crate::channel::{Channel, LONG, Player, ended, last, long, pause};
use crate::support::{Home, Running, skip};
use rustix::process::Signal;
use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A test picture in which frames are numbered, and a tone, as they would come from a camera.
fn source(seconds: u64) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"]);
    command.args(["-re", "-f", "lavfi", "-i", "sine=frequency=440", "-t", &seconds.to_string()]);
    command.args(["-c:v", "mpeg2video", "-b:v", "500k", "-g", "25", "-c:a", "mp2", "-b:a", "64k"]);
    command.args(["-flush_packets", "1", "-f", "mpegts", "-"]).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// What a decoder makes of a stream: the hash of every frame of video, and of sound; and what it complains of.
fn decoded(home: &Home, name: &str, stream: &[u8]) -> (Vec<String>, Vec<String>, String) {
    let file = home.path().join(name);
    fs::write(&file, stream).unwrap();
    let frames = |of: &str| {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-i"]).arg(&file).args(["-map", of, "-f", "framemd5", "-"]).stdin(Stdio::null());
        let told = command.output().unwrap();
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let hash = |line: &str| line.rsplit(',').next().expect("a line").trim().to_owned();
        let frames = text.lines().filter(|line| !line.starts_with('#')).map(hash).collect::<Vec<_>>();
        (frames, String::from_utf8_lossy(&told.stderr).into_owned())
    };
    let (video, said) = frames("0:v");
    (video, frames("0:a").0, said)
}

#[test]
fn what_a_real_source_shows_is_seen_by_ten_whoever_comes_and_goes() {
    const TEST: &str = "what_a_real_source_shows_is_seen_by_ten_whoever_comes_and_goes";
    if !skip::has("ffmpeg", TEST) {
        return;
    }
    let seconds = if long() { 300 } else { 15 };
    let (channel, home) = (Channel::new(&[]), Home::new());
    let mut players = channel.players(10, &[]);
    // Eleven processes and a source share what cores there are with whatever runs beside: nothing is late for that.
    let mut publisher = channel.publish(&["--latency", "5s"]);
    publisher.await_neighbours(10);
    let mut ffmpeg = source(seconds).spawn().unwrap();
    let (mut output, mut input) = (ffmpeg.stdout.take().unwrap(), publisher.take_input());
    let tee = std::thread::spawn(move || {
        let (mut all, mut piece) = (Vec::new(), [0; 1 << 16]);
        while let Ok(length @ 1..) = output.read(&mut piece) {
            all.extend_from_slice(&piece[..length]);
            input.write_all(&piece[..length]).unwrap();
        }
        all
    });
    let begun = Instant::now();
    let at = |part: u64| pause(Duration::from_secs(seconds * part / 10).saturating_sub(begun.elapsed()));
    let victims: Vec<Player> = players.drain(8..).collect();
    for (part, victim) in [3, 5].into_iter().zip(victims) {
        at(part);
        victim.running.signal(Signal::KILL);
        ended(victim.running);
        players.push(channel.play(&[]));
    }
    let stream = tee.join().unwrap();
    assert!(ffmpeg.wait().unwrap().success());
    publisher.finish();
    let (video, sound, said) = decoded(&home, "source.ts", &stream);
    assert!(said.is_empty() && video.len() as u64 == 25 * seconds, "{} frames; {said}", video.len());
    let played: Vec<Vec<u8>> = players.into_iter().map(|player| player.finish().stdout).collect();
    for stayed in &played[..8] {
        assert!(*stayed == stream, "{} of {} bytes", stayed.len(), stream.len());
    }
    assert!(decoded(&home, "first.ts", &played[0]) == (video.clone(), sound.clone(), String::new()));
    for (number, late) in played[8..].iter().enumerate() {
        let (seen, heard, said) = decoded(&home, "late.ts", late);
        println!("late player {number}: {} of {} frames", seen.len(), video.len());
        assert!(said.is_empty(), "it begins with what a decoder needs: {said}");
        assert!(!seen.is_empty() && video.ends_with(&seen), "no gap from where it began");
        // What a decoder makes of sound depends on what it heard before.
        assert!(heard.len() > seen.len(), "{} pieces of sound", heard.len());
    }
}

/// So much does the publisher send for each byte that it publishes, to so many players.
fn upload(players: usize, rate: usize, span: Duration) -> f64 {
    const PIECE: usize = 2_000;
    let channel = Channel::new(&[]);
    let all = channel.players(players, &["--latency", "2s"]);
    let mut publisher = channel.publish(&["--format", "raw"]);
    // The first nine or so of them, in a large group; the others are met through these.
    publisher.await_neighbours(players.min(8));
    let begun = Instant::now();
    let mut written = 0_u32;
    while begun.elapsed() < span {
        publisher.write(&[written as u8; PIECE]);
        written += 1;
        let due = begun + Duration::from_secs_f64(f64::from(written) * PIECE as f64 / rate as f64);
        pause(due.saturating_duration_since(Instant::now()));
    }
    let told = publisher.finish();
    let info = last(&told.stderr, "multicast_info").expect("it was told");
    let number = |name: &str| info[name].as_f64().expect("a number");
    for player in all {
        let status = player.running.end(LONG).status;
        assert_eq!(status, 0);
    }
    let sent = number("bytesPushedToPeers") + number("bytesRequestedByPeers");
    sent / (f64::from(written) * PIECE as f64)
}

#[test]
fn a_publisher_sends_the_same_however_many_play() {
    const LIMIT: f64 = 4.0;
    let (rate, span) = (40_000, Duration::from_secs(if long() { 60 } else { 8 }));
    let [three, ten, thirty] = [3, 10, 30].map(|players| upload(players, rate, span));
    println!("for each byte published: {three:.2} to 3 players, {ten:.2} to 10, {thirty:.2} to 30");
    assert!(three < 3.3, "one for each");
    assert!(ten < 1.1 * LIMIT && thirty < 1.1 * LIMIT);
    assert!((thirty / ten - 1.0).abs() < 0.1, "{ten:.2} to 10, {thirty:.2} to 30");
}

/// As `| head -c`: whoever has enough ends the player, without a word.
#[test]
fn a_reader_that_has_enough_ends_the_player() {
    let channel = Channel::new(&[]);
    let home = Home::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let address = channel.address();
    let mut line = home.p2pt(["multicast", "play", "--quiet", "--latency", "100ms", &address, "film"]);
    let player = Running::start(line.stdout(Stdio::from(writer)));
    drop(line);
    let mut publisher = channel.publish(&["--format", "raw"]);
    publisher.await_neighbours(1);
    publisher.write(&[7; 1000]);
    let mut first = [0; 10];
    reader.read_exact(&mut first).unwrap();
    drop(reader);
    publisher.write(&[8; 1000]);
    let ended = player.end(LONG);
    assert_eq!((ended.status, ended.stderr.as_str()), (141, ""));
    publisher.finish();
}
