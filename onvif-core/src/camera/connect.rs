//! What is learned when connecting: the camera's clock and its services.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::Instant;
use url::Url;

use super::{Inner, Request, Services, host};
use crate::auth::{Scheme, Slot};
use crate::device::{CapabilityCategory, GetCapabilities, GetServices, GetSystemDateAndTime};
use crate::error::Error;
use crate::operation::{Effect, Operation, Service};
use crate::soap::{self, Answer};

impl Inner {
    /// Measures the clock: without credentials as the specification wants it, else with them.
    pub(super) async fn measure_clock(&self) -> Result<(), Error> {
        let before = SystemTime::now();
        match self.call(&GetSystemDateAndTime {}, None).await {
            Ok(reply) => self.note_clock(before, reply.utc()),
            Err(
                error @ (Error::Network { .. }
                | Error::Unauthorized { .. }
                | Error::AuthenticationPaused { .. }),
            ) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(host = host(&self.url), %error, "the camera does not tell its time; going on without its clock offset")
            }
        }
        Ok(())
    }

    pub(super) fn note_clock(&self, before: SystemTime, device: Option<SystemTime>) {
        let Some(device) = device else {
            return;
        };
        // The device read its clock about half way between request and answer.
        let middle = before + before.elapsed().unwrap_or_default() / 2;
        let offset = match device.duration_since(middle) {
            Ok(ahead) => i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX),
            Err(behind) => i64::try_from(behind.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        if offset.unsigned_abs() > 5_000 {
            tracing::warn!(
                host = host(&self.url),
                offset_ms = offset,
                "the clock of the camera is off; its time is used for authentication"
            );
        }
        self.auth.set_clock_offset(offset);
    }

    /// Reads the clock again without credentials; whether it differs from what was known.
    pub(super) async fn clock_moved(&self) -> bool {
        let Ok(body) = GetSystemDateAndTime {}.body() else {
            return false;
        };
        let request = Request {
            service: Service::Device,
            name: GetSystemDateAndTime::NAME,
            action: GetSystemDateAndTime::ACTION,
            body: &body,
            pre_auth: true,
            effect: Effect::Read,
            hold: Duration::ZERO,
            endpoint: None,
        };
        let known = self.auth.clock_offset();
        let before = SystemTime::now();
        let slot = Slot::Service(Service::Device);
        let until = Instant::now() + self.timeout;
        let Ok((response, _)) = self
            .attempt(&request, &self.url, slot, Scheme::Anonymous, until)
            .await
        else {
            return false;
        };
        let text = soap::text(response.body());
        let Ok(Answer::Reply(reply)) =
            soap::decode::<<GetSystemDateAndTime as Operation>::Response>(&text, request.name)
        else {
            return false;
        };
        self.note_clock(before, reply.utc());
        let now = self.auth.clock_offset();
        now.unwrap_or(0)
            .saturating_sub(known.unwrap_or(0))
            .unsigned_abs()
            > 1_500
    }

    /// Where the camera does not tell its time to strangers, takes it from the `Date` of an answer;
    /// whether that makes a difference.
    pub(super) fn take_date(&self, response: &http::Response<Bytes>) -> bool {
        if self.auth.clock_offset().is_some() {
            return false;
        }
        let date = response.headers().get(http::header::DATE);
        let date = date
            .and_then(|date| date.to_str().ok())
            .and_then(|date| httpdate::parse_http_date(date).ok());
        self.note_clock(SystemTime::now(), date);
        let offset = self.auth.clock_offset().unwrap_or(0);
        offset.unsigned_abs() > 1_500
    }

    /// `GetServices` merged with `GetCapabilities`: either may be missing or incomplete.
    pub(super) async fn find_services(&self) -> Result<Services, Error> {
        let mut services = Services::default();
        let listed = self
            .call(
                &GetServices {
                    include_capability: false,
                },
                None,
            )
            .await;
        if let Ok(reply) = &listed {
            for service in &reply.services {
                let known = service
                    .namespace
                    .as_deref()
                    .and_then(Service::from_namespace);
                if let (Some(known), Some(address)) = (known, &service.xaddr) {
                    self.add_service(&mut services, known, address);
                }
            }
        }
        let capabilities = self
            .call(
                &GetCapabilities {
                    category: vec![CapabilityCategory::All],
                },
                None,
            )
            .await;
        if let Ok(reply) = &capabilities {
            for (service, address) in reply.addresses() {
                self.add_service(&mut services, service, address);
            }
        }
        match (listed, capabilities) {
            (Err(error), Err(_))
                if !matches!(
                    error,
                    Error::Refused { .. } | Error::NotSoap { .. } | Error::Malformed { .. }
                ) =>
            {
                return Err(error);
            }
            (Err(error), Err(_)) => {
                tracing::warn!(host = host(&self.url), %error, "the camera does not tell its services; only device management can be used");
            }
            _ => {}
        }
        // The configured address works; whatever the camera reports for it may not.
        services
            .entries
            .retain(|(service, _)| *service != Service::Device);
        services
            .entries
            .insert(0, (Service::Device, self.url.clone()));
        Ok(services)
    }

    pub(super) fn add_service(&self, services: &mut Services, service: Service, reported: &str) {
        match self.resolve(&format!("{service} service"), reported) {
            Ok(url) => services.add(service, url),
            Err(error) => {
                tracing::warn!(host = host(&self.url), %error, "this service cannot be used")
            }
        }
    }
}

/// The address of the device service from what the user wrote.
pub(super) fn device_url(text: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text.trim())
        .map_err(|error| Error::Caller(format!("the camera's URL cannot be used: {error}; write it like http://192.0.2.7/onvif/device_service")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Error::Caller(
            "the camera's URL must start with http:// or https:// and name a host".into(),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Caller(
            "credentials do not belong into the camera's URL; pass them with `credentials`".into(),
        ));
    }
    if url.path() == "/" && url.query().is_none() {
        url.set_path("/onvif/device_service");
    }
    Ok(url)
}
