//! Cameras whose streams deviate, one switch at a time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use media_pipeline::{
    AccessUnit, Codec, Credentials, Error, HttpOptions, HttpSource, Hub, HubItem, HubOptions,
    RtspOptions, RtspSource, RtspTransport, SnapshotOptions, Source as _, SourceSession,
    TimeOrigin,
};
use tokio::time::timeout;
use virtual_camera::{
    BadSprop, FaultProxy, FaultProxyOptions, Quirks, RtspHeader, RtspKeepalive, StreamSpec,
    VideoCodec, VirtualCamera,
};

const SOON: Duration = Duration::from_secs(30);

async fn start(quirks: Quirks) -> VirtualCamera {
    VirtualCamera::builder()
        .credentials("admin", "secret")
        .quirks(quirks)
        .start()
        .await
        .unwrap()
}

fn source(camera: &VirtualCamera) -> RtspSource {
    RtspSource::new(options(camera)).unwrap()
}

fn options(camera: &VirtualCamera) -> RtspOptions {
    let mut options = RtspOptions::new(camera.stream_url(0).as_str().parse().unwrap());
    options.credentials = Some(Credentials::new("admin", "secret"));
    options
}

fn hub(camera: &VirtualCamera) -> Hub {
    let options = HubOptions {
        first_delay: Duration::from_millis(50),
        ..HubOptions::default()
    };
    Hub::new(Arc::new(source(camera)), options)
}

async fn connect(camera: &VirtualCamera) -> Box<dyn SourceSession> {
    timeout(SOON, source(camera).connect())
        .await
        .unwrap()
        .unwrap()
}

/// Access units of one session until they span a time.
async fn units(session: &mut Box<dyn SourceSession>, span: Duration) -> Vec<AccessUnit> {
    let mut units: Vec<AccessUnit> = Vec::new();
    let took = async {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < span {
            let unit = session.next().await.unwrap();
            units.push(unit.expect("the camera ended the stream"));
        }
    };
    timeout(SOON, took).await.unwrap();
    units
}

/// A picture of the stream, whatever it takes.
async fn decodes(camera: &VirtualCamera) {
    let hub = hub(camera);
    let options = SnapshotOptions::default();
    let picture = timeout(SOON, hub.snapshot(&options)).await.unwrap();
    let picture = picture.unwrap();
    image::load_from_memory(&picture.data).unwrap();
}

/// C52.
#[tokio::test]
async fn a_session_is_kept_alive_by_whatever_the_camera_counts() {
    let kinds = [
        RtspKeepalive::Options,
        RtspKeepalive::GetParameter,
        RtspKeepalive::SetParameter,
    ];
    let kept = kinds.map(async |kind| {
        let camera = start(Quirks {
            rtsp_keepalive: Some(kind),
            session_timeout_s: Some(2),
            ..Quirks::default()
        })
        .await;
        let mut session = connect(&camera).await;
        let units = units(&mut session, Duration::from_secs(5)).await;
        assert!(units.len() > 60, "{kind:?}: {}", units.len());
    });
    join_all(kept).await;
}

/// C52, where nothing helps.
#[tokio::test]
async fn a_session_that_cannot_be_kept_alive_is_begun_anew() {
    let camera = start(Quirks {
        rtsp_keepalive: Some(RtspKeepalive::None),
        session_timeout_s: Some(1),
        ..Quirks::default()
    })
    .await;
    let hub = hub(&camera);
    let mut stream = hub.subscribe();
    let (mut gaps, mut units) = (0, 0);
    let flows = async {
        while gaps < 2 || units == 0 {
            match stream.next().await {
                Some(HubItem::Unit(_)) => units += 1,
                Some(_) => (gaps, units) = (gaps + 1, 0),
                None => panic!("the hub ended"),
            }
        }
    };
    timeout(SOON, flows).await.unwrap();
}

/// C53, VStarcam, Hikvision, Tenda and Reolink.
#[tokio::test]
async fn parameter_sets_of_the_stream_count_where_those_of_the_description_are_bad() {
    let kinds = [
        BadSprop::AnnexB,
        BadSprop::MissingPps,
        BadSprop::WrongLevel,
        BadSprop::NoBase64,
    ];
    let decoded = kinds.map(async |kind| {
        let camera = start(Quirks {
            bad_sprop: Some(kind),
            ..Quirks::default()
        })
        .await;
        decodes(&camera).await;
    });
    join_all(decoded).await;
}

