use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::soap_enum;
use crate::xml::{Decode, DecodeError, Element, date, namespace};

/// Something a camera reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// The whole topic with its prefix, such as `tns1:VideoSource/MotionAlarm`. ONVIF topics have
    /// the prefix `tns1` whatever the camera calls it.
    pub topic: String,
    /// What happened to a property; `None` for events that are no properties. `Initialized` tells
    /// a state, not a change.
    pub operation: Option<PropertyOperation>,
    /// Where it happened: tokens of sources, inputs, rules.
    pub source: Items,
    /// Which instance of the property it is.
    pub key: Items,
    /// What happened.
    pub data: Items,
    /// The time by the camera's clock.
    pub device_time: Option<SystemTime>,
    /// The same moment by our clock, as far as the offset of the camera's clock is known.
    pub host_time: Option<SystemTime>,
    /// The address of what produced it, where the camera tells.
    pub producer: Option<String>,
    /// The time it was received, by our clock.
    pub received: SystemTime,
}

soap_enum! {
    /// What happened to a property.
    pub enum PropertyOperation {
        /// Its state is told, after subscribing or on request.
        Initialized = "Initialized",
        /// It changed.
        Changed = "Changed",
        /// It no longer exists.
        Deleted = "Deleted",
    }
}

/// Items of a notification, in the order in which the camera gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// Items with a simple value.
    pub simple: Vec<SimpleItem>,
    /// Items with XML.
    pub elements: Vec<ElementItem>,
}

impl Items {
    /// The value of the first simple item with that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.simple
            .iter()
            .find(|item| item.name == name)
            .map(|item| item.value.as_str())
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.simple.is_empty() && self.elements.is_empty()
    }
}

/// A name with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleItem {
    /// Name.
    pub name: String,
    /// Value as the camera writes it.
    pub value: String,
}

/// A name with XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementItem {
    /// Name.
    pub name: String,
    /// Content as the camera writes it.
    pub xml: String,
}

