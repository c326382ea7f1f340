//! A peer of the stories: an endpoint, and an application that sends loads and checks what it receives.

use crate::load::{Harvest, Load};
use p2pt::base::{Instant, Path, PeerId, Received, Rng, Transmit};
use p2pt::crypto::{Plain, Profile, epd};
use p2pt::endpoint::{Endpoint, EndpointConfig, EndpointEvent, ForwardAnswer, ForwardTrust, SessionHandle};
use p2pt::flow::{Lifetime, Order, Priority, WriteError};
use p2pt::session::{FlowError, FlowId, SessionEvent};
use p2pt::sim::Machine;
use p2pt::wire::{Address, Origin};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// An endpoint with an application on top.
pub(crate) struct Peer {
    pub(crate) endpoint: Endpoint,
    pub(crate) id: PeerId,
    /// What it sends in each session that opens.
    pub(crate) load: Option<Load>,
    /// What it expects to be sent.
    pub(crate) expect: Option<Load>,
    pub(crate) order: Order,
    /// How much a flow may have on its way to it.
    pub(crate) window: usize,
    /// Whether it introduces those who have a session with it.
    pub(crate) introduces: bool,
    /// Whether it lets those to whom it has opened sessions introduce others.
    pub(crate) introduced: bool,
    /// What happened, except messages and what became of them.
    pub(crate) log: Vec<(Instant, EndpointEvent)>,
    /// When each message came.
    pub(crate) arrivals: Vec<Instant>,
    /// What came in each flow.
    pub(crate) harvest: BTreeMap<(SessionHandle, FlowId), Harvest>,
    sending: BTreeMap<(SessionHandle, FlowId), Sending>,
    /// Flows of which the far end has everything.
    pub(crate) complete: usize,
    known: BTreeMap<PeerId, SessionHandle>,
}

struct Sending {
    load: Load,
    next: u32,
    due: Option<Instant>,
    blocked: bool,
}

impl Peer {
    /// A peer without encryption.
    pub(crate) fn plain(rng: &mut Rng, config: EndpointConfig) -> Self {
        let profile = Plain::new(rng, false);
        Self::new(rng, Arc::new(profile), config)
    }

    pub(crate) fn new(rng: &mut Rng, profile: Arc<dyn Profile>, config: EndpointConfig) -> Self {
        let id = profile.peer_id();
        Self {
            endpoint: Endpoint::new(Instant::ZERO, rng.fork(), profile, config),
            id,
            load: None,
            expect: None,
            order: Order::Original,
            window: 256 << 10,
            introduces: false,
            introduced: false,
            log: Vec::new(),
            arrivals: Vec::new(),
            harvest: BTreeMap::new(),
            sending: BTreeMap::new(),
            complete: 0,
            known: BTreeMap::new(),
        }
    }

    /// Dials a peer by its ID at an address.
    pub(crate) fn dial(&mut self, now: Instant, peer: PeerId, at: SocketAddr) {
        self.endpoint.connect(now, &epd::fingerprint(peer), &[Path::to(at)]);
    }

