//! The scripts in `examples/`, as they stand there.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

#[path = "../groups_cli/member.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod member;
#[path = "../support/mod.rs"]
mod support;

use member::Club;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Home, PATIENCE, Running, binary, root};

/// A script, run by somebody with this home who has p2pt on the path.
fn script(name: &str, home: &Home, words: &[&str]) -> Command {
    let mut command = Command::new(root().join("examples").join(name));
    command.args(words).current_dir(home.path());
    home.clean(&mut command);
    let beside = binary().parent().map(Path::to_path_buf).expect("it is in a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(beside).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command
}

#[test]
fn scripts_tell_their_usage_and_shells_read_them() {
    let home = Home::new();
    let mut count = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let read = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(read.status.success(), "{name}: {}", String::from_utf8_lossy(&read.stderr));
        let ended = Running::start(&mut script(&name, &home, &[])).end(PATIENCE);
        assert_eq!(ended.status, 2, "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(&format!("usage: {name}")), "{}", ended.stderr);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.lines().count() <= 120, "{name} is not read at once");
        count += 1;
    }
    assert!(count >= 4, "{count} scripts");
}

#[test]
fn messenger_shows_who_says_what_and_who_comes_and_goes() {
    let club = Club::new(&[]);
    let (ada, bob) = (Home::new(), Home::new());
    let mut here = Running::start(script("messenger", &ada, &["Ada", &club.address()]).stdin(Stdio::piped()));
    let mut input = here.child.stdin.take().unwrap();
    let mut there = Running::start(script("messenger", &bob, &["Bob", &club.address()]).stdin(Stdio::piped()));
    let mut other = there.child.stdin.take().unwrap();
    here.await_that("Bob is here", |running| running.wrote().contains("* is here"));
    writeln!(other, "hello\nhow are you?").unwrap();
    here.await_that("what Bob said", |running| running.wrote().contains("how are you?"));
    writeln!(input, "well").unwrap();
    there.await_that("what Ada said", |running| running.wrote().contains("well"));
    drop(other);
    let ended = there.end(PATIENCE);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    here.await_that("Bob has left", |running| running.wrote().contains("* has left"));
    assert!(here.wrote().contains("hello"), "{}", here.wrote());
    drop(input);
    let ended = here.end(PATIENCE);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
}

#[test]
fn messenger_on_the_library_is_short_and_speaks_with_the_other() {
    let source = fs::read_to_string(root().join("examples/messenger.rs")).unwrap();
    assert!(source.lines().count() <= 80, "it is to be read at once");
    let club = Club::new(&[]);
    let mut member = club.join(&["--nick", "Ada"]);
    let spec = fs::read_to_string(club.home.path().join("spec")).unwrap();
    // Built with all tests, but not with this test program alone.
    let program = binary().parent().unwrap().join("examples/messenger");
    if !program.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "-q", "--example", "messenger"]).current_dir(root());
        assert!(build.status().expect("cargo is there").success());
    }
    let home = Home::new();
    let mut command = Command::new(program);
    home.clean(command.args(["Bob", spec.trim()]));
    let mut running = Running::start(command.stdin(Stdio::piped()));
    let mut input = running.child.stdin.take().unwrap();
    running.await_that("somebody", |running| running.wrote().contains("* somebody is here"));
    member.post("hello");
    running.await_that("the post", |running| running.wrote().contains("Ada (") && running.wrote().contains("): hello"));
    writeln!(input, "hello Ada").unwrap();
    member.running.await_that("the answer", |running| running.wrote().contains("hello Ada"));
    drop(input);
    let ended = running.end(PATIENCE);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
}

#[test]
fn cron_notify_tells_of_failures_alone_and_ends_as_the_command_did() {
    let club = Club::new(&[]);
    let member = club.join(&["--recv-only"]);
    let home = Home::new();
    let run = |words: &[&str]| {
        let group = club.address();
        Running::start(&mut script("cron-notify", &home, &[&[group.as_str()], words].concat())).end(PATIENCE)
    };
    let fine = run(&["echo", "all is well"]);
    assert_eq!((fine.status, fine.text().as_str()), (0, "all is well\n"), "{}", fine.stderr);
    let failed = run(&["sh", "-c", "echo disk full >&2; exit 4"]);
    assert_eq!((failed.status, failed.text().as_str()), (4, "disk full\n"), "{}", failed.stderr);
    member.running.await_that("the failure", |running| running.wrote().contains("failed with exit status 4"));
    assert!(member.running.wrote().contains("disk full") && !member.running.wrote().contains("well"));
}

#[test]
fn ring_passes_a_message_once_around() {
    let club = Club::new(&[]);
    let homes = [Home::new(), Home::new(), Home::new()];
    let members: Vec<Running> = ["Ada", "Bob"]
        .iter()
        .zip(&homes)
        .map(|(name, home)| Running::start(&mut script("ring", home, &[name, &club.address()])))
        .collect();
    members
        .iter()
        .for_each(|member| member.await_that("in the ring", |running| running.said().contains("in the ring")));
    members[0].await_that("they know each other", |_| {
        let told = homes[0].run(["group", "info", "--json", &club.address()]);
        serde_json::from_slice(&told.stdout).is_ok_and(|info: serde_json::Value| info["neighbor_count"] == 1)
    });
    let ended = Running::start(&mut script("ring", &homes[2], &["Eve", &club.address(), "hello"])).end(PATIENCE);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let way = ended.text();
    assert!(way.starts_with("hello: Eve, ") && way.ends_with(", Eve\n"), "{way}");
    assert!(way.contains("Ada") && way.contains("Bob"), "{way}");
}

#[test]
fn swarm_brings_a_folder_to_every_host() {
    let home = Home::new();
    let folder = home.path().join("photos");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("one"), vec![1; 300_000]).unwrap();
    fs::write(folder.join("two"), b"two").unwrap();
    // In place of ssh: the command in a folder of the host's name, or nothing where there is none.
    let ssh = home.path().join("not-ssh");
    fs::write(&ssh, "#!/bin/sh\ncd \"$HOME/$1\" && shift && exec sh -c \"$*\"\n").unwrap();
    let mut executable = fs::metadata(&ssh).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut executable, 0o755);
    fs::set_permissions(&ssh, executable).unwrap();
    let hosts = ["alpha", "beta", "gamma"];
    hosts.iter().for_each(|host| fs::create_dir(home.path().join(host)).unwrap());
    let run = |hosts: &[&str]| {
        let folder = folder.to_str().unwrap();
        let mut command = script("swarm", &home, &[&[folder], hosts].concat());
        Running::start(command.env("SSH", &ssh)).end(3 * PATIENCE)
    };
    let ended = run(&hosts);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    for host in hosts {
        assert!(ended.text().contains(&format!("{host} has it")), "{}", ended.text());
        assert_eq!(fs::read(home.path().join(host).join("photos/one")).unwrap(), vec![1; 300_000]);
        assert_eq!(fs::read(home.path().join(host).join("photos/two")).unwrap(), b"two");
    }
    let ended = run(&["nowhere"]);
    assert_eq!(ended.status, 1, "{}", ended.text());
    assert!(ended.stderr.contains("nowhere does not have it"), "{}", ended.stderr);
}
