//! Floor 9: the virtual world: hosts, links, NATs and time, all from one seed.
//!
//! [`World`] runs [`Machine`]s, which know nothing of it: they take datagrams and the time, and give datagrams. What is between
//! them is made of [`Link`]s with a rate, a queue, loss, jitter and more, of [`Nat`]s by the words of RFC 4787, nested as
//! one likes, and of networks with IP multicast. Hosts come, go, move and change their addresses; links are cut;
//! networks fall apart into islands.
//!
//! Goals: the same seed gives the same bytes; an event costs O(log n), so that thousands of hosts are no burden; each
//! datagram that is lost is counted by its cause. Not a goal: to be an operating system. There is no TCP, no ICMP, and an
//! address belongs to one host.
//!
//! ```
//! use p2pt::base::{Instant, Path, Received, Transmit};
//! use p2pt::sim::{Host, Link, Machine, World};
//! use std::time::Duration;
//!
//! /// Sends back whatever it receives.
//! #[derive(Default)]
//! struct Echo(Vec<Transmit>);
//!
//! impl Machine for Echo {
//!     fn handle(&mut self, _: Instant, received: Received<'_>) {
//!         self.0.push(Transmit::single(received.path, received.data.to_vec()));
//!     }
//!     fn handle_timeout(&mut self, _: Instant) {}
//!     fn deadline(&self) -> Option<Instant> {
//!         None
//!     }
//!     fn poll_transmit(&mut self, _: Instant) -> Option<Transmit> {
//!         self.0.pop()
//!     }
//! }
//!
//! let mut world = World::new(1);
//! let slow = Link::IDEAL.delay(Duration::from_millis(25));
//! let [here, there] = ["192.0.2.1", "192.0.2.2"].map(|ip| {
//!     let host = Host::at(world.internet(), ip.parse().unwrap()).links(slow, slow);
//!     world.add_host(&host, Echo::default())
//! });
//! let path = Path::to("192.0.2.2:1935".parse().unwrap());
//! world.command(here, |echo, _| echo.0.push(Transmit::single(path, b"ball".to_vec())));
//! world.run_until(Instant::from_micros(1_000_000));
//! // To and fro for a second, 50 ms one way.
//! assert_eq!(world.counters().delivered, 20);
//! # let _ = there;
//! ```

mod fabric;
mod host;
mod link;
mod machines;
mod nat;
mod nonces;
mod packet;
mod participant;
mod queue;
pub mod scenario;
pub mod swarm;
mod world;

pub use host::{Host, NatId, NetworkId, Port};
pub use link::{Burst, Link, LinkStats, Oversize};
pub use nat::{Dependence, Nat, Ports};
pub use nonces::{Nonces, RepeatedNonce};
pub use packet::{Cause, Counters, Fate, HostId, Observer, Packet};
pub use participant::Participant;
pub use world::{Machine, World};
