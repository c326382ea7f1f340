//! The picture.

use crate::sim::scenario::Report;

pub(super) fn draw(_report: &Report) -> Result<String, String> {
    Ok(String::new())
}
