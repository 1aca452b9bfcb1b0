//! Where an endpoint's pictures come from: its address and its `additionalConfiguration`.

use std::sync::Arc;

use connector_sdk::{Credentials, Endpoint, Error};
use media_pipeline::{
    AuthBudget, CaptureMethod, FailureBudget, HttpOptions, HttpSource, HubOptions, RtspOptions,
    RtspSource, RtspTransport, Source, TlsOptions, TlsPolicy, Tracks,
};
use serde::Deserialize;

use crate::connector::failed;

/// The endpoint's `additionalConfiguration`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Settings {
    transport: Transport,
    snapshot_uri: Option<String>,
    capture_method: Capture,
    allow_basic: bool,
    accept_invalid_certificates: bool,
    /// `sha256/` and Base64.
    pinned_key: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    #[default]
    Tcp,
    Udp,
    Multicast,
    /// RTSP tunnelled through HTTP, or HTTPS.
    Http,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Capture {
    #[default]
    Auto,
    Stream,
    SnapshotUri,
}

/// What an endpoint is made of.
pub(crate) struct Opened {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) hub: HubOptions,
    pub(crate) capture: CaptureMethod,
}

/// The source of an endpoint. Nothing is connected yet.
pub(crate) fn open(endpoint: &Endpoint) -> Result<Opened, Error> {
    let settings: Settings = endpoint.configuration()?;
    let address = endpoint.address()?;
    let credentials = match &endpoint.credentials {
        Credentials::UsernamePassword { username, password } => {
            let password = password.as_text().map_err(|error| {
                Error::configuration("the password is not UTF-8").because(error)
            })?;
            Some(media_pipeline::Credentials::new(username, password))
        }
        _ => None,
    };
    let mut tls = TlsOptions::default();
    if settings.accept_invalid_certificates {
        tls.policy = TlsPolicy::AcceptInvalidCertificates;
    }
    if let Some(pin) = &settings.pinned_key {
        let pin = pin.parse().map_err(|error| {
            Error::configuration("additionalConfiguration.pinnedKey: is no pin").because(error)
        })?;
        tls.policy = TlsPolicy::Pinned(pin);
    }
    let budget: Arc<dyn AuthBudget> = Arc::new(FailureBudget::default());
    let pictures = |url| {
        let mut options = HttpOptions::new(url);
        options.credentials = credentials.clone();
        options.allow_basic = settings.allow_basic;
        options.tls = tls.clone();
        options.budget = Some(budget.clone());
        HttpSource::new(options).map_err(failed)
    };
    let mut hub = HubOptions::default();
    let tunnelled = settings.transport == Transport::Http;
    let source: Arc<dyn Source> = match address.scheme() {
        "http" | "https" if !tunnelled => {
            let source = pictures(address)?;
            hub.snapshot_uri = Some(source.clone());
            Arc::new(source)
        }
        scheme => {
            let url = match scheme.strip_prefix("rtsp") {
                Some(secure) if tunnelled => {
                    let rest = &address.as_str()[scheme.len()..];
                    format!("http{secure}{rest}").parse().map_err(|error| {
                        Error::configuration("address: cannot be tunnelled").because(error)
                    })?
                }
                _ => address,
            };
            let mut options = RtspOptions::new(url);
            options.credentials = credentials.clone();
            options.allow_basic = settings.allow_basic;
            options.tls = tls.clone();
            options.budget = Some(budget.clone());
            // Clips and streams have sound.
            options.tracks = Tracks::VideoAndAudio;
            options.transport = match settings.transport {
                Transport::Tcp | Transport::Http => RtspTransport::Tcp,
                Transport::Udp => RtspTransport::Udp,
                Transport::Multicast => RtspTransport::Multicast,
            };
            Arc::new(RtspSource::new(options).map_err(failed)?)
        }
    };
    if let Some(uri) = &settings.snapshot_uri {
        let url = uri.parse().map_err(|error| {
            Error::configuration("additionalConfiguration.snapshotUri: is no URL").because(error)
        })?;
        hub.snapshot_uri = Some(pictures(url)?);
    }
    let capture = match settings.capture_method {
        Capture::Auto => CaptureMethod::Auto,
        Capture::Stream => CaptureMethod::Stream,
        Capture::SnapshotUri if hub.snapshot_uri.is_none() => {
            return Err(Error::configuration(
                "additionalConfiguration.captureMethod: is snapshot-uri, but there is no snapshotUri",
            ));
        }
        Capture::SnapshotUri => CaptureMethod::SnapshotUri,
    };
    Ok(Opened {
        source,
        hub,
        capture,
    })
}
