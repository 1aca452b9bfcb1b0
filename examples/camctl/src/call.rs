//! `call`: any operation of any service, with JSON in and out.

mod node;

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result, bail};
use clap::Args;
use onvif_core::xml::{Reader, namespace};
use onvif_core::{Camera, OperationInfo, Service};
use serde::Serialize;

use self::node::Node;
use crate::output::Output;

#[derive(Args)]
pub struct CallArgs {
    /// The operation by its name in the specification, such as GetNTP; `ptz/Stop` says of which service.
    operation: String,

    /// Its arguments as JSON, in the order of the specification: {"ProfileToken": "main"}. Attributes have an `@` before
    /// their name, text beside them is `#text`, and a name may have a prefix (`tt:Name`); without one, the first level has
    /// that of the service and the others `tt`.
    #[arg(default_value = "{}")]
    arguments: String,
}

/// An operation that is about to be called.
struct Call {
    service: Service,
    name: String,
    action: String,
}

pub async fn run(args: &CallArgs, camera: &Camera, output: Output) -> Result<()> {
    let arguments: Node =
        serde_json::from_str(&args.arguments).context("the arguments are not JSON")?;
    let call = find(camera, &args.operation)?;
    let prefix = call.prefix().context("the service has no prefix")?;
    let body = arguments.request(prefix, &call.name)?;
    let reply = camera.call_raw(call.service, &call.action, &body).await?;
    let mut reader = Reader::new(&reply)?;
    let mut envelope = reader.root()?;
    while let Some(mut part) = envelope.child()? {
        if part.local_name() != "Body" {
            continue;
        }
        let Some(mut answer) = part.child()? else {
            break;
        };
        let answer = Node::read(&mut answer)?;
        return output.print(&Reply(answer));
    }
    bail!("the answer to {} is empty", call.name)
}

/// The operation of that name, where the services of the camera have one and no more.
fn find(camera: &Camera, asked: &str) -> Result<Call> {
    let (service, name) = match asked.split_once('/') {
        Some((service, name)) => {
            let mut all = Service::ALL.into_iter();
            let known = all.find(|known| known.name().eq_ignore_ascii_case(service));
            let known = known.with_context(|| format!("there is no service {service}"))?;
            (Some(known), name)
        }
        None => (None, asked),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        bail!("`{name}` is no name of an operation");
    }
    let tables: [&[OperationInfo]; 8] = [
        onvif_core::device::operations(),
        onvif_core::device_io::operations(),
        onvif_core::events::operations(),
        onvif_core::media::ver10::operations(),
        onvif_core::media::ver20::operations(),
        onvif_core::analytics::operations(),
        onvif_core::imaging::operations(),
        onvif_ptz::operations(),
    ];
    let known = tables.into_iter().flatten();
    let known: Vec<&OperationInfo> = known
        .filter(|info| info.name.eq_ignore_ascii_case(name))
        .filter(|info| match service {
            Some(service) => service == info.service,
            None => camera.services().has(info.service),
        })
        .collect();
    match (known.as_slice(), service) {
        ([info], _) => Ok(Call {
            service: info.service,
            name: info.name.to_owned(),
            action: info.action.to_owned(),
        }),
        // Services whose operations are in no table: their actions follow from the names.
        ([], Some(service)) => Ok(Call {
            service,
            name: name.to_owned(),
            action: action(service, name),
        }),
        ([], None) => bail!("no service has {name}, as far as is known; SERVICE/{name} asks one"),
        (several, _) => {
            let names = several
                .iter()
                .map(|info| format!("{}/{name}", info.service));
            bail!(
                "several services have it: {}",
                names.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn action(service: Service, name: &str) -> String {
    let namespace = service.namespace();
    match service {
        Service::Events => format!("{namespace}/EventPortType/{name}Request"),
        _ => format!("{namespace}/{name}"),
    }
}

impl Call {
    /// The prefix of the operation, as the client declares it.
    fn prefix(&self) -> Option<&'static str> {
        // What the Events service takes over from WS-BaseNotification has the namespace it has there.
        if self
            .action
            .starts_with("http://docs.oasis-open.org/wsn/bw-2/")
        {
            return Some("wsnt");
        }
        let mut known = namespace::PREFIXES.iter();
        let found = known.find(|(_, uri)| *uri == self.service.namespace());
        found.map(|(prefix, _)| *prefix)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Reply(Node);

impl Display for Reply {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.lines(f, "", 0)
    }
}
