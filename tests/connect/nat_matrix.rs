//! Real NATs in network namespaces: who reaches whom through a rendezvous, how fast, and what the others are told; and
//! an address that changes in the middle of a pipe.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::lab::{Lab, Nat, SERVER, Site};
use crate::support::{binary, skip};

const KINDS: [Nat; 4] = [Nat::None, Nat::FullCone, Nat::PortRestricted, Nat::Symmetric];
/// What each pair pipes.
const PIPED: usize = 10 << 20;
/// How soon a pair that can connect does.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// A running `p2pt`, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn p2pt(lab: &Lab, namespace: &str, home: &Path) -> Command {
    let mut command = lab.command(namespace, binary().to_str().unwrap());
    std::fs::create_dir_all(home).unwrap();
    command.env("HOME", home).env("XDG_DATA_HOME", home.join("data")).env_remove("P2PT_RENDEZVOUS");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the one line of a ready file.
fn ready(file: &Path) -> String {
    let begun = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(file)
            && let Some(line) = text.strip_suffix('\n')
        {
            return line.to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} did not appear", file.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn rendezvous(lab: &Lab, home: &Path) -> (Running, String) {
    serve(lab, SERVER[0], &["--probe-from", &SERVER[1].to_string()], home)
}

/// A rendezvous at this address of the server.
fn serve(lab: &Lab, address: Ipv4Addr, more: &[&str], home: &Path) -> (Running, String) {
    let file = home.join(format!("{address}.ready"));
    let mut command = p2pt(lab, &lab.server(), &home.join(address.to_string()));
    command.args(["rendezvous", "--listen", &format!("{address}:1935")]).args(more).arg("--ready-file").arg(&file);
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    (running, ready(&file))
}

/// A listener that receives, and what it got.
struct Listener {
    running: Running,
    address: String,
    received: std::thread::JoinHandle<(usize, [u8; 32])>,
}