    /// The sessions that opened, by whomever.
    pub(crate) fn opened(&self) -> impl Iterator<Item = SessionHandle> + '_ {
        self.log.iter().filter_map(|(_, event)| match event {
            EndpointEvent::Opened { session, .. } | EndpointEvent::Incoming { session } => Some(*session),
            _ => None,
        })
    }

    /// Whether everything that it sends and expects is through.
    pub(crate) fn is_done(&self) -> bool {
        let sent = self.load.is_none() || self.complete > 0 && self.sending.is_empty();
        let received = self.expect.is_none() || self.harvest.values().any(|harvest| harvest.finished);
        sent && received
    }

    /// Messages received in all.
    pub(crate) fn received(&self) -> usize {
        self.harvest.values().map(Harvest::count).sum()
    }

    fn on_event(&mut self, now: Instant, event: EndpointEvent) {
        match &event {
            EndpointEvent::Session(session, SessionEvent::Message { flow, data, .. }) => {
                self.harvest.get_mut(&(*session, *flow)).expect("the flow was accepted").take(data);
                self.arrivals.push(now);
                let session = self.endpoint.session_mut(*session).expect("it just delivered");
                session.consume(*flow, data.len()).expect("the flow just delivered");
                return;
            }
            EndpointEvent::Opened { session, .. } => {
                if self.introduced {
                    self.endpoint.set_forwarding(*session, ForwardAnswer::RHello, ForwardTrust::Rendezvous);
                }
                self.begin(now, *session);
            }
            EndpointEvent::Incoming { session } => {
                let peer = self.endpoint.session(*session).expect("it just opened").far().peer_id;
                self.known.insert(peer, *session);
                self.begin(now, *session);
            }
            EndpointEvent::UnmatchedIHello { path, epd, tag, datagram } => {
                self.introduce(now, *path, epd, tag, *datagram);
            }
            EndpointEvent::Session(session, event) => self.on_session_event(now, *session, event),
            _ => {}
        }
        let routine =
            |event: &SessionEvent| matches!(event, SessionEvent::Delivered { .. } | SessionEvent::Writable { .. });
        if !matches!(&event, EndpointEvent::Session(_, event) if routine(event)) {
            self.log.push((now, event));
        }
    }

    fn on_session_event(&mut self, now: Instant, handle: SessionHandle, event: &SessionEvent) {
        match event {
            SessionEvent::FlowOpened { flow, metadata, .. } => {
                let load = self.expect.expect("a flow only where one is expected");
                assert_eq!(*metadata, load.metadata());
                let (order, window) = (self.order, self.window);
                let session = self.endpoint.session_mut(handle).expect("it just told");
                session.accept_flow(*flow, order, window).expect("it just opened");
                self.harvest.insert((handle, *flow), Harvest::new(load, order));
            }
            SessionEvent::FlowFinished { flow, complete } => {
                assert!(complete, "nobody rejects flows here");
                self.harvest.get_mut(&(handle, *flow)).expect("the flow was accepted").finish();
            }
            SessionEvent::Writable { flow } => {
                if let Some(sending) = self.sending.get_mut(&(handle, *flow)) {
                    sending.blocked = false;
                }
                self.write(now);
            }
            SessionEvent::FlowComplete { flow } => {
                self.sending.remove(&(handle, *flow));
                self.complete += 1;
            }
            SessionEvent::Lost { .. } | SessionEvent::Abandoned { .. } => panic!("nothing is given up here: {event:?}"),
            SessionEvent::FlowException { .. } => panic!("nobody rejects flows here"),
            SessionEvent::Closed(_) => self.sending.retain(|(session, _), _| *session != handle),
            _ => {}
        }
    }

    /// Opens a flow and sends the load.
    pub(crate) fn begin(&mut self, now: Instant, handle: SessionHandle) {
        let Some(load) = self.load else { return };
        let session = self.endpoint.session_mut(handle).expect("it just opened");
        let flow = session.open_flow(now, &load.metadata(), None, Priority::default()).expect("it is open");
        self.sending.insert((handle, flow), Sending { load, next: 0, due: load.every.map(|_| now), blocked: false });
        self.write(now);
    }

    /// Writes what flows take and is due.
    fn write(&mut self, now: Instant) {
        for (&(handle, flow), sending) in &mut self.sending {
            let Some(session) = self.endpoint.session_mut(handle) else { continue };
            while !sending.blocked && sending.next < sending.load.messages && sending.due.is_none_or(|due| due <= now) {
                let message = sending.load.message(sending.next);
                match session.write(now, flow, message, Lifetime::UNLIMITED) {
                    Ok(_) => {
                        sending.next += 1;
                        sending.due = sending.due.zip(sending.load.every).map(|(due, every)| due + every);
                        if sending.next == sending.load.messages {
                            session.close_flow(flow).expect("it just took a message");
                        }
                    }
                    Err(FlowError::Write(WriteError::Full)) => sending.blocked = true,
                    Err(FlowError::SessionClosed) => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    fn introduce(&mut self, now: Instant, path: Path, wanted: &[u8], tag: &[u8], datagram: usize) {
        let wanted_id = epd::Epd::parse(wanted).and_then(|epd| epd.peer_id());
        let Some(&via) = wanted_id.as_ref().and_then(|id| self.known.get(id)) else { return };
        let Some(session) = self.endpoint.session(via) else { return };
        let address = |socket| Address { origin: Origin::Observed, socket };
        let destination = address(session.path().remote);
        // Within its budget or not: a lost Redirect is asked for again.
        let _ = self.endpoint.send_redirect(now, path, tag, &[destination], datagram);
        self.endpoint.forward_ihello(via, wanted, address(path.remote), tag);
    }

    fn due(&self) -> Option<Instant> {
        let waiting = |sending: &&Sending| !sending.blocked && sending.next < sending.load.messages;
        self.sending.values().filter(waiting).filter_map(|sending| sending.due).min()
    }
}

impl Machine for Peer {
    fn handle(&mut self, now: Instant, received: Received<'_>) {
        self.endpoint.handle(now, received);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.write(now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.endpoint.deadline().into_iter().chain(self.due()).min()
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                self.on_event(now, event);
            }
            if let Some(transmit) = self.endpoint.poll_transmit(now) {
                return Some(transmit);
            }
            // To look for something to send may bring events up.
            let event = self.endpoint.poll_event()?;
            self.on_event(now, event);
        }
    }
}
