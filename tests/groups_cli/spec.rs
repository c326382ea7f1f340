//! `group new` and `group show`.

use crate::support::schema::Schema;
use crate::support::{Home, PATIENCE, Running};
use p2pt::group::Groupspec;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

fn made(home: &Home, options: &[&str]) -> Groupspec {
    let ended = home.run([&["group", "new"], options].concat());
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    Groupspec::parse(ended.text().trim_end()).unwrap()
}

#[test]
fn all_features_are_on_unless_some_are_named() {
    let home = Home::new();
    let all = made(&home, &["--name", "n"]);
    assert!(all.posting() && all.multicast() && all.object_replication() && all.routing());
    assert!(all.server_channel() && all.member_updates() && all.is_unique() && !all.peer_to_peer_disabled());
    assert_eq!((all.name().as_deref(), all.version()), (Some("n"), 2));
    assert_ne!(made(&home, &["--name", "n"]).id(), all.id());
    let some = made(&home, &["--posting", "--server-channel", "--guessable", "--groupspec-version", "1"]);
    assert_eq!(some.text(), "G:0103010c050e7032707400");
    let peer = "00".repeat(32);
    let rest = made(&home, &["--bootstrap-peer", &peer, "--ip-multicast", "239.1.2.3:5", "--no-peer-to-peer"]);
    assert_eq!((rest.bootstrap_peers().len(), rest.ip_multicast().len()), (1, 1));
    assert!(rest.peer_to_peer_disabled());
    for wrong in [&["--name", ""][..], &["--bootstrap-peer", "x"], &["--ip-multicast", "1.2.3.4:5"]] {
        assert_eq!(home.run([&["group", "new"], wrong].concat()).status, 2, "{wrong:?}");
    }
}

#[test]
fn files_are_new_and_for_their_owner_alone() {
    let home = Home::new();
    let file = home.path().join("group").display().to_string();
    let line = ["group", "new", "--posting-password", "--publish-password", "-o", &file];
    let ended = home.run(line);
    assert_eq!((ended.status, ended.stdout.len()), (0, 0), "{}", ended.stderr);
    for suffix in ["", ".posting-password", ".publish-password"] {
        let mode = fs::metadata(format!("{file}{suffix}")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{suffix}");
    }
    let before = fs::read(&file).unwrap();
    let again = home.run(line);
    assert_eq!((again.status, fs::read(&file).unwrap()), (11, before), "{}", again.stderr);
    // All or nothing.
    fs::remove_file(&file).unwrap();
    assert_eq!(home.run(line).status, 11);
    assert!(!std::path::Path::new(&file).exists());
    let spec = Groupspec::parse(fs::read_to_string(&file).unwrap_or_default().trim()).err();
    assert!(spec.is_some());
    assert_eq!(home.run(["group", "new", "--posting-password"]).status, 2, "nowhere to put it");
}

#[test]
fn passwords_are_what_the_groupspec_says() {
    let home = Home::new();
    let password = home.path().join("password").display().to_string();
    fs::write(&password, "hello\n").unwrap();
    let flash = made(&home, &["--publish-password-file", &password, "--flash-passwords", "--flash-salt", "s"]);
    assert!(flash.publish_password_hash().is_some_and(|hash| hash.fits("hello") && hash.salt == b"s"));
    assert_eq!(flash.publish_password().as_deref().map(String::as_str), Some("hello"));
    let shown = home.run(["group", "show", flash.text()]);
    assert!(shown.text().contains("advisory") && !shown.text().contains("hello"), "{}", shown.text());
    let bare = home.run(["group", "show", "--without-passwords", flash.text()]).text();
    assert_eq!(Groupspec::parse(bare.trim()).map(|bare| (bare.id(), bare.publish_password())), Ok((flash.id(), None)));
    // By descriptor, as a shell opens it.
    let mut shell = std::process::Command::new("sh");
    let line =
        format!("exec '{}' group new --posting-password-fd 3 3<'{password}'", crate::support::binary().display());
    home.clean(shell.args(["-c", &line]));
    let ended = Running::start(&mut shell).end(PATIENCE);
    assert!(ended.stderr.contains("guess"), "{}", ended.stderr);
    let spec = Groupspec::parse(ended.text().trim()).unwrap();
    assert!(spec.posting_key().is_some_and(|key| key.unlock("hello").is_ok() && key.unlock("hellp").is_err()));
}

#[test]
fn every_form_of_an_address_is_shown_and_mistakes_are_pointed_at() {
    let home = Home::new();
    const SPEC: &str = "G:027f02010101000103010c050e74657374011b00";
    const ID: &str = "c3ab09fc9d3fd2fe3f4f82762c530b96f2eb1c49d9fe615f48f250545b731dc9";
    let file = home.path().join("group");
    fs::write(&file, format!("rtmfp:#{SPEC}\n")).unwrap();
    let by_file = format!("@{}", file.display());
    for text in [SPEC, &format!("#{SPEC}"), &format!("rtmfp:#{SPEC}"), &format!("rtmfp://h/key#{SPEC}"), &by_file] {
        let shown = home.run(["group", "show", "--json", text]);
        let events = Schema::of_events().lines(&shown.text());
        assert_eq!((shown.status, events[0]["group_id"].as_str()), (0, Some(ID)), "{text}: {}", shown.stderr);
        assert_eq!(events[0]["flash_order"], false);
    }
    let mut command = home.p2pt(["group", "show", "--json", "-"]);
    let by_input = Running::start(command.stdin(Stdio::from(fs::File::open(&file).unwrap()))).end(PATIENCE);
    assert!(by_input.text().contains(ID), "{}", by_input.stderr);
    let mut command = home.p2pt(["group", "show", "--json"]);
    assert!(Running::start(command.env("P2PT_GROUP", &by_file)).end(PATIENCE).text().contains(ID));
    let wrong = |text: &str, why: &str| {
        let ended = home.run(["group", "show", text]);
        assert_eq!((ended.status, ended.stdout.len()), (2, 0), "{text}");
        assert!(ended.stderr.contains(why), "{text}: {}", ended.stderr);
    };
    wrong("G:0102x4", "character 5 of the groupspec");
    wrong("G:0101020e", "begins at character 5 of the groupspec");
    wrong("G:027f0700", "version is 7");
    wrong(&"ab".repeat(32), "peer's address");
    assert_eq!(home.run(["group", "show"]).status, 2);
    assert_eq!(home.run(["group", "show", "@/nonexistent"]).status, 12);
    // The group was forgotten.
    let forgotten = home.run(["post", "hello"]);
    assert!(forgotten.status == 2 && forgotten.stderr.contains("a GROUP is @FILE"), "{}", forgotten.stderr);
    let empty = home.run(["route", "--to-nearest", "", SPEC, "text"]);
    assert!(empty.status == 2 && empty.stderr.contains("PLACE is empty"), "{}", empty.stderr);
    // And the command.
    for family in ["group", "store"] {
        let alone = home.run([family]);
        assert!(
            alone.status == 2 && alone.stderr.contains(&format!("p2pt {family} [OPTIONS] <COMMAND>")),
            "{}",
            alone.stderr
        );
    }
    // Standard input carries posts.
    assert_eq!(home.run(["group", "join", "-"]).status, 2);
    assert_eq!(home.run(["post", "-"]).status, 2);
}
