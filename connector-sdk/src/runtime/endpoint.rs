//! One endpoint: connect, serve until something changes or the device is lost, again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::AuthenticationMethod;
use aio_registry::{DesiredEndpoint, Secret};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use super::asset::AssetTask;
use super::report::{AssetReport, EndpointReport, State};
use super::{Context, bounded, guarded};
use crate::retry::Retry;
use crate::{Connector, Credentials, Device, Endpoint, Error, ErrorKind};

/// Ends when the sender of `wanted` is dropped.
pub(super) async fn run<C: Connector>(
    context: Arc<Context<C>>,
    namespace: String,
    wanted: watch::Receiver<Arc<DesiredEndpoint>>,
) {
    let endpoint = wanted.borrow().endpoint.clone();
    let report = EndpointReport::start(
        Arc::clone(&context.registry),
        endpoint,
        context.options.retry,
    );
    let mut retry = Retry::new(context.options.retry);
    let mut task = EndpointTask {
        context,
        namespace,
        wanted,
        report,
        assets: BTreeMap::new(),
    };
    while let Some((tried, error)) = task.connect_and_serve(&mut retry).await {
        let desired = Arc::clone(&task.wanted.borrow());
        if !same_endpoint(&desired, &tried) {
            // It changed while it failed: what is wanted now was never tried.
            continue;
        }
        task.report.set(&desired, State::failed(&error));
        let not_reached = State::not_reached(&desired.endpoint, &error);
        task.plan_assets(&desired);
        for report in task.assets.values() {
            report.set_all(&not_reached);
        }
        let endpoint = &desired.endpoint;
        let report = error.report();
        match retry.after(error.kind(), rand::random()) {
            Some(wait) => {
                warn!(%endpoint, error = %report, "not served; next try in {:.1} s", wait.as_secs_f32());
                // A changed specification or secret ends the wait; so does the end of the endpoint.
                let _ = timeout(wait, task.changed(&desired)).await;
            }
            None => {
                warn!(%endpoint, error = %report, "not served until its specification or a secret of it changes");
                task.changed(&desired).await;
            }
        }
        if task.wanted.has_changed().is_err() {
            return;
        }
    }
}

struct EndpointTask<C> {
    context: Arc<Context<C>>,
    namespace: String,
    wanted: watch::Receiver<Arc<DesiredEndpoint>>,
    report: EndpointReport,
    /// Those of the assets outlive connections: without one their statuses say so.
    assets: BTreeMap<String, Arc<AssetReport>>,
}

/// Why serving a device ended.
enum Ended {
    /// The endpoint is gone from the registry, or the runtime stops.
    Gone,
    /// The endpoint's specification changed.
    Changed,
    /// The device does not answer any more.
    Lost(Error),
}

impl<C: Connector> EndpointTask<C> {
    /// Returns when there is an error to report and wait for, with what was tried; `None` when the endpoint is gone.
    async fn connect_and_serve(
        &mut self,
        retry: &mut Retry,
    ) -> Option<(Arc<DesiredEndpoint>, Error)> {
        loop {
            let desired = Arc::clone(&self.wanted.borrow_and_update());
            let context = Arc::clone(&self.context);
            let connected = tokio::select! {
                connected = connect(&context, &desired) => connected,
                () = self.changed(&desired) => match self.wanted.has_changed() {
                    Ok(_) => continue,
                    Err(_) => return None,
                },
            };
            let device = match connected {
                Ok(device) => Arc::new(device),
                Err(error) => return Some((desired, error)),
            };
            info!(endpoint = %desired.endpoint, "connected");
            retry.reset();
            self.report.set(&desired, State::Running);
            let ended = self.serve(&desired, &device).await;
            // What the device holds on the other side (a motion, a subscription, a session) is ended properly.
            let limit = self.context.options.shutdown_timeout;
            let close = async {
                device.close().await;
                Ok(())
            };
            if let Err(error) = bounded(limit, close).await {
                warn!(endpoint = %desired.endpoint, error = %error.report(), "the device was left before it was closed");
            }
            match ended {
                Ended::Gone => return None,
                Ended::Changed => info!(endpoint = %desired.endpoint, "changed; connecting anew"),
                Ended::Lost(error) => return Some((desired, error)),
            }
        }
    }

    async fn serve(&mut self, desired: &DesiredEndpoint, device: &Arc<C::Device>) -> Ended {
        let _discovery = AbortOnDropHandle::new(tokio::spawn(discover(
            Arc::clone(&self.context),
            desired.endpoint.clone(),
            Arc::clone(device),
        )));
        let mut assets: BTreeMap<String, AssetTask> = BTreeMap::new();
        let mut checks = interval(self.context.options.check_interval);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        checks.reset();
        let mut failures = 0;
        loop {
            let now = Arc::clone(&self.wanted.borrow_and_update());
            if !same_endpoint(&now, desired) {
                return Ended::Changed;
            }
            self.plan_assets(&now);
            assets.retain(|name, _| self.assets.contains_key(name));
            for asset in &now.assets {
                let report = &self.assets[&asset.name];
                assets
                    .entry(asset.name.clone())
                    .or_insert_with(|| {
                        let report = Arc::clone(report);
                        AssetTask::new(&self.context, &self.namespace, device, report)
                    })
                    .converge(&now, asset);
            }
            // Until the next change, check that the device is still there.
            loop {
                tokio::select! {
                    changed = self.wanted.changed() => match changed {
                        Ok(()) => break,
                        Err(_) => return Ended::Gone,
                    },
                    _ = checks.tick() => {}
                }
                match bounded(self.context.options.connect_timeout, device.check()).await {
                    Ok(()) => {
                        failures = 0;
                        self.report.set(&now, State::Running);
                    }
                    Err(error) => {
                        failures += 1;
                        debug!(endpoint = %now.endpoint, error = %error.report(), failures, "a check failed");
                        if failures > 1 || error.kind() == ErrorKind::Unauthorized {
                            return Ended::Lost(error);
                        }
                    }
                }
            }
        }
    }

