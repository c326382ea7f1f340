//! Secrets on this machine: who may read them, and that they are never told.

use crate::support::{Home, PATIENCE, Running};
use p2pt::cli::table::commands;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

fn mode(path: &std::path::Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn fifty_first_uses_at_once_agree_on_one_identity() {
    let home = Home::new();
    let all: Vec<Running> = (0..50).map(|_| Running::start(&mut home.p2pt(["peer-id"]))).collect();
    let mut ids: Vec<String> = all
        .into_iter()
        .map(|running| {
            let ended = running.end(PATIENCE);
            assert_eq!(ended.status, 0, "{}", ended.stderr);
            ended.text()
        })
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(ids[0].trim().len(), 64);
    let left: Vec<_> = fs::read_dir(home.identity().parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing unfinished is left: {left:?}");
    assert_eq!((mode(&home.identity()), mode(home.identity().parent().unwrap())), (0o600, 0o700));
}

#[test]
fn an_identity_that_others_can_read_is_refused_with_advice() {
    let home = Home::new();
    let id = home.run(["peer-id"]).text();
    fs::set_permissions(home.identity(), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = home.run(["peer-id"]);
    assert_eq!((refused.status, refused.stdout.len()), (10, 0));
    assert!(refused.stderr.contains("mode 0644") && refused.stderr.contains("chmod 600"), "{}", refused.stderr);
    fs::set_permissions(home.identity(), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(home.run(["peer-id"]).text(), id);
}

#[test]
fn a_truncated_identity_is_refused_whatever_is_missing() {
    let home = Home::new();
    home.run(["peer-id"]);
    let whole = fs::read(home.identity()).unwrap();
    for length in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(home.identity(), &whole[..length]).unwrap();
        let refused = home.run(["peer-id"]);
        assert_eq!((refused.status, refused.stdout.len()), (6, 0), "{length} bytes: {}", refused.stderr);
        assert_eq!(fs::read(home.identity()).unwrap().len(), length, "left as it is");
    }
}

#[test]
fn a_symbolic_link_is_refused() {
    let home = Home::new();
    home.run(["peer-id"]);
    let link = home.path().join("link");
    symlink(home.identity(), &link).unwrap();
    let refused = home.run(["peer-id", "--key", link.to_str().unwrap()]);
    assert_eq!(refused.status, 10);
    assert!(refused.stderr.contains("symbolic link"), "{}", refused.stderr);
}

#[test]
fn a_new_identity_leaves_the_old_one_beside_it() {
    let home = Home::new();
    let old = home.run(["peer-id"]).text();
    let renewed = home.run(["peer-id", "--new"]);
    assert_eq!(renewed.status, 0);
    let kept = home.path().join(format!("data/p2pt/identity.{}", &old[..8]));
    assert!(renewed.stderr.contains(kept.to_str().unwrap()), "{}", renewed.stderr);
    assert_ne!(renewed.text(), old);
    assert_eq!(home.run(["peer-id", "--key", kept.to_str().unwrap()]).text(), old);
    assert_eq!(home.run(["peer-id", "--new", "--flash"]).status, 0);
    assert_eq!(home.run(["peer-id", "--flash"]).status, 2, "--flash is for a new one");
}

#[test]
fn the_key_comes_from_the_option_then_the_variable_then_the_users_folder() {
    let home = Home::new();
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    let mut by_variable = home.p2pt(["peer-id"]);
    let by_variable = Running::start(by_variable.env("P2PT_KEY", &a)).end(PATIENCE).text();
    let mut by_option = home.p2pt(["peer-id", "--key", b.to_str().unwrap()]);
    let by_option = Running::start(by_option.env("P2PT_KEY", &a)).end(PATIENCE).text();
    assert_ne!(by_variable, by_option);
    assert_eq!(home.run(["peer-id", "--key", a.to_str().unwrap()]).text(), by_variable);
    assert!(!home.identity().exists());
    assert_eq!(mode(&a), 0o600);
    let mut nowhere = home.p2pt(["peer-id"]);
    let nowhere = Running::start(nowhere.env_remove("HOME").env_remove("XDG_DATA_HOME")).end(PATIENCE);
    assert_eq!(nowhere.status, 9);
    assert!(nowhere.stderr.contains("HOME") && nowhere.stderr.contains("--key"), "{}", nowhere.stderr);
}

/// The secret seed of the identity: what must never be told, in any of the forms in which it might be.
fn canaries(home: &Home) -> Vec<Vec<u8>> {
    let file = fs::read(home.identity()).unwrap();
    // The last 32 bytes of the file of a plain identity are its seed.
    let seed = file[file.len() - 32..].to_vec();
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{:?}", &seed[..8]);
    vec![seed, hex.to_uppercase()[..24].into(), hex[..24].into(), list.trim_matches(['[', ']']).into()]
}

#[test]
fn no_command_tells_a_secret() {
    let home = Home::new();
    home.run(["peer-id"]);
    let mut canaries = canaries(&home);
    canaries.extend([b"CANARYKEY".to_vec(), b"c0ffeec0ffee".to_vec()]);
    let addresses = ["rtmfp://127.0.0.1:9/CANARYKEY#G:c0ffeec0ffeez", "rtmfp://127.0.0.1:9x/CANARYKEY?id=7#"];
    for (number, address) in addresses.iter().enumerate() {
        fs::write(home.path().join(format!("address{number}")), address).unwrap();
    }
    let mut lines: Vec<Vec<String>> = Vec::new();
    for (words, row) in commands() {
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        if row.all_flags().any(|flag| flag.long == "listen" && flag.default.is_some()) {
            words.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
        }
        lines.push(words.clone());
        for number in 0..addresses.len() {
            if row.operands.iter().any(|operand| ["ADDRESS", "URL"].contains(&operand.name)) {
                let file = format!("@{}", home.path().join(format!("address{number}")).display());
                lines.push([&words[..], std::slice::from_ref(&file)].concat());
                lines.push([&words[..], &[file, "--json".into()]].concat());
            }
        }
    }
    lines.push(vec!["peer-id".into(), "--json".into()]);
    for mut line in lines {
        line.push("-vvv".into());
        let mut command = home.p2pt(&line);
        let running = Running::start(command.env("P2PT_LOG", "trace"));
        let pid = running.child.id();
        let told = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        std::thread::sleep(std::time::Duration::from_millis(100));
        running.signal(rustix::process::Signal::TERM);
        let ended = running.end(PATIENCE);
        for (place, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr.into_bytes()), ("ps", &told)] {
            for canary in &canaries {
                let found = text.windows(canary.len()).any(|window| window == canary);
                assert!(!found, "{line:?} tells a secret on {place}: {}", String::from_utf8_lossy(text));
            }
        }
    }
}
