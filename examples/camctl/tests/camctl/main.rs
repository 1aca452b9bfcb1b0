//! The program against a camera in software, as a user or a script runs it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod registry;
mod running;
mod verbs;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use virtual_camera::{Discovery, VirtualCamera};

use running::{Outcome, Program};

const PASSWORD: &str = "p@ss:w#?%0X";

struct Bench {
    camera: VirtualCamera,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let camera = VirtualCamera::builder()
            .credentials("admin", PASSWORD)
            .name("gate")
            .serial("SN-7")
            .discovery(Discovery::Unicast(0))
            .start()
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        Self { camera, folder }
    }

    /// The program with the camera and its user, started in the folder.
    fn program(&self, args: &[&str]) -> Program {
        let url = self.camera.device_url();
        let camera = ["--camera", url.as_str(), "--username", "admin"];
        let password = ["--password-file", "password"];
        self.bare(&[&camera[..], &password, args].concat())
    }

    /// The program with these arguments alone.
    fn bare(&self, args: &[&str]) -> Program {
        Program::new(args, self.folder.path())
    }

    async fn text(&self, args: &[&str]) -> String {
        self.program(args).run().await.success()
    }

    async fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--json"]].concat();
        serde_json::from_str(&self.text(&args).await).unwrap()
    }
}

