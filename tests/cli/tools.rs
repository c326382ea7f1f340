//! `links`, `man`, and `--ready-fd`.

use crate::support::{Home, binary};
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn links_are_renewed_and_never_stand_in_for_what_is_not_ours() {
    let home = Home::new();
    let folder = home.path().join("bin");
    let dir = folder.display().to_string();
    assert_eq!(home.run(["links", &dir]).status, 0);
    assert_eq!(home.run(["links", &dir]).status, 0, "twice is as good");
    let link = folder.join("p2pt-connect");
    assert_eq!(fs::read_link(&link).unwrap(), binary().canonicalize().unwrap());
    fs::remove_file(&link).unwrap();
    fs::write(&link, "mine").unwrap();
    let other = folder.join("p2pt-check");
    fs::remove_file(&other).unwrap();
    symlink("/bin/true", &other).unwrap();
    let refused = home.run(["links", &dir]);
    assert_eq!(refused.status, 11);
    assert!(refused.stderr.contains("p2pt-connect") && refused.stderr.contains("p2pt-check"), "{}", refused.stderr);
    assert_eq!(fs::read(&link).unwrap(), b"mine");
    assert_eq!(fs::read_link(&other).unwrap().to_str(), Some("/bin/true"));
}

#[test]
fn links_beside_the_binary_move_with_it() {
    let home = Home::new();
    let copy = home.path().join("p2pt");
    fs::copy(binary(), &copy).unwrap();
    let mut command = std::process::Command::new(&copy);
    home.clean(&mut command);
    let ended = crate::support::Running::start(command.arg("links").arg(home.path())).end(crate::support::PATIENCE);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert_eq!(fs::read_link(home.path().join("p2pt-demo")).unwrap().to_str(), Some("p2pt"));
}

#[test]
fn folders_that_cannot_be_made_are_told_with_their_names() {
    let home = Home::new();
    fs::write(home.path().join("file"), "").unwrap();
    let dir = home.path().join("file/dir").display().to_string();
    for command in ["links", "man"] {
        let ended = home.run([command, &dir]);
        assert_eq!(ended.status, 9, "{command}");
        assert!(ended.stderr.contains(&dir), "{command}: {}", ended.stderr);
    }
}

#[test]
fn a_descriptor_that_is_not_there_is_a_usage_error() {
    let home = Home::new();
    let ended = home.run(["rendezvous", "--listen", "127.0.0.1:0", "--ready-fd", "77"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("--ready-fd 77") && ended.stderr.contains("next: "), "{}", ended.stderr);
}
