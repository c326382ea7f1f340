//! What a member does with streams.

use std::time::Duration;

use super::Member;
use crate::base::Instant;
use crate::service::multicast::media::{Head, Unit};
use crate::service::multicast::{Multicast, PlayId, StreamError, StreamKey, StreamSettings, Wanted};

impl Member {
    fn streams(&mut self) -> Result<&mut Multicast, StreamError> {
        self.multicast.as_deref_mut().ok_or(StreamError::Disabled)
    }

    /// [`Multicast::publish`].
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn publish(&mut self, now: Instant, name: &str, settings: StreamSettings) -> Result<StreamKey, StreamError> {
        self.streams()?.publish(now, name, settings)
    }

    /// [`Multicast::write`].
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn write_unit(&mut self, now: Instant, key: StreamKey, unit: &Unit, head: &Head) -> Result<(), StreamError> {
        self.streams()?.write(now, key, unit, head)
    }

    /// [`Multicast::unpublish`].
    ///
    /// # Errors
    /// [`StreamError::Disabled`].
    pub fn unpublish(&mut self, now: Instant, key: StreamKey) -> Result<(), StreamError> {
        self.streams()?.unpublish(now, key);
        Ok(())
    }

    /// [`Multicast::play`].
    ///
    /// # Errors
    /// [`StreamError::Disabled`].
    pub fn play(&mut self, now: Instant, wanted: Wanted) -> Result<PlayId, StreamError> {
        Ok(self.streams()?.play(now, wanted))
    }

    /// [`Multicast::stop`].
    ///
    /// # Errors
    /// [`StreamError::Disabled`].
    pub fn stop_playing(&mut self, now: Instant, play: PlayId) -> Result<(), StreamError> {
        self.streams()?.stop(now, play);
        Ok(())
    }

    /// [`Multicast::set_relaying`].
    ///
    /// # Errors
    /// [`StreamError::Disabled`].
    pub fn set_relaying(&mut self, push_limit: usize, margin: Duration) -> Result<(), StreamError> {
        self.streams()?.set_relaying(push_limit, margin);
        Ok(())
    }
}
