use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::escape;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::Credentials;
use crate::xml::date;

const WSSE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const WSU: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const PROFILE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";
const MESSAGE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0";

/// How a token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenForm {
    /// Without prefixes: the form that the fewest cameras refuse.
    Plain,
    /// With the prefixes of the specification's examples, which some cameras look for as text.
    Prefixed,
    /// With the password in clear.
    PasswordText,
}

/// The `Security` header of a WS-UsernameToken. Nonce of 16 bytes and `Created` in milliseconds,
/// because some cameras refuse longer ones.
pub(super) fn security(
    credentials: &Credentials,
    form: TokenForm,
    nonce: &[u8; 16],
    created: SystemTime,
) -> String {
    let created = date::format_date_time(created);
    let hashed = [nonce, created.as_bytes(), credentials.password().as_bytes()].concat();
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &hashed);
    let username = escape(credentials.username());
    let (kind, password) = match form {
        TokenForm::PasswordText => ("PasswordText", escape(credentials.password())),
        _ => ("PasswordDigest", STANDARD.encode(hash).into()),
    };
    let nonce = STANDARD.encode(nonce);
    match form {
        TokenForm::Prefixed => format!(
            "<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\"><wsse:UsernameToken>\
             <wsse:Username>{username}</wsse:Username>\
             <wsse:Password Type=\"{PROFILE}#{kind}\">{password}</wsse:Password>\
             <wsse:Nonce EncodingType=\"{MESSAGE}#Base64Binary\">{nonce}</wsse:Nonce>\
             <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>",
        ),
        _ => format!(
            "<Security s:mustUnderstand=\"1\" xmlns=\"{WSSE}\"><UsernameToken><Username>{username}</Username>\
             <Password Type=\"{PROFILE}#{kind}\">{password}</Password>\
             <Nonce EncodingType=\"{MESSAGE}#Base64Binary\">{nonce}</Nonce>\
             <Created xmlns=\"{WSU}\">{created}</Created></UsernameToken></Security>",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_digest_is_that_of_nonce_created_and_password() {
        let nonce = *b"0123456789abcdef";
        let credentials = Credentials::new("a<b", "user@Password");
        let created = UNIX_EPOCH + Duration::from_secs(1_284_633_249);
        let hashed = b"0123456789abcdef2010-09-16T10:34:09.000Zuser@Password";
        let digest = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, hashed));
        for (form, name) in [
            (TokenForm::Plain, "<Username>a&lt;b</Username>"),
            (TokenForm::Prefixed, "<wsse:Username>a&lt;b</wsse:Username>"),
        ] {
            let header = security(&credentials, form, &nonce, created);
            assert!(
                header.contains(&digest) && header.contains(name),
                "{header}"
            );
            assert!(header.contains(">2010-09-16T10:34:09.000Z<"), "{header}");
            assert!(!header.contains("user@Password"));
        }
        let header = security(&credentials, TokenForm::PasswordText, &nonce, created);
        assert!(header.contains("#PasswordText\">user@Password<"));
    }
}
