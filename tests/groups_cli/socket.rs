//! The control socket: for this user's commands alone, and for nothing that is secret.

use crate::member::Club;
use crate::support::{Home, PATIENCE, Running, skip};
use p2pt::group::Groupspec;
use rustix::process::{Signal, Uid};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn spec(club: &Club) -> Groupspec {
    Groupspec::parse(fs::read_to_string(club.home.path().join("spec")).unwrap().trim()).unwrap()
}

/// Where a membership of this group listens: named by 16 bytes of the SHA-256 of the group ID.
fn path(home: &Home, club: &Club) -> PathBuf {
    let digest = Sha256::digest(spec(club).id().0);
    let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    home.path().join("p2pt").join(name)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Does something as another user, on a thread that is that user's.
fn as_nobody<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(move || {
        let nobody = Uid::from_raw(65_534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("root may");
        work()
    });
    thread.join().unwrap()
}

fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip::skip(test, "only root can be another user");
    }
    root
}

fn read(stream: &mut UnixStream) -> std::io::Result<Value> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut text = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn write(stream: &mut UnixStream, text: &str) {
    let frame = [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
    stream.write_all(&frame).unwrap();
}

/// Whether the other end hangs up without another word.
fn hangs_up(stream: &mut UnixStream) -> bool {
    matches!(read(stream), Err(error) if error.kind() == ErrorKind::UnexpectedEof || error.kind() == ErrorKind::ConnectionReset)
}

#[test]
fn a_foreign_user_is_hung_up_on() {
    if !is_root("a_foreign_user_is_hung_up_on") {
        return;
    }
    let club = Club::new(&[]);
    let member = club.join(&["--recv-only"]);
    let socket = path(&member.home, &club);
    let folder = socket.parent().unwrap().to_owned();
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&socket)), (0o700, 0o600));
    let there = socket.clone();
    let refused = as_nobody(move || UnixStream::connect(there).map(drop).map_err(|error| error.kind()));
    assert_eq!(refused, Err(ErrorKind::PermissionDenied));
    // Even where the permissions let it pass.
    for (path, mode) in [(member.home.path(), 0o711), (&folder, 0o711), (&socket, 0o666)] {
        chmod(path, mode);
    }
    let there = socket.clone();
    assert!(as_nobody(move || hangs_up(&mut UnixStream::connect(there).unwrap())));
    member.running.await_that("a word on it", |running| running.said().contains("another user\'s process"));
    // We ourselves are still heard.
    assert_eq!(read(&mut UnixStream::connect(&socket).unwrap()).unwrap()["p2pt"], "group");
}

#[test]
fn a_foreign_users_socket_is_not_spoken_to() {
    if !is_root("a_foreign_users_socket_is_not_spoken_to") {
        return;
    }
    let club = Club::new(&[]);
    let socket = path(&club.home, &club);
    let folder = socket.parent().unwrap().to_owned();
    fs::create_dir(&folder).unwrap();
    chmod(club.home.path(), 0o711);
    chmod(&folder, 0o777);
    let listener = as_nobody(move || UnixListener::bind(socket).unwrap());
    chmod(&folder, 0o700);
    let group = spec(&club).id().to_string();
    let taken = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Whatever it is greeted with.
        let hello = json!({ "p2pt": "group", "v": 1, "group": group, "author": "07".repeat(32) }).to_string();
        let _ = stream.write_all(&[&(hello.len() as u32).to_be_bytes()[..], hello.as_bytes()].concat());
        let mut heard = Vec::new();
        // Whoever is answered so may hang up hard; what it said before counts.
        let _ = stream.read_to_end(&mut heard);
        heard
    });
    let ended = club.run(&["post", "--timeout", "600ms", &club.address(), "secret"]);
    assert_eq!(ended.status, 12, "it looked for itself: {}", ended.stderr);
    assert_eq!(taken.join().unwrap(), b"", "not a word");
}

