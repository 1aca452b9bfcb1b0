//! How a camera is convinced who asks: which scheme, how often, and what worked.

mod budget;
mod challenge;
mod digest;
mod username_token;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use budget::{AuthBudget, AuthOutcome, AuthenticationPaused};
pub(crate) use digest::Challenges;
use digest::DigestSession;
use url::Url;
use username_token::TokenForm;

use crate::operation::Service;
use crate::random;

/// A user of the camera. The password never shows in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    username: String,
    password: String,
}

impl Credentials {
    /// Credentials; any UTF-8 is allowed in both.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }

    /// The user name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Which ways of authentication may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthenticationPolicy {
    /// HTTP Digest where the camera asks for it, WS-UsernameToken, or both; Basic only over TLS.
    #[default]
    Ladder,
    /// As `Ladder`, and Basic without TLS as well: the password can be read on the way.
    LadderWithBasic,
    /// HTTP Digest and nothing else.
    DigestOnly,
    /// HTTP Digest with SHA-256 or stronger and nothing else, so that nobody on the path can talk
    /// the camera and us down to MD5.
    StrongDigestOnly,
    /// WS-UsernameToken and nothing else.
    UsernameTokenOnly,
    /// WS-UsernameToken with the password in clear, which anybody on the path can read without TLS;
    /// snapshots as with `Ladder`.
    PasswordText,
}

/// One way to send credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Anonymous,
    Digest,
    /// Digest with the weaker algorithm, for cameras whose SHA-256 is broken.
    WeakDigest,
    Basic,
    UsernameToken,
    /// The token with the prefix `wsse`, which some cameras require and others refuse.
    PrefixedToken,
    /// The token with the password in clear.
    PlainToken,
    DigestAndToken,
    DigestAndPrefixedToken,
}

impl Scheme {
    pub(crate) fn has_credentials(self) -> bool {
        self != Self::Anonymous
    }

    pub(crate) fn has_token(self) -> bool {
        self.form().is_some()
    }

    /// How its token is written, if it has one.
    fn form(self) -> Option<TokenForm> {
        match self {
            Self::UsernameToken | Self::DigestAndToken => Some(TokenForm::Plain),
            Self::PrefixedToken | Self::DigestAndPrefixedToken => Some(TokenForm::Prefixed),
            Self::PlainToken => Some(TokenForm::PasswordText),
            _ => None,
        }
    }

    fn has_digest(self) -> bool {
        matches!(
            self,
            Self::Digest | Self::WeakDigest | Self::DigestAndToken | Self::DigestAndPrefixedToken
        )
    }
}

/// What a scheme is remembered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    Service(Service),
    Snapshot,
}

/// One climb up the ladder, for one request. Pure: at most two schemes with credentials are tried.
#[derive(Debug)]
pub(crate) struct Climb {
    policy: AuthenticationPolicy,
    tls: bool,
    soap: bool,
    /// The form of token that worked before.
    form: Option<TokenForm>,
    tried: Vec<Scheme>,
    failures: u8,
    renewals: u8,
}

impl Climb {
    fn new(policy: AuthenticationPolicy, tls: bool, slot: Slot, form: Option<TokenForm>) -> Self {
        Self {
            policy,
            tls,
            soap: slot != Slot::Snapshot,
            form,
            tried: Vec::new(),
            failures: 0,
            renewals: 0,
        }
    }

