//! The ONVIF metadata stream: `tt:MetadataStream` documents from RTSP to notifications and objects.

mod frame;

use std::time::SystemTime;

pub use frame::{AnalyticsFrame, AnalyticsObject, BoundingBox, ClassCandidate, Transformation};

use super::notification::Notification;
use crate::xml::{Decode, DecodeError, Element, Limits, Reader};

/// Items of one document at most; what is beyond is dropped.
const MAX_ITEMS: usize = 4096;
/// The root element, and how many bytes may stand before its name in a tag.
const NAME: &[u8] = b"MetadataStream";
const MAX_PREFIX: usize = 64;

/// What a metadata stream carries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MetadataItem {
    /// An event, as a pull point would report it.
    Notification(Box<Notification>),
    /// What video analytics sees in one picture.
    Frame(AnalyticsFrame),
}

/// Reads the payloads of an RTP stream of `application/vnd.onvif.metadata` (ONVIF Streaming, "Metadata
/// stream"), without their RTP headers. Pure; bounded in memory.
///
/// ```
/// use std::time::SystemTime;
///
/// use onvif_core::events::{MetadataDecoder, MetadataItem};
///
/// let document = br#"<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"><tt:Event>
///     <wsnt:NotificationMessage xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2">
///     <wsnt:Topic>tns1:VideoSource/MotionAlarm</wsnt:Topic></wsnt:NotificationMessage>
///     </tt:Event></tt:MetadataStream>"#;
/// let mut decoder = MetadataDecoder::default();
/// let (first, rest) = document.split_at(40);
/// assert!(decoder.push(first, SystemTime::now()).is_empty());
/// let items = decoder.push(rest, SystemTime::now());
/// assert!(matches!(&items[..], [MetadataItem::Notification(n)] if n.topic == "tns1:VideoSource/MotionAlarm"));
/// ```
#[derive(Clone, Debug)]
pub struct MetadataDecoder {
    buffer: Vec<u8>,
    /// How far the buffer was searched for the end of the document.
    searched: usize,
    limit: usize,
    clock_offset_ms: Option<i64>,
    lost: u64,
}

impl Default for MetadataDecoder {
    fn default() -> Self {
        Self::new(1 << 20)
    }
}

impl MetadataDecoder {
    /// A decoder for documents of at most `limit` bytes; the default has 1 MiB.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            searched: 0,
            limit,
            clock_offset_ms: None,
            lost: 0,
        }
    }

    /// How far the camera's clock is ahead of ours, in milliseconds
    /// ([`Camera::clock_offset_ms`](crate::Camera::clock_offset_ms)): fills in the host time of
    /// notifications.
    #[must_use]
    pub fn clock_offset_ms(mut self, offset: Option<i64>) -> Self {
        self.clock_offset_ms = offset;
        self
    }

    pub(super) fn set_clock_offset(&mut self, offset: Option<i64>) {
        self.clock_offset_ms = offset;
    }

    /// Takes the next payload, which may be a part of a document, one or several; returns what was
    /// completed. A document that is broken or too large is dropped and counted.
    pub fn push(&mut self, payload: &[u8], received: SystemTime) -> Vec<MetadataItem> {
        let mut items = Vec::new();
        for chunk in payload.chunks(self.limit.max(1)) {
            self.buffer.extend_from_slice(chunk);
            while let Some(end) = self.end_of_document() {
                let rest = self.buffer.split_off(end);
                let document = std::mem::replace(&mut self.buffer, rest);
                self.searched = 0;
                match read(&document) {
                    Ok(read) => {
                        items.extend(read.into_iter().map(|item| self.stamp(item, received)))
                    }
                    Err(error) => {
                        self.lost += 1;
                        tracing::debug!(%error, "a document of the metadata stream is dropped");
                    }
                }
            }
            if self.buffer.len() > self.limit {
                tracing::debug!(
                    limit = self.limit,
                    "a document of the metadata stream is too large"
                );
                self.restart();
            }
        }
        items
    }

    /// Forgets the beginning of a document, because its end was lost: call it after packet loss.
    pub fn restart(&mut self) {
        if !self.buffer.is_empty() {
            self.lost += 1;
        }
        self.buffer.clear();
        self.searched = 0;
    }

    /// How many documents were dropped.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The offset behind the root's end tag, or behind a root without content.
    fn end_of_document(&mut self) -> Option<usize> {
        let mut at = self.searched;
        while let Some(found) = find(&self.buffer[at..]) {
            let name = at + found;
            at = name + NAME.len();
            let Some((_, closes)) = tag(&self.buffer, name) else {
                continue;
            };
            // Neither stands inside a tag, so that no byte is looked at for two tags.
            let end = self.buffer[at..]
                .iter()
                .position(|byte| matches!(byte, b'<' | b'>'));
            let Some(end) = end.map(|end| at + end) else {
                self.searched = name;
                return None;
            };
            let empty = self.buffer[end - 1] == b'/';
            if self.buffer[end] == b'>' && (closes || empty) {
                return Some(end + 1);
            }
        }
        self.searched = self.buffer.len().saturating_sub(NAME.len()).max(at);
        None
    }

    fn stamp(&self, item: MetadataItem, received: SystemTime) -> MetadataItem {
        match item {
            MetadataItem::Notification(notification) => MetadataItem::Notification(Box::new(
                notification.stamp(received, self.clock_offset_ms),
            )),
            frame => frame,
        }
    }
}

