//! A way into a group: through the membership that runs on this machine, or by a short one of our own.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

#[cfg(unix)]
use super::client::Client;
use super::enter::{Entered, Wishes};
use super::hub::Hub;
use super::place::Place;
use super::request::{Answer, Request};
use super::right::{PROMPT, Right};
use crate::base::from_hex;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::status::Status;
use crate::group::{GroupId, ReceiveMode};

/// What a command needs of its membership.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// To see and to ask.
    Sight,
    /// To post or store: perhaps a grant.
    Post,
    /// To sign as the membership does, since what is sent is signed there.
    SameAuthor,
}

/// A way into a group, and who signs.
pub(super) struct Access {
    pub(super) right: Right,
    pub(super) grant: Option<Vec<u8>>,
    pub(super) group: GroupId,
    timeout: Duration,
    way: Way,
}

enum Way {
    #[cfg(unix)]
    Shared(Arc<Client>),
    Own(Box<Entered>),
}

impl Access {
    /// Finds a way.
    pub(super) async fn open(call: &Call, place: &Place, need: Need, mode: ReceiveMode) -> Result<Self, Failure> {
        let timeout = call.duration("timeout").expect("the table has a default");
        let mut right = Right::unproven(call, &place.spec)?;
        let group = place.spec.id();
        #[cfg(unix)]
        if let Some(client) = shared(call, group, need, &right).await {
            let grant = match need {
                Need::Post => shared_grant(call, place, &mut right, &client, timeout).await?,
                _ => None,
            };
            return Ok(Self { right, grant, group, timeout, way: Way::Shared(Arc::new(client)) });
        }
        call.out.say(format_args!("looking for members of {} {}", place.name(), place.through()));
        if need == Need::Post {
            right.prove(call, &place.spec, Some(PROMPT))?;
            if place.spec.posting_key().is_some() && !right.is_proven() {
                return Err(right.missing());
            }
        }
        let grant = right.own_grant().map(Vec::from);
        let wishes = Wishes { mode, ..Wishes::brief(timeout) };
        let entered = Entered::begin(call, place, right.clone(), wishes).await?;
        Ok(Self { right, grant, group, timeout, way: Way::Own(Box::new(entered)) })
    }

    /// Does something with it, then leaves. `work` ends early if the membership does.
    pub(super) async fn with<T>(
        self,
        call: &Call,
        work: impl AsyncFnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut signals = call.signals.clone();
        let status_lines = async {
            let (mut signals, begun) = (call.signals.clone(), std::time::Instant::now());
            loop {
                signals.status_wanted().await;
                call.out.say(format_args!("at it for {:.0} s; {}", begun.elapsed().as_secs_f64(), self.seen()));
            }
        };
        let membership = async {
            match &self.way {
                #[cfg(unix)]
                Way::Shared(_) => std::future::pending().await,
                Way::Own(entered) => tokio::select! {
                    failure = entered.follow(&call.out, |_| ()) => failure,
                    () = entered.hub.pump(|_| ()) => Failure::new(Status::Failed, "go on", "the group was left"),
                },
            }
        };
        let result = tokio::select! {
            result = work(&self) => result,
            failure = membership => Err(failure),
            () = status_lines => unreachable!("status lines go on for ever"),
            status = signals.stopped() => Err(Failure::new(status, "finish", "interrupted")),
        };
        let Way::Own(entered) = &self.way else { return result };
        let result = result.map_err(|failure| entered.explained(failure));
        entered.leave().await;
        result
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, request: Request) -> Result<Value, Failure> {
        self.asker().ask(request).await
    }

    /// Asks from elsewhere.
    pub(super) fn asker(&self) -> Asker {
        let of = match &self.way {
            #[cfg(unix)]
            Way::Shared(client) => Of::Shared(Arc::clone(client)),
            Way::Own(entered) => Of::Own(entered.hub.clone()),
        };
        Asker { of, timeout: self.timeout }
    }

