//! Members that go, disks that are full, readers that are slow, files that are large.

use crate::support::schema::Schema;
use crate::support::{Home, Running, binary, skip};
use crate::swarm::{LONG, Seed, bytes, fetch, long, made};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The most that a process has had in memory, in bytes; `None` if the system does not say.
fn most_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[test]
fn a_fetch_whose_members_have_gone_says_so_and_waits_for_others() {
    let (source, content) = (Home::new(), bytes(4_000_000, 11));
    let film = made(&source, "film", &content);
    let seed = Seed::start(&[], &[&film]);
    let address = seed.address();
    let group = address.split("/b3=").next().unwrap().to_owned();
    let home = Home::new();
    let state = home.path().join(".film.p2pt-state");
    let begun = |_: &Running| fs::metadata(&state).is_ok_and(|about| about.len() > 3_000);
    let fetcher = fetch(&home, &["--down", "8Mbit/s"], &address);
    fetcher.await_that("some pieces", begun);
    seed.running.signal(Signal::TERM);
    assert_eq!(seed.running.end(LONG).status, 143);
    fetcher.await_that("what has happened", |running| running.said().contains("all members have gone; looking for"));
    // The same file in the same group, by somebody else.
    let seed = Seed::start(&["--group", &group], &[&film]);
    fetcher.await_that("what has happened", |running| running.said().contains("a member is there again"));
    let ended = fetcher.end(LONG);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(fs::read(home.path().join("film")).unwrap() == content);
    // Nobody comes again, this time.
    let home = Home::new();
    let state = home.path().join(".film.p2pt-state");
    let mut command = home.p2pt(["replicate-file", "fetch", "--down", "8Mbit/s", "--timeout", "1500ms", &address]);
    let fetcher = Running::start(command.current_dir(home.path()));
    fetcher.await_that("some pieces", |_| fs::metadata(&state).is_ok_and(|about| about.len() > 3_000));
    seed.running.signal(Signal::TERM);
    let ended = fetcher.end(LONG);
    assert_eq!(ended.status, 7, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("all members have gone, and none was found again within 1s 500ms"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("no member was found"), "members were found: {}", ended.stderr);
}

#[test]
fn limits_are_kept_within_five_per_cent() {
    let (source, content) = (Home::new(), bytes(9_000_000, 12));
    let film = made(&source, "film", &content);
    // Two swarms at once: in one who shares is limited, in the other who fetches.
    let rate = 2_000_000.0;
    let seeds = [Seed::start(&["--up", "16Mbit/s"], &[&film]), Seed::start(&[], &[&film])];
    let homes = [Home::new(), Home::new()];
    let up = fetch(&homes[0], &["--json"], &seeds[0].address());
    let down = fetch(&homes[1], &["--json", "--down", "16Mbit/s"], &seeds[1].address());
    for fetcher in [up, down] {
        let ended = fetcher.end(LONG);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        let told = Schema::of_events().lines(&ended.stderr);
        let told: Vec<(f64, f64)> = told
            .iter()
            .filter(|event| event["event"] == "replicating" && event["bytes"] != event["total"])
            .map(|event| (event["seconds"].as_f64().unwrap(), event["bytes"].as_f64().unwrap()))
            .collect();
        let (first, last) = (told[0], told[told.len() - 1]);
        assert!(last.0 - first.0 > 2.0, "{told:?}");
        // Pieces of 32 KiB carry 256 bytes of proof.
        let found = (last.1 - first.1) * (1.0 + 256.0 / 32_768.0) / (last.0 - first.0);
        assert!((found / rate - 1.0).abs() < 0.05, "{found} bytes a second, of {rate}: {told:?}");
    }
}

#[test]
fn a_slow_reader_costs_no_memory_and_loses_nothing() {
    let source = Home::new();
    let (film, size) = (source.path().join("film"), 160_u64 << 20);
    File::create(&film).unwrap().set_len(size).unwrap();
    let seed = Seed::start(&[], &[&film]);
    let home = Home::new();
    let mut command = home.p2pt(["replicate-file", "fetch", "-o", "-", "--timeout", "1s", &seed.address()]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut from = child.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 20];
    from.read_exact(&mut buffer).unwrap();
    // Longer than its patience, which is for others and not for whoever reads.
    let until = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < until {
        assert_eq!(child.try_wait().unwrap(), None, "it waits for its reader");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (mut read, mut most) = (buffer.len() as u64, None);
    loop {
        let len = from.read(&mut buffer).unwrap();
        if len == 0 {
            break;
        }
        assert!(buffer[..len].iter().all(|byte| *byte == 0));
        read += len as u64;
        most = most_memory(child.id()).or(most);
    }
    assert_eq!((read, child.wait().unwrap().code()), (size, Some(0)));
    assert!(most.is_none_or(|most| most < 64 << 20), "{most:?} bytes of memory");
}

#[test]
fn a_large_file_needs_little_memory() {
    let source = Home::new();
    let (film, size) = (source.path().join("film"), if long() { 100_u64 << 30 } else { 1 << 30 });
    let made = File::create(&film).unwrap().set_len(size);
    if made.is_err() {
        return skip::skip_always_allowed("a_large_file_needs_little_memory", "the disk takes no file of 100 GiB");
    }
    let seed = Seed::start_within(Duration::from_secs(1_200), &[], &[&film]);
    let home = Home::new();
    let fetcher = fetch(&home, &["--json"], &seed.address());
    // As much as would not fit, if it were kept.
    let wanted = if long() { 8 << 30 } else { 200 << 20 };
    let deadline = Instant::now() + if long() { 20 * LONG } else { LONG };
    let enough = |event: &serde_json::Value| event["bytes"].as_u64().is_some_and(|bytes| bytes > wanted);
    while !Schema::of_events().lines(&fetcher.said()).iter().any(enough) {
        assert!(Instant::now() < deadline, "{}", fetcher.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    for (who, process) in [("who shares", seed.running.child.id()), ("who fetches", fetcher.child.id())] {
        let most = most_memory(process);
        eprintln!("{who}: {most:?} bytes of memory for {size}");
        assert!(most.is_none_or(|most| most < 64 << 20), "{who}: {most:?} bytes of memory");
    }
    let state = fs::metadata(home.path().join(".film.p2pt-state")).unwrap().len();
    assert!(state < 100 * (size >> 20) + 100, "the state file has {state} bytes");
    fetcher.signal(Signal::KILL);
}

#[test]
fn a_full_disk_is_told_and_with_room_it_goes_on() {
    let test = "a_full_disk_is_told_and_with_room_it_goes_on";
    let home = Home::new();
    let place = home.path().join("disk");
    fs::create_dir(&place).unwrap();
    // A disk of 3 MiB in a namespace of mounts that ends with the shell.
    let mounted = "mount -t tmpfs -o size=3m none disk";
    let tried = Command::new("unshare").args(["-m", "sh", "-c", mounted]).current_dir(home.path()).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        return skip::skip_always_allowed(test, "only root may mount");
    }
    let (source, content) = (Home::new(), bytes(8_000_000, 13));
    let seed = Seed::start(&[], &[&made(&source, "film", &content)]);
    let script = format!(
        "{mounted} && cd disk && \"$0\" replicate-file fetch \"$1\"; echo $?; ls -A; \
         mount -o remount,size=30m none . && \"$0\" replicate-file fetch \"$1\"; echo $?; ls -A; cmp film \"$2\" && echo same"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).arg(binary()).arg(seed.address()).arg(source.path().join("film"));
    home.clean(command.current_dir(home.path()));
    let ended = Running::start(&mut command).end(LONG);
    assert_eq!(ended.text(), "9\n.film.p2pt-part\n.film.p2pt-state\n0\nfilm\nsame\n", "{}", ended.stderr);
    let (first, second) = ended.stderr.split_once("make room").expect(&ended.stderr);
    assert!(first.contains("write") && first.contains(".film.p2pt-part"), "{first}");
    assert!(second.contains("going on with"), "{second}");
}
