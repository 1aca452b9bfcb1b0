//! How a camera is convinced who asks: which scheme, how often, and what worked.

mod budget;
mod digest;
mod username_token;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use budget::{AuthBudget, AuthOutcome, AuthenticationPaused};
pub(crate) use digest::Challenges;
use digest::DigestSession;

use crate::operation::Service;

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
    /// WS-UsernameToken and nothing else.
    UsernameTokenOnly,
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
    DigestAndToken,
}

impl Scheme {
    pub(crate) fn has_credentials(self) -> bool {
        self != Self::Anonymous
    }

    pub(crate) fn has_token(self) -> bool {
        matches!(self, Self::UsernameToken | Self::DigestAndToken)
    }

    fn has_digest(self) -> bool {
        matches!(self, Self::Digest | Self::WeakDigest | Self::DigestAndToken)
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
    tried: Vec<Scheme>,
    renewals: u8,
}

/// What a camera said no with.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    /// Challenges in the HTTP headers.
    pub(crate) challenges: Challenges,
    /// Whether the no came as a SOAP fault.
    pub(crate) fault: bool,
}

impl Climb {
    pub(crate) fn new(policy: AuthenticationPolicy, tls: bool, slot: Slot) -> Self {
        Self {
            policy,
            tls,
            soap: slot != Slot::Snapshot,
            tried: Vec::new(),
            renewals: 0,
        }
    }

    /// The scheme to try after `scheme` was refused; `None` when there is nothing left to try.
    pub(crate) fn next(
        &mut self,
        scheme: Scheme,
        fresh_nonce: bool,
        refusal: &Refusal,
    ) -> Option<Scheme> {
        // An outdated nonce says nothing about the password.
        let outdated = refusal.challenges.stale() || !fresh_nonce;
        if scheme.has_digest() && refusal.challenges.digest() && outdated && self.renewals < 2 {
            self.renewals += 1;
            return Some(scheme);
        }
        self.tried.push(scheme);
        let digest = refusal.challenges.digest();
        let wanted = match scheme {
            Scheme::Digest if digest && refusal.challenges.weaker_digest() => {
                vec![Scheme::WeakDigest]
            }
            // HTTP was satisfied, SOAP was not: the camera wants both.
            Scheme::Digest | Scheme::WeakDigest if refusal.fault && !digest => {
                vec![Scheme::DigestAndToken]
            }
            Scheme::DigestAndToken => vec![],
            _ => {
                let mut wanted = Vec::new();
                if digest {
                    wanted.push(Scheme::Digest);
                }
                if refusal.challenges.basic() {
                    wanted.push(Scheme::Basic);
                }
                wanted.push(Scheme::UsernameToken);
                wanted
            }
        };
        wanted.into_iter().find(|next| self.may(*next))
    }

