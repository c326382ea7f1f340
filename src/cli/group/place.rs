//! Which group a command is for, and its operands behind that.

use crate::cli::address::{self, Rendezvous, Stdin};
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::group::Groupspec;

/// A group, and through whom it is joined.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) spec: Groupspec,
    pub(super) through: Option<Rendezvous>,
}

impl Place {
    /// The group that `text` or `P2PT_GROUP` names.
    pub(super) fn of(text: Option<&str>, stdin: Stdin) -> Result<Self, Failure> {
        let (spec, through) = address::group(text, stdin)?;
        Ok(Self { spec, through })
    }

    /// In words.
    pub(super) fn through(&self) -> String {
        self.through.as_ref().map_or_else(|| "on this LAN".to_owned(), |server| format!("through {}", server.host))
    }

    /// The group's name, or the beginning of its ID.
    pub(super) fn name(&self) -> String {
        let id = self.spec.id().to_string();
        self.spec.name().map_or_else(|| id[..8].to_owned(), |name| format!("{name:?} ({})", &id[..8]))
    }
}

/// The operands of a command whose first one, `GROUP`, may be left out: which group was named, and the others in their
/// order. With `P2PT_GROUP` set and not all operands there, the first is not the group.
pub(super) fn operands<const N: usize>(call: &Call, others: [&str; N]) -> (Option<String>, [Option<String>; N]) {
    let mut given: Vec<Option<String>> = std::iter::once("GROUP").chain(others).map(|name| call.text(name)).collect();
    if given.last().is_some_and(Option::is_none) && address::has_default_group() {
        given.rotate_right(1);
    }
    let mut given = given.into_iter();
    let group = given.next().flatten();
    (group, std::array::from_fn(|_| given.next().flatten()))
}