/// C54, Reolink.
#[tokio::test]
async fn parameter_sets_that_come_late_are_waited_for() {
    let decoded = [VideoCodec::H264, VideoCodec::H265].map(async |codec| {
        let camera = VirtualCamera::builder()
            .stream(StreamSpec::new("late").video(codec))
            .credentials("admin", "secret")
            .quirks(Quirks {
                no_sprop: true,
                late_params_s: 3,
                ..Quirks::default()
            });
        let camera = camera.start().await.unwrap();
        let source = RtspSource::new(RtspOptions {
            url: camera.stream_url(2),
            ..options(&camera)
        });
        let hub = Hub::new(Arc::new(source.unwrap()), HubOptions::default());
        let options = SnapshotOptions::default();
        let snapshot = timeout(SOON, hub.snapshot(&options)).await.unwrap();
        image::load_from_memory(&snapshot.unwrap().data).unwrap();
    });
    join_all(decoded).await;
}

/// C55, live555 and Reolink.
#[tokio::test]
async fn packets_of_another_session_are_left_out() {
    let seen = [RtspTransport::Tcp, RtspTransport::Udp].map(async |transport| {
        let camera = start(Quirks {
            foreign_ssrc: true,
            ..Quirks::default()
        })
        .await;
        let mut options = options(&camera);
        options.transport = transport;
        let source = RtspSource::new(options).unwrap();
        let mut session = timeout(SOON, source.connect()).await.unwrap().unwrap();
        let units = units(&mut session, Duration::from_secs(3)).await;
        assert!(units.len() > 30, "{}", units.len());
        assert!(units.iter().all(|unit| unit.loss == 0));
    });
    join_all(seen).await;
}

/// C55.
#[tokio::test]
async fn packets_before_play_are_left_out() {
    let camera = start(Quirks {
        early_data: true,
        ..Quirks::default()
    })
    .await;
    let mut session = connect(&camera).await;
    let units = units(&mut session, Duration::from_secs(3)).await;
    assert!(units.iter().any(|unit| unit.random_access));
    assert!(units[1..].iter().all(|unit| unit.loss == 0));
}

/// C55, after a window of TCP was full.
#[tokio::test]
async fn a_connection_that_lost_bytes_is_left_for_another() {
    let camera = start(Quirks {
        desync_after_kb: Some(100),
        ..Quirks::default()
    })
    .await;
    let mut session = connect(&camera).await;
    let error = timeout(SOON, async {
        loop {
            if let Err(error) = session.next().await {
                return error;
            }
        }
    });
    let error = error.await.unwrap();
    let expected = matches!(error, Error::Misbehaved { .. } | Error::CapExceeded { .. });
    assert!(expected, "{error}");
    drop(session);
    decodes(&camera).await;
}

/// C56.
#[tokio::test]
async fn odd_headers_are_understood() {
    for header in [
        RtspHeader::TransportOrder,
        RtspHeader::NoInterleaved,
        RtspHeader::SchemelessBase,
        RtspHeader::RtpInfoSemicolon,
        RtspHeader::RtpInfoSequence,
        RtspHeader::NoContentType,
        RtspHeader::OddContentType,
    ] {
        let camera = start(Quirks {
            rtsp_header: Some(header),
            ..Quirks::default()
        })
        .await;
        let mut session = connect(&camera).await;
        let unit = timeout(SOON, session.next()).await.unwrap();
        let unit = unit.unwrap_or_else(|error| panic!("{header:?}: {error}"));
        assert_eq!(unit.unwrap().loss, 0, "{header:?}");
    }
}

/// C57.
#[tokio::test]
async fn jumps_of_the_rtp_time_do_not_show_in_presentation_time() {
    let seen = [-3600, -2, 40].map(async |rtp_jump_s| {
        let camera = start(Quirks {
            rtp_jump_s,
            ..Quirks::default()
        })
        .await;
        let mut session = connect(&camera).await;
        let units = units(&mut session, Duration::from_secs(5)).await;
        for pair in units.windows(2) {
            let step = pair[1].pts.checked_sub(pair[0].pts);
            let step = step.unwrap_or_else(|| panic!("{rtp_jump_s}: time goes back"));
            assert!(step < Duration::from_millis(1500), "{rtp_jump_s}: {step:?}");
        }
    });
    join_all(seen).await;
}

/// C57.
#[tokio::test]
async fn sender_reports_that_step_are_not_believed_for_long() {
    let camera = start(Quirks {
        sr_step_s: 3600,
        drift_ppm: 1200,
        ..Quirks::default()
    })
    .await;
    let mut session = connect(&camera).await;
    let units = units(&mut session, Duration::from_secs(7)).await;
    for unit in &units {
        let off = match unit.wall.time.elapsed() {
            Ok(ago) => ago,
            Err(ahead) => ahead.duration(),
        };
        assert!(
            off < Duration::from_secs(60) || unit.wall.origin == TimeOrigin::Receipt,
            "{off:?} {:?}",
            unit.wall
        );
    }
}

