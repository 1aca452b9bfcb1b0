//! Names and fixed values of the protocol's user properties.

pub(crate) const PROTOCOL_VERSION: &str = "1.0";
/// The major versions that are spoken, separated by spaces.
pub(crate) const MAJOR_VERSION: &str = "1";
pub(crate) const PROTOCOL_VERSION_KEY: &str = "__protVer";
pub(crate) const SOURCE: &str = "__srcId";
pub(crate) const TIMESTAMP: &str = "__ts";
pub(super) const STATUS: &str = "__stat";
pub(super) const STATUS_MESSAGE: &str = "__stMsg";
pub(super) const APPLICATION_ERROR: &str = "__apErr";
pub(super) const PROPERTY_NAME: &str = "__propName";
pub(super) const PROPERTY_VALUE: &str = "__propVal";
pub(super) const SUPPORTED_VERSIONS: &str = "__supProtMajVer";
pub(super) const REQUEST_VERSION: &str = "__requestProtVer";
pub(super) const CONTENT_TYPE: &str = "Content Type";
pub(super) const CORRELATION_DATA: &str = "Correlation Data";
pub(super) const MESSAGE_EXPIRY: &str = "Message Expiry";
pub(super) const PARTITION: &str = "$partition";
pub(super) const HIGH_PRIORITY: &str = "$high_priority";

/// Whether a version is one this crate speaks; a missing one is 1.0.
pub(crate) fn is_supported(version: Option<&str>) -> bool {
    let Some((major, minor)) = version.unwrap_or(PROTOCOL_VERSION).split_once('.') else {
        return false;
    };
    major == MAJOR_VERSION && minor.parse::<u16>().is_ok()
}

/// Whether a content type is one of those that are taken. No list takes all, and to name none, or an empty one, is taken.
pub(crate) fn accepts(expected: &[String], given: Option<&str>) -> bool {
    let given = given.unwrap_or_default();
    given.is_empty() || expected.is_empty() || expected.iter().any(|taken| taken == given)
}

/// The protocol's own user properties. Others that begin alike are the application's: the state store has one, `__ft`.
const RESERVED: [&str; 12] = [
    PROTOCOL_VERSION_KEY,
    SOURCE,
    TIMESTAMP,
    STATUS,
    STATUS_MESSAGE,
    APPLICATION_ERROR,
    PROPERTY_NAME,
    PROPERTY_VALUE,
    SUPPORTED_VERSIONS,
    REQUEST_VERSION,
    PARTITION,
    HIGH_PRIORITY,
];

/// The user properties of the application.
pub(crate) fn of_application(user: Vec<(String, String)>) -> Vec<(String, String)> {
    user.into_iter()
        .filter(|(name, _)| !RESERVED.contains(&name.as_str()))
        .collect()
}
