//! Pipes between two processes through a third, on loopback.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::support::{Ended, Home, PATIENCE, Running};

/// How long a peer may be silent until a pipe gives up, and a little more.
const SILENCE: Duration = Duration::from_secs(60);

/// A rendezvous and the homes of two users.
struct Scene {
    listener: Home,
    dialler: Home,

    _service: Home,
    rendezvous: Running,
    address: String,
}

impl Scene {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(more: &[&str]) -> Self {
        let service = Home::new();
        let file = service.path().join("ready");
        let mut command = service.p2pt(["rendezvous", "--listen", "127.0.0.1:0", "--ready-file"]);
        let rendezvous = Running::start(command.arg(&file).args(more));
        let address = ready(&file);
        Self { listener: Home::new(), dialler: Home::new(), _service: service, rendezvous, address }
    }

    /// A listener, and the address that it prints.
    fn listen(&self, args: &[&str], stdin: impl Into<Stdio>) -> (Running, String) {
        let file = self.listener.path().join("ready");
        let _ = std::fs::remove_file(&file);
        let mut command = self.listener.p2pt(["connect", "--listen", "--ready-file"]);
        command.arg(&file).args(args).arg(&self.address).stdin(stdin);
        let running = Running::start(&mut command);
        (running, ready(&file))
    }

    fn dialler(&self, args: &[&str], address: &str) -> Command {
        let mut command = self.dialler.p2pt(["connect"]);
        command.args(args).arg(address);
        command
    }

    fn dial(&self, args: &[&str], address: &str, stdin: impl Into<Stdio>) -> Running {
        Running::start(self.dialler(args, address).stdin(stdin))
    }

    fn id_of(&self, home: &Home) -> String {
        home.run(["peer-id"]).text().trim().to_owned()
    }
}

