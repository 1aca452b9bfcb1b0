//! The camera that a verb is for: its address, credentials, and the profile that is meant.

use std::ffi::OsString;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use onvif_core::media::{Profile, ProfileToken};
use onvif_core::{Camera, Credentials, TlsPolicy};
use url::Url;

/// Holds the password where no file is named.
const PASSWORD: &str = "CAMCTL_PASSWORD";

#[derive(Args)]
pub struct CameraArgs {
    /// The camera: http://HOST/onvif/device_service, or HOST alone.
    #[arg(long, global = true, help_heading = "Every verb", value_name = "URL")]
    camera: Option<String>,

    /// The user at the camera.
    #[arg(long, global = true, help_heading = "Every verb", value_name = "NAME")]
    username: Option<String>,

    /// A file that holds the password; without it, the environment variable CAMCTL_PASSWORD does.
    #[arg(long, global = true, help_heading = "Every verb", value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// How far the certificate of an https:// camera is checked.
    #[arg(long, global = true, help_heading = "Every verb", value_enum, value_name = "POLICY", default_value_t = Tls::Verify)]
    tls: Tls,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tls {
    /// Chain, dates and host name.
    Verify,
    /// Chain and dates, but any host name.
    AcceptInvalidHostnames,
    /// Nothing: anybody on the way can read along.
    AcceptInvalidCertificates,
}

impl CameraArgs {
    /// Whether everything needed is there; if not, what is missing.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.camera.is_none() {
            return Err("which camera? Give --camera with its URL or host");
        }
        match (&self.username, &self.password_file) {
            (None, Some(_)) => Err("a password file needs a --username"),
            (Some(_), None) if password_in_environment().is_none() => {
                Err("a user name needs --password-file, or the password in CAMCTL_PASSWORD")
            }
            _ => Ok(()),
        }
    }

    pub async fn connect(&self, timeout: Option<Duration>) -> Result<Camera> {
        let address = device_url(self.camera.as_deref().unwrap_or_default());
        let mut builder = Camera::builder(&address).tls(match self.tls {
            Tls::Verify => TlsPolicy::Verify,
            Tls::AcceptInvalidHostnames => TlsPolicy::AcceptInvalidHostnames,
            Tls::AcceptInvalidCertificates => TlsPolicy::AcceptInvalidCertificates,
        });
        if let Some(timeout) = timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(username) = &self.username {
            builder = builder.credentials(Credentials::new(username, self.password()?));
        }
        builder.connect().await.map_err(|error| {
            if has_credentials(&address) {
                anyhow::Error::new(error).context(
                    "use --username and --password-file in place of a URL with credentials",
                )
            } else {
                error.into()
            }
        })
    }

    fn password(&self) -> Result<String> {
        if let Some(file) = &self.password_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the password file {}", file.display()))?;
            return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
        }
        match password_in_environment().map(OsString::into_string) {
            Some(Ok(password)) => Ok(password),
            // The error holds the password.
            Some(Err(_)) => bail!("the password in {PASSWORD} is not UTF-8"),
            None => bail!("there is no password in {PASSWORD}"),
        }
    }
}

/// The profile named, or the first one that will do, or else an error that says `lacking`.
pub async fn profile(
    camera: &Camera,
    named: Option<&str>,
    will_do: impl Fn(&Profile) -> bool,
    lacking: &'static str,
) -> Result<ProfileToken> {
    if let Some(token) = named {
        return Ok(ProfileToken::from(token));
    }
    let profiles = camera.media().profiles().await?;
    profiles
        .into_iter()
        .find(will_do)
        .map(|profile| profile.token)
        .context(lacking)
}

fn password_in_environment() -> Option<OsString> {
    std::env::var_os(PASSWORD)
}

/// A host alone becomes the usual address of its device service.
fn device_url(camera: &str) -> String {
    let camera = camera.trim();
    if camera.contains("://") {
        camera.to_owned()
    } else if camera.parse::<Ipv6Addr>().is_ok() {
        format!("http://[{camera}]/onvif/device_service")
    } else {
        format!("http://{camera}/onvif/device_service")
    }
}

fn has_credentials(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_alone_is_enough() {
        let usual = |host: &str| format!("http://{host}/onvif/device_service");
        assert_eq!(device_url("192.0.2.7"), usual("192.0.2.7"));
        assert_eq!(device_url("gate:8080"), usual("gate:8080"));
        assert_eq!(device_url("2001:db8::7"), usual("[2001:db8::7]"));
        assert_eq!(device_url("https://gate/x"), "https://gate/x");
    }
}
