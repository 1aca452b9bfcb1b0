//! Imaging of a camera in software.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use onvif_core::Camera;
use onvif_core::imaging::*;
use onvif_core::media::VideoSourceToken;
use virtual_camera::VirtualCamera;

async fn start() -> (VirtualCamera, Camera, VideoSourceToken) {
    let target = VirtualCamera::builder().start().await.unwrap();
    let camera = Camera::builder(target.device_url())
        .connect()
        .await
        .unwrap();
    let profile = camera.media().profiles().await.unwrap().remove(0);
    (target, camera, profile.video_source.unwrap())
}

#[tokio::test]
async fn settings_are_read_clamped_and_written() {
    let (target, camera, source) = start().await;
    let imaging = camera.imaging();
    let mut settings = imaging.settings(&source).await.unwrap();
    settings.brightness = Some(500.0);
    settings.exposure.as_mut().unwrap().priority = Some(ExposurePriority::LowNoise);
    let extension = settings.extension.as_mut().unwrap();
    extension.image_stabilization.as_mut().unwrap().mode = Some(OnOffAuto::On);
    let refused = imaging.set_settings(&source, settings.clone()).await;
    let refused = refused.unwrap_err();
    let fault = refused.fault().unwrap();
    assert_eq!(fault.subcodes.last().unwrap().as_str(), "SettingsInvalid");

    let options = imaging.options(&source).await.unwrap();
    let near = options.clamp(settings);
    assert_eq!(near.brightness, Some(100.0));
    imaging.set_settings(&source, near.clone()).await.unwrap();
    assert_eq!(imaging.settings(&source).await.unwrap(), near);
    target.stop().await;
}

#[tokio::test]
async fn focus_moves_within_the_ranges_of_the_lens_and_stops() {
    let (target, camera, source) = start().await;
    let imaging = camera.imaging();
    let focus = async || imaging.status(&source).await.unwrap().focus.unwrap();
    let at_rest = async || {
        let wait = async { while focus().await.move_status != Some(FocusMoveStatus::Idle) {} };
        let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
        waited.unwrap();
        focus().await.position.unwrap()
    };
    imaging.focus_to(&source, 7.0, Some(1.0)).await.unwrap();
    assert_eq!(at_rest().await, 1.0);
    imaging.focus_by(&source, -0.5, None).await.unwrap();
    assert_eq!(at_rest().await, 0.5);
    imaging.focus_with(&source, -0.001).await.unwrap();
    assert_eq!(focus().await.move_status, Some(FocusMoveStatus::Moving));
    imaging.stop_focus(&source).await.unwrap();
    assert_eq!(focus().await.move_status, Some(FocusMoveStatus::Idle));
    let nothing = imaging.move_focus(&source, FocusMove::default()).await;
    assert!(nothing.is_err());
    target.stop().await;
}

#[tokio::test]
async fn a_preset_is_used_until_a_setting_is_changed() {
    let (target, camera, source) = start().await;
    let imaging = camera.imaging();
    assert_eq!(imaging.capabilities().await.unwrap().presets, Some(true));
    let presets = imaging.presets(&source).await.unwrap();
    let fog = presets
        .iter()
        .find(|preset| preset.kind.as_deref() == Some("Fog"))
        .unwrap();
    imaging.use_preset(&source, &fog.token).await.unwrap();
    let current = imaging.current_preset(&source).await.unwrap();
    assert_eq!(current.as_ref(), Some(fog));
    assert_eq!(
        imaging.settings(&source).await.unwrap().contrast,
        Some(80.0)
    );
    let change = ImagingSettings {
        contrast: Some(10.0),
        ..ImagingSettings::default()
    };
    imaging.set_settings(&source, change).await.unwrap();
    assert_eq!(imaging.current_preset(&source).await.unwrap(), None);
    target.stop().await;
}
