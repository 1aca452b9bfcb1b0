//! What each fuzz target does with its input. Also run on seeds and mutations of them by `tests/fuzz_corpus.rs`.
//!
//! A target fails by panicking: where something that always holds does not.

#![allow(dead_code, reason = "every fuzz target uses one of these")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onvif_core::device::{GetCapabilities, GetServices};
use onvif_core::discovery::decode_datagram;
use onvif_core::events::{GetEventProperties, Meaning, MetadataDecoder, PullMessages};
use onvif_core::media::{ver10, ver20};
use onvif_core::xml::date;
use onvif_core::{Fault, decode_response};

/// Replies of several operations.
pub fn envelope(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = decode_response::<GetServices>(&text);
    let _ = decode_response::<GetCapabilities>(&text);
    let _ = decode_response::<ver20::GetProfiles>(&text);
    if let Ok(Ok(reply)) = decode_response::<ver10::GetProfiles>(&text) {
        assert!(reply.profiles.len() <= text.len());
    }
}

/// Faults, whatever the operation.
pub fn fault(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(Err(fault)) = decode_response::<GetServices>(&text) {
        check(&fault);
    }
}

fn check(fault: &Fault) {
    assert!(fault.subcodes.len() <= 8);
    assert!(fault.to_string().len() < 64 << 10);
    assert!(!(fault.is_retryable() && (fault.is_auth() || fault.is_unsupported())));
    let _ = fault.needs_resubscribe();
}

/// Dates and durations.
pub fn date(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(time) = date::parse_date_time(&text) {
        let written = date::format_date_time(time);
        // Years of more than four digits are read, and written as the beginning of time.
        if let Some(again) = date::parse_date_time(&written).filter(|again| *again > UNIX_EPOCH) {
            let lost = time.duration_since(again).unwrap();
            assert!(lost < Duration::from_millis(1), "{text} became {written}");
        }
    }
    if let Some(duration) = date::parse_duration(&text) {
        let written = date::format_duration(duration);
        let again = date::parse_duration(&written).unwrap();
        assert!(duration.abs_diff(again) < Duration::from_millis(2) + duration / 1_000_000_000);
    }
}

/// Datagrams of WS-Discovery.
pub fn probe_match(data: &[u8]) {
    let from = "192.0.2.7:3702".parse().unwrap();
    for found in decode_datagram(data, from).unwrap_or_default() {
        assert!(found.xaddrs.len() <= 16 && found.scopes.len() <= 64 && found.types.len() <= 64);
        assert!(!found.endpoint_reference.is_empty());
        for url in &found.xaddrs {
            assert!(matches!(url.scheme(), "http" | "https") && url.has_host());
            assert!(url.username().is_empty() && url.password().is_none());
        }
        for scope in &found.scopes {
            assert!(found.has_scope(scope));
        }
        let _ = (found.name(), found.hardware(), found.location());
    }
}

/// What a pull point delivers.
pub fn notification(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(Ok(reply)) = decode_response::<PullMessages>(&text) {
        for notification in &reply.notifications {
            let _ = Meaning::of(notification);
        }
    }
}

/// The topics that a camera has.
pub fn topic_set(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(Ok(reply)) = decode_response::<GetEventProperties>(&text) {
        let _ = reply.topic_set.tree();
        for topic in reply.topic_set.topics.iter().take(100) {
            assert!(reply.topic_set.get(&topic.path).is_some());
            let _ = (topic.filter(), topic.json_schema());
        }
    }
}

/// The metadata stream, in one piece and in two.
pub fn metadata_frame(data: &[u8]) {
    let received = SystemTime::UNIX_EPOCH;
    let whole = MetadataDecoder::new(1 << 16).push(data, received);
    let mut decoder = MetadataDecoder::new(1 << 16);
    let (first, rest) = data.split_at(data.len() / 2);
    let mut parts = decoder.push(first, received);
    parts.extend(decoder.push(rest, received));
    if decoder.lost() == 0 {
        assert_eq!(whole.len(), parts.len());
    }
}
