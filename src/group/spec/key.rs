//! Posting and publishing keys: what a groupspec says of the password that posting, or publishing, needs.

use zeroize::Zeroizing;

use crate::base::Rng;
use crate::crypto::password::{self, PasswordError, Stretch};
use crate::crypto::sign::SignKey;
use crate::wire::vlu;

const VERSION: u8 = 1;

/// The key whose grants a group asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordKey {
    /// Its public part.
    pub public: [u8; 32],
    /// How a person's password becomes the key; `None` for a generated password, which cannot be guessed.
    pub stretch: Option<Stretch>,
}

impl PasswordKey {
    /// The key of a password, to be put into a new groupspec.
    ///
    /// # Errors
    /// [`PasswordError`]: without `stretch` it has to be a generated one.
    pub fn of(password: &str, stretch: Option<Stretch>) -> Result<Self, PasswordError> {
        Ok(Self { public: password::key(password, stretch.as_ref())?.public(), stretch })
    }

    /// A new password that cannot be guessed, and its key.
    #[must_use]
    pub fn generate(rng: &mut Rng) -> (Zeroizing<String>, Self) {
        let password = password::generate(rng);
        let key = Self::of(&password, None).expect("what was generated is well formed");
        (password, key)
    }

    /// The key of a person's password, with the costs of today.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn of_person(password: &str, rng: &mut Rng) -> Result<Self, PasswordError> {
        Self::of(password, Some(Stretch::standard(rng.bytes())))
    }

    /// The key that signs grants, if this is the password. Takes a tenth of a second and 64 MiB, or what the groupspec
    /// says, if it is a person's.
    ///
    /// # Errors
    /// [`PasswordError`]: it is another password, or checking it would cost too much.
    pub fn unlock(&self, password: &str) -> Result<SignKey, PasswordError> {
        let key = password::key(password, self.stretch.as_ref())?;
        if key.public() == self.public { Ok(key) } else { Err(PasswordError::Wrong) }
    }

    /// The option's value.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut value = vec![VERSION];
        value.extend_from_slice(&self.public);
        if let Some(Stretch { salt, memory, passes, lanes }) = self.stretch {
            value.extend_from_slice(&salt);
            [memory, passes, lanes].into_iter().for_each(|number| vlu::put(&mut value, number.into()));
        }
        value
    }

    /// Reads the option's value; `None` if it is malformed or of a later version.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Self> {
        let (public, mut rest) = value.strip_prefix(&[VERSION])?.split_first_chunk::<32>()?;
        if rest.is_empty() {
            return Some(Self { public: *public, stretch: None });
        }
        let (salt, numbers) = rest.split_first_chunk::<16>()?;
        rest = numbers;
        let mut number = || vlu::take(&mut rest).ok().and_then(|number| u32::try_from(number).ok());
        let (memory, passes, lanes) = (number()?, number()?, number()?);
        rest.is_empty()
            .then_some(Self { public: *public, stretch: Some(Stretch { salt: *salt, memory, passes, lanes }) })
    }
}
