//! Exit statuses, once: the man pages, the help and the tests read this table.

/// What the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// All data sent, received and verified.
    Done,
    /// A failure without a status of its own.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// `--timeout` went by, or a peer fell silent.
    TimedOut,
    /// Addresses of the peer came, but nothing got through to it.
    Unreachable,
    /// Somebody answered, but not who was asked for.
    Mismatch,
    /// Data did not match its hash.
    Integrity,
    /// Interrupted; running the same command again resumes.
    Resumable,
    /// The rendezvous does not answer or refuses the developer key.
    Rendezvous,
    /// A local file, folder, socket or stream failed.
    LocalIo,
    /// The peer or a policy said no.
    Refused,
    /// The output is there already and is left alone.
    Exists,
    /// No such peer, group, object or key.
    NotFound,
    /// Ended by SIGINT.
    Interrupted,
    /// The reader of our standard output left.
    BrokenPipe,
    /// Ended by SIGTERM.
    Terminated,
}

impl Status {
    /// Every status, by code.
    pub const ALL: [Self; 16] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::TimedOut,
        Self::Unreachable,
        Self::Mismatch,
        Self::Integrity,
        Self::Resumable,
        Self::Rendezvous,
        Self::LocalIo,
        Self::Refused,
        Self::Exists,
        Self::NotFound,
        Self::Interrupted,
        Self::BrokenPipe,
        Self::Terminated,
    ];

    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::TimedOut => 3,
            Self::Unreachable => 4,
            Self::Mismatch => 5,
            Self::Integrity => 6,
            Self::Resumable => 7,
            Self::Rendezvous => 8,
            Self::LocalIo => 9,
            Self::Refused => 10,
            Self::Exists => 11,
            Self::NotFound => 12,
            Self::Interrupted => 130,
            Self::BrokenPipe => 141,
            Self::Terminated => 143,
        }
    }

    /// One word for `--json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::Mismatch => "mismatch",
            Self::Integrity => "integrity",
            Self::Resumable => "resumable",
            Self::Rendezvous => "rendezvous",
            Self::LocalIo => "local-io",
            Self::Refused => "refused",
            Self::Exists => "exists",
            Self::NotFound => "not-found",
            Self::Interrupted => "interrupted",
            Self::BrokenPipe => "broken-pipe",
            Self::Terminated => "terminated",
        }
    }

    /// What it means, for man pages and help.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "all data sent, received and verified",
            Self::Failed => "unspecified failure",
            Self::Usage => "usage error",
            Self::TimedOut => "time-out",
            Self::Unreachable => "peer found but unreachable (NAT, firewall)",
            Self::Mismatch => "identity or authentication mismatch",
            Self::Integrity => "integrity failure",
            Self::Resumable => "interrupted, the rest can be resumed",
            Self::Rendezvous => "rendezvous unreachable or refused the key",
            Self::LocalIo => "local I/O error, disk full",
            Self::Refused => "refused by the peer or by policy",
            Self::Exists => "output exists, not overwritten",
            Self::NotFound => "not found (peer, group, object, key)",
            Self::Interrupted => "ended by SIGINT",
            Self::BrokenPipe => "the reader of standard output left",
            Self::Terminated => "ended by SIGTERM",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_without_repeats_and_names_differ() {
        assert!(Status::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        let mut names = Status::ALL.map(Status::name);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
