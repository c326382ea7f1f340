//! Which identity a command uses: `--key`, `P2PT_KEY`, or the user's own file.

use super::call::Call;
use super::failure::{Failure, describe};
use super::status::Status;
use crate::base::Rng;
use crate::runtime::clock::seeded_rng;
use crate::runtime::identity::{Identity, IdentityKind, KeyFile, KeyFileError, Lock, Secret};
use std::path::PathBuf;

/// Whose identity a command goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The user's.
    User,
    /// The rendezvous service's, which has a file of its own.
    Rendezvous,
}

/// An identity and where it is kept.
#[derive(Debug)]
pub struct Keyed {
    /// Who we are.
    pub identity: Identity,
    /// The file.
    pub path: PathBuf,
    /// Whether this process made it.
    pub made: bool,
}

impl Whose {
    fn file(self, call: &Call) -> Result<KeyFile, Failure> {
        match (call.path("key"), self) {
            (Some(path), _) => Ok(KeyFile::at(path)),
            (None, Self::User) => KeyFile::of_user("identity").map_err(failure),
            (None, Self::Rendezvous) => KeyFile::of_user("rendezvous").map_err(failure),
        }
    }

    fn kind(self) -> IdentityKind {
        IdentityKind { server: self == Self::Rendezvous, flash: false }
    }
}

/// The identity, made on first use: for dialling and signing, which need no lock.
///
/// # Errors
/// 10 if others own the file or can read it, 6 if it is damaged, 9 if the system says no.
pub fn load(call: &Call, whose: Whose) -> Result<Keyed, Failure> {
    load_from(call, &whose.file(call)?, whose)
}

/// The identity, made on first use, and the lock for being reachable under it; keep that for as long as that lasts.
///
/// # Errors
/// As [`load`], and 10 if another process is reachable under it; the message names the process.
pub fn hold(call: &Call, whose: Whose) -> Result<(Keyed, Lock), Failure> {
    let file = whose.file(call)?;
    let made = load_from(call, &file, whose)?.made;
    let (secret, lock) = file.hold().map_err(failure)?;
    Ok((Keyed { identity: read(&secret, &file)?, path: file.path().to_owned(), made }, lock))
}

/// A new identity in the file's place, and where the old one is kept.
///
/// # Errors
/// As [`load`].
pub fn renew(call: &Call, whose: Whose, flash: bool) -> Result<(Keyed, Option<PathBuf>), Failure> {
    let file = whose.file(call)?;
    let old = file.read().map_err(failure)?;
    // Named after the old peer ID where there is one to be read, so that the user knows which is which.
    let suffix = old.and_then(|old| Identity::from_bytes(&old).ok()).map_or("old".to_owned(), |old| {
        let id = old.peer_id().to_string();
        id[..8].to_owned()
    });
    let identity = Identity::generate(&mut rng()?, IdentityKind { flash, ..whose.kind() });
    let kept = file.replace(&identity.to_bytes(), &suffix).map_err(failure)?;
    Ok((Keyed { identity, path: file.path().to_owned(), made: true }, kept))
}

fn load_from(call: &Call, file: &KeyFile, whose: Whose) -> Result<Keyed, Failure> {
    let mut rng = rng()?;
    let make = || Identity::generate(&mut rng, whose.kind()).to_bytes();
    let (secret, made) = file.read_or_make(make).map_err(failure)?;
    if made {
        call.out.say(format_args!("made a new identity: {}", file.path().display()));
    }
    Ok(Keyed { identity: read(&secret, file)?, path: file.path().to_owned(), made })
}

fn read(secret: &Secret, file: &KeyFile) -> Result<Identity, Failure> {
    Identity::from_bytes(secret).map_err(|error| {
        let tried = format!("use the identity in {}", file.path().display());
        Failure::new(Status::Integrity, tried, error)
            .next("restore the file from a copy, or make a new identity with p2pt peer-id --new, which keeps this file")
    })
}

fn rng() -> Result<Rng, Failure> {
    seeded_rng().map_err(|error| Failure::io("get randomness from the system", error))
}

fn failure(error: KeyFileError) -> Failure {
    const TRIED: &str = "use the identity file";
    let refused = |next: String| Failure::new(Status::Refused, TRIED, &error).next(next);
    match &error {
        KeyFileError::NoHome => {
            Failure::new(Status::LocalIo, TRIED, &error).next("set HOME, or name a file with --key")
        }
        KeyFileError::Symlink(_) | KeyFileError::NotAFile(_) | KeyFileError::TooLarge(_) => {
            refused("name the file itself with --key".into())
        }
        KeyFileError::Owner { .. } => refused("run as its owner, or name another file with --key".into()),
        KeyFileError::Exposed { path, .. } if path.is_dir() => refused(format!("chmod go-w {}", path.display())),
        KeyFileError::Exposed { path, .. } => refused(format!(
            "if nobody can have copied it, chmod 600 {0}; else move it away and make a new one with p2pt peer-id",
            path.display()
        )),
        KeyFileError::Held { .. } => refused("end that process, or use another identity with --key".into()),
        KeyFileError::Io { path, error } => {
            Failure::new(Status::LocalIo, format!("use the identity file {}", path.display()), describe(error))
                .next("check that its folder exists and is yours, or name another file with --key")
        }
    }
}
