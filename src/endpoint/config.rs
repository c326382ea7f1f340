//! Settings of an endpoint.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::Interface;
use crate::session::SessionConfig;

/// Settings of an endpoint. The defaults suit a peer; a rendezvous raises the limits and asks for unmatched hellos.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Settings of its sessions.
    pub session: SessionConfig,
    /// When an opening fails: 95 s after its start (RFC 7016 section 3.5.1.1.1).
    pub open_timeout: Duration,
    /// Sessions at one time, unconfirmed ones included.
    pub max_sessions: usize,
    /// Openings at one time.
    pub max_openings: usize,
    /// Sessions at one time of which the far end has not yet proved that it holds their keys.
    pub max_unconfirmed: usize,
    /// Such sessions from one /24 or /56.
    pub max_unconfirmed_per_prefix: usize,
    /// IIKeyings a second from one /24 or /56 that get public-key work; four times as many at once.
    pub keyings_per_second: u64,
    /// Bytes a second of answers that are longer than three times their requests, in all; an eighth for each /24 or
    /// /56.
    pub answer_bytes_per_second: u64,
    /// Whether IHellos that do not select us become events.
    pub raise_unmatched_ihellos: bool,
    /// Whether groups' beacons, which come by IP multicast, become events.
    pub raise_beacons: bool,
    /// Whether RHellos that answer no opening become events.
    pub raise_unmatched_rhellos: bool,
    /// Whether only IHellos that name our fingerprint select us, not those that look for any server.
    pub only_fingerprints: bool,
    /// Interfaces that only receive, because their sockets joined a multicast group. IHellos from there are answered by
    /// the main one, after a random time, if they come from one of our links; nothing else is taken from there.
    pub receive_only: Vec<Interface>,
    /// The networks that our links lead to, with the bits of their prefixes. Loopback and link-local ones need not be
    /// named.
    pub on_link: Vec<(IpAddr, u8)>,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            session: SessionConfig::default(),
            open_timeout: Duration::from_secs(95),
            max_sessions: 100_000,
            max_openings: 1024,
            max_unconfirmed: 1024,
            max_unconfirmed_per_prefix: 64,
            keyings_per_second: 32,
            answer_bytes_per_second: 64 << 10,
            raise_unmatched_ihellos: false,
            raise_beacons: false,
            raise_unmatched_rhellos: false,
            only_fingerprints: false,
            receive_only: vec![Interface::DISCOVERY],
            on_link: Vec::new(),
        }
    }
}
