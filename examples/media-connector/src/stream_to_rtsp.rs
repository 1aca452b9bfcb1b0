//! `stream-to-rtsp` and `stream-to-rtsps`: the stream, published to a media server.

use connector_sdk::{Error, Secret, Sink, StreamSpec};
use futures::StreamExt as _;
use media_pipeline::{Credentials, Hub, RestreamOptions, RestreamStatus};
use serde::Deserialize;
use url::Url;

use crate::connector::failed;
use crate::storage::destination;

const ADDRESS: &str = "media-server.media-server.svc.cluster.local";
const PORT: u16 = 8554;

#[derive(Clone, Debug)]
pub(crate) struct StreamToRtsp {
    /// `rtsp` or `rtsps`.
    scheme: &'static str,
    settings: Settings,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    #[serde(rename = "taskType")]
    task_type: String,
    #[serde(rename = "autostart")]
    _autostart: Option<bool>,
    media_server_address: Option<String>,
    media_server_port: Option<u16>,
    media_server_path: Option<String>,
    media_server_username_ref: Option<String>,
    media_server_password_ref: Option<String>,
    media_server_certificate_ref: Option<String>,
}

impl StreamToRtsp {
    pub(crate) fn of(stream: &StreamSpec) -> Result<Self, Error> {
        let mut settings: Settings = stream.configuration()?;
        let scheme = match settings.task_type.as_str() {
            "stream-to-rtsps" => "rtsps",
            _ => "rtsp",
        };
        // Empty is as good as missing.
        for value in [
            &mut settings.media_server_address,
            &mut settings.media_server_path,
            &mut settings.media_server_username_ref,
            &mut settings.media_server_password_ref,
            &mut settings.media_server_certificate_ref,
        ] {
            value.take_if(|text| text.trim().is_empty());
        }
        let refuse = |option: &str, reason: &str| {
            Err(Error::configuration(format!(
                "streamConfiguration.{option}: {reason}"
            )))
        };
        if settings.media_server_port == Some(0) {
            return refuse("mediaServerPort", "0 is not a port");
        }
        if scheme == "rtsp" && settings.media_server_certificate_ref.is_some() {
            return refuse(
                "mediaServerCertificateRef",
                "stream-to-rtsp has no certificates; stream-to-rtsps has",
            );
        }
        match (
            &settings.media_server_username_ref,
            &settings.media_server_password_ref,
        ) {
            (Some(_), None) => refuse("mediaServerPasswordRef", "missing beside a user name"),
            (None, Some(_)) => refuse("mediaServerUsernameRef", "missing beside a password"),
            _ => Ok(Self { scheme, settings }),
        }
    }