/// C57.
#[tokio::test]
async fn markers_in_the_wrong_place_and_a_wrong_frame_rate_do_not_matter() {
    let camera = start(Quirks {
        sei_mark: true,
        fps_lie: Some(1),
        ..Quirks::default()
    })
    .await;
    let mut session = connect(&camera).await;
    let units = units(&mut session, Duration::from_secs(3)).await;
    assert!(units.iter().all(|unit| unit.codec == Codec::H264));
    let seconds = (units[units.len() - 1].pts - units[0].pts).as_secs_f64();
    let rate = (units.len() - 1) as f64 / seconds;
    assert!((14.0..16.0).contains(&rate), "{rate}");
    decodes(&camera).await;
}

/// C58, Hikvision and WIWACAM.
#[tokio::test]
async fn a_place_that_a_stale_session_holds_is_waited_for() {
    let waited = [false, true].map(async |rtsp_full_503| {
        let camera = start(Quirks {
            max_rtsp_sessions: Some(1),
            stale_rtsp_sessions: true,
            session_timeout_s: Some(2),
            rtsp_full_503,
            ..Quirks::default()
        })
        .await;
        let address = camera.stream_url(0).socket_addrs(|| None).unwrap()[0];
        let network = FaultProxy::tcp(address, FaultProxyOptions::default());
        let network = network.await.unwrap();
        let mut url = camera.stream_url(0);
        url.set_port(Some(network.local_addr().port())).unwrap();
        let mut options = options(&camera);
        options.url = url;
        let crashing = RtspSource::new(options).unwrap();
        let first = timeout(SOON, crashing.connect()).await.unwrap().unwrap();
        let second = timeout(SOON, source(&camera).connect()).await.unwrap();
        match second.map(drop).unwrap_err() {
            Error::Refused { status, .. } => {
                assert_eq!(status, if rtsp_full_503 { 503 } else { 453 });
            }
            other => panic!("{other}"),
        }
        // Its client is gone without a word.
        network.reset_connections();
        drop(first);
        decodes(&camera).await;
    });
    join_all(waited).await;
}

/// Sessions that the camera ends.
#[tokio::test]
async fn a_session_that_the_camera_ends_is_begun_anew() {
    let camera = start(Quirks::default()).await;
    let hub = hub(&camera);
    let mut stream = hub.subscribe();
    for _ in 0..2 {
        let unit = async { while !matches!(stream.next().await, Some(HubItem::Unit(_))) {} };
        timeout(SOON, unit).await.unwrap();
        camera.end_rtsp_sessions();
        let gap = async { while matches!(stream.next().await, Some(HubItem::Unit(_))) {} };
        timeout(SOON, gap).await.unwrap();
    }
}

/// Loss, duplicates and disorder over UDP.
#[tokio::test]
async fn lost_doubled_and_late_packets_cost_pictures_and_are_counted() {
    let camera = start(Quirks {
        rtp_loss: 20,
        rtp_duplicate: 20,
        rtp_reorder: 20,
        rtp_seed: 5,
        ..Quirks::default()
    })
    .await;
    let mut options = options(&camera);
    options.transport = RtspTransport::Udp;
    let source = RtspSource::new(options).unwrap();
    let mut session = timeout(SOON, source.connect()).await.unwrap().unwrap();
    let units = units(&mut session, Duration::from_secs(4)).await;
    assert!(units.len() > 25, "{}", units.len());
    assert!(units.iter().any(|unit| unit.loss > 0));
    assert!(
        units
            .iter()
            .any(|unit| unit.random_access && unit.loss == 0)
    );
    assert!(units.windows(2).all(|pair| pair[0].pts <= pair[1].pts));
}

/// C59.
#[tokio::test]
async fn passwords_with_any_character_open_streams_and_snapshots() {
    for password in ["p@ss:w#?%0X", "%41&<\"'>\\ ^", "päßwörd🔑", ""] {
        let builder = VirtualCamera::builder().credentials("admin", password);
        let camera = builder.start().await.unwrap();
        let credentials = Some(Credentials::new("admin", password));
        for url in [camera.stream_url(0), camera.tunnel_url(0)] {
            let mut options = RtspOptions::new(url);
            options.credentials.clone_from(&credentials);
            let source = RtspSource::new(options).unwrap();
            let mut session = timeout(SOON, source.connect()).await.unwrap().unwrap();
            assert!(timeout(SOON, session.next()).await.unwrap().is_ok());
            session.close().await;
        }
        let mut options = HttpOptions::new(camera.snapshot_url());
        options.credentials = credentials;
        let source = HttpSource::new(options).unwrap();
        let snapshot = timeout(SOON, source.snapshot()).await.unwrap();
        assert!(snapshot.is_ok(), "{password}: {:?}", snapshot.err());
        assert_eq!(camera.observed().authentication_failures, 0, "{password}");
    }
}
