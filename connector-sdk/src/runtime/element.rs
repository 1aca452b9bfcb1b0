//! One element of an asset (a dataset, an event, a stream): run it, again with backoff after each failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aio_registry::model::Component;
use aio_registry::{DesiredEndpoint, NamedAsset};
use tokio::time::sleep;
use tracing::{info, warn};

use super::report::{AssetReport, State};
use super::{Context, guarded};
use crate::retry::Retry;
use crate::sink::{Identity, Progress, Route};
use crate::{Connector, DatasetSpec, Device, Error, EventSpec, Sink, StreamSpec};

/// An element as it is wanted: compared to see whether a change of the registry concerns it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Element {
    spec: Spec,
    route: Route,
}

#[derive(Clone, Debug, PartialEq)]
enum Spec {
    Dataset(DatasetSpec),
    Event(EventSpec),
    Stream(StreamSpec),
}

impl Element {
    pub(super) fn component(&self) -> &Component {
        &self.route.component
    }

    /// The elements of an asset that produce data.
    pub(super) fn all_of(
        namespace: &str,
        endpoint: &DesiredEndpoint,
        asset: &NamedAsset,
    ) -> Vec<Self> {
        let NamedAsset { name, asset } = asset;
        let route =
            |component, data_source: &Option<String>, type_ref: &Option<String>, to: &[_]| Route {
                namespace: namespace.to_owned(),
                device_name: endpoint.endpoint.device.clone(),
                endpoint_name: endpoint.endpoint.endpoint.clone(),
                device: Arc::clone(&endpoint.device),
                asset_name: name.clone(),
                asset: Identity {
                    uuid: asset.uuid.clone(),
                    external_asset_id: asset.external_asset_id.clone(),
                },
                component,
                data_source: data_source.clone(),
                type_ref: type_ref.clone(),
                destinations: to.to_vec(),
            };
        let datasets = asset.datasets.iter().map(|dataset| Self {
            route: route(
                Component::Dataset {
                    name: dataset.name.clone(),
                },
                &dataset.data_source,
                &dataset.type_ref,
                asset.dataset_destinations(dataset),
            ),
            spec: Spec::Dataset(DatasetSpec {
                asset: name.clone(),
                dataset: with_default(
                    dataset,
                    |dataset| &mut dataset.dataset_configuration,
                    &asset.default_datasets_configuration,
                ),
            }),
        });
        let events = asset.event_groups.iter().flat_map(|group| {
            let route = &route;
            group.events.iter().map(move |event| Self {
                route: route(
                    Component::Event {
                        group: group.name.clone(),
                        name: event.name.clone(),
                    },
                    &event
                        .data_source
                        .clone()
                        .or_else(|| group.data_source.clone()),
                    &event.type_ref,
                    asset.event_destinations(group, event),
                ),
                spec: Spec::Event(EventSpec {
                    asset: name.clone(),
                    group: group.name.clone(),
                    event: with_default(
                        event,
                        |event| &mut event.event_configuration,
                        &asset.default_events_configuration,
                    ),
                }),
            })
        });
        let streams = asset.streams.iter().map(|stream| Self {
            route: route(
                Component::Stream {
                    name: stream.name.clone(),
                },
                &None,
                &stream.type_ref,
                asset.stream_destinations(stream),
            ),
            spec: Spec::Stream(StreamSpec {
                asset: name.clone(),
                stream: with_default(
                    stream,
                    |stream| &mut stream.stream_configuration,
                    &asset.default_streams_configuration,
                ),
            }),
        });
        datasets.chain(events).chain(streams).collect()
    }

    /// Runs until it is dropped, or has nothing more to do.
    pub(super) async fn run<C: Connector>(
        self,
        context: Arc<Context<C>>,
        device: Arc<C::Device>,
        report: Arc<AssetReport>,
    ) {
        let asset = self.route.asset_name.clone();
        let component = self.route.component.clone();
        let progress = Arc::new(Reported {
            component: component.clone(),
            report: Arc::clone(&report),
            running: AtomicBool::new(false),
        });
        let sink = match Sink::new(
            (Arc::clone(&context.mqtt), Arc::clone(&context.registry)),
            self.route,
            device.targets(),
            Box::new(Arc::clone(&progress)),
        ) {
            Ok(sink) => sink,
            Err(error) => {
                warn!(%asset, ?component, error = %error.report(), "not served until its specification changes");
                report.set(&component, State::failed(&error));
                return;
            }
        };
        let mut retry = Retry::new(context.options.retry);
        loop {
            let Err(error) = guarded(run_once(&*device, &self.spec, &sink)).await else {
                info!(%asset, ?component, "has nothing to do");
                sink.running();
                return;
            };
            if progress.running.swap(false, Ordering::Relaxed) {
                retry.reset();
            }
            progress.failed(&error);
            match retry.after(error.kind(), rand::random()) {
                Some(wait) => {
                    warn!(%asset, ?component, error = %error.report(), "failed; next try in {:.1} s", wait.as_secs_f32());
                    sleep(wait).await;
                }
                None => {
                    warn!(%asset, ?component, error = %error.report(), "not served until its specification changes");
                    return;
                }
            }
        }
    }
}

async fn run_once<D: Device>(device: &D, spec: &Spec, sink: &Sink) -> Result<(), Error> {
    match spec {
        Spec::Dataset(dataset) => device.run_dataset(dataset, sink).await,
        Spec::Event(event) => device.run_event(event, sink).await,
        Spec::Stream(stream) => device.run_stream(stream, sink).await,
    }
}

/// The element, with the asset's default configuration where it has none of its own.
fn with_default<E: Clone>(
    element: &E,
    configuration: impl Fn(&mut E) -> &mut Option<String>,
    default: &Option<String>,
) -> E {
    let mut element = element.clone();
    let configuration = configuration(&mut element);
    if configuration.is_none() {
        configuration.clone_from(default);
    }
    element
}

/// Tells the report once that an element works.
#[derive(Debug)]
struct Reported {
    component: Component,
    report: Arc<AssetReport>,
    running: AtomicBool,
}

impl Progress for Arc<Reported> {
    fn running(&self) {
        if !self.running.swap(true, Ordering::Relaxed) {
            self.report.set(&self.component, State::Running);
        }
    }

    fn failed(&self, error: &Error) {
        self.running.store(false, Ordering::Relaxed);
        self.report.set(&self.component, State::failed(error));
    }
}
