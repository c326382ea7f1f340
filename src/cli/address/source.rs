//! Where addresses come from: the command line, `@FILE`, `-`, and `P2PT_RENDEZVOUS` for the part left out.

use super::value::{Address, Object, Rendezvous, Target};
use crate::base::PeerId;
use crate::cli::failure::{Failure, OrFail, describe};
use crate::cli::status::Status;
use crate::group::Groupspec;
use std::fs::File;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// The variable that supplies the part before `#`.
const VARIABLE: &str = "P2PT_RENDEZVOUS";
/// The variable that supplies the group.
const GROUP_VARIABLE: &str = "P2PT_GROUP";
/// No file of addresses is longer.
const MAX_LEN: u64 = 1 << 20;

/// What standard input is to the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// It carries data, so `-` is no address.
    Data,
    /// It may carry an address.
    Free,
}

/// The address that `text` is or names. Where it does not say through whom, `P2PT_RENDEZVOUS` does; without that, it is
/// `rtmfp:`, no server.
///
/// # Errors
/// Usage, pointing at the place; 9 if a file cannot be read.
pub fn resolve(text: &str, stdin: Stdin) -> Result<Address, Failure> {
    let text = fetch(text, stdin)?;
    if has_scheme(&text) || text.find('#').is_some_and(|at| at > 0) {
        return text.parse().map_err(Failure::usage);
    }
    let target: Target = text.strip_prefix('#').unwrap_or(&text).parse().map_err(Failure::usage)?;
    Ok(Address { rendezvous: variable()?.flatten(), target })
}

/// The group that `text` is or names, without it the one of `P2PT_GROUP`, and through whom it is joined: nobody, or a
/// server. An object in the group is not asked for.
///
/// # Errors
/// As [`resolve`], and if the address is a peer's or the groupspec is malformed.
pub fn group(text: Option<&str>, stdin: Stdin) -> Result<(Groupspec, Option<Rendezvous>), Failure> {
    let text = group_text(text, stdin)?;
    // Already fetched: what is left names nothing.
    let address = resolve(&text, Stdin::Data).map_err(no_group)?;
    Ok((groupspec(&address.target).map_err(no_group)?, address.rendezvous))
}

/// What to give instead of something that names no group: often the group itself was forgotten.
fn no_group(failure: Failure) -> Failure {
    match failure.next {
        Some(_) => failure,
        None => failure.next("a GROUP is @FILE, G: with hex digits behind it, or rtmfp://HOST#G:…"),
    }
}

/// The file or list of files in a group that `text` is or names, and through whom the group is joined.
///
/// # Errors
/// As [`resolve`], and if the address is another one.
pub fn object(text: &str, stdin: Stdin) -> Result<(Groupspec, Option<Rendezvous>, Object), Failure> {
    let address = resolve(text, stdin)?;
    match address.target {
        Target::Group { spec, object: Some(object) } => {
            Ok((Groupspec::parse(&spec).map_err(Failure::usage)?, address.rendezvous, object))
        }
        _ => Err(Failure::usage("this is no address of files; theirs end with /b3=… or /b3list=…")
            .next("get the address that p2pt replicate-file share printed")),
    }
}

/// The groupspec alone, wherever it is joined through.
///
/// # Errors
/// As [`group`].
pub fn groupspec_alone(text: Option<&str>, stdin: Stdin) -> Result<Groupspec, Failure> {
    let text = group_text(text, stdin)?;
    let behind = text.find('#').map_or(0, |at| at + 1);
    if behind > 0 && has_scheme(&text) {
        let address = text.parse::<Address>().map_err(Failure::usage).map_err(no_group)?;
        return groupspec(&address.target).map_err(no_group);
    }
    groupspec(&text[behind..].parse::<Target>().map_err(Failure::usage).map_err(no_group)?).map_err(no_group)
}

fn group_text(text: Option<&str>, stdin: Stdin) -> Result<Zeroizing<String>, Failure> {
    match text {
        Some(text) => fetch(text, stdin),
        None => match std::env::var(GROUP_VARIABLE) {
            Ok(text) if !text.trim().is_empty() => fetch(&Zeroizing::new(text), Stdin::Data),
            _ => Err(Failure::usage(format_args!("which group? A GROUP is wanted, or the variable {GROUP_VARIABLE}"))
                .next("make one with p2pt group new")),
        },
    }
}

