//! One call on the wire: authentication, repetition, and what the answer means.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use tokio::time::Instant;
use url::Url;

use super::route::Route;
use super::{Inner, Request, host, message_id};
use crate::auth::{AuthOutcome, Challenges, Scheme, Slot};
use crate::error::Error;
use crate::operation::{Effect, Service};
use crate::soap::{self, Addressing, TakeReply};
use crate::transport::{FreshConnection, TransportError};
use crate::xml::DecodeError;

impl Inner {
    /// Sends a request, climbing the authentication ladder as far as needed.
    pub(super) async fn exchange(
        &self,
        request: &Request<'_>,
        take: &mut TakeReply<'_>,
    ) -> Result<Bytes, Error> {
        let url = match (request.endpoint, self.services.get(request.service)) {
            (Some(endpoint), _) => &endpoint.url,
            (None, Some(url)) => url,
            (None, None) => {
                return Err(Error::Unsupported {
                    host: host(&self.url),
                    what: format!(
                        "{} (it reports no {} service)",
                        request.name, request.service
                    ),
                });
            }
        };
        let slot = Slot::Service(request.service);
        let mut route = Route::new(self, url);
        let trusted = route.is_trusted();
        let _poll = match request.hold.is_zero() {
            false => self.polls.acquire().await.ok(),
            true => None,
        };
        let _connection = self.connections.acquire().await.ok();
        let first = || match trusted {
            true => self.auth.first(slot, request.pre_auth),
            false => (Scheme::Anonymous, false),
        };
        let (mut scheme, remembered) = first();
        let mut _climbing = None;
        if !remembered && trusted && self.auth.credentials.is_some() {
            _climbing = Some(self.climbing.lock().await);
            (scheme, _) = first();
        }
        let until = Instant::now() + self.timeout + request.hold;
        let mut climb = self.auth.climb(route.is_tls(), slot);
        let mut clock_checked = false;
        loop {
            self.permit(scheme, request.name)?;
            let url = &route.url.clone();
            let (response, fresh) = match self.attempt(request, url, slot, scheme, until).await {
                Ok(attempted) => attempted,
                Err(error) if route.detour(&error) => continue,
                Err(error) => return Err(error),
            };
            if route.redirect(&response)? {
                continue;
            }
            let text = soap::text(response.body());
            let answer = soap::read(&text, request.name, take);
            let fault = matches!(&answer, Ok(Some(fault)) if fault.is_auth());
            let status = response.status().as_u16();
            if !fault && !matches!((status, &answer), (401 | 403, Err(_) | Ok(Some(_)))) {
                if answer.is_err() && route.detour_from(status) {
                    continue;
                }
                if scheme.has_credentials() {
                    self.accept();
                }
                if trusted && (scheme.has_credentials() || !request.pre_auth) {
                    self.auth.remember(slot, scheme);
                }
                if answer.is_ok() {
                    route.arrived();
                }
                return match answer {
                    Ok(None) => Ok(response.body().clone()),
                    Ok(Some(fault)) => Err(Error::Refused {
                        operation: request.name.to_owned(),
                        host: host(url),
                        fault: Box::new(fault),
                    }),
                    Err(source) => Err(unreadable(request.name, url, status, &text, source)),
                };
            }
            let refusal = challenges(&response);
            // A clock that was set since then makes good tokens bad; look once.
            if scheme.has_token() && !clock_checked {
                clock_checked = true;
                if self.clock_moved().await || self.take_date(&response) {
                    continue;
                }
            }
            let next = match &self.auth.credentials {
                Some(_) if trusted => climb.next(scheme, fresh, &refusal),
                _ => None,
            };
            match next {
                Some(next) => {
                    self.auth.challenge(slot, &route.url, next, refusal);
                    scheme = next;
                }
                None => return Err(self.refused(request.name, url, scheme)),
            }
        }
    }

    /// One request on the wire; a read is repeated once when an idle connection was gone.
    pub(super) async fn attempt(
        &self,
        request: &Request<'_>,
        url: &Url,
        slot: Slot,
        scheme: Scheme,
        until: Instant,
    ) -> Result<(http::Response<Bytes>, bool), Error> {
        let mut retried = false;
        loop {
            let (authorization, fresh) = self.auth.authorization(slot, url, scheme, "POST");
            let security = self.auth.security(scheme);
            let addressing = (request.service == Service::Events).then(|| Addressing {
                action: request.action,
                to: url.as_str(),
                message_id: message_id(),
                reference_parameters: request
                    .endpoint
                    .map_or("", |endpoint| &endpoint.reference_parameters),
            });
            let envelope = soap::envelope(security.as_deref(), addressing.as_ref(), request.body);
            let content_type = [
                "application/soap+xml; charset=utf-8; action=\"",
                request.action,
                "\"",
            ];
            let mut builder =
                http::Request::post(url.as_str()).header(CONTENT_TYPE, content_type.concat());
            if let Some(authorization) = authorization {
                builder = builder.header(AUTHORIZATION, authorization);
            }
            if retried {
                builder = builder.extension(FreshConnection);
            }
            let http = builder
                .body(Bytes::from(envelope))
                .map_err(|error| Error::Caller(format!("{}: {error}", request.name)))?;
            match self.send(http, until).await {
                Ok(response) => {
                    self.note_next_nonce(slot, url, &response);
                    return Ok((response, fresh));
                }
                Err(TransportError::Closed(_))
                    if request.effect == Effect::Read && request.hold.is_zero() && !retried =>
                {
                    retried = true;
                }
                Err(source) => {
                    return Err(Error::Network {
                        operation: request.name.to_owned(),
                        host: host(url),
                        source,
                    });
                }
            }
        }
    }

    pub(super) fn note_next_nonce(&self, slot: Slot, url: &Url, response: &http::Response<Bytes>) {
        let info = response.headers().get("authentication-info");
        if let Some(info) = info.and_then(|info| info.to_str().ok()) {
            self.auth.next_nonce(slot, url, info);
        }
    }

    pub(super) fn permit(&self, scheme: Scheme, operation: &str) -> Result<(), Error> {
        match &self.auth.credentials {
            Some(credentials) if scheme.has_credentials() => {
                let paused = |source| Error::AuthenticationPaused {
                    operation: operation.to_owned(),
                    source,
                };
                self.auth.budget.permit(credentials).map_err(paused)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn accept(&self) {
        if let Some(credentials) = &self.auth.credentials {
            self.auth.budget.record(credentials, AuthOutcome::Accepted);
        }
    }

    pub(super) fn refused(&self, operation: &str, url: &Url, scheme: Scheme) -> Error {
        let user = match &self.auth.credentials {
            Some(credentials) => {
                if scheme.has_credentials() {
                    self.auth.budget.record(credentials, AuthOutcome::Refused);
                }
                Some(credentials.username().to_owned())
            }
            None => None,
        };
        Error::Unauthorized {
            operation: operation.to_owned(),
            host: host(url),
            user,
        }
    }
}

pub(super) fn challenges(response: &http::Response<Bytes>) -> Challenges {
    Challenges::parse(
        response
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok()),
    )
}

fn unreadable(operation: &str, url: &Url, status: u16, text: &str, source: DecodeError) -> Error {
    if text.contains("Envelope") {
        return Error::Malformed {
            operation: operation.to_owned(),
            host: host(url),
            source,
        };
    }
    let beginning: String = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(120)
        .collect();
    let snippet = if beginning.is_empty() {
        "the answer is empty".to_owned()
    } else {
        beginning
    };
    Error::NotSoap {
        operation: operation.to_owned(),
        host: host(url),
        status,
        snippet,
    }
}
