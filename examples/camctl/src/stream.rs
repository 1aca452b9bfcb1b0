//! `stream-uri`: where a profile streams.

use std::fmt::{self, Display, Formatter};

use anyhow::Result;
use clap::{Args, ValueEnum};
use onvif_core::Camera;
use onvif_core::media::StreamTransport;
use serde::Serialize;

use crate::camera::profile;
use crate::output::Output;
use crate::secret::shown;

#[derive(Args)]
pub struct StreamArgs {
    /// The media profile; without it, the first one that has video.
    #[arg(long, value_name = "TOKEN")]
    profile: Option<String>,

    /// How the stream is carried.
    #[arg(long, value_enum, default_value_t = Transport::Rtsp)]
    transport: Transport,
}

#[derive(Clone, Copy, ValueEnum)]
enum Transport {
    /// RTP inside of RTSP, over TCP.
    Rtsp,
    /// RTP over UDP, to one receiver.
    Udp,
    /// RTP over UDP, to a multicast group.
    Multicast,
    /// RTP and RTSP inside of HTTP.
    Http,
}

pub async fn run(args: &StreamArgs, camera: &Camera, output: Output) -> Result<()> {
    let profile = profile(
        camera,
        args.profile.as_deref(),
        |profile| profile.video_encoder.is_some(),
        "no media profile of the camera has video; name one with --profile",
    )
    .await?;
    let transport = match args.transport {
        Transport::Rtsp => StreamTransport::Rtsp,
        Transport::Udp => StreamTransport::UdpUnicast,
        Transport::Multicast => StreamTransport::UdpMulticast,
        Transport::Http => StreamTransport::RtspOverHttp,
    };
    let uri = camera.media().stream_uri(&profile, transport).await?;
    output.print(&Stream {
        profile: profile.as_str(),
        stream_uri: shown(&uri),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stream<'a> {
    profile: &'a str,
    stream_uri: String,
}

impl Display for Stream<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stream_uri)
    }
}
