use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

fn secret(text: &str) -> Secret {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A key file in a folder of its own, as the user's would be.
fn of_test(root: &tempfile::TempDir) -> KeyFile {
    KeyFile { path: root.path().join("p2pt/identity"), own_folder: true }
}

#[test]
fn the_first_use_makes_it_for_the_owner_alone_and_the_second_reads_it() {
    let root = tempfile::tempdir().unwrap();
    let file = of_test(&root);
    assert!(file.read().unwrap().is_none());
    let (made, is_new) = file.read_or_make(|| secret("first")).unwrap();
    assert_eq!((&made[..], is_new), (&b"first"[..], true));
    assert_eq!((mode(file.path()), mode(file.path().parent().unwrap())), (0o600, 0o700));
    let (read, is_new) = file.read_or_make(|| secret("second")).unwrap();
    assert_eq!((&read[..], is_new), (&b"first"[..], false));
    assert_eq!(fs::read_dir(root.path().join("p2pt")).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn what_others_own_or_can_read_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let file = of_test(&root);
    file.read_or_make(|| secret("s")).unwrap();
    for bits in [0o644, 0o640, 0o620, 0o604, 0o601] {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(bits)).unwrap();
        assert!(matches!(file.read(), Err(KeyFileError::Exposed { mode, .. }) if mode == bits), "{bits:o}");
        assert!(matches!(file.hold(), Err(KeyFileError::Exposed { .. })), "{bits:o}");
        assert!(matches!(file.replace(&secret("t"), "old"), Err(KeyFileError::Exposed { .. })), "{bits:o}");
    }
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(file.path(), Some(12345), None).unwrap();
        assert!(matches!(file.read(), Err(KeyFileError::Owner { owner: 12345, .. })));
    }
}

#[test]
fn links_folders_pipes_and_giants_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let target = KeyFile::at(root.path().join("target"));
    target.read_or_make(|| secret("s")).unwrap();
    let link = KeyFile::at(root.path().join("link"));
    symlink(target.path(), link.path()).unwrap();
    assert!(matches!(link.read(), Err(KeyFileError::Symlink(_))));
    let dangling = KeyFile::at(root.path().join("dangling"));
    symlink(root.path().join("nowhere"), dangling.path()).unwrap();
    assert!(matches!(dangling.read_or_make(|| secret("s")), Err(KeyFileError::Symlink(_))));
    assert!(!root.path().join("nowhere").exists());
    assert!(matches!(KeyFile::at(root.path().to_owned()).read(), Err(KeyFileError::NotAFile(_))));
    let pipe = root.path().join("pipe");
    assert!(Command::new("mkfifo").arg("-m").arg("600").arg(&pipe).status().unwrap().success());
    assert!(matches!(KeyFile::at(pipe).read(), Err(KeyFileError::NotAFile(_))));
    let giant = KeyFile::at(root.path().join("giant"));
    giant.read_or_make(|| Zeroizing::new(vec![0; 64 * 1024])).unwrap();
    fs::write(giant.path(), vec![0; 64 * 1024 + 1]).unwrap();
    assert!(matches!(giant.read(), Err(KeyFileError::TooLarge(_))));
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let file = of_test(&root);
    let folder = file.path().parent().unwrap();
    fs::create_dir(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(file.read_or_make(|| secret("s")), Err(KeyFileError::Exposed { .. })));
}

#[test]
fn a_new_one_never_deletes_the_old_one() {
    let root = tempfile::tempdir().unwrap();
    let file = of_test(&root);
    assert_eq!(file.replace(&secret("1"), "old").unwrap(), None);
    let first = file.replace(&secret("2"), "old").unwrap().unwrap();
    let second = file.replace(&secret("3"), "old").unwrap().unwrap();
    assert_eq!(fs::read(first).unwrap(), b"1");
    assert_eq!(fs::read(&second).unwrap(), b"2");
    assert_eq!(&file.read().unwrap().unwrap()[..], b"3");
    assert_eq!(mode(&second), 0o600);
    assert_eq!(fs::read_dir(root.path().join("p2pt")).unwrap().count(), 3);
}

