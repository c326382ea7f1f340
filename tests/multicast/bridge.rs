//! Streams by IP multicast, on one bridge between namespaces: most comes that way, and what it loses comes from neighbours.

use std::fs;
use std::io::Write as _;
use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

use crate::channel::{Channel, LONG, last, long};
use crate::lab::{Lab, Nat, Site};
use crate::support::{Home, Running, binary, skip};
use serde_json::Value;

/// Where the group's streams go.
const AIR: &str = "239.255.77.1:30077";
const PLAYERS: usize = 4;
/// Bytes of the stream in each tenth of a second: 2 Mbit/s.
const TENTH: usize = 25_000;

struct Resident {
    home: Home,
    running: Running,
}

fn start(lab: &Lab, site: &Site, words: &[&str]) -> (Resident, ChildStdin) {
    let home = Home::new();
    let ready = home.path().join("ready");
    let mut command = lab.command(&site.host, binary().to_str().unwrap());
    home.clean(command.args(words).args(["--json", "--ready-file"]).arg(&ready));
    let mut running = Running::start(command.stdin(Stdio::piped()));
    let input = running.child.stdin.take().expect("it is piped");
    running.await_that("ready", |_| ready.exists());
    (Resident { home, running }, input)
}

/// What is played, of a stream that the first site publishes, while others of a hundred datagrams to its address are lost.
fn play(lost: u32) -> Vec<Value> {
    let mut lab = Lab::new();
    let sites: Vec<Site> = (0..=PLAYERS).map(|_| lab.site(Nat::None)).collect();
    let channel = Channel::new(&["--ip-multicast", AIR]);
    let address = fs::read_to_string(channel.home.path().join("group")).unwrap();
    sites[1..].iter().for_each(|site| lab.lose(site, AIR, lost));
    let (publisher, mut input) =
        start(&lab, &sites[0], &["multicast", "publish", "--latency", "1s", "--format", "raw", &address, "film"]);
    let players: Vec<Resident> = sites[1..]
        .iter()
        .map(|site| start(&lab, site, &["multicast", "play", "--latency", "1s", &address, "film"]).0)
        .collect();
    let met = |running: &Running| running.said().matches("NetGroup.Neighbor.Connect").count() >= PLAYERS;
    publisher.running.await_that("all are met", met);
    let tenths = if long() { 600 } else { 80 };
    let mut published = Vec::new();
    let begun = Instant::now();
    for tenth in 0..tenths {
        let piece: Vec<u8> = (0..TENTH).map(|at| (at * 7 + tenth * 31 + at / 251) as u8).collect();
        input.write_all(&piece).unwrap();
        published.extend(piece);
        let next = begun + Duration::from_millis(100) * (tenth as u32 + 1);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    drop(input);
    let ended = publisher.running.end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let mut figures = Vec::new();
    for player in players {
        let ended = player.running.end(LONG);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        assert!(published.ends_with(&ended.stdout), "not what was published");
        assert!(ended.stdout.len() + 10 * TENTH >= published.len(), "{} of {}", ended.stdout.len(), published.len());
        let info = last(&ended.stderr, "multicast_info").expect("figures");
        assert_eq!(info["lost"], 0, "{info}");
        figures.push(info);
        drop(player.home);
    }
    drop(publisher.home);
    figures
}

/// The share of the bytes that came by IP multicast.
fn by_air(info: &Value) -> f64 {
    let bytes = |name: &str| info[name].as_f64().expect("a number");
    let air = bytes("bytesReceivedFromIPMulticast");
    air / (air + bytes("bytesPushedFromPeers") + bytes("bytesRequestedFromPeers"))
}

#[test]
fn nearly_all_of_a_stream_comes_by_ip_multicast() {
    if let Some(why) = Lab::unavailable() {
        return skip::skip("a stream by IP multicast", &why);
    }
    for info in play(0) {
        assert!(by_air(&info) >= 0.95, "{info}");
    }
}

#[test]
fn what_ip_multicast_loses_comes_from_neighbours() {
    if let Some(why) = Lab::unavailable() {
        return skip::skip("fusion", &why);
    }
    for info in play(5) {
        assert!((0.85..0.99).contains(&by_air(&info)), "{info}");
        assert!(info["fragmentsRequestedFromPeers"].as_u64() > Some(10), "{info}");
    }
}
