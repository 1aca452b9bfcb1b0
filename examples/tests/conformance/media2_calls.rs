//! Profiles, configurations, streams and overlays, with the client that speaks both versions of Media: the second
//! where the camera has it, else the first.

use onvif_core::media::ver20::ConfigurationKind;
use onvif_core::media::{
    ConfigurationToken, MediaClient, OsdConfiguration, OsdImage, OsdType, ProfileToken,
    StreamTransport,
};
use onvif_core::{Camera, Service};
use onvif_ptz::CameraExt;

use crate::driving::Trouble;

pub async fn run(camera: &Camera, trouble: &mut Trouble) {
    let media = camera.media();
    let Some(profile) = trouble.first("profiles", media.profiles().await) else {
        return;
    };
    streams(&media, &profile.token, trouble).await;
    video(&media, trouble).await;
    audio(&media, trouble).await;
    metadata(&media, trouble).await;
    let Some(source) = trouble.first("sources", media.video_source_configurations().await) else {
        return;
    };
    compose(camera, &source.token, trouble).await;
    overlays(&media, &source.token, trouble).await;
    if camera.services().has(Service::Media2) {
        masks(&media, &source.token, trouble).await;
    }
}

async fn streams(media: &MediaClient<'_>, profile: &ProfileToken, trouble: &mut Trouble) {
    for transport in [StreamTransport::Rtsp, StreamTransport::UdpUnicast] {
        trouble.none("stream", media.stream_uri(profile, transport).await);
    }
    for transport in [StreamTransport::UdpMulticast, StreamTransport::RtspOverHttp] {
        // The camera in software may lack these; the requests are what counts.
        let _ = media.stream_uri(profile, transport).await;
    }
    trouble.none("snapshot", media.snapshot(profile).await);
    trouble.none(
        "synchronize",
        media.set_synchronization_point(profile).await,
    );
    trouble.none("start multicast", media.start_multicast(profile).await);
    trouble.none("stop multicast", media.stop_multicast(profile).await);
}

async fn video(media: &MediaClient<'_>, trouble: &mut Trouble) {
    if let Some(source) = trouble.first("video sources", media.video_sources().await) {
        let source = source.token;
        let modes = media.video_source_modes(&source).await;
        if let Some(mode) = trouble.first("video source modes", modes) {
            let set = media.set_video_source_mode(&source, &mode.token).await;
            trouble.none("set video source mode", set);
        }
    }
    let sources = media.video_source_configurations().await;
    if let Some(source) = trouble.first("video source configurations", sources) {
        let options = media.video_source_options(&source.token).await;
        trouble.none("video source options", options);
        let set = media.set_video_source_configuration(&source).await;
        trouble.none("set video source", set);
        let instances = media.video_encoder_instances(&source.token).await;
        trouble.none("video encoder instances", instances);
    }
    if let Some(encoder) = trouble.first("video encoders", media.video_encoders().await) {
        let options = media.video_encoder_options(&encoder.token).await;
        trouble.none("video encoder options", options);
        trouble.none("set video encoder", media.set_video_encoder(&encoder).await);
    }
}

async fn audio(media: &MediaClient<'_>, trouble: &mut Trouble) {
    trouble.none("audio sources", media.audio_sources().await);
    trouble.none("audio outputs", media.audio_outputs().await);
    let sources = media.audio_source_configurations().await;
    if let Some(source) = trouble.first("audio source configurations", sources) {
        let options = media.audio_source_options(&source.token).await;
        trouble.none("audio source options", options);
        let set = media.set_audio_source_configuration(&source).await;
        trouble.none("set audio source", set);
    }
    if let Some(encoder) = trouble.first("audio encoders", media.audio_encoders().await) {
        let options = media.audio_encoder_options(&encoder.token).await;
        trouble.none("audio encoder options", options);
        trouble.none("set audio encoder", media.set_audio_encoder(&encoder).await);
    }
    let outputs = media.audio_output_configurations().await;
    if let Some(output) = trouble.first("audio output configurations", outputs) {
        let options = media.audio_output_options(&output.token).await;
        trouble.none("audio output options", options);
        let set = media.set_audio_output_configuration(&output).await;
        trouble.none("set audio output", set);
    }
    let decoders = media.audio_decoder_configurations().await;
    if let Some(decoder) = trouble.first("audio decoder configurations", decoders) {
        let options = media.audio_decoder_options(&decoder.token).await;
        trouble.none("audio decoder options", options);
        let set = media.set_audio_decoder_configuration(&decoder).await;
        trouble.none("set audio decoder", set);
    }
}

async fn metadata(media: &MediaClient<'_>, trouble: &mut Trouble) {
    let all = media.metadata_configurations().await;
    if let Some(metadata) = trouble.first("metadata configurations", all) {
        let options = media.metadata_options(&metadata.token).await;
        trouble.none("metadata options", options);
        let set = media.set_metadata_configuration(&metadata).await;
        trouble.none("set metadata", set);
    }
    let all = media.analytics_configurations().await;
    if let Some(analytics) = trouble.first("analytics configurations", all) {
        let set = media.set_analytics_configuration(&analytics).await;
        trouble.none("set analytics", set);
    }
}

