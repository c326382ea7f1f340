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
            let next = match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    "make room, and run the same command again: it goes on where it ended"
                }
                ErrorKind::FileTooLarge => {
                    "choose a place on another disk with -o, or have this one take files so large and run the same command again"
                }
                ErrorKind::NotFound => {
                    "make the folder, or choose another place with -o, and run the same command again"
                }
                ErrorKind::ReadOnlyFilesystem => {
                    "choose a place that can be written to with -o, or mount this one for writing and run the same command again"
                }
                ErrorKind::PermissionDenied => {
                    "choose a place where you may write with -o, or get the right to write there and run the same command again"
                }
                _ => {
                    "what came so far is kept: run the same command again to go on; if it fails again, look after the disk"
                }
            };
            let mut failure = Failure::io(format!("{doing} {}", path.display()), error);
            failure.status = Status::LocalIo;
            failure.next(next)
        }
        PartError::Busy(path) => {
            let tried = format!("use {}", path.display());
            Failure::new(Status::Refused, tried, "another process fetches the same file")
                .next("wait for it, or choose another place with -o")
        }
        PartError::Exists(path) => exists(&path),
        PartError::NoFolder(path) => {
            let tried = format!("write below {}", path.display());
            Failure::new(Status::Exists, tried, "something that is no folder is there")
                .next("choose another place with -o")
        }
    }
}

fn exists(path: &std::path::Path) -> Failure {
    if path.is_dir() {
        let came = "a folder is there already, and no folder is overwritten";
        return Failure::new(Status::Exists, format!("write {}", path.display()), came)
            .next("choose another place with -o");
    }
    Failure::new(Status::Exists, format!("write {}", path.display()), "something else is there already")
        .next("choose another place with -o, or overwrite it with --force")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_says_what_was_tried_what_came_back_and_what_to_do() {
        let told = |doing, code| {
            let error = std::io::Error::from_raw_os_error(code);
            let failure = disk(PartError::Io { doing, path: "/x/.film.p2pt-part".into(), error });
            assert_eq!(failure.status, Status::LocalIo);
            (failure.to_string(), failure.next.expect("what to do"))
        };
        let table = [
            ("write", 28, "No space left on device", "make room"),
            ("make", 122, "Disk quota exceeded", "make room"),
            ("open", 5, "Input/output error", "run the same command again"),
            ("rename", 13, "Permission denied", "where you may write with -o"),
            ("make the folder", 30, "Read-only file system", "that can be written to with -o"),
            ("write", 27, "File too large", "on another disk with -o"),
        ];
        for (doing, code, came, next) in table {
            let (said, advice) = told(doing, code);
            assert_eq!(said, format!("cannot {doing} /x/.film.p2pt-part: {came}"));
            assert!(advice.contains(next), "{advice}");
        }
    }
}