    /// The scheme to try after `scheme` was refused with these challenges; `None` when there is
    /// nothing left to try.
    pub(crate) fn next(
        &mut self,
        scheme: Scheme,
        fresh_nonce: bool,
        refusal: &Challenges,
    ) -> Option<Scheme> {
        // An outdated nonce says nothing about the password.
        let outdated = refusal.stale() || !fresh_nonce;
        let digest = match self.policy {
            AuthenticationPolicy::StrongDigestOnly => refusal.strong_digest(),
            _ => refusal.digest(),
        };
        if scheme.has_digest() && digest && outdated && self.renewals < 2 {
            self.renewals += 1;
            return Some(scheme);
        }
        self.tried.push(scheme);
        // HTTP was satisfied or it would ask again, SOAP was not: the camera wants both.
        let wants_both = scheme.has_digest() && !scheme.has_token() && !digest;
        if scheme.has_credentials() && !wants_both {
            self.failures += 1;
        }
        const BOTH: [Scheme; 2] = [Scheme::DigestAndToken, Scheme::DigestAndPrefixedToken];
        let wanted: &[Scheme] = match scheme {
            Scheme::Digest if digest && refusal.weaker_digest() => &[Scheme::WeakDigest],
            _ if wants_both => &BOTH,
            Scheme::DigestAndToken | Scheme::DigestAndPrefixedToken => &BOTH,
            _ => &[
                Scheme::Digest,
                Scheme::Basic,
                Scheme::UsernameToken,
                Scheme::PrefixedToken,
                Scheme::PlainToken,
            ],
        };
        wanted.iter().copied().find(|next| {
            let offered = match next {
                Scheme::Digest => digest,
                Scheme::Basic => refusal.basic(),
                _ => true,
            };
            offered && self.may(*next)
        })
    }

    fn may(&self, scheme: Scheme) -> bool {
        let form = scheme.form();
        let in_clear = form == Some(TokenForm::PasswordText);
        let allowed = match self.policy {
            AuthenticationPolicy::PasswordText if self.soap => in_clear,
            _ if in_clear => false,
            AuthenticationPolicy::Ladder | AuthenticationPolicy::PasswordText => {
                scheme != Scheme::Basic || self.tls
            }
            AuthenticationPolicy::LadderWithBasic => true,
            AuthenticationPolicy::StrongDigestOnly => scheme == Scheme::Digest,
            AuthenticationPolicy::DigestOnly => {
                matches!(scheme, Scheme::Digest | Scheme::WeakDigest)
            }
            AuthenticationPolicy::UsernameTokenOnly => {
                matches!(scheme, Scheme::UsernameToken | Scheme::PrefixedToken)
            }
        };
        let known_form =
            in_clear || form.is_none() || self.form.is_none_or(|known| form == Some(known));
        allowed
            && known_form
            && self.failures < 2
            && !self.tried.contains(&scheme)
            && (self.soap || !scheme.has_token())
    }
}

/// Credentials of one camera, with what is known about using them.
#[derive(Debug)]
pub(crate) struct Authenticator {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) policy: AuthenticationPolicy,
    pub(crate) budget: AuthBudget,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    schemes: HashMap<Slot, Scheme>,
    digests: HashMap<(Slot, String), DigestSession>,
    /// The form of token that worked.
    form: Option<TokenForm>,
    /// Device clock minus ours, in milliseconds.
    clock_offset: Option<i64>,
}

impl Authenticator {
    pub(crate) fn new(
        credentials: Option<Credentials>,
        policy: AuthenticationPolicy,
        budget: AuthBudget,
    ) -> Self {
        Self {
            credentials,
            policy,
            budget,
            memory: Mutex::default(),
        }
    }

    /// The scheme to start with, and whether it worked before.
    pub(crate) fn first(&self, slot: Slot, pre_auth: bool) -> (Scheme, bool) {
        if self.credentials.is_none() {
            return (Scheme::Anonymous, false);
        }
        match self.memory().schemes.get(&slot) {
            Some(scheme) => (*scheme, true),
            None if !pre_auth
                && self.policy == AuthenticationPolicy::UsernameTokenOnly
                && slot != Slot::Snapshot =>
            {
                (Scheme::UsernameToken, false)
            }
            None => (Scheme::Anonymous, false),
        }
    }

    /// A climb for a request to `slot`.
    pub(crate) fn climb(&self, tls: bool, slot: Slot) -> Climb {
        Climb::new(self.policy, tls, slot, self.memory().form)
    }

    pub(crate) fn remember(&self, slot: Slot, scheme: Scheme) {
        let mut memory = self.memory();
        memory.schemes.insert(slot, scheme);
        if let Some(form @ (TokenForm::Plain | TokenForm::Prefixed)) = scheme.form() {
            memory.form = Some(form);
        }
    }

