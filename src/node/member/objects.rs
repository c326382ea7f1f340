//! What a member does with objects.

use std::ops::Range;

use bytes::Bytes;

use super::Member;
use crate::base::{Instant, PeerId};
use crate::service::replication::{Replication, ReplicationError, RequestId, Strategy};

impl Member {
    fn objects(&mut self) -> Result<&mut Replication, ReplicationError> {
        self.replication.as_deref_mut().ok_or(ReplicationError::Disabled)
    }

    /// [`Replication::add_have_objects`].
    ///
    /// # Errors
    /// [`ReplicationError`].
    pub fn add_have_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        self.objects()?.add_have_objects(now, indices)
    }

    /// [`Replication::remove_have_objects`].
    ///
    /// # Errors
    /// [`ReplicationError`].
    pub fn remove_have_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        self.objects()?.remove_have_objects(now, indices)
    }

    /// [`Replication::add_want_objects`].
    ///
    /// # Errors
    /// [`ReplicationError`].
    pub fn add_want_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        self.objects()?.add_want_objects(now, indices)
    }

    /// [`Replication::remove_want_objects`].
    ///
    /// # Errors
    /// [`ReplicationError`].
    pub fn remove_want_objects(&mut self, now: Instant, indices: Range<u64>) -> Result<(), ReplicationError> {
        self.objects()?.remove_want_objects(now, indices)
    }

    /// [`Replication::set_strategy`].
    ///
    /// # Errors
    /// [`ReplicationError::Disabled`].
    pub fn set_replication_strategy(&mut self, now: Instant, strategy: Strategy) -> Result<(), ReplicationError> {
        self.objects()?.set_strategy(now, strategy);
        Ok(())
    }

    /// [`Replication::set_limits`].
    ///
    /// # Errors
    /// [`ReplicationError::Disabled`].
    pub fn set_replication_limits(
        &mut self,
        now: Instant,
        up: Option<u64>,
        down: Option<u64>,
    ) -> Result<(), ReplicationError> {
        self.objects()?.set_limits(now, up, down);
        Ok(())
    }

    /// [`Replication::write_requested_object`].
    ///
    /// # Errors
    /// [`ReplicationError`].
    pub fn write_requested_object(
        &mut self,
        now: Instant,
        request: RequestId,
        object: Bytes,
    ) -> Result<(), ReplicationError> {
        self.objects()?.write_requested_object(now, request, object)
    }

    /// [`Replication::write_requested_buffer`].
    ///
    /// # Errors
    /// [`ReplicationError`].
    ///
    /// # Panics
    /// If the buffer is shorter than [`crate::service::replication::HEADROOM`].
    pub fn write_requested_buffer(
        &mut self,
        now: Instant,
        request: RequestId,
        buffer: Vec<u8>,
    ) -> Result<(), ReplicationError> {
        self.objects()?.write_requested_buffer(now, request, buffer)
    }

    /// [`Replication::set_polite`].
    ///
    /// # Errors
    /// [`ReplicationError::Disabled`].
    pub fn set_replication_polite(&mut self, polite: bool) -> Result<(), ReplicationError> {
        self.objects()?.set_polite(polite);
        Ok(())
    }

    /// [`Replication::deny_requested_object`].
    ///
    /// # Errors
    /// [`ReplicationError::Disabled`].
    pub fn deny_requested_object(&mut self, now: Instant, request: RequestId) -> Result<(), ReplicationError> {
        self.objects()?.deny_requested_object(now, request);
        Ok(())
    }

    /// [`Replication::good`].
    ///
    /// # Errors
    /// [`ReplicationError::Disabled`].
    pub fn good_object(&mut self, now: Instant, index: u64) -> Result<(), ReplicationError> {
        self.objects()?.good(now, index);
        Ok(())
    }

    /// [`Replication::bad`].
    ///
    /// # Errors
    /// [`ReplicationError::Disabled`].
    pub fn bad_object(&mut self, now: Instant, index: u64, from: PeerId) -> Result<(), ReplicationError> {
        self.objects()?.bad(now, index, from);
        Ok(())
    }
}