    fn plan_assets(&mut self, desired: &DesiredEndpoint) {
        self.assets
            .retain(|name, _| desired.assets.iter().any(|asset| asset.name == *name));
        for asset in &desired.assets {
            self.assets
                .entry(asset.name.clone())
                .or_insert_with(|| {
                    Arc::new(AssetReport::start(
                        Arc::clone(&self.context.registry),
                        desired.endpoint.clone(),
                        Arc::clone(asset),
                        self.context.options.retry,
                    ))
                })
                .plan(Arc::clone(asset));
        }
    }

    /// Completes when the endpoint itself (not only its assets) is wanted differently, or no more.
    async fn changed(&self, desired: &DesiredEndpoint) {
        let mut wanted = self.wanted.clone();
        let _ = wanted.wait_for(|next| !same_endpoint(next, desired)).await;
    }
}

fn same_endpoint(a: &DesiredEndpoint, b: &DesiredEndpoint) -> bool {
    a.endpoint == b.endpoint && a.spec == b.spec && a.secrets_version == b.secrets_version
}

async fn connect<C: Connector>(
    context: &Context<C>,
    desired: &DesiredEndpoint,
) -> Result<C::Device, Error> {
    let endpoint = Endpoint {
        name: desired.endpoint.clone(),
        credentials: credentials(context, desired).await?,
        spec: Arc::clone(&desired.spec),
        device: Arc::clone(&desired.device),
    };
    bounded(
        context.options.connect_timeout,
        context.connector.connect(&endpoint),
    )
    .await
}

async fn credentials<C: Connector>(
    context: &Context<C>,
    desired: &DesiredEndpoint,
) -> Result<Credentials, Error> {
    let Some(authentication) = &desired.spec.authentication else {
        return Ok(Credentials::Anonymous);
    };
    match &authentication.method {
        AuthenticationMethod::Anonymous => Ok(Credentials::Anonymous),
        AuthenticationMethod::UsernamePassword => {
            let names = authentication
                .username_password_credentials
                .as_ref()
                .ok_or_else(|| {
                    Error::configuration(
                        "authentication.usernamePasswordCredentials: missing, though the method is UsernamePassword",
                    )
                })?;
            let secret = async |field: &str, name: &str| {
                context.registry.secret(name).await.map_err(|error| {
                    Error::configuration(format!(
                        "authentication.usernamePasswordCredentials.{field}: {name:?} cannot be read"
                    ))
                    .because(error)
                })
            };
            let username = secret("usernameSecretName", &names.username_secret_name).await?;
            let password = secret("passwordSecretName", &names.password_secret_name).await?;
            Ok(Credentials::UsernamePassword {
                username: text(&username)?.to_owned(),
                password,
            })
        }
        other => Err(Error::unsupported(format!(
            "authentication.method: {other} is not supported here; Anonymous and UsernamePassword are"
        ))),
    }
}

fn text(secret: &Secret) -> Result<&str, Error> {
    secret
        .as_text()
        .map_err(|error| Error::configuration("the user name is not UTF-8").because(error))
}

async fn discover<C: Connector>(
    context: Arc<Context<C>>,
    endpoint: aio_registry::EndpointRef,
    device: Arc<C::Device>,
) {
    let mut retry = Retry::new(context.options.retry);
    let discovery = loop {
        match guarded(device.discover()).await {
            Ok(discovery) => break discovery,
            Err(error) => {
                warn!(%endpoint, error = %error.report(), "discovery failed");
                match retry.after(error.kind(), rand::random()) {
                    Some(wait) => sleep(wait.max(Duration::from_secs(1))).await,
                    None => return,
                }
            }
        }
    };
    for (name, asset) in discovery.assets {
        info!(%endpoint, asset = %name, "discovered an asset");
        if let Err(error) = context
            .registry
            .report_discovered_asset(&endpoint, &name, asset)
            .await
        {
            warn!(%endpoint, asset = %name, %error, "the registry did not take a discovered asset");
        }
    }
    for (name, found) in discovery.devices {
        info!(%endpoint, device = %name, "discovered a device");
        if let Err(error) = context
            .registry
            .report_discovered_device(&name, found)
            .await
        {
            warn!(%endpoint, device = %name, %error, "the registry did not take a discovered device");
        }
    }
}