    /// Takes over the nonce that an answer names for the next request (RFC 7616, 3.5).
    pub(crate) fn next_nonce(&self, slot: Slot, url: &Url, authentication_info: &str) {
        if let Some(session) = self.memory().digests.get_mut(&(slot, origin(url))) {
            session.renew(authentication_info);
        }
    }

    /// Takes over the challenge of a refusal, for the next request with Digest.
    pub(crate) fn challenge(&self, slot: Slot, url: &Url, scheme: Scheme, challenges: Challenges) {
        if let Some(session) = challenges.into_session(scheme == Scheme::WeakDigest) {
            self.memory().digests.insert((slot, origin(url)), session);
        }
    }

    /// The `Authorization` header for a request, and whether its nonce is used for the first time.
    pub(crate) fn authorization(
        &self,
        slot: Slot,
        url: &Url,
        scheme: Scheme,
        method: &str,
    ) -> (Option<String>, bool) {
        let Some(credentials) = &self.credentials else {
            return (None, true);
        };
        if scheme == Scheme::Basic {
            let pair = format!("{}:{}", credentials.username(), credentials.password());
            return (Some(format!("Basic {}", STANDARD.encode(pair))), true);
        }
        if !scheme.has_digest() {
            return (None, true);
        }
        match self.memory().digests.get_mut(&(slot, origin(url))) {
            Some(session) => {
                let (header, first) = session.respond(credentials, method, &target(url));
                (Some(header), first)
            }
            None => (None, false),
        }
    }

    /// The `Security` header for a request, if the scheme has one.
    pub(crate) fn security(&self, scheme: Scheme) -> Option<String> {
        let (credentials, form) = self.credentials.as_ref().zip(scheme.form())?;
        Some(username_token::security(
            credentials,
            form,
            &random::bytes(),
            self.device_time(),
        ))
    }

    pub(crate) fn clock_offset(&self) -> Option<i64> {
        self.memory().clock_offset
    }

    pub(crate) fn set_clock_offset(&self, milliseconds: i64) {
        self.memory().clock_offset = Some(milliseconds);
    }

