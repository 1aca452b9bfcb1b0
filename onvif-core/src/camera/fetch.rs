//! GET, with a climb up the authentication ladder of its own.

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use http::header::AUTHORIZATION;
use tokio::time::Instant;
use url::Url;

use super::exchange::challenges;
use super::route::Route;
use super::{Inner, host};
use crate::auth::{Scheme, Slot};
use crate::error::Error;
use crate::transport::{BodyLimit, FreshConnection, TransportError};

const NAME: &str = "snapshot";

impl Inner {
    pub(super) async fn fetch(
        &self,
        url: &Url,
        limit: usize,
    ) -> Result<http::Response<Bytes>, Error> {
        let _connection = self.connections.acquire().await.ok();
        let until = Instant::now() + self.timeout;
        let slot = Slot::Snapshot;
        let mut route = Route::new(self, url);
        let trusted = route.is_trusted();
        let (mut scheme, _) = match trusted {
            true => self.auth.first(slot, false),
            false => (Scheme::Anonymous, false),
        };
        let mut climb = self.auth.climb(route.is_tls(), slot);
        let mut retried = false;
        // What stands in the query is tried alone first, unless it is known not to be enough.
        let mut in_query = trusted && !scheme.has_credentials();
        loop {
            self.permit(scheme, NAME)?;
            let mut url = Cow::Borrowed(&route.url);
            if !in_query {
                url = Cow::Owned(without_credentials(&route.url));
            }
            let (authorization, fresh) = self.auth.authorization(slot, &url, scheme, "GET");
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
            let response = match self.send(http, until).await {
                Ok(response) => response,
                Err(TransportError::Closed(_)) if !retried => {
                    retried = true;
                    continue;
                }
                Err(source) => {
                    let error = Error::Network {
                        operation: NAME.into(),
                        host: host(&url),
                        source,
                    };
                    if route.detour(&error) {
                        continue;
                    }
                    return Err(error);
                }
            };
            if route.redirect(&response)? {
                continue;
            }
            self.note_next_nonce(slot, &route.url, &response);
            if response.status() != StatusCode::UNAUTHORIZED {
                if scheme.has_credentials() {
                    self.accept();
                }
                if trusted {
                    self.auth.remember(slot, scheme);
                }
                if response.status().is_success() {
                    route.arrived();
                }
                return Ok(response);
            }
            in_query = false;
            let refusal = challenges(&response);
            let next = match self.auth.credentials {
                Some(_) if trusted => climb.next(scheme, fresh, &refusal),
                _ => None,
            };
            match next {
                Some(next) => {
                    self.auth.challenge(slot, &route.url, next, refusal);
                    scheme = next;
                }
                None => return Err(self.refused(NAME, &route.url, scheme)),
            }
        }
    }
}

/// The URL without what looks like credentials in its query: cameras that get them there and in a
/// header refuse the request.
fn without_credentials(url: &Url) -> Url {
    let is_credential = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        [
            "user", "usr", "username", "loginuse", "password", "passwd", "pass", "pwd", "loginpas",
        ]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
    };
    let mut url = url.clone();
    if let Some(query) = url
        .query()
        .filter(|query| query.split('&').any(is_credential))
    {
        let rest: Vec<&str> = query
            .split('&')
            .filter(|pair| !is_credential(pair))
            .collect();
        let rest = rest.join("&");
        url.set_query(Some(rest.as_str()).filter(|rest| !rest.is_empty()));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_query_are_taken_out_and_nothing_else_changes() {
        for (url, expected) in [
            (
                "http://cam/s?chn=1&usr=admin&pwd=x%26y",
                "http://cam/s?chn=1",
            ),
            ("http://cam/s?User=a&Password=b", "http://cam/s"),
            (
                "http://cam/s?users=2&c=a%20b",
                "http://cam/s?users=2&c=a%20b",
            ),
            ("http://cam/s", "http://cam/s"),
        ] {
            let url = without_credentials(&Url::parse(url).unwrap());
            assert_eq!(url.as_str(), expected);
        }
    }
}
