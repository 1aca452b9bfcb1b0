//! The fault proxy between sockets of the operating system.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use virtual_camera::{FaultProxy, FaultProxyOptions, Faults, LinkFaults};

const DEADLINE: Duration = Duration::from_secs(30);

fn to_client(faults: LinkFaults) -> Faults {
    Faults {
        to_client: faults,
        ..Default::default()
    }
}

fn options(faults: Faults) -> FaultProxyOptions {
    FaultProxyOptions {
        faults,
        ..Default::default()
    }
}

/// A proxy before a server, and a connection through it: the client's end and the server's.
async fn connected(faults: Faults) -> (FaultProxy, TcpListener, TcpStream, TcpStream) {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = server.local_addr().unwrap();
    let proxy = FaultProxy::tcp(target, options(faults)).await.unwrap();
    let client = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let (served, _) = server.accept().await.unwrap();
    (proxy, server, client, served)
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap()
}

#[tokio::test]
async fn without_faults_both_directions_pass_and_close_one_by_one() {
    let (proxy, _server, mut client, mut served) = connected(Faults::default()).await;
    let question = vec![1; 300_000];
    let asking = async {
        client.write_all(&question).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answering = async {
        let mut asked = Vec::new();
        served.read_to_end(&mut asked).await.unwrap();
        served.write_all(b"answer").await.unwrap();
        served.shutdown().await.unwrap();
        asked
    };
    let (answer, asked) = within(futures::future::join(asking, answering)).await;
    assert!(asked == question);
    assert_eq!(answer, b"answer");
    let counters = proxy.counters();
    assert_eq!(counters.to_server.bytes, 300_000);
    assert_eq!(counters.to_client.bytes, 6);
    assert_eq!((counters.connections, counters.reset), (1, 0));
}

#[tokio::test]
async fn a_cut_ends_in_order_at_the_byte_in_either_direction() {
    let cut = LinkFaults {
        cut_after: Some(5),
        ..Default::default()
    };
    let (proxy, _server, mut client, mut served) = connected(Faults {
        to_server: cut.clone(),
        to_client: LinkFaults::default(),
        ..Default::default()
    })
    .await;
    client.write_all(b"a question").await.unwrap();
    let mut asked = String::new();
    within(served.read_to_string(&mut asked)).await.unwrap();
    assert_eq!(asked, "a que");
    assert_eq!(proxy.counters().cut, 1);

    let (_proxy, _server, mut client, mut served) = connected(to_client(cut)).await;
    served.write_all(b"an answer").await.unwrap();
    let mut answer = String::new();
    within(client.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(answer, "an an");
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_reset_is_one_on_both_sides() {
    let (proxy, _server, mut client, mut served) = connected(to_client(LinkFaults {
        reset_after: Some(3),
        ..Default::default()
    }))
    .await;
    served.write_all(b"answer").await.unwrap();
    let mut answer = Vec::new();
    let error = within(client.read_to_end(&mut answer)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let error = within(served.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(proxy.counters().reset, 1);
}

#[tokio::test]
async fn a_half_open_connection_says_nothing_until_it_is_healed() {
    let (proxy, _server, mut client, mut served) = connected(Faults::default()).await;
    let stalled = LinkFaults {
        stall_after: Some(0),
        ..Default::default()
    };
    proxy.set_faults(to_client(stalled));
    assert_eq!(proxy.faults().to_client.stall_after, Some(0));
    client.write_all(b"?").await.unwrap();
    within(served.read_exact(&mut [0])).await.unwrap();
    served.write_all(b"!").await.unwrap();
    let mut answer = [0];
    let waiting = tokio::time::timeout(Duration::from_millis(100), client.read(&mut answer)).await;
    assert!(waiting.is_err());
    proxy.set_faults(Faults::default());
    within(client.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"!");
    assert_eq!(proxy.counters().to_client.stalled, 1);
}

#[tokio::test]
async fn the_same_seed_corrupts_the_same_bytes() {
    let received = async |seed| {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut options = options(to_client(LinkFaults {
            corrupt: 0.01,
            ..Default::default()
        }));
        options.seed = seed;
        let proxy = FaultProxy::tcp(server.local_addr().unwrap(), options);
        let proxy = proxy.await.unwrap();
        let mut client = TcpStream::connect(proxy.local_addr()).await.unwrap();
        let (mut served, _) = server.accept().await.unwrap();
        served.write_all(&[0; 10_000]).await.unwrap();
        drop(served);
        let mut received = Vec::new();
        within(client.read_to_end(&mut received)).await.unwrap();
        let corrupted = received.iter().filter(|byte| **byte != 0).count();
        assert_eq!(proxy.counters().to_client.corrupted, corrupted as u64);
        assert!((50..200).contains(&corrupted), "{corrupted}");
        received
    };
    let first = received(1).await;
    assert_eq!(first, received(1).await);
    assert_ne!(first, received(2).await);
}

#[tokio::test]
async fn connections_are_refused_and_welcome_again_while_open_ones_go_on() {
    let (proxy, server, mut client, mut served) = connected(Faults::default()).await;
    proxy.set_faults(Faults {
        refuse: true,
        ..Default::default()
    });
    // Until its task has heard of it, connections are accepted, and then reset.
    let refused = async {
        let refused = |error: std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
        while !TcpStream::connect(proxy.local_addr())
            .await
            .is_err_and(refused)
        {
            tokio::task::yield_now().await;
        }
    };
    within(refused).await;
    client.write_all(b"?").await.unwrap();
    within(served.read_exact(&mut [0])).await.unwrap();

    proxy.set_faults(Faults::default());
    let welcome = async {
        while TcpStream::connect(proxy.local_addr()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    within(welcome).await;
    within(server.accept()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_reset() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = nobody.local_addr().unwrap();
    drop(nobody);
    let proxy = FaultProxy::tcp(target, FaultProxyOptions::default());
    let proxy = proxy.await.unwrap();
    let mut client = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let error = within(client.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(proxy.counters().unreachable, 1);
}

#[tokio::test]
async fn all_connections_are_reset_at_once_and_new_ones_served() {
    let (proxy, server, mut client, _served) = connected(Faults::default()).await;
    proxy.reset_connections();
    let error = within(client.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let mut client = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let (mut served, _) = within(server.accept()).await.unwrap();
    served.write_all(b"!").await.unwrap();
    within(client.read_exact(&mut [0])).await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_is_dropped_takes_its_connections_with_it() {
    let (proxy, _server, mut client, mut served) = connected(Faults::default()).await;
    let address = proxy.local_addr();
    drop(proxy);
    assert_eq!(within(client.read(&mut [0])).await.unwrap_or(0), 0);
    assert_eq!(within(served.read(&mut [0])).await.unwrap_or(0), 0);
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn an_address_that_cannot_be_had_is_an_error() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let options = FaultProxyOptions {
        listen: taken.local_addr().unwrap(),
        ..Default::default()
    };
    let error = FaultProxy::tcp(options.listen, options).await.unwrap_err();
    assert!(error.to_string().contains("fault proxy"), "{error}");
}

/// A UDP proxy before a server, and a client that talks to it.
async fn udp(faults: Faults) -> (FaultProxy, UdpSocket, UdpSocket) {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = server.local_addr().unwrap();
    let proxy = FaultProxy::udp(target, options(faults)).await.unwrap();
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    client.connect(proxy.local_addr()).await.unwrap();
    (proxy, server, client)
}

async fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2000];
    let (length, peer) = within(socket.recv_from(&mut buffer)).await.unwrap();
    (buffer[..length].to_vec(), peer)
}

#[tokio::test]
async fn each_udp_client_gets_its_own_answers() {
    let (proxy, server, first) = udp(Faults::default()).await;
    let second = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    second.connect(proxy.local_addr()).await.unwrap();
    for client in [&first, &second] {
        let question = client.local_addr().unwrap().to_string();
        client.send(question.as_bytes()).await.unwrap();
        let (asked, peer) = receive(&server).await;
        server.send_to(&asked, peer).await.unwrap();
        let (answer, from) = receive(client).await;
        assert_eq!(answer, question.as_bytes());
        assert_eq!(from, proxy.local_addr());
    }
    assert_eq!(proxy.counters().connections, 2);
}

#[tokio::test]
async fn datagrams_are_lost_and_duplicated_as_the_counters_say() {
    let (proxy, server, client) = udp(Faults {
        to_server: LinkFaults {
            drop: 0.3,
            duplicate: 0.3,
            ..Default::default()
        },
        ..Default::default()
    })
    .await;
    for number in 0..100_u8 {
        client.send(&[number]).await.unwrap();
    }
    let mut received = Vec::new();
    loop {
        let counters = proxy.counters().to_server;
        let met = counters.datagrams + counters.dropped - counters.duplicated;
        if met == 100 && received.len() as u64 == counters.datagrams {
            break;
        }
        received.push(receive(&server).await.0[0]);
    }
    assert!(received.is_sorted());
    let counters = proxy.counters().to_server;
    assert!((15..45).contains(&counters.dropped), "{counters:?}");
    assert!((8..38).contains(&counters.duplicated), "{counters:?}");
}

#[tokio::test]
async fn datagrams_overtake_one_another() {
    let (_proxy, server, client) = udp(Faults {
        to_server: LinkFaults {
            reorder: 1.0,
            ..Default::default()
        },
        ..Default::default()
    })
    .await;
    for number in 0..4_u8 {
        client.send(&[number]).await.unwrap();
    }
    let mut received = Vec::new();
    for _ in 0..4 {
        received.push(receive(&server).await.0[0]);
    }
    assert_ne!(received, [0, 1, 2, 3]);
    received.sort_unstable();
    assert_eq!(received, [0, 1, 2, 3]);
}

#[tokio::test]
async fn nothing_of_a_refused_udp_client_passes() {
    let (proxy, server, client) = udp(Faults {
        refuse: true,
        ..Default::default()
    })
    .await;
    client.send(b"lost").await.unwrap();
    let lost = async {
        while proxy.counters().to_server.dropped == 0 {
            tokio::task::yield_now().await;
        }
    };
    within(lost).await;
    proxy.set_faults(Faults::default());
    client.send(b"passed").await.unwrap();
    assert_eq!(receive(&server).await.0, b"passed");
}
