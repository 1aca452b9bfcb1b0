use crate::Error;

/// Checks a device's name: `^[0-9a-zA-Z][a-zA-Z0-9-]*$`, 3 to 63 characters.
///
/// # Errors
/// [`Error::Invalid`] says which rule the name breaks.
pub fn check_device_name(name: &str) -> Result<(), Error> {
    let fits = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-');
    check(
        "device name",
        name,
        fits,
        "3 to 63 letters, digits and hyphens, and begins with no hyphen",
    )
}

/// Checks an asset's name: `^[a-z0-9][a-z0-9-]*[a-z0-9]$`, 3 to 63 characters.
///
/// # Errors
/// [`Error::Invalid`] says which rule the name breaks.
pub fn check_asset_name(name: &str) -> Result<(), Error> {
    let fits = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    check(
        "asset name",
        name,
        fits,
        "3 to 63 lower case letters, digits and hyphens, with no hyphen at either end",
    )
}

/// Checks the name of an inbound endpoint. The contract leaves it open, but it is a label of MQTT topics and a part of file
/// names, so it must be 1 to 63 letters, digits, `-`, `_` and `.`, and begin with a letter or digit.
///
/// # Errors
/// [`Error::Invalid`] says which rule the name breaks.
pub fn check_endpoint_name(name: &str) -> Result<(), Error> {
    let fits = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.len() <= 63;
    if fits {
        return Ok(());
    }
    Err(invalid(
        "endpoint name",
        name,
        "1 to 63 letters, digits, -, _ and ., and begins with a letter or digit",
    ))
}

fn check(what: &str, name: &str, fits: bool, rule: &str) -> Result<(), Error> {
    if fits && (3..=63).contains(&name.len()) {
        return Ok(());
    }
    Err(invalid(what, name, rule))
}

fn invalid(what: &str, name: &str, rule: &str) -> Error {
    let shown: String = name.chars().take(80).collect();
    Error::Invalid {
        what: format!("{what} {shown:?}"),
        reason: format!("it has {rule}"),
    }
}