    /// What the clock of the device says now, as far as known.
    pub(crate) fn device_time(&self) -> SystemTime {
        let offset = self.clock_offset().unwrap_or(0);
        let now = SystemTime::now();
        let shifted = if offset >= 0 {
            now.checked_add(Duration::from_millis(offset.unsigned_abs()))
        } else {
            now.checked_sub(Duration::from_millis(offset.unsigned_abs()))
        };
        shifted.unwrap_or(now)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scheme, host and port: what a nonce is good for.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The request target of a URL.
fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(headers: &[&str]) -> Challenges {
        Challenges::parse(headers.iter().copied())
    }

    fn climb(policy: AuthenticationPolicy, refusal: &Challenges) -> Vec<Scheme> {
        let mut climb = Climb::new(policy, false, Slot::Service(Service::Device), None);
        let mut scheme = Scheme::Anonymous;
        let mut tried = Vec::new();
        while let Some(next) = climb.next(scheme, true, refusal) {
            tried.push(next);
            scheme = next;
        }
        tried
    }

    const MD5: &str = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    const SHA: &str = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";

    #[test]
    fn never_more_than_two_schemes_are_tried() {
        use Scheme::{Digest, PlainToken, PrefixedToken, UsernameToken, WeakDigest};
        let ladder = AuthenticationPolicy::Ladder;
        assert_eq!(climb(ladder, &refusal(&[MD5])), [Digest, UsernameToken]);
        assert_eq!(climb(ladder, &refusal(&[SHA, MD5])), [Digest, WeakDigest]);
        assert_eq!(climb(ladder, &refusal(&[])), [UsernameToken, PrefixedToken]);
        assert_eq!(
            climb(ladder, &refusal(&["Basic realm=\"r\""])),
            [UsernameToken, PrefixedToken]
        );
        assert_eq!(
            climb(AuthenticationPolicy::DigestOnly, &refusal(&[MD5])),
            [Digest]
        );
        assert_eq!(climb(AuthenticationPolicy::DigestOnly, &refusal(&[])), []);
        assert_eq!(
            climb(AuthenticationPolicy::UsernameTokenOnly, &refusal(&[MD5])),
            [UsernameToken, PrefixedToken]
        );
        assert_eq!(
            climb(
                AuthenticationPolicy::PasswordText,
                &refusal(&[MD5, "Basic realm=\"r\""])
            ),
            [PlainToken]
        );
    }

    #[test]
    fn md5_is_not_answered_where_only_stronger_algorithms_may_be() {
        let strong = AuthenticationPolicy::StrongDigestOnly;
        assert_eq!(climb(strong, &refusal(&[MD5])), []);
        assert_eq!(climb(strong, &refusal(&[MD5, SHA])), [Scheme::Digest]);
        // With an outdated nonce it goes on, but not with a weaker algorithm.
        let slot = Slot::Service(Service::Device);
        let mut climb = Climb::new(strong, false, slot, None);
        let next = climb.next(Scheme::Digest, false, &refusal(&[MD5]));
        assert_eq!(next, None);
    }

    #[test]
    fn a_refusal_without_challenge_after_digest_asks_for_both() {
        let mut climb = Climb::new(
            AuthenticationPolicy::Ladder,
            false,
            Slot::Service(Service::Device),
            None,
        );
        assert_eq!(
            climb.next(Scheme::Anonymous, true, &refusal(&[MD5])),
            Some(Scheme::Digest)
        );
        assert_eq!(
            climb.next(Scheme::Digest, true, &refusal(&[])),
            Some(Scheme::DigestAndToken)
        );
        assert_eq!(
            climb.next(Scheme::DigestAndToken, true, &refusal(&[])),
            Some(Scheme::DigestAndPrefixedToken)
        );
        assert_eq!(
            climb.next(Scheme::DigestAndPrefixedToken, true, &refusal(&[])),
            None
        );
    }

    #[test]
    fn the_form_of_token_that_worked_is_the_only_one_tried() {
        let slot = Slot::Service(Service::Media);
        let ladder = AuthenticationPolicy::Ladder;
        let mut climb = Climb::new(ladder, false, slot, Some(TokenForm::Prefixed));
        let next = climb.next(Scheme::Anonymous, true, &refusal(&[]));
        assert_eq!(next, Some(Scheme::PrefixedToken));
        let next = climb.next(Scheme::PrefixedToken, true, &refusal(&[]));
        assert_eq!(next, None);
    }

    #[test]
    fn an_outdated_nonce_is_no_refusal() {
        let mut climb = Climb::new(
            AuthenticationPolicy::Ladder,
            false,
            Slot::Service(Service::Device),
            None,
        );
        assert_eq!(
            climb.next(Scheme::Digest, false, &refusal(&[MD5])),
            Some(Scheme::Digest)
        );
        assert!(climb.tried.is_empty());
    }

    #[test]
    fn basic_needs_tls_or_consent_and_a_snapshot_has_no_token() {
        let basic = refusal(&["Basic realm=\"r\""]);
        let mut plain = Climb::new(AuthenticationPolicy::Ladder, false, Slot::Snapshot, None);
        assert_eq!(plain.next(Scheme::Anonymous, true, &basic), None);
        let mut tls = Climb::new(AuthenticationPolicy::Ladder, true, Slot::Snapshot, None);
        assert_eq!(
            tls.next(Scheme::Anonymous, true, &basic),
            Some(Scheme::Basic)
        );
        let mut consent = Climb::new(
            AuthenticationPolicy::LadderWithBasic,
            false,
            Slot::Snapshot,
            None,
        );
        assert_eq!(
            consent.next(Scheme::Anonymous, true, &basic),
            Some(Scheme::Basic)
        );
    }

    #[test]
    fn the_password_does_not_show() {
        let shown = format!("{:?}", Credentials::new("admin", "s3cret"));
        assert!(shown.contains("admin") && !shown.contains("s3cret"));
    }
}
