//! Relays and digital inputs.

use std::time::Duration;

use futures::StreamExt;
use onvif_core::device::{
    RelayIdleState, RelayLogicalState, RelayMode, RelayOutputSettings, RelayOutputToken,
};
use onvif_core::device_io::{DigitalIdleState, DigitalInput, DigitalInputToken};
use onvif_core::events::{EventItem, Filter, PropertyOperation};

use super::{assert_refused, start};

#[tokio::test]
async fn relays_are_switched_through_either_service() {
    let (target, camera) = start().await;
    let device = camera.device();
    let io = camera.device_io();
    assert_eq!(
        device.relay_outputs().await.unwrap(),
        io.relay_outputs().await.unwrap()
    );
    let [one, two] = ["relay_1", "relay_2"].map(RelayOutputToken::from);

    let bistable = RelayOutputSettings::bistable(RelayIdleState::Closed);
    device
        .set_relay_output_settings(&one, bistable)
        .await
        .unwrap();
    device
        .set_relay_output_state(&one, RelayLogicalState::Active)
        .await
        .unwrap();
    assert_eq!(target.relay_output("relay_1"), Some(true));
    device
        .set_relay_output_state(&one, RelayLogicalState::Inactive)
        .await
        .unwrap();
    assert_eq!(target.relay_output("relay_1"), Some(false));

    let monostable = RelayOutputSettings::monostable(Duration::from_secs(60), RelayIdleState::Open);
    io.set_relay_output_settings(&two, monostable.clone())
        .await
        .unwrap();
    io.set_relay_output_state(&two, RelayLogicalState::Active)
        .await
        .unwrap();
    assert_eq!(target.relay_output("relay_2"), Some(true));
    let relays = io.relay_outputs().await.unwrap();
    assert_eq!(relays[1].settings, Some(monostable));
    let mode = relays[0].settings.as_ref().unwrap().mode.clone();
    assert_eq!(mode, Some(RelayMode::Bistable));

    let too_long = RelayOutputSettings::monostable(Duration::from_secs(61), RelayIdleState::Open);
    assert_refused(
        io.set_relay_output_settings(&two, too_long).await,
        &["InvalidArgVal", "ModeError"],
    );
    let unknown = RelayOutputToken::from("x");
    assert_refused(
        io.set_relay_output_state(&unknown, RelayLogicalState::Active)
            .await,
        &["InvalidArgVal", "RelayToken"],
    );
    target.stop().await;
}

#[tokio::test]
async fn a_relay_that_is_switched_is_an_event_and_so_is_its_falling_back() {
    let (target, camera) = start().await;
    let topics = camera.events().properties().await.unwrap().topic_set;
    assert!(topics.get("tns1:Device/Trigger/Relay").is_some());
    let io = camera.device_io();
    let relay = RelayOutputToken::from("relay_1");
    let short = RelayOutputSettings::monostable(Duration::from_millis(100), RelayIdleState::Open);
    io.set_relay_output_settings(&relay, short).await.unwrap();

    let mut events = camera
        .events()
        .subscribe(Filter::topic("tns1:Device/Trigger/Relay"));
    let switched = async {
        // The subscription exists once something waits for its events.
        while target.observed().subscriptions == 0 {
            tokio::task::yield_now().await;
        }
        io.set_relay_output_state(&relay, RelayLogicalState::Active)
            .await
            .unwrap();
    };
    let states = async {
        let mut states = Vec::new();
        while states.last().map(String::as_str) != Some("inactive") {
            if let EventItem::Notification(notification) = events.next().await.unwrap().unwrap() {
                if notification.operation == Some(PropertyOperation::Initialized) {
                    continue;
                }
                assert_eq!(notification.source.get("RelayToken"), Some("relay_1"));
                states.push(notification.data.get("LogicalState").unwrap().to_owned());
            }
        }
        states
    };
    let both = async { tokio::join!(states, switched).0 };
    let states = tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .unwrap();
    assert_eq!(states, ["active", "inactive"]);
    drop(events);
    target.stop().await;
}

#[tokio::test]
async fn the_options_of_relays_are_told_one_by_one_or_all_at_once() {
    let (target, camera) = start().await;
    let io = camera.device_io();
    let all = io.relay_output_options(None).await.unwrap();
    assert_eq!(all.len(), 2);
    let one = io.relay_output_options(Some(&all[1].token)).await.unwrap();
    assert_eq!(one, all[1..]);
    assert_eq!(one[0].modes, [RelayMode::Monostable, RelayMode::Bistable]);
    assert_eq!(
        one[0].delays(),
        [Duration::from_millis(100), Duration::from_secs(60)]
    );
    target.stop().await;
}

#[tokio::test]
async fn digital_inputs_keep_what_they_are_set_to() {
    let (target, camera) = start().await;
    let io = camera.device_io();
    let input = io.digital_inputs().await.unwrap().remove(0);
    assert_eq!(input.idle_state, Some(DigitalIdleState::Open));
    let options = io.digital_input_options(Some(&input.token)).await.unwrap();
    assert_eq!(options, [DigitalIdleState::Closed, DigitalIdleState::Open]);
    let closed = DigitalInput {
        idle_state: Some(DigitalIdleState::Closed),
        ..input
    };
    io.set_digital_inputs([closed.clone()]).await.unwrap();
    assert_eq!(io.digital_inputs().await.unwrap(), [closed]);
    let unknown = DigitalInputToken::from("x");
    assert_refused(
        io.digital_input_options(Some(&unknown)).await,
        &["InvalidArgVal"],
    );
    target.stop().await;
}

#[tokio::test]
async fn inputs_and_outputs_are_counted_and_listed() {
    let (target, camera) = start().await;
    let io = camera.device_io();
    let capabilities = io.service_capabilities().await.unwrap().unwrap();
    assert_eq!(capabilities.relay_outputs, Some(2));
    assert_eq!(io.video_sources().await.unwrap().len(), 1);
    assert_eq!(io.audio_sources().await.unwrap().len(), 1);
    assert_eq!(io.audio_outputs().await.unwrap().len(), 1);
    assert!(io.serial_ports().await.unwrap().is_empty());
    target.stop().await;
}