fn listen(lab: &Lab, site: &Site, rendezvous: &str, home: &Path) -> Listener {
    let file = home.join("listener.ready");
    let _ = std::fs::remove_file(&file);
    let mut command = p2pt(lab, &site.host, home);
    command.args(["connect", "--listen", "--allow-any", "--recv-only", "--ready-file"]).arg(&file).arg(rendezvous);
    let mut running = Running(command.stderr(Stdio::null()).spawn().unwrap());
    let mut output = running.0.stdout.take().unwrap();
    let received = std::thread::spawn(move || {
        let (mut hash, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
        while let Ok(read @ 1..) = output.read(&mut buffer) {
            hash.update(&buffer[..read]);
            length += read;
        }
        (length, hash.finalize().into())
    });
    let address = ready(&file);
    Listener { running, address, received }
}

/// A dialler, and the moment its `peer_up` event came.
fn dial(lab: &Lab, site: &Site, address: &str, home: &Path) -> (Running, mpsc::Receiver<String>) {
    let mut command = p2pt(lab, &site.host, home);
    command.args(["connect", "--json", address]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut running = Running(command.spawn().unwrap());
    let events = BufReader::new(running.0.stderr.take().unwrap());
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in events.lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    (running, receive)
}

/// The first event of this name, within `limit`.
fn wait_for(events: &mpsc::Receiver<String>, name: &str, limit: Duration) -> Option<String> {
    let until = Instant::now() + limit;
    let wanted = format!("\"event\":\"{name}\"");
    while let Ok(line) = events.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if line.contains(&wanted) {
            return Some(line);
        }
    }
    None
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    p2pt::base::Rng::for_simulation(7).fill(&mut bytes);
    bytes
}

fn skipped(test: &str) -> bool {
    let why = Lab::unavailable();
    if let Some(why) = &why {
        skip::skip(test, why);
    }
    why.is_some()
}

#[test]
fn thirteen_of_sixteen_pairs_of_real_nats_connect_and_the_other_three_are_told_why() {
    if skipped("nat_matrix") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut lab = Lab::new();
    let (_rendezvous, address) = rendezvous(&lab, home.path());
    let sites: Vec<[Site; 2]> = KINDS.iter().map(|&kind| [lab.site(kind), lab.site(kind)]).collect();
    let bytes = noise(PIPED);
    let hash: [u8; 32] = Sha256::digest(&bytes).into();
    let mut slow = Vec::new();
    for (near, [dialler, _]) in KINDS.iter().zip(&sites) {
        for (far, [_, listener]) in KINDS.iter().zip(&sites) {
            let pair = format!("{near:?} to {far:?}");
            let hopeless = matches!(
                (near, far),
                (Nat::Symmetric, Nat::Symmetric | Nat::PortRestricted) | (Nat::PortRestricted, Nat::Symmetric)
            );
            let listening = listen(&lab, listener, &address, &home.path().join(&listener.host));
            let begun = Instant::now();
            let (mut dialling, events) = dial(&lab, dialler, &listening.address, &home.path().join(&dialler.host));
            if hopeless {
                let error = wait_for(&events, "error", Duration::from_secs(28)).expect(&pair);
                assert!(error.contains("symmetric"), "{pair}: {error}");
                assert_eq!(dialling.0.wait().unwrap().code(), Some(4), "{pair}: {error}");
                continue;
            }
            let up = wait_for(&events, "peer_up", Duration::from_secs(10));
            assert!(up.is_some(), "{pair}: not connected");
            let took = begun.elapsed();
            if took > CONNECT_WITHIN {
                slow.push(format!("{pair}: {took:?}"));
            }
            dialling.0.stdin.take().unwrap().write_all(&bytes).unwrap();
            assert_eq!(dialling.0.wait().unwrap().code(), Some(0), "{pair}");
            let Listener { mut running, received, .. } = listening;
            assert_eq!(received.join().unwrap(), (PIPED, hash), "{pair}");
            assert_eq!(running.0.wait().unwrap().code(), Some(0), "{pair}");
        }
    }
    assert!(slow.is_empty(), "connected later than after {CONNECT_WITHIN:?}: {slow:?}");
}

#[test]
fn an_address_restricted_nat_is_no_hindrance() {
    if skipped("address_restricted") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut lab = Lab::new();
    let (_rendezvous, address) = rendezvous(&lab, home.path());
    let (dialler, listener) = (lab.site(Nat::Symmetric), lab.site(Nat::AddressRestricted));
    let listening = listen(&lab, &listener, &address, &home.path().join("listener"));
    let (mut dialling, events) = dial(&lab, &dialler, &listening.address, &home.path().join("dialler"));
    assert!(wait_for(&events, "peer_up", Duration::from_secs(10)).is_some());
    drop(dialling.0.stdin.take());
    assert_eq!(dialling.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_change_of_address_in_the_middle_of_a_pipe_loses_and_doubles_nothing() {
    if skipped("address_change") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut lab = Lab::new();
    let (_rendezvous, address) = rendezvous(&lab, home.path());
    let (dialler, listener) = (lab.site(Nat::None), lab.site(Nat::None));
    lab.shape(&dialler, "20mbit");
    let bytes = noise(PIPED);
    let listening = listen(&lab, &listener, &address, &home.path().join("listener"));
    let (mut dialling, events) = dial(&lab, &dialler, &listening.address, &home.path().join("dialler"));
    assert!(wait_for(&events, "peer_up", Duration::from_secs(10)).is_some());
    let mut input = dialling.0.stdin.take().unwrap();
    let sent = bytes.clone();
    let (tell, passed) = mpsc::channel();
    let writer = std::thread::spawn(move || {
        let (first, second) = sent.split_at(4 << 20);
        input.write_all(first).unwrap();
        let _ = tell.send(());
        input.write_all(second).unwrap();
    });
    // What was written first is at most a send buffer ahead of what has left: about 3 MiB are through.
    passed.recv_timeout(Duration::from_secs(30)).unwrap();
    let new = lab.move_host(&dialler);
    let moved = Instant::now();
    writer.join().unwrap();
    assert_eq!(dialling.0.wait().unwrap().code(), Some(0), "moved to {new}");
    assert!(moved.elapsed() < Duration::from_secs(15), "{:?} after the move", moved.elapsed());
    let Listener { mut running, received, .. } = listening;
    assert_eq!(received.join().unwrap(), (PIPED, Sha256::digest(&bytes).into()));
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn two_rendezvous_of_one_address_each_name_a_real_nat() {
    if skipped("check_by_two") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut lab = Lab::new();
    let services = SERVER.map(|address| serve(&lab, address, &[], home.path()));
    let expected = [
        (Nat::None, "endpoint-independent", "endpoint-independent"),
        (Nat::FullCone, "endpoint-independent", "endpoint-independent"),
        (Nat::AddressRestricted, "endpoint-independent", "address-dependent"),
        (Nat::PortRestricted, "endpoint-independent", "address and port-dependent"),
        (Nat::Symmetric, "address and port-dependent", "address and port-dependent"),
    ];
    let sites = expected.map(|(kind, ..)| lab.site(kind));
    for ((kind, mapping, filtering), site) in expected.iter().zip(&sites) {
        let mut command = p2pt(&lab, &site.host, &home.path().join(&site.host));
        command.args(["check", "--json"]).args(services.iter().map(|(_, address)| address));
        let ended = command.output().unwrap();
        let found = String::from_utf8(ended.stdout).unwrap();
        assert_eq!(found.lines().count(), 2, "{kind:?}: {found}{}", String::from_utf8_lossy(&ended.stderr));
        for line in found.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                (&event["nat_mapping"], &event["nat_filtering"]),
                (&(*mapping).into(), &(*filtering).into()),
                "{kind:?}: {line}"
            );
        }
    }
}
