//! Who signs, and what the group's posting password allows.

use bytes::Bytes;

use super::clock::unix_millis;
use crate::base::PeerId;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::key::{self, Whose};
use crate::cli::net;
use crate::cli::password;
use crate::cli::status::Status;
use crate::group::{GrantKind, GroupId, Groupspec, MAX_GRANT_LIFE, PasswordError, SignKey, sign_grant};
use crate::node::{Identity, IdentityKind};

/// What is asked where nothing can be done without the password.
pub(super) const PROMPT: &str = "Posting password of this group";

/// The variable that gives the posting password.
const VARIABLE: &str = "P2PT_POSTING_PASSWORD";

/// Who signs here, and the key for grants, if its password was given.
#[derive(Clone)]
pub(super) struct Right {
    group: GroupId,
    author: Identity,
    key: Option<SignKey>,
}

impl Right {
    /// The user's identity, or a fresh one with `--anonymous`; no password yet.
    pub(super) fn unproven(call: &Call, spec: &Groupspec) -> Result<Self, Failure> {
        let has = |name: &str| call.row.all_flags().any(|flag| flag.long == name);
        let author = if !has("key") || call.switch("anonymous") {
            Identity::generate(&mut net::rng()?, IdentityKind::default())
        } else {
            key::load(call, Whose::User)?.identity
        };
        Ok(Self { group: spec.id(), author, key: None })
    }

    /// Proves the password that the group asks for, if one was given; if not it is asked for on the terminal, where a
    /// `prompt` says what for. Without one, posts of ours will not be accepted.
    pub(super) fn prove(&mut self, call: &Call, spec: &Groupspec, prompt: Option<&str>) -> Result<(), Failure> {
        let given = password::given(call, "posting-password", Some(VARIABLE))?;
        let Some(key) = spec.posting_key() else {
            if spec.posting_password_hash().is_some() {
                call.out.say("this group's posting password is Flash's, advisory: it is not asked for here");
            } else if given.is_some() {
                call.out.say("this group needs no posting password");
            }
            return Ok(());
        };
        let password = match (given, prompt) {
            (None, Some(prompt)) => password::asked(prompt)?,
            (given, _) => given,
        };
        let Some(password) = password else { return Ok(()) };
        self.key = Some(key.unlock(&password).map_err(|why| {
            let failure = Failure::new(Status::Refused, "post to this group", why);
            match why {
                PasswordError::Wrong => failure.next("ask whoever made the group for its posting password"),
                PasswordError::Cost { .. } => failure.next("do not trust this groupspec"),
            }
        })?);
        Ok(())
    }

    /// Who signs.
    pub(super) fn author(&self) -> &Identity {
        &self.author
    }

    /// Whether grants can be signed here.
    pub(super) fn is_proven(&self) -> bool {
        self.key.is_some()
    }

    /// A grant for `author` from now on, if the password was given.
    pub(super) fn grant(&self, author: PeerId) -> Option<Bytes> {
        let not_after = unix_millis() + MAX_GRANT_LIFE.as_millis() as u64;
        self.key.as_ref().map(|key| sign_grant(key, GrantKind::Posting, self.group, author, not_after))
    }

    /// A grant for ourselves.
    pub(super) fn own_grant(&self) -> Option<Bytes> {
        self.grant(self.author.peer_id())
    }
}
