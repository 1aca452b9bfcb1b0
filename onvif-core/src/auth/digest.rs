use http_auth::digest::{Algorithm, DigestClient};
use http_auth::{ChallengeParser, ChallengeRef, ParamValue, PasswordParams};

use super::Credentials;

/// The challenges of a 401 that can be answered, from all its `WWW-Authenticate` headers.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    /// Strongest first.
    digests: Vec<DigestSession>,
    basic: bool,
}

impl Challenges {
    pub(crate) fn parse<'h>(headers: impl Iterator<Item = &'h str>) -> Self {
        let mut challenges = Self::default();
        for header in headers.take(8) {
            for challenge in ChallengeParser::new(header).map_while(Result::ok).take(8) {
                if challenge.scheme.eq_ignore_ascii_case("Basic") {
                    challenges.basic = true;
                } else if let Some(digest) = DigestSession::new(&challenge) {
                    challenges.digests.push(digest);
                }
            }
        }
        challenges
            .digests
            .sort_by_key(|digest| std::cmp::Reverse(strength(digest.client.algorithm())));
        challenges
    }

    pub(crate) fn digest(&self) -> bool {
        !self.digests.is_empty()
    }

    /// Whether the strongest algorithm is stronger than MD5.
    pub(crate) fn strong_digest(&self) -> bool {
        self.digests
            .first()
            .is_some_and(|digest| strength(digest.client.algorithm()) > 0)
    }

    pub(crate) fn basic(&self) -> bool {
        self.basic
    }

    /// Whether the camera says that only the nonce is outdated.
    pub(crate) fn stale(&self) -> bool {
        self.digests.iter().any(|digest| digest.client.stale())
    }

    pub(crate) fn weaker_digest(&self) -> bool {
        match (self.digests.first(), self.digests.last()) {
            (Some(first), Some(last)) => first.client.algorithm() != last.client.algorithm(),
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

fn strength(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Md5 => 0,
        Algorithm::Sha256 => 1,
        _ => 2,
    }
}

/// A challenge and the count of answers to it.
#[derive(Debug)]
pub(crate) struct DigestSession {
    client: DigestClient,
    /// The parameters of the challenge as they stood there, to replace the nonce among them.
    parameters: Vec<(String, String)>,
}

impl DigestSession {
    fn new(challenge: &ChallengeRef<'_>) -> Option<Self> {
        let client = DigestClient::try_from(challenge).ok()?;
        // A key for each session is made with the client's nonce, which is not sent without qop.
        if client.session() && client.rfc2069_compat() {
            return None;
        }
        let parameters = challenge.params.iter();
        Some(Self {
            client,
            parameters: parameters
                .map(|(name, value)| ((*name).to_owned(), value.as_escaped().to_owned()))
                .collect(),
        })
    }

    /// Goes on with the nonce that an `Authentication-Info` header names, if it does.
    pub(super) fn renew(&mut self, authentication_info: &str) {
        let text = format!("Digest {authentication_info}");
        let Some(Ok(info)) = ChallengeParser::new(&text).next() else {
            return;
        };
        let next = info
            .params
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("nextnonce"));
        let Some((_, next)) = next.filter(|(_, next)| next.to_unescaped() != self.client.nonce())
        else {
            return;
        };
        let mut challenge = ChallengeRef::new("Digest");
        for (name, value) in &self.parameters {
            let value = match name.as_str() {
                name if name.eq_ignore_ascii_case("nonce") => Ok(*next),
                name if name.eq_ignore_ascii_case("stale") => continue,
                _ => ParamValue::try_from_escaped(value),
            };
            if let Ok(value) = value {
                challenge.params.push((name, value));
            }
        }
        if let Some(renewed) = Self::new(&challenge) {
            *self = renewed;
        }
    }

    /// The header for the next request, and whether it is the first for this nonce.
    pub(super) fn respond(
        &mut self,
        credentials: &Credentials,
        method: &str,
        path: &str,
    ) -> (Option<String>, bool) {
        let first = self.client.nonce_count() == 0;
        let params = PasswordParams {
            username: credentials.username(),
            password: credentials.password(),
            uri: path,
            method,
            // `auth-int` is refused: cameras that offer it alone do not exist, and get it wrong.
            body: None,
        };
        match self.client.respond(&params) {
            // Without the algorithm the answer would be taken for one with MD5.
            Ok(mut header) if self.client.rfc2069_compat() => {
                match self.client.algorithm() {
                    Algorithm::Sha256 => header.push_str(", algorithm=SHA-256"),
                    Algorithm::Sha512Trunc256 => header.push_str(", algorithm=SHA-512-256"),
                    _ => {}
                }
                (Some(header), first)
            }
            Ok(header) => (Some(header), first),
            Err(error) => {
                tracing::debug!(error, "cannot answer the Digest challenge");
                (None, first)
            }
        }
    }
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
            assert!(header.unwrap().contains("SHA-256"));
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
        assert!(!header.unwrap().contains("qop"));
    }

    #[test]
    fn a_stronger_algorithm_is_named_even_without_qop() {
        let offer = "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256";
        let challenges = Challenges::parse([offer].into_iter());
        let mut session = challenges.into_session(false).unwrap();
        let (header, _) = session.respond(&Credentials::new("a", "b"), "POST", "/");
        let header = header.unwrap();
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
            let header = header.unwrap();
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
        let header = header.unwrap();
        assert!(header.contains("nonce=\"2\"") && header.contains("nc=00000001"));
        assert!(header.contains("opaque=\"o\"") && first);
        session.renew("nonsense");
        session.renew("nextnonce=");
        let (header, _) = session.respond(&credentials, "POST", "/");
        assert!(header.unwrap().contains("nc=00000002"));
    }

    #[test]
    fn garbage_is_no_challenge() {
        let challenges = Challenges::parse(["Digest", "\u{7f}", "Digest realm=\"", ""].into_iter());
        assert!(!challenges.digest() && !challenges.basic() && !challenges.stale());
    }
}