    /// Waits for a member, and until the view has settled; a membership that runs has had time for that.
    pub(super) async fn look_around(&self) -> Result<(), Failure> {
        match &self.way {
            #[cfg(unix)]
            Way::Shared(_) => Ok(()),
            Way::Own(entered) => {
                entered.hub.met(self.timeout).await?;
                entered.hub.settled().await;
                entered.hub.measure();
                Ok(())
            }
        }
    }

    /// Waits until neighbours have what was sent to them, where the membership will be left then.
    pub(super) async fn handed_over(&self) -> Result<(), Failure> {
        match &self.way {
            #[cfg(unix)]
            Way::Shared(_) => Ok(()),
            Way::Own(entered) => entered.hub.handed_over(self.timeout).await,
        }
    }

    /// Routed messages as they come; the first says that none is missed from now on.
    pub(super) async fn listen(&self) -> Result<mpsc::UnboundedReceiver<Answer>, Failure> {
        match &self.way {
            #[cfg(unix)]
            Way::Shared(client) => client.begin(Request::Listen, self.timeout).await,
            Way::Own(entered) => {
                let (sender, answers) = mpsc::unbounded_channel();
                let mut routed = entered.hub.listen();
                let _ = sender.send(Answer::Item(serde_json::json!({ "listening": true })));
                tokio::spawn(async move {
                    loop {
                        let item = match routed.recv().await {
                            Ok(item) => item,
                            Err(RecvError::Lagged(lost)) => serde_json::json!({ "lost": lost }),
                            Err(RecvError::Closed) => return,
                        };
                        if sender.send(Answer::Item(item)).is_err() {
                            return;
                        }
                    }
                });
                Ok(answers)
            }
        }
    }

    fn seen(&self) -> String {
        match &self.way {
            #[cfg(unix)]
            Way::Shared(_) => "through the membership that runs here".to_owned(),
            Way::Own(entered) => match entered.hub.neighbours() {
                0 => "no member found yet".to_owned(),
                1 => "one neighbour".to_owned(),
                many => format!("{many} neighbours"),
            },
        }
    }
}

/// Asks a membership.
#[derive(Clone)]
pub(super) struct Asker {
    of: Of,
    timeout: Duration,
}

#[derive(Clone)]
enum Of {
    #[cfg(unix)]
    Shared(Arc<Client>),
    Own(Hub),
}

impl Asker {
    pub(super) async fn ask(&self, request: Request) -> Result<Value, Failure> {
        match &self.of {
            #[cfg(unix)]
            Of::Shared(client) => client.ask(request, self.timeout).await,
            Of::Own(hub) => hub.answer(request, self.timeout).await,
        }
    }
}

/// The membership that runs here, if it will do.
#[cfg(unix)]
async fn shared(call: &Call, group: GroupId, need: Need, right: &Right) -> Option<Client> {
    if call.switch("alone") || call.typed("bind") {
        return None;
    }
    let client = Client::connect(group).await?;
    (need != Need::SameAuthor || client.author == right.author().peer_id()).then_some(client)
}

/// A grant, where the group asks for one: by a password that was given here, or by the membership's.
#[cfg(unix)]
async fn shared_grant(
    call: &Call,
    place: &Place,
    right: &mut Right,
    client: &Client,
    timeout: Duration,
) -> Result<Option<Vec<u8>>, Failure> {
    if place.spec.posting_key().is_none() {
        return Ok(None);
    }
    right.prove(call, &place.spec, None)?;
    if right.is_proven() {
        return Ok(right.own_grant().map(Vec::from));
    }
    let asked = client.ask(Request::Grant { author: right.author().peer_id() }, timeout).await;
    if let Ok(Some(grant)) = asked.as_ref().map(|told| told["grant"].as_str().and_then(|hex| from_hex(hex).ok())) {
        return Ok(Some(grant));
    }
    right.prove(call, &place.spec, Some(PROMPT))?;
    match right.own_grant() {
        Some(grant) => Ok(Some(Vec::from(grant))),
        None => Err(right.missing()),
    }
}
