//! Groups of nodes in virtual time, over real sessions: stories.

mod loopback;
mod meet;
mod sharing;
mod stage;
