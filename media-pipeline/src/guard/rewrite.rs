//! URLs in RTSP messages: the camera's towards the camera, the guard's own towards retina. Pure.

use std::net::IpAddr;

use bytes::Bytes;
use url::Url;

use super::framing::Message;

/// What to do with an absolute URL of the camera that names another host.
///
/// The connection goes to the configured address in any case; no request and no credentials go elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignUrlPolicy {
    /// End the session with [`Error::Misbehaved`](crate::Error::Misbehaved).
    #[default]
    Refuse,
    /// Put the configured host in its place, as for a camera behind address translation that names its inner address.
    Rewrite,
}

/// The two forms of a stream's address.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    /// `rtsp://host[:port]` as the user wrote it.
    pub(super) camera: String,
    /// Host name or address in it.
    pub(super) host: String,
    /// The resolved address.
    pub(super) ip: IpAddr,
    /// `rtsp://127.0.0.1:port/token`, which retina sees.
    pub(super) local: String,
    pub(super) foreign: ForeignUrlPolicy,
}

/// A URL that names another host than the camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign(pub(super) String);

impl Addresses {
    /// The camera's form of a URL that retina uses; `None` if it is not one that was given to it.
    pub(super) fn to_camera(&self, url: &str) -> Option<String> {
        let path = url.strip_prefix(&self.local)?;
        (path.is_empty() || path.starts_with(['/', '?'])).then(|| format!("{}{path}", self.camera))
    }

    /// The local form of a URL that the camera names; relative ones stay.
    pub(super) fn to_local(&self, url: &str) -> Result<String, Foreign> {
        match split(url) {
            Some((host, path))
                if self.is_camera(host) || self.foreign == ForeignUrlPolicy::Rewrite =>
            {
                Ok(format!("{}{path}", self.local))
            }
            Some(_) => Err(Foreign(url.to_owned())),
            None => Ok(url.to_owned()),
        }
    }

    /// Where a redirect leads from the stream's address, if it may be followed: to the same host and port, or from RTSP to
    /// RTSP over TLS on the same host. A tunnel stays where it is.
    pub(super) fn redirected(&self, from: &Url, location: &str) -> Option<Url> {
        let to = Url::parse(location.trim()).ok()?;
        let is_camera = to.host_str().is_some_and(|host| self.is_camera(host));
        if !is_camera && self.foreign != ForeignUrlPolicy::Rewrite {
            return None;
        }
        let port = |url: &Url| match (url.port(), url.scheme()) {
            (Some(port), _) => Some(port),
            (None, "rtsp") => Some(554),
            (None, "rtsps") => Some(322),
            _ => None,
        };
        let mut next = from.clone();
        match (from.scheme(), to.scheme()) {
            ("rtsp", "rtsps") if is_camera => {
                next.set_scheme("rtsps").ok()?;
                next.set_port(to.port()).ok()?;
            }
            (one, other) if one == other && (port(from) == port(&to) || !is_camera) => {}
            ("http" | "https", "rtsp" | "rtsps") => {}
            _ => return None,
        }
        next.set_path(to.path());
        next.set_query(to.query());
        Some(next)
    }

    /// Rewrites the URLs in a response and its session description.
    pub(super) fn localize(&self, response: &mut Message) -> Result<(), Foreign> {
        let is_sdp = response
            .header("Content-Type")
            .is_none_or(|kind| kind.to_ascii_lowercase().contains("sdp"));
        for (name, value) in &mut response.headers {
            if name.eq_ignore_ascii_case("Content-Base")
                || name.eq_ignore_ascii_case("Content-Location")
            {
                *value = self.base(value)?;
            } else if name.eq_ignore_ascii_case("RTP-Info") {
                *value = self.rtp_info(value);
            }
        }
        if is_sdp && !response.body.is_empty() {
            response.body = self.sdp(&response.body)?;
            response.set("Content-Length", response.body.len().to_string());
        }
        Ok(())
    }

