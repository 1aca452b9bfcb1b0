//! Streams over bad networks: every session ends with an error that says why, and the next one plays.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use media_pipeline::{
    Error, ErrorKind, RtspOptions, RtspSource, RtspTransport, Source as _, SourceSession,
};
use tokio::time::timeout;
use virtual_camera::{Drip, FaultProxy, FaultProxyOptions, Faults, LinkFaults, VirtualCamera};

const SOON: Duration = Duration::from_secs(30);

/// A camera, the network before it, and a stream that is reached through that.
async fn network() -> (VirtualCamera, FaultProxy, RtspSource) {
    let camera = VirtualCamera::builder().start().await.unwrap();
    let address = camera.stream_url(0).socket_addrs(|| None).unwrap()[0];
    let proxy = FaultProxy::tcp(address, FaultProxyOptions::default());
    let proxy = proxy.await.unwrap();
    let mut url = camera.stream_url(0);
    url.set_port(Some(proxy.local_addr().port())).unwrap();
    let mut options = RtspOptions::new(url);
    options.idle_timeout = Duration::from_secs(1);
    options.connect_timeout = Duration::from_secs(5);
    assert_eq!(options.transport, RtspTransport::Tcp);
    (camera, proxy, RtspSource::new(options).unwrap())
}

async fn play(source: &RtspSource) -> Box<dyn SourceSession> {
    let mut session = timeout(SOON, source.connect()).await.unwrap().unwrap();
    for _ in 0..5 {
        let unit = timeout(SOON, session.next()).await.unwrap();
        assert!(unit.unwrap().is_some());
    }
    session
}

/// Why a session ends.
async fn end(mut session: Box<dyn SourceSession>) -> Error {
    let ended = async {
        loop {
            match session.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended without a reason"),
                Err(error) => return error,
            }
        }
    };
    timeout(SOON, ended).await.unwrap()
}

fn to_client(faults: LinkFaults) -> Faults {
    Faults {
        to_client: faults,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_or_falls_silent_says_so_and_is_played_again() {
    let (_camera, proxy, source) = network().await;
    for (faults, kind) in [
        (
            LinkFaults {
                cut_after: Some(0),
                ..Default::default()
            },
            ErrorKind::Network,
        ),
        (
            LinkFaults {
                reset_after: Some(0),
                ..Default::default()
            },
            ErrorKind::Network,
        ),
        (
            LinkFaults {
                stall_after: Some(0),
                ..Default::default()
            },
            ErrorKind::Stalled,
        ),
        (
            LinkFaults {
                latency: SOON,
                ..Default::default()
            },
            ErrorKind::Stalled,
        ),
    ] {
        let session = play(&source).await;
        proxy.set_faults(to_client(faults.clone()));
        let error = end(session).await;
        assert_eq!(error.kind(), kind, "{faults:?}: {error}");
        proxy.set_faults(Faults::default());
    }
    play(&source).await;
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_an_error_in_time() {
    let (_camera, proxy, source) = network().await;
    let refused = Faults {
        refuse: true,
        ..Default::default()
    };
    let silent = to_client(LinkFaults {
        stall_after: Some(100),
        ..Default::default()
    });
    let dripping = to_client(LinkFaults {
        drip: Some(Drip {
            bytes: 1,
            every: Duration::from_millis(200),
        }),
        ..Default::default()
    });
    let reset = to_client(LinkFaults {
        reset_after: Some(300),
        ..Default::default()
    });
    for (faults, kind) in [
        (silent, ErrorKind::Stalled),
        (dripping, ErrorKind::Stalled),
        (reset, ErrorKind::Network),
        (refused, ErrorKind::Network),
    ] {
        proxy.set_faults(faults.clone());
        // It takes a moment to close a port, and to open it.
        let failed = async {
            loop {
                if let Err(error) = source.connect().await {
                    return error;
                }
            }
        };
        let error = timeout(SOON, failed).await.unwrap();
        assert_eq!(error.kind(), kind, "{faults:?}: {error}");
        assert!(error.is_transient(), "{error}");
    }
    proxy.set_faults(Faults::default());
    let plays = async { while source.connect().await.is_err() {} };
    timeout(SOON, plays).await.unwrap();
}

#[tokio::test]
async fn corrupt_streams_end_with_an_error_or_go_on_and_never_panic() {
    let (_camera, proxy, source) = network().await;
    for corrupt in [0.0001, 0.001, 0.01] {
        let mut session = play(&source).await;
        proxy.set_faults(to_client(LinkFaults {
            corrupt,
            ..Default::default()
        }));
        let some = async { while let Ok(Some(_)) = session.next().await {} };
        // Either is right: what is flipped may be in a picture, where nobody sees it before the decoder.
        let _ = timeout(Duration::from_secs(2), some).await;
        proxy.set_faults(Faults::default());
    }
    assert!(proxy.counters().to_client.corrupted > 100);
    play(&source).await;
}
