mod health;
mod notifications;
mod operations;

use std::sync::Arc;

use futures::StreamExt;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::notifications::Notifications;
use self::operations::Operations;
use crate::adr::wire;
use crate::mrpc::{Executor, ExecutorOptions};
use crate::{Error, Mqtt, RegistryStore};

/// Serves a registry over MQTT as the Azure Device Registry does: to [`AdrRegistry`](crate::AdrRegistry), and to Microsoft's
/// own clients and connectors. Works until it is dropped.
///
/// It answers the nine methods and discovery, sends update events to those who asked for them, and takes health telemetry
/// in. What does not exist is `KubeError`, a bad name `BadRequest`, trouble of the registry `InternalError`; a body that is no
/// JSON of the contract is answered with status 400.
///
/// Who wants update events is kept in the registry, with what it knows: the next service tells it of what changed meanwhile.
///
/// Who asks is not authenticated: give only the broker's clients that may ask access to `akri/#`. An asset is seen at its own
/// endpoint only.
#[derive(Debug)]
pub struct RegistryService {
    executors: [Executor; 2],
    updates: JoinHandle<()>,
    /// That nobody is to be told of anything more.
    no_more: CancellationToken,
    _stop: DropGuard,
}

impl RegistryService {
    /// Subscribes and serves.
    ///
    /// # Errors
    /// Those of [`Mqtt::subscribe`], and of [`RegistryStore::interests`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, store: Arc<dyn RegistryStore>) -> Result<Self, Error> {
        let notifications = Notifications::open(mqtt.clone(), store.clone()).await?;
        let notifications = Arc::new(notifications);
        let operations = Arc::new(Operations::new(store.clone(), notifications.clone()));
        let health = health::subscribe(&mqtt).await?;
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        let stopped = stop.clone();
        let health = health::take_in(health, store);
        tokio::spawn(async move { stopped.run_until_cancelled(health).await });
        let (stopped, no_more) = (stop, CancellationToken::new());
        let updates = notifications.send_updates(no_more.clone());
        let updates = tokio::spawn(async move {
            stopped.run_until_cancelled(updates).await;
        });
        let resources = operations.clone();
        let resources = Executor::start(
            mqtt.clone(),
            ExecutorOptions::contract(wire::REQUESTS),
            move |request| {
                let operations = resources.clone();
                async move { operations.answer(request).await }
            },
        );
        let resources = resources.await?;
        let discovery = Executor::start(
            mqtt,
            ExecutorOptions::contract(wire::DISCOVERY),
            move |request| {
                let operations = operations.clone();
                async move { operations.answer_discovery(request).await }
            },
        );
        Ok(Self {
            executors: [resources, discovery.await?],
            updates,
            no_more,
            _stop,
        })
    }

    /// Unsubscribes, answers the requests that have arrived, and waits for the update events that are on their way.
    ///
    /// # Errors
    /// Those of [`Executor::close`].
    pub async fn close(self) -> Result<(), Error> {
        let [resources, discovery] = self.executors;
        resources.close().await?;
        discovery.close().await?;
        self.no_more.cancel();
        self.updates.await.map_err(|_| Error::Closed)
    }
}

/// What the registry holds now.
async fn now(store: &dyn RegistryStore) -> Result<Arc<crate::Contents>, Error> {
    store.contents().next().await.ok_or(Error::Closed)
}
