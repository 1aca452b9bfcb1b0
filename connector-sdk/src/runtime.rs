//! The runtime: watches the registry, and owns every loop between it, the devices and the broker.

mod asset;
mod command;
mod element;
mod endpoint;
mod report;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::{Desired, DesiredEndpoint, EndpointRef, Mqtt, Registry};
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::{Connector, Error, ErrorKind, RetryOptions};

/// Settings of a [`Runtime`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// How long a connect, and each check of a device, may take. Default 30 s.
    pub connect_timeout: Duration,
    /// How often a device is checked. Default 30 s.
    pub check_interval: Duration,
    /// How long a command may take whose request and configuration name no time. Default 10 s.
    pub command_timeout: Duration,
    /// How long devices get to end what they hold, when the runtime stops. Default 10 s.
    pub shutdown_timeout: Duration,
    /// When to try again what failed.
    pub retry: RetryOptions,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            check_interval: Duration::from_secs(30),
            command_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(10),
            retry: RetryOptions::default(),
        }
    }
}

/// Runs a [`Connector`]: connects its endpoints, runs what their assets ask for, answers commands, reports what
/// came of it.
///
/// What the registry wants is compared with what runs each time it changes; only what differs is dropped and started
/// anew. One endpoint never hurts another: each has its own task, and a panic in a connector costs one attempt.
#[derive(Debug)]
pub struct Runtime<C> {
    context: Arc<Context<C>>,
}

/// What every part of the runtime needs.
pub(crate) struct Context<C> {
    pub(crate) connector: C,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) mqtt: Arc<dyn Mqtt>,
    pub(crate) options: RuntimeOptions,
}

impl<C> std::fmt::Debug for Context<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<C: Connector> Runtime<C> {
    /// A runtime that serves what `registry` holds and publishes through `mqtt`.
    pub fn new(
        connector: C,
        registry: Arc<dyn Registry>,
        mqtt: Arc<dyn Mqtt>,
        options: RuntimeOptions,
    ) -> Self {
        Self {
            context: Arc::new(Context {
                connector,
                registry,
                mqtt,
                options,
            }),
        }
    }

    /// Runs until `shutdown` completes, then lets every device end what it holds, within
    /// [`shutdown_timeout`](RuntimeOptions::shutdown_timeout).
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) {
        let Self { context } = self;
        let endpoint_type = context.connector.endpoint_type().to_owned();
        info!(%endpoint_type, "watching the registry");
        let mut desired = context.registry.watch(&endpoint_type);
        let mut endpoints = Endpoints::default();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                next = desired.next() => match next {
                    Some(next) => endpoints.converge(&context, &next),
                    None => {
                        error!("the registry ended its watch; what runs goes on unchanged");
                        shutdown.await;
                        break;
                    }
                },
                Some(ended) = endpoints.tasks.join_next() => if let Err(error) = ended {
                    error!(%error, "the task of an endpoint ended; it starts again when the registry changes");
                },
            }
        }
        endpoints.stop(context.options.shutdown_timeout).await;
    }
}

/// The endpoints that run, each fed with what the registry wants of it.
#[derive(Default)]
struct Endpoints {
    running: BTreeMap<EndpointRef, watch::Sender<Arc<DesiredEndpoint>>>,
    tasks: JoinSet<()>,
}

impl Endpoints {
    fn converge<C: Connector>(&mut self, context: &Arc<Context<C>>, desired: &Desired) {
        // An endpoint whose sender is dropped ends by itself.
        self.running.retain(|name, _| {
            let wanted = desired.endpoints.iter().any(|next| next.endpoint == *name);
            if !wanted {
                info!(endpoint = %name, "no longer in the registry");
            }
            wanted
        });
        for next in &desired.endpoints {
            let running = self
                .running
                .get(&next.endpoint)
                .filter(|running| !running.is_closed());
            if let Some(running) = running {
                // One manifest that changes is none of the business of all the others.
                running.send_if_modified(|current| {
                    let changed = current != next;
                    current.clone_from(next);
                    changed
                });
            } else {
                let (sender, receiver) = watch::channel(Arc::clone(next));
                self.running.insert(next.endpoint.clone(), sender);
                self.tasks.spawn(endpoint::run(
                    Arc::clone(context),
                    desired.namespace.clone(),
                    receiver,
                ));
            }
        }
    }

    async fn stop(mut self, limit: Duration) {
        self.running.clear();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(limit, all).await.is_err() {
            warn!(endpoints = self.tasks.len(), "stopped before they ended");
        }
    }
}

/// Turns a panic of a connector into an error, so that it costs one attempt and not the process.
pub(crate) async fn guarded<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Error::new(
                ErrorKind::Internal,
                format!("the connector panicked: {message}"),
            ))
        })
}

/// [`guarded`], and no longer than `limit`.
pub(crate) async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(limit, guarded(work)).await.unwrap_or_else(|_| {
        Err(Error::unavailable(format!(
            "no answer within {} s",
            limit.as_secs_f32()
        )))
    })
}
