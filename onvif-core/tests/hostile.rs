//! What a hostile camera can send, and what it costs: an error, soon, with little memory.
//!
//! All in one test, because the memory that is counted is that of the whole process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Display;
use std::time::{Duration, Instant};

use bytes::Bytes;
use onvif_core::discovery::decode_datagram;
use onvif_core::media::ver10::GetProfiles;
use onvif_core::xml::{Decode, DecodeError, Limits, Reader};
use onvif_core::{
    HttpTransport, TlsPolicy, Transport, TransportError, analytics, decode_response, events,
};
use peak_alloc::PeakAlloc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const MAX_TIME: Duration = Duration::from_millis(50);
const MAX_HEAP: usize = 8 << 20;
/// Without optimisation everything is slower.
const SLACK: u32 = if cfg!(debug_assertions) { 20 } else { 1 };

/// The steps of `/proc`.
const TICK: Duration = Duration::from_millis(4);

/// Runs one case and holds it to the limits.
fn measure<T>(name: &str, run: impl FnOnce() -> T) -> T {
    HEAP.reset_peak_usage();
    let (heap, start, computed) = (HEAP.current_usage(), Instant::now(), cpu_time());
    let result = run();
    // The system counts computing time in steps of milliseconds, and what passes includes others' work.
    let computed = cpu_time()
        .zip(computed)
        .map(|(now, then)| now.saturating_sub(then) + TICK);
    let time = start.elapsed().min(computed.unwrap_or(Duration::MAX));
    let heap = HEAP.peak_usage().saturating_sub(heap);
    println!(
        "{name:32} {:>9.3} ms {:>9} KiB",
        time.as_secs_f64() * 1e3,
        heap / 1024
    );
    assert!(time < MAX_TIME * SLACK, "{name} took {time:?}");
    assert!(heap < MAX_HEAP, "{name} took {heap} bytes");
    result
}

/// Time that this thread computed, where the system tells.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = stat.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn refused<T, E: Display>(name: &str, run: impl FnOnce() -> Result<T, E>) {
    let result = measure(name, run);
    assert!(result.is_err(), "{name} was accepted");
}

fn envelope(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn documents() -> Vec<(&'static str, String)> {
    let mut laughs = "<!DOCTYPE lolz [<!ENTITY l0 \"lol\">".to_owned();
    for level in 1..10 {
        let ten = format!("&l{};", level - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY l{level} \"{ten}\">"));
    }
    let numbered =
        |count: usize, what: fn(usize) -> String| (0..count).map(what).collect::<String>();
    let attributes = numbered(50_000, |i| format!(" a{i}=''"));
    let namespaces = numbered(10_000, |i| format!(" xmlns:n{i}='u'"));
    let nested_namespaces = numbered(10_000, |i| format!("<a xmlns:n{i}='u'>"));
    let profile = "<trt:Profiles token='x'><tt:Name/></trt:Profiles>";
    let response = |content: &str| {
        envelope(&format!(
            "<trt:GetProfilesResponse>{content}</trt:GetProfilesResponse>"
        ))
    };
    vec![
        ("doctype", format!("<!DOCTYPE a>{}", response(""))),
        ("billion laughs", format!("{laughs}]><a>&l9;</a>")),
        (
            "external entity",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>".to_owned(),
        ),
        (
            "parameter entity",
            "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://192.0.2.1/'>%p;]><a/>".to_owned(),
        ),
        (
            "doctype inside",
            envelope("<!DOCTYPE a [<!ENTITY b 'c'>]><b>&b;</b>"),
        ),
        ("100 MB of nested tags", "<a>".repeat((100 << 20) / 3)),
        ("4 MB of nested tags", "<a>".repeat((4 << 20) / 3 - 1)),
        (
            "4 MB of nested tags in a body",
            envelope(&"<a>".repeat((4 << 20) / 3 - 100)),
        ),
        ("50,000 attributes", envelope(&format!("<a{attributes}/>"))),
        ("10,000 namespaces", envelope(&format!("<a{namespaces}/>"))),
        ("10,000 nested namespaces", envelope(&nested_namespaces)),
        (
            "a namespace of 1 MB",
            envelope(&format!("<a xmlns='{}'/>", "u".repeat(1 << 20))),
        ),
        (
            "a name of 1 MB",
            envelope(&format!("<{}/>", "n".repeat(1 << 20))),
        ),
        (
            "an attribute without end",
            format!("<a b='{}", "x".repeat(4_000_000)),
        ),
        (
            "a comment without end",
            format!("<a><!--{}", "-x".repeat(2_000_000)),
        ),
        (
            "a CDATA without end",
            format!("<a><![CDATA[{}", "]]".repeat(2_000_000)),
        ),
        ("a tag without end", format!("<{}", "x ".repeat(2_000_000))),
        (
            "a text of 2 MB",
            response(&format!(
                "<trt:Profiles token='x'><tt:Name>{}</tt:Name></trt:Profiles>",
                "x".repeat(2 << 20)
            )),
        ),
        (
            "entities without end",
            format!("<a>{}", "&amp;".repeat(800_000)),
        ),
        (
            "broken references",
            format!("<a>{}", "&#x110000;".repeat(400_000)),
        ),
        ("200,000 elements", response(&"<b/>".repeat(200_000))),
        (
            "as many profiles as fit",
            response(&profile.repeat(4_100_000 / profile.len())),
        ),
        ("truncated", response(profile)[..120].to_owned()),
        ("4 MB of nothing", " ".repeat(4 << 20)),
        ("NULs", "\0".repeat(4 << 20)),
    ]
}

