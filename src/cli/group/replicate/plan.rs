//! Where what is fetched goes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{disk, exists};
use crate::base::to_hex;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::output::Event;
use crate::cli::status::Status;
use crate::cli::units::show_size;
use crate::node::files::{List, Shape, Tree};
use crate::runtime::files::{Library, Part, PartError, Paths, copy_whole, hash_file, make_folders};

/// Files of a list that are fetched at once.
const AT_ONCE: usize = 16;
/// Names that are shown of a list.
const SHOWN: usize = 20;

/// A file that is still to be fetched: everywhere it goes.
struct Wanted {
    shape: Shape,
    targets: Vec<PathBuf>,
}

/// What is still to be done.
#[derive(Default)]
pub(super) struct Plan {
    wanted: BTreeMap<[u8; 32], Wanted>,
    waiting: VecDeque<[u8; 32]>,
    active: BTreeSet<[u8; 32]>,
    /// Bytes of files that are whole.
    whole: u64,
    total: u64,
    force: bool,
    list: bool,
}

impl Plan {
    /// One file.
    pub(super) fn single(hash: [u8; 32], shape: Shape, target: PathBuf, force: bool) -> Self {
        let mut plan = Self { total: shape.size(), force, ..Self::default() };
        plan.wanted.insert(hash, Wanted { shape, targets: vec![target] });
        plan.waiting.push_back(hash);
        plan
    }

    /// Nothing, since all is there.
    pub(super) fn nothing(size: u64) -> Self {
        Self { whole: size, total: size, ..Self::default() }
    }

    /// The file is being fetched already.
    pub(super) fn adopt(&mut self, hash: [u8; 32]) {
        self.waiting.retain(|waiting| *waiting != hash);
        self.active.insert(hash);
    }

    /// The files of a list, below a folder. Those that are there already, and are the same, are shared at once.
    pub(super) fn list(
        list: &List,
        folder: &Path,
        force: bool,
        mut there: BTreeMap<PathBuf, Tree>,
        library: &mut Library,
    ) -> Result<Self, Failure> {
        let mut plan = Self { total: list.total(), force, list: true, ..Self::default() };
        for file in list.files() {
            library.reserve(file.hash);
        }
        for file in list.files() {
            let target = folder.join(&file.name);
            let shape = Shape::new(file.size).expect("a list has no larger file");
            if let Ok(about) = fs::symlink_metadata(&target) {
                if let Some(tree) = there.remove(&target).filter(|tree| tree.root() == file.hash) {
                    plan.whole += file.size;
                    library.share(target, tree);
                    continue;
                }
                if about.is_dir() || !force {
                    return Err(exists(&target));
                }
            }
            let wanted = plan.wanted.entry(file.hash).or_insert_with(|| {
                plan.waiting.push_back(file.hash);
                Wanted { shape, targets: Vec::new() }
            });
            wanted.targets.push(target);
        }
        Ok(plan)
    }

    /// As many files as go at once.
    pub(super) fn begin(&mut self, folder: Option<&Path>) -> Result<Vec<Begun>, Failure> {
        let mut begun = Vec::new();
        while self.active.len() < AT_ONCE
            && let Some(hash) = self.waiting.pop_front()
        {
            let wanted = &self.wanted[&hash];
            let target = &wanted.targets[0];
            if let Some(folder) = folder {
                make_folders(folder, target).map_err(disk)?;
            }
            begun.push(Begun { hash, shape: wanted.shape, paths: paths(target)? });
            self.active.insert(hash);
        }
        Ok(begun)
    }

    /// A file is whole: it goes to its places.
    pub(super) fn finish(
        &mut self,
        hash: &[u8; 32],
        folder: Option<&Path>,
        library: &mut Library,
    ) -> Result<(), Failure> {
        let Some(wanted) = self.wanted.remove(hash) else { return Ok(()) };
        if let Some(folder) = folder {
            // Somebody may have put a link there meanwhile.
            make_folders(folder, &wanted.targets[0]).map_err(disk)?;
        }
        library.finish(hash, self.force).map_err(disk)?;
        self.active.remove(hash);
        for target in &wanted.targets[1..] {
            if let Some(folder) = folder {
                make_folders(folder, target).map_err(disk)?;
            }
            copy_whole(&wanted.targets[0], target, self.force).map_err(disk)?;
        }
        self.whole += wanted.shape.size() * wanted.targets.len() as u64;
        Ok(())
    }

