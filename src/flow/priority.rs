//! Which flow goes first.

/// How urgent a flow's data is; a session sends the highest first. RFC 7016 section 3.6.2.3 leaves the scheme to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// When nothing else wants to be sent.
    Background,
    /// Bulk transfers.
    Bulk,
    /// Below the ordinary.
    Low,
    /// The ordinary.
    #[default]
    Normal,
    /// Above the ordinary.
    High,
    /// Real time: the packet says so, and the far end's other traffic makes room (section 2.2.4).
    TimeCritical,
    /// Before other real-time data.
    Urgent,
    /// Before everything.
    Immediate,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const DESCENDING: [Self; 8] = [
        Self::Immediate,
        Self::Urgent,
        Self::TimeCritical,
        Self::High,
        Self::Normal,
        Self::Low,
        Self::Bulk,
        Self::Background,
    ];

    /// Whether a packet with such data carries the time-critical flag.
    #[must_use]
    pub fn is_time_critical(self) -> bool {
        self >= Self::TimeCritical
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descending_lists_each_once_and_the_flag_begins_at_time_critical() {
        assert!(Priority::DESCENDING.windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!(Priority::DESCENDING.iter().filter(|p| p.is_time_critical()).count(), 3);
        assert_eq!(Priority::default(), Priority::Normal);
    }
}
