//! Who is calling: HTTP Digest and WS-UsernameToken, checked against the camera's users.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use sha1::{Digest as _, Sha1};

use crate::accounts::{Accounts, Level, User};
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

/// What the SOAP services accept as proof of a user.
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

/// A name with a password. `Debug` leaves the password out.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub user: String,
    pub password: String,
}

fn query(user: &User) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("user", &user.name)
        .append_pair("password", &user.password)
        .finish()
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

/// The check itself. Without a configured user everything is open, to an administrator's rights.
#[derive(Debug)]
pub(crate) struct Gate {
    scheme: AuthScheme,
    accounts: Arc<Accounts>,
    digest: Arc<DigestServer>,
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

fn digest(accounts: &Arc<Accounts>, rules: &Rules) -> Arc<DigestServer> {
    let server = DigestServer::for_accounts(REALM, accounts.clone(), &rules.algorithms);
    Arc::new(server.deviating(rules.deviation))
}

impl Gate {
    pub(crate) fn new(scheme: AuthScheme, user: Option<Credentials>, quirks: &Quirks) -> Self {
        let rules = Rules::of(quirks);
        let accounts = Arc::new(Accounts::new(user, quirks));
        Self {
            scheme,
            digest: digest(&accounts, &rules),
            accounts,
            used: UsedNonces::default(),
            rules,
            rtsp: RtspAuth::default(),
        }
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Sets how picky the camera is. Nonces that were handed out go on where Digest stays as it is.
    pub(crate) fn set_rules(&mut self, quirks: &Quirks) {
        let rules = Rules::of(quirks);
        if rules.algorithms != self.rules.algorithms || rules.deviation != self.rules.deviation {
            self.digest = digest(&self.accounts, &rules);
        }
        self.rules = rules;
        self.accounts.set_lockout(quirks);
    }

    /// The Digest side; `None` where everything is open.
    pub(crate) fn digest(&self) -> Option<Arc<DigestServer>> {
        let needed = self.accounts.configured().is_some();
        needed.then(|| self.digest.clone())
    }

    /// Sets what RTSP accepts.
    pub(crate) fn set_rtsp(&mut self, rtsp: RtspAuth) {
        self.rtsp = rtsp;
    }

    /// The check of RTSP, where there is a user. Basic lets in the one that was configured.
    pub(crate) fn rtsp(&self) -> Option<Door> {
        let user = self.accounts.configured()?;
        let digest = Door::digest(self.digest.clone());
        let basic = Door::basic(REALM, &user.name, &user.password);
        Some(match self.rtsp {
            RtspAuth::Digest => digest,
            RtspAuth::Basic => basic,
            RtspAuth::Either => digest.or(basic),
        })
    }

    pub(crate) fn accepts_digest(&self) -> bool {
        self.scheme != AuthScheme::UsernameToken
    }

    pub(crate) fn accepts_username_token(&self) -> bool {
        self.scheme != AuthScheme::Digest
    }

    /// Checks a SOAP request, and says what its sender may do; `now` is the camera's clock.
    pub(crate) fn check(
        &mut self,
        request: &Presented<'_>,
        now: Timestamp,
    ) -> Result<Level, Refusal> {
        match self.scheme {
            AuthScheme::Digest => self.check_digest(request),
            AuthScheme::UsernameToken => self.check_token(request, now),
            AuthScheme::Both => {
                let by_digest = self.check_digest(request)?;
                Ok(by_digest.min(self.check_token(request, now)?))
            }
            AuthScheme::Either => {
                let has_token = username_token(request.header).is_some();
                match (request.authorization.is_some(), has_token) {
                    (false, true) => self.check_token(request, now),
                    (_, false) => self.check_digest(request),
                    // Who brings both has to be right twice.
                    (true, true) => {
                        let by_digest = self.check_digest(request)?;
                        Ok(by_digest.min(self.check_token(request, now)?))
                    }
                }
            }
        }
    }

    /// Checks HTTP Digest alone, as for snapshots.
    pub(crate) fn check_digest(&self, request: &Presented<'_>) -> Result<Level, Refusal> {
        let Some(digest) = self.digest() else {
            return Ok(Level::Administrator);
        };
        let refused = |challenges, wrong| Refusal {
            status: StatusCode::UNAUTHORIZED,
            challenges,
            wrong,
        };
        let Some(authorization) = request.authorization else {
            return Err(refused(digest.challenges(), false));
        };
        match digest.authenticate(request.method, request.uri, authorization) {
            Ok(user) => Ok(user.level),
            Err(Verdict::Stale) => Err(refused(digest.stale_challenges(), false)),
            Err(_) => Err(refused(digest.challenges(), true)),
        }
    }

    /// Checks HTTP Basic alone.
    pub(crate) fn check_basic(&self, request: &Presented<'_>) -> Result<Level, Refusal> {
        if self.accounts.configured().is_none() {
            return Ok(Level::Administrator);
        }
        let given = request.authorization;
        let user = given.and_then(|given| self.by_basic(given));
        user.map(|user| user.level).ok_or_else(|| Refusal {
            status: StatusCode::UNAUTHORIZED,
            challenges: vec![format!("Basic realm=\"{REALM}\"")],
            wrong: given.is_some(),
        })
    }

    fn by_basic(&self, authorization: &str) -> Option<User> {
        let encoded = authorization.strip_prefix("Basic ")?;
        let pair = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
        let (name, password) = pair.split_once(':')?;
        self.by_password(name, |user| user.password == password)
    }

    /// A user that can log in, if this proves it; otherwise that is noted.
    fn by_password(&self, name: &str, proof: impl FnOnce(&User) -> bool) -> Option<User> {
        let now = Instant::now();
        let user = self.accounts.find(name, now)?;
        if proof(&user) {
            self.accounts.let_in(name);
            Some(user)
        } else {
            self.accounts.turned_away(name, now);
            None
        }
    }

    /// Checks for `user` and `password` in a query.
    pub(crate) fn check_query(&self, given: &str) -> Result<Level, Refusal> {
        let Some(user) = self.accounts.configured() else {
            return Ok(Level::Administrator);
        };
        if given.starts_with(&query(&user)) {
            return Ok(user.level);
        }
        Err(Refusal {
            status: StatusCode::UNAUTHORIZED,
            challenges: Vec::new(),
            wrong: !given.is_empty(),
        })
    }

    /// The configured user as a query, where there is one.
    pub(crate) fn user_query(&self) -> Option<String> {
        self.accounts.configured().as_ref().map(query)
    }

    fn check_token(&mut self, request: &Presented<'_>, now: Timestamp) -> Result<Level, Refusal> {
        if self.accounts.configured().is_none() {
            return Ok(Level::Administrator);
        }
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
        let is_right = |user: &User| {
            let expected = Sha1::new()
                .chain_update(raw_nonce)
                .chain_update(created)
                .chain_update(&user.password)
                .finalize();
            digest == BASE64_STANDARD.encode(expected)
        };
        let user = self.by_password(name, is_right).ok_or(refused(true))?;
        let time = read_timestamp(created).ok_or(refused(true))?;
        if time.duration_since(now).abs() > self.rules.max_skew {
            return Err(refused(true));
        }
        // Some clients make a new nonce but once a second; with another `Created` it is another token.
        if self.used.insert(format!("{nonce} {created}"), now) {
            Ok(user.level)
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

/// Nonces with `Created` that were accepted while they can still be fresh.
#[derive(Debug, Default)]
struct UsedNonces {
    known: HashSet<String>,
    by_age: VecDeque<(Timestamp, String)>,
}

impl UsedNonces {
    /// False where it was used before.
    fn insert(&mut self, nonce: String, now: Timestamp) -> bool {
        let is_old = |used: Timestamp| now.duration_since(used).abs() > MAX_SKEW * 2;
        while let Some((used, _)) = self.by_age.front()
            && (is_old(*used) || self.by_age.len() >= MAX_NONCES)
        {
            if let Some((_, nonce)) = self.by_age.pop_front() {
                self.known.remove(&nonce);
            }
        }
        if !self.known.insert(nonce.clone()) {
            return false;
        }
        self.by_age.push_back((now, nonce));
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

    fn check(gate: &mut Gate, header: &Node, now: Timestamp) -> Result<Level, Refusal> {
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

        assert_eq!(check(&mut gate, &header, now), Ok(Level::Administrator));
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
