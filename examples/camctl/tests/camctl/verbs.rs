//! The verbs for presets, tours, imaging, the device, and any operation.

use serde_json::{Value, json};

use super::{Bench, failed, until};

fn list<'v>(json: &'v Value, name: &str) -> &'v Vec<Value> {
    json[name].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn services_time_users_and_network_tell_about_the_device() {
    let bench = Bench::start().await;
    let services = bench.json(&["services"]).await;
    assert!(list(&services, "services").len() >= 6);
    assert!(
        bench
            .text(&["services"])
            .await
            .contains("/onvif/imaging_service")
    );

    let time = bench.json(&["time", "get"]).await;
    assert!(time["utc"].as_str().unwrap().ends_with('Z'));
    let offset = bench.text(&["time", "offset"]).await;
    assert!(offset.trim().parse::<i64>().unwrap().abs() < 5000);

    let users = bench.json(&["users"]).await;
    assert_eq!(users["users"][0]["name"], "admin");
    let network = bench.json(&["network"]).await;
    assert!(!list(&network, "interfaces").is_empty(), "{network}");
    assert!(bench.text(&["network"]).await.contains("interface"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_uri_tells_where_a_profile_streams() {
    let bench = Bench::start().await;
    let expected = bench.camera.stream_url(1);
    let text = bench.text(&["stream-uri", "--profile", "sub"]).await;
    assert_eq!(text.trim(), expected.as_str());
    let json = bench.json(&["stream-uri"]).await;
    assert_eq!(json["streamUri"], bench.camera.stream_url(0).as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_in_degrees_is_waited_for() {
    let bench = Bench::start().await;
    let axes = ["ptz", "absolute", "--pan", "90", "--tilt", "30"];
    let how = ["--space", "degrees", "--wait", "10"];
    let text = bench.text(&[&axes[..], &how].concat()).await;
    assert_eq!(text, "moved to  pan 90.00  tilt 30.00\n");
    let position = bench.camera.ptz_position();
    assert_eq!((position.pan, position.tilt), (0.5, 0.0));

    let args = [
        "ptz", "relative", "--pan", "1", "--space", "picture", "--wait", "10",
    ];
    let json = bench.json(&args).await;
    assert_eq!(json["arrived"], true);
    assert!(bench.camera.ptz_position().pan > 0.5);
}

#[tokio::test(flavor = "multi_thread")]
async fn presets_are_stored_listed_visited_and_removed() {
    let bench = Bench::start().await;
    let run = async |verb: &[&str]| bench.json(&[&["ptz", "presets"], verb].concat()).await;
    let stored = run(&["set", "gate"]).await;
    assert_eq!(stored["done"], "stored");
    assert_eq!(run(&["list"]).await["presets"][0]["name"], "gate");
    bench
        .text(&[
            "ptz", "absolute", "--pan", "0.5", "--tilt", "0", "--wait", "10",
        ])
        .await;
    let arrived = run(&["goto", "gate", "--wait", "10"]).await;
    assert_eq!(arrived["done"], "arrived at");
    assert_eq!(bench.camera.ptz_position().pan, 0.0);
    run(&["remove", "gate"]).await;
    assert_eq!(
        bench.text(&["ptz", "presets", "list"]).await,
        "there are no presets\n"
    );

    let outcome = bench
        .program(&["ptz", "presets", "goto", "gate"])
        .run()
        .await;
    failed(&outcome, &["there is no preset gate", "presets list"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn home_is_set_and_found_again() {
    let bench = Bench::start().await;
    bench
        .text(&[
            "ptz", "absolute", "--pan", "0.25", "--tilt", "0", "--wait", "10",
        ])
        .await;
    assert_eq!(bench.text(&["ptz", "home", "--set"]).await, "home set\n");
    bench
        .text(&["ptz", "relative", "--pan", "0.5", "--wait", "10"])
        .await;
    assert_eq!(bench.text(&["ptz", "home", "--wait", "10"]).await, "home\n");
    assert_eq!(bench.camera.ptz_position().pan, 0.25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tour_of_presets_runs_until_it_is_stopped() {
    let bench = Bench::start().await;
    bench.text(&["ptz", "presets", "set", "left"]).await;
    bench
        .text(&[
            "ptz", "absolute", "--pan", "1", "--tilt", "0", "--wait", "10",
        ])
        .await;
    bench.text(&["ptz", "presets", "set", "right"]).await;
    let create = ["ptz", "tours", "create", "round", "--stay", "1"];
    let create = [&create[..], &["--preset", "left", "--preset", "right"]].concat();
    let created = bench.json(&create).await;
    let token = created["token"].as_str().unwrap();
    bench.text(&["ptz", "tours", "start", token]).await;
    until(|| bench.camera.is_moving()).await;
    let tours = bench.json(&["ptz", "tours", "list"]).await;
    let expected = json!({"token": token, "name": "round", "state": "Touring", "spots": 2});
    assert_eq!(tours["tours"][0], expected);
    bench.text(&["ptz", "tours", "stop", token]).await;
    assert!(!bench.camera.is_moving());
    bench.text(&["ptz", "tours", "remove", token]).await;
    assert_eq!(
        bench.text(&["ptz", "tours", "list"]).await,
        "there are no tours\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn auxiliary_commands_are_listed_and_run() {
    let bench = Bench::start().await;
    let listed = bench.text(&["ptz", "aux"]).await;
    assert!(listed.lines().any(|line| line == "tt:Wiper|On"), "{listed}");
    assert_eq!(
        bench.text(&["ptz", "aux", "tt:Wiper|On"]).await,
        "tt:Wiper|On\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn imaging_settings_are_shown_and_changed() {
    let bench = Bench::start().await;
    let text = bench.text(&["imaging", "get"]).await;
    let brightness = text.lines().find(|line| line.starts_with("brightness"));
    assert!(brightness.unwrap().ends_with("0 to 100"), "{text}");

    let json = bench
        .json(&[
            "imaging",
            "set",
            "brightness=60",
            "exposure=manual",
            "gain=5",
        ])
        .await;
    let value = |name: &str| {
        let mut all = list(&json, "settings").iter();
        all.find(|setting| setting["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!(
        (value("brightness"), value("gain")),
        (json!("60"), json!("5"))
    );
    assert_eq!(value("exposure"), "manual");

    let refused = bench
        .program(&["imaging", "set", "brightness=600"])
        .run()
        .await;
    failed(&refused, &["SettingsInvalid"]);
    bench
        .text(&["imaging", "set", "--clamp", "brightness=600"])
        .await;
    let outcome = bench.program(&["imaging", "set", "glow=1"]).run().await;
    failed(&outcome, &["there is no setting glow", "imaging get"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn focus_is_moved_and_stopped() {
    let bench = Bench::start().await;
    let moving = bench
        .json(&["imaging", "focus", "to", "0.9", "--speed", "0.1"])
        .await;
    assert_eq!(moving["state"], "MOVING");
    let stopped = bench.json(&["imaging", "focus", "stop"]).await;
    assert_eq!(stopped["state"], "IDLE");
    let there = bench
        .json(&["imaging", "focus", "for", "0.2", "--speed", "-0.01"])
        .await;
    assert_eq!(there["state"], "IDLE");
    assert!(
        bench
            .text(&["imaging", "focus", "status"])
            .await
            .starts_with("IDLE  position ")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_listed_with_items_and_schemas() {
    let bench = Bench::start().await;
    const MOTION: &str = "tns1:VideoSource/MotionAlarm";
    let json = bench.json(&["events", "properties"]).await;
    let topics = list(&json, "topics");
    let motion = topics
        .iter()
        .find(|topic| topic["topic"] == MOTION)
        .unwrap();
    assert_eq!(motion["property"], true);
    assert_eq!(motion["data"][0]["name"], "State");

    let schema = bench.text(&["events", "schema", MOTION]).await;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["Topic"]["const"], MOTION);
    assert_eq!(
        schema["properties"]["Data"]["properties"]["State"]["type"],
        "boolean"
    );
    let all = bench.text(&["events", "schema"]).await;
    assert_eq!(all.lines().count(), topics.len());
    let outcome = bench
        .program(&["events", "schema", "tns1:Nope"])
        .run()
        .await;
    failed(&outcome, &["no topic tns1:Nope"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_operation_is_called_with_json() {
    let bench = Bench::start().await;
    let hostname = bench.json(&["call", "GetHostname"]).await;
    assert_eq!(hostname["HostnameInformation"]["Name"], "gate");

    let arguments = r#"{"ProfileToken": "main", "Position": {"PanTilt": {"@x": 0.5, "@y": -0.5}}}"#;
    assert_eq!(
        bench.text(&["call", "AbsoluteMove", arguments]).await,
        "done\n"
    );
    until(|| (bench.camera.ptz_position().pan - 0.5).abs() < 1e-6).await;

    let profiles = bench
        .json(&["call", "media2/GetProfiles", r#"{"Type": "PTZ"}"#])
        .await;
    assert_eq!(profiles["Profiles"][0]["@token"], "main");
    let sources = bench.json(&["call", "media/GetVideoSources"]).await;
    assert!(sources.is_object(), "{sources}");
    let rules = r#"{"ConfigurationToken": "analytics_config"}"#;
    assert_eq!(
        bench.text(&["call", "analytics/GetRules", rules]).await,
        "done\n"
    );
    let properties = bench.json(&["call", "GetEventProperties"]).await;
    assert_eq!(properties["FixedTopicSet"], "true");
    let arguments = r#"{"ConsumerReference": {"wsa:Address": "http://127.0.0.1:9/x"}}"#;
    let subscription = bench.json(&["call", "Subscribe", arguments]).await;
    assert!(subscription["SubscriptionReference"]["Address"].is_string());

    let text = bench
        .text(&["call", "ptz/GetPresets", r#"{"ProfileToken": "main"}"#])
        .await;
    assert_eq!(text, "done\n");

    for (operation, words) in [
        (
            "GetProfiles",
            "several services have it: media/GetProfiles, media2/GetProfiles",
        ),
        ("Toast", "no service has Toast"),
        (
            "GetServiceCapabilities",
            "several services have it: device/",
        ),
        ("toaster/Toast", "there is no service toaster"),
        ("ptz/Toast", "refused"),
    ] {
        failed(&bench.program(&["call", operation]).run().await, &[words]);
    }
    let outcome = bench.program(&["call", "GetHostname", "{"]).run().await;
    failed(&outcome, &["the arguments are not JSON"]);
}
