//! The server's side of Digest authentication (RFC 7616), for SOAP, snapshots and RTSP alike.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_auth::ChallengeRef;
use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512_256};

use crate::accounts::{Accounts, User};

/// How long a nonce is good for.
const NONCE_LIFETIME: Duration = Duration::from_secs(300);
/// How many nonces are remembered; the oldest goes first.
const MAX_NONCES: usize = 1024;

/// A hash function of Digest authentication, weakest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5.
    Md5,
    /// MD5, with a key for each session.
    Md5Sess,
    /// SHA-256.
    Sha256,
    /// SHA-256, with a key for each session.
    Sha256Sess,
    /// SHA-512/256.
    Sha512_256,
}

pub(crate) use DigestAlgorithm as Algorithm;

/// What became of an `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The client knows the password and the nonce is good.
    Accepted,
    /// The client knows the password but the nonce is unknown, old or was replayed: answer 401
    /// with [`DigestServer::stale_challenges`], and the client asks no user.
    Stale,
    /// Anything else: answer 401 with [`DigestServer::challenges`].
    Refused,
}

/// Challenges clients and checks their answers.
pub(crate) struct DigestServer {
    realm: String,
    accounts: Arc<Accounts>,
    /// Strongest first.
    algorithms: Vec<Algorithm>,
    nonces: Mutex<Nonces>,
    deviation: Deviation,
}

/// What a server does unlike others, or wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deviation {
    /// Challenges have no `qop`.
    pub no_qop: bool,
    /// A nonce is good for one request.
    pub next_nonce: bool,
    /// Only answers with MD5 are accepted.
    pub sha256_broken: bool,
}

impl DigestServer {
    /// A server that takes these users, by any of `algorithms`.
    pub(crate) fn for_accounts(
        realm: &str,
        accounts: Arc<Accounts>,
        algorithms: &[Algorithm],
    ) -> Self {
        let mut algorithms = algorithms.to_vec();
        algorithms.sort_unstable_by(|a, b| b.cmp(a));
        algorithms.dedup();
        Self {
            realm: realm.to_owned(),
            accounts,
            algorithms,
            nonces: Mutex::default(),
            deviation: Deviation::default(),
        }
    }

    /// A server that takes one user.
    #[cfg(test)]
    pub(crate) fn new(realm: &str, user: &str, password: &str, algorithms: &[Algorithm]) -> Self {
        let credentials = crate::auth::Credentials {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let accounts = Accounts::new(Some(credentials), &crate::quirks::Quirks::default());
        Self::for_accounts(realm, Arc::new(accounts), algorithms)
    }

    pub(crate) fn deviating(mut self, deviation: Deviation) -> Self {
        self.deviation = deviation;
        self
    }

    /// The value of `Authentication-Info` after a request was accepted.
    pub(crate) fn next_nonce(&self) -> Option<String> {
        self.deviation.next_nonce.then(|| {
            let nonce = hex(&rand::random::<[u8; 16]>());
            self.nonces().remember(nonce.clone(), now());
            format!("nextnonce=\"{nonce}\"")
        })
    }

    /// The values of the `WWW-Authenticate` headers of a 401, strongest algorithm first, each
    /// with a nonce of its own. They belong in a header each: many clients read only the first
    /// challenge of a header.
    pub(crate) fn challenges(&self) -> Vec<String> {
        let now = now();
        let realm = self.realm.replace('\\', "\\\\").replace('"', "\\\"");
        self.algorithms
            .iter()
            .map(|algorithm| {
                let nonce = hex(&rand::random::<[u8; 16]>());
                let qop = match self.deviation.no_qop {
                    true => "",
                    false => ", qop=\"auth\"",
                };
                let challenge = format!(
                    "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={}{qop}",
                    algorithm.token()
                );
                self.nonces().remember(nonce, now);
                challenge
            })
            .collect()
    }

    /// As [`challenges`](Self::challenges), for a client whose answer was [`Verdict::Stale`].
    pub(crate) fn stale_challenges(&self) -> Vec<String> {
        let mut challenges = self.challenges();
        for challenge in &mut challenges {
            challenge.push_str(", stale=true");
        }
        challenges
    }

    /// Judges the `Authorization` header of a request. `uri` is the request target as it stood in
    /// the request line.
    pub(crate) fn verify(&self, method: &str, uri: &str, authorization: &str) -> Verdict {
        match self.authenticate(method, uri, authorization) {
            Ok(_) => Verdict::Accepted,
            Err(verdict) => verdict,
        }
    }

    /// As [`verify`](Self::verify); returns who it is.
    pub(crate) fn authenticate(
        &self,
        method: &str,
        uri: &str,
        authorization: &str,
    ) -> Result<User, Verdict> {
        self.authenticate_at(method, uri, authorization, now())
    }

    fn authenticate_at(
        &self,
        method: &str,
        uri: &str,
        authorization: &str,
        now: Instant,
    ) -> Result<User, Verdict> {
        let answer = Answer::parse(authorization).ok_or(Verdict::Refused)?;
        let user = self.accounts.find(&answer.user, now);
        let user = user.ok_or(Verdict::Refused)?;
        if !self.algorithms.contains(&answer.algorithm)
            || answer.realm != self.realm
            || answer.uri != uri
            || answer.response != answer.expected(method, &user.password)
            || (self.deviation.sha256_broken && answer.algorithm > Algorithm::Md5Sess)
        {
            self.accounts.turned_away(&user.name, now);
            return Err(Verdict::Refused);
        }
        self.accounts.let_in(&user.name);
        // Only now: who does not know the password must not be able to use up a nonce.
        let count = answer.qop.as_ref().map(|qop| qop.count);
        if self.deviation.next_nonce && count.is_some_and(|count| count > 1) {
            return Err(Verdict::Stale);
        }
        if self.nonces().spend(&answer.nonce, count, now) {
            Ok(user)
        } else {
            Err(Verdict::Stale)
        }
    }

    fn nonces(&self) -> std::sync::MutexGuard<'_, Nonces> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DigestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestServer")
            .field("realm", &self.realm)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

impl Algorithm {
    const ALL: [Self; 5] = [
        Self::Md5,
        Self::Md5Sess,
        Self::Sha256,
        Self::Sha256Sess,
        Self::Sha512_256,
    ];

    fn token(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
        }
    }

    fn from_token(token: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.token().eq_ignore_ascii_case(token))
    }

