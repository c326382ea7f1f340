//! Floor 10: the commands.

/// Runs the command that the process was started as.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
