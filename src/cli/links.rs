//! `p2pt links DIR`: `p2pt-connect` and its like.

use super::call::Call;
use super::failure::{Failure, OrFail};
use super::status::Status;
use super::table;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Makes a link for each command.
///
/// # Errors
/// Status 11 where something that is no link of ours has the name; 9 where the folder cannot be written.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let dir = call.path("DIR").expect("the parser requires it");
    fs::create_dir_all(&dir).or_fail(|| format!("make the folder {}", dir.display()))?;
    let target = target(&dir).or_fail(|| "find this binary".into())?;
    let mut in_the_way = Vec::new();
    let commands = table::commands();
    for (words, _) in &commands {
        let link = dir.join(format!("p2pt-{}{}", words.join("-"), std::env::consts::EXE_SUFFIX));
        match fs::symlink_metadata(&link) {
            Ok(_) if !is_ours(&link) => in_the_way.push(link.display().to_string()),
            _ => renew(&target, &link).or_fail(|| format!("make the link {}", link.display()))?,
        }
    }
    if in_the_way.is_empty() {
        call.out.say(format_args!("{} links in {}", commands.len(), dir.display()));
        return Ok(());
    }
    Err(Failure::new(Status::Exists, format!("make {}", in_the_way.join(", ")), "something else has that name")
        .next("move it away, or choose another folder"))
}

/// What the links point at: the bare name where the binary is in the same folder, so that both can be moved.
fn target(dir: &Path) -> io::Result<PathBuf> {
    let binary = std::env::current_exe()?.canonicalize()?;
    let beside = binary.parent() == Some(&dir.canonicalize()?);
    Ok(match binary.file_name() {
        Some(name) if beside => name.into(),
        _ => binary,
    })
}

/// Whether `link` is a link to a binary of our name.
fn is_ours(link: &Path) -> bool {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_owned());
    fs::read_link(link).is_ok_and(|target| stem(&target) == Some("p2pt".into()))
}

#[cfg(unix)]
fn renew(target: &Path, link: &Path) -> io::Result<()> {
    let fresh = link.with_extension(format!("{}", std::process::id()));
    std::os::unix::fs::symlink(target, &fresh)?;
    fs::rename(&fresh, link)
}

/// Symbolic links need a privilege there, so this is a hard link. Untested there.
#[cfg(not(unix))]
fn renew(target: &Path, link: &Path) -> io::Result<()> {
    let folder = link.parent().unwrap_or(Path::new("."));
    fs::hard_link(folder.join(target), link)
}
