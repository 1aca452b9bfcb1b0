//! RTSP authentication (RFC 2326 section 14, RFC 7616), and the budget that keeps accounts from being locked.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_auth::digest::Algorithm;
use http_auth::{DigestClient, PasswordClient, PasswordParams, parse_challenges};
use tokio::time::Instant;

/// A user name and password. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// Credentials for a camera.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Decides whether credentials may be tried against a camera.
///
/// Cameras lock an account after a few failures. Share one budget between all that log in to a camera.
pub trait AuthBudget: Send + Sync {
    /// Whether an attempt is permitted now.
    ///
    /// # Errors
    /// The time left until one is.
    fn permit(&self) -> Result<(), Duration>;

    /// The camera refused the credentials.
    fn refused(&self);

    /// The camera accepted the credentials.
    fn accepted(&self);
}

/// The default [`AuthBudget`]: after each refusal in a row the wait doubles, from 30 seconds to 15 minutes.
#[derive(Debug, Default)]
pub struct FailureBudget {
    state: Mutex<Option<(u32, Instant)>>,
}

impl FailureBudget {
    const FIRST: Duration = Duration::from_secs(30);
    const LONGEST: Duration = Duration::from_secs(15 * 60);

    fn state(&self) -> std::sync::MutexGuard<'_, Option<(u32, Instant)>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuthBudget for FailureBudget {
    fn permit(&self) -> Result<(), Duration> {
        let Some((refusals, last)) = *self.state() else {
            return Ok(());
        };
        let wait = Self::FIRST
            .saturating_mul(1 << (refusals - 1).min(16))
            .min(Self::LONGEST);
        match wait.saturating_sub(last.elapsed()) {
            Duration::ZERO => Ok(()),
            left => Err(left),
        }
    }

    fn refused(&self) {
        let mut state = self.state();
        let refusals = state.map_or(0, |(refusals, _)| refusals);
        *state = Some((refusals.saturating_add(1), Instant::now()));
    }

    fn accepted(&self) {
        *self.state() = None;
    }
}

/// Answers the challenges of one session.
pub(crate) struct Authenticator {
    credentials: Credentials,
    allow_basic: bool,
    client: Option<PasswordClient>,
    /// Whether MD5 goes first: the camera refused what is stronger.
    prefers_md5: bool,
    /// Whether that has worked, for the sessions to come.
    md5_works: Arc<AtomicBool>,
}

impl Authenticator {
    pub(crate) fn new(
        credentials: Credentials,
        allow_basic: bool,
        md5_works: Arc<AtomicBool>,
    ) -> Self {
        Self {
            credentials,
            allow_basic,
            client: None,
            prefers_md5: md5_works.load(Ordering::Relaxed),
            md5_works,
        }
    }

