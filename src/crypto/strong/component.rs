//! The keying components of profile `strong`: one option with an ephemeral X25519 key. Further options are for later
//! versions; they are signed like everything else and ignored.

use crate::crypto::certificate::{STRONG_IDENTITY as KEYING, STRONG_MARK};
use crate::crypto::profile::Refusal;
use crate::wire::{OptionIter, WireOption, put_option};

/// Longest component.
const MAX_LEN: usize = 512;
/// Version of the keying.
const VERSION: u8 = 1;
/// X25519, Ed25519, HKDF-SHA-256, AES-128-GCM.
const SUITE: u8 = 1;

/// The component with this public key.
pub(super) fn encode(public: &[u8; 32]) -> Vec<u8> {
    let mut component = Vec::with_capacity(45);
    put_option(&mut component, KEYING, &[&STRONG_MARK[..], &[VERSION, SUITE], public].concat());
    component
}

/// The public key in a component.
pub(super) fn decode(component: &[u8]) -> Result<[u8; 32], Refusal> {
    if component.is_empty() || component.len() > MAX_LEN {
        return Err(Refusal::ComponentSize);
    }
    let mut options = OptionIter(component);
    let first = match options.next() {
        Some(Ok(WireOption::Option { kind: KEYING, value })) => value.strip_prefix(&STRONG_MARK),
        Some(Ok(_)) => None,
        Some(Err(_)) | None => return Err(Refusal::MalformedComponent),
    };
    let (versions, public) = first.and_then(|value| value.split_first_chunk()).ok_or(Refusal::WrongProfile)?;
    if versions != &[VERSION, SUITE] {
        return Err(Refusal::UnknownVersion);
    }
    if options.any(|option| option.is_err()) {
        return Err(Refusal::MalformedComponent);
    }
    public.try_into().map_err(|_| Refusal::MalformedComponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_45_bytes_and_may_be_followed_by_what_we_do_not_know() {
        let mut component = encode(&[9; 32]);
        assert_eq!(component.len(), 45);
        assert_eq!(decode(&component), Ok([9; 32]));
        put_option(&mut component, 0x7777, b"later");
        assert_eq!(decode(&component), Ok([9; 32]));
        component.pop();
        assert_eq!(decode(&component), Err(Refusal::MalformedComponent));
        component.resize(513, 0);
        assert_eq!(decode(&component), Err(Refusal::ComponentSize));
    }

    #[test]
    fn other_versions_and_profiles_have_their_own_refusal() {
        let good = encode(&[9; 32]);
        for at in 0..13 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let refusal = decode(&bad).expect_err("a changed component");
            match at {
                0 => assert_eq!(refusal, Refusal::MalformedComponent),
                11 | 12 => assert_eq!(refusal, Refusal::UnknownVersion, "byte {at}"),
                _ => assert_eq!(refusal, Refusal::WrongProfile, "byte {at}"),
            }
        }
        let mut behind = vec![2, 0x1d, 14];
        behind.extend_from_slice(&good);
        assert_eq!(decode(&behind), Err(Refusal::WrongProfile));
        assert_eq!(decode(&[]), Err(Refusal::ComponentSize));
    }
}
