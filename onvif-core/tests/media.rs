//! Media and Media2 against the virtual camera, through the client that hides their versions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use onvif_core::media::{
    AudioEncoding, ConfigurationKind, ConfigurationToken, Encoding, EventFilter, EventSubscription,
    Mask, OsdConfiguration, OsdImage, OsdType, Polygon, ProfileToken, PtzFilter, StreamTransport,
    Vector, ver10, ver20,
};
use onvif_core::schema::IntRectangle;
use onvif_core::{
    Camera, Credentials, Error, ErrorKind, HttpTransport, TlsPolicy, Transport, TransportError,
};
use virtual_camera::VirtualCamera;

async fn connected() -> (VirtualCamera, Camera) {
    let target = VirtualCamera::builder().credentials("admin", "secret");
    let target = target.start().await.unwrap();
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "secret"))
        .connect()
        .await
        .unwrap();
    (target, camera)
}

fn subcode(error: &Error) -> String {
    error.fault().unwrap().to_string()
}

#[tokio::test]
async fn a_profile_is_made_filled_emptied_and_deleted() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let source = &media.video_source_configurations().await.unwrap()[0].token;

    let kinds = [(ConfigurationKind::VideoSource, source.clone())];
    let profile = media.create_profile("Corridor", &kinds).await.unwrap();
    let found = |profiles: Vec<onvif_core::media::Profile>| {
        profiles.into_iter().find(|found| found.token == profile)
    };
    let made = found(media.profiles().await.unwrap()).unwrap();
    assert_eq!(made.name.as_deref(), Some("Corridor"));
    assert_eq!(made.fixed, Some(false));
    assert_eq!(made.video_source_configuration.as_ref(), Some(source));
    let error = media.stream_uri(&profile, StreamTransport::Rtsp).await;
    assert!(subcode(&error.unwrap_err()).contains("IncompleteConfiguration"));

    let encoder = media.compatible_video_encoders(&profile).await.unwrap()[1].clone();
    let metadata = media
        .compatible_metadata_configurations(&profile)
        .await
        .unwrap()[0]
        .clone();
    let analytics = media
        .compatible_analytics_configurations(&profile)
        .await
        .unwrap()[0]
        .clone();
    let microphone = media
        .compatible_audio_source_configurations(&profile)
        .await
        .unwrap();
    let audio = media.compatible_audio_encoders(&profile).await.unwrap();
    let speaker = media
        .compatible_audio_output_configurations(&profile)
        .await
        .unwrap();
    let decoder = media
        .compatible_audio_decoder_configurations(&profile)
        .await
        .unwrap();
    for (kind, token) in [
        (ConfigurationKind::VideoEncoder, &encoder.token),
        (ConfigurationKind::Metadata, &metadata.token),
        (ConfigurationKind::Analytics, &analytics.token),
        (ConfigurationKind::AudioSource, &microphone[0].token),
        (ConfigurationKind::AudioEncoder, &audio[0].token),
        (ConfigurationKind::AudioOutput, &speaker[0].token),
        (ConfigurationKind::AudioDecoder, &decoder[0].token),
    ] {
        media
            .add_configuration(&profile, kind, token)
            .await
            .unwrap();
    }
    let full = found(media.profiles().await.unwrap()).unwrap();
    assert_eq!(full.video_encoder.unwrap().token, encoder.token);
    assert_eq!(full.metadata_configuration, Some(metadata.token));
    assert_eq!(full.analytics_configuration, Some(analytics.token));
    assert_eq!(
        full.audio_output_configuration.as_ref(),
        Some(&speaker[0].token)
    );
    assert_eq!(
        full.audio_decoder_configuration.as_ref(),
        Some(&decoder[0].token)
    );
    let stream = media
        .stream_uri(&profile, StreamTransport::Rtsp)
        .await
        .unwrap();
    assert_eq!(stream.path(), "/sub");
    media.start_multicast(&profile).await.unwrap();
    media.stop_multicast(&profile).await.unwrap();
    media.set_synchronization_point(&profile).await.unwrap();

    let kind = ConfigurationKind::Metadata;
    media.remove_configuration(&profile, kind).await.unwrap();
    let less = found(media.profiles().await.unwrap()).unwrap();
    assert_eq!(less.metadata_configuration, None);
    media.delete_profile(&profile).await.unwrap();
    assert!(found(media.profiles().await.unwrap()).is_none());
}

