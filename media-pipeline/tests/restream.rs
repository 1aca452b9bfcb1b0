//! Streams that are published to a media server, which is a virtual camera too.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use media_pipeline::{
    AccessUnit, Codec, Credentials, Error, ErrorKind, Hub, HubItem, HubOptions, Parameters,
    Restream, RestreamOptions, RestreamStatus, RtspOptions, RtspSource, Source, SourceSession,
    Subscription, TimeOrigin, TlsOptions, Tracks, VideoParameters, WallClock,
};
use tokio::sync::mpsc;
use tokio::time::timeout;
use virtual_camera::{
    AudioCodec, Certificate, FaultProxy, FaultProxyOptions, Faults, LinkFaults, Recording,
    StreamSpec, VideoCodec, VirtualCamera,
};

const SOON: Duration = Duration::from_secs(60);

/// A hub for the third stream of a camera, with all its tracks.
fn hub(camera: &VirtualCamera) -> Hub {
    let mut options = RtspOptions::new(camera.stream_url(2));
    options.tracks = Tracks::All;
    hub_of(RtspSource::new(options).unwrap())
}

fn hub_of(source: impl Source) -> Hub {
    let options = HubOptions {
        first_delay: Duration::from_millis(50),
        longest_delay: Duration::from_millis(50),
        ..HubOptions::default()
    };
    Hub::new(Arc::new(source), options)
}

/// Options for publishing to a path of a server, soon again after each failure.
fn options(server: &VirtualCamera) -> RestreamOptions {
    let mut url = server.stream_url(0);
    url.set_path("/live/gate");
    let mut options = RestreamOptions::new(url);
    options.first_delay = Duration::from_millis(50);
    options.longest_delay = Duration::from_millis(100);
    options
}

async fn until(restream: &Restream, wanted: impl Fn(&RestreamStatus) -> bool) -> RestreamStatus {
    let mut changes = restream.watch_status();
    let waiting = async {
        while let Some(status) = changes.next().await {
            if wanted(&status) {
                return status;
            }
        }
        panic!("it ended before")
    };
    timeout(SOON, waiting).await.unwrap()
}

fn publishes(status: &RestreamStatus) -> bool {
    matches!(status, RestreamStatus::Publishing { .. })
}

/// Asks again until there is an answer: nobody tells when packets arrive.
async fn ask<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let asking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            if let Some(answer) = ask() {
                return answer;
            }
        }
    };
    timeout(SOON, asking).await.unwrap()
}

fn recording(server: &VirtualCamera) -> Option<Recording> {
    server.recordings().pop()
}

/// What a subscription delivered of each codec.
fn collect(mut subscription: Subscription) -> Arc<Mutex<Vec<AccessUnit>>> {
    let units = Arc::<Mutex<Vec<AccessUnit>>>::default();
    let collected = units.clone();
    tokio::spawn(async move {
        while let Some(item) = subscription.next().await {
            if let HubItem::Unit(unit) = item {
                collected.lock().unwrap().push(unit);
            }
        }
    });
    units
}