fn find(bytes: &[u8]) -> Option<usize> {
    bytes.windows(NAME.len()).position(|window| window == NAME)
}

/// Where the tag begins that has its name at `name`, and whether it is an end tag.
fn tag(bytes: &[u8], name: usize) -> Option<(usize, bool)> {
    let window = name.saturating_sub(MAX_PREFIX);
    let start = window + bytes[window..name].iter().rposition(|byte| *byte == b'<')?;
    let prefix = &bytes[start + 1..name];
    let closes = prefix.first() == Some(&b'/');
    let in_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.');
    prefix[usize::from(closes)..]
        .iter()
        .all(in_name)
        .then_some((start, closes))
}

fn read(document: &[u8]) -> Result<Vec<MetadataItem>, DecodeError> {
    // The document ends here, so it began with the last start tag; what stands before that is the
    // rest of a document whose end was lost.
    let begin = (0..=document.len().saturating_sub(NAME.len()))
        .rev()
        .filter(|at| document[*at..].starts_with(NAME))
        .find_map(|name| tag(document, name).filter(|(_, closes)| !closes));
    let text = String::from_utf8_lossy(&document[begin.map_or(0, |(start, _)| start)..]);
    let text = &*text;
    let limits = Limits {
        bytes: text.len(),
        ..Limits::default()
    };
    let mut reader = Reader::with_limits(text, limits)?;
    let mut root = reader.root()?;
    let mut items = Vec::new();
    while let Some(mut part) = root.child()? {
        match part.local_name() {
            "Event" => {
                while let Some(mut event) = part.child()? {
                    if event.local_name() == "NotificationMessage" {
                        let notification = Notification::decode(&mut event)?;
                        keep(
                            &mut items,
                            MetadataItem::Notification(Box::new(notification)),
                        );
                    }
                }
            }
            "VideoAnalytics" => frames(&mut part, &mut items)?,
            _ => {}
        }
    }
    Ok(items)
}

fn frames(part: &mut Element<'_, '_>, items: &mut Vec<MetadataItem>) -> Result<(), DecodeError> {
    while let Some(mut frame) = part.child()? {
        if frame.local_name() == "Frame" {
            keep(
                items,
                MetadataItem::Frame(AnalyticsFrame::decode(&mut frame)?),
            );
        }
    }
    Ok(())
}

