//! Clients that nobody of this project wrote take the virtual camera for a camera: `oxvif`, `onvif-python`,
//! `onvif-zeep-async` and npm's `onvif`. Debian's `onvif-util` needs multicast: it is in `discovery.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use interop::{node, output, python};
use oxvif::health::{CheckStatus, HealthCheck, ProfileVerdict};
use virtual_camera::{AuthScheme, VirtualCamera};

const LIMIT: Duration = Duration::from_secs(90);
const USER: (&str, &str) = ("admin", "a secret");

async fn camera(scheme: AuthScheme) -> VirtualCamera {
    let builder = VirtualCamera::builder().credentials(USER.0, USER.1);
    builder.auth(scheme).start().await.unwrap()
}

fn port(camera: &VirtualCamera) -> String {
    camera.device_url().port().unwrap().to_string()
}

/// Runs a client to its end, and calls `on_line` for each line it prints.
fn session(command: &mut Command, mut on_line: impl FnMut(&str)) -> Vec<String> {
    let mut bounded = Command::new("timeout");
    bounded
        .arg(LIMIT.as_secs().to_string())
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        bounded.env(name, value.unwrap());
    }
    let mut child = bounded
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = lines.map(Result::unwrap).inspect(|line| on_line(line));
    let lines: Vec<_> = lines.collect();
    assert!(child.wait().unwrap().success(), "{lines:#?}");
    lines
}

/// Raises motion when the client listens, and ends it when the client has seen it.
fn move_for(camera: &VirtualCamera) -> impl FnMut(&str) {
    |line| match line {
        "subscribed" | "listening" => camera.set_motion(true),
        "motion true" => camera.set_motion(false),
        _ => {}
    }
}

#[tokio::test]
async fn the_health_check_of_oxvif_finds_profiles_s_and_t_and_nothing_wrong() {
    for scheme in [
        AuthScheme::Either,
        AuthScheme::Digest,
        AuthScheme::UsernameToken,
    ] {
        let camera = camera(scheme).await;
        let report = HealthCheck::new(camera.device_url())
            .with_credentials(USER.0, USER.1)
            .with_write_checks(true)
            .with_liveness_probes(true)
            .run()
            .await;
        println!("{scheme:?}: {report}");
        for profile in [&report.profiles.profile_s, &report.profiles.profile_t] {
            assert_eq!(profile.verdict, ProfileVerdict::Conformant, "{profile:?}");
        }
        assert_eq!(report.declared_profiles, ["S", "T"]);
        // What is left out is Profile G's, which the camera does not claim.
        let of_profile_g = |id: &str| {
            let services = ["recording", "replay", "search"];
            services.contains(&id.trim_start_matches("service_caps_"))
        };
        let checks = report.checks.iter();
        let checks: Vec<_> = checks.filter(|check| !of_profile_g(&check.id)).collect();
        assert!(checks.len() >= 27, "only {} checks", checks.len());
        for check in checks {
            assert!(matches!(check.status, CheckStatus::Pass), "{check:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn onvif_python_reads_every_reply_with_a_token_and_with_digest() {
    let Some(python) = python("onvif-python", "onvif") else {
        return;
    };
    for (scheme, flag) in [
        (AuthScheme::UsernameToken, None),
        (AuthScheme::Digest, Some("--digest")),
    ] {
        let camera = camera(scheme).await;
        let port = port(&camera);
        for (call, expected) in [
            (
                "devicemgmt GetDeviceInformation",
                "'Model': 'Virtual Camera'",
            ),
            (
                r#"media GetStreamUri ProfileToken=main StreamSetup={"Stream":"RTP-Unicast","Transport":{"Protocol":"RTSP"}}"#,
                "/main'",
            ),
            ("media2 GetProfiles", "'token': 'main'"),
            ("ptz GetStatus ProfileToken=main", "'MoveStatus'"),
            (
                "imaging GetImagingSettings VideoSourceToken=video_source",
                "'Brightness': 50.0",
            ),
            ("events GetEventProperties", "'TopicSet'"),
            ("deviceio GetRelayOutputs", "'token': 'relay_1'"),
            (
                "ruleengine GetSupportedRules ConfigurationToken=analytics_config",
                "MotionRegionDetector",
            ),
        ] {
            let mut client = Command::new(python.with_file_name("onvif"));
            client
                .args(["--host", "127.0.0.1", "--port", &port, "--cache", "none"])
                .args(["--username", USER.0, "--password", USER.1])
                .args(flag)
                .args(call.split(' '));
            let printed = output(&mut client, LIMIT);
            let printed = String::from_utf8(printed.unwrap_or_default()).unwrap();
            assert!(printed.contains(expected), "{scheme:?} {call:?}: {printed}");
        }
        assert_eq!(camera.observed().authentication_failures, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pull_point_of_home_assistant_sees_motion_begin_and_end() {
    let Some(python) = python("zeep", "onvif") else {
        return;
    };
    let camera = camera(AuthScheme::Either).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("zeep_session.py");
    let mut client = Command::new(python);
    client.arg(script).args([&port(&camera), USER.0, USER.1]);
    let lines = session(&mut client, move_for(&camera));
    println!("{}", lines.join("\n"));
    for expected in [
        "model Virtual Camera",
        &format!("stream {}", camera.stream_url(0)),
        "brightness 50.0",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}");
    }
    assert!(lines.iter().any(|line| line.starts_with("snapshot ffd8 ")));
    assert_eq!(lines.last().unwrap(), "motion false");
    let observed = camera.observed();
    assert_eq!(observed.authentication_failures, 0);
    assert_eq!(observed.subscriptions, 0, "it ended its subscription");
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_onvif_connects_moves_the_head_and_sees_motion() {
    let Some(mut client) = node("onvif") else {
        return;
    };
    let camera = camera(AuthScheme::Either).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_session.js");
    client.arg(script).args([&port(&camera), USER.0, USER.1]);
    let lines = session(&mut client, move_for(&camera));
    println!("{}", lines.join("\n"));
    for expected in [
        "profiles main,sub",
        "services analytics,device,deviceIO,events,imaging,media,media2,ptz",
        &format!("stream {}", camera.stream_url(0)),
        &format!("snapshot {}", camera.snapshot_url()),
        "position 0.5 -0.5 0.25",
        "presets corner",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}");
    }
    assert_eq!(lines.last().unwrap(), "motion false");
    let position = camera.ptz_position();
    assert_eq!(
        (position.pan, position.tilt, position.zoom),
        (0.5, -0.5, 0.25)
    );
    assert_eq!(camera.observed().authentication_failures, 0);
}
