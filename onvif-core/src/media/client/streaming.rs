use url::Url;

use super::MediaClient;
use crate::error::Error;
use crate::media::snapshot::fetch;
use crate::media::{ProfileToken, Snapshot, StreamTransport, ver10, ver20};

impl MediaClient<'_> {
    /// The URI of a profile's stream, after the [`UriPolicy`](crate::UriPolicy) was applied. It
    /// carries no credentials.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call), and [`Error::Uri`] when the camera reports no usable URI.
    #[doc(alias = "GetStreamUri")]
    pub async fn stream_uri(
        &self,
        profile: &ProfileToken,
        transport: StreamTransport,
    ) -> Result<Url, Error> {
        let newer = ver20::GetStreamUri {
            protocol: ver20::protocol(transport),
            profile_token: profile.clone(),
        };
        let older = ver10::GetStreamUri {
            stream_setup: ver10::StreamSetup::from(transport),
            profile_token: profile.clone(),
        };
        let uri = self
            .either(
                &newer,
                |reply| reply.uri.unwrap_or_default(),
                &older,
                |reply| reply.uri().to_owned(),
            )
            .await?;
        self.camera.resolve("stream", &uri)
    }

    /// The URI of a profile's snapshot, after the [`UriPolicy`](crate::UriPolicy) was applied.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Unsupported`] when the camera reports none, or one that
    /// is not HTTP.
    #[doc(alias = "GetSnapshotUri")]
    pub async fn snapshot_uri(&self, profile: &ProfileToken) -> Result<Url, Error> {
        let reported = self.reported_snapshot_uri(profile).await?;
        let unsupported = |what: &str| Error::Unsupported {
            host: self.camera.host(),
            what: what.to_owned(),
        };
        if reported.is_empty() {
            return Err(unsupported("snapshots (it reports an empty URI)"));
        }
        let url = self.camera.resolve("snapshot", &reported)?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            _ => Err(unsupported(
                "snapshots over HTTP (it reports the URI of a stream)",
            )),
        }
    }

    async fn reported_snapshot_uri(&self, profile: &ProfileToken) -> Result<String, Error> {
        let newer = ver20::GetSnapshotUri {
            profile_token: profile.clone(),
        };
        let older = ver10::GetSnapshotUri {
            profile_token: profile.clone(),
        };
        self.either(
            &newer,
            |reply| reply.uri.unwrap_or_default(),
            &older,
            |reply| reply.uri().to_owned(),
        )
        .await
    }

    /// A picture of what the profile shows now, as the camera encodes it; 16 MiB at most.
    ///
    /// # Errors
    /// Those of [`snapshot_uri`](Self::snapshot_uri), of the network and of authentication;
    /// [`Error::NotAPicture`] when something else comes.
    pub async fn snapshot(&self, profile: &ProfileToken) -> Result<Snapshot, Error> {
        let url = self.snapshot_uri(profile).await?;
        self.fetch_snapshot(&url).await
    }

    /// As [`snapshot`](Self::snapshot), from a URI that [`snapshot_uri`](Self::snapshot_uri) gave.
    ///
    /// # Errors
    /// [`Error::Caller`] when the URI is on another host than the camera and its policy forbids
    /// that; else as [`snapshot`](Self::snapshot).
    pub async fn fetch_snapshot(&self, url: &Url) -> Result<Snapshot, Error> {
        match self.camera.resolve("snapshot", url.as_str()) {
            Ok(allowed) if allowed.host() == url.host() => fetch(self.camera, &allowed).await,
            _ => Err(Error::Caller(
                "the snapshot URI is on another host than the camera".into(),
            )),
        }
    }

    /// Asks for a key frame in every video stream of the profile, and for the state of every property
    /// in its metadata.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetSynchronizationPoint")]
    pub async fn set_synchronization_point(&self, profile: &ProfileToken) -> Result<(), Error> {
        let newer = ver20::SetSynchronizationPoint {
            profile_token: profile.clone(),
        };
        let older = ver10::SetSynchronizationPoint {
            profile_token: profile.clone(),
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// Starts to send the profile to the multicast groups of its configurations, to receivers that use
    /// no RTSP.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "StartMulticastStreaming")]
    pub async fn start_multicast(&self, profile: &ProfileToken) -> Result<(), Error> {
        let newer = ver20::StartMulticastStreaming {
            profile_token: profile.clone(),
        };
        let older = ver10::StartMulticastStreaming {
            profile_token: profile.clone(),
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }

    /// Stops what [`start_multicast`](Self::start_multicast) started.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "StopMulticastStreaming")]
    pub async fn stop_multicast(&self, profile: &ProfileToken) -> Result<(), Error> {
        let newer = ver20::StopMulticastStreaming {
            profile_token: profile.clone(),
        };
        let older = ver10::StopMulticastStreaming {
            profile_token: profile.clone(),
        };
        self.either(&newer, |()| (), &older, |()| ()).await
    }
}
