//! Where a request really goes, when, and with whose credentials.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::LOCATION;
use tokio::time::Instant;
use url::Url;

use super::{Inner, host};
use crate::error::Error;
use crate::transport::TransportError;
use crate::uri::{UriError, same_host};

const MAX_REDIRECTS: u8 = 3;

/// The way of one request: its URL, which changes where the camera redirects or a port is dead.
pub(super) struct Route<'a> {
    inner: &'a Inner,
    pub(super) url: Url,
    /// The same on the port of the device service, until that was tried.
    spare: Option<Url>,
    /// The port that is dead if the spare one answers.
    abandoned: Option<u16>,
    redirects: u8,
}

impl<'a> Route<'a> {
    pub(super) fn new(inner: &'a Inner, url: &Url) -> Self {
        let mut route = Self {
            inner,
            url: url.clone(),
            spare: None,
            abandoned: None,
            redirects: 0,
        };
        let configured = &inner.url;
        let port = url.port_or_known_default();
        if same_host(url, configured)
            && url.scheme() == configured.scheme()
            && port != configured.port_or_known_default()
        {
            let mut spare = url.clone();
            // Fails for URLs without a host only.
            let _ = spare.set_port(configured.port());
            let dead = inner.dead_ports.lock();
            match port {
                Some(port) if dead.unwrap_or_else(PoisonError::into_inner).contains(&port) => {
                    route.url = spare;
                }
                _ => route.spare = Some(spare),
            }
        }
        route
    }

    /// Whether credentials may be sent: to the configured host and to no other, whatever the
    /// camera says and whatever the policy for its URIs is.
    pub(super) fn is_trusted(&self) -> bool {
        same_host(&self.url, &self.inner.url)
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// After a request failed: whether to send it again, to the port of the device service. Tapo
    /// cameras hand out subscriptions on a port where nobody listens.
    pub(super) fn detour(&mut self, error: &Error) -> bool {
        let unreachable = matches!(
            error,
            Error::Network {
                source: TransportError::Connect(_),
                ..
            }
        );
        unreachable && self.take_spare()
    }

    /// After an answer that is not SOAP: whether to send the request again, to the port of the
    /// device service, because with this status something else listens here.
    pub(super) fn detour_from(&mut self, status: u16) -> bool {
        matches!(status, 400 | 404 | 405 | 501) && self.take_spare()
    }

    fn take_spare(&mut self) -> bool {
        let Some(spare) = self.spare.take() else {
            return false;
        };
        tracing::debug!(url = %self.url, "not the camera's service; trying the device's port");
        self.abandoned = self.url.port_or_known_default();
        self.url = spare;
        true
    }

    /// Notes that the camera gave a usable answer here.
    pub(super) fn arrived(&mut self) {
        if let Some(port) = self.abandoned.take() {
            let mut dead = self
                .inner
                .dead_ports
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            dead.insert(port);
        }
    }

    /// Follows a redirect to the same host, with the method kept; whether there was one.
    ///
    /// # Errors
    /// When it leads to another host, away from TLS, or in circles.
    pub(super) fn redirect(&mut self, response: &http::Response<Bytes>) -> Result<bool, Error> {
        let status = response.status();
        if !matches!(
            status,
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        ) {
            return Ok(false);
        }
        let refuse = |source| Error::Uri {
            what: format!("redirect of {}", host(&self.url)),
            source,
        };
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let invalid = |reason: &str| {
            let uri = location.unwrap_or_default();
            refuse(UriError::invalid(uri, reason))
        };
        let mut target = self
            .url
            .join(location.unwrap_or_default())
            .map_err(|error| invalid(&error.to_string()))?;
        if !same_host(&target, &self.url) {
            return Err(refuse(UriError::OtherHost {
                host: target.host_str().unwrap_or_default().to_owned(),
            }));
        }
        if target.scheme() != self.url.scheme() && target.scheme() != "https" {
            return Err(invalid("it leads away from TLS, or from HTTP"));
        }
        if self.redirects == MAX_REDIRECTS {
            return Err(invalid("there are too many redirects"));
        }
        // Both succeed for URLs with a host.
        let _ = target.set_username("");
        let _ = target.set_password(None);
        self.redirects += 1;
        self.spare = None;
        self.url = target;
        Ok(true)
    }
}

impl Inner {
    /// Sends a request when its turn has come; `until` is the deadline.
    pub(super) async fn send(
        &self,
        request: http::Request<Bytes>,
        until: Instant,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if !self.spacing.is_zero() {
            let mut next = self.next_request.lock().await;
            tokio::time::sleep_until(*next).await;
            *next = Instant::now() + self.spacing;
        }
        let left: Duration = until.saturating_duration_since(Instant::now());
        self.transport.send(request, left).await
    }
}
