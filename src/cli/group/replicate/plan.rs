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
use crate::node::files::{Folding, List, Shape, apart};
use crate::runtime::files::{Hashed, Library, Part, PartError, Paths, copy_whole, folding, hash_file, make_folders};

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
    /// What only has to be copied from a file that is there, to where, and its bytes.
    copies: Vec<Copying>,
}

/// A copy that is to be made.
pub(super) struct Copying {
    from: PathBuf,
    to: PathBuf,
    bytes: u64,
}

/// Makes copies, below a folder; how many bytes that were.
pub(super) fn copied(copies: &[Copying], folder: Option<&Path>, force: bool) -> Result<u64, PartError> {
    for Copying { from, to, .. } in copies {
        if let Some(folder) = folder {
            make_folders(folder, to)?;
        }
        copy_whole(from, to, force)?;
    }
    Ok(copies.iter().map(|copy| copy.bytes).sum())
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

    /// The files of a list, each at its target. Those that are there already, and are the same, are shared at once.
    pub(super) fn list(
        list: &List,
        targets: Vec<PathBuf>,
        force: bool,
        mut there: BTreeMap<PathBuf, Hashed>,
        library: &mut Library,
    ) -> Result<Self, Failure> {
        let mut plan = Self { total: list.total(), force, list: true, ..Self::default() };
        for file in list.files() {
            library.reserve(file.hash);
        }
        let mut sources: BTreeMap<[u8; 32], PathBuf> = BTreeMap::new();
        for (file, target) in list.files().iter().zip(targets) {
            let shape = Shape::new(file.size).expect("a list has no larger file");
            if let Ok(about) = fs::symlink_metadata(&target) {
                if let Some(hashed) = there.remove(&target).filter(|found| found.tree.root() == file.hash) {
                    plan.whole += file.size;
                    sources.insert(file.hash, target.clone());
                    library.share(target, hashed);
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
        // What is there once need not come again.
        for (hash, from) in sources {
            if let Some(wanted) = plan.wanted.remove(&hash) {
                plan.waiting.retain(|waiting| *waiting != hash);
                plan.copy(&from, &wanted.targets, wanted.shape.size());
            }
        }
        Ok(plan)
    }

    fn copy(&mut self, from: &Path, targets: &[PathBuf], bytes: u64) {
        self.copies.extend(targets.iter().map(|to| Copying { from: from.into(), to: to.clone(), bytes }));
    }

    /// The copies that are to be made now; once they are, [`Plan::has_copied`].
    pub(super) fn copies(&mut self) -> Vec<Copying> {
        std::mem::take(&mut self.copies)
    }

    /// So many bytes were copied.
    pub(super) const fn has_copied(&mut self, bytes: u64) {
        self.whole += bytes;
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
        let (first, others) = wanted.targets.split_first().expect("each goes somewhere");
        self.copy(first, others, wanted.shape.size());
        self.whole += wanted.shape.size();
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
        self.wanted.is_empty() && self.copies.is_empty()
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
pub(super) async fn there(list: &List, targets: &[PathBuf]) -> Result<BTreeMap<PathBuf, Hashed>, Failure> {
    let sizes = list.files().iter().map(|file| file.size);
    let files: Vec<(PathBuf, u64)> = targets.iter().cloned().zip(sizes).collect();
    aside(move || {
        let is_there = |(path, size): &(PathBuf, u64)| {
            fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.len() == *size)
        };
        let hashed = |path: PathBuf| Some((path.clone(), hash_file(&path).ok()?));
        files.into_iter().filter(is_there).filter_map(|(path, _)| hashed(path)).collect()
    })
    .await
}

/// Where the files of a list go.
pub(super) struct Targets {
    /// In the order of the list.
    pub(super) paths: Vec<PathBuf>,
    /// Names, and what the files are called instead, since the disk takes the name for that of a file before.
    pub(super) renamed: Vec<(String, String)>,
}

/// Where the files of a list go below a folder.
pub(super) fn targets(list: &List, folder: &Path) -> Result<Targets, PartError> {
    let names: Vec<&str> = list.files().iter().map(|file| file.name.as_str()).collect();
    let mut others = apart(&names, Folding::ALL);
    if !others.is_empty() {
        make_folders(folder, folder)?;
        others = apart(&names, folding(folder)?);
    }
    let named = |name: &&str| folder.join(others.get(name).map_or(*name, String::as_str));
    let paths = names.iter().map(named).collect();
    Ok(Targets { paths, renamed: others.into_iter().map(|(name, other)| (name.to_owned(), other)).collect() })
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
