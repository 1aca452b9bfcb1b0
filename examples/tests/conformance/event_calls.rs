//! Subscriptions of both kinds, over their whole life.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use onvif_core::events::{EventOptions, EventStream, Filter, PushListener, PushOptions};

use crate::driving::{Stage, Trouble};

pub async fn run(stage: &Stage, trouble: &mut Trouble) {
    let events = stage.camera.events();
    trouble.none("event properties", events.properties().await);
    trouble.none("event capabilities", events.service_capabilities().await);

    let mut options = EventOptions::default();
    options.lifetime = Duration::from_secs(3);
    options.pull_timeout = Duration::from_secs(1);
    let filter = Filter::topic("tns1:VideoSource/MotionAlarm");
    let mut stream = events.subscribe_with(filter, options.clone());
    follow(stage, &mut stream, "<tev:PullMessages", trouble).await;
    follow(stage, &mut stream, "<wsnt:Renew", trouble).await;
    // A subscription that was lost is made anew, and asks for the state of all properties.
    stage.target.forget_subscriptions();
    follow(stage, &mut stream, "<tev:SetSynchronizationPoint", trouble).await;
    stream.end().await;

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = PushListener::bind(address, PushOptions::default()).await;
    if let Some(listener) = trouble.none("listener", listener) {
        let mut stream = events.subscribe_push(&listener, Filter::all(), options);
        follow(stage, &mut stream, "<wsnt:Subscribe>", trouble).await;
        stream.end().await;
    }
}

/// Polls the stream until a request with this text was answered.
async fn follow(stage: &Stage, stream: &mut EventStream, text: &str, trouble: &mut Trouble) {
    let polling = async {
        while let Some(item) = stream.next().await {
            drop(item);
        }
        Err::<(), _>("the stream of events has ended")
    };
    let seen = async {
        match stage.recorder.answered(text).await {
            true => Ok(()),
            false => Err("no such request was answered within ten seconds"),
        }
    };
    let result = tokio::select! {
        result = polling => result,
        result = seen => result,
    };
    trouble.none(text, result);
}