    fn may(&self, scheme: Scheme) -> bool {
        let with_credentials = self
            .tried
            .iter()
            .filter(|tried| tried.has_credentials())
            .count();
        let allowed = match self.policy {
            AuthenticationPolicy::Ladder => scheme != Scheme::Basic || self.tls,
            AuthenticationPolicy::LadderWithBasic => true,
            AuthenticationPolicy::DigestOnly => {
                matches!(scheme, Scheme::Digest | Scheme::WeakDigest)
            }
            AuthenticationPolicy::UsernameTokenOnly => scheme == Scheme::UsernameToken,
        };
        allowed
            && with_credentials < 2
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

    pub(crate) fn remember(&self, slot: Slot, scheme: Scheme) {
        self.memory().schemes.insert(slot, scheme);
    }

    /// Takes over the challenge of a refusal, for the next request with Digest.
    pub(crate) fn challenge(
        &self,
        slot: Slot,
        origin: &str,
        scheme: Scheme,
        challenges: Challenges,
    ) {
        if let Some(session) = challenges.into_session(scheme == Scheme::WeakDigest) {
            self.memory()
                .digests
                .insert((slot, origin.to_owned()), session);
        }
    }

    /// The `Authorization` header for a request, and whether its nonce is used for the first time.
    pub(crate) fn authorization(
        &self,
        slot: Slot,
        origin: &str,
        scheme: Scheme,
        method: &str,
        path: &str,
    ) -> (Option<String>, bool) {
        let Some(credentials) = &self.credentials else {
            return (None, true);
        };
        if scheme == Scheme::Basic {
            return (
                Some(http_auth::basic::encode_credentials(
                    credentials.username(),
                    credentials.password(),
                )),
                true,
            );
        }
        if !scheme.has_digest() {
            return (None, true);
        }
        match self.memory().digests.get_mut(&(slot, origin.to_owned())) {
            Some(session) => session.respond(credentials, method, path),
            None => (None, false),
        }
    }

    /// The `Security` header for a request, if the scheme has one.
    pub(crate) fn security(&self, scheme: Scheme) -> Option<String> {
        let credentials = self.credentials.as_ref().filter(|_| scheme.has_token())?;
        Some(username_token::security(
            credentials,
            &rand::random(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(headers: &[&str], fault: bool) -> Refusal {
        Refusal {
            challenges: Challenges::parse(headers.iter().copied()),
            fault,
        }
    }

    fn climb(policy: AuthenticationPolicy, refusal: &Refusal) -> Vec<Scheme> {
        let mut climb = Climb::new(policy, false, Slot::Service(Service::Device));
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
        use Scheme::{Digest, UsernameToken, WeakDigest};
        let ladder = AuthenticationPolicy::Ladder;
        assert_eq!(
            climb(ladder, &refusal(&[MD5], false)),
            [Digest, UsernameToken]
        );
        assert_eq!(
            climb(ladder, &refusal(&[SHA, MD5], false)),
            [Digest, WeakDigest]
        );
        assert_eq!(climb(ladder, &refusal(&[], true)), [UsernameToken]);
        assert_eq!(
            climb(ladder, &refusal(&["Basic realm=\"r\""], false)),
            [UsernameToken]
        );
        assert_eq!(
            climb(AuthenticationPolicy::DigestOnly, &refusal(&[MD5], false)),
            [Digest]
        );
        assert_eq!(
            climb(AuthenticationPolicy::DigestOnly, &refusal(&[], true)),
            []
        );
        assert_eq!(
            climb(
                AuthenticationPolicy::UsernameTokenOnly,
                &refusal(&[MD5], false)
            ),
            [UsernameToken]
        );
    }

    #[test]
    fn a_fault_after_digest_asks_for_both() {
        let mut climb = Climb::new(
            AuthenticationPolicy::Ladder,
            false,
            Slot::Service(Service::Device),
        );
        assert_eq!(
            climb.next(Scheme::Anonymous, true, &refusal(&[MD5], false)),
            Some(Scheme::Digest)
        );
        assert_eq!(
            climb.next(Scheme::Digest, true, &refusal(&[], true)),
            Some(Scheme::DigestAndToken)
        );
        assert_eq!(
            climb.next(Scheme::DigestAndToken, true, &refusal(&[], true)),
            None
        );
    }

    #[test]
    fn an_outdated_nonce_is_no_refusal() {
        let mut climb = Climb::new(
            AuthenticationPolicy::Ladder,
            false,
            Slot::Service(Service::Device),
        );
        assert_eq!(
            climb.next(Scheme::Digest, false, &refusal(&[MD5], false)),
            Some(Scheme::Digest)
        );
        assert!(climb.tried.is_empty());
    }

    #[test]
    fn basic_needs_tls_or_consent_and_a_snapshot_has_no_token() {
        let basic = refusal(&["Basic realm=\"r\""], false);
        let mut plain = Climb::new(AuthenticationPolicy::Ladder, false, Slot::Snapshot);
        assert_eq!(plain.next(Scheme::Anonymous, true, &basic), None);
        let mut tls = Climb::new(AuthenticationPolicy::Ladder, true, Slot::Snapshot);
        assert_eq!(
            tls.next(Scheme::Anonymous, true, &basic),
            Some(Scheme::Basic)
        );
        let mut consent = Climb::new(AuthenticationPolicy::LadderWithBasic, false, Slot::Snapshot);
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
