//! `info` and `profiles`: what a camera is and what it streams.

use std::fmt::{self, Display, Formatter};

use anyhow::Result;
use onvif_core::media::{Profile, StreamTransport};
use onvif_core::{Camera, ErrorKind};
use serde::Serialize;
use url::Url;

use crate::output::{Output, Plain, or_dash, table};
use crate::secret::shown;

pub async fn info(camera: &Camera, output: Output) -> Result<()> {
    let information = camera.device().information().await?;
    let services = camera.services().iter().map(|(service, url)| ServiceInfo {
        name: service.name(),
        url: shown(url),
    });
    output.print(&Info {
        url: shown(camera.url()),
        manufacturer: information.manufacturer,
        model: information.model,
        firmware_version: information.firmware_version,
        serial_number: information.serial_number,
        hardware_id: information.hardware_id,
        clock_offset_ms: camera.clock_offset_ms(),
        services: services.collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    url: String,
    manufacturer: Option<String>,
    model: Option<String>,
    firmware_version: Option<String>,
    serial_number: Option<String>,
    hardware_id: Option<String>,
    clock_offset_ms: Option<i64>,
    services: Vec<ServiceInfo>,
}

#[derive(Serialize)]
struct ServiceInfo {
    name: &'static str,
    url: String,
}

impl Display for Info {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = [
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
            ("firmware", &self.firmware_version),
            ("serial number", &self.serial_number),
            ("hardware", &self.hardware_id),
        ];
        for (name, value) in rows {
            writeln!(f, "{name:13}  {}", or_dash(value.as_deref()))?;
        }
        let clock = match self.clock_offset_ms {
            None => "not told".to_owned(),
            // It is told in whole seconds.
            Some(-1000..=1000) => "right".to_owned(),
            Some(offset) if offset < 0 => format!("{} s behind", -offset / 1000),
            Some(offset) => format!("{} s ahead", offset / 1000),
        };
        write!(f, "{:13}  {clock}", "clock")?;
        for (number, service) in self.services.iter().enumerate() {
            let heading = if number == 0 { "services" } else { "" };
            write!(f, "\n{heading:13}  {:9}  {}", service.name, service.url)?;
        }
        Ok(())
    }
}

pub async fn profiles(camera: &Camera, output: Output) -> Result<()> {
    let mut profiles = Vec::new();
    for profile in camera.media().profiles().await? {
        let stream = camera
            .media()
            .stream_uri(&profile.token, StreamTransport::Rtsp)
            .await;
        let stream = match stream {
            Ok(uri) => Ok(uri),
            // One profile without a stream must not hide the others.
            Err(error) if !matches!(error.kind(), ErrorKind::Network | ErrorKind::Unauthorized) => {
                Err(error.to_string())
            }
            Err(error) => return Err(error.into()),
        };
        profiles.push(ProfileInfo::new(profile, stream));
    }
    output.print(&Profiles { profiles })
}

#[derive(Serialize)]
struct Profiles {
    profiles: Vec<ProfileInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileInfo {
    token: String,
    name: Option<String>,
    codec: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    frames_per_second: Option<f32>,
    bitrate_kbps: Option<u32>,
    ptz: bool,
    stream_uri: Option<String>,
    stream_error: Option<String>,
}

impl ProfileInfo {
    fn new(profile: Profile, stream: Result<Url, String>) -> Self {
        let (stream_uri, stream_error) = match stream {
            Ok(uri) => (Some(shown(&uri)), None),
            Err(error) => (None, Some(error)),
        };
        let encoder = profile.video_encoder.as_ref();
        let size = encoder.and_then(|encoder| encoder.resolution);
        Self {
            token: profile.token.as_str().to_owned(),
            name: profile.name,
            codec: encoder.and_then(|encoder| Some(encoder.encoding.as_ref()?.as_str().to_owned())),
            width: size.map(|size| size.width),
            height: size.map(|size| size.height),
            frames_per_second: encoder.and_then(|encoder| encoder.frame_rate),
            bitrate_kbps: encoder.and_then(|encoder| encoder.bitrate_kbps),
            ptz: profile.ptz_configuration.is_some(),
            stream_uri,
            stream_error,
        }
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let size = self.width.zip(self.height);
        let stream = match (&self.stream_uri, &self.stream_error) {
            (Some(uri), _) => uri.clone(),
            (None, error) => Plain(error.as_deref().unwrap_or("-")).to_string(),
        };
        vec![
            Plain(&self.token).to_string(),
            or_dash(self.name.as_deref()).to_string(),
            or_dash(self.codec.as_deref()).to_string(),
            size.map_or_else(dash, |(width, height)| format!("{width} x {height}")),
            self.frames_per_second
                .map_or_else(dash, |rate| rate.to_string()),
            self.bitrate_kbps
                .map_or_else(dash, |rate| format!("{rate} kbit/s")),
            if self.ptz { "yes" } else { "no" }.to_owned(),
            stream,
        ]
    }
}

impl Display for Profiles {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.profiles.is_empty() {
            return f.write_str("the camera has no media profiles");
        }
        let heading = [
            "TOKEN", "NAME", "CODEC", "SIZE", "FPS", "BITRATE", "PTZ", "STREAM",
        ];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        rows.extend(self.profiles.iter().map(ProfileInfo::row));
        f.write_str(&table(&rows))
    }
}