#[test]
fn hostile_input_is_an_error_that_costs_little() {
    for (name, document) in documents() {
        refused(name, || decode_response::<GetProfiles>(&document));
    }
    let topics = |name: &str, content: &str| {
        let set = format!(
            "<tev:GetEventPropertiesResponse><wstop:TopicSet>{content}</wstop:TopicSet></tev:GetEventPropertiesResponse>"
        );
        let set = envelope(&set);
        // What is too much is left out.
        let _ = measure(name, || decode_response::<events::GetEventProperties>(&set));
    };
    let leaves = "<t/>".repeat(90_000);
    topics("90,000 topics", &leaves);
    topics(
        "topics below a long path",
        &format!("{}{leaves}", format!("<{}>", "n".repeat(250)).repeat(40)),
    );

    let elements = format!(
        "<a xmlns='{}'>{}</a>",
        "u".repeat(250),
        "<b c='d'/>".repeat(90_000)
    );
    refused("90,000 elements kept as they are", || {
        analytics::XmlElement::decode(&mut Reader::new(&elements)?.root()?)
    });

    let from = "192.0.2.7:3702".parse().unwrap();
    for (name, document) in documents() {
        let datagram = document.as_bytes();
        refused(&format!("{name}, by UDP"), || {
            decode_datagram(datagram, from)
        });
    }

    // Faults are read with every answer.
    let subcodes = "<s:Subcode><s:Value>ter:A</s:Value>".repeat(100_000);
    let fault = envelope(&format!(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value>{subcodes}"
    ));
    refused("100,000 subcodes", || {
        decode_response::<GetProfiles>(&fault)
    });

    endless_body();
    limits_of_the_caller_are_kept();
}

/// A body that never ends, over a socket, through the transport that everything uses.
fn endless_body() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (name, head) in [
        (
            "a body without end",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        ),
        (
            "a body of 4 GB",
            "HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n",
        ),
        (
            "chunks without end",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        ("a header without end", "HTTP/1.1 200 OK\r\nX: "),
        ("headers without end", "HTTP/1.1 200 OK\r\n"),
    ] {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let piece = match name {
            "chunks without end" => format!("4000\r\n{}\r\n", "x".repeat(0x4000)),
            "headers without end" => "X: y\r\n".repeat(2000),
            _ => "x".repeat(0x4000),
        };
        let server = runtime.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            // Ends when the client hangs up.
            while stream.write_all(piece.as_bytes()).await.is_ok() {}
        });
        let transport = HttpTransport::new(TlsPolicy::default(), &[]).unwrap();
        let request = http::Request::post(format!("http://{address}/onvif/device_service"));
        let request = request.body(Bytes::from_static(b"<x/>")).unwrap();
        let error = measure(name, || {
            let answer = transport.send(request, Duration::from_secs(10));
            runtime.block_on(answer).unwrap_err()
        });
        assert!(
            !matches!(error, TransportError::Timeout(_)),
            "{name}: {error}"
        );
        runtime.block_on(server).unwrap();
    }
}

fn limits_of_the_caller_are_kept() {
    let limits = Limits {
        depth: 2,
        ..Limits::default()
    };
    let read = |document| Reader::with_limits(document, limits)?.root()?.finish();
    assert_eq!(read("<a><b/></a>"), Ok(()));
    assert!(matches!(
        read("<a><b><c/></b></a>"),
        Err(DecodeError::TooLarge { limit: 2, .. })
    ));
}