/// The outcome is one error, and the words tell no secret.
fn failed(outcome: &Outcome, words: &[&str]) {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{outcome:?}");
    for word in words {
        assert!(outcome.stderr.contains(word), "`{word}` in {outcome:?}");
    }
    assert!(!outcome.stderr.contains(PASSWORD), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_finds_the_camera_at_an_address() {
    let bench = Bench::start().await;
    let address = bench.camera.discovery_address().unwrap().to_string();
    let args = ["discover", "--timeout", "1", "--address", &address];

    let text = bench.bare(&args).run().await.success();
    let url = bench.camera.device_url();
    assert!(text.starts_with("gate ") && text.contains(url.as_str()));

    let json = bench.bare(&[&args[..], &["--json"]].concat());
    let lines = json.run().await.success();
    assert_eq!(lines.lines().count(), 1, "each camera is found once");
    let found: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(found["name"], "gate");
    assert_eq!(found["xaddrs"][0], url.as_str());
    assert!(
        found["endpointReference"]
            .as_str()
            .unwrap()
            .starts_with("urn:uuid:")
    );
    assert_eq!(bench.camera.observed().requests_with_credentials, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_says_when_nobody_answers() {
    let bench = Bench::start().await;
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let program = bench.bare(&["discover", "--timeout", "0.3", "--address", &address]);
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    assert!(outcome.stderr.contains("No camera answered within 0.3 s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_leaves_out_cameras_with_other_scopes() {
    let bench = Bench::start().await;
    let address = bench.camera.discovery_address().unwrap().to_string();
    for (scope, lines) in [
        ("onvif://www.onvif.org/name/gate", 1),
        ("onvif://www.onvif.org/name/roof", 0),
    ] {
        let args = [
            "discover",
            "--timeout",
            "0.5",
            "--address",
            &address,
            "--scope",
            scope,
        ];
        // What is said on standard error when nobody answers is another test's.
        let outcome = bench.bare(&args).run().await;
        assert_eq!(outcome.code, Some(0));
        assert_eq!(
            outcome.stdout.lines().count(),
            lines,
            "{scope}: {outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_refuses_what_is_no_subnet_or_interface() {
    let bench = Bench::start().await;
    for (args, said) in [
        (["discover", "--cidr", "10.0.0.0/8"], "65536"),
        (["discover", "--cidr", "gate"], "192.0.2.0/24"),
        (
            ["discover", "--interface", "nosuch0"],
            "no network interface `nosuch0`",
        ),
    ] {
        let outcome = bench.bare(&args).run().await;
        assert_ne!(outcome.code, Some(0), "{args:?}");
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn info_tells_what_the_camera_is() {
    let bench = Bench::start().await;
    let text = bench.text(&["info"]).await;
    assert!(text.contains("serial number  SN-7"), "{text}");
    assert!(text.contains("services") && text.contains("media2"));

    let json = bench.json(&["info"]).await;
    assert_eq!(json["serialNumber"], "SN-7");
    assert_eq!(json["url"], bench.camera.device_url().as_str());
    assert!(json["clockOffsetMs"].as_i64().unwrap().abs() < 5000);
    let services = json["services"].as_array().unwrap();
    assert!(services.iter().any(|service| service["name"] == "ptz"));
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_show_streams_and_whether_they_move() {
    let bench = Bench::start().await;
    let text = bench.text(&["profiles"]).await;
    let main = text.lines().nth(1).unwrap();
    for word in ["main", "H264", "1280 x 720", "kbit/s", "yes", "rtsp://"] {
        assert!(main.contains(word), "`{word}` in {main}");
    }

    let json = bench.json(&["profiles"]).await;
    let main = &json["profiles"][0];
    assert_eq!(main["token"], "main");
    assert_eq!(main["streamUri"], bench.camera.stream_url(0).as_str());
    assert_eq!(
        (&main["width"], &main["height"]),
        (&1280.into(), &720.into())
    );
    assert!(main["framesPerSecond"].as_f64().unwrap() > 0.0);
    assert!(main["bitrateKbps"].as_u64().unwrap() > 0);
    assert_eq!(main["ptz"], true);
    assert_eq!(main["streamError"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_writes_a_picture_named_after_the_host() {
    let bench = Bench::start().await;
    let text = bench.text(&["snapshot"]).await;
    let picture = std::fs::read(bench.folder.path().join("127.0.0.1.jpg")).unwrap();
    assert_eq!(picture[..3], [0xff, 0xd8, 0xff]);
    let expected = format!("127.0.0.1.jpg: {} bytes of image/jpeg\n", picture.len());
    assert_eq!(text, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_writes_to_the_file_and_of_the_profile_named() {
    let bench = Bench::start().await;
    let args = ["snapshot", "--profile", "sub", "-o", "gate.jpg"];
    let json = bench.json(&args).await;
    let size = std::fs::metadata(bench.folder.path().join("gate.jpg"))
        .unwrap()
        .len();
    assert_eq!(json["file"], "gate.jpg");
    assert_eq!(json["bytes"], size);
    assert_eq!(json["contentType"], "image/jpeg");
    assert_eq!(json["profile"], "sub");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relative_move_is_the_default() {
    let bench = Bench::start().await;
    let text = bench
        .text(&["ptz", "move", "--pan", "0.2", "--tilt", "-0.1"])
        .await;
    assert_eq!(text, "moving by  pan 0.20  tilt -0.10\n");
    bench.at_rest().await;
    let position = bench.camera.ptz_position();
    assert!((position.pan - 0.2).abs() < 1e-6 && (position.tilt + 0.1).abs() < 1e-6);

    let json = bench
        .json(&["ptz", "move", "--relative", "--zoom", "0.3"])
        .await;
    let expected = r#"{"profile":"main","move":"relative","pan":null,"tilt":null,"zoom":0.3}"#;
    assert_eq!(json, serde_json::from_str::<Value>(expected).unwrap());
    bench.at_rest().await;
    assert!((bench.camera.ptz_position().zoom - 0.3).abs() < 1e-6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absolute_move_keeps_the_axis_that_is_not_named() {
    let bench = Bench::start().await;
    let absolute = ["ptz", "move", "--absolute"];
    let both = [&absolute[..], &["--pan", "0.5", "--tilt", "0.25"]].concat();
    bench.text(&both).await;
    bench.at_rest().await;

    let one = [&absolute[..], &["--pan", "-0.5"]].concat();
    let json = bench.json(&one).await;
    assert_eq!(
        (&json["move"], &json["tilt"]),
        (&"absolute".into(), &0.25.into())
    );
    bench.at_rest().await;
    let position = bench.camera.ptz_position();
    assert!((position.pan + 0.5).abs() < 1e-6 && (position.tilt - 0.25).abs() < 1e-6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_move_has_stopped_when_the_program_ends() {
    let bench = Bench::start().await;
    let args = ["ptz", "move", "--pan", "0.1", "--continuous", "0.3"];
    let json = bench.json(&args).await;
    assert!(!bench.camera.is_moving());
    assert!(bench.camera.ptz_position().pan > 0.04);
    assert_eq!(bench.camera.observed().count("Stop"), 1);
    assert_eq!(json["interrupted"], false);
    assert!((json["seconds"].as_f64().unwrap() - 0.3).abs() < 0.01);

    let text = bench.text(&args).await;
    assert_eq!(
        text,
        "moved with  pan 0.10  tilt 0.00  for 0.3 s, stopped\n"
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_a_continuous_move_before_the_program_ends() {
    let bench = Bench::start().await;
    let args = ["ptz", "move", "--pan", "0.01", "--continuous", "60"];
    let program = bench.program(&args).start();
    until(|| bench.camera.is_moving()).await;
    program.interrupt();
    let text = program.outcome().await.success();
    assert!(!bench.camera.is_moving(), "the stop came before the exit");
    assert!(text.ends_with("stopped early\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_where_the_camera_looks() {
    let bench = Bench::start().await;
    bench
        .text(&[
            "ptz",
            "move",
            "--absolute",
            "--pan",
            "0.5",
            "--tilt",
            "0",
            "--zoom",
            "1",
        ])
        .await;
    bench.at_rest().await;
    let status = ["ptz", "status"];
    assert_eq!(
        bench.text(&status).await,
        "at rest  pan 0.50  tilt 0.00  zoom 1.00\n"
    );
    let expected =
        r#"{"profile":"main","pan":0.5,"tilt":0.0,"zoom":1.0,"moving":false,"error":null}"#;
    let expected: Value = serde_json::from_str(expected).unwrap();
    assert_eq!(bench.json(&status).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_stops_what_another_program_moves() {
    let bench = Bench::start().await;
    let moving = ["ptz", "move", "--pan", "0.01", "--continuous", "60"];
    let stop = ["ptz", "stop", "--profile", "sub"];
    let stopped = serde_json::json!({"profile": "sub", "stopped": true});

    let _first = bench.program(&moving).start();
    until(|| bench.camera.is_moving()).await;
    assert_eq!(bench.text(&["ptz", "stop"]).await, "stopped\n");
    assert!(!bench.camera.is_moving());

    let _second = bench.program(&moving).start();
    until(|| bench.camera.is_moving()).await;
    assert_eq!(bench.json(&stop).await, stopped);
    assert!(!bench.camera.is_moving());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_needs_a_direction() {
    let bench = Bench::start().await;
    let outcome = bench.program(&["ptz", "move"]).run().await;
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--pan, --tilt or --zoom"));
    assert!(bench.camera.observed().operations.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_end_after_their_count_and_leave_no_subscription() {
    let bench = Bench::start().await;
    let args = ["events", "--topic", "tns1:VideoSource/MotionAlarm"];
    let json = [&args[..], &["--json", "--count", "2"]].concat();
    let mut program = bench.program(&json).start();
    let first: Value = serde_json::from_str(&program.line().await).unwrap();
    assert_eq!(first["operation"], "Initialized");
    bench.camera.set_motion(true);
    let second: Value = serde_json::from_str(&program.line().await).unwrap();
    assert_eq!(second["type"], "notification");
    assert_eq!(second["topic"], "tns1:VideoSource/MotionAlarm");
    assert_eq!(second["operation"], "Changed");
    assert_eq!(second["data"]["State"], "true");
    assert!(second["received"].as_str().unwrap().ends_with('Z'));
    program.outcome().await.success();
    assert_eq!(bench.camera.observed().subscriptions, 0);

    let text = bench.text(&[&args[..], &["--count", "1"]].concat()).await;
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains("  tns1:VideoSource/MotionAlarm  Initialized  "));
    assert!(text.contains("  State=true"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_end_after_their_time() {
    let bench = Bench::start().await;
    let text = bench.text(&["events", "--for", "1.5"]).await;
    assert!(text.contains("tns1:Device/Trigger/DigitalInput"), "{text}");
    assert_eq!(bench.camera.observed().subscriptions, 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_subscription_before_the_program_ends() {
    let bench = Bench::start().await;
    let mut program = bench.program(&["events"]).start();
    program.line().await;
    assert_eq!(bench.camera.observed().subscriptions, 1);
    program.interrupt();
    program.outcome().await.success();
    assert_eq!(bench.camera.observed().subscriptions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_one_error_and_does_not_lock_the_account() {
    let bench = Bench::start().await;
    std::fs::write(bench.folder.path().join("password"), "wrong-Password").unwrap();
    for verb in [
        &["info"][..],
        &["snapshot"],
        &["events"],
        &["ptz", "status"],
    ] {
        let before = bench.camera.observed().authentication_failures;
        let outcome = bench.program(verb).run().await;
        failed(&outcome, &["does not accept the credentials of `admin`"]);
        assert!(!outcome.stderr.contains("wrong-Password"));
        let failures = bench.camera.observed().authentication_failures - before;
        assert!(failures <= 2, "{failures} failures by {verb:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_text_with_json_as_well() {
    let bench = Bench::start().await;
    std::fs::write(bench.folder.path().join("password"), "wrong").unwrap();
    failed(
        &bench.program(&["profiles", "--json"]).run().await,
        &["check the password"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_may_come_from_the_environment_and_shows_nowhere() {
    let bench = Bench::start().await;
    let url = bench.camera.device_url();
    let args = [
        "--camera",
        url.as_str(),
        "--username",
        "admin",
        "-v",
        "profiles",
    ];
    let program = bench.bare(&args).password(PASSWORD);
    let outcome = program.run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!format!("{outcome:?}").contains(PASSWORD));
    assert!(outcome.stdout.contains("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_error_says_what_to_give() {
    let bench = Bench::start().await;
    let url = bench.camera.device_url();
    let outcome = bench.bare(&["--camera", url.as_str(), "info"]).run().await;
    failed(
        &outcome,
        &["requires credentials", "--username", "CAMCTL_PASSWORD"],
    );
    assert_eq!(bench.camera.observed().authentication_failures, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_password_and_a_verb_without_a_camera_are_errors_of_usage() {
    let bench = Bench::start().await;
    let no_password = bench.bare(&["--camera", "gate", "--username", "admin", "info"]);
    let outcome = no_password.run().await;
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--password-file"), "{outcome:?}");

    let outcome = bench.bare(&["info"]).run().await;
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--camera"), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_not_there_is_told_with_what_to_check() {
    let bench = Bench::start().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .unwrap()
        .port();
    let host = format!("127.0.0.1:{port}");
    let outcome = bench.bare(&["--camera", &host, "info", "--timeout", "5"]);
    failed(
        &outcome.run().await,
        &["127.0.0.1", "cannot connect", "Check the address"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_in_the_url_are_refused_and_not_repeated() {
    let bench = Bench::start().await;
    let mut url = bench.camera.device_url();
    url.set_username("admin").unwrap();
    url.set_password(Some("in-the-url")).unwrap();
    let alone = format!("admin:in-the-url@127.0.0.1:{}", url.port().unwrap());
    for camera in [url.as_str(), &alone] {
        let outcome = bench.bare(&["--camera", camera, "info"]).run().await;
        failed(&outcome, &["--username", "--password-file"]);
        assert!(!outcome.stderr.contains("in-the-url"), "{outcome:?}");
    }
    assert!(bench.camera.observed().operations.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_not_there_is_told_with_where_to_find_the_others() {
    let bench = Bench::start().await;
    let program = bench.program(&["ptz", "stop", "--profile", "nope"]);
    failed(&program.run().await, &["nope", "camctl profiles"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_or_read_is_named() {
    let bench = Bench::start().await;
    let missing = Path::new("missing").join("gate.jpg").display().to_string();
    let outcome = bench.program(&["snapshot", "-o", &missing]).run().await;
    failed(&outcome, &[&missing, "because: "]);

    std::fs::remove_file(bench.folder.path().join("password")).unwrap();
    let outcome = bench.program(&["info"]).run().await;
    failed(&outcome, &["cannot read the password file password"]);
}

impl Bench {
    async fn at_rest(&self) {
        until(|| !self.camera.is_moving()).await;
    }
}

/// Looks again until it is so: the camera in software tells nobody when it moves.
async fn until(is_so: impl Fn() -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(running::LIMIT, looking).await.unwrap();
}
