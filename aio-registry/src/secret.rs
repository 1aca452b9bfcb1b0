use zeroize::Zeroizing;

use crate::Error;

/// A password, user name, key or certificate. Never printed; overwritten in memory when dropped.
#[derive(Clone)]
pub struct Secret(std::sync::Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(std::sync::Arc::new(Zeroizing::new(bytes.into())))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, without the line end that editors leave at the end of a file.
    ///
    /// # Errors
    /// [`Error::Invalid`] when they are not UTF-8.
    pub fn as_text(&self) -> Result<&str, Error> {
        let text = std::str::from_utf8(&self.0).map_err(|_| Error::Invalid {
            what: "a secret".into(),
            reason: "it is to be text, and is not UTF-8".into(),
        })?;
        Ok(text
            .strip_suffix('\n')
            .map(|text| text.strip_suffix('\r').unwrap_or(text))
            .unwrap_or(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}
