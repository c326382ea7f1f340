//! Who signs, and what the group's passwords allow.

use bytes::Bytes;

use super::clock::unix_millis;
use crate::base::PeerId;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::key::{self, Whose};
use crate::cli::net;
use crate::cli::password;
use crate::cli::status::Status;
use crate::group::{GrantKind, GroupId, Groupspec, MAX_GRANT_LIFE, PasswordError, PasswordKey, SignKey, sign_grant};
use crate::node::{Identity, IdentityKind, MemberConfig};

/// What is asked where nothing can be done without the password.
pub(super) const PROMPT: &str = POSTING.prompt;

/// What a password of the group is for.
pub(super) struct Purpose {
    kind: GrantKind,
    /// The option that gives it, without what it ends with.
    pub(super) flag: &'static str,
    /// The variable that gives it.
    variable: &'static str,
    /// What is asked on the terminal.
    pub(super) prompt: &'static str,
    /// What cannot be done without it.
    does: &'static str,
    /// What it is called.
    name: &'static str,
}

/// Posts and stored values.
const POSTING: Purpose = Purpose {
    kind: GrantKind::Posting,
    flag: "posting-password",
    variable: "P2PT_POSTING_PASSWORD",
    prompt: "Posting password of this group",
    does: "post to this group",
    name: "posting password",
};

/// Streams.
pub(super) const PUBLISHING: Purpose = Purpose {
    kind: GrantKind::Publishing,
    flag: "publish-password",
    variable: "P2PT_PUBLISH_PASSWORD",
    prompt: "Publishing password of this group",
    does: "publish in this group",
    name: "publishing password",
};

impl Purpose {
    fn key(&self, spec: &Groupspec) -> Option<PasswordKey> {
        match self.kind {
            GrantKind::Posting => spec.posting_key(),
            GrantKind::Publishing => spec.publishing_key(),
        }
    }

    fn is_advisory(&self, spec: &Groupspec) -> bool {
        match self.kind {
            GrantKind::Posting => spec.posting_password_hash().is_some(),
            GrantKind::Publishing => spec.publish_password_hash().is_some(),
        }
    }
}

/// Who signs here, and the key for grants, if its password was given.
#[derive(Clone)]
pub(super) struct Right {
    group: GroupId,
    author: Identity,
    purpose: &'static Purpose,
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
        Ok(Self { group: spec.id(), author, purpose: &POSTING, key: None })
    }

    /// The same, where streams are published.
    pub(super) fn to_publish(call: &Call, spec: &Groupspec) -> Result<Self, Failure> {
        Ok(Self { purpose: &PUBLISHING, ..Self::unproven(call, spec)? })
    }

    /// Proves the password that the group asks for, if one was given; if not it is asked for on the terminal, where a
    /// `prompt` says what for. Without one, what we say will not be accepted.
    pub(super) fn prove(&mut self, call: &Call, spec: &Groupspec, prompt: Option<&str>) -> Result<(), Failure> {
        let Purpose { flag, variable, name, does, .. } = *self.purpose;
        let given = password::given(call, flag, Some(variable))?;
        let Some(key) = self.purpose.key(spec) else {
            if self.purpose.is_advisory(spec) {
                call.out.say(format_args!("this group's {name} is Flash's, advisory: it is not asked for here"));
            } else if given.is_some() {
                call.out.say(format_args!("this group needs no {name}"));
            }
            return Ok(());
        };
        let password = match (given, prompt) {
            (None, Some(prompt)) => password::asked(prompt)?,
            (given, _) => given,
        };
        let Some(password) = password else { return Ok(()) };
        self.key = Some(key.unlock(&password).map_err(|why| {
            let failure = Failure::new(Status::Refused, does, why);
            match why {
                PasswordError::Wrong => failure.next(format!("ask whoever made the group for its {name}")),
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

    /// What it is to the group that its password was not given.
    pub(super) fn missing(&self) -> Failure {
        let Purpose { does, name, flag, .. } = self.purpose;
        Failure::new(Status::Refused, *does, format_args!("it needs a {name}, and none was given"))
            .next(format!("give it with --{flag}-file; whoever made the group has it"))
    }

    /// Whether the group needs the password for this.
    pub(super) fn is_needed(&self, spec: &Groupspec) -> bool {
        self.purpose.key(spec).is_some()
    }

    /// A grant for `author` from now on, if the password was given.
    pub(super) fn grant(&self, author: PeerId) -> Option<Bytes> {
        let not_after = unix_millis() + MAX_GRANT_LIFE.as_millis() as u64;
        self.key.as_ref().map(|key| sign_grant(key, self.purpose.kind, self.group, author, not_after))
    }

    /// A grant for ourselves.
    pub(super) fn own_grant(&self) -> Option<Bytes> {
        self.grant(self.author.peer_id())
    }

    /// Puts what it allows into a member's configuration.
    pub(super) fn configure(&self, member: &mut MemberConfig) {
        match self.purpose.kind {
            GrantKind::Posting => member.grant = self.own_grant(),
            GrantKind::Publishing => member.publishing_grant = self.own_grant(),
        }
    }
}
