//! What streams consist of.

use std::sync::Arc;

use tokio::sync::broadcast;
use url::Url;

use super::publication::Tape;
use crate::clip::{Clip, Codec, Pace};
use crate::event::Event;
use crate::quirks::Quirks;
use crate::requests::Asked;

/// Where the server learns what to show. Asked again for each request, so that it may change.
pub(crate) trait Programme: Send + Sync {
    /// The stream at this address, of which any track was cut off.
    fn stream(&self, url: &Url) -> Option<Stream>;

    /// The state of all properties, and from then on what happens.
    fn events(&self) -> (Vec<Event>, broadcast::Receiver<Vec<Event>>);

    /// The document of a metadata stream that tells these events.
    fn document(&self, events: &[Event]) -> String;

    /// What is wrong with the streams.
    fn quirks(&self) -> Quirks {
        Quirks::default()
    }

    /// Notes a request, and returns its number.
    fn note(&self, asked: Asked<'_>) -> u64;

    /// Notes the answer to the request of this number.
    fn note_answer(&self, number: u64, status: u16);

    /// Notes that the credentials of a request were wrong.
    fn note_refusal(&self);
}

/// A stream, as DESCRIBE tells it.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    /// The path that is its own, with a slash before it.
    pub path: String,
    /// In the order of their control addresses.
    pub tracks: Vec<Track>,
}

/// One medium of a stream.
#[derive(Clone, Debug)]
pub(crate) enum Track {
    /// A clip, without end.
    Clip(Arc<Clip>),
    /// Events, as documents of XML.
    Metadata,
    /// What a publisher sends or sent.
    Tape(Arc<Tape>),
}

impl Track {
    pub(super) fn payload_type(&self) -> u8 {
        match self {
            Self::Clip(clip) => match clip.codec {
                Codec::H264 | Codec::H265 => 96,
                // The fixed ones (RFC 3551, 6).
                Codec::Jpeg => 26,
                Codec::Pcmu => 0,
                Codec::Aac => 97,
            },
            Self::Metadata => 107,
            Self::Tape(tape) => tape.announced.payload_type,
        }
    }

    pub(super) fn pace(&self) -> Pace {
        match self {
            Self::Clip(clip) => clip.pace,
            Self::Metadata => Pace {
                clock_rate: 90_000,
                ticks: 1,
            },
            Self::Tape(tape) => Pace {
                clock_rate: tape.announced.clock_rate,
                ticks: 1,
            },
        }
    }
}

const TRACK: &str = "trackID=";

/// The control address of a track, relative to that of its stream.
pub(super) fn control(index: usize) -> String {
    format!("{TRACK}{}", index + 1)
}

/// Cuts the control address of a track off a path; `None` where it is that of a stream.
pub(super) fn split_control(path: &str) -> (&str, Option<usize>) {
    let path = path.trim_end_matches('/');
    let Some((stream, track)) = path.rsplit_once('/') else {
        return (path, None);
    };
    let index = track.strip_prefix(TRACK).and_then(|number| {
        let number: usize = number.parse().ok()?;
        number.checked_sub(1)
    });
    match index {
        Some(index) => (stream.trim_end_matches('/'), Some(index)),
        None => (path, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_track_from_the_stream() {
        for (path, expected) in [
            ("/main", ("/main", None)),
            ("/main/", ("/main", None)),
            ("/main/trackID=1", ("/main", Some(0))),
            ("/a/b//trackID=12/", ("/a/b", Some(11))),
            ("/main/trackID=0", ("/main/trackID=0", None)),
            ("/main/trackID=x", ("/main/trackID=x", None)),
            ("", ("", None)),
        ] {
            assert_eq!(split_control(path), expected, "{path}");
        }
        assert_eq!(
            split_control(&format!("/main/{}", control(2))),
            ("/main", Some(2))
        );
    }
}
