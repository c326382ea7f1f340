//! What is counted of a stream, told as events and in a line.

use std::time::Instant;

use indicatif::ProgressBar;

use super::super::told::of_stream;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::output::Event;
use crate::cli::units::Rate;
use crate::node::Member;
use crate::node::multicast::{LiveStream, MulticastInfo, StreamKey};

/// The weight of a new measurement of a rate.
const FRESH: f64 = 0.2;

/// A stream as it is here, and what was counted of it.
pub(super) fn seen(member: &Member, now: crate::base::Instant, key: StreamKey) -> Option<(LiveStream, MulticastInfo)> {
    let multicast = member.multicast()?;
    let live = multicast.streams().find(|stream| stream.key == key)?;
    Some((live, multicast.info(now, key)?))
}

/// NetStreamMulticastInfo, under its names.
pub(super) fn event(live: &LiveStream, info: &MulticastInfo) -> Event {
    of_stream("multicast_info", live.key, &live.name, live.publisher)
        .with("neighbors", live.neighbours)
        .with("sendDataBytesPerSecond", info.send_data_rate)
        .with("sendControlBytesPerSecond", info.send_control_rate)
        .with("receiveDataBytesPerSecond", info.receive_data_rate)
        .with("receiveControlBytesPerSecond", info.receive_control_rate)
        .with("receiveDataBytesPerSecondFromIPMulticast", info.receive_ip_multicast_rate)
        .with("bytesPushedToPeers", info.bytes_pushed_to_peers)
        .with("fragmentsPushedToPeers", info.fragments_pushed_to_peers)
        .with("bytesRequestedByPeers", info.bytes_requested_by_peers)
        .with("fragmentsRequestedByPeers", info.fragments_requested_by_peers)
        .with("bytesPushedFromPeers", info.bytes_pushed_from_peers)
        .with("fragmentsPushedFromPeers", info.fragments_pushed_from_peers)
        .with("bytesRequestedFromPeers", info.bytes_requested_from_peers)
        .with("fragmentsRequestedFromPeers", info.fragments_requested_from_peers)
        .with("bytesReceivedFromIPMulticast", info.bytes_received_from_ip_multicast)
        .with("fragmentsReceivedFromIPMulticast", info.fragments_received_from_ip_multicast)
        .with("bytesPushedToIPMulticast", info.bytes_pushed_to_ip_multicast)
        .with("duplicates", info.duplicates)
        .with("forged", info.forged)
        .with("lost", info.lost)
        .with("malformed", info.malformed)
        .with("limited", info.limited)
}

/// So many neighbours.
pub(super) fn neighbours(count: usize) -> String {
    if count == 1 { "1 neighbour".to_owned() } else { format!("{count} neighbours") }
}

/// Bytes a second, for people.
pub(super) fn rate(bytes: f64) -> Rate {
    Rate { bits: (8.0 * bytes) as u64 }
}

/// A line that is brought up to date, and events now and then.
pub(super) struct Report {
    line: ProgressBar,
    told: Instant,
    measured: (Instant, u64),
    /// Bytes of the stream a second, lately.
    pub(super) rate: f64,
}

impl Report {
    pub(super) fn new(call: &Call) -> Self {
        let now = Instant::now();
        // Where the stream itself comes out on the terminal, a line would stand in it.
        let line = if call.out.to_terminal() { ProgressBar::hidden() } else { call.out.live() };
        Self { line, told: now, measured: (now, 0), rate: 0.0 }
    }

    /// So many bytes of the stream went through here.
    pub(super) fn measure(&mut self, bytes: u64) {
        let span = self.measured.0.elapsed().as_secs_f64();
        if span > 0.1 {
            let rate = bytes.saturating_sub(self.measured.1) as f64 / span;
            self.rate = if self.measured.1 == 0 { rate } else { self.rate + FRESH * (rate - self.rate) };
            self.measured = (Instant::now(), bytes);
        }
    }

    pub(super) fn line(&self, text: String) {
        self.line.set_message(text);
    }

    /// Tells figures, if it is time.
    pub(super) fn tell(&mut self, call: &Call, event: impl FnOnce() -> Option<Event>) -> Result<(), Failure> {
        if self.told.elapsed() < super::TELL {
            return Ok(());
        }
        self.told = Instant::now();
        event().map_or(Ok(()), |event| call.out.event(event))
    }
}
