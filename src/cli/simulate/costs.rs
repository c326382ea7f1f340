//! What a run takes of this machine.

use std::fs;
use std::time::{Duration, Instant};

/// What was measured of this process, beside the report.
pub(super) struct Costs {
    pub(super) wall: Duration,
    /// The most memory that the run took, if the system says.
    pub(super) memory: Option<u64>,
}

/// A run that has begun.
pub(super) struct Begun {
    at: Instant,
    memory: Option<u64>,
}

impl Costs {
    pub(super) fn begin() -> Begun {
        Begun { at: Instant::now(), memory: memory("VmRSS") }
    }
}

impl Begun {
    pub(super) fn end(&self) -> Costs {
        let memory = memory("VmHWM").zip(self.memory).map(|(most, before)| most.saturating_sub(before));
        Costs { wall: self.at.elapsed(), memory }
    }
}

/// Bytes of memory, as Linux tells them.
fn memory(what: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
