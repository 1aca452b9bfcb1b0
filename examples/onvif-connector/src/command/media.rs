//! Commands of the media interface.

use connector_sdk::Error;
use onvif_core::media::{Profile, VideoEncoder};
use serde_json::{Value, json};

use super::present;
use crate::connector::{OnvifDevice, failed};

pub(super) async fn profiles(device: &OnvifDevice) -> Result<Value, Error> {
    let profiles = device.camera().media().profiles().await.map_err(failed)?;
    let profiles: Vec<Value> = profiles.iter().map(profile).collect();
    Ok(json!({ "Profiles": profiles }))
}

fn profile(profile: &Profile) -> Value {
    let source = profile.video_source_configuration.as_ref().map(|token| {
        present(json!({
            "token": token.as_str(),
            "SourceToken": profile.video_source.as_ref().map(AsRef::as_ref),
        }))
    });
    let ptz = profile
        .ptz_configuration
        .as_ref()
        .map(|token| present(json!({ "token": token.as_str(), "NodeToken": profile.ptz_node })));
    let metadata = profile
        .metadata_configuration
        .as_ref()
        .map(|token| json!({ "token": token.as_str() }));
    present(json!({
        "token": profile.token.as_str(),
        // Required by the interface.
        "Name": profile.name.clone().unwrap_or_default(),
        "fixed": profile.fixed,
        "VideoSourceConfiguration": source,
        "VideoEncoderConfiguration": profile.video_encoder.as_ref().map(encoder),
        "PTZConfiguration": ptz,
        "MetadataConfiguration": metadata,
    }))
}

fn encoder(encoder: &VideoEncoder) -> Value {
    let resolution = encoder
        .resolution
        .as_ref()
        .map(|size| json!({ "Width": size.width, "Height": size.height }));
    let rate = present(json!({
        "FrameRateLimit": encoder.frame_rate,
        "BitrateLimit": encoder.bitrate_kbps,
    }));
    present(json!({
        "token": encoder.token.as_str(),
        "Name": encoder.name,
        "Encoding": encoder.encoding.as_ref().map(|encoding| encoding.as_str()),
        "Resolution": resolution,
        "Quality": encoder.quality,
        "RateControl": if rate == json!({}) { Value::Null } else { rate },
    }))
}
