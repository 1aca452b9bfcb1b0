//! Clients that send.

use tokio::net::UdpSocket;

use super::*;

const SDP: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n\
    a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:streamid=0\r\n";

fn packet(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0xe0];
    packet.extend(sequence.to_be_bytes());
    packet.extend(u32::from(sequence).to_be_bytes());
    packet.extend([0, 0, 0, 7, 0x41, sequence as u8]);
    packet
}

async fn announce(client: &mut Client) -> Answer {
    let kind = ("Content-Type", "application/sdp");
    client
        .write_with_body("ANNOUNCE", "/live", &[kind], SDP)
        .await;
    client.answer().await
}

async fn publish(client: &mut Client, transport: &str) -> Answer {
    assert_eq!(announce(client).await.status, 200);
    let setup = client
        .ask("SETUP", "/live/streamid=0", &[("Transport", transport)])
        .await;
    assert_eq!(setup.status, 200);
    let session = ("Session", setup.session());
    assert_eq!(client.ask("RECORD", "/live", &[session]).await.status, 200);
    setup
}

async fn send(client: &mut Client, channel: u8, packet: &[u8]) {
    let head = [b'$', channel, 0, packet.len() as u8];
    client
        .stream
        .write_all(&[&head, packet].concat())
        .await
        .unwrap();
}

/// Waits until so many packets are recorded.
async fn until_recorded(server: &RtspServer, packets: usize) -> Recording {
    timeout(DEADLINE, async {
        loop {
            let mut recordings = server.recordings();
            if recordings[0].tracks[0].packets.len() >= packets {
                return recordings.remove(0);
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("packets are recorded")
}

#[tokio::test]
async fn records_what_a_publisher_sends_and_plays_it_to_others() {
    let server = server(None).await;
    let mut publisher = Client::connect(&server).await;
    publish(
        &mut publisher,
        "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record",
    )
    .await;
    send(&mut publisher, 0, &packet(1)).await;
    send(&mut publisher, 1, &[0x80, 200]).await;
    let recording = until_recorded(&server, 1).await;
    assert!(recording.is_live);
    assert_eq!(
        (recording.path.as_str(), recording.sdp.as_str()),
        ("/live", SDP)
    );
    assert_eq!(recording.tracks[0].encoding, "H264");

    // A player is shown what comes from now on.
    let mut player = Client::connect(&server).await;
    let described = player.ask("DESCRIBE", "/live", &[]).await;
    assert!(described.body.contains("m=video 0 RTP/AVP 96\r\n"));
    assert!(described.body.contains("a=control:trackID=1\r\n"));
    let session = player.setup("/live/trackID=1").await;
    let session = ("Session", session.as_str());
    assert_eq!(player.ask("PLAY", "/live", &[session]).await.status, 200);
    until_playing(&server, 1).await;
    send(&mut publisher, 0, &packet(2)).await;
    assert_eq!(player.packet(4).await, packet(2));
    assert_eq!(player.ask("RECORD", "/live", &[session]).await.status, 455);

    // When the publisher is gone, the player is told, and another is shown it from its start.
    drop(publisher);
    assert!(is_bye_of_7(&player.packet(5).await));
    let recording = until_recorded(&server, 2).await;
    assert!(!recording.is_live);
    assert_eq!(recording.tracks[0].reports.len(), 1);
    assert_eq!(
        recording.tracks[0].access_units(),
        [[0, 0, 0, 1, 0x41, 1], [0, 0, 0, 1, 0x41, 2]]
    );
    let mut late = Client::connect(&server).await;
    let session = late.setup("/live").await;
    let play = late.ask("PLAY", "/live", &[("Session", &session)]).await;
    assert_eq!(play.fields("RTP-Info")["seq"], "1");
    assert_eq!(late.packet(4).await, packet(1));
}

fn is_bye_of_7(packet: &[u8]) -> bool {
    packet.ends_with(&[0x81, 203, 0, 1, 0, 0, 0, 7])
}

#[tokio::test]
async fn records_by_udp_until_teardown() {
    let server = server(None).await;
    let mut publisher = Client::connect(&server).await;
    let rtp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = rtp.local_addr().unwrap().port();
    let transport = format!(
        "RTP/AVP/UDP;unicast;client_port={port}-{};mode=record",
        port ^ 1
    );
    let setup = publish(&mut publisher, &transport).await;
    let ports = setup.fields("Transport")["server_port"].to_owned();
    let (theirs, _) = ports.split_once('-').unwrap();
    rtp.connect((Ipv4Addr::LOCALHOST, theirs.parse().unwrap()))
        .await
        .unwrap();
    rtp.send(&packet(9)).await.unwrap();
    until_recorded(&server, 1).await;
    let session = ("Session", setup.session());
    let teardown = publisher.ask("TEARDOWN", "/live", &[session]).await;
    assert_eq!(teardown.status, 200);
    assert!(!server.recordings()[0].is_live);
}

#[tokio::test]
async fn lets_nobody_take_the_place_of_a_publisher() {
    let server = server(None).await;
    let mut first = Client::connect(&server).await;
    let mut second = Client::connect(&server).await;
    assert_eq!(announce(&mut second).await.status, 200);
    let tcp = "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record";
    publish(&mut first, tcp).await;
    assert_eq!(announce(&mut second).await.status, 403);
    send(&mut first, 0, &packet(1)).await;
    until_recorded(&server, 1).await;
    assert_eq!(server.recordings().len(), 1);
}

#[tokio::test]
async fn a_track_that_is_set_up_again_is_received_in_its_new_channels_only() {
    let server = server(None).await;
    let mut publisher = Client::connect(&server).await;
    let setup = publish(
        &mut publisher,
        "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record",
    )
    .await;
    let again = (
        "Transport",
        "RTP/AVP/TCP;unicast;interleaved=6-7;mode=record",
    );
    let session = ("Session", setup.session());
    let again = publisher
        .ask("SETUP", "/live/streamid=0", &[again, session])
        .await;
    assert_eq!(again.fields("Transport")["interleaved"], "6-7");
    send(&mut publisher, 0, &packet(1)).await;
    send(&mut publisher, 6, &packet(2)).await;
    let recording = until_recorded(&server, 1).await;
    assert_eq!(recording.tracks[0].packets, [packet(2)]);
}
