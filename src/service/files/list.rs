//! A list of files, as it is hashed and sent.

use super::name::{NameFault, check_path};
use super::shape::{Shape, TooLarge};
use crate::wire::vlu;

/// What a list begins with.
const MARK: &[u8] = b"p2pt list 1\0";
/// Files in a list at most.
pub const MAX_FILES: usize = 100_000;
/// Bytes of a list at most.
pub const MAX_LIST: usize = 16 << 20;

/// A file in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Where it belongs below the folder, parts divided by `/`; safe.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its BLAKE3 hash.
    pub hash: [u8; 32],
}

/// Files with safe names in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    files: Vec<Listed>,
}

/// Why there is no such list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// The bytes are none, end too early, go on after the end, or have numbers that are longer than they need be.
    #[error("these bytes are no list of files")]
    Malformed,
    /// A name is not safe.
    #[error("the name {0:?} is refused: {1}")]
    Name(String, NameFault),
    /// Names are not in ascending order, or one stands twice.
    #[error("the name {0:?} stands in the wrong place")]
    Order(String),
    /// A name is a file's and a folder's.
    #[error("the name {0:?} is a file's and a folder's")]
    FileAndFolder(String),
    /// A file is too large.
    #[error(transparent)]
    Size(#[from] TooLarge),
    /// More than [`MAX_FILES`], or [`MAX_LIST`] bytes.
    #[error("too many files for one list")]
    TooMany,
}

impl List {
    /// Of these files, in any order.
    ///
    /// # Errors
    /// If a name is not safe or there twice, a file too large, or there are too many.
    pub fn new(mut files: Vec<Listed>) -> Result<Self, ListFault> {
        files.sort();
        let list = Self { files };
        list.check()?;
        if list.encode().len() > MAX_LIST {
            return Err(ListFault::TooMany);
        }
        Ok(list)
    }

    /// From its bytes.
    ///
    /// # Errors
    /// If they are not those of a list.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListFault> {
        if bytes.len() > MAX_LIST {
            return Err(ListFault::TooMany);
        }
        let mut rest = bytes.strip_prefix(MARK).ok_or(ListFault::Malformed)?;
        let count = number(&mut rest)?;
        if count > MAX_FILES as u64 {
            return Err(ListFault::TooMany);
        }
        let mut files = Vec::new();
        for _ in 0..count {
            let len = usize::try_from(number(&mut rest)?).map_err(|_| ListFault::Malformed)?;
            let (name, after) = rest.split_at_checked(len).ok_or(ListFault::Malformed)?;
            rest = after;
            let name = std::str::from_utf8(name).map_err(|_| ListFault::Malformed)?.to_owned();
            let size = number(&mut rest)?;
            let (hash, after) = rest.split_first_chunk::<32>().ok_or(ListFault::Malformed)?;
            rest = after;
            files.push(Listed { name, size, hash: *hash });
        }
        if !rest.is_empty() {
            return Err(ListFault::Malformed);
        }
        let list = Self { files };
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), ListFault> {
        if self.files.len() > MAX_FILES {
            return Err(ListFault::TooMany);
        }
        let mut before: Option<&Listed> = None;
        // Whatever stands above, so that `a` is found though `a b` comes between it and `a/b`.
        let mut names = std::collections::BTreeSet::new();
        for file in &self.files {
            check_path(&file.name).map_err(|fault| ListFault::Name(file.name.clone(), fault))?;
            if before.is_some_and(|before| before.name >= file.name) {
                return Err(ListFault::Order(file.name.clone()));
            }
            Shape::new(file.size)?;
            // Folders of the name before were looked for with it: or deep ones would be looked for again and again.
            let common = before.map_or(0, |before| {
                before.name.bytes().zip(file.name.bytes()).take_while(|(one, other)| one == other).count()
            });
            let folders = file.name.match_indices('/').filter(|&(at, _)| at >= common).map(|(at, _)| &file.name[..at]);
            for folder in folders {
                if names.contains(folder) {
                    return Err(ListFault::FileAndFolder(folder.to_owned()));
                }
            }
            names.insert(file.name.as_str());
            before = Some(file);
        }
        Ok(())
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MARK.to_vec();
        vlu::put(&mut out, self.files.len() as u64);
        for file in &self.files {
            vlu::put(&mut out, file.name.len() as u64);
            out.extend_from_slice(file.name.as_bytes());
            vlu::put(&mut out, file.size);
            out.extend_from_slice(&file.hash);
        }
        out
    }

    /// The files, by name.
    #[must_use]
    pub fn files(&self) -> &[Listed] {
        &self.files
    }

    /// Bytes of all files.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}

/// A number in its shortest form.
fn number(rest: &mut &[u8]) -> Result<u64, ListFault> {
    let before = rest.len();
    let value = vlu::take(rest).map_err(|_| ListFault::Malformed)?;
    if before - rest.len() == vlu::len(value) { Ok(value) } else { Err(ListFault::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(name: &str, size: u64) -> Listed {
        Listed { name: name.into(), size, hash: [size as u8; 32] }
    }

    #[test]
    fn there_is_one_way_to_write_a_list() {
        let list = List::new(vec![file("b", 2), file("a/c", 1)]).unwrap();
        let bytes = list.encode();
        let wanted = [&b"p2pt list 1\0\x02\x03a/c\x01"[..], &[1; 32], b"\x01b\x02", &[2; 32]].concat();
        assert_eq!(bytes, wanted);
        assert_eq!(List::parse(&bytes), Ok(list));
        for cut in 0..bytes.len() {
            assert!(List::parse(&bytes[..cut]).is_err());
        }
        assert_eq!(List::parse(&[&bytes[..], b"x"].concat()), Err(ListFault::Malformed));
        let long = [&bytes[..12], b"\x80\x02", &bytes[13..]].concat();
        assert_eq!(List::parse(&long), Err(ListFault::Malformed), "a long number");
    }

    #[test]
    fn names_that_contradict_each_other_are_refused() {
        assert_eq!(List::new(vec![file("a", 1), file("a", 2)]), Err(ListFault::Order("a".into())));
        let both = vec![file("a", 1), file("a b", 1), file("a/b", 2)];
        assert_eq!(List::new(both), Err(ListFault::FileAndFolder("a".into())));
        assert!(matches!(List::new(vec![file("../a", 1)]), Err(ListFault::Name(_, NameFault::Elsewhere))));
        let swapped = List { files: vec![file("b", 1), file("a", 1)] }.encode();
        assert_eq!(List::parse(&swapped), Err(ListFault::Order("a".into())));
        assert!(matches!(List::new(vec![file("a", u64::MAX)]), Err(ListFault::Size(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_not(bytes: Vec<u8>, marked: bool) {
            let bytes = if marked { [MARK, &bytes].concat() } else { bytes };
            if let Ok(list) = List::parse(&bytes) {
                prop_assert_eq!(list.encode(), bytes);
            }
        }

        #[test]
        fn lists_are_read_again(names in proptest::collection::btree_set("[a-z]{1,3}(/[a-z]{1,3}){0,2}", 0..8), size: u32) {
            let files = names.iter().map(|name| file(name, u64::from(size))).collect();
            if let Ok(list) = List::new(files) {
                prop_assert_eq!(List::parse(&list.encode()), Ok(list));
            }
        }
    }
}
