use http_auth::digest::{Algorithm, DigestClient};
use http_auth::{ChallengeParser, PasswordParams};

use super::Credentials;

/// The challenges of a 401 that can be answered, from all its `WWW-Authenticate` headers.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    /// Strongest first.
    digests: Vec<DigestClient>,
    basic: bool,
}

impl Challenges {
    pub(crate) fn parse<'h>(headers: impl Iterator<Item = &'h str>) -> Self {
        let mut challenges = Self::default();
        for header in headers.take(8) {
            for challenge in ChallengeParser::new(header).map_while(Result::ok).take(8) {
                if challenge.scheme.eq_ignore_ascii_case("Basic") {
                    challenges.basic = true;
                } else if let Ok(digest) = DigestClient::try_from(&challenge) {
                    challenges.digests.push(digest);
                }
            }
        }
        challenges
            .digests
            .sort_by_key(|digest| std::cmp::Reverse(strength(digest.algorithm())));
        challenges
    }

    pub(crate) fn digest(&self) -> bool {
        !self.digests.is_empty()
    }

    pub(crate) fn basic(&self) -> bool {
        self.basic
    }

    /// Whether the camera says that only the nonce is outdated.
    pub(crate) fn stale(&self) -> bool {
        self.digests.iter().any(DigestClient::stale)
    }

    pub(crate) fn weaker_digest(&self) -> bool {
        match (self.digests.first(), self.digests.last()) {
            (Some(first), Some(last)) => first.algorithm() != last.algorithm(),
            _ => false,
        }
    }

    /// A session that answers the strongest challenge, or the weakest.
    pub(crate) fn into_session(mut self, weak: bool) -> Option<DigestSession> {
        let client = if weak {
            self.digests.pop()?
        } else {
            self.digests.drain(..).next()?
        };
        Some(DigestSession { client })
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
}

impl DigestSession {
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
    fn garbage_is_no_challenge() {
        let challenges = Challenges::parse(["Digest", "\u{7f}", "Digest realm=\"", ""].into_iter());
        assert!(!challenges.digest() && !challenges.basic() && !challenges.stale());
    }
}