#[test]
fn new_ones_at_once_are_all_kept() {
    let root = tempfile::tempdir().unwrap();
    let file = of_test(&root);
    std::thread::scope(|scope| {
        for number in 0..20 {
            let file = &file;
            scope.spawn(move || file.replace(&secret(&format!("identity {number}")), "old").unwrap());
        }
    });
    let mut kept: Vec<String> = fs::read_dir(root.path().join("p2pt"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    kept.sort();
    kept.dedup();
    assert_eq!(kept.len(), 20);
}

#[test]
fn who_is_reachable_holds_it_and_others_can_still_read_it() {
    let root = tempfile::tempdir().unwrap();
    let file = of_test(&root);
    file.read_or_make(|| secret("s")).unwrap();
    let (read, lock) = file.hold().unwrap();
    assert_eq!(&read[..], b"s");
    assert_eq!(&file.read().unwrap().unwrap()[..], b"s");
    let held = file.hold().unwrap_err();
    if cfg!(target_os = "linux") {
        assert!(held.to_string().contains(&format!("process {}", std::process::id())), "{held}");
    }
    drop(lock);
    file.hold().unwrap();
}

const CHILD: &str = "P2PT_TEST_IDENTITY_KILLED_AT";

/// Not a test of its own: what `killed_at_any_step_…` runs in another process, which kills itself.
#[test]
fn child_that_is_killed() {
    let Ok(orders) = std::env::var(CHILD) else { return };
    let (path, last) = orders.split_once(' ').unwrap();
    let file = KeyFile { path: path.into(), own_folder: true };
    let mut die = |step: Step| {
        if format!("{step:?}") == last {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
        }
    };
    if file.read().unwrap().is_none() {
        file.publish(&secret("made by the child"), &mut die).unwrap();
    } else {
        file.replace_in_steps(&secret("made by the child"), "old", &mut die).unwrap();
    }
}

fn kill_at(file: &KeyFile, step: Step) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runtime::identity::tests::child_that_is_killed"])
        .env(CHILD, format!("{} {step:?}", file.path().display()))
        .output()
        .unwrap()
        .status;
    assert_eq!(status.signal(), Some(9), "killed at {step:?}");
}

#[test]
fn killed_at_any_step_of_the_first_use_it_is_whole_or_not_there() {
    use Step::*;
    for step in [FolderMade, Created, HalfWritten, Written, Synced, Linked, Tidied] {
        let root = tempfile::tempdir().unwrap();
        let file = of_test(&root);
        kill_at(&file, step);
        let there = matches!(step, Linked | Tidied);
        assert_eq!(file.read().unwrap().is_some(), there, "{step:?}");
        let expected: &[u8] = if there { b"made by the child" } else { b"made later" };
        let (read, _) = file.read_or_make(|| secret("made later")).unwrap();
        assert_eq!(&read[..], expected, "{step:?}");
    }
}

#[test]
fn killed_at_any_step_of_a_renewal_the_old_one_is_kept() {
    use Step::*;
    for step in [Created, HalfWritten, Written, Synced, Kept, Linked] {
        let root = tempfile::tempdir().unwrap();
        let file = of_test(&root);
        file.read_or_make(|| secret("old one")).unwrap();
        kill_at(&file, step);
        let now = file.read().unwrap().unwrap();
        let expected: &[u8] = if step == Linked { b"made by the child" } else { b"old one" };
        assert_eq!(&now[..], expected, "{step:?}");
        let kept = fs::read(root.path().join("p2pt/identity.old"));
        if matches!(step, Kept | Linked) {
            assert_eq!(kept.unwrap(), b"old one", "{step:?}");
        }
    }
}
