//! Reading a reply: each client makes its call over a transport that answers from memory, so that both write an
//! envelope and read the same bytes.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use onvif_core::media::{ver10, ver20};
use onvif_core::{Camera, TransportError};
use oxvif::OnvifClient;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

use crate::median;

const ROUNDS: usize = 31;
/// How long one round of one client takes, about.
const ROUND: Duration = Duration::from_millis(60);

/// Prints a line for each file.
pub(crate) fn compare(files: &[String]) -> anyhow::Result<()> {
    println!("| reply | bytes | onvif-core | oxvif 0.17 | ratio |\n|---|--:|--:|--:|--:|");
    for file in files {
        let reply = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let bytes = reply.len();
        let service = Service::of(&reply).with_context(|| format!("{file}: not of GetProfiles"))?;
        let ours = Ours::new(&reply, service)?;
        let theirs = Theirs::new(&reply, service)?;
        let name = name(Path::new(file));
        let profiles = ours
            .call()
            .with_context(|| format!("onvif-core cannot read {file}"))?;
        let Ok(same) = theirs.call() else {
            println!("| {name} | {bytes} | reads {profiles} profiles | fails | |");
            continue;
        };
        anyhow::ensure!(profiles == same, "{file}: {profiles} and {same} profiles");
        // In turns, so that both meet the same weather.
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let (of_a, of_b) = (repetitions(|| ours.call())?, repetitions(|| theirs.call())?);
        for _ in 0..ROUNDS {
            a.push(time(of_a, || ours.call())?);
            b.push(time(of_b, || theirs.call())?);
        }
        let (a, b) = (median(a), median(b));
        println!(
            "| {name} | {bytes} | {a:.1} µs | {b:.1} µs | {:.2} x |",
            b / a
        );
    }
    Ok(())
}

/// Which service's GetProfiles a reply is of.
#[derive(Clone, Copy)]
enum Service {
    Media1,
    Media2,
}

impl Service {
    fn of(reply: &str) -> Option<Self> {
        if reply.contains("http://www.onvif.org/ver20/media/wsdl") && reply.contains("tr2:Profiles")
        {
            Some(Self::Media2)
        } else {
            reply.contains("trt:Profiles").then_some(Self::Media1)
        }
    }
}

/// The folders that tell captures apart.
fn name(file: &Path) -> String {
    let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
    parts[parts.len().saturating_sub(3)..].join("/")
}

/// CPU time of one call in microseconds.
fn time(repetitions: u32, call: impl Fn() -> anyhow::Result<usize>) -> anyhow::Result<f64> {
    let before = cpu();
    for _ in 0..repetitions {
        black_box(call()?);
    }
    Ok((cpu() - before).as_secs_f64() * 1e6 / f64::from(repetitions))
}

fn repetitions(call: impl Fn() -> anyhow::Result<usize>) -> anyhow::Result<u32> {
    time(3, &call)?;
    let one = time(10, &call)?;
    Ok((ROUND.as_secs_f64() * 1e6 / one).clamp(10.0, 1e6) as u32)
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

struct Ours {
    service: Service,
    runtime: Runtime,
    camera: Camera,
}

impl Ours {
    fn new(reply: &str, service: Service) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let transport = Arc::new(Memory(reply.to_owned().into()));
        let builder = Camera::builder("http://127.0.0.1/onvif/device_service").transport(transport);
        let camera = runtime.block_on(builder.connect())?;
        Ok(Self {
            service,
            runtime,
            camera,
        })
    }

    fn call(&self) -> anyhow::Result<usize> {
        let Self {
            runtime, camera, ..
        } = self;
        Ok(match self.service {
            Service::Media1 => {
                let reply = runtime.block_on(camera.call(&ver10::GetProfiles {}))?;
                black_box(reply).profiles.len()
            }
            Service::Media2 => {
                let all = ver20::GetProfiles {
                    token: None,
                    types: vec!["All".into()],
                };
                let reply = runtime.block_on(camera.call(&all))?;
                black_box(reply).profiles.len()
            }
        })
    }
}

/// Answers GetProfiles with the reply, and the calls of connecting with the least that does.
struct Memory(Bytes);

const SERVICES: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><tds:GetServicesResponse
 xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace>
 <tds:XAddr>http://127.0.0.1/onvif/media</tds:XAddr></tds:Service>
 <tds:Service><tds:Namespace>http://www.onvif.org/ver20/media/wsdl</tds:Namespace>
 <tds:XAddr>http://127.0.0.1/onvif/media2</tds:XAddr></tds:Service></tds:GetServicesResponse></s:Body></s:Envelope>"#;
const FAULT: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value>
 <s:Subcode><s:Value xmlns:ter="http://www.onvif.org/ver10/error">ter:ActionNotSupported</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>"#;

#[async_trait]
impl onvif_core::Transport for Memory {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let kind = request.headers().get(http::header::CONTENT_TYPE);
        let action = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let body = if action.ends_with("media/wsdl/GetProfiles\"") {
            self.0.clone()
        } else if action.ends_with("GetServices\"") {
            Bytes::from_static(SERVICES.as_bytes())
        } else {
            Bytes::from_static(FAULT.as_bytes())
        };
        Ok(http::Response::new(body))
    }
}

struct Theirs {
    service: Service,
    runtime: Runtime,
    client: OnvifClient,
}

impl Theirs {
    fn new(reply: &str, service: Service) -> anyhow::Result<Self> {
        let transport = Arc::new(TheirMemory(reply.to_owned()));
        let client =
            OnvifClient::new("http://127.0.0.1/onvif/device_service").with_transport(transport);
        Ok(Self {
            service,
            runtime: runtime()?,
            client,
        })
    }

    fn call(&self) -> anyhow::Result<usize> {
        let Self {
            runtime, client, ..
        } = self;
        Ok(match self.service {
            Service::Media1 => {
                let call = client.get_profiles("http://127.0.0.1/onvif/media");
                black_box(runtime.block_on(call)?).len()
            }
            Service::Media2 => {
                let call = client.get_profiles_media2("http://127.0.0.1/onvif/media2");
                black_box(runtime.block_on(call)?).len()
            }
        })
    }
}

struct TheirMemory(String);

#[async_trait]
impl oxvif::transport::Transport for TheirMemory {
    async fn soap_post(
        &self,
        _: &str,
        _: &str,
        _: String,
    ) -> Result<String, oxvif::transport::TransportError> {
        Ok(self.0.clone())
    }
}
