use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

/// The SHA-256 of a certificate's public key (its `SubjectPublicKeyInfo`). It stays the same when a
/// camera renews its certificate with the same key. Written as `sha256/` and 44 characters of Base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpkiPin([u8; 32]);

/// A text that is no [`SpkiPin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pin is written as `sha256/` and the Base64 of 32 bytes")]
pub struct InvalidPin;

impl SpkiPin {
    /// The pin with these bytes.
    pub fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// The SHA-256.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, rustls::Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &key).as_ref());
        Ok(Self(sha256))
    }
}

impl fmt::Display for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SpkiPin {
    type Err = InvalidPin;

    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        let text = text.trim();
        let text = text.strip_prefix("sha256/").ok_or(InvalidPin)?;
        let bytes = STANDARD.decode(text).map_err(|_| InvalidPin)?;
        bytes.try_into().map(Self).map_err(|_| InvalidPin)
    }
}

/// The keys that were seen first, by host and port. Clones share them. It lives in memory: read a
/// pin back with [`get`](Self::get) to store it, and put it in with [`insert`](Self::insert) after a
/// restart.
#[derive(Clone, Debug, Default)]
pub struct PinStore(Arc<Mutex<HashMap<String, SpkiPin>>>);

impl PinStore {
    /// The pin of `authority`, a host with its port: `192.0.2.7:443`, `[2001:db8::7]:443`.
    pub fn get(&self, authority: &str) -> Option<SpkiPin> {
        self.pins().get(authority).copied()
    }

    /// Pins a key, in place of the one that was pinned.
    pub fn insert(&self, authority: impl Into<String>, pin: SpkiPin) {
        self.pins().insert(authority.into(), pin);
    }

    /// Forgets a key: whatever is seen next is pinned.
    pub fn remove(&self, authority: &str) {
        self.pins().remove(authority);
    }

    /// Pins `seen` unless there is a pin; returns the pin that holds.
    pub(super) fn pin_first(&self, authority: &str, seen: SpkiPin) -> SpkiPin {
        *self.pins().entry(authority.to_owned()).or_insert_with(|| {
            tracing::info!(authority, pin = %seen, "pinned the key of a camera on first use");
            seen
        })
    }

    fn pins(&self) -> MutexGuard<'_, HashMap<String, SpkiPin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_it_is_written() {
        let pin = SpkiPin::new([7; 32]);
        assert_eq!(pin.to_string().parse(), Ok(pin));
        for text in ["", "sha256/", "sha256/AAAA", "md5/AAAA", &"A".repeat(44)] {
            assert_eq!(text.parse::<SpkiPin>(), Err(InvalidPin), "{text}");
        }
    }

    #[test]
    fn the_first_key_stays_pinned() {
        let pins = PinStore::default();
        let (first, second) = (SpkiPin::new([1; 32]), SpkiPin::new([2; 32]));
        assert_eq!(pins.pin_first("cam:443", first), first);
        assert_eq!(pins.clone().pin_first("cam:443", second), first);
        assert_eq!(pins.pin_first("cam:8443", second), second);
        pins.remove("cam:443");
        assert_eq!(pins.get("cam:443"), None);
    }
}