/// Makes profiles, and fills one with everything that the camera says fits.
async fn compose(camera: &Camera, source: &ConfigurationToken, trouble: &mut Trouble) {
    let media = camera.media();
    let video = (ConfigurationKind::VideoSource, source.clone());
    let made = media.create_profile("made", &[video]).await;
    let Some(profile) = trouble.none("create profile", made) else {
        return;
    };
    macro_rules! add {
        ($($compatible:ident $kind:ident)*) => {$(
            let what = stringify!($compatible);
            if let Some(fits) = trouble.first(what, media.$compatible(&profile).await) {
                let kind = ConfigurationKind::$kind;
                let added = media.add_configuration(&profile, kind.clone(), &fits.token).await;
                trouble.none(what, added);
                let with = [(kind, fits.token)];
                if let Some(other) = trouble.none(what, media.create_profile("other", &with).await) {
                    trouble.none(what, media.delete_profile(&other).await);
                }
            }
        )*};
    }
    add! {
        compatible_video_source_configurations VideoSource
        compatible_video_encoders VideoEncoder
        compatible_audio_source_configurations AudioSource
        compatible_audio_encoders AudioEncoder
        compatible_audio_output_configurations AudioOutput
        compatible_audio_decoder_configurations AudioDecoder
        compatible_metadata_configurations Metadata
        compatible_analytics_configurations Analytics
    }
    let ptz = camera.ptz();
    trouble.none("PTZ configurations", ptz.configurations().await);
    let fitting = ptz.compatible_configurations(&profile).await;
    if let Some(fits) = trouble.first("compatible PTZ", fitting) {
        let kind = ConfigurationKind::Ptz;
        let added = media.add_configuration(&profile, kind, &fits.token).await;
        trouble.none("add PTZ", added);
    }
    for kind in [
        ConfigurationKind::Ptz,
        ConfigurationKind::Analytics,
        ConfigurationKind::Metadata,
        ConfigurationKind::AudioDecoder,
        ConfigurationKind::AudioOutput,
        ConfigurationKind::AudioEncoder,
        ConfigurationKind::AudioSource,
        ConfigurationKind::VideoEncoder,
        ConfigurationKind::VideoSource,
    ] {
        let removed = media.remove_configuration(&profile, kind.clone()).await;
        trouble.none(&format!("remove {kind}"), removed);
    }
    trouble.none("delete profile", media.delete_profile(&profile).await);
}

async fn overlays(media: &MediaClient<'_>, source: &ConfigurationToken, trouble: &mut Trouble) {
    let Some(options) = trouble.none("OSD options", media.osd_options(source).await) else {
        return;
    };
    let Some(position) = options.positions.first() else {
        return;
    };
    let mut text = OsdConfiguration::plain_text(source, position, "Gate");
    if let Some(token) = trouble.none("create text", media.create_osd(&text).await) {
        text.token = token.clone();
        trouble.none("OSDs", media.osds(None).await);
        trouble.none("OSDs of a source", media.osds(Some(source)).await);
        trouble.none("set OSD", media.set_osd(&text).await);
        trouble.none("delete OSD", media.delete_osd(&token).await);
    }
    let path = options
        .image
        .and_then(|image| image.paths.into_iter().next());
    let mut image = OsdConfiguration::plain_text(source, position, "");
    image.kind = Some(OsdType::Image);
    image.text = None;
    image.image = Some(OsdImage { path });
    if let Some(token) = trouble.none("create image", media.create_osd(&image).await) {
        trouble.none("delete image", media.delete_osd(&token).await);
    }
}

async fn masks(media: &MediaClient<'_>, source: &ConfigurationToken, trouble: &mut Trouble) {
    use onvif_core::media::{Mask, Polygon, Vector};

    let Some(options) = trouble.none("mask options", media.mask_options(source).await) else {
        return;
    };
    let Some(kind) = options.kinds.into_iter().next() else {
        return;
    };
    let corner = |x, y| Vector {
        x: Some(x),
        y: Some(y),
    };
    let mut mask = Mask {
        token: None,
        configuration_token: source.clone(),
        polygon: Polygon {
            points: vec![corner(-1.0, -1.0), corner(0.5, -1.0), corner(0.0, 1.0)],
        },
        kind,
        color: options
            .color
            .and_then(|color| color.colors.into_iter().next()),
        enabled: true,
    };
    mask.token = trouble.none("create mask", media.create_mask(&mask).await);
    trouble.none("masks", media.masks(None).await);
    trouble.none("set mask", media.set_mask(&mask).await);
    if let Some(token) = mask.token {
        trouble.none("delete mask", media.delete_mask(&token).await);
    }
}
