//! A stream on the group's own IP multicast address, beside the neighbours: who hears it needs nobody to push it, and asks
//! neighbours for what was lost on the way (fusion).
//!
//! What is said there begins like a message on [`Lane::Manifests`](crate::group::Lane::Manifests), if it is a title or a manifest;
//! a fragment is `80` ‖ the first eight bytes of the stream's key ‖ the known message.

use std::time::Duration;

use bytes::Bytes;

use super::hearing::FRAGMENT;
use super::own::OwnMessage;
use super::stream::{Context, Stream};

/// How often a publisher says the title.
const TITLE_AGAIN: Duration = Duration::from_secs(1);

impl Stream {
    /// Says the title of a stream of ours, now and then.
    pub(super) fn cast_title(&mut self, context: &mut Context<'_>) {
        let is_due = self.hearing.titled.is_none_or(|titled| context.now.since(titled) >= TITLE_AGAIN);
        if context.casting && self.press.is_some() && is_due {
            self.hearing.titled = Some(context.now);
            context.out.cast(OwnMessage::Title(self.title_bytes.clone()).encode());
        }
    }

    /// Says a manifest of ours and its fragments.
    pub(super) fn cast(&mut self, context: &mut Context<'_>, manifest: &Bytes, fragments: &[Bytes]) {
        if !context.casting {
            return;
        }
        self.cast_title(context);
        // All fragments wait for their manifest: it is said again with the next one.
        let before = self.hearing.said.replace(manifest.clone());
        for manifest in std::iter::once(manifest).chain(&before) {
            context.out.cast(OwnMessage::Manifest(manifest.clone()).encode());
        }
        let tag = self.tag().to_be_bytes();
        for fragment in fragments {
            self.counts.info.bytes_pushed_to_ip_multicast += fragment.len() as u64;
            context.out.cast([&[FRAGMENT][..], &tag, fragment].concat().into());
        }
    }
}