    /// A base URL may lack the scheme (Anjvision: `192.168.1.10:554/stream0/`) or the host.
    fn base(&self, value: &str) -> Result<String, Foreign> {
        if value.starts_with('/') {
            return Ok(format!("{}{value}", self.local));
        }
        if split(value).is_none() {
            return self.to_local(&format!("rtsp://{value}"));
        }
        self.to_local(value)
    }

    /// These URLs only tell which track is meant; wrong hosts in them are common and harmless.
    fn rtp_info(&self, value: &str) -> String {
        let lenient = Self {
            foreign: ForeignUrlPolicy::Rewrite,
            ..self.clone()
        };
        let parts = value.split_inclusive([',', ';']).map(|part| {
            let (field, end) = match part.strip_suffix([',', ';']) {
                Some(field) => (field, &part[field.len()..]),
                None => (part, ""),
            };
            let (key, url) = match field.split_once('=') {
                Some((key, url)) if key.trim().eq_ignore_ascii_case("url") => {
                    (key, url.trim().trim_matches('"'))
                }
                _ => return part.to_owned(),
            };
            let local = lenient.to_local(url).unwrap_or_else(|Foreign(url)| url);
            format!("{key}={local}{end}")
        });
        parts.collect()
    }

    fn sdp(&self, body: &Bytes) -> Result<Bytes, Foreign> {
        const CONTROL: &[u8] = b"a=control:";
        let mut out = Vec::with_capacity(body.len() + 64);
        for line in body.split_inclusive(|&b| b == b'\n') {
            let url = line
                .strip_prefix(CONTROL)
                .and_then(|url| std::str::from_utf8(url).ok());
            match url {
                None => out.extend_from_slice(line),
                Some(url) => {
                    out.extend_from_slice(CONTROL);
                    out.extend_from_slice(self.to_local(url.trim())?.as_bytes());
                    out.extend_from_slice(&url.as_bytes()[url.trim_end().len()..]);
                }
            }
        }
        Ok(out.into())
    }

    fn is_camera(&self, host: &str) -> bool {
        if host.eq_ignore_ascii_case(&self.host) {
            return true;
        }
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        // 0.0.0.0 stands for the camera itself.
        address.is_ok_and(|address| address.is_unspecified() || address == self.ip)
    }
}

