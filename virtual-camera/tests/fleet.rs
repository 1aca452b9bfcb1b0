//! Many cameras in one process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use virtual_camera::{Discovery, Fleet, Quirks, VirtualCamera};

const CAMERAS: usize = 1000;
const DEADLINE: Duration = Duration::from_secs(30);
/// How much memory may be resident, in KiB.
const MEMORY: u64 = 300 * 1024;

/// The serial number, asked with plain HTTP.
async fn serial(camera: &VirtualCamera) -> String {
    let url = camera.device_url();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let body = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>\
        <GetDeviceInformation xmlns='http://www.onvif.org/ver10/device/wsdl'/></s:Body></s:Envelope>";
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        url.path(),
        body.len()
    );
    let mut stream = TcpStream::connect((host, port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, serial) = answer.split_once("<tds:SerialNumber>").unwrap();
    serial.split('<').next().unwrap().to_owned()
}

/// What this process holds in memory, in KiB, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cameras_are_cheap_while_idle_and_answer_in_time() {
    #[cfg(unix)]
    rlimit::increase_nofile_limit(4 * CAMERAS as u64).unwrap();
    let start = Instant::now();
    let fleet = Fleet::builder().count(CAMERAS).seed(7);
    let fleet = fleet.start().await.unwrap();
    let (started, idle) = (start.elapsed(), resident());
    println!("{CAMERAS} cameras started in {started:?}; {idle:?} KiB");

    let start = Instant::now();
    let asked = stream::iter(fleet.cameras())
        .map(serial)
        .buffer_unordered(32);
    let serials = tokio::time::timeout(DEADLINE, asked.collect::<BTreeSet<_>>());
    let serials = serials.await.expect("all answer in time");
    println!(
        "all answered in {:?}; {:?} KiB",
        start.elapsed(),
        resident()
    );

    assert_eq!(serials.len(), CAMERAS);
    let known: BTreeSet<_> = fleet.cameras().iter().map(VirtualCamera::serial).collect();
    assert_eq!(serials, known);
    for memory in [idle, resident()].into_iter().flatten() {
        assert!(memory < MEMORY, "{memory} KiB");
    }
    fleet.stop().await;
}

#[tokio::test]
async fn a_seed_makes_the_same_cameras_again() {
    let serials = |seed| async move {
        let fleet = Fleet::builder().count(3).seed(seed).start().await.unwrap();
        let serials = fleet.cameras().iter().map(VirtualCamera::serial);
        serials.collect::<Vec<_>>()
    };
    assert_eq!(serials(1).await, serials(1).await);
    assert_ne!(serials(1).await, serials(2).await);
}

#[tokio::test]
async fn one_socket_answers_a_probe_for_every_camera() {
    let fleet = Fleet::builder()
        .count(25)
        .discovery(Discovery::Unicast(0))
        .each(|index, camera| {
            camera.quirks(Quirks {
                probe_requires_types: index == 0,
                ..Quirks::default()
            })
        });
    let fleet = fleet.start().await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let probe = "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope' \
        xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' \
        xmlns:d='http://schemas.xmlsoap.org/ws/2005/04/discovery'><e:Header>\
        <a:MessageID>urn:uuid:1</a:MessageID></e:Header><e:Body><d:Probe/></e:Body></e:Envelope>";
    let asked = fleet.discovery_address().unwrap();
    socket.send_to(probe.as_bytes(), asked).await.unwrap();

    let mut found = BTreeSet::new();
    let mut buffer = vec![0; 65_536];
    while found.len() < 24 {
        let received = tokio::time::timeout(DEADLINE, socket.recv(&mut buffer));
        let length = received.await.expect("all answer in time").unwrap();
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let (_, address) = answer.split_once("XAddrs>").unwrap();
        found.insert(address.split('<').next().unwrap().to_owned());
    }
    let expected = fleet.cameras()[1..].iter();
    let expected: BTreeSet<_> = expected
        .map(|camera| camera.device_url().to_string())
        .collect();
    assert_eq!(found, expected);
}
