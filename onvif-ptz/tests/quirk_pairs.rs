//! Every quirk of the virtual camera alone, and pairs of them: what most programs do works all the same, or ends in a
//! typed error where that is stated here. Never a hang, never a panic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, stream};
use onvif_core::events::{EventItem, EventOptions, Filter};
use onvif_core::media::StreamTransport;
use onvif_core::{Camera, Credentials, Error, ErrorKind};
use onvif_ptz::{CameraExt, Velocity};
use virtual_camera::{Quirks, VirtualCamera};

/// For everything that is done with one camera.
const DEADLINE: Duration = Duration::from_secs(60);
const PAIRS: usize = 200;
const SEED: u64 = 0x0c01_0c60;

/// A quirk and a value for it.
type Switch = (&'static str, &'static str);

/// Every field of `Quirks`; some with several values.
#[rustfmt::skip]
const SWITCHES: &[Switch] = &[
    ("clock_offset", "-315360000"), ("max_skew", "5"),
    ("datetime_requires_auth", "true"), ("fault_text", "Unauthorized"),
    ("utc_is_local", "7200"), ("dst_bug", "true"),
    ("bad_datetime", "minute-overflow"), ("bad_datetime", "dash-for-t"), ("bad_datetime", "spaces"),
    ("bad_datetime", "zero"),
    ("reject_offset_tz", "true"), ("max_nonce_len", "16"),
    ("wsse_prefix", "require"), ("wsse_prefix", "reject"),
    ("digest_algorithms", r#"["md5"]"#), ("digest_algorithms", r#"["sha256-sess"]"#), ("no_qop", "true"),
    ("next_nonce", "true"), ("sha256_broken", "true"),
    ("require_prefixes", "true"), ("require_wsa", "true"),
    ("reject_wsa_on", r#"["ptz", "media", "media2", "device", "imaging"]"#),
    ("undeclared_prefix", "true"), ("fault_undeclared_ns", "true"), ("bad_utf8", "true"),
    ("text_padding", "true"), ("uri_raw_amp", "true"), ("uri_bad_ipv6", "true"), ("double_port", "true"),
    ("advertised_host", "192.0.2.1"), ("advertised_port", "1"), ("subscription_port", "1"),
    ("single_endpoint", "true"), ("no_get_services", "true"), ("no_service_capabilities", "true"),
    ("caps_lie_pullpoint", "true"), ("require_init_term", "true"),
    ("minutes_as_seconds", "true"), ("fixed_term_s", "5"), ("reject_relative", "true"),
    ("pull_no_extend", "true"), ("no_renew", "true"), ("no_syncpoint", "true"),
    ("pull_close_after_ms", "200"), ("pull_immediate", "true"), ("pull_fault_always", "true"),
    ("max_subs", "1"), ("sub_forget_404", "true"), ("no_off_event", "true"), ("empty_message", "true"),
    ("topic_suffix", "//."), ("vendor_topics", "true"), ("unstable_source_token", "true"),
    ("crash_on_long_url", "20"), ("no_filter", "true"), ("subscription_header", "true"),
    ("silent_close", "true"), ("no_expect", "true"), ("no_chunked", "true"), ("split_write_fails", "true"),
    ("http_junk", "nul-for-spaces"), ("http_junk", "long-content-length"),
    ("http_junk", "short-content-length"), ("http_junk", "reply-with500"), ("http_junk", "html401"),
    ("fault_http_200", "true"), ("redirect", r#"[307, "http://192.0.2.1"]"#),
    ("ptz_ignore_timeout", "true"), ("ptz_reject_timeout", "true"), ("ptz_no_stop", "true"),
    ("ptz_move_status", "absent"), ("ptz_move_status", "always-idle"),
    ("ptz_modes", r#"["continuous"]"#), ("ptz_modes", r#"["absolute"]"#),
    ("token_mismatch", "true"), ("nvr_channels", "64"), ("odd_tokens", "true"),
    ("snapshot", "rtsp"), ("snapshot", "empty"), ("snapshot", "fault"), ("snapshot", "html"),
    ("snapshot", "truncated"), ("snapshot_404", "true"),
    ("snapshot_auth", "basic"), ("snapshot_auth", "query"), ("snapshot_auth", "open"),
    ("snapshot_busy_s", "1"),
    ("probe_requires_types", "true"), ("probe_reject_newline", "true"), ("probe_undeclared_prefix", "true"),
    ("probe_garbage", "true"), ("multi_xaddrs", "true"), ("same_serial", "true"),
    ("auth_all", "true"), ("no_multicast", "true"),
    ("max_connections", "2"), ("crash_above_rps", "30"),
    ("answer_delay_ms", "20"), ("drip_ms", "0"), ("event_storm", "20"),
    ("clock_lost_on_reboot", "true"), ("lockout_after", "3"), ("lockout_s", "60"),
    ("http_junk", "endless-body"), ("http_junk", "oversize-headers"), ("http_junk", "truncated-xml"),
    ("http_junk", "corrupt-xml"),
    // What is wrong with RTSP is nothing to who asks for the address of a stream; media-pipeline has tests of it.
    ("rtsp_keepalive", "options"), ("session_timeout_s", "5"), ("bad_sprop", "annex-b"), ("no_sprop", "true"),
    ("late_params_s", "1"), ("foreign_ssrc", "true"), ("early_data", "true"), ("desync_after_kb", "100"),
    ("rtsp_header", "no-interleaved"), ("rtp_jump_s", "60"), ("drift_ppm", "500"), ("sr_step_s", "2"),
    ("sei_mark", "true"), ("fps_lie", "50"), ("max_rtsp_sessions", "1"), ("stale_rtsp_sessions", "true"),
    ("rtsp_full_503", "true"), ("rtp_loss", "10"), ("rtp_duplicate", "10"), ("rtp_reorder", "10"),
    ("rtp_seed", "7"), ("rtsp_endless", "fragments"), ("mjpeg", "quoted"),
];

/// Pairs that went wrong once; they are tried besides those that are drawn.
const REMEMBERED: &[[Switch; 2]] =
    &[[("single_endpoint", "true"), ("subscription_header", "true")]];

/// What a program does with a camera, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connect,
    Profiles,
    Stream,
    Snapshot,
    Event,
    Ptz,
}

/// Where a switch lets a step end in an error, and in which.
#[rustfmt::skip]
const STATED: &[(Switch, Step, ErrorKind)] = &[
    // What was cut off the list of services is not there.
    (("http_junk", "short-content-length"), Step::Profiles, ErrorKind::Unsupported),
    (("http_junk", "endless-body"), Step::Connect, ErrorKind::Misbehaved),
    (("http_junk", "oversize-headers"), Step::Connect, ErrorKind::Misbehaved),
    (("http_junk", "truncated-xml"), Step::Profiles, ErrorKind::Unsupported),
    // No request goes to another host.
    (("redirect", r#"[307, "http://192.0.2.1"]"#), Step::Connect, ErrorKind::Misbehaved),
    (("snapshot", "rtsp"), Step::Snapshot, ErrorKind::Unsupported),
    (("snapshot", "empty"), Step::Snapshot, ErrorKind::Unsupported),
    (("snapshot", "fault"), Step::Snapshot, ErrorKind::Unsupported),
    (("snapshot", "html"), Step::Snapshot, ErrorKind::Misbehaved),
    (("snapshot", "truncated"), Step::Snapshot, ErrorKind::Misbehaved),
    (("snapshot_404", "true"), Step::Snapshot, ErrorKind::Misbehaved),
    (("snapshot_busy_s", "1"), Step::Snapshot, ErrorKind::Misbehaved),
    // No password goes over the wire in the open unless that is allowed.
    (("snapshot_auth", "basic"), Step::Snapshot, ErrorKind::Unauthorized),
    (("pull_fault_always", "true"), Step::Event, ErrorKind::Refused),
    (("ptz_modes", r#"["absolute"]"#), Step::Ptz, ErrorKind::Unsupported),
];

/// Pairs that contradict each other, and what comes of it.
#[rustfmt::skip]
const CONTRADICTIONS: &[(Switch, Switch, Step, ErrorKind)] = &[
    // The one algorithm that is offered does not work; SOAP has tokens.
    (("digest_algorithms", r#"["sha256-sess"]"#), ("sha256_broken", "true"), Step::Snapshot, ErrorKind::Unauthorized),
    // An address without brackets and with two ports has no end to be found.
    (("uri_bad_ipv6", "true"), ("double_port", "true"), Step::Stream, ErrorKind::Misbehaved),
];

/// What these break is chance: there is an error, of whatever kind.
const BY_CHANCE: &[Switch] = &[("http_junk", "corrupt-xml")];

/// Does everything, and returns the errors.
async fn use_camera(quirks: Quirks) -> Vec<(Step, Error)> {
    let slow = quirks.crash_above_rps.is_some();
    let patience = if quirks.drip_ms.is_some() { 30 } else { 5 };
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .quirks(quirks)
        .start()
        .await
        .unwrap();
    let mut errors = Vec::new();
    let mut builder = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "secret"))
        .timeout(Duration::from_secs(patience));
    if slow {
        builder = builder.min_spacing(Duration::from_millis(40));
    }
    let camera = match builder.connect().await {
        Ok(camera) => camera,
        Err(error) => return vec![(Step::Connect, error)],
    };
    let profile = match camera.media().profiles().await {
        Ok(mut profiles) => profiles.remove(0).token,
        Err(error) => return vec![(Step::Profiles, error)],
    };
    let media = camera.media();
    match media.stream_uri(&profile, StreamTransport::Rtsp).await {
        Ok(uri) => assert_eq!((uri.scheme(), uri.path()), ("rtsp", "/main"), "{uri}"),
        Err(error) => errors.push((Step::Stream, error)),
    }
    if let Err(error) = camera.media().snapshot(&profile).await {
        errors.push((Step::Snapshot, error));
    }
    if let Err(error) = see_motion(&target, &camera).await {
        errors.push((Step::Event, error));
    }
    let velocity = Velocity::pan_tilt(0.01, 0.0);
    let moved = async {
        let ptz = camera.ptz();
        let motion = ptz.continuous_move(&profile, velocity, Duration::from_millis(100));
        motion.await?.finished().await
    };
    match moved.await {
        Ok(()) => assert!(!target.is_moving(), "it moves on"),
        Err(error) => errors.push((Step::Ptz, error)),
    }
    target.stop().await;
    errors
}

/// Waits for motion to begin. The third error in a row is final: the stream would try again.
async fn see_motion(target: &VirtualCamera, camera: &Camera) -> Result<(), Error> {
    let mut options = EventOptions::default();
    options.pull_timeout = Duration::from_secs(1);
    let mut events = camera.events().subscribe_with(Filter::all(), options);
    let mut failures = 0;
    loop {
        match events.next().await.expect("the stream goes on") {
            Ok(EventItem::Notification(seen)) => {
                target.set_motion(true);
                let mut items = seen.data.simple.iter();
                if seen.topic.contains("MotionAlarm") && items.any(|item| item.value == "true") {
                    return Ok(());
                }
            }
            Ok(_) => {}
            Err(error) if failures == 2 => return Err(error),
            Err(_) => failures += 1,
        }
    }
}

/// What these switches are stated to do.
fn stated(switches: &[Switch]) -> Vec<(Step, ErrorKind)> {
    let alone = STATED
        .iter()
        .filter(|(switch, ..)| switches.contains(switch));
    let pairs = CONTRADICTIONS.iter();
    let pairs = pairs.filter(|(a, b, ..)| switches.contains(a) && switches.contains(b));
    alone
        .map(|(_, step, kind)| (*step, *kind))
        .chain(pairs.map(|(_, _, step, kind)| (*step, *kind)))
        .collect()
}

/// What went otherwise than stated, in words.
async fn surprise(switches: Vec<Switch>) -> Option<String> {
    let mut quirks = Quirks::default();
    for (name, value) in &switches {
        quirks.set(name, value).unwrap();
    }
    let used = tokio::spawn(tokio::time::timeout(DEADLINE, use_camera(quirks)));
    let errors = match used.await {
        Err(panic) => return Some(format!("{switches:?}: {panic}")),
        Ok(Err(_)) => return Some(format!("{switches:?}: it hangs")),
        Ok(Ok(errors)) => errors,
    };
    if BY_CHANCE.iter().any(|switch| switches.contains(switch)) {
        let whole = errors.is_empty();
        return whole.then(|| format!("{switches:?}: nothing is broken"));
    }
    let stated = stated(&switches);
    let came = |(step, error): &(Step, Error)| (*step, error.kind());
    let missing = switches.len() == 1 && errors.iter().map(came).ne(stated.iter().copied());
    let surprising = errors.iter().filter(|error| !stated.contains(&came(error)));
    let surprising = surprising.map(|(step, error)| format!("{step:?}: {error}"));
    let surprising: Vec<_> = surprising.collect();
    let told = missing || !surprising.is_empty();
    told.then(|| format!("{switches:?}: stated {stated:?}, {}", surprising.join("; ")))
}

async fn surprises(all: Vec<Vec<Switch>>) -> Vec<String> {
    let tried = stream::iter(all).map(surprise).buffer_unordered(8);
    tried.filter_map(std::future::ready).collect().await
}

/// Different pairs of switches with different names, the same for each seed.
fn pairs(seed: u64) -> Vec<Vec<Switch>> {
    let mut state = seed;
    // xorshift64*
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let number = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        number as usize % SWITCHES.len()
    };
    let mut drawn = BTreeSet::new();
    while drawn.len() < PAIRS {
        let (a, b) = (next(), next());
        if SWITCHES[a].0 != SWITCHES[b].0 {
            drawn.insert((a.min(b), a.max(b)));
        }
    }
    let drawn = drawn.into_iter();
    drawn.map(|(a, b)| vec![SWITCHES[a], SWITCHES[b]]).collect()
}

#[test]
fn every_quirk_has_a_value_here() {
    let here: BTreeSet<_> = SWITCHES.iter().map(|(name, _)| *name).collect();
    let all: BTreeSet<_> = Quirks::all().map(|(name, _)| name).collect();
    assert_eq!(here, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_quirk_alone_is_passed() {
    let alone = SWITCHES.iter().map(|switch| vec![*switch]).collect();
    let surprises = surprises(alone).await;
    assert!(surprises.is_empty(), "\n{}", surprises.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_of_quirks_are_passed() {
    let remembered = REMEMBERED.iter().map(|pair| pair.to_vec());
    let surprises = surprises(pairs(SEED).into_iter().chain(remembered).collect()).await;
    assert!(
        surprises.is_empty(),
        "seed {SEED:#x}\n{}",
        surprises.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_preset_is_passed() {
    let mut surprises = Vec::new();
    for preset in Quirks::presets() {
        let quirks = Quirks::preset(preset).unwrap();
        let fields = quirks.to_string();
        let errors = tokio::time::timeout(DEADLINE, use_camera(quirks)).await;
        let errors = errors.unwrap_or_else(|_| panic!("{preset} hangs"));
        let in_preset = |(name, value): &&Switch| {
            [format!("{name}={value}"), format!("{name}=\"{value}\"")]
                .iter()
                .any(|field| fields.split(' ').any(|known| known == field))
        };
        let switches: Vec<_> = SWITCHES.iter().filter(in_preset).copied().collect();
        let stated = stated(&switches);
        let surprising = errors
            .iter()
            .filter(|(step, error)| !stated.contains(&(*step, error.kind())));
        surprises.extend(surprising.map(|(step, error)| format!("{preset}: {step:?}: {error}")));
    }
    assert!(surprises.is_empty(), "\n{}", surprises.join("\n"));
}