#[test]
fn nonsense_is_answered_or_hung_up_on_and_idlers_hinder_nobody() {
    let club = Club::new(&[]);
    let member = club.join(&["--recv-only"]);
    let socket = path(&member.home, &club);
    let greeted = || {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let hello = read(&mut stream).unwrap();
        assert_eq!((&hello["p2pt"], &hello["v"]), (&json!("group"), &json!(1)));
        stream
    };
    // No request: it is told so, and may go on.
    let mut stream = greeted();
    for text in ["{}", "[]", "{\"id\":7,\"do\":\"dance\"}", "{\"id\":8,\"do\":\"get\",\"timeout_ms\":1,\"key\":\"x\"}"]
    {
        write(&mut stream, text);
        assert_eq!(read(&mut stream).unwrap()["failed"]["status"], 2, "{text}");
    }
    write(&mut stream, "{\"id\":9,\"do\":\"members\",\"timeout_ms\":1000}");
    assert_eq!(read(&mut stream).unwrap()["id"], 9);
    // No JSON, too long, too deep: hung up on.
    for frame in
        [&b"\0\0\0\x01x"[..], b"\0\x04\0\x01", b"\xff\xff\xff\xff", &[b"\0\0\x02\0", &[b'['; 512][..]].concat()]
    {
        let mut stream = greeted();
        stream.write_all(frame).unwrap();
        assert!(hangs_up(&mut stream), "{:?}", &frame[..4]);
    }
    // Others' words are not taken for those of the one who signs.
    let author = "07".repeat(32);
    let mut stream = greeted();
    write(&mut stream, &json!({ "id": 1, "do": "route", "timeout_ms": 1000, "way": "next", "body": "00", "ack": false, "author": author }).to_string());
    assert_eq!(read(&mut stream).unwrap()["failed"]["status"], 10);
    write(&mut stream, &json!({ "id": 2, "do": "post", "timeout_ms": 1000, "signed": "00" }).to_string());
    assert_eq!(read(&mut stream).unwrap()["failed"]["status"], 10);
    // As many idlers as are served at once: who comes then does without.
    let idlers: Vec<UnixStream> = (0..70).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    let begun = Instant::now();
    let listed = member.run(&["group", "members", &club.address()]);
    assert_eq!((listed.status, listed.text().lines().count()), (0, 2), "it joined by itself: {}", listed.stderr);
    println!("beside {} idlers: {:?}", idlers.len(), begun.elapsed());
    drop(idlers);
    member.running.await_that("that it is served again", |_| {
        member.run(&["group", "members", &club.address()]).text().lines().count() == 1
    });
}

#[test]
fn a_posting_password_never_travels_and_neither_does_the_groupspec() {
    let club = Club::new(&["--posting-password"]);
    let file = club.home.path().join("spec.posting-password");
    let (password, spec) = (fs::read_to_string(&file).unwrap(), spec(&club));
    let socket = path(&club.home, &club);
    fs::create_dir(socket.parent().unwrap()).unwrap();
    chmod(socket.parent().unwrap(), 0o700);
    let listener = UnixListener::bind(&socket).unwrap();
    let group = spec.id().to_string();
    let peer = club.run(&["peer-id"]).text().trim().to_owned();
    let served = std::thread::spawn(move || {
        let mut heard = Vec::new();
        // One that takes everything, and one that says nothing.
        for answers in [true, true, false] {
            let (mut stream, _) = listener.accept().unwrap();
            if !answers {
                std::thread::sleep(Duration::from_secs(3));
                continue;
            }
            write(&mut stream, &json!({ "p2pt": "group", "v": 1, "group": group, "author": peer }).to_string());
            while let Ok(asked) = read(&mut stream) {
                let done = json!({ "accepted": 1, "copies": 1, "message_id": "00".repeat(32) });
                write(&mut stream, &json!({ "id": asked["id"], "done": done }).to_string());
                heard.push(asked);
            }
        }
        heard
    });
    let (address, password_file) = (club.address(), file.display().to_string());
    let posted = club.run(&["post", "--posting-password-file", &password_file, &address, "hello"]);
    assert_eq!(posted.status, 0, "{}", posted.stderr);
    let put = club.run(&["store", "put", "--posting-password-file", &password_file, &address, "key", "value"]);
    assert_eq!(put.status, 0, "{}", put.stderr);
    let line = ["post", "--timeout", "300ms", "--posting-password-file", &password_file, &address, "hello"];
    let alone = club.run(&line);
    assert_eq!(alone.status, 12, "what does not greet is done without: {}", alone.stderr);
    let heard = served.join().unwrap();
    assert_eq!(heard.iter().map(|asked| asked["do"].as_str().unwrap()).collect::<Vec<_>>(), ["post", "put"]);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let all = heard.iter().map(Value::to_string).collect::<String>();
    let signed = heard[0]["signed"].as_str().unwrap();
    assert!(signed.contains(&hex("hello")), "it is what was said");
    for secret in [password.trim(), &password.trim().replace('-', ""), spec.text(), &spec.text()[40..80]] {
        assert!(!all.contains(secret) && !all.contains(&hex(secret)), "{secret} travels");
    }
}

#[test]
fn a_second_membership_says_who_is_there_already() {
    let club = Club::new(&[]);
    let first = club.join(&["--recv-only"]);
    let second = Running::start(&mut first.home.p2pt(["group", "join", "--recv-only", &club.address()]));
    second.await_that("a word on it", |running| {
        running.said().contains("another p2pt group join of this group runs here")
    });
    second.await_that("a neighbour", |running| running.said().contains("connected"));
    // Commands go through the first one, and when it has ended through the second.
    assert_eq!(first.run(&["post", &club.address(), "through the first"]).status, 0);
    second.await_that("the post", |running| running.wrote().contains("through the first"));
    let home = first.home;
    first.running.signal(Signal::KILL);
    drop(first.running);
    second.await_that("that it serves", |_| {
        let listed = home.run(["group", "members", &club.address()]);
        let begun = listed.text().lines().next().unwrap_or_default().to_owned();
        !listed.stderr.contains("looking for") && begun.contains("this member")
    });
}
