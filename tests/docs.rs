//! What is written beside the code: man pages and completions as the table makes them, README and CHANGELOG as they
//! stand.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Home, root, skip};

/// The committed file of each shell.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "p2pt.bash"),
    ("zsh", "_p2pt"),
    ("fish", "p2pt.fish"),
    ("powershell", "_p2pt.ps1"),
    ("elvish", "p2pt.elv"),
];

#[test]
fn man_pages_and_completions_are_what_the_table_makes() {
    let home = Home::new();
    let made = home.path().join("made");
    assert_eq!(home.run(["man", made.join("man").to_str().unwrap()]).status, 0);
    fs::create_dir(made.join("completions")).unwrap();
    for (shell, name) in COMPLETIONS {
        let script = home.run(["completions", shell]);
        assert_eq!(script.status, 0, "{}", script.stderr);
        fs::write(made.join("completions").join(name), script.stdout).unwrap();
    }
    for folder in ["man", "completions"] {
        let (fresh, committed) = (texts(&made.join(folder)), texts(&root().join(folder)));
        let stale: Vec<&PathBuf> =
            fresh.keys().chain(committed.keys()).filter(|name| fresh.get(*name) != committed.get(*name)).collect();
        assert!(stale.is_empty(), "{folder}/ is stale ({stale:?}): run .ci/generate and commit what it changes");
    }
}

#[test]
fn every_page_has_the_sections_that_a_reader_looks_for() {
    let pages = texts(&root().join("man"));
    assert!(pages.len() > 8);
    for (name, page) in pages {
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
            let quoted = format!(".SH \"{section}\"");
            assert!(page.contains(&quoted) || page.contains(&format!(".SH {section}\n")), "{name:?} has no {section}");
        }
    }
    for name in ["p2pt.1", "p2pt-connect.1", "p2pt-rendezvous.1", "p2pt-peer-id.1"] {
        assert!(fs::read_to_string(root().join("man").join(name)).unwrap().contains(".SH SECURITY"), "{name}");
    }
}

#[test]
fn pages_are_clean_to_the_formatter() {
    const TEST: &str = "pages_are_clean_to_the_formatter";
    let linter: &[&str] = if std::process::Command::new("mandoc").arg("-V").output().is_ok() {
        &["mandoc", "-T", "lint", "-W", "warning"]
    } else if std::process::Command::new("groff").arg("--version").output().is_ok() {
        &["groff", "-man", "-Tutf8", "-ww", "-z", "-k"]
    } else {
        return skip::skip(TEST, "neither mandoc nor groff is here");
    };
    for name in texts(&root().join("man")).keys() {
        let ended = std::process::Command::new(linter[0])
            .args(&linter[1..])
            .arg(root().join("man").join(name))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert!(said.is_empty(), "{name:?}: {said}");
    }
}

#[test]
fn completions_load_in_the_shells_that_are_here() {
    for (shell, name) in COMPLETIONS {
        let check: &[&str] = match *shell {
            "bash" | "zsh" => &["-n"],
            "fish" => &["--no-execute"],
            _ => continue,
        };
        let test = format!("completions_load_in_the_shells_that_are_here ({shell})");
        if !skip::has(shell, &test) {
            continue;
        }
        let path = root().join("completions").join(name);
        let ended = std::process::Command::new(shell).args(check).arg(&path).output().unwrap();
        assert!(
            ended.status.success() && ended.stderr.is_empty(),
            "{shell}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    if !skip::has("bash", "bash_completes_commands_options_and_their_values") {
        return;
    }
    let script = root().join("completions/p2pt.bash");
    let completed = |words: &[&str]| {
        let line = format!(
            "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _p2pt p2pt '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display(),
            words.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len().saturating_sub(2)],
        );
        let ended = std::process::Command::new("bash").args(["--norc", "-c", &line]).output().unwrap();
        String::from_utf8_lossy(&ended.stdout).into_owned()
    };
    assert!(completed(&["p2pt", "conn"]).contains("connect"));
    assert!(completed(&["p2pt", "connect", "--keep"]).contains("--keep-open"));
    assert!(completed(&["p2pt", "connect", "--messages", "t"]).contains("ts"));
}

#[test]
fn readme_names_files_that_are_there_and_commands_that_exist() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (at, _) in readme.match_indices("](") {
        let target = readme[at + 2..].split(')').next().unwrap();
        if !target.contains("://") && !target.starts_with('#') {
            assert!(root().join(target).exists(), "README points at {target}, which is not there");
        }
    }
    let known: Vec<&str> = p2pt::cli::table::commands().iter().map(|(words, _)| words[0]).collect();
    let blocks = readme.split("```").skip(1).step_by(2);
    for line in blocks.flat_map(str::lines).filter(|line| !line.trim_start().starts_with('#')) {
        for (at, _) in line.match_indices("p2pt ") {
            let starts = at == 0 || line[..at].ends_with([' ', '(', '/', '|', ';']);
            let word = line[at + 5..].split([' ', ')', '|', ';']).next().unwrap_or_default();
            if starts && !word.starts_with('-') {
                assert!(known.contains(&word), "README has {word:?} in {line:?}");
            }
        }
    }
}

#[test]
fn readme_tells_the_exit_statuses_as_they_are() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for status in p2pt::cli::status::Status::ALL.into_iter().filter(|status| status.code() < 128) {
        assert!(readme.contains(&format!("| {} | {} |", status.code(), status.meaning())), "{status:?}");
    }
}

#[test]
fn changelog_knows_this_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains(&format!("## [{}]", env!("CARGO_PKG_VERSION"))));
}

fn texts(folder: &Path) -> BTreeMap<PathBuf, String> {
    fs::read_dir(folder)
        .unwrap_or_else(|why| panic!("{}: {why}", folder.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}
