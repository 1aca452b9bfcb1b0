//! Who may call: HTTP Digest and WS-UsernameToken, checked against the camera's one user.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use sha1::{Digest as _, Sha1};

use crate::clock::read_timestamp;
use crate::digest::{Algorithm, Deviation, DigestServer, Verdict};
use crate::quirks::{Quirks, WssePrefix};
use crate::rtsp::{Door, RtspAuth};
use crate::xml::Node;

/// How far a token's `Created` may be from the camera's clock.
const MAX_SKEW: SignedDuration = SignedDuration::from_secs(60);
/// The longest `Created` that a camera takes which is picky about nonces.
const MAX_CREATED: usize = 24;
const MAX_NONCES: usize = 16_384;
const REALM: &str = "virtual-camera";

/// What the SOAP services accept as proof of the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuthScheme {
    /// A WS-UsernameToken or HTTP Digest.
    #[default]
    Either,
    /// HTTP Digest only.
    Digest,
    /// A WS-UsernameToken only.
    UsernameToken,
    /// A WS-UsernameToken and HTTP Digest in the same request.
    Both,
}

/// The camera's user. `Debug` leaves the password out.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub user: String,
    pub password: String,
}

impl Credentials {
    fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("user", &self.user)
            .append_pair("password", &self.password)
            .finish()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What a request brought along.
pub(crate) struct Presented<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    pub authorization: Option<&'a str>,
    /// The SOAP Header, or an empty node.
    pub header: &'a Node,
    /// The document as it came.
    pub document: &'a [u8],
}

/// Why a request was not let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    /// Values of `WWW-Authenticate`.
    pub challenges: Vec<String>,
    /// The credentials were wrong, not just missing or stale.
    pub wrong: bool,
}

/// The check itself. Without a user everything is open.
#[derive(Debug)]
pub(crate) struct Gate {
    scheme: AuthScheme,
    user: Option<(Credentials, Arc<DigestServer>)>,
    used: UsedNonces,
    rules: Rules,
    rtsp: RtspAuth,
}

/// How picky the camera is.
#[derive(Debug, PartialEq)]
struct Rules {
    algorithms: Vec<Algorithm>,
    deviation: Deviation,
    max_skew: SignedDuration,
    only_utc: bool,
    max_nonce: Option<usize>,
    prefix: Option<WssePrefix>,
}

impl Rules {
    fn of(quirks: &Quirks) -> Self {
        let algorithms = match quirks.digest_algorithms.as_slice() {
            [] => vec![Algorithm::Sha256, Algorithm::Md5],
            algorithms => algorithms.to_vec(),
        };
        Self {
            algorithms,
            deviation: Deviation {
                no_qop: quirks.no_qop,
                next_nonce: quirks.next_nonce,
                sha256_broken: quirks.sha256_broken,
            },
            max_skew: quirks.max_skew.map_or(MAX_SKEW, |seconds| {
                SignedDuration::from_secs(seconds.into())
            }),
            only_utc: quirks.reject_offset_tz,
            max_nonce: quirks.max_nonce_len,
            prefix: quirks.wsse_prefix,
        }
    }
}

impl Gate {
    pub(crate) fn new(scheme: AuthScheme, user: Option<Credentials>, quirks: &Quirks) -> Self {
        let mut gate = Self {
            scheme,
            user: None,
            used: UsedNonces::default(),
            rules: Rules::of(quirks),
            rtsp: RtspAuth::default(),
        };
        if let Some(user) = user {
            gate.set_user(user);
        }
        gate
    }

    pub(crate) fn set_user(&mut self, user: Credentials) {
        let algorithms = &self.rules.algorithms;
        let digest = DigestServer::new(REALM, &user.user, &user.password, algorithms)
            .deviating(self.rules.deviation);
        self.user = Some((user, Arc::new(digest)));
    }

    /// Sets how picky the camera is. Nonces that were handed out go on where Digest stays as it is.
    pub(crate) fn set_rules(&mut self, quirks: &Quirks) {
        let rules = Rules::of(quirks);
        let same_digest =
            rules.algorithms == self.rules.algorithms && rules.deviation == self.rules.deviation;
        self.rules = rules;
        if !same_digest && let Some((user, _)) = self.user.take() {
            self.set_user(user);
        }
    }

    /// The Digest side.
    pub(crate) fn digest(&self) -> Option<Arc<DigestServer>> {
        self.user.as_ref().map(|(_, digest)| digest.clone())
    }

    /// Sets what RTSP accepts.
    pub(crate) fn set_rtsp(&mut self, rtsp: RtspAuth) {
        self.rtsp = rtsp;
    }

