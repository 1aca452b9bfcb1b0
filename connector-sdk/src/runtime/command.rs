//! The commands of one asset, by both generations of the contract, answered from one place.
//!
//! - `{namespace}/mrpc/{asset}/{command}`: every command the device has; success is `{"Result":…}`, failure `{"Error":{"Message":…}}`.
//! - management actions: those that the asset configures, each on its own topic; success is the bare document, failure
//!   `{"Error":{"Message":…}}` marked with `AppErrCode`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aio_registry::NamedAsset;
use aio_registry::model::Component;
use aio_registry::mrpc::{Executor, ExecutorOptions, HandlerError, Request, Response};
use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::report::{AssetReport, State};
use super::{Context, guarded};
use crate::retry::Retry;
use crate::{Command, Connector, Device, Error, ErrorKind};

/// The commands of one asset. Dropping it ends them.
pub(super) struct Commands {
    offered: BTreeSet<String>,
    report: Arc<AssetReport>,
    actions: BTreeMap<Component, (Action, AbortOnDropHandle<()>)>,
    start: Box<dyn Fn(Served, Arc<AssetReport>) -> AbortOnDropHandle<()> + Send + Sync>,
    namespace: String,
    classic: Option<AbortOnDropHandle<()>>,
}

/// A management action as it is wanted.
#[derive(Clone, Debug, PartialEq)]
struct Action {
    command: String,
    topic: String,
    timeout: Option<Duration>,
}

/// What one executor serves.
#[derive(Clone, Debug)]
struct Served {
    asset: String,
    pattern: String,
    timeout: Option<Duration>,
    answers: Answers,
}

#[derive(Clone, Debug)]
enum Answers {
    /// The command is a token of the topic.
    Classic,
    /// The topic is that of one action.
    Action {
        component: Component,
        command: String,
    },
}

impl Commands {
    pub(super) fn new<C: Connector>(
        context: &Arc<Context<C>>,
        namespace: &str,
        device: &Arc<C::Device>,
        report: &Arc<AssetReport>,
    ) -> Self {
        let offered = device
            .commands()
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let (context, device) = (Arc::clone(context), Arc::clone(device));
        let start = move |served: Served, report| {
            AbortOnDropHandle::new(tokio::spawn(serve(
                Arc::clone(&context),
                Arc::clone(&device),
                served,
                report,
            )))
        };
        Self {
            offered,
            report: Arc::clone(report),
            actions: BTreeMap::new(),
            start: Box::new(start),
            namespace: namespace.to_owned(),
            classic: None,
        }
    }

    pub(super) fn converge(&mut self, asset: &NamedAsset) {
        if self.classic.is_none() && !self.offered.is_empty() {
            let served = Served {
                asset: asset.name.clone(),
                pattern: format!("{}/mrpc/{}/{{command}}", self.namespace, asset.name),
                timeout: None,
                answers: Answers::Classic,
            };
            self.classic = Some((self.start)(served, Arc::clone(&self.report)));
        }

        let mut wanted = BTreeMap::new();
        let mut topics = BTreeMap::new();
        for group in &asset.asset.management_groups {
            for action in &group.actions {
                let component = Component::Action {
                    group: group.name.clone(),
                    name: action.name.clone(),
                };
                let topic = group.action_topic(action).map_or_else(
                    || {
                        format!(
                            "{}/asset-operations/{}/{}/{}",
                            self.namespace, asset.name, group.name, action.name
                        )
                    },
                    str::to_owned,
                );
                let taken = topics.insert(topic.clone(), action.name.clone());
                let action = match taken {
                    Some(other) => Err(Error::configuration(format!(
                        "topic: {topic} is that of action {other} too; each action needs its own"
                    ))),
                    None => self
                        .command_of(&action.name, &action.target_uri)
                        .map(|command| Action {
                            command,
                            topic,
                            timeout: group.action_timeout(action),
                        }),
                };
                wanted.insert(component, action);
            }
        }
        self.actions
            .retain(|component, (action, _)| matches!(wanted.get(component), Some(Ok(next)) if next == action));
        for (component, action) in wanted {
            match action {
                Err(error) => {
                    warn!(asset = %asset.name, ?component, error = %error.report(), "not served until its specification changes");
                    self.report.set(&component, State::failed(&error));
                }
                Ok(action) if !self.actions.contains_key(&component) => {
                    let served = Served {
                        asset: asset.name.clone(),
                        pattern: action.topic.clone(),
                        timeout: action.timeout,
                        answers: Answers::Action {
                            component: component.clone(),
                            command: action.command.clone(),
                        },
                    };
                    let task = (self.start)(served, Arc::clone(&self.report));
                    self.actions.insert(component, (action, task));
                }
                Ok(_) => {}
            }
        }
    }

