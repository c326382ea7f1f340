//! One call of each command that does its work and ends.

use crate::support::Home;

/// A call to try.
pub struct Sample {
    /// After the command's words.
    pub args: Vec<String>,
    /// Whether it writes to standard output.
    pub prints: bool,
}

/// A public groupspec.
const GROUPSPEC: &str = "G:027f02010101000103010c050e74657374011b00";

/// The sample of the command with these words. A new row of the table needs one.
pub fn sample(words: &[&str], home: &Home) -> Option<Sample> {
    let folder = home.path().join("made").display().to_string();
    let (args, prints): (Vec<String>, bool) = match words {
        ["peer-id"] => (vec![], true),
        ["completions"] => (vec!["bash".into()], true),
        ["group", "new"] => (vec!["--guessable".into(), "--name".into(), "sample".into()], true),
        ["group", "show"] => (vec![GROUPSPEC.into()], true),
        ["simulate"] => (["posting", "--members", "3", "--for", "2s"].map(Into::into).into(), true),
        ["man"] | ["links"] => (vec![folder], false),
        _ => return None,
    };
    Some(Sample { args, prints })
}

/// A call that waits for others until it is told to leave.
pub struct Waiting {
    /// The whole line after the program's name.
    pub line: Vec<&'static str>,
    /// Whether it says when it is ready.
    pub ready: bool,
}

/// Calls that wait, in every role.
pub fn waiting() -> Vec<Waiting> {
    const NOBODY: &str = "rtmfp:#bdecc8b874f176cbc07f7d86764dd4dc0f7fc9035b0bea74711fbd7bfb314575";
    // Two groups: by IP multicast members of the first meet those of tests that run beside, and remember them.
    const ALONE: &str = "rtmfp:#G:010300";
    const UNSHARED: &str = "rtmfp:#G:0102020e6200/b3=bdecc8b874f176cbc07f7d86764dd4dc0f7fc9035b0bea74711fbd7bfb314575";
    const SILENT: &str = "rtmfp:#G:027f020101020e6300";
    const UNREACHED: &str = "rtmfp://127.0.0.1:9#G:0103020e6100";
    vec![
        Waiting { line: vec!["group", "join", "--recv-only", ALONE], ready: true },
        Waiting { line: vec!["post", UNREACHED, "nobody hears this"], ready: false },
        Waiting { line: vec!["replicate-file", "share", "Cargo.toml"], ready: true },
        Waiting { line: vec!["replicate-file", "fetch", UNSHARED], ready: false },
        Waiting { line: vec!["multicast", "play", "--keep-open", SILENT, "film"], ready: true },
        Waiting { line: vec!["rendezvous", "--listen", "127.0.0.1:0"], ready: true },
        Waiting { line: vec!["connect", "--listen", "--allow-any", "rtmfp:"], ready: true },
        Waiting { line: vec!["connect", "--timeout", "30s", NOBODY], ready: false },
    ]
}
