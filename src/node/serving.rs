//! The node as a rendezvous service.

use super::Node;
use super::event::NodeEvent;
use super::parts::key;
use super::registry::{CONTROL_WINDOW, READ_WHY};
use crate::base::Instant;
use crate::endpoint::SessionHandle;
use crate::flow::{Lifetime, Order, Priority};
use crate::group::message::JOIN_METADATA;
use crate::service::rendezvous::{Metrics, ServerOutput};
use crate::session::{FlowId, SessionEvent};

impl Node {
    /// The counts of the rendezvous service, if this node runs one.
    #[must_use]
    pub fn rendezvous_metrics(&self) -> Option<Metrics> {
        self.service.as_ref().map(|service| service.server.metrics())
    }

    pub(super) fn client_event(&mut self, now: Instant, session: SessionHandle, event: SessionEvent) {
        let Some(service) = &mut self.service else { return };
        match event {
            SessionEvent::FlowOpened { flow, metadata, .. } => {
                service.server.flow_opened(key(session), flow.0, &metadata);
            }
            SessionEvent::Message { flow, data, .. } => {
                service.server.message(now, key(session), flow.0, &data);
                if let Some(session) = self.endpoint.session_mut(session) {
                    let _ = session.consume(flow, data.len());
                    // Clients are registered once they know that we have heard their addresses.
                    let _ = session.acknowledge(flow);
                }
            }
            SessionEvent::FlowFinished { flow, .. } => {
                service.server.flow_finished(key(session), flow.0);
                let answers = service.clients.get_mut(&key(session)).and_then(|client| client.groups.remove(&flow.0));
                if let (Some(session), Some(answers)) = (self.endpoint.session_mut(session), answers) {
                    let _ = session.close_flow(answers);
                }
            }
            SessionEvent::PathChanged { to, .. } => service.server.path_changed(key(session), to),
            SessionEvent::Closed(_) => {
                service.server.peer_down(key(session));
                service.clients.remove(&key(session));
                self.roles.remove(&session);
                self.closing.remove(&session);
            }
            _ => {}
        }
    }

    /// Does what the service wants. Answers whether it wanted anything.
    pub(super) fn drive_service(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(output) = self.service.as_mut().and_then(|service| service.server.poll()) {
            moved = true;
            self.server_output(now, output);
        }
        moved
    }

    fn server_output(&mut self, now: Instant, output: ServerOutput) {
        let Some(service) = &mut self.service else { return };
        match output {
            ServerOutput::Accept { session, flow, metadata } => {
                let Some(client) = service.clients.get_mut(&session) else { return };
                let Some(session) = self.endpoint.session_mut(client.session) else { return };
                let flow = FlowId(flow);
                let _ = session.accept_flow(flow, Order::Original, CONTROL_WINDOW);
                let answers = session.open_flow(now, metadata, Some(flow), Priority::High).ok();
                if metadata == JOIN_METADATA {
                    client.groups.extend(answers.map(|answers| (flow.0, answers)));
                } else {
                    client.answers = answers;
                }
            }
            ServerOutput::Reject { session, flow, code } => {
                let Some(client) = service.clients.get(&session) else { return };
                if let Some(session) = self.endpoint.session_mut(client.session) {
                    let _ = session.reject_flow(FlowId(flow), code);
                }
            }
            ServerOutput::Send { session, message } => {
                let Some(client) = service.clients.get(&session) else { return };
                if let (Some(session), Some(flow)) = (self.endpoint.session_mut(client.session), client.answers) {
                    // A client that lets its control flow fill up does not read; it loses the answer, not we memory.
                    let _ = session.write(now, flow, message.into(), Lifetime::default());
                }
            }
            ServerOutput::Tell { session, flow, message } => {
                let Some(client) = service.clients.get(&session) else { return };
                if let (Some(session), Some(&answers)) =
                    (self.endpoint.session_mut(client.session), client.groups.get(&flow))
                {
                    let _ = session.write(now, answers, message.into(), Lifetime::default());
                }
            }
            ServerOutput::Close { session } => {
                if let Some(client) = service.clients.get(&session) {
                    let session = client.session;
                    self.close_soon(now, session, READ_WHY);
                }
            }
            ServerOutput::Redirect { path, tag, destinations, request } => {
                // Over budget, it is counted there, and the initiator asks again.
                let _ = self.endpoint.send_redirect(now, path, &tag, &destinations, request);
            }
            ServerOutput::Forward { session, epd, reply, tag } => {
                if let Some(client) = service.clients.get(&session) {
                    self.endpoint.forward_ihello(client.session, &epd, reply, &tag);
                }
            }
            ServerOutput::Probe { path, epd, tag } => self.endpoint.send_ihello(now, path, &epd, &tag),
            ServerOutput::Event(event) => self.events.push_back(NodeEvent::Rendezvous(event)),
        }
    }
}
