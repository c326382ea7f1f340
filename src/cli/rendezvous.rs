//! `p2pt rendezvous`.

use super::call::Call;
use super::failure::Failure;
use super::status::Status;

/// Runs the command.
///
/// # Errors
/// Not built in this revision.
pub(super) fn run(_call: Call) -> Result<(), Failure> {
    Err(Failure::new(Status::Failed, "run p2pt rendezvous", "not built in this revision"))
}
