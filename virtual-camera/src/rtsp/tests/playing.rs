//! Playing, pausing and ending.

use tokio::net::UdpSocket;

use super::*;

#[tokio::test]
async fn tells_what_it_can_and_describes_both_streams() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let options = client.ask("OPTIONS", "/main", &[]).await;
    assert!(options.header("Public").contains("GET_PARAMETER"));
    for path in ["/main", "/sub"] {
        let answer = client.ask("DESCRIBE", path, &[]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("Content-Type"), "application/sdp");
        let base = format!("{}{path}/", client.base);
        assert_eq!(answer.header("Content-Base"), base);
        assert!(answer.body.contains("a=control:trackID=1\r\n"));
    }
}

#[tokio::test]
async fn plays_interleaved_from_the_place_it_announces() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let setup = client.ask("SETUP", "/main/trackID=1", &[TCP]).await;
    assert_eq!(setup.fields("Transport")["interleaved"], "4-5");
    let session = setup.session().to_owned();
    let play = client.ask("PLAY", "/main/", &[("Session", &session)]).await;
    assert_eq!(play.header("Range"), "npt=now-");
    let info = play.fields("RTP-Info");
    assert_eq!(info["url"], format!("{}/main/trackID=1", client.base));

    // A report comes first and speaks of the same clock.
    let report = client.packet(5).await;
    assert_eq!(report[1], 200);
    let first = client.packet(4).await;
    assert_eq!(sequence(&first).to_string(), info["seq"]);
    assert_eq!(timestamp(&first).to_string(), info["rtptime"]);
    assert_eq!(first[8..12], report[4..8]);
    let ssrc = u32::from_str_radix(setup.fields("Transport")["ssrc"], 16).unwrap();
    assert_eq!(first[8..12], ssrc.to_be_bytes());
    until_playing(&server, 1).await;

    let mut previous = first;
    for _ in 0..40 {
        let packet = client.packet(4).await;
        assert_eq!(sequence(&packet), sequence(&previous).wrapping_add(1));
        let ends = previous[1] & 0x80 != 0;
        let step = timestamp(&packet).wrapping_sub(timestamp(&previous));
        assert_eq!(step, if ends { 6_000 } else { 0 });
        previous = packet;
    }
}

#[tokio::test]
async fn plays_over_udp_and_says_bye() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let rtp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let rtcp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let [rtp_port, rtcp_port] = [&rtp, &rtcp].map(|socket| socket.local_addr().unwrap().port());
    let transport = format!("RTP/AVP;unicast;client_port={rtp_port}-{rtcp_port}");
    let setup = client
        .ask("SETUP", "/sub", &[("Transport", &transport)])
        .await;
    let session = setup.session().to_owned();
    let play = client.ask("PLAY", "/sub", &[("Session", &session)]).await;

    let mut packet = [0; 2048];
    let (length, from) = timeout(DEADLINE, rtp.recv_from(&mut packet))
        .await
        .unwrap()
        .unwrap();
    assert!(length > 12);
    assert_eq!(
        sequence(&packet).to_string(),
        play.fields("RTP-Info")["seq"]
    );
    let server_ports = setup.fields("Transport")["server_port"];
    assert!(server_ports.starts_with(&format!("{}-", from.port())));
    assert_eq!(from.port() % 2, 0);

    let teardown = client
        .ask("TEARDOWN", "/sub", &[("Session", &session)])
        .await;
    assert_eq!(teardown.status, 200);
    assert_eq!(server.sessions(), 0);
    let length = timeout(DEADLINE, rtcp.recv(&mut packet))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(packet[1], 200);
    assert!(!is_bye(&packet[..length]));
    let length = timeout(DEADLINE, rtcp.recv(&mut packet))
        .await
        .unwrap()
        .unwrap();
    assert!(is_bye(&packet[..length]));
}

#[tokio::test]
async fn shows_all_clients_the_same_live_picture() {
    let server = server(None).await;
    let mut clients = [
        Client::connect(&server).await,
        Client::connect(&server).await,
    ];
    // The wall clock of a report less its RTP time since PLAY is the same for everyone.
    let mut offsets = Vec::new();
    for client in &mut clients {
        let (_, play) = client.setup_and_play().await;
        let rtptime: u32 = play.fields("RTP-Info")["rtptime"].parse().unwrap();
        let report = client.packet(5).await;
        let word = |at: usize| u32::from_be_bytes(report[at..at + 4].try_into().unwrap());
        let wall = f64::from(word(8)) + f64::from(word(12)) / 4_294_967_296.0;
        let since = f64::from(word(16).wrapping_sub(rtptime)) / 90_000.0;
        offsets.push((wall - since) * 15.0);
    }
    // The frames they joined at are a whole number of frames apart.
    let frames = offsets[1] - offsets[0];
    assert!(frames >= -0.01, "{frames}");
    assert!((frames - frames.round()).abs() < 0.01, "{frames}");
}

#[tokio::test]
async fn pauses_and_goes_on_with_the_next_sequence_number() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let (session, _) = client.setup_and_play().await;
    let mut last = sequence(&client.packet(4).await);
    client
        .write("PAUSE", "/main", &[("Session", &session)])
        .await;
    let answer = loop {
        match client.read().await.unwrap() {
            Message::Packet(4, packet) => last = sequence(&packet),
            Message::Packet(..) => {}
            Message::Answer(answer) => break answer,
        }
    };
    assert_eq!(answer.status, 200);
    assert_eq!((playing(&server), server.sessions()), (0, 1));
    let again = client.ask("PAUSE", "/main", &[("Session", &session)]).await;
    assert_eq!(again.status, 455);

    let play = client.ask("PLAY", "/main", &[("Session", &session)]).await;
    let first = client.packet(4).await;
    assert_eq!(sequence(&first).to_string(), play.fields("RTP-Info")["seq"]);
    assert_eq!(sequence(&first), last.wrapping_add(1));
}

#[tokio::test]
async fn gives_a_second_session_of_a_connection_other_channels() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.setup("/main").await;
    let answer = client.ask("SETUP", "/sub", &[TCP]).await;
    assert_eq!(answer.fields("Transport")["interleaved"], "0-1");
}

#[tokio::test]
async fn sessions_end_with_the_connection_they_go_through() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    until_playing(&server, 1).await;
    drop(client);
    until_playing(&server, 0).await;
}

#[tokio::test]
async fn closes_all_sessions_and_serves_new_ones() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    client.packet(4).await;
    server.close_sessions();
    assert_eq!(server.sessions(), 0);
    assert!(is_bye(&client.last_packet(5).await.unwrap()));

    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    until_playing(&server, 1).await;
}

#[tokio::test]
async fn stops_when_it_is_dropped() {
    let server = server(None).await;
    let address = server.local_addr();
    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    client.packet(4).await;
    drop(server);
    assert!(is_bye(&client.last_packet(5).await.unwrap()));
    timeout(DEADLINE, async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the server stops listening");
}