    fn of_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess)
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 | Self::Md5Sess => hex(&Md5::digest(text)),
            Self::Sha256 | Self::Sha256Sess => hex(&Sha256::digest(text)),
            Self::Sha512_256 => hex(&Sha512_256::digest(text)),
        }
    }
}

/// The parameters of an `Authorization: Digest` header.
struct Answer {
    algorithm: Algorithm,
    user: String,
    realm: String,
    nonce: String,
    uri: String,
    response: String,
    /// `None` for a client of RFC 2069, which has no `qop`.
    qop: Option<Qop>,
}

struct Qop {
    count: u32,
    count_text: String,
    client_nonce: String,
}

impl Answer {
    fn parse(authorization: &str) -> Option<Self> {
        // Credentials have the grammar of a challenge (RFC 9110, 11.4).
        let parsed = http_auth::parse_challenges(authorization).ok()?;
        let [credentials] = parsed.as_slice() else {
            return None;
        };
        if !credentials.scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let algorithm = match parameter(credentials, "algorithm") {
            Some(token) => Algorithm::from_token(&token)?,
            None => Algorithm::Md5,
        };
        let qop = match parameter(credentials, "qop") {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let count_text = parameter(credentials, "nc")?;
                Some(Qop {
                    count: u32::from_str_radix(&count_text, 16).ok()?,
                    count_text,
                    client_nonce: parameter(credentials, "cnonce")?,
                })
            }
            Some(_) => return None,
            None => None,
        };
        Some(Self {
            algorithm,
            user: parameter(credentials, "username")?,
            realm: parameter(credentials, "realm")?,
            nonce: parameter(credentials, "nonce")?,
            uri: parameter(credentials, "uri")?,
            response: parameter(credentials, "response")?.to_ascii_lowercase(),
            qop,
        })
    }

    /// The response that one who knows the password gives (RFC 7616, 3.4.1).
    fn expected(&self, method: &str, password: &str) -> String {
        let credentials = format!("{}:{}:{password}", self.user, self.realm);
        let secret = self.algorithm.hash(&credentials);
        let request = self.algorithm.hash(&format!("{method}:{}", self.uri));
        let nonce = &self.nonce;
        let of_session = match &self.qop {
            Some(qop) if self.algorithm.of_session() => {
                let client_nonce = &qop.client_nonce;
                Some(
                    self.algorithm
                        .hash(&format!("{secret}:{nonce}:{client_nonce}")),
                )
            }
            _ => None,
        };
        let secret = of_session.unwrap_or(secret);
        self.algorithm.hash(&match &self.qop {
            Some(Qop {
                count_text,
                client_nonce,
                ..
            }) => format!("{secret}:{nonce}:{count_text}:{client_nonce}:auth:{request}"),
            None => format!("{secret}:{nonce}:{request}"),
        })
    }
}