/// Whether `P2PT_GROUP` names a group.
#[must_use]
pub fn has_default_group() -> bool {
    std::env::var(GROUP_VARIABLE).is_ok_and(|text| !text.trim().is_empty())
}

fn groupspec(target: &Target) -> Result<Groupspec, Failure> {
    match target {
        Target::Group { spec, object: None } => Groupspec::parse(spec).map_err(Failure::usage),
        Target::Group { object: Some(_), .. } => {
            Err(Failure::usage("this is the address of an object in a group; leave out its /b3=… for the group"))
        }
        Target::Peer { .. } => Err(Failure::usage("this is a peer's address; a group's has #G: and hex digits")),
    }
}

/// The rendezvous that `text` is or names; without it, the one of `P2PT_RENDEZVOUS`; without that, none, as for
/// `rtmfp:`.
///
/// # Errors
/// As [`resolve`].
pub fn rendezvous(text: Option<&str>, stdin: Stdin) -> Result<Option<Rendezvous>, Failure> {
    match text {
        Some(text) => Rendezvous::parse(&fetch(text, stdin)?).map_err(Failure::usage),
        None => Ok(variable()?.flatten()),
    }
}

/// The peer IDs that `texts` are or, as `@FILE`, name: one a line, with empty lines and `#` comments.
///
/// # Errors
/// Usage, pointing at the place; 9 if a file cannot be read.
pub fn peer_ids(texts: &[String]) -> Result<Vec<PeerId>, Failure> {
    let mut ids = Vec::new();
    for text in texts {
        let Some(path) = text.strip_prefix('@') else {
            ids.push(peer_id(text, "--allow")?);
            continue;
        };
        for (number, line) in read_file(path)?.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                ids.push(peer_id(line, &format!("{path}, line {}", number + 1))?);
            }
        }
    }
    Ok(ids)
}

fn peer_id(text: &str, place: &str) -> Result<PeerId, Failure> {
    text.parse().map_err(|why| Failure::usage(format_args!("{place}: {text:?} is no peer ID: {why}")))
}

/// What `P2PT_RENDEZVOUS` says: nothing, no server, or a server.
fn variable() -> Result<Option<Option<Rendezvous>>, Failure> {
    match std::env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => {
            let text = Zeroizing::new(text);
            let trimmed = text.trim().strip_suffix('#').unwrap_or(text.trim());
            Rendezvous::parse(trimmed).map(Some).map_err(|why| Failure::usage(format_args!("{VARIABLE}: {why}")))
        }
        _ => Ok(None),
    }
}

fn has_scheme(text: &str) -> bool {
    text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("rtmfp:"))
}

/// The text itself, or what it names.
fn fetch(text: &str, stdin: Stdin) -> Result<Zeroizing<String>, Failure> {
    match text {
        "-" if stdin == Stdin::Data => {
            Err(Failure::usage("- reads the address from standard input, which carries data here")
                .next("use @FILE, or the address itself"))
        }
        "-" => first_line(&read_text(io::stdin().lock(), "standard input")?, "standard input"),
        _ => match text.strip_prefix('@') {
            Some(path) => first_line(&read_file(path)?, path),
            None => Ok(Zeroizing::new(text.trim().to_owned())),
        },
    }
}

fn read_file(path: &str) -> Result<Zeroizing<String>, Failure> {
    let file = File::open(path).map_err(|error| {
        let status = if error.kind() == io::ErrorKind::NotFound { Status::NotFound } else { Status::LocalIo };
        Failure::new(status, format!("read the file {path}"), describe(&error)).caused_by(error)
    })?;
    read_text(file, path)
}

fn read_text(source: impl Read, name: &str) -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    source.take(MAX_LEN + 1).read_to_end(&mut bytes).or_fail(|| format!("read {name}"))?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(Failure::usage(format_args!("{name} is too large to be an address")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::usage(format_args!("{name} is not text")))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The one line that says something.
fn first_line(text: &str, name: &str) -> Result<Zeroizing<String>, Failure> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(Zeroizing::new(line.to_owned())),
        (None, _) => Err(Failure::usage(format_args!("there is no address in {name}"))),
        (Some(_), Some(_)) => Err(Failure::usage(format_args!("there is more than one line in {name}"))),
    }
}
