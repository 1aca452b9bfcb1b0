mod health;
mod notifications;
mod operations;

use std::sync::Arc;

use futures::StreamExt;
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
/// Who asks is not authenticated: give only the broker's clients that may ask access to `akri/#`. Who wants update events is
/// forgotten when the service stops. An asset is seen at its own endpoint only.
#[derive(Debug)]
pub struct RegistryService {
    executors: [Executor; 2],
    _stop: DropGuard,
}

impl RegistryService {
    /// Subscribes and serves.
    ///
    /// # Errors
    /// Those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, store: Arc<dyn RegistryStore>) -> Result<Self, Error> {
        let notifications = Arc::new(Notifications::new(mqtt.clone()));
        let operations = Arc::new(Operations::new(store.clone(), notifications.clone()));
        let health = health::subscribe(&mqtt).await?;
        let stop = CancellationToken::new();
        for work in [
            health::take_in(health, store.clone()).boxed_task(),
            notifications.send_updates(store).boxed_task(),
        ] {
            let stop = stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(work).await });
        }
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
            _stop: stop.drop_guard(),
        })
    }

    /// Unsubscribes, and answers the requests that have arrived.
    ///
    /// # Errors
    /// Those of [`Executor::close`].
    pub async fn close(self) -> Result<(), Error> {
        let [resources, discovery] = self.executors;
        resources.close().await?;
        discovery.close().await
    }
}

/// Tasks of different futures in one list.
trait BoxedTask {
    fn boxed_task(self) -> futures::future::BoxFuture<'static, ()>;
}

impl<F: Future<Output = ()> + Send + 'static> BoxedTask for F {
    fn boxed_task(self) -> futures::future::BoxFuture<'static, ()> {
        Box::pin(self)
    }
}

/// What the registry holds now.
async fn now(store: &dyn RegistryStore) -> Result<Arc<crate::Contents>, Error> {
    store.contents().next().await.ok_or(Error::Closed)
}