    /// Falls back to MD5, once, where an answer with a stronger algorithm was refused: some cameras offer what they cannot do.
    /// Whether there is something else to try.
    pub(crate) fn falls_back<'a>(&mut self, headers: impl Iterator<Item = &'a str>) -> bool {
        let is_strong = self.algorithm().is_some_and(|it| it != Algorithm::Md5);
        if self.prefers_md5 || !is_strong {
            return false;
        }
        self.prefers_md5 = true;
        self.challenged(headers).is_ok() && self.algorithm() == Some(Algorithm::Md5)
    }

    /// The camera took the credentials.
    pub(crate) fn accepted(&self) {
        self.md5_works.store(self.prefers_md5, Ordering::Relaxed);
    }

    fn algorithm(&self) -> Option<Algorithm> {
        match &self.client {
            Some(PasswordClient::Digest(digest)) => Some(digest.algorithm()),
            _ => None,
        }
    }

    /// Takes the strongest challenge of a 401 response, from all its `WWW-Authenticate` headers.
    pub(crate) fn challenged<'a>(
        &mut self,
        headers: impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        let mut best = None;
        let mut basic_refused = false;
        for header in headers {
            for challenge in parse_challenges(header).unwrap_or_default() {
                let candidate = if challenge.scheme.eq_ignore_ascii_case("Digest") {
                    DigestClient::try_from(&challenge).ok().map(|digest| {
                        let strength = match digest.algorithm() {
                            Algorithm::Md5 if self.prefers_md5 => u8::MAX,
                            algorithm => 1 + algorithm as u8,
                        };
                        (strength, PasswordClient::Digest(digest))
                    })
                } else if !challenge.scheme.eq_ignore_ascii_case("Basic") {
                    None
                } else if self.allow_basic {
                    PasswordClient::builder()
                        .challenge(&challenge)
                        .build()
                        .ok()
                        .map(|basic| (0, basic))
                } else {
                    basic_refused = true;
                    None
                };
                if let Some((strength, client)) = candidate
                    && best.as_ref().is_none_or(|(least, _)| strength > *least)
                {
                    best = Some((strength, client));
                }
            }
        }
        match best {
            Some((_, client)) => {
                self.client = Some(client);
                Ok(())
            }
            None if basic_refused => Err(
                "the camera only offers Basic authentication, which sends the password in \
                 the clear; switch the camera to Digest or permit Basic for it"
                    .into(),
            ),
            None => Err("the camera asks for credentials in a way that is not known".into()),
        }
    }

    /// The `Authorization` header of a request, once there was a challenge.
    pub(crate) fn authorization(&mut self, method: &str, uri: &str, body: &[u8]) -> Option<String> {
        self.client
            .as_mut()?
            .respond(&PasswordParams {
                username: &self.credentials.user,
                password: &self.credentials.password,
                uri,
                method,
                body: Some(body),
            })
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authenticator(allow_basic: bool) -> Authenticator {
        let credentials = Credentials::new("Mufasa", "Circle Of Life");
        Authenticator::new(credentials, allow_basic, Arc::default())
    }

    const MD5: &str = r#"Digest realm="r", nonce="n""#;
    const SHA256: &str = r#"Digest realm="r", nonce="m", algorithm=SHA-256, qop="auth""#;
    const BASIC: &str = r#"Basic realm="r""#;

    #[test]
    fn the_strongest_of_all_challenges_is_answered() {
        for headers in [&[BASIC, MD5, SHA256][..], &[SHA256, MD5, BASIC]] {
            let mut auth = authenticator(true);
            auth.challenged(headers.iter().copied()).unwrap();
            let answer = auth.authorization("DESCRIBE", "rtsp://h/x", b"").unwrap();
            assert!(answer.contains("SHA-256"), "{answer}");
        }
    }

    #[test]
    fn md5_is_tried_once_where_something_stronger_was_refused_and_remembered_where_it_works() {
        let (known, both) = (Arc::<AtomicBool>::default(), [SHA256, MD5]);
        let new = || Authenticator::new(Credentials::new("a", "b"), false, known.clone());
        let mut auth = new();
        auth.challenged(both.into_iter()).unwrap();
        assert!(auth.falls_back(both.into_iter()));
        let answer = auth.authorization("DESCRIBE", "rtsp://h/x", b"").unwrap();
        assert!(!answer.contains("SHA-256"), "{answer}");
        assert!(!auth.falls_back(both.into_iter()));

        auth.accepted();
        let mut next = new();
        next.challenged(both.into_iter()).unwrap();
        assert_eq!(next.algorithm(), Some(Algorithm::Md5));

        for offered in [MD5, SHA256] {
            let mut auth = authenticator(false);
            auth.challenged([offered].into_iter()).unwrap();
            assert!(!auth.falls_back([offered].into_iter()));
        }
    }

    #[test]
    fn digest_without_qop_is_answered_as_in_rfc_2069() {
        let mut auth = authenticator(false);
        auth.challenged([MD5].into_iter()).unwrap();
        let answer = auth.authorization("DESCRIBE", "rtsp://h/x", b"").unwrap();
        // MD5 of "MD5(Mufasa:r:Circle Of Life):n:MD5(DESCRIBE:rtsp://h/x)"
        assert!(
            answer.contains(r#"uri="rtsp://h/x""#) && !answer.contains("cnonce"),
            "{answer}"
        );
    }

    #[test]
    fn basic_needs_permission() {
        let error = authenticator(false)
            .challenged([BASIC].into_iter())
            .unwrap_err();
        assert!(error.contains("Basic"), "{error}");
        let mut auth = authenticator(true);
        auth.challenged([BASIC].into_iter()).unwrap();
        assert_eq!(
            auth.authorization("DESCRIBE", "x", b"").as_deref(),
            Some("Basic TXVmYXNhOkNpcmNsZSBPZiBMaWZl")
        );
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(
            format!("{:?}", Credentials::new("admin", "hunter2")),
            "Credentials(..)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_doubles_with_each_refusal_and_ends_with_success() {
        let budget = FailureBudget::default();
        assert_eq!(budget.permit(), Ok(()));
        budget.refused();
        assert_eq!(budget.permit(), Err(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(budget.permit(), Ok(()));
        budget.refused();
        assert_eq!(budget.permit(), Err(Duration::from_secs(60)));
        for _ in 0..40 {
            budget.refused();
        }
        assert_eq!(budget.permit(), Err(Duration::from_secs(15 * 60)));
        budget.accepted();
        assert_eq!(budget.permit(), Ok(()));
    }
}
