//! What a membership counts.

/// Counts since the membership began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MembershipStats {
    /// Bytes of control messages sent.
    pub bytes_sent: u64,
    /// Bytes of control messages received.
    pub bytes_received: u64,
    /// Reports sent.
    pub reports_sent: u64,
    /// Reports received and read.
    pub reports_received: u64,
    /// Openings asked for, probes included.
    pub dials: u64,
    /// Of these, towards lost members.
    pub probes: u64,
    /// Openings that found nobody.
    pub gone: u64,
    /// Openings between two that no packet passes.
    pub blocked: u64,
    /// Handshakes completed.
    pub handshakes: u64,
    /// Handshakes that were not completed in time.
    pub handshake_timeouts: u64,
    /// Sessions of peers that were not taken: banned, or too many.
    pub refused: u64,
    /// Neighbours closed to make room for ring-near ones in a crowd.
    pub crowded_out: u64,
    /// Asked to be left.
    pub asks_sent: u64,
    /// Were asked to leave.
    pub asks_received: u64,
    /// Left when asked.
    pub consented: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Messages of unknown types.
    pub unknown_type: u64,
    /// INITs for another group.
    pub wrong_group: u64,
    /// INITs for another receiver.
    pub wrong_receiver: u64,
    /// INITs with a false token.
    pub wrong_token: u64,
    /// INITs after the handshake.
    pub repeated_init: u64,
    /// Messages before the sender's token was proven, or from nobody.
    pub early: u64,
    /// Messages above the rate.
    pub flooded: u64,
    /// Records too old to count.
    pub stale_records: u64,
    /// Records beyond what their reporter may claim.
    pub over_quota: u64,
    /// Records of members that we know to be gone, or banned.
    pub dead_records: u64,
    /// Addresses that nobody may teach us: loopback from afar, multicast, port 0.
    pub bad_addresses: u64,
    /// Members forgotten for want of room.
    pub evicted: u64,
}
