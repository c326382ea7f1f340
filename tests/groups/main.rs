//! Groups of nodes in virtual time, over real sessions: stories.

mod acts;
mod bridged;
mod cheat;
mod glare;
#[allow(unreachable_pub)]
#[path = "../support/home.rs"]
mod home;
mod hostile;
mod leaving;
mod loopback;
mod meet;
mod partition;
mod posts;
mod sharing;
mod stage;
mod storage;
mod strangers;
mod streams;