    /// Files that are being fetched.
    pub(super) fn active(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.active.iter()
    }

    /// What a file that is being fetched is called.
    pub(super) fn name(&self, hash: &[u8; 32]) -> String {
        let target = self.wanted.get(hash).and_then(|wanted| wanted.targets[0].file_name());
        target.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether it is of several files.
    pub(super) const fn is_list(&self) -> bool {
        self.list
    }

    pub(super) fn is_done(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Bytes that are there, and bytes of all.
    pub(super) fn bytes(&self, library: &Library) -> (u64, u64) {
        let parts: u64 = self.active.iter().filter_map(|hash| library.part(hash)).map(|part| part.bytes()).sum();
        (self.whole + parts, self.total)
    }
}

/// A file whose fetch begins.
pub(super) struct Begun {
    hash: [u8; 32],
    shape: Shape,
    paths: Paths,
}

impl Begun {
    /// Opens its part, and looks through what is there of it.
    fn open(self) -> Result<Part, PartError> {
        match Part::resume(&self.paths, self.hash)? {
            Some(part) if part.tree().shape() == self.shape => Ok(part),
            other => {
                drop(other);
                Part::create(&self.paths, self.hash, self.shape)
            }
        }
    }
}

/// Their parts, opened where waiting for the disk holds nobody up.
pub(super) async fn opened(begun: Vec<Begun>) -> Result<Vec<Part>, Failure> {
    aside(move || begun.into_iter().map(Begun::open).collect::<Result<_, _>>()).await?.map_err(disk)
}

/// The trees of the files of a list that seem to be there already.
pub(super) async fn there(list: &List, folder: &Path) -> Result<BTreeMap<PathBuf, Tree>, Failure> {
    let files: Vec<(PathBuf, u64)> = list.files().iter().map(|file| (folder.join(&file.name), file.size)).collect();
    aside(move || {
        let is_there = |(path, size): &(PathBuf, u64)| {
            fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.len() == *size)
        };
        let hashed = |path: PathBuf| Some((path.clone(), hash_file(&path).ok()?));
        files.into_iter().filter(is_there).filter_map(|(path, _)| hashed(path)).collect()
    })
    .await
}

/// Does something on a thread that may wait for the disk.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|why| Failure::new(Status::Failed, "read and write files", why))
}

/// The files beside a target.
pub(super) fn paths(target: &Path) -> Result<Paths, Failure> {
    Paths::of(target).ok_or_else(|| Failure::usage(format_args!("{} is no name of a file", target.display())))
}

/// Lists what will come, and asks on a terminal.
pub(super) async fn confirmed(call: &Call, list: &List, folder: &Path) -> Result<(), Failure> {
    let (count, size) = (list.files().len(), show_size(list.total()));
    call.out.say(format_args!("{count} files, {size}, will come into {}:", folder.display()));
    for file in list.files().iter().take(SHOWN) {
        call.out.say(format_args!("  {}  {}", file.name, show_size(file.size)));
    }
    for file in list.files() {
        let event = Event::new("listed").with("name", file.name.clone()).with("bytes", file.size);
        call.out.event(event.with("hash", to_hex(&file.hash)))?;
    }
    if count > SHOWN {
        call.out.say(format_args!("  and {} more", count - SHOWN));
    }
    if call.switch("yes") || !io::IsTerminal::is_terminal(&io::stderr()) {
        return Ok(());
    }
    let answer = tokio::task::spawn_blocking(|| {
        crate::cli::prompt::Terminal::open().is_none_or(|mut terminal| terminal.confirm("Fetch them?").unwrap_or(false))
    });
    match answer.await {
        Ok(true) => Ok(()),
        _ => Err(Failure::new(Status::Refused, "fetch them", "you said no")),
    }
}
