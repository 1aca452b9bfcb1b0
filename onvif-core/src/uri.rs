//! Which of the URIs that a camera hands out may be used, and in what form.
//!
//! Cameras report addresses from their own point of view: behind NAT, after a change of address, or
//! simply wrong. A hostile one may report any address to collect credentials. So every URI goes
//! through one policy: service addresses, subscriptions, snapshots and streams.

use std::net::Ipv6Addr;

use url::{Host, Url};

/// What to do with a URI that a camera hands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriPolicy {
    /// Use it as it is. Credentials go to the configured host all the same, and to no other.
    AsReported,
    /// Keep it when its host is the configured one, else replace its host by the configured one.
    #[default]
    RewriteHost,
    /// Replace host and, for URIs with the scheme of the configured one, the port as well: for a
    /// camera behind port forwarding.
    RewriteHostAndPort,
    /// Keep it when its host is the configured one, else refuse it.
    Refuse,
}

/// Why a URI of a camera is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// The camera reported no URI.
    #[error("the camera reported an empty URI")]
    Empty,
    /// It cannot be read as a URI.
    #[error("the camera reported `{uri}`, which is no usable URI: {reason}")]
    Invalid {
        /// Its beginning.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It points to another host and the policy refuses that.
    #[error(
        "the camera reported a URI on another host ({host}); allow it with a different URI policy"
    )]
    OtherHost {
        /// That host.
        host: String,
    },
}

impl UriPolicy {
    /// The URI to use for `reported`, given the address `configured` by the user. Credentials in
    /// the URI are removed.
    ///
    /// # Errors
    /// When the URI cannot be repaired, or the policy refuses it.
    pub fn resolve(self, configured: &Url, reported: &str) -> Result<Url, UriError> {
        let mut uri = repair(configured, reported)?;
        // Credentials are fields, never part of a URL. Both setters succeed for URLs with a host.
        let _ = uri.set_username("");
        let _ = uri.set_password(None);
        let same_host = same_host(&uri, configured);
        match self {
            Self::AsReported => {}
            Self::RewriteHost if same_host => {}
            Self::Refuse if same_host => {}
            Self::Refuse => {
                return Err(UriError::OtherHost {
                    host: uri.host_str().unwrap_or_default().to_owned(),
                });
            }
            Self::RewriteHost | Self::RewriteHostAndPort => {
                uri.set_host(configured.host_str())
                    .map_err(|error| invalid(reported, &error.to_string()))?;
                if self == Self::RewriteHostAndPort && uri.scheme() == configured.scheme() {
                    let _ = uri.set_port(configured.port());
                }
            }
        }
        // Whoever asked for TLS does not want the password sent without it, whatever the camera says.
        if self != Self::AsReported && configured.scheme() == "https" && uri.scheme() == "http" {
            let _ = uri.set_scheme("https");
            let _ = uri.set_port(configured.port());
        }
        Ok(uri)
    }
}

/// Whether two URLs lead to the same host, on whatever port.
pub(crate) fn same_host(a: &Url, b: &Url) -> bool {
    match (a.host_str(), b.host_str()) {
        (Some(a), Some(b)) if a == b => true,
        _ => host(a).is_some_and(|name| host(b) == Some(name)),
    }
}

/// The host in a form that can be compared. `Url` reads it for `http` only: for `rtsp` it leaves
/// IPv4 addresses and the case of names as they are.
fn host(url: &Url) -> Option<Host> {
    match Host::parse(url.host_str()?).ok()? {
        Host::Domain(name) => Some(Host::Domain(name.trim_end_matches('.').to_owned())),
        Host::Ipv6(address) => Some(match address.to_ipv4_mapped() {
            Some(address) => Host::Ipv4(address),
            None => Host::Ipv6(address),
        }),
        address => Some(address),
    }
}

