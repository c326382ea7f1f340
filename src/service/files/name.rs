//! Names that may be given to files here, whoever chose them.

/// Bytes of a name at most; file systems take 255, and the part file's name is longer than the file's.
pub const MAX_NAME: usize = 240;
/// Bytes of a path at most.
pub const MAX_PATH: usize = 1024;
/// Endings of our own files beside a target.
const OURS: [&str; 2] = [".p2pt-part", ".p2pt-state"];
/// What some systems take for a device, whatever its ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Why a name is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// It is empty, or a part of it is.
    #[error("a part of the name is empty")]
    Empty,
    /// `.` or `..`.
    #[error("the name leads elsewhere")]
    Elsewhere,
    /// `/` in a single name, `\` or `:`: elsewhere they divide folders or name disks.
    #[error("a character that divides folders")]
    Divider,
    /// A control character, or one that turns the direction of writing.
    #[error("a character that cannot be seen")]
    Control,
    /// The name of a device, one of our own files, or one that ends with a space or full stop.
    #[error("the name is reserved")]
    Reserved,
    /// More bytes than [`MAX_NAME`] or [`MAX_PATH`].
    #[error("the name is too long")]
    TooLong,
}

/// Whether a single name, without folders, may be given to a file.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name == "." || name == ".." {
        return Err(NameFault::Elsewhere);
    }
    if name.len() > MAX_NAME {
        return Err(NameFault::TooLong);
    }
    if name.contains(['/', '\\', ':']) {
        return Err(NameFault::Divider);
    }
    if name.chars().any(is_hidden) {
        return Err(NameFault::Control);
    }
    if name.ends_with([' ', '.']) || is_device(name) || OURS.iter().any(|ending| name.ends_with(ending)) {
        return Err(NameFault::Reserved);
    }
    Ok(())
}

/// Whether a path of names divided by `/` may be made below a folder.
///
/// # Errors
/// What is wrong with it.
pub fn check_path(path: &str) -> Result<(), NameFault> {
    if path.len() > MAX_PATH {
        return Err(NameFault::TooLong);
    }
    path.split('/').try_for_each(check_name)
}

/// The name, or the nearest one that is safe.
#[must_use]
pub fn safe_name(name: &str) -> String {
    let replace = |c: char| if is_hidden(c) || matches!(c, '/' | '\\' | ':') { '_' } else { c };
    let mut safe: String = name.chars().map(replace).collect();
    while safe.len() > MAX_NAME - 1 {
        safe.pop();
    }
    while safe.ends_with([' ', '.']) {
        safe.pop();
    }
    if safe.is_empty() || is_device(&safe) {
        safe.insert(0, '_');
    }
    if OURS.iter().any(|ending| safe.ends_with(ending)) {
        safe.push('_');
    }
    safe
}

/// Control characters, line and paragraph separators, and what turns the direction of writing or is not seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let numbered = |stem: &str| {
        let digit = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
        digit.is_some_and(|digit| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem.as_str()) || numbered(&stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let table = [
            ("", NameFault::Empty),
            ("/etc/passwd", NameFault::Empty),
            ("a//b", NameFault::Empty),
            ("a/", NameFault::Empty),
            ("..", NameFault::Elsewhere),
            ("a/../b", NameFault::Elsewhere),
            ("./a", NameFault::Elsewhere),
            ("a\\..\\b", NameFault::Divider),
            ("C:evil", NameFault::Divider),
            ("a\nb", NameFault::Control),
            ("a\u{1b}[2Jb", NameFault::Control),
            ("gpj.\u{202e}exe", NameFault::Control),
            ("a\0b", NameFault::Control),
            ("NUL", NameFault::Reserved),
            ("folder/com1.txt", NameFault::Reserved),
            ("a.", NameFault::Reserved),
            (".a.p2pt-part", NameFault::Reserved),
        ];
        for (path, fault) in table {
            assert_eq!(check_path(path), Err(fault), "{path:?}");
        }
        assert_eq!(check_path(&"a".repeat(241)), Err(NameFault::TooLong));
        assert_eq!(check_path(&["a"; 600].join("/")), Err(NameFault::TooLong));
        for path in ["a", ".hidden", "a/b c/ü.txt", "communism", "..a", "a b", "COM10"] {
            assert_eq!(check_path(path), Ok(()), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_can_be_made_safe(name in any::<String>()) {
            let safe = safe_name(&name);
            prop_assert_eq!(check_name(&safe), Ok(()), "{:?}", safe);
            if check_name(&name).is_ok() && name.len() < MAX_NAME {
                prop_assert_eq!(safe, name);
            }
        }

        #[test]
        fn nearly_reserved_names_too(name in "(con|aux|com|lpt|nul)?[0-9 .:_/-]{0,4}(\\.p2pt-part|\\.p2pt-state)?[. ]{0,2}") {
            prop_assert_eq!(check_name(&safe_name(&name)), Ok(()));
        }
    }
}
