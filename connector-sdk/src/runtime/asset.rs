//! One asset on a connected device: its elements and commands, converged to what the registry wants.

use std::collections::BTreeMap;
use std::sync::Arc;

use aio_registry::model::Component;
use aio_registry::{DesiredEndpoint, NamedAsset};
use tokio_util::task::AbortOnDropHandle;

use super::Context;
use super::command::Commands;
use super::element::Element;
use super::report::{AssetReport, State};
use crate::Connector;

/// Everything of an asset that runs. Dropping it ends all of it.
pub(super) struct AssetTask {
    report: Arc<AssetReport>,
    elements: BTreeMap<Component, (Element, AbortOnDropHandle<()>)>,
    start: Box<dyn Fn(Element, Arc<AssetReport>) -> AbortOnDropHandle<()> + Send + Sync>,
    commands: Commands,
    namespace: String,
}

impl AssetTask {
    /// Nothing runs before the first [`converge`](Self::converge).
    pub(super) fn new<C: Connector>(
        context: &Arc<Context<C>>,
        namespace: &str,
        device: &Arc<C::Device>,
        report: Arc<AssetReport>,
    ) -> Self {
        let start = {
            let (context, device) = (Arc::clone(context), Arc::clone(device));
            move |element: Element, report| {
                let running = element.run(Arc::clone(&context), Arc::clone(&device), report);
                AbortOnDropHandle::new(tokio::spawn(running))
            }
        };
        Self {
            commands: Commands::new(context, namespace, device, &report),
            report,
            elements: BTreeMap::new(),
            start: Box::new(start),
            namespace: namespace.to_owned(),
        }
    }

    /// Ends what is no longer wanted, or wanted differently, and starts what is new.
    pub(super) fn converge(&mut self, endpoint: &DesiredEndpoint, asset: &Arc<NamedAsset>) {
        let wanted: BTreeMap<Component, Element> =
            Element::all_of(&self.namespace, endpoint, asset)
                .into_iter()
                .map(|element| (element.component().clone(), element))
                .collect();
        self.elements
            .retain(|component, (running, _)| wanted.get(component) == Some(running));
        self.report.plan(Arc::clone(asset));
        self.commands.converge(asset);
        for (component, element) in wanted {
            if !self.elements.contains_key(&component) {
                self.report.set(&component, State::Starting);
                let task = (self.start)(element.clone(), Arc::clone(&self.report));
                self.elements.insert(component, (element, task));
            }
        }
    }
}