    pub(crate) async fn run(
        self,
        hub: &Hub,
        stream: &StreamSpec,
        sink: &Sink,
    ) -> Result<(), Error> {
        let mut options = RestreamOptions::new(self.url(&stream.asset, sink)?);
        let settings = &self.settings;
        if let (Some(user), Some(password)) = (
            &settings.media_server_username_ref,
            &settings.media_server_password_ref,
        ) {
            let user = secret(sink, "mediaServerUsernameRef", user).await?;
            let password = secret(sink, "mediaServerPasswordRef", password).await?;
            options.credentials = Some(Credentials::new(
                text("mediaServerUsernameRef", &user)?,
                text("mediaServerPasswordRef", &password)?,
            ));
        }
        if let Some(certificate) = &settings.media_server_certificate_ref {
            let certificate = secret(sink, "mediaServerCertificateRef", certificate).await?;
            options.tls.extra_roots = certificate.as_bytes().to_vec();
        }
        let restream = hub.restream(options).map_err(failed)?;
        let mut changes = restream.watch_status();
        while let Some(status) = changes.next().await {
            match status {
                RestreamStatus::Publishing { .. } => sink.running(),
                RestreamStatus::Backoff { error, .. } if error.is_transient() => {
                    sink.failed(&failed(error));
                }
                RestreamStatus::Backoff {
                    error: error @ media_pipeline::Error::Refused { .. },
                    ..
                } => {
                    // A path may be taken for a moment.
                    sink.failed(&failed(error));
                }
                RestreamStatus::Backoff { error, .. } => {
                    restream.close().await;
                    return Err(failed(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Where to publish: the destination's address, or what the options say.
    fn url(&self, asset: &str, sink: &Sink) -> Result<Url, Error> {
        let usual = format!("{}/data/{asset}", sink.namespace());
        self.url_of(destination(sink)?, &usual)
    }

    fn url_of(&self, destination: Option<&str>, usual: &str) -> Result<Url, Error> {
        let (scheme, settings) = (self.scheme, &self.settings);
        let path = settings.media_server_path.as_deref().unwrap_or(usual);
        let path = path.trim_start_matches('/');
        let port = settings.media_server_port.unwrap_or(PORT);
        let (option, text) = match (destination, &settings.media_server_address) {
            (Some(address), _) if address.contains("://") => {
                ("destinations[0].configuration.path", address.to_owned())
            }
            (Some(host), _) => (
                "destinations[0].configuration.path",
                format!("{scheme}://{host}:{port}/{path}"),
            ),
            (None, host) => (
                "streamConfiguration.mediaServerAddress",
                format!(
                    "{scheme}://{}:{port}/{path}",
                    host.as_deref().unwrap_or(ADDRESS)
                ),
            ),
        };
        let wrong = |reason: String| Error::configuration(format!("{option}: {reason}"));
        let url = Url::parse(&text).map_err(|error| wrong(format!("not an address: {error}")))?;
        if url.scheme() != scheme {
            return Err(wrong(format!(
                "its scheme is {}, and that of {} is {scheme}",
                url.scheme(),
                settings.task_type
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "it holds credentials; name secrets in mediaServerUsernameRef and mediaServerPasswordRef".into(),
            ));
        }
        Ok(url)
    }
}

async fn secret(sink: &Sink, option: &str, name: &str) -> Result<Secret, Error> {
    sink.secret(name).await.map_err(|error| {
        Error::new(
            error.kind(),
            format!("streamConfiguration.{option}: {error}"),
        )
        .because(error)
    })
}

fn text<'a>(option: &str, secret: &'a Secret) -> Result<&'a str, Error> {
    let text = secret.as_text().map_err(|error| {
        Error::configuration(format!(
            "streamConfiguration.{option}: the secret is not UTF-8"
        ))
        .because(error)
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use connector_sdk::model::Stream;

    use super::*;

    fn task(configuration: &str) -> Result<StreamToRtsp, Error> {
        StreamToRtsp::of(&StreamSpec {
            asset: "gate".to_owned(),
            stream: Stream {
                name: "live".to_owned(),
                stream_configuration: Some(configuration.to_owned()),
                ..Stream::default()
            },
        })
    }

    fn url(configuration: &str, destination: Option<&str>) -> String {
        let url = task(configuration)
            .unwrap()
            .url_of(destination, "aio/data/gate");
        url.map_or_else(|error| error.to_string(), Into::into)
    }

    #[test]
    fn the_address_is_that_of_the_contract_unless_it_is_given() {
        let plain = r#"{"taskType":"stream-to-rtsp","mediaServerPath":""}"#;
        assert_eq!(
            url(plain, None),
            "rtsp://media-server.media-server.svc.cluster.local:8554/aio/data/gate"
        );
        let given = r#"{"taskType":"stream-to-rtsps","mediaServerAddress":"fd00::1","mediaServerPort":8322,"mediaServerPath":"/a/b"}"#;
        assert_eq!(
            url(given, None),
            "streamConfiguration.mediaServerAddress: not an address: invalid port number"
        );
        let given = given.replace("fd00::1", "[fd00::1]");
        assert_eq!(url(&given, None), "rtsps://[fd00::1]:8322/a/b");
        assert_eq!(url(&given, Some("media")), "rtsps://media:8322/a/b");
        assert_eq!(url(plain, Some("rtsp://media/x")), "rtsp://media/x");
        assert_eq!(
            url(plain, Some("rtsps://media/x")),
            "destinations[0].configuration.path: its scheme is rtsps, and that of stream-to-rtsp is rtsp"
        );
        assert!(url(plain, Some("rtsp://u:hunter2@media/x")).contains("it holds credentials"));
    }

    #[test]
    fn what_does_not_belong_together_names_the_option() {
        for (options, message) in [
            (r#""mediaServerPort":0"#, "mediaServerPort: 0 is not a port"),
            (
                r#""mediaServerPort":70000"#,
                "mediaServerPort: invalid value",
            ),
            (
                r#""mediaServerUsernameRef":"u""#,
                "mediaServerPasswordRef: missing",
            ),
            (
                r#""mediaServerPasswordRef":"p""#,
                "mediaServerUsernameRef: missing",
            ),
            (
                r#""mediaServerCertificateRef":"c""#,
                "mediaServerCertificateRef: stream-to-rtsp has no",
            ),
            (r#""format":"mp4""#, "format: unknown field"),
        ] {
            let error = task(&format!(r#"{{"taskType":"stream-to-rtsp",{options}}}"#)).unwrap_err();
            let message = format!("streamConfiguration.{message}");
            assert!(error.to_string().starts_with(&message), "{error}");
        }
    }
}