/// Publishes a stream and plays it from the server: every unit is what it was, one after the other.
async fn comes_back_as_it_was(stream: StreamSpec, codecs: [Codec; 2]) {
    let camera = VirtualCamera::builder()
        .stream(stream.metadata())
        .start()
        .await
        .unwrap();
    let server = VirtualCamera::builder().start().await.unwrap();
    let hub = hub(&camera);
    let source = collect(hub.subscribe());
    let restream = hub.restream(options(&server)).unwrap();
    let RestreamStatus::Publishing { codecs: published } = until(&restream, publishes).await else {
        unreachable!()
    };
    assert_eq!(published, codecs);

    let mut playing = RtspOptions::new(options(&server).url);
    playing.tracks = Tracks::All;
    let mut played: Vec<AccessUnit> = Vec::new();
    let reading = async {
        let player = RtspSource::new(playing).unwrap();
        let mut session = player.connect().await.unwrap();
        let enough = |units: &[AccessUnit], codec| {
            units.iter().filter(|unit| unit.codec == codec).count() >= 12
        };
        while !codecs.iter().all(|codec| enough(&played, *codec)) {
            played.push(session.next().await.unwrap().unwrap());
        }
        session.close().await;
    };
    timeout(SOON, reading).await.unwrap();
    let source = source.lock().unwrap().clone();
    for codec in codecs {
        let of = |units: &[AccessUnit]| -> Vec<AccessUnit> {
            units
                .iter()
                .filter(|unit| unit.codec == codec)
                .cloned()
                .collect()
        };
        let (source, played) = (of(&source), of(&played));
        let same = |a: &AccessUnit, b: &AccessUnit| a.data == b.data;
        let start = (0..source.len())
            .find(|&start| source.len() - start >= played.len() && same(&source[start], &played[0]))
            .unwrap_or_else(|| panic!("{codec}: the first unit is not of the stream"));
        for (sent, came) in source[start..].iter().zip(&played) {
            assert!(same(sent, came), "{codec} at {:?}", sent.pts);
            // The player puts sound beside the picture once reports tell it how.
            if codec == codecs[0] {
                let sent = sent.pts - source[start].pts;
                let came = came.pts - played[0].pts;
                assert!(
                    sent.abs_diff(came) < Duration::from_millis(1),
                    "{codec}: {sent:?}, {came:?}"
                );
            }
        }
    }
    // So does the source, with the first few.
    let ticks = timestamps(&recording(&server).unwrap(), 1).split_off(5);
    let step = ticks[1].wrapping_sub(ticks[0]);
    let steady = ticks
        .windows(2)
        .all(|pair| pair[1].wrapping_sub(pair[0]) == step);
    assert!(step > 0 && steady, "{ticks:?}");
    let described = recording(&server).unwrap();
    assert_eq!(described.tracks.len(), 2, "{}", described.sdp);
    assert!(
        described
            .tracks
            .iter()
            .all(|track| !track.reports.is_empty())
    );

    restream.close().await;
    assert!(!recording(&server).unwrap().is_live);
    assert_eq!(server.observed().rtsp_sessions, 0);
    camera.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn h264_and_aac_come_back_as_they_were() {
    let stream = StreamSpec::new("gate").audio(AudioCodec::Aac);
    comes_back_as_it_was(stream, [Codec::H264, Codec::Aac]).await;
}

#[tokio::test]
async fn h265_and_g711_come_back_as_they_were() {
    let stream = StreamSpec::new("gate")
        .video(VideoCodec::H265)
        .audio(AudioCodec::Pcmu);
    comes_back_as_it_was(stream, [Codec::H265, Codec::Pcmu]).await;
}

#[tokio::test]
async fn jpeg_and_aac_come_back_as_they_were() {
    let stream = StreamSpec::new("gate")
        .video(VideoCodec::Jpeg)
        .audio(AudioCodec::Aac);
    comes_back_as_it_was(stream, [Codec::Jpeg, Codec::Aac]).await;
}

#[tokio::test]
async fn over_tls_with_digest_and_ended_by_dropping() {
    let camera = VirtualCamera::builder()
        .stream(StreamSpec::new("gate"))
        .start()
        .await
        .unwrap();
    let server = VirtualCamera::builder()
        .https(Certificate::SelfSigned)
        .credentials("publisher", "s3cret")
        .start()
        .await
        .unwrap();
    let hub = hub(&camera);
    let mut options = options(&server);
    let secure = options.url.as_str().replacen("rtsp", "rtsps", 1);
    options.url = secure.parse().unwrap();
    options.credentials = Some(Credentials::new("publisher", "s3cret"));

    // A certificate that nobody trusts ends it before a password is sent.
    let restream = hub.restream(options.clone()).unwrap();
    let failed = until(&restream, |status| {
        matches!(status, RestreamStatus::Backoff { .. })
    })
    .await;
    let RestreamStatus::Backoff { error, .. } = failed else {
        unreachable!()
    };
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    restream.close().await;

    options.tls = TlsOptions {
        extra_roots: server.certificate_pem().unwrap().into(),
        ..TlsOptions::default()
    };
    let restream = hub.restream(options).unwrap();
    until(&restream, publishes).await;
    ask(|| recording(&server).filter(|it| it.tracks[0].packets.len() > 20)).await;
    assert_eq!(server.observed().authentication_failures, 0);
    assert!(!recording(&server).unwrap().sdp.contains("s3cret"));
    drop(restream);
    ask(|| (server.observed().rtsp_sessions == 0).then_some(())).await;
}

#[tokio::test]
async fn credentials_that_are_refused_are_tried_once_and_then_held_back() {
    let camera = VirtualCamera::builder()
        .stream(StreamSpec::new("gate"))
        .start()
        .await
        .unwrap();
    let server = VirtualCamera::builder()
        .credentials("publisher", "s3cret")
        .start()
        .await
        .unwrap();
    let hub = hub(&camera);
    let mut options = options(&server);
    let none = hub.restream(options.clone()).unwrap();
    let backoff = |status: &RestreamStatus| matches!(status, RestreamStatus::Backoff { .. });
    let RestreamStatus::Backoff { error, .. } = until(&none, backoff).await else {
        unreachable!()
    };
    assert!(error.to_string().contains("set credentials"), "{error}");
    none.close().await;

    options.credentials = Some(Credentials::new("publisher", "wrong"));
    let restream = hub.restream(options).unwrap();
    let held = |status: &RestreamStatus| {
        matches!(
            status,
            RestreamStatus::Backoff {
                error: Error::HeldBack { .. },
                ..
            }
        )
    };
    until(&restream, held).await;
    // With SHA-256, and once with MD5, for servers that offer what they cannot do.
    assert_eq!(server.observed().authentication_failures, 2);
    assert!(!format!("{restream:?}").contains("wrong"));
}

#[tokio::test]
async fn a_server_that_goes_away_is_published_to_again() {
    let camera = VirtualCamera::builder()
        .stream(StreamSpec::new("gate"))
        .start()
        .await
        .unwrap();
    let server = VirtualCamera::builder().start().await.unwrap();
    let address = server.stream_url(0).socket_addrs(|| None).unwrap()[0];
    let proxy = FaultProxy::tcp(address, FaultProxyOptions::default())
        .await
        .unwrap();
    let hub = hub(&camera);
    let mut options = options(&server);
    options
        .url
        .set_port(Some(proxy.local_addr().port()))
        .unwrap();
    options.patience = Duration::from_secs(1);
    let restream = hub.restream(options).unwrap();
    for session in 1..=2 {
        until(&restream, publishes).await;
        ask(|| recording(&server).filter(|it| it.is_live && it.tracks[0].packets.len() > 10)).await;
        assert_eq!(restream.counters().sessions, session);
        proxy.set_faults(Faults {
            refuse: true,
            ..Faults::default()
        });
        proxy.reset_connections();
        let away = until(&restream, |status| !publishes(status)).await;
        if let RestreamStatus::Backoff { error, .. } = away {
            assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        }
        ask(|| (server.observed().rtsp_sessions == 0).then_some(())).await;
        proxy.set_faults(Faults::default());
    }
    until(&restream, publishes).await;
    let reader_was_never_disturbed = camera.observed().rtsp_sessions;
    assert_eq!(reader_was_never_disturbed, 1);
    restream.close().await;
}

/// A source that delivers what a test sends; each session what one channel has.
struct Script(Mutex<Vec<mpsc::UnboundedReceiver<AccessUnit>>>);
struct Session(mpsc::UnboundedReceiver<AccessUnit>);

#[async_trait]
impl Source for Script {
    fn label(&self) -> String {
        "script".into()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        let next = self.0.lock().unwrap().pop();
        match next {
            Some(units) => Ok(Box::new(Session(units))),
            None => std::future::pending().await,
        }
    }
}

#[async_trait]
impl SourceSession for Session {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        Ok(self.0.recv().await)
    }

    async fn close(self: Box<Self>) {}
}

