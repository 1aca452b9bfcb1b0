//! Shows seven things that a camera reports. The subscription is renewed, and made anew when it was lost.
//!
//! `cargo run --example events -- http://192.0.2.7/onvif/device_service admin password.txt`

use std::error::Error;

use examples::Args;
use futures::StreamExt;
use onvif_core::events::{EventItem, Filter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let camera = Args::read()?.camera().connect().await?;
    let mut events = camera.events().subscribe(Filter::all());

    for _ in 0..7 {
        match events.next().await.transpose()? {
            Some(EventItem::Notification(event)) => {
                let state = event.operation.map(|operation| operation.to_string());
                print!("{} {}:", event.topic, state.unwrap_or_default());
                for item in event.source.simple.iter().chain(&event.data.simple) {
                    print!(" {}={}", item.name, item.value);
                }
                println!();
            }
            // The camera was away: ask for the state where it matters.
            Some(EventItem::Gap { since }) => {
                println!("gap: something may be missing since {since:?}")
            }
            Some(_) => {}
            None => break,
        }
    }
    events.end().await;
    Ok(())
}
