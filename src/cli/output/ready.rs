//! `--ready-fd` and `--ready-file`: one line when the command is ready, so that scripts never sleep.

use crate::cli::failure::{Failure, OrFail, describe};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// Where the line goes.
#[derive(Debug)]
pub(super) enum Ready {
    Descriptor(File, u64),
    Path(PathBuf),
}

impl Ready {
    /// Opens what was asked for, early, so that a wrong descriptor is told before anything is waited for.
    pub(super) fn open(fd: Option<u64>, path: Option<PathBuf>) -> Result<Option<Self>, Failure> {
        if let Some(fd) = fd {
            let file = OpenOptions::new().write(true).open(format!("/dev/fd/{fd}")).map_err(|error| {
                Failure::usage(format_args!("--ready-fd {fd}: cannot write to this descriptor: {}", describe(&error)))
                    .next(format!("open it in the shell, as in `{fd}>ready`, or use --ready-file"))
            })?;
            return Ok(Some(Self::Descriptor(file, fd)));
        }
        Ok(path.map(Self::Path))
    }

    /// Writes the line. A file appears whole or not at all.
    pub(super) fn tell(self, line: &str) -> Result<(), Failure> {
        let line = format!("{line}\n");
        match self {
            Self::Descriptor(mut file, fd) => {
                file.write_all(line.as_bytes()).or_fail(|| format!("write to descriptor {fd} of --ready-fd"))
            }
            Self::Path(path) => {
                let mut unfinished = path.clone().into_os_string();
                unfinished.push(format!(".{}", std::process::id()));
                fs::write(&unfinished, line)
                    .and_then(|()| fs::rename(&unfinished, &path))
                    .or_fail(|| format!("write {}, the file of --ready-file", path.display()))
            }
        }
    }
}
