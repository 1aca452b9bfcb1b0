//! One call on the wire: authentication, repetition, and what the answer means.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use url::Url;

use super::{Inner, Request, host, message_id};
use crate::auth::{AuthOutcome, Challenges, Climb, Refusal, Scheme, Slot};
use crate::error::Error;
use crate::operation::{Effect, Service};
use crate::soap::{self, Addressing, Answer};
use crate::transport::{BodyLimit, FreshConnection, TransportError};
use crate::xml::{Decode, DecodeError};

impl Inner {
    /// Sends a request, climbing the authentication ladder as far as needed.
    pub(super) async fn exchange<T: Decode>(
        &self,
        request: &Request<'_>,
    ) -> Result<(Bytes, T), Error> {
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
        let _poll = match request.hold.is_zero() {
            false => self.polls.acquire().await.ok(),
            true => None,
        };
        let _connection = self.connections.acquire().await.ok();
        let (mut scheme, mut remembered) = self.auth.first(slot, request.pre_auth);
        let mut _climbing = None;
        if !remembered && self.auth.credentials.is_some() {
            _climbing = Some(self.climbing.lock().await);
            (scheme, remembered) = self.auth.first(slot, request.pre_auth);
        }
        let mut climb = Climb::new(self.auth.policy, url.scheme() == "https", slot);
        loop {
            self.permit(scheme, request.name)?;
            let (response, fresh) = self.attempt(request, url, slot, scheme).await?;
            let text = soap::text(response.body());
            let answer = soap::decode::<T>(&text, request.name);
            let fault = matches!(&answer, Ok(Answer::Fault(fault)) if fault.is_auth());
            let status = response.status().as_u16();
            if !fault
                && !matches!(
                    (status, &answer),
                    (401 | 403, Err(_) | Ok(Answer::Fault(_)))
                )
            {
                if scheme.has_credentials() {
                    self.accept();
                }
                if scheme.has_credentials() || !request.pre_auth {
                    self.auth.remember(slot, scheme);
                }
                return match answer {
                    Ok(Answer::Reply(reply)) => Ok((response.body().clone(), reply)),
                    Ok(Answer::Fault(fault)) => Err(Error::Refused {
                        operation: request.name.to_owned(),
                        host: host(url),
                        fault: Box::new(fault),
                    }),
                    Err(source) => Err(unreadable(request.name, url, status, &text, source)),
                };
            }
            let refusal = Refusal {
                challenges: challenges(&response),
                fault,
            };
            // A clock that was set since then makes good tokens bad; look once.
            if remembered && scheme.has_token() && self.clock_moved().await {
                remembered = false;
                continue;
            }
            remembered = false;
            let next = match &self.auth.credentials {
                Some(_) => climb.next(scheme, fresh, &refusal),
                None => None,
            };
            match next {
                Some(next) => {
                    self.auth.challenge(
                        slot,
                        &url.origin().ascii_serialization(),
                        next,
                        refusal.challenges,
                    );
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
    ) -> Result<(http::Response<Bytes>, bool), Error> {
        let origin = url.origin().ascii_serialization();
        let deadline = self.timeout + request.hold;
        let mut retried = false;
        loop {
            let (authorization, fresh) =
                self.auth
                    .authorization(slot, &origin, scheme, "POST", &path(url));
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
            let mut builder = http::Request::post(url.as_str()).header(
                CONTENT_TYPE,
                format!(
                    "application/soap+xml; charset=utf-8; action=\"{}\"",
                    request.action
                ),
            );
            if let Some(authorization) = authorization {
                builder = builder.header(AUTHORIZATION, authorization);
            }
            if retried {
                builder = builder.extension(FreshConnection);
            }
            let http = builder
                .body(Bytes::from(envelope))
                .map_err(|error| Error::Caller(format!("{}: {error}", request.name)))?;
            match self.transport.send(http, deadline).await {
                Ok(response) => return Ok((response, fresh)),
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

    pub(super) async fn fetch(
        &self,
        url: &Url,
        limit: usize,
    ) -> Result<http::Response<Bytes>, Error> {
        const NAME: &str = "snapshot";
        let _connection = self.connections.acquire().await.ok();
        let slot = Slot::Snapshot;
        let origin = url.origin().ascii_serialization();
        let (mut scheme, _) = self.auth.first(slot, false);
        let mut climb = Climb::new(self.auth.policy, url.scheme() == "https", slot);
        let mut retried = false;
        loop {
            self.permit(scheme, NAME)?;
            let (authorization, fresh) =
                self.auth
                    .authorization(slot, &origin, scheme, "GET", &path(url));
            let mut builder = http::Request::get(url.as_str()).extension(BodyLimit(limit));
            if let Some(authorization) = authorization {
                builder = builder.header(AUTHORIZATION, authorization);
            }
            if retried {
                builder = builder.extension(FreshConnection);
            }
            let http = builder
                .body(Bytes::new())
                .map_err(|error| Error::Caller(format!("{NAME}: {error}")))?;
            let response = match self.transport.send(http, self.timeout).await {
                Ok(response) => response,
                Err(TransportError::Closed(_)) if !retried => {
                    retried = true;
                    continue;
                }
                Err(source) => {
                    return Err(Error::Network {
                        operation: NAME.into(),
                        host: host(url),
                        source,
                    });
                }
            };
            if response.status() != http::StatusCode::UNAUTHORIZED {
                if scheme.has_credentials() {
                    self.accept();
                }
                self.auth.remember(slot, scheme);
                return Ok(response);
            }
            let refusal = Refusal {
                challenges: challenges(&response),
                fault: false,
            };
            let next = self
                .auth
                .credentials
                .as_ref()
                .and_then(|_| climb.next(scheme, fresh, &refusal));
            match next {
                Some(next) => {
                    self.auth.challenge(slot, &origin, next, refusal.challenges);
                    scheme = next;
                }
                None => return Err(self.refused(NAME, url, scheme)),
            }
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

fn challenges(response: &http::Response<Bytes>) -> Challenges {
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
        .split_whitespace()
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

fn path(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
