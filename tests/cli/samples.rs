//! One call of each command that does its work and ends.

use crate::support::Home;

/// A call to try.
pub struct Sample {
    /// After the command's words.
    pub args: Vec<String>,
    /// Whether it writes to standard output.
    pub prints: bool,
}

/// The sample of the command with these words. A new row of the table needs one.
pub fn sample(words: &[&str], home: &Home) -> Option<Sample> {
    let folder = home.path().join("made").display().to_string();
    let (args, prints): (Vec<String>, bool) = match words {
        ["peer-id"] => (vec![], true),
        ["completions"] => (vec!["bash".into()], true),
        ["man"] | ["links"] => (vec![folder], false),
        _ => return None,
    };
    Some(Sample { args, prints })
}
