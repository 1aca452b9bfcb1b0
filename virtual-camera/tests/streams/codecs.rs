//! Which streams there are, and how they are encoded.

use url::Url;
use virtual_camera::{AudioCodec, StreamSpec, VideoCodec, VirtualCamera};

use crate::client::{connect, describe, packet, packet_of_each, play, soap, text};

async fn described(url: &Url) -> String {
    describe(&mut connect(url).await, url).await.1
}

#[tokio::test]
async fn streams_of_any_codec_can_be_added() {
    let camera = VirtualCamera::builder()
        .stream(
            StreamSpec::new("yard")
                .video(VideoCodec::H265)
                .audio(AudioCodec::Aac),
        )
        .stream(
            StreamSpec::new("gate")
                .video(VideoCodec::Jpeg)
                .audio(AudioCodec::Pcmu)
                .metadata(),
        )
        .start()
        .await
        .unwrap();
    let profiles = soap(&camera, "media2", "GetProfiles", "<Type>All</Type>").await;
    for name in ["main", "sub", "yard", "gate"] {
        assert!(
            profiles.contains(&format!("<tr2:Name>{name}</tr2:Name>")),
            "{name}"
        );
    }
    for (index, path, encodings) in [
        (0, "/main", &["H264/90000"][..]),
        (2, "/yard", &["H265/90000", "mpeg4-generic/16000"]),
        (
            3,
            "/gate",
            &["JPEG/90000", "PCMU/8000", "vnd.onvif.metadata/90000"],
        ),
    ] {
        let url = camera.stream_url(index);
        assert_eq!(url.path(), path);
        let sdp = described(&url).await;
        assert_eq!(sdp.matches("m=").count(), encodings.len(), "{sdp}");
        for encoding in encodings {
            assert!(sdp.contains(encoding), "{encoding} in {sdp}");
        }
        let mut connection = connect(&url).await;
        play(&mut connection, &url, encodings.len()).await;
        let tracks = 0..encodings.len() as u8;
        let channels: Vec<_> = tracks.map(|track| 2 * track).collect();
        packet_of_each(&mut connection, &channels).await;
    }
}

const JPEG: &str = "<Configuration token=\"main_encoder\"><tt:Name>Main</tt:Name><tt:UseCount>1</tt:UseCount>\
    <tt:Encoding>JPEG</tt:Encoding><tt:Resolution><tt:Width>384</tt:Width><tt:Height>216</tt:Height></tt:Resolution>\
    <tt:Quality>5</tt:Quality></Configuration>";

#[tokio::test]
async fn an_encoder_is_set_to_another_codec_and_the_stream_follows() {
    let camera = VirtualCamera::builder().start().await.unwrap();
    let url = camera.stream_url(0);
    let options = soap(&camera, "media2", "GetVideoEncoderConfigurationOptions", "").await;
    for encoding in ["H264", "H265", "JPEG"] {
        assert!(options.contains(&format!("<tt:Encoding>{encoding}</tt:Encoding>")));
    }
    soap(&camera, "media2", "SetVideoEncoderConfiguration", JPEG).await;
    assert!(described(&url).await.contains("JPEG/90000"));
    assert!(
        described(&camera.stream_url(1))
            .await
            .contains("H264/90000")
    );
    let token = "<ConfigurationToken>main_encoder</ConfigurationToken>";
    let first = soap(&camera, "media", "GetVideoEncoderConfiguration", token).await;
    assert_eq!(text(&first, "tt:Encoding"), "JPEG");

    let h265 = JPEG
        .replace("JPEG", "H265")
        .replace("384", "640")
        .replace("216", "360");
    soap(&camera, "media2", "SetVideoEncoderConfiguration", &h265).await;
    assert!(described(&url).await.contains("H265/90000"));
    // The first service has no word for it.
    let first = soap(&camera, "media", "GetVideoEncoderConfigurations", "").await;
    assert_eq!(first.matches("<trt:Configurations ").count(), 1, "{first}");
    // Another size is not in the options.
    let wrong = h265.replace("640", "1280");
    let fault = soap(&camera, "media2", "SetVideoEncoderConfiguration", &wrong).await;
    assert!(fault.contains("ter:ConfigModify"), "{fault}");
    assert!(described(&url).await.contains("H265/90000"));
}

#[tokio::test]
async fn a_profile_that_a_client_makes_has_the_tracks_it_was_given() {
    let camera = VirtualCamera::builder().start().await.unwrap();
    let kinds = [
        "VideoSource",
        "VideoEncoder",
        "AudioSource",
        "AudioEncoder",
        "Metadata",
    ];
    let kinds: String = kinds
        .iter()
        .map(|kind| format!("<Configuration><Type>{kind}</Type></Configuration>"))
        .collect();
    let made = soap(
        &camera,
        "media2",
        "CreateProfile",
        &format!("<Name>all</Name>{kinds}"),
    )
    .await;
    let token = text(&made, "tr2:Token");
    let request = format!("<Protocol>RTSP</Protocol><ProfileToken>{token}</ProfileToken>");
    let uri = soap(&camera, "media2", "GetStreamUri", &request).await;
    let url: Url = text(&uri, "tr2:Uri").parse().unwrap();
    assert_eq!(url.path(), "/main");

    let mut connection = connect(&url).await;
    let (head, sdp) = describe(&mut connection, &url).await;
    assert_eq!(sdp.matches("m=").count(), 3, "{sdp}");
    // Tracks have addresses below one without a query.
    let base = crate::client::value(&head, "Content-Base").trim_end_matches('/');
    assert!(base.ends_with(&format!("/profile/{token}")), "{base}");
    play(&mut connection, &base.parse().unwrap(), 3).await;
    packet(&mut connection, 4).await;

    let request = format!("<Token>{token}</Token>");
    soap(&camera, "media2", "DeleteProfile", &request).await;
    let request = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    let mut connection = connect(&url).await;
    tokio::io::AsyncWriteExt::write_all(&mut connection, request.as_bytes())
        .await
        .unwrap();
    let head = crate::client::head(&mut connection).await;
    assert!(head.starts_with("RTSP/1.0 404 "), "{head}");
}

#[tokio::test]
async fn sound_is_set_to_another_codec_too() {
    let camera = VirtualCamera::builder()
        .stream(StreamSpec::new("loud").audio(AudioCodec::Pcmu))
        .start()
        .await
        .unwrap();
    let options = soap(&camera, "media2", "GetAudioEncoderConfigurationOptions", "").await;
    let aac = options
        .split("<tr2:Options>")
        .find(|it| it.contains("mpeg4-generic"))
        .unwrap();
    let bitrate = text(aac, "tt:Items");
    let set = format!(
        "<Configuration token=\"loud_audio_encoder\"><tt:Name>a</tt:Name><tt:UseCount>1</tt:UseCount>\
         <tt:Encoding>AAC</tt:Encoding><tt:Bitrate>{bitrate}</tt:Bitrate><tt:SampleRate>16</tt:SampleRate></Configuration>"
    );
    soap(&camera, "media", "SetAudioEncoderConfiguration", &set).await;
    assert!(
        described(&camera.stream_url(2))
            .await
            .contains("mpeg4-generic/16000")
    );
}