#[tokio::test]
async fn the_first_version_makes_and_fills_profiles_too() {
    let (_target, camera) = connected().await;
    let request = ver10::CreateProfile {
        name: "Old".into(),
        token: Some("mine".into()),
    };
    let made = camera.call(&request).await.unwrap().profile.unwrap();
    assert_eq!(made.token.as_str(), "mine");
    let error = camera.call(&request).await.unwrap_err();
    assert!(subcode(&error).contains("ProfileExists"));

    let profile_token = ProfileToken::from("mine");
    let compatible = ver10::GetCompatibleVideoSourceConfigurations {
        profile_token: profile_token.clone(),
    };
    let sources = camera.call(&compatible).await.unwrap().configurations;
    camera
        .call(&ver10::AddVideoSourceConfiguration {
            profile_token: profile_token.clone(),
            configuration_token: sources[0].token.clone(),
        })
        .await
        .unwrap();
    for (audio, video) in [("audio_output_config", "main_encoder")] {
        let profile_token = profile_token.clone();
        camera
            .call(&ver10::AddAudioOutputConfiguration {
                profile_token: profile_token.clone(),
                configuration_token: audio.into(),
            })
            .await
            .unwrap();
        camera
            .call(&ver10::AddVideoEncoderConfiguration {
                profile_token,
                configuration_token: video.into(),
            })
            .await
            .unwrap();
    }
    let request = ver10::GetProfile {
        profile_token: profile_token.clone(),
    };
    let profile = camera.call(&request).await.unwrap().profile.unwrap();
    let h264 = profile.video_encoder.unwrap().h264.unwrap();
    assert!(h264.gov_length.is_some() && h264.profile.is_some());
    let output = profile.extension.unwrap().audio_output.unwrap();
    assert_eq!(output.output_level, Some(50));

    let remove = ver10::RemoveVideoEncoderConfiguration {
        profile_token: profile_token.clone(),
    };
    camera.call(&remove).await.unwrap();
    let profile = camera.call(&request).await.unwrap().profile.unwrap();
    assert!(profile.video_encoder.is_none());
    camera
        .call(&ver10::DeleteProfile { profile_token })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_fixed_profile_and_one_too_many_are_refused() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let error = media.delete_profile(&"main".into()).await.unwrap_err();
    assert!(subcode(&error).contains("DeletionOfFixedProfile"));

    let limit = camera
        .call(&ver20::GetServiceCapabilities {})
        .await
        .unwrap();
    let limit = limit.capabilities.unwrap().profiles.unwrap();
    let limit = limit.maximum_number_of_profiles.unwrap();
    for n in 2..limit {
        media.create_profile(&n.to_string(), &[]).await.unwrap();
    }
    let error = media.create_profile("more", &[]).await.unwrap_err();
    assert!(subcode(&error).contains("MaxNVTProfiles"));
}

