//! Numbers for people.

/// A number of bytes.
pub(super) fn bytes_text(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        _ => indicatif::BinaryBytes(bytes).to_string(),
    }
}