/// A picture of so many bytes every tenth of a second, each tenth one a key frame.
fn picture(number: u64, bytes: usize) -> AccessUnit {
    let sps = &[
        0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x04, 0x7b, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00,
        0x00, 0x03, 0x01, 0x40, 0xf1, 0x22, 0x64, 0x80,
    ];
    let header = if number.is_multiple_of(10) {
        0x65
    } else {
        0x41
    };
    let mut data = vec![0, 0, 0, 1, header];
    data.resize(bytes, 7);
    let pts = Duration::from_millis(number * 100);
    let wall = WallClock {
        time: SystemTime::UNIX_EPOCH + pts,
        origin: TimeOrigin::Receipt,
    };
    let mut unit = AccessUnit::new(Codec::H264, data.into(), pts, wall);
    let sets = vec![
        Bytes::from_static(sps),
        Bytes::from_static(&[0x68, 0xcb, 0x83, 0xcb, 0x20]),
    ];
    let video = VideoParameters::from_sets(Codec::H264, sets).unwrap();
    unit.parameters = Some(Arc::new(Parameters::Video(video)));
    unit
}

fn timestamps(recording: &Recording, track: usize) -> Vec<u32> {
    let packets = recording.tracks[track].packets.iter();
    packets
        .map(|packet| u32::from_be_bytes(packet[4..8].try_into().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_slow_server_loses_whole_groups_of_pictures_and_it_is_known() {
    const BYTES: usize = 100_000;
    let server = VirtualCamera::builder().start().await.unwrap();
    let address = server.stream_url(0).socket_addrs(|| None).unwrap()[0];
    let proxy = FaultProxy::tcp(address, FaultProxyOptions::default())
        .await
        .unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    let hub = hub_of(Script(Mutex::new(vec![receiver])));
    let mut options = options(&server);
    options
        .url
        .set_port(Some(proxy.local_addr().port()))
        .unwrap();
    options.audio = false;
    options.waiting = Duration::from_secs(3);
    options.patience = SOON;
    let restream = hub.restream(options).unwrap();
    (0..15).for_each(|number| sender.send(picture(number, BYTES)).unwrap());
    until(&restream, publishes).await;
    ask(|| recording(&server).filter(|it| !it.tracks[0].packets.is_empty())).await;

    // What the buffers of the system hold is some megabytes; this is more.
    let stalled = LinkFaults {
        stall_after: Some(0),
        ..LinkFaults::default()
    };
    proxy.set_faults(Faults {
        to_server: stalled,
        ..Faults::default()
    });
    let mut others = hub.subscribe();
    for number in 15..400 {
        sender.send(picture(number, BYTES)).unwrap();
        // Other consumers are not slowed down.
        while let HubItem::Unit(unit) = timeout(SOON, others.next()).await.unwrap().unwrap()
            && unit.pts < picture(number, 1 + BYTES).pts
        {}
    }
    proxy.set_faults(Faults::default());
    let last = picture(399, 5).pts;
    let came = ask(|| {
        let it = recording(&server)?;
        let ticks = timestamps(&it, 0);
        let counters = restream.counters();
        let spent = counters.units + counters.lost;
        (spent == 400 && ticks.len() as u64 >= counters.packets.min(100)).then_some(it)
    })
    .await;
    let counters = restream.counters();
    assert!(counters.gaps >= 1 && counters.lost >= 10, "{counters:?}");
    assert_eq!(counters.sessions, 1, "{counters:?}");
    // After a gap in time comes a key frame.
    let ticks = timestamps(&came, 0);
    let packets = &came.tracks[0].packets;
    let fragment_of_key = |packet: &[u8]| packet[12] & 0x1f == 28 && packet[13] == 0x85;
    let mut jumps = 0;
    for (index, pair) in ticks.windows(2).enumerate() {
        if pair[1].wrapping_sub(pair[0]) > 9_000 {
            jumps += 1;
            assert!(fragment_of_key(&packets[index + 1]));
        }
    }
    assert!(jumps <= counters.gaps, "{jumps} jumps, {counters:?}");
    assert!(last > Duration::from_secs(39));
    restream.close().await;
    assert_eq!(server.observed().rtsp_sessions, 0);
}

#[tokio::test]
async fn a_server_that_takes_nothing_is_left() {
    let server = VirtualCamera::builder().start().await.unwrap();
    let address = server.stream_url(0).socket_addrs(|| None).unwrap()[0];
    let proxy = FaultProxy::tcp(address, FaultProxyOptions::default())
        .await
        .unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    let hub = hub_of(Script(Mutex::new(vec![receiver])));
    let mut options = options(&server);
    options
        .url
        .set_port(Some(proxy.local_addr().port()))
        .unwrap();
    options.audio = false;
    options.patience = Duration::from_millis(300);
    let restream = hub.restream(options).unwrap();
    sender.send(picture(0, 1_000)).unwrap();
    until(&restream, publishes).await;
    let stalled = LinkFaults {
        stall_after: Some(0),
        ..LinkFaults::default()
    };
    proxy.set_faults(Faults {
        to_server: stalled,
        ..Faults::default()
    });
    (1..200).for_each(|number| sender.send(picture(number, 100_000)).unwrap());
    let failed = until(&restream, |status| {
        matches!(status, RestreamStatus::Backoff { .. })
    })
    .await;
    let RestreamStatus::Backoff { error, .. } = failed else {
        unreachable!()
    };
    assert!(matches!(error, Error::Unread { .. }), "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn times_go_on_where_the_source_begins_anew() {
    let server = VirtualCamera::builder().start().await.unwrap();
    let (first, receiver) = mpsc::unbounded_channel();
    let (second, next) = mpsc::unbounded_channel();
    let hub = hub_of(Script(Mutex::new(vec![next, receiver])));
    let mut options = options(&server);
    options.audio = false;
    let restream = hub.restream(options).unwrap();
    (0..15).for_each(|number| first.send(picture(number, 500)).unwrap());
    until(&restream, publishes).await;
    drop(first);
    (0..5).for_each(|number| second.send(picture(number, 500)).unwrap());
    let came = ask(|| recording(&server).filter(|it| it.tracks[0].packets.len() == 20)).await;
    let ticks = timestamps(&came, 0);
    for pair in ticks.windows(2) {
        let step = pair[1].wrapping_sub(pair[0]);
        // Up to a minute for the way to the new session.
        assert!((90..60 * 90_000).contains(&step), "{ticks:?}");
    }
    let counters = restream.counters();
    assert_eq!((counters.sessions, counters.gaps), (1, 1), "{counters:?}");
    restream.close().await;
}

#[tokio::test]
async fn what_cannot_be_published_to_is_the_callers_fault() {
    let (_sender, receiver) = mpsc::unbounded_channel();
    let hub = hub_of(Script(Mutex::new(vec![receiver])));
    for (url, reason) in [
        ("http://192.0.2.1/live", "only the schemes rtsp and rtsps"),
        ("rtsp://u:hunter2@192.0.2.1/live", "it holds credentials"),
    ] {
        let error = hub
            .restream(RestreamOptions::new(url.parse().unwrap()))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
        let text = error.to_string();
        assert!(text.contains(reason) && !text.contains("hunter2"), "{text}");
    }
    let mut options = RestreamOptions::new("rtsps://192.0.2.1/live".parse().unwrap());
    options.tls.extra_roots = b"not a certificate".to_vec();
    assert_eq!(hub.restream(options).unwrap_err().kind(), ErrorKind::Caller);
}
