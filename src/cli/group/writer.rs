//! Posts as their author signs them.

use super::clock::unix_millis;
use super::request::Request;
use crate::base::Rng;
use crate::group::GroupId;
use crate::node::Identity;
use crate::node::posting::sign_post;

/// Signs posts of this process, in order.
pub(super) struct Writer {
    author: Identity,
    group: GroupId,
    instance: [u8; 8],
    sequence: u64,
    nick: Option<String>,
}

impl Writer {
    pub(super) fn new(author: Identity, group: GroupId, nick: Option<String>, rng: &mut Rng) -> Self {
        Self { author, group, instance: rng.bytes(), sequence: 0, nick }
    }

    /// The next post.
    pub(super) fn post(&mut self, body: &[u8], grant: Option<&[u8]>) -> Request {
        self.sequence += 1;
        let (nick, now) = (self.nick.as_deref(), unix_millis());
        let signed = sign_post(&self.author, self.group, self.instance, self.sequence, now, nick, body, grant);
        Request::Post { signed: signed.into() }
    }
}
