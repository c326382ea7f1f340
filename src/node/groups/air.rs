//! What members say to all who hear a group's own IP multicast addresses.

use super::super::Node;
use super::super::event::GroupHandle;
use crate::base::{Instant, Path, Received, Transmit};
use crate::group::CastStats;

/// Datagrams that wait to be sent, of a group; what comes beyond is dropped.
const MAX_WAITING: usize = 4_096;

impl Node {
    /// Says something to all who hear.
    pub(super) fn cast(&mut self, group: GroupHandle, message: &[u8]) {
        let Some(air) = self.groups.joined.get_mut(&group).and_then(|joined| joined.cast.as_mut()) else { return };
        for datagram in air.caster.cast(message) {
            if self.groups.casting.len() + air.addresses.len() > MAX_WAITING {
                self.groups.stats.casts_dropped += 1;
                return;
            }
            for &remote in &air.addresses {
                self.groups.casting.push_back(Transmit::single(Path::to(remote), datagram.clone()));
            }
        }
    }

    /// The next datagram to all who hear.
    pub(in super::super) fn next_cast(&mut self) -> Option<Transmit> {
        self.groups.casting.pop_front()
    }

    /// Datagrams came on a group's address.
    pub(in super::super) fn heard_cast(&mut self, now: Instant, received: Received<'_>) {
        for datagram in received.data.chunks_mut(received.segment.max(1)) {
            for joined in self.groups.joined.values_mut() {
                let Some(air) = &mut joined.cast else { continue };
                if air.caster.is_ours(datagram) {
                    break;
                }
                if let Some(message) = air.casts.hear(now, datagram) {
                    joined.member.heard_cast(now, &message);
                    break;
                }
            }
        }
        self.work(now);
    }

    /// What was counted of datagrams on a group's own IP multicast addresses; `None` if it has none.
    #[must_use]
    pub fn cast_stats(&self, group: GroupHandle) -> Option<CastStats> {
        self.groups.joined.get(&group)?.cast.as_ref().map(|air| air.casts.stats)
    }
}