    /// The check of RTSP, where there is a user.
    pub(crate) fn rtsp(&self) -> Option<Door> {
        let (user, digest) = self.user.as_ref()?;
        let digest = Door::digest(digest.clone());
        let basic = Door::basic(REALM, &user.user, &user.password);
        Some(match self.rtsp {
            RtspAuth::Digest => digest,
            RtspAuth::Basic => basic,
            RtspAuth::Either => digest.or(basic),
        })
    }

    /// Name of the user, where there is one.
    pub(crate) fn user_name(&self) -> Option<&str> {
        self.user.as_ref().map(|(user, _)| user.user.as_str())
    }

    pub(crate) fn accepts_digest(&self) -> bool {
        self.scheme != AuthScheme::UsernameToken
    }

    pub(crate) fn accepts_username_token(&self) -> bool {
        self.scheme != AuthScheme::Digest
    }

    /// Checks a SOAP request; `now` is the camera's clock.
    pub(crate) fn check(&mut self, request: &Presented<'_>, now: Timestamp) -> Result<(), Refusal> {
        match self.scheme {
            AuthScheme::Digest => self.check_digest(request),
            AuthScheme::UsernameToken => self.check_token(request, now),
            AuthScheme::Both => {
                self.check_digest(request)?;
                self.check_token(request, now)
            }
            AuthScheme::Either => {
                let has_token = username_token(request.header).is_some();
                if request.authorization.is_none() && has_token {
                    self.check_token(request, now)
                } else {
                    self.check_digest(request)
                }
            }
        }
    }

    /// Checks HTTP Digest alone, as for snapshots.
    pub(crate) fn check_digest(&self, request: &Presented<'_>) -> Result<(), Refusal> {
        let Some((_, digest)) = &self.user else {
            return Ok(());
        };
        let refused = |challenges, wrong| Refusal {
            status: StatusCode::UNAUTHORIZED,
            challenges,
            wrong,
        };
        let Some(authorization) = request.authorization else {
            return Err(refused(digest.challenges(), false));
        };
        match digest.verify(request.method, request.uri, authorization) {
            Verdict::Accepted => Ok(()),
            Verdict::Stale => Err(refused(digest.stale_challenges(), false)),
            Verdict::Refused => Err(refused(digest.challenges(), true)),
        }
    }

    /// Checks HTTP Basic alone.
    pub(crate) fn check_basic(&self, request: &Presented<'_>) -> Result<(), Refusal> {
        let Some((user, _)) = &self.user else {
            return Ok(());
        };
        let pair = format!("{}:{}", user.user, user.password);
        let expected = format!("Basic {}", BASE64_STANDARD.encode(pair));
        match request.authorization {
            Some(given) if given == expected => Ok(()),
            given => Err(Refusal {
                status: StatusCode::UNAUTHORIZED,
                challenges: vec![format!("Basic realm=\"{REALM}\"")],
                wrong: given.is_some(),
            }),
        }
    }

    /// Checks for `user` and `password` in a query.
    pub(crate) fn check_query(&self, query: &str) -> Result<(), Refusal> {
        let Some((user, _)) = &self.user else {
            return Ok(());
        };
        if query.starts_with(&user.query()) {
            return Ok(());
        }
        Err(Refusal {
            status: StatusCode::UNAUTHORIZED,
            challenges: Vec::new(),
            wrong: !query.is_empty(),
        })
    }

    /// The user as a query, where there is one.
    pub(crate) fn user_query(&self) -> Option<String> {
        self.user.as_ref().map(|(user, _)| user.query())
    }

    fn check_token(&mut self, request: &Presented<'_>, now: Timestamp) -> Result<(), Refusal> {
        let Some((user, _)) = &self.user else {
            return Ok(());
        };
        let refused = |wrong| Refusal {
            status: StatusCode::BAD_REQUEST,
            challenges: Vec::new(),
            wrong,
        };
        let token = username_token(request.header).ok_or(refused(false))?;
        let prefixed = contains(request.document, b"<wsse:UsernameToken");
        match self.rules.prefix {
            // To its parser there is no token.
            Some(WssePrefix::Require) if !prefixed => return Err(refused(false)),
            Some(WssePrefix::Reject) if prefixed => return Err(refused(true)),
            _ => {}
        }
        let (Some(name), Some(digest), Some(nonce), Some(created)) = (
            token.text_of("Username"),
            token.text_of("Password"),
            token.text_of("Nonce"),
            token.text_of("Created"),
        ) else {
            return Err(refused(true));
        };
        let raw_nonce = BASE64_STANDARD.decode(nonce).map_err(|_| refused(true))?;
        let too_long = |max| raw_nonce.len() > max || created.len() > MAX_CREATED;
        if self.rules.max_nonce.is_some_and(too_long)
            || (self.rules.only_utc && !created.ends_with('Z'))
        {
            return Err(refused(true));
        }
        let expected = Sha1::new()
            .chain_update(raw_nonce)
            .chain_update(created)
            .chain_update(&user.password)
            .finalize();
        if name != user.user || digest != BASE64_STANDARD.encode(expected) {
            return Err(refused(true));
        }
        let created = read_timestamp(created).ok_or(refused(true))?;
        if created.duration_since(now).abs() > self.rules.max_skew {
            return Err(refused(true));
        }
        if self.used.insert(nonce, now) {
            Ok(())
        } else {
            Err(refused(true))
        }
    }
}

