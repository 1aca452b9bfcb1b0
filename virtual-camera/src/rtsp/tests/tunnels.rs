//! RTSP through HTTP on the port of RTSP.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;

async fn connect(server: &RtspServer, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// The answers of a tunnel, of which the head was read.
async fn get(server: &RtspServer, cookie: &str) -> Client {
    let head = format!("GET /main HTTP/1.0\r\nx-sessioncookie: {cookie}\r\n\r\n");
    let mut stream = connect(server, &head).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(DEADLINE, stream.read_u8()).await.unwrap().unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.0 200 "), "{head}");
    assert!(head.contains("application/x-rtsp-tunnelled"));
    Client {
        stream,
        base: String::new(),
        sequence: 0,
    }
}

async fn post(server: &RtspServer, cookie: &str) -> TcpStream {
    let head = format!(
        "POST /main HTTP/1.0\r\nX-SessionCookie: {cookie}\r\nContent-Length: 32767\r\n\r\n"
    );
    connect(server, &head).await
}

async fn ask(post: &mut TcpStream, get: &mut Client, request: &str) -> Answer {
    let request = format!("{request}\r\n\r\n");
    post.write_all(BASE64.encode(request).as_bytes())
        .await
        .unwrap();
    get.answer().await
}

#[tokio::test]
async fn plays_through_a_tunnel_until_its_get_ends() {
    let server = server(None).await;
    let mut get = get(&server, "c1").await;
    let mut post = post(&server, "c1").await;
    let setup = ask(
        &mut post,
        &mut get,
        "SETUP rtsp://h/main/trackID=1 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1",
    )
    .await;
    assert_eq!(setup.status, 200);
    let play = format!(
        "PLAY rtsp://h/main RTSP/1.0\r\nCSeq: 2\r\nSession: {}",
        setup.session()
    );
    assert_eq!(ask(&mut post, &mut get, &play).await.status, 200);
    get.packet(0).await;
    until_playing(&server, 1).await;
    drop(get);
    until_playing(&server, 0).await;
}

#[tokio::test]
async fn requests_may_go_on_in_another_post() {
    let server = server(None).await;
    let mut get = get(&server, "c2").await;
    for sequence in 1..3 {
        let mut post = post(&server, "c2").await;
        let request = format!("OPTIONS * RTSP/1.0\r\nCSeq: {sequence}");
        let answer = ask(&mut post, &mut get, &request).await;
        assert_eq!(answer.header("CSeq"), sequence.to_string());
    }
}

#[tokio::test]
async fn a_post_without_its_get_is_closed() {
    let server = server(None).await;
    let mut post = post(&server, "c3").await;
    let ended = timeout(DEADLINE, post.read_u8()).await.unwrap();
    assert!(ended.is_err());
}
