//! `snapshot`: one picture as a file.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use onvif_core::Camera;
use serde::Serialize;

use crate::camera::profile;
use crate::output::Output;

#[derive(Args)]
pub struct SnapshotArgs {
    /// The media profile; without it, the first one with video.
    #[arg(long, value_name = "TOKEN")]
    profile: Option<String>,

    /// The file to write, over an older one; without it, one named after the camera's host.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub async fn run(args: &SnapshotArgs, camera: &Camera, output: Output) -> Result<()> {
    let profile = profile(
        camera,
        args.profile.as_deref(),
        |profile| profile.video_encoder.is_some() || profile.video_source.is_some(),
        "no media profile of the camera has video; name one with --profile",
    )
    .await?;
    let picture = camera.media().snapshot(&profile).await?;
    let file = match &args.output {
        Some(file) => file.clone(),
        None => default_file(
            camera.url().host_str().unwrap_or("camera"),
            picture.content_type,
        ),
    };
    tokio::fs::write(&file, &picture.bytes)
        .await
        .with_context(|| format!("cannot write the picture to {}", file.display()))?;
    output.print(&Written {
        file: file.display().to_string(),
        bytes: picture.bytes.len(),
        content_type: picture.content_type,
        profile: profile.as_str(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    file: String,
    bytes: usize,
    content_type: &'static str,
    profile: &'a str,
}

impl Display for Written<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            bytes,
            content_type,
            ..
        } = self;
        write!(f, "{file}: {bytes} bytes of {content_type}")
    }
}

/// In the current folder; the host of an IPv6 address has characters that are not for file names.
fn default_file(host: &str, content_type: &str) -> PathBuf {
    let host = host.trim_matches(['[', ']']).replace(':', "-");
    let ending = match content_type.rsplit('/').next() {
        Some("jpeg") | None => "jpg",
        Some(other) => other,
    };
    PathBuf::from(format!("{host}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_host_and_format() {
        let name = |host, format| default_file(host, format).display().to_string();
        assert_eq!(name("192.0.2.7", "image/jpeg"), "192.0.2.7.jpg");
        assert_eq!(name("[2001:db8::7]", "image/png"), "2001-db8--7.png");
    }
}