fn parameter(credentials: &ChallengeRef<'_>, name: &str) -> Option<String> {
    credentials
        .params
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_unescaped())
}

/// The nonces given out, each with its age and the last count it was used with.
#[derive(Default)]
struct Nonces {
    known: HashMap<String, Nonce>,
    /// Oldest first.
    order: VecDeque<String>,
}

struct Nonce {
    issued: Instant,
    last_count: u32,
}

impl Nonces {
    fn remember(&mut self, nonce: String, now: Instant) {
        if self.order.len() == MAX_NONCES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(nonce.clone());
        self.known.insert(
            nonce,
            Nonce {
                issued: now,
                last_count: 0,
            },
        );
    }

    /// Whether `nonce` may be used at `now` with `count`, which a client without `qop` lacks.
    fn spend(&mut self, nonce: &str, count: Option<u32>, now: Instant) -> bool {
        let Some(nonce) = self.known.get_mut(nonce) else {
            return false;
        };
        if now.saturating_duration_since(nonce.issued) > NONCE_LIFETIME {
            return false;
        }
        let Some(count) = count else {
            return true;
        };
        let increased = count > nonce.last_count;
        nonce.last_count = nonce.last_count.max(count);
        increased
    }
}

/// The runtime's clock, so that a test with a paused clock rules over nonces too.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use http_auth::{PasswordClient, PasswordParams};

    use super::*;

    const URI: &str = "rtsp://127.0.0.1:8554/main";

    fn verdict(result: Result<User, Verdict>) -> Verdict {
        result.map_or_else(|verdict| verdict, |_| Verdict::Accepted)
    }

    fn server(algorithms: &[Algorithm]) -> DigestServer {
        DigestServer::new("camera", "admin", "pass word", algorithms)
    }

    fn client(challenge: &str) -> PasswordClient {
        PasswordClient::builder()
            .challenges(challenge)
            .build()
            .unwrap()
    }

    fn answer(client: &mut PasswordClient, password: &str) -> String {
        client
            .respond(&PasswordParams {
                username: "admin",
                password,
                uri: URI,
                method: "DESCRIBE",
                body: None,
            })
            .unwrap()
    }

    /// An answer of RFC 2069, which clients with `qop` no longer write.
    fn answer_without_qop(challenge: &str) -> String {
        let nonce = challenge.split("nonce=\"").nth(1).unwrap();
        let nonce = nonce.split('"').next().unwrap();
        let hash = |text: String| Algorithm::Md5.hash(&text);
        let secret = hash("admin:camera:pass word".into());
        let request = hash(format!("DESCRIBE:{URI}"));
        let response = hash(format!("{secret}:{nonce}:{request}"));
        format!(
            "Digest username=\"admin\", realm=\"camera\", nonce=\"{nonce}\", uri=\"{URI}\", response=\"{response}\""
        )
    }

    #[test]
    fn accepts_the_example_of_the_specification() {
        // RFC 7616, 3.9.1.
        let server = DigestServer::new(
            "http-auth@example.org",
            "Mufasa",
            "Circle of Life",
            &[Algorithm::Md5, Algorithm::Sha256],
        );
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let now = Instant::now();
            server.nonces().remember(nonce.into(), now);
            let authorization = format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
                 algorithm={algorithm}, nonce=\"{nonce}\", nc=00000001, \
                 cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
                 response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            assert_eq!(
                verdict(server.authenticate_at("GET", "/dir/index.html", &authorization, now)),
                Verdict::Accepted
            );
        }
    }

    #[test]
    fn challenges_with_the_strongest_algorithm_first() {
        let challenges = server(&[Algorithm::Md5, Algorithm::Sha256]).challenges();
        assert_eq!(challenges.len(), 2);
        assert!(challenges[0].contains("algorithm=SHA-256"));
        assert!(challenges[1].contains("algorithm=MD5"));
    }

    #[test]
    fn accepts_every_algorithm_it_offers_and_no_other() {
        let both = server(&[Algorithm::Md5, Algorithm::Sha256]);
        for challenge in both.challenges() {
            let authorization = answer(&mut client(&challenge), "pass word");
            assert_eq!(
                both.verify("DESCRIBE", URI, &authorization),
                Verdict::Accepted
            );
        }
        let strong = server(&[Algorithm::Sha256]);
        let authorization = answer_without_qop(&strong.challenges()[0]);
        assert_eq!(
            strong.verify("DESCRIBE", URI, &authorization),
            Verdict::Refused
        );
    }

    #[test]
    fn refuses_another_password_method_or_uri() {
        let server = server(&[Algorithm::Md5]);
        let mut client = client(&server.challenges()[0]);
        let wrong = answer(&mut client, "password");
        assert_eq!(server.verify("DESCRIBE", URI, &wrong), Verdict::Refused);
        let right = answer(&mut client, "pass word");
        assert_eq!(server.verify("SETUP", URI, &right), Verdict::Refused);
        assert_eq!(
            server.verify("DESCRIBE", "rtsp://127.0.0.1:8554/sub", &right),
            Verdict::Refused
        );
        assert_eq!(server.verify("DESCRIBE", URI, &right), Verdict::Accepted);
    }

    #[test]
    fn takes_a_count_once_and_only_upwards() {
        let server = server(&[Algorithm::Sha256]);
        let mut client = client(&server.challenges()[0]);
        let first = answer(&mut client, "pass word");
        let second = answer(&mut client, "pass word");
        assert_eq!(server.verify("DESCRIBE", URI, &second), Verdict::Accepted);
        assert_eq!(server.verify("DESCRIBE", URI, &second), Verdict::Stale);
        assert_eq!(server.verify("DESCRIBE", URI, &first), Verdict::Stale);
    }

    #[test]
    fn serves_clients_without_qop() {
        let server = server(&[Algorithm::Md5]);
        let authorization = answer_without_qop(&server.challenges()[0]);
        for _ in 0..2 {
            assert_eq!(
                server.verify("DESCRIBE", URI, &authorization),
                Verdict::Accepted
            );
        }
    }

    #[test]
    fn calls_an_old_nonce_stale() {
        let server = server(&[Algorithm::Md5]);
        let mut client = client(&server.challenges()[0]);
        let late = Instant::now() + NONCE_LIFETIME + Duration::from_secs(1);
        let right = answer(&mut client, "pass word");
        assert_eq!(
            verdict(server.authenticate_at("DESCRIBE", URI, &right, late)),
            Verdict::Stale
        );
        let wrong = answer(&mut client, "password");
        assert_eq!(
            verdict(server.authenticate_at("DESCRIBE", URI, &wrong, late)),
            Verdict::Refused
        );
        assert!(server.stale_challenges()[0].ends_with(", stale=true"));
    }

    #[test]
    fn forgets_the_oldest_nonce_when_many_are_asked_for() {
        let server = server(&[Algorithm::Md5]);
        let mut client = client(&server.challenges()[0]);
        for _ in 0..MAX_NONCES {
            server.challenges();
        }
        assert_eq!(server.nonces().known.len(), MAX_NONCES);
        assert_eq!(server.nonces().order.len(), MAX_NONCES);
        let right = answer(&mut client, "pass word");
        assert_eq!(server.verify("DESCRIBE", URI, &right), Verdict::Stale);
    }

    #[test]
    fn refuses_what_is_not_an_answer() {
        let server = server(&[Algorithm::Md5]);
        for authorization in [
            "",
            "Basic YWRtaW46cGFzcyB3b3Jk",
            "Digest",
            "Digest username=\"admin\"",
            "Digest username=\"admin, realm",
            "Digest \u{fc}=\u{fc}",
        ] {
            assert_eq!(
                server.verify("DESCRIBE", URI, authorization),
                Verdict::Refused
            );
        }
    }

    #[test]
    fn shows_no_secret_when_debugged() {
        let server = server(&[Algorithm::Md5]);
        let shown = format!("{server:?}");
        assert!(shown.contains("admin"));
        assert!(!shown.contains("pass word"));
    }
}
