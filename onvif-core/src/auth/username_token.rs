use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::escape;
use sha1::{Digest, Sha1};

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

/// The `Security` header of a WS-UsernameToken with password digest. Without prefixes, the form
/// that the fewest cameras refuse; nonce of 16 bytes and `Created` in milliseconds, because some
/// refuse longer ones.
pub(super) fn security(credentials: &Credentials, nonce: &[u8; 16], created: SystemTime) -> String {
    let created = date::format_date_time(created);
    let mut hash = Sha1::new();
    hash.update(nonce);
    hash.update(created.as_bytes());
    hash.update(credentials.password().as_bytes());
    format!(
        "<Security s:mustUnderstand=\"1\" xmlns=\"{WSSE}\"><UsernameToken><Username>{}</Username>\
         <Password Type=\"{PROFILE}#PasswordDigest\">{}</Password>\
         <Nonce EncodingType=\"{MESSAGE}#Base64Binary\">{}</Nonce>\
         <Created xmlns=\"{WSU}\">{created}</Created></UsernameToken></Security>",
        escape(credentials.username()),
        STANDARD.encode(hash.finalize()),
        STANDARD.encode(nonce),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_digest_is_that_of_nonce_created_and_password() {
        let nonce = *b"0123456789abcdef";
        let header = security(
            &Credentials::new("a<b", "user@Password"),
            &nonce,
            UNIX_EPOCH + Duration::from_secs(1_284_633_249),
        );
        let mut hash = Sha1::new();
        hash.update(b"0123456789abcdef2010-09-16T10:34:09.000Zuser@Password");
        assert!(header.contains(&STANDARD.encode(hash.finalize())));
        assert!(header.contains("<Username>a&lt;b</Username>"));
        assert!(!header.contains("user@Password"));
    }
}