#[tokio::test]
async fn a_video_encoder_is_set_within_its_options_and_keeps_the_rest() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let mut encoder = media.video_encoders().await.unwrap().remove(0);
    let options = media.video_encoder_options(&encoder.token).await.unwrap();
    let options = options
        .into_iter()
        .find(|o| o.encoding == Encoding::H264)
        .unwrap();
    assert!(options.resolutions.contains(&encoder.resolution.unwrap()));
    assert!(options.frame_rates.contains(&5.0));

    encoder.frame_rate = Some(5.0);
    encoder.bitrate_kbps = Some(options.bitrate_kbps.unwrap().max.unwrap() as u32);
    encoder.gov_length = Some(10);
    encoder.quality = None;
    media.set_video_encoder(&encoder).await.unwrap();

    // Both versions show one truth.
    let request = ver10::GetVideoEncoderConfiguration {
        configuration_token: encoder.token.clone(),
    };
    let now = camera.call(&request).await.unwrap().configuration.unwrap();
    assert_eq!(now.h264.unwrap().gov_length, Some(10));
    assert_eq!(now.quality, Some(5.0), "what is None stays");
    let rate = now.rate_control.unwrap();
    assert_eq!(
        (rate.frame_rate_limit, rate.bitrate_limit),
        (Some(5.0), encoder.bitrate_kbps)
    );

    encoder.frame_rate = Some(1000.0);
    let error = media.set_video_encoder(&encoder).await.unwrap_err();
    assert!(subcode(&error).contains("ConfigModify"));
    encoder.token = "nobody".into();
    let error = media.set_video_encoder(&encoder).await.unwrap_err();
    assert!(subcode(&error).contains("NoConfig"));

    let source = media.video_source_configurations().await.unwrap().remove(0);
    let instances = media.video_encoder_instances(&source.token).await.unwrap();
    assert_eq!(instances.total, Some(2));
}

#[tokio::test]
async fn encoders_and_sources_are_set_in_the_first_version_too() {
    let (_target, camera) = connected().await;
    let token = ConfigurationToken::from("sub_encoder");
    let request = ver10::GetVideoEncoderConfiguration {
        configuration_token: token.clone(),
    };
    let mut configuration = camera.call(&request).await.unwrap().configuration.unwrap();
    let options = ver10::GetVideoEncoderConfigurationOptions {
        configuration_token: Some(token),
        profile_token: None,
    };
    let options = camera.call(&options).await.unwrap().options.unwrap();
    let extension = options.extension.unwrap().h264.unwrap();
    assert!(extension.bitrate_range.is_some() && options.h264.is_some());

    configuration.quality = Some(7.0);
    let set = ver10::SetVideoEncoderConfiguration {
        configuration: configuration.clone(),
        force_persistence: true,
    };
    camera.call(&set).await.unwrap();
    let now = camera.call(&request).await.unwrap().configuration.unwrap();
    assert_eq!(now, configuration);
    let instances = ver10::GetGuaranteedNumberOfVideoEncoderInstances {
        configuration_token: "video_source_config".into(),
    };
    assert_eq!(camera.call(&instances).await.unwrap().total, Some(2));
}

