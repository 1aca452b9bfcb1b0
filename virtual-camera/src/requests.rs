//! What clients asked for, one by one, for tests to look at.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Serialize, Serializer};

use crate::xml::Node;

/// Requests beyond this many push the oldest out.
const MAX_REQUESTS: usize = 1024;
/// Longer names, hosts and paths are cut.
const MAX_TEXT: usize = 128;

/// A SOAP request, a request for a snapshot, or one over RTSP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeenRequest {
    /// Counts all requests since the camera started, from 0, in the order in which they came.
    pub number: u64,
    /// How long after the start of the camera it came; as JSON, `at_ms` in milliseconds.
    #[serde(rename = "at_ms", serialize_with = "milliseconds")]
    pub at: Duration,
    /// Who asked.
    pub peer: IpAddr,
    /// The header `Host`, over RTSP the host and port of the address; empty where there was none.
    pub host: String,
    /// The path that was asked.
    pub path: String,
    /// The operation as the specification names it, `GetProfiles`; `snapshot` for a snapshot; a method of RTSP, `DESCRIBE`.
    pub operation: String,
    /// Whose credentials came with it, right or wrong.
    pub credentials: Option<SeenCredentials>,
    /// Status of the answer; `None` while there is none.
    pub status: Option<u16>,
}

/// Whose credentials came with a request, without any secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct SeenCredentials {
    /// The name of the user.
    pub user: String,
    /// How they came.
    pub scheme: CredentialScheme,
}

/// How credentials came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CredentialScheme {
    /// HTTP Basic, over RTSP too.
    Basic,
    /// HTTP Digest, over RTSP too.
    Digest,
    /// A WS-UsernameToken.
    UsernameToken,
    /// In the query of the address.
    Query,
}

impl SeenCredentials {
    /// What a request brought along, the strongest scheme first.
    pub(crate) fn of(authorization: Option<&str>, header: &Node, query: &str) -> Option<Self> {
        let found = |scheme, user: &str| Self {
            user: cut(user),
            scheme,
        };
        if let Some(token) = crate::auth::username_token(header) {
            let user = token.text_of("Username").unwrap_or_default();
            return Some(found(CredentialScheme::UsernameToken, user));
        }
        if let Some((scheme, value)) = authorization.and_then(|given| given.split_once(' ')) {
            if scheme.eq_ignore_ascii_case("digest") {
                let (_, user) = value.split_once("username=\"").unwrap_or_default();
                let user = user.split('"').next().unwrap_or_default();
                return Some(found(CredentialScheme::Digest, user));
            }
            if scheme.eq_ignore_ascii_case("basic") {
                let pair = BASE64_STANDARD.decode(value.trim()).unwrap_or_default();
                let pair = String::from_utf8_lossy(&pair);
                let user = pair.split(':').next().unwrap_or_default();
                return Some(found(CredentialScheme::Basic, user));
            }
        }
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let (_, user) = pairs.find(|(name, _)| name == "user")?;
        Some(found(CredentialScheme::Query, &user))
    }
}

/// A request as it comes.
pub(crate) struct Asked<'a> {
    pub at: Duration,
    pub peer: IpAddr,
    pub host: &'a str,
    pub path: &'a str,
    pub operation: &'a str,
    pub credentials: Option<SeenCredentials>,
}

/// The newest requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    seen: VecDeque<SeenRequest>,
    count: u64,
}

impl RequestLog {
    /// Notes a request, and returns its number.
    pub(crate) fn asked(&mut self, asked: Asked<'_>) -> u64 {
        let number = self.count;
        self.count += 1;
        if self.seen.len() == MAX_REQUESTS {
            self.seen.pop_front();
        }
        self.seen.push_back(SeenRequest {
            number,
            at: asked.at,
            peer: asked.peer.to_canonical(),
            host: cut(asked.host),
            path: cut(asked.path),
            operation: cut(asked.operation),
            credentials: asked.credentials,
            status: None,
        });
        number
    }

    /// Notes the answer, if the request is still known.
    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        let first = self.seen.front().map_or(0, |request| request.number);
        let place = number
            .checked_sub(first)
            .and_then(|n| usize::try_from(n).ok());
        if let Some(request) = place.and_then(|place| self.seen.get_mut(place)) {
            request.status = Some(status);
        }
    }

    /// Oldest first.
    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        self.seen.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.seen.clear();
    }
}

pub(crate) fn milliseconds<S: Serializer>(at: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(at.as_millis()).unwrap_or(u64::MAX))
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    fn asked(operation: &str) -> Asked<'_> {
        Asked {
            at: Duration::ZERO,
            peer: [127, 0, 0, 1].into(),
            host: "camera",
            path: "/",
            operation,
            credentials: None,
        }
    }

    #[test]
    fn the_oldest_requests_make_room_and_late_answers_find_theirs() {
        let mut log = RequestLog::default();
        let first = log.asked(asked("First"));
        let second = log.asked(asked("Second"));
        for _ in 0..MAX_REQUESTS - 1 {
            log.asked(asked("More"));
        }
        log.answered(first, 200);
        log.answered(second, 400);
        let seen = log.seen();
        assert_eq!(seen.len(), MAX_REQUESTS);
        assert_eq!(
            (seen[0].operation.as_str(), seen[0].status),
            ("Second", Some(400))
        );
        assert!(seen[1..].iter().all(|request| request.status.is_none()));

        log.clear();
        log.answered(second, 500);
        assert_eq!(log.asked(asked("Next")), MAX_REQUESTS as u64 + 1);
        assert_eq!(log.seen()[0].status, None);
    }

    #[test]
    fn credentials_are_seen_without_their_secrets() {
        let token = "<H><Security><UsernameToken><Username>ann</Username><Password>secret</Password>\
                     </UsernameToken></Security></H>";
        let token = read(token.as_bytes()).unwrap();
        let none = Node::default();
        let basic = format!("Basic {}", BASE64_STANDARD.encode("ann:secret"));
        for (authorization, header, query, scheme) in [
            (None, &token, "", CredentialScheme::UsernameToken),
            (Some(basic.as_str()), &none, "", CredentialScheme::Basic),
            (
                Some("Digest username=\"ann\", response=\"5ec4e7\""),
                &none,
                "",
                CredentialScheme::Digest,
            ),
            (
                None,
                &none,
                "user=ann&password=secret",
                CredentialScheme::Query,
            ),
        ] {
            let seen = SeenCredentials::of(authorization, header, query).unwrap();
            assert_eq!((seen.user.as_str(), seen.scheme), ("ann", scheme));
        }
        assert_eq!(SeenCredentials::of(None, &none, "profile=main"), None);
    }
}