fn contains(document: &[u8], wanted: &[u8]) -> bool {
    document
        .windows(wanted.len())
        .any(|window| window == wanted)
}

/// The `UsernameToken` of a SOAP Header.
pub(crate) fn username_token(header: &Node) -> Option<&Node> {
    header.child("Security")?.child("UsernameToken")
}

/// Nonces that were accepted while their `Created` can still be fresh.
#[derive(Debug, Default)]
struct UsedNonces {
    known: HashSet<String>,
    by_age: VecDeque<(Timestamp, String)>,
}

impl UsedNonces {
    /// False where the nonce was used before.
    fn insert(&mut self, nonce: &str, now: Timestamp) -> bool {
        let is_old = |used: Timestamp| now.duration_since(used).abs() > MAX_SKEW * 2;
        while let Some((used, _)) = self.by_age.front()
            && (is_old(*used) || self.by_age.len() >= MAX_NONCES)
        {
            if let Some((_, nonce)) = self.by_age.pop_front() {
                self.known.remove(&nonce);
            }
        }
        if !self.known.insert(nonce.to_owned()) {
            return false;
        }
        self.by_age.push_back((now, nonce.to_owned()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    fn header(password: &str, nonce: &str, created: Timestamp) -> Node {
        let created = format!("{created:.0}");
        let digest = Sha1::new()
            .chain_update(nonce)
            .chain_update(&created)
            .chain_update(password)
            .finalize();
        let header = format!(
            "<Header><Security><UsernameToken><Username>admin</Username><Password>{}</Password>\
             <Nonce>{}</Nonce><Created>{created}</Created></UsernameToken></Security></Header>",
            BASE64_STANDARD.encode(digest),
            BASE64_STANDARD.encode(nonce),
        );
        read(header.as_bytes()).unwrap()
    }

    fn check(gate: &mut Gate, header: &Node, now: Timestamp) -> Result<(), Refusal> {
        let request = Presented {
            method: "POST",
            uri: "/",
            authorization: None,
            header,
            document: b"",
        };
        gate.check(&request, now)
    }

    fn gate(scheme: AuthScheme) -> Gate {
        let user = Credentials {
            user: "admin".into(),
            password: "secret".into(),
        };
        Gate::new(scheme, Some(user), &Quirks::default())
    }

    #[test]
    fn a_right_token_is_accepted_once() {
        let now = Timestamp::now();
        let mut gate = gate(AuthScheme::Either);
        let header = header("secret", "n1", now);

        assert_eq!(check(&mut gate, &header, now), Ok(()));
        assert!(check(&mut gate, &header, now).unwrap_err().wrong);
    }

    #[test]
    fn a_wrong_password_or_an_old_token_is_refused() {
        let now = Timestamp::now();
        let mut gate = gate(AuthScheme::UsernameToken);

        assert!(
            check(&mut gate, &header("wrong", "n1", now), now)
                .unwrap_err()
                .wrong
        );
        let late = now + MAX_SKEW + SignedDuration::from_secs(2);
        let refusal = check(&mut gate, &header("secret", "n2", now), late).unwrap_err();
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn without_credentials_there_are_challenges_but_no_failure() {
        let refusal = check(
            &mut gate(AuthScheme::Either),
            &Node::default(),
            Timestamp::now(),
        )
        .unwrap_err();
        assert_eq!(
            (refusal.status, refusal.wrong),
            (StatusCode::UNAUTHORIZED, false)
        );
        assert_eq!(refusal.challenges.len(), 2);
    }

    #[test]
    fn both_means_both() {
        let now = Timestamp::now();
        let refusal = check(
            &mut gate(AuthScheme::Both),
            &header("secret", "n", now),
            now,
        )
        .unwrap_err();
        assert_eq!(refusal.status, StatusCode::UNAUTHORIZED);
    }

    #[test]
    fn debug_shows_no_password() {
        assert!(!format!("{:?}", gate(AuthScheme::Either)).contains("secret"));
    }
}