fn ready(file: &PathBuf) -> String {
    let begun = Instant::now();
    loop {
        match std::fs::read_to_string(file) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(begun.elapsed() < PATIENCE, "{} did not appear", file.display()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    p2pt::base::Rng::for_simulation(seed).fill(&mut bytes);
    bytes
}

/// A file of noise to read from.
fn input(home: &Home, bytes: &[u8]) -> std::fs::File {
    let path = home.path().join("input");
    std::fs::write(&path, bytes).unwrap();
    std::fs::File::open(path).unwrap()
}

fn done(ended: &Ended) {
    assert_eq!(ended.status, 0, "{}", ended.stderr);
}

/// 1 GiB under `P2PT_LONG=1`.
fn size() -> usize {
    if std::env::var_os("P2PT_LONG").is_some() { 1 << 30 } else { 32 << 20 }
}

#[test]
fn bytes_arrive_whole_in_both_directions_at_once() {
    let scene = Scene::new();
    let (up, down) = (noise(size(), 1), noise(4 << 20, 2));
    let (listener, address) = scene.listen(&["--allow-any"], input(&scene.listener, &down));
    let dialler = scene.dial(&[], &address, input(&scene.dialler, &up));
    let (dialler, listener) = (dialler.end(PATIENCE * 6), listener.end(PATIENCE));
    done(&dialler);
    done(&listener);
    assert_eq!(Sha256::digest(&listener.stdout), Sha256::digest(&up));
    assert_eq!(Sha256::digest(&dialler.stdout), Sha256::digest(&down));
}

#[test]
fn either_side_may_end_first_and_empty_input_is_fine() {
    let scene = Scene::new();
    let cases: [(&[u8], &[u8]); 4] = [(b"", b""), (b"only up\n", b""), (b"", b"only down\n"), (b"up\n", b"down\n")];
    for (up, down) in cases {
        let (listener, address) = scene.listen(&["--allow-any"], input(&scene.listener, down));
        let dialler = scene.dial(&[], &address, input(&scene.dialler, up));
        let (dialler, listener) = (dialler.end(PATIENCE), listener.end(PATIENCE));
        done(&dialler);
        done(&listener);
        assert_eq!((listener.stdout.as_slice(), dialler.stdout.as_slice()), (up, down));
    }
}

#[test]
fn the_half_that_is_still_open_goes_on_after_the_other_has_ended() {
    let scene = Scene::new();
    let (listener, address) = scene.listen(&["--allow-any", "--exec", "cat > /dev/null; echo all read"], Stdio::null());
    let dialler = scene.dial(&[], &address, input(&scene.dialler, &noise(1 << 20, 3))).end(PATIENCE);
    done(&dialler);
    assert_eq!(dialler.stdout, b"all read\n");
    done(&listener.end(PATIENCE));
}

#[test]
fn a_reader_that_leaves_ends_both_sides_with_141_and_no_word() {
    let scene = Scene::new();
    let file = scene.listener.path().join("ready");
    let mut command = scene.listener.p2pt(["connect", "--listen", "--allow-any", "--quiet", "--ready-file"]);
    command.arg(&file).arg(&scene.address).stdin(Stdio::piped());
    let mut listener = command.spawn().unwrap();
    let address = ready(&file);
    let dialler =
        Running::start(scene.dialler(&["--quiet"], &address).stdin(std::fs::File::open("/dev/zero").unwrap()));
    let mut ten = [0; 10];
    let mut output = listener.stdout.take().unwrap();
    output.read_exact(&mut ten).unwrap();
    drop(output);
    let dialler = dialler.end(PATIENCE);
    assert_eq!((dialler.status, dialler.stderr.as_str()), (141, ""));
    let listener = listener.wait_with_output().unwrap();
    assert_eq!((listener.status.code(), listener.stderr.as_slice()), (Some(141), &b""[..]));
}

#[test]
fn a_peer_that_is_killed_is_missed_with_status_3_and_what_had_arrived() {
    let scene = Scene::new();
    let (listener, address) = scene.listen(&["--allow-any"], Stdio::null());
    let mut dialler = scene.dialler(&[], &address);
    let mut dialler = Running::start(dialler.stdin(Stdio::piped()));
    dialler.child.stdin.as_mut().unwrap().write_all(&[7; 1 << 16]).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    listener.signal(rustix::process::Signal::KILL);
    drop(listener);
    let kept = dialler.child.stdin.take();
    let ended = dialler.end(SILENCE);
    drop(kept);
    assert_eq!(ended.status, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("had been acknowledged") && ended.stderr.contains("64"), "{}", ended.stderr);
}

#[test]
fn an_interrupted_side_tells_the_other_at_once_and_never_lets_it_believe_in_success() {
    for dialler_is_interrupted in [true, false] {
        let scene = Scene::new();
        let (listener, address) = scene.listen(&["--allow-any"], std::fs::File::open("/dev/zero").unwrap());
        let mut dialler = scene.dialler(&[], &address);
        // Its own half ends at once; what comes from the other side never does.
        let dialler = Running::start(dialler.stdin(Stdio::null()));
        std::thread::sleep(Duration::from_secs(1));
        let (hit, other) = if dialler_is_interrupted { (dialler, listener) } else { (listener, dialler) };
        hit.signal(rustix::process::Signal::TERM);
        assert_eq!(hit.end(PATIENCE).status, 143);
        let other = other.end(Duration::from_secs(5));
        assert_eq!(other.status, 1, "{}", other.stderr);
        assert!(other.stderr.contains("broke off") || other.stderr.contains("interrupted"), "{}", other.stderr);
    }
}

#[test]
fn a_pipe_does_not_notice_that_its_rendezvous_dies() {
    let scene = Scene::new();
    let bytes = noise(8 << 20, 5);
    let (listener, address) = scene.listen(&["--allow-any"], Stdio::null());
    let mut dialler = scene.dialler(&[], &address);
    let mut dialler = Running::start(dialler.stdin(Stdio::piped()));
    let mut stdin = dialler.child.stdin.take().unwrap();
    stdin.write_all(&bytes[..4 << 20]).unwrap();
    scene.rendezvous.signal(rustix::process::Signal::KILL);
    stdin.write_all(&bytes[4 << 20..]).unwrap();
    drop(stdin);
    done(&dialler.end(PATIENCE));
    let listener = listener.end(PATIENCE);
    done(&listener);
    assert_eq!(Sha256::digest(&listener.stdout), Sha256::digest(&bytes));
}

#[test]
fn only_who_is_listed_comes_in_and_others_are_told_so_with_status_10() {
    let scene = Scene::new();
    let (friend, stranger) = (scene.id_of(&scene.dialler), Home::new());
    let (listener, address) = scene.listen(&["--allow", &friend], Stdio::null());
    let mut command = stranger.p2pt(["connect", &address]);
    let refused = Running::start(command.stdin(input(&stranger, b"let me in\n"))).end(PATIENCE);
    assert_eq!(refused.status, 10, "{}", refused.stderr);
    assert!(refused.stderr.contains("--allow"), "{}", refused.stderr);
    done(&scene.dial(&[], &address, input(&scene.dialler, b"hello\n")).end(PATIENCE));
    let listener = listener.end(PATIENCE);
    done(&listener);
    assert_eq!(listener.stdout, b"hello\n");
}

#[test]
fn what_cannot_be_reached_is_named_by_its_status() {
    let scene = Scene::new();
    let nobody = "5".repeat(64);
    let unknown = scene.dial(&[], &format!("{}#{nobody}", scene.address), Stdio::null()).end(PATIENCE);
    assert_eq!(unknown.status, 12, "{}", unknown.stderr);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("rtmfp://{}#{nobody}", silent.local_addr().unwrap());
    let unreachable = scene.dial(&[], &nowhere, Stdio::null()).end(PATIENCE);
    assert_eq!(unreachable.status, 8, "{}", unreachable.stderr);
    let own = scene.id_of(&scene.dialler);
    let itself = scene.dial(&[], &format!("{}#{own}", scene.address), Stdio::null()).end(PATIENCE);
    assert_eq!(itself.status, 2, "{}", itself.stderr);
}

#[test]
fn a_wrong_or_missing_developer_key_is_refused_with_its_reason() {
    let keys = Home::new();
    let file = keys.path().join("keys");
    std::fs::write(&file, "# ours\nright\n").unwrap();
    let scene = Scene::with(&["--developer-keys", file.to_str().unwrap()]);
    let (host, id) = scene.address.split_once("?id=").unwrap();
    for (address, words) in [
        (scene.address.clone(), "none was given"),
        (format!("{host}/wrong?id={id}"), "does not know the developer key"),
    ] {
        let ended = scene.listener.run(["connect", "--listen", "--allow-any", &address]);
        assert_eq!(ended.status, 8, "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let wrong_id = format!("{host}/right?id={}", "6".repeat(64));
    let ended = scene.listener.run(["connect", "--listen", "--allow-any", &wrong_id]);
    assert_eq!(ended.status, 5, "{}", ended.stderr);
}

#[test]
fn tcp_connections_are_joined_through_the_peer_many_at_once() {
    let scene = Scene::new();
    let echo = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = echo.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in echo.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let (mut read, mut write) = (stream.try_clone().unwrap(), stream);
                let _ = std::io::copy(&mut read, &mut write);
                let _ = write.shutdown(std::net::Shutdown::Write);
            });
        }
    });
    let (_listener, address) = scene.listen(&["--allow-any", "--keep-open", "--to-tcp", &target], Stdio::null());
    let file = scene.dialler.path().join("ready");
    let mut command = scene.dialler(&["--from-tcp", "127.0.0.1:0", "--ready-file", file.to_str().unwrap()], &address);
    let _dialler = Running::start(&mut command);
    let local = ready(&file);
    let clients: Vec<_> = (0..8u64)
        .map(|seed| {
            let local = local.clone();
            std::thread::spawn(move || {
                let bytes = noise(300_000, seed);
                let mut stream = TcpStream::connect(local).unwrap();
                let mut back = stream.try_clone().unwrap();
                let reader = std::thread::spawn(move || {
                    let mut all = Vec::new();
                    back.read_to_end(&mut all).unwrap();
                    all
                });
                stream.write_all(&bytes).unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                assert!(reader.join().unwrap() == bytes, "client {seed}");
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn datagrams_go_there_and_back() {
    let scene = Scene::new();
    let echo = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = echo.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut buffer = [0; 2000];
        while let Ok((length, from)) = echo.recv_from(&mut buffer) {
            let _ = echo.send_to(&buffer[..length], from);
        }
    });
    let (_listener, address) = scene.listen(&["--allow-any", "--to-udp", &target], Stdio::null());
    let file = scene.dialler.path().join("ready");
    let mut command = scene.dialler(&["--from-udp", "127.0.0.1:0", "--ready-file", file.to_str().unwrap()], &address);
    let _dialler = Running::start(&mut command);
    let local = ready(&file);
    for client in 0..3u8 {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(&local).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        for number in 0..20u8 {
            let datagram = vec![client * 20 + number; 1 + usize::from(number) * 60];
            socket.send(&datagram).unwrap();
            let mut buffer = [0; 2000];
            let length = socket.recv(&mut buffer).unwrap();
            assert_eq!(buffer[..length], datagram);
        }
    }
}

#[test]
fn messages_keep_their_bounds_in_every_framing() {
    let scene = Scene::new();
    let cases: [(&str, &[u8]); 3] =
        [("line", b"one\n\nthree\n"), ("nul", b"a\nb\0c\0"), ("u32", b"\0\0\0\x02hi\0\0\0\0\0\0\0\x01!")];
    for (form, bytes) in cases {
        let args = ["--messages", form];
        let (listener, address) = scene.listen(&["--allow-any", "--messages", form], Stdio::null());
        done(&scene.dial(&args, &address, input(&scene.dialler, bytes)).end(PATIENCE));
        let listener = listener.end(PATIENCE);
        done(&listener);
        assert_eq!(listener.stdout, bytes, "{form}");
    }
    let (_listener, address) = scene.listen(&["--allow-any", "--messages", "line"], Stdio::null());
    let other = scene.dial(&[], &address, input(&scene.dialler, b"bytes")).end(PATIENCE);
    assert_eq!(other.status, 10, "{}", other.stderr);
    assert!(other.stderr.contains("--messages"), "{}", other.stderr);
}

#[test]
fn without_a_server_peers_on_one_machine_find_each_other() {
    let (here, there) = (Home::new(), Home::new());
    let file = here.path().join("ready");
    let mut command = here.p2pt(["connect", "--listen", "--allow-any", "--ready-file"]);
    let listener = Running::start(command.arg(&file).arg("rtmfp:"));
    let address = ready(&file);
    let mut command = there.p2pt(["connect", &address]);
    let begun = Instant::now();
    done(&Running::start(command.stdin(input(&there, b"hello\n"))).end(PATIENCE));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let listener = listener.end(PATIENCE);
    done(&listener);
    assert_eq!(listener.stdout, b"hello\n");
}

#[test]
fn the_first_word_comes_within_a_tenth_of_a_second() {
    let home = Home::new();
    let mut command = home.p2pt(["connect", &format!("rtmfp:#{}", "7".repeat(64))]);
    home.run(["peer-id"]);
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut first = [0; 1];
    child.stderr.take().unwrap().read_exact(&mut first).unwrap();
    let took = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(took < Duration::from_millis(100), "{took:?}");
}
