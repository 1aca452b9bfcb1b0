//! What is refused, to whom, and what ends by itself.

use http_auth::{PasswordClient, PasswordParams};

use super::*;
use crate::digest::Algorithm;

#[tokio::test]
async fn refuses_with_the_status_of_the_reason() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let session = client.setup("/main").await;
    let session = ("Session", session.as_str());
    let transport = |value| ("Transport", value);
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);
    let cases: &[Case<'_>] = &[
        ("DESCRIBE", "/other", &[], 404),
        ("DESCRIBE", "/main", &[("Accept", "text/html")], 406),
        ("DESCRIBE", "/main", &[("Require", "onvif-replay")], 551),
        ("SETUP", "/main", &[], 400),
        (
            "SETUP",
            "/main",
            &[transport("RTP/SAVP;client_port=6-7")],
            461,
        ),
        (
            "SETUP",
            "/main",
            &[transport("RTP/AVP;client_port=6-7;destination=192.0.2.1")],
            463,
        ),
        ("SETUP", "/sub", &[TCP, session], 459),
        ("SETUP", "/main", &[TCP, ("Session", "none")], 454),
        ("PLAY", "/main", &[], 454),
        ("PLAY", "/sub", &[session], 454),
        ("PLAY", "/main", &[session, ("Range", "npt=10-20")], 457),
        ("PAUSE", "/main", &[session], 455),
        ("TEARDOWN", "/main", &[("Session", "none")], 454),
        ("GET_PARAMETER", "/main", &[("Session", "none")], 454),
        ("ANNOUNCE", "/new", &[], 415),
        (
            "ANNOUNCE",
            "/main",
            &[("Content-Type", "application/sdp")],
            403,
        ),
        (
            "ANNOUNCE",
            "/new",
            &[("Content-Type", "application/sdp")],
            400,
        ),
        ("RECORD", "/main", &[session], 455),
        (
            "SETUP",
            "/main",
            &[transport("RTP/AVP/TCP;mode=record")],
            455,
        ),
        ("REDIRECT", "/main", &[], 405),
        ("DANCE", "/main", &[], 501),
    ];
    for (method, path, headers, status) in cases {
        let answer = client.ask(method, path, headers).await;
        assert_eq!(answer.status, *status, "{method} {path} {headers:?}");
    }
    // The session and the connection have survived all of it.
    let answer = client.ask("SETUP", "/main", &[TCP, session]).await;
    assert_eq!(answer.status, 200);
    let session = answer.session().to_owned();
    let session = ("Session", session.as_str());
    assert_eq!(client.ask("PLAY", "/main", &[session]).await.status, 200);
    let answer = client.ask("SETUP", "/main", &[TCP, session]).await;
    assert_eq!(answer.status, 455);
}

#[tokio::test]
async fn lets_in_who_answers_any_of_its_challenges() {
    let auth = DigestServer::new(
        "camera",
        "admin",
        "secret",
        &[Algorithm::Md5, Algorithm::Sha256],
    );
    let server = server(Some(auth)).await;
    let mut client = Client::connect(&server).await;
    assert_eq!(client.ask("OPTIONS", "/main", &[]).await.status, 200);
    let refused = client.ask("DESCRIBE", "/main", &[]).await;
    assert_eq!(refused.status, 401);
    let challenges: Vec<_> = refused.all("WWW-Authenticate").collect();
    assert_eq!(challenges.len(), 2);
    assert!(challenges[0].contains("SHA-256") && challenges[1].contains("MD5"));

    for challenge in challenges {
        let mut credentials = PasswordClient::builder()
            .challenges(challenge)
            .build()
            .unwrap();
        let mut session: Option<String> = None;
        for (method, path) in [
            ("DESCRIBE", "/main"),
            ("SETUP", "/main/trackID=1"),
            ("PLAY", "/main/"),
        ] {
            let authorization = credentials
                .respond(&PasswordParams {
                    username: "admin",
                    password: "secret",
                    uri: &format!("{}{path}", client.base),
                    method,
                    body: None,
                })
                .unwrap();
            let mut headers = vec![TCP];
            if let Some(session) = &session {
                headers.push(("Session", session));
            }
            assert_eq!(client.ask(method, path, &headers).await.status, 401);
            headers.push(("Authorization", &authorization));
            let answer = client.ask(method, path, &headers).await;
            assert_eq!(answer.status, 200, "{method}");
            // The same answer again is a replay.
            let replayed = client.ask(method, path, &headers).await;
            assert!(replayed.header("WWW-Authenticate").ends_with("stale=true"));
            session = session.or(answer.all("Session").next().map(str::to_owned));
        }
    }
    server.set_auth(None);
    assert_eq!(client.ask("DESCRIBE", "/main", &[]).await.status, 200);
}

#[tokio::test]
async fn a_bad_request_costs_only_its_connection() {
    let server = server(None).await;
    let mut good = Client::connect(&server).await;
    good.setup_and_play().await;
    for (request, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], 400),
        (
            b"OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
            413,
        ),
        (&[b'a'; 20 << 10], 400),
    ] {
        let mut bad = Client::connect(&server).await;
        bad.stream.write_all(request).await.unwrap();
        let Some(Message::Answer(answer)) = bad.read().await else {
            panic!("no answer");
        };
        assert_eq!(answer.status, status);
        assert!(bad.read().await.is_none());
    }
    good.packet(4).await;
    assert_eq!(server.sessions(), 1);
}

#[tokio::test]
async fn ends_a_session_that_is_not_kept_alive() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let kept = client.setup("/main").await;
    let lost = client.setup("/sub").await;
    for method in ["GET_PARAMETER", "SET_PARAMETER", "OPTIONS"] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(40)).await;
        tokio::time::resume();
        let answer = client.ask(method, "/main", &[("Session", &kept)]).await;
        assert_eq!(answer.status, 200, "{method}");
    }
    let answer = client.ask("PLAY", "/sub", &[("Session", &lost)]).await;
    assert_eq!(answer.status, 454);
}

#[tokio::test]
async fn closes_a_connection_that_nobody_uses() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.ask("OPTIONS", "/main", &[]).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert!(client.read().await.is_none());
}

#[tokio::test]
async fn refuses_one_session_too_many() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    for _ in 0..64 {
        client.setup("/main").await;
    }
    assert_eq!(client.ask("SETUP", "/main", &[TCP]).await.status, 453);
}
