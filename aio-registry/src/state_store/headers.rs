//! The user properties that the state store adds to the RPC protocol.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Message, Mqtt, Properties, Publish, PublishError, Qos, Subscription};

/// The fencing token of a request, and its name here: the protocol's own names do not reach an application.
const FENCING_TOKEN: (&str, &str) = ("__ft", "fencing-token");
/// The version of a value, in its answer.
const VERSION: (&str, &str) = ("__ts", "version");

pub(super) const FENCING_TOKEN_HERE: &str = FENCING_TOKEN.1;
pub(super) const VERSION_HERE: &str = VERSION.1;

/// A session on which a fencing token and a version are user properties of the application.
pub(super) struct StateStoreSession(pub Arc<dyn Mqtt>);

#[async_trait]
impl Mqtt for StateStoreSession {
    fn client_id(&self) -> &str {
        self.0.client_id()
    }

    async fn publish(&self, mut message: Publish) -> Result<(), PublishError> {
        let user = &mut message.properties.user;
        for (wire, here) in [FENCING_TOKEN, VERSION] {
            if let Some(own) = user.iter().position(|(name, _)| name == here) {
                let (_, value) = user.remove(own);
                user.retain(|(name, _)| name != wire);
                user.push((wire.to_owned(), value));
            }
        }
        self.0.publish(message).await
    }

    async fn subscribe(&self, filter: &str, qos: Qos) -> Result<Subscription, Error> {
        let subscription = self.0.subscribe(filter, qos).await?;
        let (messages, mut read) = mpsc::channel(1);
        let (close, closing) = oneshot::channel();
        tokio::spawn(pass_on(subscription, messages, closing));
        let close = || -> BoxFuture<'static, Result<(), Error>> {
            let (done, closed) = oneshot::channel();
            // The session may have ended, and the task with it.
            let _ = close.send(done);
            async move { closed.await.unwrap_or(Err(Error::Closed)) }.boxed()
        };
        let read = stream::poll_fn(move |context| read.poll_recv(context));
        Ok(Subscription::new(read, close))
    }
}

/// Passes messages on, and goes on doing so with those that arrived before the subscription was closed.
async fn pass_on(
    mut subscription: Subscription,
    messages: mpsc::Sender<Message>,
    mut closing: oneshot::Receiver<oneshot::Sender<Result<(), Error>>>,
) {
    let mut room = None;
    loop {
        let open = !closing.is_terminated();
        tokio::select! {
            biased;
            Ok(done) = &mut closing, if open => {
                let _ = done.send(subscription.close().await);
            }
            permit = messages.reserve(), if room.is_none() => match permit {
                Ok(permit) => room = Some(permit),
                Err(_) => return,
            },
            message = subscription.next(), if room.is_some() => match (message, room.take()) {
                (Some(mut message), Some(room)) => {
                    translate(&mut message.properties);
                    room.send(message);
                }
                _ => return,
            },
        }
    }
}

fn translate(properties: &mut Properties) {
    for (wire, here) in [FENCING_TOKEN, VERSION] {
        properties.user.retain(|(name, _)| name != here);
        if let Some(value) = properties.user(wire).map(str::to_owned) {
            properties.user.push((here.to_owned(), value));
        }
    }
}
