//! `p2pt replicate-file`: files to many at once.

mod exchange;
pub(in crate::cli) mod fetch;
mod plan;
mod report;
pub(in crate::cli) mod share;
mod stream;

use std::io::ErrorKind;

use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::status::Status;
use crate::runtime::Group;
use crate::runtime::files::PartError;

/// Bytes a second, of a flag that says bits.
fn limit(call: &Call, flag: &str) -> Option<u64> {
    call.rate(flag).map(|rate| (rate.bits / 8).max(1))
}

/// Whether others' traffic goes first; `None` if that depends on where they are.
fn polite(call: &Call) -> Option<bool> {
    match (call.switch("polite"), call.switch("no-polite")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Sets how fast objects go.
fn limits(group: &Group, up: Option<u64>, down: Option<u64>) {
    let _ = group.with(|member, now| member.set_replication_limits(now, up, down));
}

/// So many others.
fn people(count: usize) -> String {
    if count == 1 { "1 peer".to_owned() } else { format!("{count} peers") }
}

/// A failure of a file.
fn disk(error: PartError) -> Failure {
    match error {
        PartError::Io { doing, path, error } => {
            let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
            let mut failure = Failure::io(format!("{doing} {}", path.display()), error);
            failure.status = Status::LocalIo;
            match (doing, full) {
                (_, true) => failure.next("make room, and run the same command again: it goes on where it ended"),
                ("write", _) => failure.next("what came so far is kept: run the same command again to go on"),
                _ => failure,
            }
        }
        PartError::Busy(path) => {
            let tried = format!("use {}", path.display());
            Failure::new(Status::Refused, tried, "another process fetches the same file")
                .next("wait for it, or choose another place with -o")
        }
        PartError::Exists(path) => exists(&path),
    }
}

fn exists(path: &std::path::Path) -> Failure {
    Failure::new(Status::Exists, format!("write {}", path.display()), "something else is there already")
        .next("choose another place with -o, or overwrite it with --force")
}
