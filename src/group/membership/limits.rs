//! Limits and times of a membership.

use std::time::Duration;

/// Members kept in the heard list of a group that has no more than twice as many; larger groups keep three times the number
/// of wanted neighbours, since nobody can know them all.
pub const MAX_MEMBERS: usize = 512;
/// Lost members remembered in such a group; an eighth in larger ones.
pub const MAX_LOST: usize = 256;
/// Members from one neighbour's reports that are not proven yet.
pub const MAX_UNPROVEN: u8 = 64;
/// Openings in progress for the sake of the topology.
pub const MAX_OPENING: usize = 16;

/// Members in one report that we only heard of ourselves, so that lies do not travel far.
pub(super) const MAX_HEARSAY: usize = 6;
/// What is left of [`MAX_UNPROVEN`] for a neighbour whose records turn out false.
pub(super) const LEAST_UNPROVEN: u8 = 8;
/// What a false record costs its reporter, and a true one earns it.
pub(super) const UNPROVEN_STEP: u8 = 4;
/// Openings in progress on somebody's hint.
pub(super) const MAX_HINTED: usize = 32;
/// Openings in progress towards lost members.
pub(super) const MAX_PROBES: usize = 6;
/// Sessions that strangers opened and whose tokens are not proven.
pub(super) const MAX_STRANGERS: usize = 32;
/// Neighbours are at most so many times as many as wanted; then only ring-near ones are taken, for others.
pub(super) const CROWD: usize = 4;
/// Peers whose openings are held back.
pub(super) const MAX_HOLDS: usize = 256;
/// Peers banned at a time.
pub(super) const MAX_BANNED: usize = 256;
/// Neighbours that may introduce us to one member.
pub(super) const MAX_INTRODUCERS: usize = 3;
/// Neighbours wanted at most: those of 2^27 members. A few liars near us can make the density look like anything.
pub(super) const MAX_TARGET: usize = 40;
/// Members nearest on each side that are wanted as neighbours.
pub(super) const NEAR: usize = 3;
/// Members nearest on each side that are not forgotten for want of room.
pub(super) const NEAR_KEPT: usize = 8;
/// Neighbours wanted for their speed.
pub(super) const FAST: usize = 6;

/// How long a handshake may take.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);
/// When to speak first on a session that somebody else opened and left silent.
pub(super) const SPEAK_ANYWAY: Duration = Duration::from_secs(2);
/// When to give up a dial that nobody answers for.
pub(super) const DIAL: Duration = Duration::from_secs(60);
/// When to open other links although a ring-near one is not up.
pub(super) const NEAR_FIRST: Duration = Duration::from_secs(1);
/// How long nobody nearer must have come before a member of a group of many fills up its neighbours by itself.
pub(super) const FILL_AFTER: Duration = Duration::from_secs(3);
/// How long changes are collected before the topology follows.
pub(super) const SETTLE: Duration = Duration::from_millis(20);
/// How long changes are collected before they are reported: this and up to as much again.
pub(super) const DEBOUNCE: Duration = Duration::from_millis(50);
/// The same for members that we only heard of.
pub(super) const HEARSAY_DEBOUNCE: Duration = Duration::from_millis(200);
/// The least time between two reports to one neighbour on changes; doubles to [`MAX_GAP_MS`] while changes go on.
pub(super) const MIN_GAP_MS: u16 = 100;
/// Its limit.
pub(super) const MAX_GAP_MS: u16 = 3_200;
/// The first period of reports by lot.
pub(super) const FIRST_PERIOD: Duration = Duration::from_secs(1);
/// The longest (section 3.6).
pub(super) const LAST_PERIOD: Duration = Duration::from_secs(10);
/// How often what is old is forgotten.
pub(super) const SWEEP: Duration = Duration::from_secs(10);
/// When an ask-to-disconnect may be repeated (section 3.7).
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(90);
/// The first pause before a blocked pair is tried again; doubles to [`LONGEST_HOLD`].
pub(super) const BLOCKED_HOLD: Duration = Duration::from_secs(15);
/// The first pause before a peer that hung up on us, or is gone, is tried again.
pub(super) const REFUSED_HOLD: Duration = Duration::from_secs(2);
/// The longest pause.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(300);
/// How long a banned peer stays so.
pub(super) const BAN: Duration = Duration::from_secs(600);
/// Time between probes of lost members: this and up to a quarter more.
pub(super) const PROBE: Duration = Duration::from_secs(4);
/// The same when nobody was lost lately.
pub(super) const RARE_PROBE: Duration = Duration::from_secs(8);
/// The same while there is no neighbour at all.
pub(super) const LONELY_PROBE: Duration = Duration::from_secs(2);
/// How long a loss counts as late.
pub(super) const LATELY: Duration = Duration::from_secs(600);
/// Messages of a neighbour that are read in a second, and at once.
pub(super) const MESSAGE_RATE: u64 = 5;
/// See [`MESSAGE_RATE`].
pub(super) const MESSAGE_BURST: u64 = 30;
