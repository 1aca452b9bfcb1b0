use std::time::Duration;

use virtual_camera::{PtzPosition, VirtualCamera};

use crate::client::{PTZ, Reply, call, open_camera};

const PROFILE: &str = "<ProfileToken>main</ProfileToken>";

async fn act(camera: &VirtualCamera, operation: &str, content: &str) -> Reply {
    call(camera, PTZ, operation, &format!("{PROFILE}{content}")).await
}

/// Asks for the status until the camera says that it stands still.
async fn until_idle(camera: &VirtualCamera) -> PtzPosition {
    let idle = async {
        loop {
            let status = act(camera, "GetStatus", "").await.ok();
            if status.values("tt:PanTilt") == ["IDLE"] && status.values("tt:Zoom") == ["IDLE"] {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), idle).await;
    waited.expect("the head does not come to rest");
    assert!(!camera.is_moving());
    camera.ptz_position()
}

#[tokio::test]
async fn a_relative_move_moves_the_position() {
    let camera = open_camera().await;
    let offset = "<Translation><tt:PanTilt x='0.25' y='-0.1'/><tt:Zoom x='0.1'/></Translation>";

    act(&camera, "RelativeMove", offset).await.ok();
    let there = until_idle(&camera).await;
    assert_eq!(
        there,
        PtzPosition {
            pan: 0.25,
            tilt: -0.1,
            zoom: 0.1
        }
    );
}

#[tokio::test]
async fn a_continuous_move_goes_on_until_it_is_stopped() {
    let camera = open_camera().await;
    let velocity = "<Velocity><tt:PanTilt x='0.01' y='0'/></Velocity><Timeout>PT60S</Timeout>";

    act(&camera, "ContinuousMove", velocity).await.ok();
    assert!(camera.is_moving());
    act(&camera, "Stop", "").await.ok();
    let stopped = until_idle(&camera).await;
    assert!(stopped.pan > 0.0 && stopped.pan < 1.0, "{stopped:?}");
}

#[tokio::test]
async fn a_continuous_move_ends_with_its_timeout() {
    let camera = open_camera().await;
    let velocity = "<Velocity><tt:PanTilt x='-0.5' y='0'/></Velocity><Timeout>PT0.1S</Timeout>";

    act(&camera, "ContinuousMove", velocity).await.ok();
    let stopped = until_idle(&camera).await;
    assert!((stopped.pan + 0.1).abs() < 1e-6, "{stopped:?}");
}

#[tokio::test]
async fn a_preset_brings_the_camera_back() {
    let camera = open_camera().await;
    let position = "<Position><tt:PanTilt x='0.1' y='0.1'/><tt:Zoom x='0.2'/></Position>";
    act(&camera, "AbsoluteMove", position).await.ok();
    let saved = until_idle(&camera).await;
    let preset = act(&camera, "SetPreset", "<PresetName>door</PresetName>")
        .await
        .ok();
    let token = format!(
        "<PresetToken>{}</PresetToken>",
        preset.value("tptz:PresetToken")
    );

    act(&camera, "GotoHomePosition", "").await.ok();
    assert_eq!(until_idle(&camera).await, PtzPosition::default());
    act(&camera, "GotoPreset", &token).await.ok();
    assert_eq!(until_idle(&camera).await, saved);
    assert_eq!(
        act(&camera, "GetPresets", "").await.ok().value("tt:Name"),
        "door"
    );
    act(&camera, "SetPreset", "<PresetName>door</PresetName>")
        .await
        .fault(400, "ter:PresetExist");
    act(&camera, "RemovePreset", &token).await.ok();
    act(&camera, "GotoPreset", &token)
        .await
        .fault(400, "ter:NoToken");
}

#[tokio::test]
async fn what_is_out_of_range_is_refused() {
    let camera = open_camera().await;
    for (operation, content, subcode) in [
        (
            "AbsoluteMove",
            "<Position><tt:PanTilt x='1.1' y='0'/></Position>",
            "ter:InvalidPosition",
        ),
        (
            "AbsoluteMove",
            "<Position><tt:Zoom x='-0.1'/></Position>",
            "ter:InvalidPosition",
        ),
        (
            "RelativeMove",
            "<Translation><tt:PanTilt x='2' y='0'/></Translation>",
            "ter:InvalidTranslation",
        ),
        (
            "ContinuousMove",
            "<Velocity><tt:PanTilt x='NaN' y='0'/></Velocity>",
            "ter:InvalidVelocity",
        ),
        (
            "ContinuousMove",
            "<Velocity/><Timeout>PT2M</Timeout>",
            "ter:TimeoutNotSupported",
        ),
        (
            "AbsoluteMove",
            "<Position><tt:Zoom x='0' space='urn:x'/></Position>",
            "ter:SpaceNotSupported",
        ),
    ] {
        act(&camera, operation, content).await.fault(400, subcode);
    }
    assert_eq!(camera.ptz_position(), PtzPosition::default());
}

#[tokio::test]
async fn a_reboot_keeps_the_position_and_stops_the_head() {
    let camera = open_camera().await;
    let velocity = "<Velocity><tt:PanTilt x='0.1' y='0'/></Velocity>";
    act(&camera, "ContinuousMove", velocity).await.ok();
    let before = camera.ptz_position();

    camera.reboot();
    assert!(!camera.is_moving());
    assert!(camera.ptz_position().pan >= before.pan);
}
