//! The folder of control sockets, and which one is a group's.
//!
//! The folder is ours alone: made 0700, refused if it is a symbolic link, another's, or open to others. A socket is
//! 0600, and named by the first 16 bytes of SHA-256 of the group ID. Whoever connects, or is connected to, has to be of our
//! own user, as the kernel says.

use sha2::{Digest as _, Sha256};

use crate::base::to_hex;
use crate::group::GroupId;

/// The name of what concerns a group, which does not tell which group it is.
pub(super) fn name_of(group: GroupId) -> String {
    to_hex(&Sha256::digest(group.0)[..16])
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
    use std::path::{Path, PathBuf};

    use tokio::net::{UnixListener, UnixStream};

    use super::name_of;
    use crate::group::GroupId;

    /// A socket that is removed when dropped.
    #[derive(Debug)]
    pub(in crate::cli::group) struct Bound {
        pub(in crate::cli::group) listener: UnixListener,
        path: PathBuf,
    }

    impl Drop for Bound {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn own_uid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn folder() -> PathBuf {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        runtime.map_or_else(|| PathBuf::from(format!("/tmp/p2pt-{}", own_uid())), |path| path.join("p2pt"))
    }

    /// An error unless the folder is ours alone.
    fn check(folder: &Path) -> io::Result<()> {
        let meta = fs::symlink_metadata(folder)?;
        let refused =
            |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {why}", folder.display())));
        if !meta.is_dir() {
            return refused("is no folder");
        }
        if meta.uid() != own_uid() {
            return refused("belongs to another user");
        }
        if meta.mode() & 0o077 != 0 {
            return refused("is open to others");
        }
        Ok(())
    }

    /// Listens for this user's commands. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// `AddrInUse` if another membership of this group runs here; else what the system says.
    pub(in crate::cli::group) fn listen(group: GroupId) -> io::Result<Bound> {
        listen_in(&folder(), group)
    }

    fn listen_in(folder: &Path, group: GroupId) -> io::Result<Bound> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => check(folder)?,
        }
        let path = folder.join(name_of(group));
        // Two that start at once take turns, so that neither removes what the other has just made.
        let turn = fs::File::open(folder)?;
        turn.lock()?;
        if path.symlink_metadata().is_ok() {
            if std::os::unix::net::UnixStream::connect(&path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            fs::remove_file(&path)?;
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Bound { listener, path })
    }

    /// Connects to the membership of this group that runs here; `None` if none does.
    pub(in crate::cli::group) async fn connect(group: GroupId) -> Option<UnixStream> {
        connect_in(&folder(), group).await
    }

    async fn connect_in(folder: &Path, group: GroupId) -> Option<UnixStream> {
        check(folder).ok()?;
        let stream = UnixStream::connect(folder.join(name_of(group))).await.ok()?;
        is_ours(&stream).then_some(stream)
    }

    /// Whether the process at the other end is of our own user.
    pub(in crate::cli::group) fn is_ours(stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| peer.uid() == own_uid())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const GROUP: GroupId = GroupId([3; 32]);

        #[tokio::test]
        async fn a_socket_is_ours_alone_and_a_stale_one_is_replaced() {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path().join("p2pt");
            assert!(connect_in(&folder, GROUP).await.is_none());
            let bound = listen_in(&folder, GROUP).unwrap();
            let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o777;
            assert_eq!((mode(&folder), mode(&bound.path)), (0o700, 0o600));
            assert!(connect_in(&folder, GROUP).await.is_some());
            assert_eq!(listen_in(&folder, GROUP).unwrap_err().kind(), io::ErrorKind::AddrInUse);
            // As after kill -9: the name is there, and nobody listens.
            let path = bound.path.clone();
            let stale = home.path().join("stale");
            fs::hard_link(&path, &stale).unwrap();
            drop(bound);
            fs::rename(&stale, &path).unwrap();
            assert!(connect_in(&folder, GROUP).await.is_none());
            let again = listen_in(&folder, GROUP).unwrap();
            assert!(connect_in(&folder, GROUP).await.is_some());
            drop(again);
            assert!(!path.exists());
        }

        #[tokio::test]
        async fn a_folder_that_others_can_write_to_or_a_link_is_refused() {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path().join("p2pt");
            let bound = listen_in(&folder, GROUP).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).unwrap();
            assert!(connect_in(&folder, GROUP).await.is_none());
            assert!(listen_in(&folder, GroupId([4; 32])).is_err());
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
            let link = home.path().join("link");
            std::os::unix::fs::symlink(&folder, &link).unwrap();
            assert!(connect_in(&link, GROUP).await.is_none());
            assert!(listen_in(&link, GroupId([4; 32])).is_err());
            drop(bound);
        }
    }
}

#[cfg(unix)]
pub(super) use unix::{Bound, connect, is_ours, listen};