/// Host, and path with query, of an absolute RTSP URL.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    // Through a tunnel some cameras give the addresses of HTTP.
    if !["rtsp", "rtsps", "rtspu", "http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    Some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(foreign: ForeignUrlPolicy) -> Addresses {
        Addresses {
            camera: "rtsp://Cam.example:8554".into(),
            host: "Cam.example".into(),
            ip: [192, 0, 2, 7].into(),
            local: "rtsp://127.0.0.1:4000/secret".into(),
            foreign,
        }
    }

    #[test]
    fn request_urls_become_the_cameras_own() {
        let a = addresses(ForeignUrlPolicy::Refuse);
        assert_eq!(
            a.to_camera("rtsp://127.0.0.1:4000/secret/live?a=1")
                .as_deref(),
            Some("rtsp://Cam.example:8554/live?a=1")
        );
        assert_eq!(
            a.to_camera("rtsp://127.0.0.1:4000/secret").as_deref(),
            Some("rtsp://Cam.example:8554")
        );
    }

    #[test]
    fn requests_without_the_token_are_not_passed_on() {
        let a = addresses(ForeignUrlPolicy::Refuse);
        for url in [
            "rtsp://127.0.0.1:4000/live",
            "rtsp://127.0.0.1:4000/secretive",
            "rtsp://evil/secret/live",
            "*",
        ] {
            assert_eq!(a.to_camera(url), None, "{url}");
        }
    }

    #[test]
    fn urls_of_the_camera_become_local() {
        let a = addresses(ForeignUrlPolicy::Refuse);
        for url in [
            "rtsp://cam.example:8554/live/track1",
            "rtsp://192.0.2.7/live/track1",
            "rtsp://0.0.0.0:554/live/track1",
            "rtsps://user:pass@cam.example/live/track1",
            "http://cam.example:80/live/track1",
        ] {
            assert_eq!(
                a.to_local(url).as_deref(),
                Ok("rtsp://127.0.0.1:4000/secret/live/track1"),
                "{url}"
            );
        }
        assert_eq!(a.to_local("trackID=1").as_deref(), Ok("trackID=1"));
        assert_eq!(a.to_local("*").as_deref(), Ok("*"));
    }

    #[test]
    fn urls_of_other_hosts_are_refused_or_rewritten() {
        let url = "rtsp://192.168.1.10/live";
        assert_eq!(
            addresses(ForeignUrlPolicy::Refuse).to_local(url),
            Err(Foreign(url.into()))
        );
        assert_eq!(
            addresses(ForeignUrlPolicy::Rewrite)
                .to_local(url)
                .as_deref(),
            Ok("rtsp://127.0.0.1:4000/secret/live")
        );
    }

    #[test]
    fn a_redirect_is_followed_on_the_same_host_and_never_to_one_without_tls() {
        let a = addresses(ForeignUrlPolicy::Refuse);
        let followed = |a: &Addresses, from: &str, to: &str| {
            let next = a.redirected(&from.parse().unwrap(), to);
            next.map(String::from)
        };
        let from = "rtsp://Cam.example:8554/live?a=1";
        for (to, next) in [
            (
                "rtsp://cam.example:8554/other",
                "rtsp://Cam.example:8554/other",
            ),
            (
                "rtsp://192.0.2.7:8554/other?b",
                "rtsp://Cam.example:8554/other?b",
            ),
            ("rtsps://cam.example/other", "rtsps://Cam.example/other"),
            (
                "rtsps://cam.example:9000/other",
                "rtsps://Cam.example:9000/other",
            ),
        ] {
            assert_eq!(followed(&a, from, to).as_deref(), Some(next));
        }
        for to in [
            "rtsp://cam.example/live",
            "rtsp://evil.example:8554/live",
            "rtsp://cam.example:8554@evil.example/live",
            "http://cam.example:8554/live",
            "/live",
            "",
        ] {
            assert_eq!(followed(&a, from, to), None, "{to}");
        }
        let secure = "rtsps://Cam.example/live";
        assert_eq!(followed(&a, secure, "rtsp://cam.example/live"), None);
        assert!(followed(&a, secure, "rtsps://cam.example/other").is_some());
        assert_eq!(
            followed(&a, "http://Cam.example/live", "rtsp://cam.example/other").as_deref(),
            Some("http://cam.example/other")
        );
        let rewrite = addresses(ForeignUrlPolicy::Rewrite);
        let inner = "rtsp://10.0.0.7/other";
        let next = followed(&rewrite, from, inner);
        assert_eq!(next.as_deref(), Some("rtsp://Cam.example:8554/other"));
        assert_eq!(followed(&rewrite, secure, inner), None);
    }

    #[test]
    fn a_description_is_rewritten_throughout() {
        let mut response = Message {
            line: "RTSP/1.0 200 OK".into(),
            headers: vec![
                ("Content-Base".into(), "cam.example:8554/live/".into()),
                ("Content-Type".into(), "application/sdp".into()),
                ("Content-Length".into(), "0".into()),
            ],
            body: "v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=control:rtsp://192.0.2.7:8554/live/1\r\n".into(),
        };
        addresses(ForeignUrlPolicy::Refuse)
            .localize(&mut response)
            .unwrap();
        assert_eq!(
            response.header("Content-Base"),
            Some("rtsp://127.0.0.1:4000/secret/live/")
        );
        assert_eq!(
            response.body,
            "v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=control:rtsp://127.0.0.1:4000/secret/live/1\r\n"
        );
        assert_eq!(
            response.header("Content-Length"),
            Some(response.body.len().to_string().as_str())
        );
    }

    #[test]
    fn rtp_info_is_rewritten_for_each_track() {
        let info = "url=rtsp://cam.example/live/1;seq=4;rtptime=9,url=rtsp://10.0.0.1/live/2;seq=5";
        assert_eq!(
            addresses(ForeignUrlPolicy::Refuse).rtp_info(info),
            "url=rtsp://127.0.0.1:4000/secret/live/1;seq=4;rtptime=9,url=rtsp://127.0.0.1:4000/secret/live/2;seq=5"
        );
    }
}