impl Decode for Notification {
    /// Reads a `NotificationMessage`. `received` is left at the epoch: reading has no clock.
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut notification = Self::new("");
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "Topic" => {
                    let text = child.text()?;
                    let onvif = text.split_once(':').is_some_and(|(prefix, _)| {
                        child.namespace_of(prefix) == Some(namespace::uri("tns1"))
                    });
                    notification.topic = topic(&text, onvif);
                }
                "ProducerReference" => {
                    while let Some(mut part) = child.child()? {
                        if part.local_name() == "Address" {
                            notification.producer = Some(part.text()?.into_owned())
                                .filter(|address| !address.is_empty());
                        }
                    }
                }
                "Message" => {
                    while let Some(mut message) = child.child()? {
                        if message.local_name() == "Message" {
                            notification.message(&mut message)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(notification)
    }
}

impl Notification {
    /// A notification of a topic, with nothing in it.
    pub(crate) fn new(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            operation: None,
            source: Items::default(),
            key: Items::default(),
            data: Items::default(),
            device_time: None,
            host_time: None,
            producer: None,
            received: UNIX_EPOCH,
        }
    }

    /// Reads a `Message` that stands alone, without a topic.
    pub(super) fn from_message(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut notification = Self::new("");
        notification.message(element)?;
        Ok(notification)
    }

    /// Fills in the times of our clock; the camera's is `offset_ms` ahead of it.
    pub(crate) fn stamp(mut self, received: SystemTime, offset_ms: Option<i64>) -> Self {
        self.received = received;
        let by = |offset: i64| Duration::from_millis(offset.unsigned_abs());
        self.host_time = self
            .device_time
            .zip(offset_ms)
            .and_then(|(time, offset)| match offset {
                ..0 => time.checked_add(by(offset)),
                _ => time.checked_sub(by(offset)),
            })
            .filter(|time| *time >= UNIX_EPOCH);
        self
    }

    fn message(&mut self, element: &mut Element<'_, '_>) -> Result<(), DecodeError> {
        self.device_time = element
            .attribute("UtcTime")
            .and_then(|text| date::parse_date_time(&text));
        self.operation = element
            .attribute("PropertyOperation")
            .map(|text| PropertyOperation::from(text.trim()));
        while let Some(mut part) = element.child()? {
            match part.local_name() {
                "Source" => items(&mut part, &mut self.source)?,
                "Key" => items(&mut part, &mut self.key)?,
                "Data" => items(&mut part, &mut self.data)?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn items(element: &mut Element<'_, '_>, items: &mut Items) -> Result<(), DecodeError> {
    while let Some(mut item) = element.child()? {
        let name = item.attribute("Name").unwrap_or_default().into_owned();
        match item.local_name() {
            "SimpleItem" => {
                let value = item
                    .attribute("Value")
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                items.simple.push(SimpleItem { name, value });
            }
            "ElementItem" => items.elements.push(ElementItem {
                name,
                xml: item.raw()?.trim().to_owned(),
            }),
            _ => {}
        }
    }
    Ok(())
}

/// A topic without the padding and the `//.` that some cameras append.
fn topic(text: &str, onvif: bool) -> String {
    let mut text: String = text.split_whitespace().collect();
    text.truncate(text.trim_end_matches(['/', '.']).len());
    match text.split_once(':') {
        Some((_, path)) if onvif => format!("tns1:{path}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Reader;

    #[test]
    fn items_keep_order_duplicates_and_xml() {
        let xml = "<wsnt:NotificationMessage xmlns:t='http://www.onvif.org/ver10/topics'>\
            <wsnt:Topic Dialect='x'>\n t:RuleEngine/CellMotionDetector/Motion//. </wsnt:Topic>\
            <wsnt:Message><tt:Message UtcTime='2024-04-08T16:01:49Z' PropertyOperation='Changed'>\
            <tt:Source><tt:SimpleItem Name='B' Value='1'/><tt:SimpleItem Name='A' Value='2'/>\
            <tt:SimpleItem Name='A' Value='3'/></tt:Source><tt:Key><tt:SimpleItem Name='K' Value='k'/></tt:Key>\
            <tt:Data><tt:SimpleItem Name='IsMotion' Value=' true '/><tt:ElementItem Name='E'><a b='c'/></tt:ElementItem>\
            </tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>";
        let read = Notification::decode(&mut Reader::new(xml).unwrap().root().unwrap()).unwrap();
        assert_eq!(read.topic, "tns1:RuleEngine/CellMotionDetector/Motion");
        assert_eq!(read.operation, Some(PropertyOperation::Changed));
        let names: Vec<_> = read
            .source
            .simple
            .iter()
            .map(|item| item.value.as_str())
            .collect();
        assert_eq!(names, ["1", "2", "3"]);
        assert_eq!(read.key.get("K"), Some("k"));
        assert_eq!(read.data.get("IsMotion"), Some("true"));
        assert_eq!(read.data.elements[0].xml, "<a b='c'/>");
        assert!(read.device_time.is_some());
    }

    #[test]
    fn the_time_is_told_by_our_clock_too_and_the_producer_is_kept() {
        let xml = "<NotificationMessage><Topic>tns1:A</Topic><ProducerReference><Address>uri://cam/1</Address>\
            </ProducerReference><Message><Message UtcTime='1970-01-01T01:00:00Z'/></Message></NotificationMessage>";
        let read = Notification::decode(&mut Reader::new(xml).unwrap().root().unwrap()).unwrap();
        assert_eq!(read.producer.as_deref(), Some("uri://cam/1"));
        let received = UNIX_EPOCH + Duration::from_secs(9);
        let ahead = read.clone().stamp(received, Some(3_600_000 - 5_000));
        assert_eq!(ahead.host_time, Some(UNIX_EPOCH + Duration::from_secs(5)));
        assert_eq!(ahead.received, received);
        assert_eq!(read.clone().stamp(received, None).host_time, None);
        let absurd = read.stamp(received, Some(i64::MAX));
        assert_eq!(absurd.host_time, None);
    }

    #[test]
    fn an_empty_message_is_a_notification_without_items() {
        let xml = "<NotificationMessage><Topic>tns1:Device/Trigger</Topic><Message/></NotificationMessage>";
        let read = Notification::decode(&mut Reader::new(xml).unwrap().root().unwrap()).unwrap();
        assert_eq!(read.topic, "tns1:Device/Trigger");
        assert!(read.data.is_empty() && read.operation.is_none() && read.device_time.is_none());
    }
}
