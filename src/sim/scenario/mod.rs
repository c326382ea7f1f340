//! Scenarios: so many members, who come, go, post, route and store, on a network that fails in so many ways; and the
//! figures of what became of it. The same scenario on the same engine gives the same figures, to the last byte of traffic.
//!
//! A scenario is a value ([`Scenario`]), is known by a name ([`built_in`]), or is written down as text ([`parse`]):
//!
//! ```text
//! # A lecture with bad lines.
//! scenario = posting      # begin with a built-in one
//! members = 200
//! loss = 0.05
//! posters = 1
//! churn = 0.1
//! ```
//!
//! [`KEYS`] are all settings with what they mean; [`show`] writes a scenario out.
//!
//! ```
//! use p2pt::sim::scenario::{built_in, run};
//! let mut scenario = built_in("posting").unwrap();
//! scenario.members = 5;
//! scenario.posts = 1.0;
//! let report = run(&scenario, &mut |_| true).unwrap().expect("nobody stopped it");
//! assert_eq!(report.members, (5, 5));
//! ```

mod built_in;
mod ground;
mod hostile;
mod keeper;
mod keys;
mod people;
mod replicating;
mod report;
mod rogue;
mod run;
mod samples;
mod streaming;
mod tally;
mod value;
mod world;

pub use built_in::{BUILT_IN, BuiltIn, built_in};
pub use ground::Traffic;
pub use keys::{KEYS, Key, parse, set, show, show_rate};
pub use report::{Healing, Neighbours, Place, Posts, Replicated, Report, Routes, Second, Stored, Streamed};
pub use run::{Progress, run};
pub use samples::Samples;
pub use value::{Engine, Hostility, Scenario};