fn keep(items: &mut Vec<MetadataItem>, item: MetadataItem) {
    if items.len() < MAX_ITEMS {
        items.push(item);
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const EVENT: &str = "<?xml version=\"1.0\"?>\n<tt:MetadataStream xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
        xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\" xmlns:tns1=\"http://www.onvif.org/ver10/topics\"><tt:Event>\
        <wsnt:NotificationMessage><wsnt:Topic>tns1:VideoSource/MotionAlarm</wsnt:Topic><wsnt:Message>\
        <tt:Message UtcTime=\"1970-01-01T00:00:09Z\" PropertyOperation=\"Changed\"><tt:Data><tt:SimpleItem Name=\"State\" \
        Value=\"true\"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tt:Event></tt:MetadataStream>";

    const FRAME: &str = "<tt:MetadataStream xmlns:tt=\"http://www.onvif.org/ver10/schema\"><tt:VideoAnalytics>\
        <tt:Frame UtcTime=\"2024-04-08T16:01:49Z\" Source=\"v\"><tt:Transformation><tt:Translate x=\"-1\" y=\"1\"/>\
        <tt:Scale x=\"0.5\" y=\"-0.5\"/></tt:Transformation><tt:Object ObjectId=\"12\"><tt:Appearance><tt:Shape>\
        <tt:BoundingBox left=\"1\" top=\"1\" right=\"2\" bottom=\"3\"/><tt:CenterOfGravity x=\"1.5\" y=\"2\"/></tt:Shape>\
        <tt:Class><tt:Type Likelihood=\"0.8\">Human</tt:Type><tt:ClassCandidate><tt:Type>Vehical</tt:Type>\
        <tt:Likelihood>0.1</tt:Likelihood></tt:ClassCandidate></tt:Class></tt:Appearance></tt:Object></tt:Frame>\
        </tt:VideoAnalytics></tt:MetadataStream>";

    fn topics(items: &[MetadataItem]) -> usize {
        let is_motion = |item: &&MetadataItem| matches!(item, MetadataItem::Notification(n) if n.topic == "tns1:VideoSource/MotionAlarm");
        items.iter().filter(is_motion).count()
    }

    #[test]
    fn documents_are_found_however_they_are_cut() {
        let all = [
            EVENT,
            "\n",
            FRAME,
            "<tt:MetadataStream xmlns:tt='u'/>",
            EVENT,
        ]
        .concat();
        for size in [1, 7, 100, all.len()] {
            let mut decoder = MetadataDecoder::default().clock_offset_ms(Some(4_000));
            let items: Vec<_> = all
                .as_bytes()
                .chunks(size)
                .flat_map(|chunk| decoder.push(chunk, UNIX_EPOCH))
                .collect();
            assert_eq!((items.len(), topics(&items)), (3, 2), "{size}");
            assert_eq!(decoder.lost(), 0);
            let MetadataItem::Notification(first) = &items[0] else {
                panic!("{items:?}")
            };
            let five = UNIX_EPOCH + std::time::Duration::from_secs(5);
            assert_eq!(first.host_time, Some(five));
        }
    }

    #[test]
    fn objects_come_with_classes_and_boxes_in_the_units_of_the_picture() {
        let items = MetadataDecoder::default().push(FRAME.as_bytes(), UNIX_EPOCH);
        let MetadataItem::Frame(frame) = &items[0] else {
            panic!("{items:?}")
        };
        let object = &frame.objects[0];
        assert_eq!(object.id.as_deref(), Some("12"));
        let classes: Vec<_> = object
            .classes
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        assert_eq!(classes, ["Human", "Vehical"]);
        let unit = object.bounding_box.unwrap();
        assert_eq!(
            (unit.left, unit.top, unit.right, unit.bottom),
            (-0.5, 0.5, 0.0, -0.5)
        );
        let pixels = unit.to_pixels(1920, 1080);
        assert_eq!(
            (pixels.left, pixels.top, pixels.right, pixels.bottom),
            (480.0, 270.0, 960.0, 810.0)
        );
    }

    #[test]
    fn what_follows_a_broken_or_huge_document_is_read() {
        let broken = EVENT.replace("</tt:Event>", "");
        let mut decoder = MetadataDecoder::new(4096);
        let mut items = decoder.push(broken.as_bytes(), UNIX_EPOCH);
        items.extend(decoder.push(EVENT.as_bytes(), UNIX_EPOCH));
        assert_eq!((topics(&items), decoder.lost()), (1, 1));
        let huge = vec![b'x'; 1 << 20];
        assert!(decoder.push(&huge, UNIX_EPOCH).is_empty());
        assert!(decoder.buffer.len() <= 4096);
        decoder.restart();
        assert_eq!(topics(&decoder.push(EVENT.as_bytes(), UNIX_EPOCH)), 1);
    }

    #[test]
    fn a_document_of_which_a_part_was_lost_takes_no_other_with_it() {
        let (begin, end) = EVENT.as_bytes().split_at(200);
        for part in [begin, end] {
            let mut decoder = MetadataDecoder::default();
            let mut items = decoder.push(part, UNIX_EPOCH);
            items.extend(decoder.push(EVENT.as_bytes(), UNIX_EPOCH));
            assert_eq!(topics(&items), 1);
        }
    }

    #[test]
    fn hostile_bytes_take_neither_time_nor_memory() {
        let size = 1 << 20;
        for pattern in [
            "MetadataStream",
            "<MetadataStream ",
            "</MetadataStream ",
            "<a:MetadataStream/",
            "<MetadataStream>",
            "</MetadataStream>",
            "<MetadataStream/>",
            "<",
            ">",
            "\u{ff}",
        ] {
            let started = std::time::Instant::now();
            let mut bytes = pattern.repeat(size / pattern.len());
            bytes.push('>');
            let mut decoder = MetadataDecoder::default();
            for chunk in bytes.as_bytes().chunks(1400) {
                decoder.push(chunk, UNIX_EPOCH);
            }
            assert!(decoder.buffer.len() <= size, "{pattern}");
            assert!(
                started.elapsed().as_secs() < 5,
                "{pattern} {:?}",
                started.elapsed()
            );
        }
    }
}
