//! What many receive together.

use tokio::net::UdpSocket;

use super::*;

const MULTICAST: (&str, &str) = ("Transport", "RTP/AVP;multicast");

async fn member(setup: &Answer) -> UdpSocket {
    let transport = setup.fields("Transport");
    assert_eq!(transport["destination"], GROUP.to_string());
    let (rtp, _) = transport["port"].split_once('-').unwrap();
    let socket = UdpSocket::bind((GROUP, rtp.parse().unwrap()))
        .await
        .unwrap();
    socket
        .join_multicast_v4(GROUP, Ipv4Addr::LOCALHOST)
        .unwrap();
    socket
}

async fn received(socket: &UdpSocket) -> Vec<u8> {
    let mut packet = vec![0; 2048];
    let length = timeout(DEADLINE, socket.recv(&mut packet))
        .await
        .unwrap()
        .unwrap();
    packet.truncate(length);
    packet
}

#[tokio::test]
async fn a_group_gets_each_packet_once_whoever_asked_for_it() {
    let server = server(None).await;
    let mut clients = [
        Client::connect(&server).await,
        Client::connect(&server).await,
    ];
    let mut sessions = Vec::new();
    let mut setups = Vec::new();
    for client in &mut clients {
        let setup = client.ask("SETUP", "/main", &[MULTICAST]).await;
        assert_eq!(setup.status, 200);
        sessions.push(setup.session().to_owned());
        setups.push(setup);
    }
    assert_eq!(setups[0].header("Transport"), setups[1].header("Transport"));
    let socket = member(&setups[0]).await;
    for (client, session) in clients.iter_mut().zip(&sessions) {
        let play = client.ask("PLAY", "/main", &[("Session", session)]).await;
        assert_eq!(play.status, 200);
    }
    until_playing(&server, 2).await;
    let mut last = sequence(&received(&socket).await);
    let [first, second] = &mut clients;
    for leaving in [None, Some((first, &sessions[0]))] {
        if let Some((client, session)) = leaving {
            client
                .ask("TEARDOWN", "/main", &[("Session", session)])
                .await;
        }
        for _ in 0..10 {
            let next = sequence(&received(&socket).await);
            assert_eq!(next, last.wrapping_add(1));
            last = next;
        }
    }
    let session = ("Session", sessions[1].as_str());
    assert_eq!(
        second.ask("TEARDOWN", "/main", &[session]).await.status,
        200
    );
    assert_eq!(server.sessions(), 0);
}

#[tokio::test]
async fn a_stream_goes_to_its_group_without_a_client() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let setup = client.ask("SETUP", "/main", &[MULTICAST]).await;
    let socket = member(&setup).await;
    let url = Url::parse("rtsp://h/main").unwrap();
    server.start_multicast(&url).unwrap();
    received(&socket).await;
    server.stop_multicast(&url);
}
