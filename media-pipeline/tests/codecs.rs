//! Streams of every codec with sound and metadata, whole: from the virtual camera to access units.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures::future::join_all;
use media_pipeline::{
    AccessUnit, Codec, Media, Parameters, RtspOptions, RtspSource, RtspTransport, Source as _,
    TimeOrigin, Tracks, check_jpeg,
};
use tokio::time::timeout;
use virtual_camera::{AudioCodec, StreamSpec, VideoCodec, VirtualCamera};

const SOON: Duration = Duration::from_secs(60);
const TRANSPORTS: [RtspTransport; 2] = [RtspTransport::Tcp, RtspTransport::Udp];

/// All tracks of a stream, until it told of motion and seconds of picture and sound were read since.
async fn read(stream: StreamSpec, transport: RtspTransport) -> Vec<AccessUnit> {
    let builder = VirtualCamera::builder().stream(stream);
    let camera = builder.start().await.unwrap();
    let mut options = RtspOptions::new(camera.stream_url(2));
    options.tracks = Tracks::All;
    options.transport = transport;
    let source = RtspSource::new(options).unwrap();
    let mut units = Vec::new();
    let reading = async {
        let mut session = source.connect().await.unwrap();
        let (mut told, mut pictures, mut sounds) = (false, 0, 0);
        while !told || pictures < 15 || sounds < 40 {
            let unit = session.next().await.unwrap().unwrap();
            match unit.codec.media() {
                Media::Metadata if text(&unit).contains("Initialized") => camera.set_motion(true),
                Media::Metadata => told |= text(&unit).contains("MotionAlarm"),
                Media::Audio if told => sounds += 1,
                Media::Video if told => pictures += 1,
                _ => {}
            }
            units.push(unit);
        }
        session.close().await;
    };
    timeout(SOON, reading).await.unwrap();
    camera.stop().await;
    units
}

fn text(unit: &AccessUnit) -> &str {
    std::str::from_utf8(&unit.data).unwrap()
}

fn of(units: &[AccessUnit], track: u16, codec: Codec) -> Vec<&AccessUnit> {
    let units: Vec<_> = units.iter().filter(|unit| unit.track == track).collect();
    assert!(units.iter().all(|unit| unit.codec == codec));
    assert!(units.windows(2).all(|pair| pair[0].pts <= pair[1].pts));
    units
}

/// Whether metadata are whole documents, first the state and then what changes.
fn tell_of_motion(metadata: &[&AccessUnit]) {
    for unit in metadata {
        assert!(text(unit).trim_end().ends_with("MetadataStream>"));
        assert_eq!(unit.parameters, None);
    }
    assert!(text(metadata[0]).contains("PropertyOperation=\"Initialized\""));
    let changed = metadata.iter().map(|unit| text(unit));
    let motion = changed
        .filter(|text| text.contains("tns1:VideoSource/MotionAlarm"))
        .find(|text| text.contains("PropertyOperation=\"Changed\""));
    assert!(motion.unwrap().contains("Name=\"State\" Value=\"true\""));
}

/// Whether units follow each other by the length of a frame of sound, but where a track was put beside another or the camera
/// left out what a slow machine had no time for.
fn follow_each_other(sounds: &[&AccessUnit], frame: Duration) {
    let steps = sounds.windows(2).map(|pair| pair[1].pts - pair[0].pts);
    let off: Vec<_> = steps
        .filter(|step| step.abs_diff(frame) > Duration::from_millis(1))
        .collect();
    assert!(off.len() * 10 < sounds.len(), "{frame:?}, but {off:?}");
}

/// Whether pictures and sounds of one moment have one time: what was read last, was sent last.
fn run_together(pictures: &[&AccessUnit], sounds: &[&AccessUnit]) {
    let (picture, sound) = (pictures[pictures.len() - 1], sounds[sounds.len() - 1]);
    assert!(picture.pts.abs_diff(sound.pts) < Duration::from_secs(1));
    assert_eq!(picture.wall.origin, TimeOrigin::SenderReport);
    assert_eq!(sound.wall.origin, TimeOrigin::SenderReport);
}

#[tokio::test]
async fn h265_aac_and_metadata_are_read_beside_each_other() {
    let read = TRANSPORTS.map(async |transport| {
        let stream = StreamSpec::new("yard")
            .video(VideoCodec::H265)
            .audio(AudioCodec::Aac)
            .metadata();
        let units = read(stream, transport).await;

        let pictures = of(&units, 0, Codec::H265);
        let key = pictures.iter().find(|unit| unit.random_access).unwrap();
        let Some(Parameters::Video(video)) = key.parameters.as_deref() else {
            panic!("{:?}", key.parameters);
        };
        assert_eq!((video.width, video.height, video.sets.len()), (640, 360, 3));
        for set in &video.sets {
            let within = key.data.windows(set.len()).any(|part| part == set);
            assert!(within, "a set is missing before the key frame");
        }

        let sounds = of(&units, 1, Codec::Aac);
        let Some(Parameters::Audio(audio)) = sounds[0].parameters.as_deref() else {
            panic!("{:?}", sounds[0].parameters);
        };
        assert_eq!((audio.sample_rate, audio.channels), (16_000, 1));
        // AAC-LC, index 8 (16 kHz), one channel.
        assert_eq!(audio.config[..2], [0x14, 0x08]);
        follow_each_other(&sounds, Duration::from_millis(64));

        tell_of_motion(&of(&units, 2, Codec::OnvifMetadata));
        run_together(&pictures, &sounds);
    });
    join_all(read).await;
}

#[tokio::test]
async fn jpeg_g711_and_metadata_are_read_beside_each_other() {
    let read = TRANSPORTS.map(async |transport| {
        let stream = StreamSpec::new("gate")
            .video(VideoCodec::Jpeg)
            .audio(AudioCodec::Pcmu)
            .metadata();
        let units = read(stream, transport).await;

        let pictures = of(&units, 0, Codec::Jpeg);
        for picture in pictures.iter().filter(|unit| unit.loss == 0) {
            assert_eq!(check_jpeg(&picture.data).unwrap(), (384, 216));
        }

        let sounds = of(&units, 1, Codec::Pcmu);
        let samples = sounds[0].data.len() as u32;
        assert!(sounds.iter().all(|unit| unit.data.len() as u32 == samples));
        follow_each_other(&sounds, Duration::from_secs(1) * samples / 8_000);

        tell_of_motion(&of(&units, 2, Codec::OnvifMetadata));
        run_together(&pictures, &sounds);
    });
    join_all(read).await;
}
