//! Keying components (RFC 7425 section 4.5): a public key or randomness, and the terms.

use crate::crypto::certificate::{EXTRA_RANDOMNESS, STATIC_KEY as GROUP_SELECT, STRONG_MARK, group_of};
use crate::crypto::group::Group;
use crate::crypto::profile::Refusal;
use crate::wire::{OptionIter, WireOption, put_option, vlu};

use super::terms::{FarTerms, Terms};

/// Longest component that is looked at.
const MAX_LEN: usize = 4096;

/// Option: group and ephemeral public key.
const EPHEMERAL_KEY: u64 = 0x0d;
/// Option: flags, and how many bytes of HMAC its sender appends.
const HMAC: u64 = 0x1a;
/// Option: flags.
const SEQUENCE: u64 = 0x1e;

/// What the near end puts into its component besides its terms.
pub(super) enum Contribution<'a> {
    /// Its certificate is static: randomness, and from an initiator the group whose key is meant.
    Random(&'a [u8; 64]),
    /// Its certificate is ephemeral: a public key in a group.
    Key(Group, &'a [u8]),
}

/// The initiator's component, in the order that rtmfp-cpp and Flash Player have.
pub(super) fn encode_initiator(group: Group, contribution: &Contribution<'_>, terms: &Terms) -> Vec<u8> {
    let mut component = Vec::new();
    if let Contribution::Random(_) = contribution {
        put_option(&mut component, GROUP_SELECT, &[group.id()]);
    }
    put_contribution(&mut component, contribution);
    put_option(&mut component, HMAC, &[terms.hmac.flags(), terms.hmac_len]);
    put_option(&mut component, SEQUENCE, &[terms.sequence.flags()]);
    component
}

/// The responder's component, in the order that rtmfp-cpp has.
pub(super) fn encode_responder(contribution: &Contribution<'_>, terms: &Terms) -> Vec<u8> {
    let mut component = Vec::new();
    put_option(&mut component, SEQUENCE, &[terms.sequence.flags()]);
    put_option(&mut component, HMAC, &[terms.hmac.flags(), terms.hmac_len]);
    put_contribution(&mut component, contribution);
    component
}

fn put_contribution(component: &mut Vec<u8>, contribution: &Contribution<'_>) {
    match contribution {
        Contribution::Random(random) => put_option(component, EXTRA_RANDOMNESS, &random[..]),
        Contribution::Key(group, public) => {
            put_option(component, EPHEMERAL_KEY, &[&[group.id()], *public].concat());
        }
    }
}

/// A far end's component, read. Order, unknown options and randomness do not matter.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Component<'a> {
    pub(super) key: Option<(u64, &'a [u8])>,
    pub(super) group: Option<u64>,
    pub(super) terms: FarTerms,
}

impl<'a> Component<'a> {
    /// Reads a component.
    pub(super) fn parse(component: &'a [u8]) -> Result<Self, Refusal> {
        if component.is_empty() || component.len() > MAX_LEN {
            return Err(Refusal::ComponentSize);
        }
        if component.windows(STRONG_MARK.len()).any(|bytes| bytes == STRONG_MARK) {
            return Err(Refusal::WrongProfile);
        }
        let malformed = |_| Refusal::MalformedComponent;
        let mut read = Self::default();
        let mut open = true;
        for option in OptionIter(component) {
            match option.map_err(|_| Refusal::MalformedComponent)? {
                WireOption::Marker => open = false,
                WireOption::Option { kind, value } if open => match kind {
                    EPHEMERAL_KEY => read.key = Some(group_of(value).map_err(malformed)?),
                    GROUP_SELECT => read.group = Some(group_of(value).map_err(malformed)?.0),
                    HMAC => {
                        let (flags, mut len) = value.split_first().ok_or(Refusal::MalformedComponent)?;
                        read.terms.hmac_flags = *flags;
                        read.terms.hmac_len = vlu::take(&mut len).map_err(|_| Refusal::MalformedComponent)?;
                    }
                    SEQUENCE => read.terms.sequence_flags = *value.first().ok_or(Refusal::MalformedComponent)?,
                    _ => {}
                },
                WireOption::Option { .. } => {}
            }
        }
        Ok(read)
    }
}