#[tokio::test]
async fn a_video_source_shows_a_part_of_its_picture() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let sources = media.video_sources().await.unwrap();
    let size = sources[0].resolution.unwrap();
    let mut configuration = media.video_source_configurations().await.unwrap().remove(0);
    assert_eq!(configuration.source_token.as_ref(), Some(&sources[0].token));
    let options = media
        .video_source_options(&configuration.token)
        .await
        .unwrap();
    assert_eq!(
        options.video_source_tokens_available,
        [sources[0].token.clone()]
    );
    assert!(options.bounds_range.is_some());

    let part = |x| IntRectangle {
        x: Some(x),
        y: Some(0),
        width: Some(size.width as i32 / 2),
        height: Some(size.height as i32),
    };
    configuration.bounds = Some(part(16));
    media
        .set_video_source_configuration(&configuration)
        .await
        .unwrap();
    let now = media.video_source_configurations().await.unwrap().remove(0);
    assert_eq!(now.bounds, configuration.bounds);
    configuration.bounds = Some(part(size.width as i32));
    let error = media.set_video_source_configuration(&configuration).await;
    assert!(subcode(&error.unwrap_err()).contains("ConfigModify"));

    let modes = media.video_source_modes(&sources[0].token).await.unwrap();
    assert_eq!(modes[0].enabled, Some(true));
    let mode = &modes[0].token;
    let reboots = media
        .set_video_source_mode(&sources[0].token, mode)
        .await
        .unwrap();
    assert!(!reboots);
    let error = media
        .set_video_source_mode(&sources[0].token, &"x".into())
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn audio_configurations_are_read_and_set() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let sources = media.audio_sources().await.unwrap();
    let configuration = media.audio_source_configurations().await.unwrap().remove(0);
    let options = media
        .audio_source_options(&configuration.token)
        .await
        .unwrap();
    assert_eq!(options.input_tokens_available, [sources[0].token.clone()]);
    media
        .set_audio_source_configuration(&configuration)
        .await
        .unwrap();

    let mut encoder = media.audio_encoders().await.unwrap().remove(0);
    let options = media.audio_encoder_options(&encoder.token).await.unwrap();
    assert_eq!(options[0].encoding, Some(AudioEncoding::Pcmu));
    assert_eq!(options[0].bitrates.as_ref().unwrap().items, [64]);
    encoder.name = Some("Microphone".into());
    media.set_audio_encoder(&encoder).await.unwrap();
    assert_eq!(media.audio_encoders().await.unwrap(), [encoder.clone()]);
    encoder.bitrate_kbps = Some(1);
    assert!(media.set_audio_encoder(&encoder).await.is_err());

    let outputs = media.audio_outputs().await.unwrap();
    let mut output = media.audio_output_configurations().await.unwrap().remove(0);
    assert_eq!(output.output_token.as_ref(), Some(&outputs[0].token));
    let range = media
        .audio_output_options(&output.token)
        .await
        .unwrap()
        .output_level_range;
    output.output_level = range.unwrap().max;
    media.set_audio_output_configuration(&output).await.unwrap();
    assert_eq!(media.audio_output_configurations().await.unwrap(), [output]);

    let decoder = media
        .audio_decoder_configurations()
        .await
        .unwrap()
        .remove(0);
    let understood = media.audio_decoder_options(&decoder.token).await.unwrap();
    assert_eq!(understood[0].encoding, Some(AudioEncoding::Pcmu));
    media
        .set_audio_decoder_configuration(&decoder)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_metadata_stream_is_told_what_to_carry() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let mut metadata = media.metadata_configurations().await.unwrap().remove(0);
    let options = media.metadata_options(&metadata.token).await.unwrap();
    assert_eq!(options.ptz_status.unwrap().pan_tilt_position, Some(true));

    metadata.ptz_status = Some(PtzFilter {
        status: true,
        position: true,
        field_of_view: None,
    });
    metadata.events = Some(EventSubscription {
        filter: Some(EventFilter::topics(&["tns1:VideoSource/MotionAlarm"])),
    });
    metadata.analytics = Some(true);
    media.set_metadata_configuration(&metadata).await.unwrap();
    assert_eq!(
        media.metadata_configurations().await.unwrap(),
        [metadata.clone()]
    );

    let request = ver10::GetMetadataConfiguration {
        configuration_token: metadata.token.clone(),
    };
    let same = camera.call(&request).await.unwrap().configuration.unwrap();
    assert_eq!(same, metadata);
    let request = ver10::SetMetadataConfiguration {
        configuration: same,
        force_persistence: true,
    };
    camera.call(&request).await.unwrap();
}

#[tokio::test]
async fn texts_and_images_are_shown_and_taken_away() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let source = media
        .video_source_configurations()
        .await
        .unwrap()
        .remove(0)
        .token;
    let options = media.osd_options(&source).await.unwrap();
    assert_eq!(options.kinds, [OsdType::Text, OsdType::Image]);
    assert!(media.osds(None).await.unwrap().is_empty());

    let text = OsdConfiguration::plain_text(&source, &options.positions[0], "Door <1>");
    let token = media.create_osd(&text).await.unwrap();
    let mut image = text.clone();
    image.kind = Some(OsdType::Image);
    image.text = None;
    image.image = Some(OsdImage {
        path: Some(options.image.unwrap().paths.remove(0)),
    });
    media.create_osd(&image).await.unwrap();

    let mut shown = media.osds(Some(&source)).await.unwrap();
    assert_eq!(shown.len(), 2);
    let mut text = shown.remove(0);
    assert_eq!(text.token, token);
    let words = text.text.as_mut().unwrap();
    assert_eq!(words.plain_text.as_deref(), Some("Door <1>"));
    words.plain_text = Some("Door 2".into());
    media.set_osd(&text).await.unwrap();
    let old = ver10::GetOsd {
        osd_token: token.clone(),
    };
    assert_eq!(camera.call(&old).await.unwrap().osd, Some(text.clone()));

    media.delete_osd(&token).await.unwrap();
    assert_eq!(media.osds(None).await.unwrap().len(), 1);
    let error = media.set_osd(&text).await.unwrap_err();
    assert!(subcode(&error).contains("NoConfig"));
    text.position.as_mut().unwrap().kind = Some("Nowhere".into());
    assert!(subcode(&media.create_osd(&text).await.unwrap_err()).contains("ConfigModify"));
}

