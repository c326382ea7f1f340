//! Names that are one name where files are kept.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization as _;

use super::list::MAX_FILES;
use super::name::{MAX_NAME, MAX_PATH, check_path};

/// The first number that no file gets.
const LAST: u32 = 2 * MAX_FILES as u32;

/// What a disk makes no difference of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Folding {
    /// Between capitals and small letters.
    pub case: bool,
    /// Between a letter with its accent, and the letter and the accent one after the other.
    pub accents: bool,
}

impl Folding {
    /// All of it.
    pub const ALL: Self = Self { case: true, accents: true };

    /// What all names have in common that are one name.
    fn folded(self, name: &str) -> String {
        let accents = |name: &str| if self.accents { name.nfd().collect() } else { name.to_owned() };
        if !self.case {
            return accents(name);
        }
        // By way of capitals, of which there are fewer.
        let letters = accents(name);
        let capitals: String = letters.chars().flat_map(char::to_uppercase).collect();
        accents(&capitals.chars().flat_map(char::to_lowercase).collect::<String>())
    }
}

/// Other names for those that a disk would take for one that stands before them, or for a folder's; `names` in their order.
#[must_use]
pub fn apart<'a>(names: &[&'a str], folding: Folding) -> BTreeMap<&'a str, String> {
    let mut others = BTreeMap::new();
    if folding == Folding::default() {
        return others;
    }
    let keys: Vec<String> = names.iter().map(|name| folding.folded(name)).collect();
    let folders: BTreeSet<&str> =
        keys.iter().flat_map(|key| key.match_indices('/').map(|(at, _)| &key[..at])).collect();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut clashing = Vec::new();
    for (name, key) in names.iter().zip(&keys) {
        if folders.contains(key.as_str()) || !taken.insert(key.clone()) {
            clashing.push(*name);
        }
    }
    // Where the numbers go on, so that many of one name cost no more than each its own.
    let mut next: BTreeMap<String, u32> = BTreeMap::new();
    for name in clashing {
        let number = next.entry(folding.folded(name)).or_insert(2);
        let others_of = (*number..LAST).map(|number| (number, numbered(name, number)));
        let other = others_of.take_while(|(_, other)| check_path(other).is_ok()).find(|(_, other)| {
            let key = folding.folded(other);
            !folders.contains(key.as_str()) && taken.insert(key)
        });
        // There is one but where the folder's name leaves no room: then the second file is not written over the first.
        if let Some((found, other)) = other {
            *number = found + 1;
            others.insert(name, other);
        } else {
            *number = LAST;
        }
    }
    others
}

/// `folder/film.mkv` as `folder/film (2).mkv`.
fn numbered(path: &str, number: u32) -> String {
    let (folder, name) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
    let (stem, ending) = match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= 16 => name.split_at(at),
        _ => (name, ""),
    };
    let mark = format!(" ({number})");
    let most = MAX_NAME.min(MAX_PATH.saturating_sub(folder.len()));
    let mut room = most.saturating_sub(mark.len() + ending.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    format!("{folder}{}{mark}{ending}", &stem[..room])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_differs_in_case_or_accents_only_is_told_apart_where_it_has_to_be() {
        let names = ["A/x", "Film.mkv", "README", "Readme", "a/X", "film (2).mkv", "film.mkv", "readme"];
        assert!(apart(&names, Folding::default()).is_empty());
        assert!(apart(&names, Folding { accents: true, case: false }).is_empty());
        let case = apart(&names, Folding { case: true, accents: false });
        let wanted =
            [("Readme", "Readme (2)"), ("a/X", "a/X (2)"), ("film.mkv", "film (3).mkv"), ("readme", "readme (3)")];
        assert_eq!(case.iter().map(|(name, other)| (*name, other.as_str())).collect::<Vec<_>>(), wanted);
        let names = ["Cafe\u{301}", "cafe\u{301}", "caf\u{e9}"];
        let accents = apart(&names, Folding { accents: true, case: false });
        assert_eq!(accents.into_iter().collect::<Vec<_>>(), [("caf\u{e9}", "caf\u{e9} (2)".to_owned())]);
        assert_eq!(apart(&names, Folding::ALL).len(), 2);
        // A file that is called like a folder.
        let folder = apart(&["DOC", "doc/a"], Folding::ALL);
        assert_eq!(folder.into_iter().collect::<Vec<_>>(), [("DOC", "DOC (2)".to_owned())]);
        assert_eq!(apart(&["Stra\u{df}e", "strasse", "\u{3c3}", "\u{3c2}"], Folding::ALL).len(), 2);
    }

    #[test]
    fn many_of_one_name_and_names_without_room_are_done_with_soon() {
        let most: Vec<String> = (0..1_u32 << 13)
            .map(|number| (0..13).map(|bit| if number >> bit & 1 == 1 { 'a' } else { 'A' }).collect())
            .collect();
        let mut names: Vec<&str> = most.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(apart(&names, Folding::ALL).len(), most.len() - 1);
        let deep = "d/".repeat(511);
        let (one, other) = (format!("{deep}aa"), format!("{deep}aA"));
        assert!(apart(&[&other, &one], Folding::ALL).is_empty(), "there is no room for a number");
    }

    proptest! {
        #[test]
        fn none_is_left_that_is_another(names in proptest::collection::btree_set("[aAbé](/[aAb]|\\.[xX])?", 0..12)) {
            // As in a list: none is a folder of another.
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let is_folder = |one: &str| names.iter().any(|name| name.starts_with(&format!("{one}/")));
            let names: Vec<&str> = names.iter().copied().filter(|name| !is_folder(name)).collect();
            let others = apart(&names, Folding::ALL);
            let last: Vec<String> =
                names.iter().map(|name| Folding::ALL.folded(others.get(name).map_or(*name, String::as_str))).collect();
            let all: BTreeSet<&String> = last.iter().collect();
            prop_assert_eq!(all.len(), last.len());
            for one in &last {
                prop_assert!(!last.iter().any(|name| name.starts_with(&format!("{one}/"))), "{} is a folder", one);
            }
        }

        #[test]
        fn another_name_is_safe(name in "\\PC{1,250}") {
            let name = super::super::name::safe_name(&name);
            let names = [name.to_lowercase(), name.to_uppercase(), name];
            let mut names: Vec<&str> = names.iter().map(String::as_str).filter(|name| check_path(name).is_ok()).collect();
            names.sort_unstable();
            names.dedup();
            for other in apart(&names, Folding::ALL).values() {
                prop_assert_eq!(check_path(other), Ok(()));
            }
        }
    }
}
