//! What the RTSP server shows: the streams of the profiles, as they are configured at the moment.

use std::time::Instant;

use tokio::sync::broadcast;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::event::Event;
use crate::media::{Kind, Media, Profile};
use crate::quirks::Quirks;
use crate::requests::Asked;
use crate::rtsp::{Programme, Stream, Track};
use crate::service::events::notification;
use crate::state::{Camera, lock};
use crate::xml::{Rendering, TT, element};

/// What comes before the name of a profile that a client made.
const MADE: &str = "/profile/";

impl Programme for Camera {
    fn stream(&self, url: &Url) -> Option<Stream> {
        let media = lock(&self.media);
        let profile = profile_at(&media, url)?;
        let mut tracks = vec![Track::Clip(media.video(profile)?)];
        tracks.extend(media.sound(profile).map(Track::Clip));
        let tells_events = profile.configurations.contains_key(&Kind::Metadata);
        tracks.extend(tells_events.then_some(Track::Metadata));
        let path = match &profile.path {
            Some(path) => format!("/{path}"),
            None => format!("{MADE}{}", encoded(profile)),
        };
        Some(Stream { path, tracks })
    }

    fn events(&self) -> (Vec<Event>, broadcast::Receiver<Vec<Event>>) {
        let state = self.events.lock();
        (state.properties(Instant::now()), state.streams.subscribe())
    }

    fn quirks(&self) -> Quirks {
        Quirks::clone(&self.quirks())
    }

    fn note(&self, asked: Asked<'_>) -> u64 {
        let mut observed = lock(&self.observed);
        observed.record(asked.operation);
        observed.requests_with_credentials += u64::from(asked.credentials.is_some());
        drop(observed);
        self.asked(asked)
    }

    fn note_answer(&self, number: u64, status: u16) {
        lock(&self.requests).answered(number, status);
    }

    fn note_refusal(&self) {
        lock(&self.observed).authentication_failures += 1;
    }

    fn document(&self, events: &[Event]) -> String {
        let clock = lock(&self.clock);
        let notifications = events.iter().map(|event| notification(event, &clock, self));
        let document =
            element(TT, "MetadataStream").child(element(TT, "Event").children(notifications));
        document.render(Rendering::default())
    }
}

impl Camera {
    /// Tells all metadata streams the state of all properties, and has the stream of the profile go on with a key frame.
    pub(crate) fn synchronize_streams(&self, profile: &Profile) {
        let state = self.events.lock();
        // Nobody may be listening.
        let _ = state.streams.send(state.properties(Instant::now()));
        drop(state);
        let url =
            address(profile).and_then(|path| Url::parse(&format!("rtsp://camera/{path}")).ok());
        if let Some(url) = url {
            self.rtsp.send_key_frame(&url);
        }
    }
}

/// The path of the stream of a profile, and the query that goes with it: where the profile has no path of its own, it is
/// that of its encoder.
pub(crate) fn address(profile: &Profile) -> Option<String> {
    if let Some(path) = &profile.path {
        return Some(path.clone());
    }
    let encoder = profile.configurations.get(&Kind::VideoEncoder)?;
    let path = encoder.strip_suffix("_encoder")?;
    Some(format!("{path}?profile={}", encoded(profile)))
}

fn profile_at<'a>(media: &'a Media, url: &Url) -> Option<&'a Profile> {
    let made = url.path().strip_prefix(MADE);
    let mut profiles = media.profiles.iter();
    if let Some(name) = made.or(url.query().and_then(|query| query.strip_prefix("profile="))) {
        return profiles.find(|profile| profile.path.is_none() && encoded(profile) == name);
    }
    let path = url.path().strip_prefix('/')?;
    profiles.find(|profile| profile.path.as_deref() == Some(path))
}

fn encoded(profile: &Profile) -> String {
    byte_serialize(profile.token.as_bytes()).collect()
}
