//! Members that were met, for next time: a file for each group, named by a hash of its ID.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::base::PeerId;
use crate::group::GroupId;
use crate::node::{Address, Origin};

use super::socket::name_of;

/// So many are kept.
const MAX_MEMBERS: usize = 32;
/// Addresses of each.
const MAX_ADDRESSES: usize = 8;
/// No such file is longer, in bytes.
const MAX_LEN: u64 = 64 << 10;

/// Members and where they were.
pub(super) type Members = Vec<(PeerId, Vec<Address>)>;

/// Where the members of this group are kept, if this user has a place for such things.
fn path(group: GroupId) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("p2pt/groups").join(name_of(group)))
}

/// The members that were there last time. Whatever is wrong with the file, nobody is.
pub(super) fn load(group: GroupId) -> Members {
    path(group).map(|path| load_from(&path)).unwrap_or_default()
}

/// Keeps them. That it cannot is no reason to fail.
pub(super) fn save(group: GroupId, members: &Members) {
    if let Some(path) = path(group).filter(|_| !members.is_empty())
        && let Err(error) = save_to(&path, members)
    {
        tracing::info!("members cannot be remembered in {}: {error}", path.display());
    }
}

fn load_from(path: &Path) -> Members {
    if fs::metadata(path).is_ok_and(|meta| meta.len() > MAX_LEN) {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().take(MAX_MEMBERS).filter_map(member).collect()
}

/// A peer ID and addresses, with spaces between.
fn member(line: &str) -> Option<(PeerId, Vec<Address>)> {
    let mut words = line.split_whitespace();
    let peer = words.next()?.parse().ok()?;
    let sockets = words.filter_map(|word| word.parse::<SocketAddr>().ok()).take(MAX_ADDRESSES);
    Some((peer, sockets.map(|socket| Address { origin: Origin::Unknown, socket }).collect()))
}

fn save_to(path: &Path, members: &Members) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true);
    let unfinished = path.with_extension(std::process::id().to_string());
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    folders.create(folder)?;
    let _ = fs::remove_file(&unfinished);
    let mut text = String::new();
    for (peer, addresses) in members.iter().take(MAX_MEMBERS) {
        text.push_str(&peer.to_string());
        addresses.iter().take(MAX_ADDRESSES).for_each(|address| text.push_str(&format!(" {}", address.socket)));
        text.push('\n');
    }
    options.open(&unfinished)?.write_all(text.as_bytes())?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_kept_and_nonsense_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/p2pt/groups/name");
        let at = |text: &str| Address { origin: Origin::Unknown, socket: text.parse().unwrap() };
        let members =
            vec![(PeerId([1; 32]), vec![at("192.0.2.1:5"), at("[2001:db8::1]:7")]), (PeerId([2; 32]), vec![])];
        save_to(&path, &members).unwrap();
        save_to(&path, &members).unwrap();
        assert_eq!(load_from(&path), members);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        }
        let line = format!("nonsense\n\n{} x 192.0.2.1:5 y\n", PeerId([1; 32]));
        fs::write(&path, line).unwrap();
        assert_eq!(load_from(&path), [(PeerId([1; 32]), vec![at("192.0.2.1:5")])]);
        assert!(load_from(Path::new("/nonexistent")).is_empty());
        let many: Members = (0..99).map(|at| (PeerId([at; 32]), Vec::new())).collect();
        save_to(&path, &many).unwrap();
        assert_eq!(load_from(&path).len(), MAX_MEMBERS);
    }
}
