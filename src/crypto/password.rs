//! From a password to the key that signs grants (security.md, "Posting and publishing keys").
//!
//! A generated password has 130 bits and needs no stretching: its key's seed is HMAC-SHA-256 of its 26 letters under
//! `p2pt/1 password` 00. A person's password is stretched by Argon2id (RFC 9106, version 0x13) with the salt and the
//! costs that stand in the groupspec; the 32 bytes that come out are the seed. Costs above the limits are refused before any
//! work is done, since a groupspec may come from anybody.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::mac::hmac;
use super::sign::SignKey;
use crate::base::Rng;

/// Letters of a generated password: Crockford's base 32, without I, L, O and U.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters that a generated password has: 130 bits.
const LEN: usize = 26;
/// Letters between two hyphens.
const GROUP: usize = 5;
/// What the generated password is hashed under.
const LABEL: &[u8] = b"p2pt/1 password\0";

/// The most memory that a password may cost, in KiB: 1 GiB.
pub const MAX_MEMORY: u32 = 1 << 20;
/// The most passes over the memory that a password may cost.
pub const MAX_PASSES: u32 = 16;
/// The most lanes.
pub const MAX_LANES: u32 = 64;

/// How a person's password is stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The salt.
    pub salt: [u8; 16],
    /// Memory, in KiB: from 8 for each lane to [`MAX_MEMORY`].
    pub memory: u32,
    /// Passes: from 1 to [`MAX_PASSES`].
    pub passes: u32,
    /// Lanes: from 1 to [`MAX_LANES`].
    pub lanes: u32,
}

/// Why a password gave no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The groupspec asks for more than a password may cost, or for what Argon2 does not do.
    #[error("the groupspec wants {memory} KiB and {passes} passes for a password; at most 1 GiB and 16 are done")]
    Cost {
        /// Memory, in KiB.
        memory: u32,
        /// Passes.
        passes: u32,
    },
    /// It is not the one.
    #[error("the password is wrong")]
    Wrong,
}

impl Stretch {
    /// What new groupspecs ask for: 64 MiB, three passes, four lanes.
    #[must_use]
    pub const fn standard(salt: [u8; 16]) -> Self {
        Self { salt, memory: 64 << 10, passes: 3, lanes: 4 }
    }

    fn seed(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, PasswordError> {
        let Self { memory, passes, lanes, .. } = *self;
        let cost = PasswordError::Cost { memory, passes };
        if memory > MAX_MEMORY || passes > MAX_PASSES || lanes > MAX_LANES {
            return Err(cost);
        }
        let params = Params::new(memory, passes, lanes, Some(32)).map_err(|_| cost)?;
        let mut seed = Zeroizing::new([0; 32]);
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(password.as_bytes(), &self.salt, seed.as_mut_slice()).map_err(|_| cost)?;
        Ok(seed)
    }
}

/// The key that grows from a password. Without `stretch` it has to be one that [`generate`] made; hyphens, spaces and case
/// do not matter in it, O is 0, I and L are 1.
///
/// # Errors
/// [`PasswordError`].
pub fn key(password: &str, stretch: Option<&Stretch>) -> Result<SignKey, PasswordError> {
    let seed = match stretch {
        Some(stretch) => stretch.seed(password)?,
        None => {
            let letters = letters(password).ok_or(PasswordError::Wrong)?;
            Zeroizing::new(hmac(LABEL, &[letters.as_slice()]))
        }
    };
    Ok(SignKey::from_seed(&seed))
}

/// A new password of 130 bits, in groups that can be read out.
#[must_use]
pub fn generate(rng: &mut Rng) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(LEN + LEN / GROUP));
    for at in 0..LEN {
        if at > 0 && at % GROUP == 0 && at + 1 < LEN {
            text.push('-');
        }
        text.push(char::from(LETTERS[(rng.u32() % 32) as usize]));
    }
    text
}

/// The letters of a generated password as they are hashed; `None` if it is none.
fn letters(password: &str) -> Option<Zeroizing<[u8; LEN]>> {
    let mut letters = Zeroizing::new([0; LEN]);
    let mut count = 0;
    for c in password.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        };
        let letter = u8::try_from(c).ok().filter(|letter| LETTERS.contains(letter))?;
        *letters.get_mut(count)? = letter;
        count += 1;
    }
    (count == LEN).then_some(letters)
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Argon2id, {} KiB, {} passes, {} lanes", self.memory, self.passes, self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_is_read_as_people_write_it() {
        let mut rng = Rng::for_simulation(4);
        let password = generate(&mut rng);
        assert_eq!(password.len(), 26 + 4, "{}", *password);
        assert_ne!(*password, *generate(&mut rng));
        let same = key(&password, None).unwrap().public();
        let sloppy = format!(" {}\n", password.to_uppercase().replace('-', " ").replace('0', "o").replace('1', "I"));
        assert_eq!(key(&sloppy, None).unwrap().public(), same);
        let short = &password[..password.len() - 1];
        for wrong in ["", "password", short, &format!("{}0", *password), &password.replace('-', "u")] {
            assert_eq!(key(wrong, None).err(), Some(PasswordError::Wrong), "{wrong}");
        }
    }

    #[test]
    fn stretching_depends_on_everything() {
        // Small costs: what they are is beside the point here.
        let stretch = Stretch { salt: [1; 16], memory: 64, passes: 1, lanes: 4 };
        let public = |password: &str, stretch: &Stretch| key(password, Some(stretch)).unwrap().public();
        let first = public("correct horse", &stretch);
        assert_eq!(public("correct horse", &stretch), first);
        assert_ne!(public("correct horsf", &stretch), first);
        for other in [
            Stretch { salt: [2; 16], ..stretch },
            Stretch { memory: 128, ..stretch },
            Stretch { passes: 2, ..stretch },
            Stretch { lanes: 2, ..stretch },
        ] {
            assert_ne!(public("correct horse", &other), first, "{other}");
        }
    }

    #[test]
    fn what_costs_too_much_is_refused_before_any_work() {
        let standard = Stretch::standard([0; 16]);
        for greedy in [
            Stretch { memory: MAX_MEMORY + 1, ..standard },
            Stretch { memory: u32::MAX, ..standard },
            Stretch { passes: MAX_PASSES + 1, ..standard },
            Stretch { lanes: MAX_LANES + 1, ..standard },
            Stretch { passes: 0, ..standard },
            Stretch { lanes: 0, ..standard },
            Stretch { memory: 31, ..standard },
        ] {
            assert!(matches!(key("p", Some(&greedy)), Err(PasswordError::Cost { .. })), "{greedy}");
        }
    }
}
