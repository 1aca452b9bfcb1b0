use std::fmt::Write as _;

use ring::digest::{SHA256, SHA512_256, digest};

use super::Credentials;
use super::challenge::{Challenge, challenges};
use crate::random;

/// The challenges of a 401 that can be answered, from all its `WWW-Authenticate` headers.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    /// Strongest first.
    digests: Vec<DigestSession>,
    basic: bool,
}

impl Challenges {
    pub(crate) fn parse<'h>(headers: impl Iterator<Item = &'h str>) -> Self {
        let mut found = Self::default();
        for challenge in headers
            .take(8)
            .flat_map(|header| challenges(header).take(8))
        {
            if challenge.is("Basic") {
                found.basic = true;
            } else if let Some(digest) = DigestSession::new(&challenge) {
                found.digests.push(digest);
            }
        }
        found
            .digests
            .sort_by_key(|digest| std::cmp::Reverse(digest.algorithm));
        found
    }

    pub(crate) fn digest(&self) -> bool {
        !self.digests.is_empty()
    }

    /// Whether the strongest algorithm is stronger than MD5.
    pub(crate) fn strong_digest(&self) -> bool {
        let strongest = self.digests.first();
        strongest.is_some_and(|digest| digest.algorithm > Algorithm::Md5)
    }

    pub(crate) fn basic(&self) -> bool {
        self.basic
    }

    /// Whether the camera says that only the nonce is outdated.
    pub(crate) fn stale(&self) -> bool {
        self.digests.iter().any(|digest| digest.stale)
    }

    pub(crate) fn weaker_digest(&self) -> bool {
        match (self.digests.first(), self.digests.last()) {
            (Some(first), Some(last)) => first.algorithm != last.algorithm,
            _ => false,
        }
    }

    /// A session that answers the strongest challenge, or the weakest.
    pub(crate) fn into_session(mut self, weak: bool) -> Option<DigestSession> {
        if weak {
            self.digests.pop()
        } else {
            self.digests.drain(..).next()
        }
    }
}

/// The hash functions of RFC 7616, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512Trunc256,
}

impl Algorithm {
    /// The algorithm of a name, and whether its key is made for each session.
    fn named(name: &str) -> Option<(Self, bool)> {
        let name = name.to_ascii_uppercase();
        let (name, session) = match name.strip_suffix("-SESS") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let algorithm = match name {
            "MD5" => Self::Md5,
            "SHA-256" => Self::Sha256,
            "SHA-512-256" => Self::Sha512Trunc256,
            _ => return None,
        };
        Some((algorithm, session))
    }

