//! Streams of several tracks, and what is not video.

use super::*;

#[tokio::test]
async fn plays_all_tracks_of_a_session_from_where_it_announces() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let described = client.ask("DESCRIBE", "/all", &[]).await.body;
    assert_eq!(described.matches("\r\nm=").count(), 6);

    let mut session: Option<String> = None;
    for track in 1..=6 {
        let transport = format!(
            "RTP/AVP/TCP;unicast;interleaved={}-{}",
            2 * track,
            2 * track + 1
        );
        let mut headers = vec![("Transport", transport.as_str())];
        headers.extend(session.as_deref().map(|session| ("Session", session)));
        let answer = client
            .ask("SETUP", &format!("/all/trackID={track}"), &headers)
            .await;
        assert_eq!(answer.status, 200, "{track}");
        session = Some(answer.session().to_owned());
    }
    let session = session.unwrap();
    let play = client.ask("PLAY", "/all", &[("Session", &session)]).await;
    let info: Vec<&str> = play.header("RTP-Info").split(',').collect();
    assert_eq!(info.len(), 6);
    until_playing(&server, 1).await;

    // Of each track, its first packet is the one that was announced.
    let mut missing: Vec<u8> = (1..=6).collect();
    let mut reported: Vec<u8> = Vec::new();
    while !missing.is_empty() {
        let Some(Message::Packet(channel, packet)) = client.read().await else {
            panic!("no packet");
        };
        let track = channel / 2;
        if channel % 2 == 1 {
            reported.push(track);
            continue;
        }
        assert!(
            reported.contains(&track),
            "no report before the packets of {track}"
        );
        if let Some(at) = missing.iter().position(|missing| *missing == track) {
            missing.remove(at);
            let seq = format!("trackID={track};seq={};", sequence(&packet));
            assert!(
                info[usize::from(track) - 1].contains(&seq),
                "{info:?} {seq}"
            );
            let payload_type = [96, 96, 26, 97, 0, 107][usize::from(track) - 1];
            assert_eq!(packet[1] & 0x7f, payload_type);
        }
    }
    let answer = client
        .ask("TEARDOWN", "/all", &[("Session", &session)])
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(server.sessions(), 0);
}

#[tokio::test]
async fn a_stream_of_several_tracks_is_not_set_up_as_one() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    assert_eq!(client.ask("SETUP", "/all", &[TCP]).await.status, 459);
    assert_eq!(
        client.ask("SETUP", "/all/trackID=7", &[TCP]).await.status,
        404
    );
}

#[tokio::test]
async fn tells_the_state_first_and_then_what_happens() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let session = client.setup("/metadata/trackID=1").await;
    client
        .ask("PLAY", "/metadata", &[("Session", &session)])
        .await;
    let first = client.packet(4).await;
    assert_eq!(&first[12..], b"tns1:State");
    assert_eq!(first[1], 0x80 | 107);
    let events = vec![Event::new("tns1:A"), Event::new("tns1:B")];
    server.repertoire.events.send(events).unwrap();
    let second = client.packet(4).await;
    assert_eq!(&second[12..], b"tns1:A tns1:B");
    assert_eq!(sequence(&second), sequence(&first).wrapping_add(1));
}

#[tokio::test]
async fn a_client_that_misses_events_is_told_the_state_anew() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let session = client.setup("/metadata/trackID=1").await;
    client
        .ask("PLAY", "/metadata", &[("Session", &session)])
        .await;
    client.packet(4).await;
    for _ in 0..100 {
        server
            .repertoire
            .events
            .send(vec![Event::new("tns1:Storm")])
            .unwrap();
    }
    while &client.packet(4).await[12..] != b"tns1:State" {}
}
