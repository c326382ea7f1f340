//! Tests that need what a machine may not have (root, `ip`, `nft`, `ffmpeg`) say loudly what was skipped and why: at
//! once, and again at the end of the run. `P2PT_NO_SKIP=1` turns a skip into a failure.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Says that `test` is skipped. The caller returns.
///
/// # Panics
/// Under `P2PT_NO_SKIP`.
pub fn skip(test: &str, why: &str) {
    assert!(
        std::env::var_os("P2PT_NO_SKIP").is_none_or(|v| v.is_empty() || v == "0"),
        "{test} may not be skipped here: {why}"
    );
    skip_always_allowed(test, why);
}

/// As [`skip`], for what no machine of ours has to have: other people's programs.
pub fn skip_always_allowed(test: &str, why: &str) {
    let line = format!("SKIPPED {test}: {why}\n");
    // Written to the descriptor itself: what goes through a macro is swallowed in a test that passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    let file = OpenOptions::new().create(true).append(true).open(list());
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}

/// What this run of `cargo test` has skipped so far; the list begins anew.
pub fn take() -> Vec<String> {
    let text = fs::read_to_string(list()).unwrap_or_default();
    let _ = fs::remove_file(list());
    text.lines().map(str::to_owned).collect()
}

/// Whether `program` can be started; if not, `test` is skipped.
pub fn has(program: &str, test: &str) -> bool {
    let tried = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if tried.is_err() {
        skip(test, &format!("there is no {program} here"));
    }
    tried.is_ok()
}

/// One list for each run: all test programs of a run have the same parent.
fn list() -> PathBuf {
    let run = std::os::unix::process::parent_id();
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("skipped-{run}"))
}