/// Reads a URI as cameras write it: padded, with unescaped blanks, an IPv6 address without
/// brackets, or two ports.
fn repair(base: &Url, reported: &str) -> Result<Url, UriError> {
    let text: String = reported
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    // GetServices of some devices lists several addresses in one element.
    let text = match text.split_whitespace().nth(1) {
        Some(second) if second.contains("://") => text
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
        _ => text,
    };
    if text.is_empty() {
        return Err(UriError::Empty);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        // A path alone, relative to the device.
        return if text.starts_with('/') {
            base.join(&text)
                .map_err(|error| invalid(reported, &error.to_string()))
        } else {
            Err(invalid(reported, "it has no scheme"))
        };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = authority
        .rsplit_once('@')
        .map_or(("", authority), |(user, host)| (user, host));
    let user = if user.is_empty() {
        String::new()
    } else {
        format!("{user}@")
    };
    let candidate = format!("{scheme}://{user}{}{path}", authority_host(host));
    let url = Url::parse(&candidate).map_err(|error| invalid(reported, &error.to_string()))?;
    match (url.scheme(), url.host()) {
        ("http" | "https" | "rtsp" | "rtsps", Some(Host::Domain(""))) | (_, None) => {
            Err(invalid(reported, "it has no host"))
        }
        ("http" | "https" | "rtsp" | "rtsps", Some(_)) => Ok(url),
        (scheme, _) => Err(invalid(
            reported,
            &format!("the scheme `{scheme}` is not used by cameras"),
        )),
    }
}

fn authority_host(host: &str) -> String {
    if host.starts_with('[') {
        return host.to_owned();
    }
    if host.matches(':').count() < 2 {
        return host.trim_end_matches(':').to_owned();
    }
    // D-Link: an IPv6 address without brackets, with or without a port after it.
    if let Ok(address) = host.parse() {
        return address_host(address);
    }
    let Some((rest, port)) = host.rsplit_once(':') else {
        return host.to_owned();
    };
    match (rest.parse(), rest.split_once(':'), port.parse::<u16>()) {
        (Ok(address), _, Ok(port)) => format!("{}:{port}", address_host(address)),
        // `host:80:554`: two ports, the last is the one that was appended for this protocol.
        (_, Some((name, first)), Ok(last)) if !name.is_empty() && first.parse::<u16>().is_ok() => {
            format!("{name}:{last}")
        }
        _ => format!("[{host}]"),
    }
}

fn address_host(address: Ipv6Addr) -> String {
    match address.to_ipv4_mapped() {
        Some(address) => address.to_string(),
        None => format!("[{address}]"),
    }
}

impl UriError {
    /// Quotes the beginning of `uri`, without what may be a password.
    pub(crate) fn invalid(uri: &str, reason: &str) -> Self {
        invalid(uri, reason)
    }
}

fn invalid(uri: &str, reason: &str) -> UriError {
    let shown = uri.trim().chars().take(128).collect::<String>();
    // Whatever stands before an `@` may be a password.
    let shown = match (shown.find("://"), shown.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}://…{}", &shown[..scheme], &shown[at..])
        }
        _ => shown,
    };
    UriError::Invalid {
        uri: shown,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured() -> Url {
        Url::parse("http://192.0.2.7:8080/onvif/device_service").unwrap()
    }

    #[test]
    fn uris_are_repaired() {
        for (reported, expected) in [
            (
                " \r\nhttp://192.0.2.7/onvif/media \n",
                "http://192.0.2.7/onvif/media",
            ),
            (
                "http://192.0.2.7/a?x=1&y=a b",
                "http://192.0.2.7/a?x=1&y=a%20b",
            ),
            ("rtsp://192.0.2.7:80:554/s", "rtsp://192.0.2.7:554/s"),
            ("rtsp://::ffff:192.0.2.7/s", "rtsp://192.0.2.7/s"),
            ("rtsp://::ffff:192.0.2.7:554/s", "rtsp://192.0.2.7:554/s"),
            ("http://2001:db8::7/a", "http://[2001:db8::7]/a"),
            ("rtsp://camera:80:554/s", "rtsp://camera:554/s"),
            ("rtsp://[fe80::1]:554/s", "rtsp://[fe80::1]:554/s"),
            ("http://192.0.2.7:/a", "http://192.0.2.7/a"),
            ("/onvif/snap.jpg", "http://192.0.2.7:8080/onvif/snap.jpg"),
            (
                "http://192.0.2.7/a http://[fe80::1]/a",
                "http://192.0.2.7/a",
            ),
            ("http://admin:pass@192.0.2.7/a", "http://192.0.2.7/a"),
            ("http://admin:p@ss@192.0.2.7/a", "http://192.0.2.7/a"),
        ] {
            let url = UriPolicy::AsReported
                .resolve(&configured(), reported)
                .unwrap();
            assert_eq!(url.as_str(), expected, "{reported}");
        }
        for reported in [
            "",
            "  ",
            "n/a",
            "http://",
            "file:///etc/passwd",
            "gopher://192.0.2.7/",
            "http://:80:x:/",
        ] {
            assert!(
                UriPolicy::AsReported
                    .resolve(&configured(), reported)
                    .is_err(),
                "{reported}"
            );
        }
    }

    #[test]
    fn each_policy_treats_another_host_its_own_way() {
        let resolve =
            |policy: UriPolicy, reported| policy.resolve(&configured(), reported).map(String::from);
        let other = "http://10.0.0.1:1024/events";
        assert_eq!(resolve(UriPolicy::AsReported, other).unwrap(), other);
        assert_eq!(
            resolve(UriPolicy::RewriteHost, other).unwrap(),
            "http://192.0.2.7:1024/events"
        );
        assert_eq!(
            resolve(UriPolicy::RewriteHostAndPort, other).unwrap(),
            "http://192.0.2.7:8080/events"
        );
        assert_eq!(
            resolve(UriPolicy::RewriteHostAndPort, "rtsp://10.0.0.1:554/s").unwrap(),
            "rtsp://192.0.2.7:554/s"
        );
        assert!(matches!(
            resolve(UriPolicy::Refuse, other),
            Err(UriError::OtherHost { .. })
        ));
        let rtsp = "rtsp://192.0.2.7:554/s";
        assert_eq!(resolve(UriPolicy::Refuse, rtsp).unwrap(), rtsp);
        assert!(resolve(UriPolicy::Refuse, "rtsp://192.0.2.8:554/s").is_err());
        let same = "http://192.0.2.7:1024/events";
        assert_eq!(resolve(UriPolicy::Refuse, same).unwrap(), same);
        assert_eq!(resolve(UriPolicy::RewriteHost, same).unwrap(), same);
    }

    #[test]
    fn a_host_is_the_same_in_any_spelling_and_scheme() {
        for (configured, reported) in [
            ("http://cam.example/", "rtsp://Cam.Example/s"),
            ("http://cam.example/", "http://CAM.example./s"),
            ("http://192.0.2.7/", "rtsp://192.0.2.7:554/s"),
            ("http://[2001:db8::7]/", "rtsp://[2001:DB8:0::7]/s"),
            ("http://192.0.2.7/", "http://[::ffff:192.0.2.7]/a"),
        ] {
            let configured = Url::parse(configured).unwrap();
            assert!(
                UriPolicy::Refuse.resolve(&configured, reported).is_ok(),
                "{reported}"
            );
        }
        for reported in [
            "rtsp://192.0.2.7.evil.example/s",
            "rtsp://192.0.2.7@evil.example/s",
            "rtsp://evil.example\\@192.0.2.7/s",
            "http://evil.example\\@192.0.2.7/s",
            "http://192.0.2.70/s",
        ] {
            let resolved = UriPolicy::Refuse.resolve(&configured(), reported);
            if let Ok(url) = resolved {
                assert_eq!(url.host_str(), Some("192.0.2.7"), "{reported}");
            }
        }
    }

    #[test]
    fn tls_is_not_given_up_because_the_camera_says_so() {
        let configured = Url::parse("https://192.0.2.7:8443/onvif/device_service").unwrap();
        let resolve = |reported| {
            UriPolicy::RewriteHost
                .resolve(&configured, reported)
                .map(String::from)
                .unwrap()
        };
        assert_eq!(
            resolve("http://192.0.2.7/onvif/media"),
            "https://192.0.2.7:8443/onvif/media"
        );
        assert_eq!(
            resolve("https://192.0.2.7/onvif/media"),
            "https://192.0.2.7/onvif/media"
        );
        assert_eq!(resolve("rtsp://192.0.2.7/s"), "rtsp://192.0.2.7/s");
    }

    #[test]
    fn an_unusable_uri_is_quoted_without_its_password() {
        let error = UriPolicy::AsReported
            .resolve(&configured(), "ftp://admin:secret@h/x")
            .unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
