//! Who may see streams.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::digest::{DigestServer, Verdict};

/// What RTSP accepts as proof of the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RtspAuth {
    /// Digest, with SHA-256 and MD5.
    #[default]
    Digest,
    /// Basic, which everyone on the way can read.
    Basic,
    /// Digest or Basic, in this order of challenges.
    Either,
}

/// The check itself.
pub(crate) struct Door {
    digest: Option<Arc<DigestServer>>,
    /// The value of `Authorization` that is right, and the challenge.
    basic: Option<(String, String)>,
}

/// Why somebody is not let in.
pub(super) struct Denied {
    /// Values of `WWW-Authenticate`.
    pub challenges: Vec<String>,
    /// The credentials were wrong, not just missing or stale.
    pub wrong: bool,
}

impl Door {
    pub(crate) fn digest(digest: Arc<DigestServer>) -> Self {
        Self {
            digest: Some(digest),
            basic: None,
        }
    }

    pub(crate) fn basic(realm: &str, user: &str, password: &str) -> Self {
        let right = BASE64.encode(format!("{user}:{password}"));
        Self {
            digest: None,
            basic: Some((format!("Basic {right}"), format!("Basic realm=\"{realm}\""))),
        }
    }

    /// What either of the two accepts.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            digest: self.digest.or(other.digest),
            basic: self.basic.or(other.basic),
        }
    }

    pub(super) fn check(
        &self,
        method: &str,
        target: &str,
        authorization: Option<&str>,
    ) -> Result<(), Denied> {
        if let Some((right, _)) = &self.basic
            && authorization == Some(right)
        {
            return Ok(());
        }
        let verdict = match (&self.digest, authorization) {
            (Some(digest), Some(given)) => digest.verify(method, target, given),
            _ => Verdict::Refused,
        };
        let stale = matches!(verdict, Verdict::Stale);
        let mut challenges = match (&self.digest, verdict) {
            (_, Verdict::Accepted) => return Ok(()),
            (Some(digest), Verdict::Stale) => digest.stale_challenges(),
            (Some(digest), Verdict::Refused) => digest.challenges(),
            (None, _) => Vec::new(),
        };
        challenges.extend(self.basic.iter().map(|(_, challenge)| challenge.clone()));
        Err(Denied {
            challenges,
            wrong: authorization.is_some() && !stale,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;

    #[test]
    fn basic_is_taken_where_it_is_offered_only() {
        let digest = || {
            Door::digest(Arc::new(DigestServer::new(
                "r",
                "u",
                "p",
                &[Algorithm::Md5],
            )))
        };
        let basic = || Door::basic("r", "u", "p");
        let given = Some("Basic dTpw");
        assert!(basic().check("PLAY", "x", given).is_ok());
        assert!(digest().or(basic()).check("PLAY", "x", given).is_ok());
        let denied = digest().check("PLAY", "x", given).unwrap_err();
        assert_eq!((denied.challenges.len(), denied.wrong), (1, true));
        let denied = digest().or(basic()).check("PLAY", "x", None).unwrap_err();
        assert!(denied.challenges[0].starts_with("Digest "));
        assert_eq!(denied.challenges[1], "Basic realm=\"r\"");
        assert!(!denied.wrong);
    }
}