    fn name(self, session: bool) -> &'static str {
        match (self, session) {
            (Self::Md5, false) => "MD5",
            (Self::Md5, true) => "MD5-sess",
            (Self::Sha256, false) => "SHA-256",
            (Self::Sha256, true) => "SHA-256-sess",
            (Self::Sha512Trunc256, false) => "SHA-512-256",
            (Self::Sha512Trunc256, true) => "SHA-512-256-sess",
        }
    }

    /// The hash of the parts with colons between them, in hexadecimal.
    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => hexadecimal(&md5::compute(text).0),
            Self::Sha256 => hexadecimal(digest(&SHA256, text.as_bytes()).as_ref()),
            Self::Sha512Trunc256 => hexadecimal(digest(&SHA512_256, text.as_bytes()).as_ref()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A challenge and the count of answers to it.
#[derive(Debug)]
pub(crate) struct DigestSession {
    algorithm: Algorithm,
    /// Whether the camera named its algorithm: one that did not may not know the parameter.
    named: bool,
    /// Whether the key is made for the session, with our nonce.
    session: bool,
    /// Whether the camera knows `qop`, and so our nonce and the count.
    qop: bool,
    stale: bool,
    /// Whether the name of the user is sent as a hash.
    userhash: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// Our nonce, the same for all answers to one nonce of the camera: a key for the session is made of it.
    own_nonce: String,
    count: u32,
}

impl DigestSession {
    fn new(challenge: &Challenge) -> Option<Self> {
        if !challenge.is("Digest") {
            return None;
        }
        let name = challenge.parameter("algorithm");
        let (algorithm, session) = match name {
            Some(name) => Algorithm::named(name)?,
            None => (Algorithm::Md5, false),
        };
        let qop = match challenge.parameter("qop") {
            // `auth-int` alone cannot be answered: cameras that offer it do not exist, and get it wrong.
            Some(offered) => {
                let mut words = offered.split([',', ' ']);
                words
                    .any(|word| word.eq_ignore_ascii_case("auth"))
                    .then_some(true)?
            }
            None => false,
        };
        // A key for each session is made with the client's nonce, which is not sent without qop.
        if session && !qop {
            return None;
        }
        let is_true = |name| {
            let value = challenge.parameter(name);
            value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        Some(Self {
            algorithm,
            named: name.is_some(),
            session,
            qop,
            stale: is_true("stale"),
            userhash: is_true("userhash"),
            realm: challenge.parameter("realm")?.to_owned(),
            nonce: challenge.parameter("nonce")?.to_owned(),
            opaque: challenge.parameter("opaque").map(str::to_owned),
            own_nonce: hexadecimal(&random::bytes::<16>()),
            count: 0,
        })
    }

    /// Goes on with the nonce that an `Authentication-Info` header names, if it does.
    pub(super) fn renew(&mut self, authentication_info: &str) {
        let text = format!("Digest {authentication_info}");
        let info = challenges(&text).next();
        let next = info.as_ref().and_then(|info| info.parameter("nextnonce"));
        let Some(next) = next.filter(|next| !next.is_empty() && *next != self.nonce) else {
            return;
        };
        next.clone_into(&mut self.nonce);
        self.own_nonce = hexadecimal(&random::bytes::<16>());
        self.count = 0;
        self.stale = false;
    }

    /// The header for the next request, and whether it is the first for this nonce.
    pub(super) fn respond(
        &mut self,
        credentials: &Credentials,
        method: &str,
        path: &str,
    ) -> (String, bool) {
        let first = self.count == 0;
        self.count = self.count.saturating_add(1);
        (self.answer(credentials, method, path), first)
    }

    /// The header of RFC 7616 (RFC 2069 without `qop`).
    fn answer(&self, credentials: &Credentials, method: &str, path: &str) -> String {
        let hash = |parts: &[&str]| self.algorithm.hash(parts);
        let (user, password) = (credentials.username(), credentials.password());
        let mut key = hash(&[user, &self.realm, password]);
        if self.session {
            key = hash(&[&key, &self.nonce, &self.own_nonce]);
        }
        let request = hash(&[method, path]);
        let count = format!("{:08x}", self.count);
        let response = match self.qop {
            true => hash(&[&key, &self.nonce, &count, &self.own_nonce, "auth", &request]),
            false => hash(&[&key, &self.nonce, &request]),
        };
        let user = match self.userhash {
            true => hash(&[user, &self.realm]),
            false => user.to_owned(),
        };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(&user),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(path),
        );
        if self.named {
            let _ = write!(header, ", algorithm={}", self.algorithm.name(self.session));
        }
        if self.qop {
            let _ = write!(
                header,
                ", qop=auth, nc={count}, cnonce=\"{}\"",
                self.own_nonce
            );
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(header, ", opaque={}", quoted(opaque));
        }
        if self.userhash {
            header.push_str(", userhash=true");
        }
        header
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_of_all_challenges_is_taken_whatever_the_order() {
        let headers = [
            "Basic realm=\"x\", Unknown a=b",
            "Digest realm=\"r\", nonce=\"1\", qop=\"auth\", algorithm=MD5",
            "Digest realm=\"r\", nonce=\"2\", qop=\"auth\", algorithm=SHA-256",
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let challenges = Challenges::parse(order.iter().map(|i| headers[*i]));
            assert!(challenges.digest() && challenges.basic() && challenges.weaker_digest());
            let (header, first) = challenges.into_session(false).unwrap().respond(
                &Credentials::new("a", "b"),
                "POST",
                "/",
            );
            assert!(header.contains("SHA-256"));
            assert!(first);
        }
    }

    #[test]
    fn a_challenge_without_qop_is_answered_in_the_old_form() {
        let challenges = Challenges::parse(["Digest realm=\"r\", nonce=\"1\""].into_iter());
        let (header, _) = challenges.into_session(false).unwrap().respond(
            &Credentials::new("a", "b"),
            "POST",
            "/",
        );
        assert!(!header.contains("qop"));
    }

    #[test]
    fn a_stronger_algorithm_is_named_even_without_qop() {
        let offer = "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256";
        let challenges = Challenges::parse([offer].into_iter());
        let mut session = challenges.into_session(false).unwrap();
        let (header, _) = session.respond(&Credentials::new("a", "b"), "POST", "/");
        assert!(header.contains("algorithm=SHA-256") && !header.contains("qop"));
    }

    #[test]
    fn every_algorithm_of_rfc_7616_is_answered_and_its_user_hashed_on_demand() {
        for algorithm in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"] {
            let offer = format!(
                "Digest realm=\"r\", nonce=\"1\", qop=\"auth\", algorithm={algorithm}, userhash=true"
            );
            let challenges = Challenges::parse([offer.as_str()].into_iter());
            let mut session = challenges.into_session(false).unwrap();
            let (header, _) = session.respond(&Credentials::new("admin", "b"), "POST", "/");
            assert!(
                header.contains(&format!("algorithm={algorithm}")),
                "{header}"
            );
            assert!(header.contains("userhash=true") && !header.contains("admin"));
        }
    }

    #[test]
    fn the_nonce_named_for_the_next_request_is_used_from_its_first_count() {
        let offer = "Digest realm=\"r\", nonce=\"1\", qop=\"auth\", opaque=\"o\"";
        let challenges = Challenges::parse([offer].into_iter());
        let mut session = challenges.into_session(false).unwrap();
        let credentials = Credentials::new("a", "b");
        session.respond(&credentials, "POST", "/");
        session.renew("qop=auth, nextnonce=\"2\", rspauth=\"x\"");
        let (header, first) = session.respond(&credentials, "POST", "/");
        assert!(header.contains("nonce=\"2\"") && header.contains("nc=00000001"));
        assert!(header.contains("opaque=\"o\"") && first);
        session.renew("nonsense");
        session.renew("nextnonce=");
        let (header, _) = session.respond(&credentials, "POST", "/");
        assert!(header.contains("nc=00000002"));
    }

    /// The examples of RFC 7616, 3.9.1 and 3.9.2.
    #[test]
    fn the_examples_of_the_specification_come_out() {
        let answer = |offer: &str, user: &str, own_nonce: &str| {
            let challenges = Challenges::parse([offer].into_iter());
            let mut session = challenges.into_session(false).unwrap();
            session.own_nonce = own_nonce.to_owned();
            let (header, _) = match user {
                "Mufasa" => {
                    let credentials = Credentials::new(user, "Circle of Life");
                    session.respond(&credentials, "GET", "/dir/index.html")
                }
                _ => {
                    let credentials = Credentials::new(user, "Secret, or not?");
                    session.respond(&credentials, "GET", "/doe.json")
                }
            };
            header
        };
        let common = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
            nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
            opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", algorithm=";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let offer = format!("{common}{algorithm}");
            let own_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let header = answer(&offer, "Mufasa", own_nonce);
            assert!(
                header.contains(&format!("response=\"{response}\"")),
                "{header}"
            );
        }
        let offer = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
            nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
            opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true";
        let own_nonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
        let header = answer(offer, "J\u{e4}s\u{f8}n Doe", own_nonce);
        // The erratum 4897 of the specification, which used another hash.
        let user = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
        assert!(header.contains(&format!("username=\"{user}\"")), "{header}");
        let response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
        assert!(
            header.contains(&format!("response=\"{response}\"")),
            "{header}"
        );
    }

    #[test]
    fn quotes_and_backslashes_come_back_as_they_came() {
        let offer = r#"Digest realm="a \"b\" \\ c", nonce="n""#;
        let challenges = Challenges::parse([offer].into_iter());
        let mut session = challenges.into_session(false).unwrap();
        assert_eq!(session.realm, r#"a "b" \ c"#);
        let (header, _) = session.respond(&Credentials::new("a", "b"), "POST", "/");
        assert!(header.contains(r#"realm="a \"b\" \\ c""#), "{header}");
    }

    #[test]
    fn garbage_is_no_challenge() {
        let challenges = Challenges::parse(["Digest", "\u{7f}", "Digest realm=\"", ""].into_iter());
        assert!(!challenges.digest() && !challenges.basic() && !challenges.stale());
    }
}