    /// The command an action stands for: the last part of its target URI, else its name.
    fn command_of(&self, name: &str, target_uri: &str) -> Result<String, Error> {
        let target = target_uri
            .rsplit(['/', ':', '#'])
            .next()
            .unwrap_or_default();
        [target, name]
            .into_iter()
            .find(|candidate| self.offered.contains(*candidate))
            .map(str::to_owned)
            .ok_or_else(|| {
                let offered: Vec<&str> = self.offered.iter().map(String::as_str).collect();
                Error::unsupported(format!(
                    "targetUri: {target_uri:?} names no command of this device; it has {}",
                    offered.join(", ")
                ))
            })
    }
}

/// Holds one executor, which is started again until the broker takes its subscription.
async fn serve<C: Connector>(
    context: Arc<Context<C>>,
    device: Arc<C::Device>,
    served: Served,
    report: Arc<AssetReport>,
) {
    let options = ExecutorOptions {
        default_timeout: served.timeout.unwrap_or(context.options.command_timeout),
        ..ExecutorOptions::commands(served.pattern.clone())
    };
    let state = |state: State| {
        if let Answers::Action { component, .. } = &served.answers {
            report.set(component, state);
        }
    };
    let mut retry = Retry::new(context.options.retry);
    loop {
        let handler = {
            let (device, served) = (Arc::clone(&device), served.clone());
            move |request: Request| -> BoxFuture<'static, _> {
                Box::pin(answer(Arc::clone(&device), served.clone(), request))
            }
        };
        match Executor::start(Arc::clone(&context.mqtt), options.clone(), handler).await {
            Ok(_executor) => {
                debug!(topic = %served.pattern, "answers commands");
                state(State::Running);
                std::future::pending::<()>().await;
            }
            Err(error) => {
                let kind = match error.kind() {
                    aio_registry::ErrorKind::Caller => ErrorKind::Configuration,
                    _ => ErrorKind::NotDelivered,
                };
                let error =
                    Error::new(kind, format!("no commands on {}", served.pattern)).because(error);
                warn!(asset = %served.asset, error = %error.report(), "commands are not answered");
                state(State::failed(&error));
                match retry.after(kind, rand::random()) {
                    Some(wait) => sleep(wait).await,
                    None => return,
                }
            }
        }
    }
}

async fn answer<D: Device>(
    device: Arc<D>,
    served: Served,
    request: Request,
) -> Result<Response, HandlerError> {
    let (name, classic) = match &served.answers {
        Answers::Classic => (
            request.tokens.get("command").cloned().unwrap_or_default(),
            true,
        ),
        Answers::Action { command, .. } => (command.clone(), false),
    };
    let command = Command {
        name,
        asset: served.asset,
        payload: request.payload,
        timeout: request.deadline.saturating_duration_since(Instant::now()),
    };
    debug!(asset = %command.asset, command = %command.name, source = ?request.source, "command");
    let outcome = if device.commands().contains(&command.name.as_str()) {
        // The executor drops it at the deadline and answers with the protocol's own timeout.
        guarded(device.invoke(&command)).await
    } else {
        Err(Error::unsupported(format!(
            "there is no command {:?}; this asset answers {}",
            command.name,
            device.commands().join(", ")
        )))
    };
    match outcome {
        Ok(document) if classic => Ok(Response::json(wrapped(&document))),
        Ok(document) => Ok(Response::json(document)),
        Err(error) if error.kind() == ErrorKind::InvalidPayload => {
            Err(HandlerError::InvalidPayload(error.report()))
        }
        Err(error) => {
            warn!(asset = %command.asset, command = %command.name, error = %error.report(), "a command failed");
            let body = serde_json::json!({ "Error": { "Message": error.report() } });
            let response = Response::json(body.to_string());
            Ok(if classic {
                response
            } else {
                response.with_application_error(error.kind().code(), None)
            })
        }
    }
}

/// `{"Result":…}` around a JSON document; an empty one becomes `{}`.
fn wrapped(document: &Bytes) -> Bytes {
    let document: &[u8] = if document.is_empty() { b"{}" } else { document };
    [br#"{"Result":"#, document, b"}"].concat().into()
}