#[tokio::test]
async fn an_area_is_masked() {
    let (_target, camera) = connected().await;
    let media = camera.media();
    let source = media
        .video_source_configurations()
        .await
        .unwrap()
        .remove(0)
        .token;
    let options = media.mask_options(&source).await.unwrap();
    assert_eq!(options.max_points, Some(8));
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
        kind: options.kinds[0].clone(),
        color: options.color.unwrap().colors.pop(),
        enabled: true,
    };
    mask.token = Some(media.create_mask(&mask).await.unwrap());
    assert_eq!(media.masks(Some(&source)).await.unwrap(), [mask.clone()]);
    mask.enabled = false;
    media.set_mask(&mask).await.unwrap();
    assert_eq!(media.masks(None).await.unwrap(), [mask.clone()]);
    mask.polygon.points.truncate(2);
    assert!(media.set_mask(&mask).await.is_err());
    media.delete_mask(&mask.token.unwrap()).await.unwrap();
    assert!(media.masks(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn every_way_to_carry_a_stream_is_asked_for_or_refused() {
    let (target, camera) = connected().await;
    let media = camera.media();
    let profile = ProfileToken::from("main");
    for transport in [StreamTransport::Rtsp, StreamTransport::UdpUnicast] {
        let uri = media.stream_uri(&profile, transport).await.unwrap();
        assert_eq!(uri, target.stream_url(0));
    }
    let snapshot = media.snapshot_uri(&profile).await.unwrap();
    assert_eq!(snapshot, target.snapshot_url());
    let error = media
        .stream_uri(&"nobody".into(), StreamTransport::Rtsp)
        .await;
    assert!(subcode(&error.unwrap_err()).contains("NoProfile"));
}

#[tokio::test]
async fn changed_profiles_and_configurations_are_events() {
    let (_target, camera) = connected().await;
    let mut events = camera.events().subscribe(Default::default());
    let (mut profile, mut configuration) = (false, false);
    let media = camera.media();
    let source = media.video_source_configurations().await.unwrap().remove(0);
    let waiting = async {
        while !(profile && configuration) {
            let event = futures::StreamExt::next(&mut events).await.unwrap();
            let event = format!("{event:?}");
            profile |= event.contains("ProfileChanged");
            configuration |= event.contains("ConfigurationChanged");
            if event.contains("Initialized") {
                media.create_profile("new", &[]).await.unwrap();
                media.set_video_source_configuration(&source).await.unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap();
}

/// A camera whose Media2 is listed, and answers everything with the same wrong thing.
struct WrongMedia2 {
    http: HttpTransport,
    answer: (u16, &'static str),
}

#[async_trait::async_trait]
impl Transport for WrongMedia2 {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if !request.uri().path().contains("media2") {
            return self.http.send(request, deadline).await;
        }
        let body = std::str::from_utf8(request.body()).unwrap();
        let name = body.split_once("<s:Body><tr2:").unwrap().1;
        let name = name.split([' ', '>', '/']).next().unwrap();
        let (status, answer) = self.answer;
        let answer = answer.replace("NAME", name);
        let response = http::Response::builder().status(status);
        Ok(response.body(answer.into()).unwrap())
    }
}

const REFUSES: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
    xmlns:ter="http://www.onvif.org/ver10/error"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>
    <s:Value>ter:InvalidArgVal</s:Value></s:Subcode></s:Code><s:Reason><s:Text>no</s:Text></s:Reason></s:Fault>
    </s:Body></s:Envelope>"#;
const EMPTY: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
    <tr2:NAMEResponse xmlns:tr2="http://www.onvif.org/ver20/media/wsdl"/></s:Body></s:Envelope>"#;

async fn with_wrong_media2(answer: (u16, &'static str)) -> (VirtualCamera, Camera) {
    let target = VirtualCamera::builder().start().await.unwrap();
    let http = HttpTransport::new(TlsPolicy::default(), &[]).unwrap();
    let camera = Camera::builder(target.device_url())
        .transport(Arc::new(WrongMedia2 { http, answer }))
        .connect()
        .await
        .unwrap();
    (target, camera)
}

#[tokio::test]
async fn a_wrong_media2_does_not_hide_a_working_media() {
    for answer in [(400, REFUSES), (200, EMPTY), (200, "<html>Not here</html>")] {
        let (target, camera) = with_wrong_media2(answer).await;
        let media = camera.media();
        let profiles = media.profiles().await.unwrap();
        assert_eq!(profiles.len(), 2, "{answer:?}");
        let encoders = media.video_encoders().await.unwrap();
        assert_eq!(encoders.len(), 2, "{answer:?}");
        let options = media
            .video_encoder_options(&encoders[0].token)
            .await
            .unwrap();
        assert_eq!(options[0].encoding, Encoding::H264, "{answer:?}");
        assert!(options[0].bitrate_kbps.is_some(), "{answer:?}");
        let metadata = media.metadata_configurations().await.unwrap().remove(0);
        let options = media.metadata_options(&metadata.token).await.unwrap();
        assert!(options.ptz_status.is_some(), "{answer:?}");
        assert_eq!(media.audio_encoders().await.unwrap().len(), 1);
        target.stop().await;
    }
}

#[tokio::test]
async fn changes_are_made_in_media_where_media2_refuses_them() {
    let (_target, camera) = with_wrong_media2((400, REFUSES)).await;
    let media = camera.media();
    let kinds = [
        (ConfigurationKind::VideoSource, "video_source_config".into()),
        (ConfigurationKind::VideoEncoder, "sub_encoder".into()),
    ];
    let profile = media.create_profile("new", &kinds).await.unwrap();
    let made = media.profiles().await.unwrap().pop().unwrap();
    assert_eq!(made.token, profile);
    assert_eq!(made.video_encoder.unwrap().token.as_str(), "sub_encoder");
    let kind = ConfigurationKind::VideoEncoder;
    media.remove_configuration(&profile, kind).await.unwrap();
    media.delete_profile(&profile).await.unwrap();

    let mut encoder = media.video_encoders().await.unwrap().remove(0);
    encoder.frame_rate = Some(4.6);
    encoder.gov_length = Some(7);
    media.set_video_encoder(&encoder).await.unwrap();
    let now = media.video_encoders().await.unwrap().remove(0);
    assert_eq!((now.frame_rate, now.gov_length), (Some(5.0), Some(7)));

    let wrong = [(ConfigurationKind::VideoSource, "nobody".into())];
    let error = media.create_profile("half", &wrong).await.unwrap_err();
    assert!(subcode(&error).contains("NoConfig"));
    assert_eq!(
        media.profiles().await.unwrap().len(),
        2,
        "no half a profile stays"
    );
}

#[tokio::test]
async fn a_change_that_may_have_been_made_is_not_made_again() {
    let (_target, camera) = with_wrong_media2((200, "<html>Done?</html>")).await;
    let media = camera.media();
    let error = media.create_profile("once", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misbehaved);
    assert_eq!(media.profiles().await.unwrap().len(), 2);
}
