//! Messages of this crate as packets of the codec, and back.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    LastWill, LastWillProperties, Packet, PubAckReason, Publish as PublishPacket, PublishProperties,
};

use super::{Ack, Message, Properties, Publish, PublishError};
use crate::{Qos, topic};

pub(super) fn qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}

fn invalid(reason: String) -> PublishError {
    PublishError::Invalid {
        what: "properties",
        reason,
    }
}

/// Checks that the codec can write a message, and that no broker closes the connection over a text in it.
pub(super) fn check(message: &Publish) -> Result<(), PublishError> {
    topic::check_topic(&message.topic).map_err(|error| PublishError::Invalid {
        what: "topic",
        reason: error.to_string(),
    })?;
    let properties = &message.properties;
    let user = properties
        .user
        .iter()
        .map(|(name, value)| (name.as_str(), value));
    let content_type = properties.content_type.iter();
    for (name, value) in user.chain(content_type.map(|value| ("Content Type", value))) {
        let reason = if name.len().max(value.len()) > 65_535 {
            "has more than 65,535 bytes"
        } else if !topic::is_text(name) || !topic::is_text(value) {
            "holds a control character"
        } else {
            continue;
        };
        return Err(invalid(format!("{} {reason}", topic::shown(name))));
    }
    let correlation = properties.correlation_data.as_ref();
    if correlation.is_some_and(|data| data.len() > 65_535) {
        return Err(invalid(
            "Correlation Data has more than 65,535 bytes".into(),
        ));
    }
    Ok(())
}

/// The packet of a message, once it is sure that it may be sent.
pub(super) fn publish(message: Publish) -> Result<PublishPacket, PublishError> {
    check(&message)?;
    let Properties {
        content_type,
        payload_format_utf8,
        message_expiry,
        response_topic,
        correlation_data,
        user,
    } = message.properties;
    if let Some(topic) = &response_topic {
        topic::check_topic(topic).map_err(|error| invalid(format!("response {error}")))?;
    }
    let properties = PublishProperties {
        payload_format_indicator: payload_format_utf8.map(u8::from),
        // Rounded up, so that a message that is to live for a moment is not dead at once.
        message_expiry_interval: message_expiry.map(|expiry| {
            u32::try_from(expiry.as_nanos().div_ceil(1_000_000_000)).unwrap_or(u32::MAX)
        }),
        topic_alias: None,
        response_topic,
        correlation_data,
        user_properties: user,
        subscription_identifiers: Vec::new(),
        content_type,
    };
    let properties =
        Some(properties).filter(|properties| *properties != PublishProperties::default());
    let mut packet =
        PublishPacket::new(message.topic, qos(message.qos), message.payload, properties);
    packet.retain = message.retain;
    Ok(packet)
}

/// The will of a client, once it is sure that it may be sent.
pub(super) fn will(message: Publish) -> Result<LastWill, PublishError> {
    let packet = publish(message)?;
    let properties = packet.properties.map(|properties| LastWillProperties {
        delay_interval: None,
        payload_format_indicator: properties.payload_format_indicator,
        message_expiry_interval: properties.message_expiry_interval,
        content_type: properties.content_type,
        response_topic: properties.response_topic,
        correlation_data: properties.correlation_data,
        user_properties: properties.user_properties,
    });
    if packet.payload.len() > 65_535 {
        return Err(PublishError::TooLarge {
            size: packet.payload.len(),
            limit: 65_535,
        });
    }
    Ok(LastWill {
        topic: packet.topic,
        message: packet.payload,
        qos: packet.qos,
        retain: packet.retain,
        properties,
    })
}

/// The bytes of a packet on the wire.
pub(super) fn size(packet: &PublishPacket) -> usize {
    // The codec counts no packet identifier before there is one.
    let identifier = if packet.pkid == 0 && packet.qos != QoS::AtMostOnce {
        2
    } else {
        0
    };
    packet.size() + identifier
}

pub(super) fn message(packet: PublishPacket, topic: String, ack: Ack) -> Message {
    let properties = packet.properties.unwrap_or_default();
    Message {
        topic,
        payload: packet.payload,
        qos: if packet.qos == QoS::AtMostOnce {
            Qos::AtMostOnce
        } else {
            Qos::AtLeastOnce
        },
        retain: packet.retain,
        properties: Properties {
            content_type: properties.content_type,
            payload_format_utf8: properties
                .payload_format_indicator
                .map(|indicator| indicator == 1),
            message_expiry: properties
                .message_expiry_interval
                .map(|seconds| Duration::from_secs(seconds.into())),
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data,
            user: properties.user_properties,
        },
        ack,
    }
}

/// The error of a PUBACK that is none.
pub(super) fn refused(reason: PubAckReason, text: Option<&str>) -> PublishError {
    let (code, words) = match reason {
        PubAckReason::Success
        | PubAckReason::NoMatchingSubscribers
        | PubAckReason::UnspecifiedError => (0x80, "unspecified error"),
        PubAckReason::ImplementationSpecificError => (0x83, "implementation specific error"),
        PubAckReason::NotAuthorized => (
            0x87,
            "not authorized; check the broker's access rules for this topic",
        ),
        PubAckReason::TopicNameInvalid => (0x90, "topic name invalid"),
        PubAckReason::PacketIdentifierInUse => (0x91, "packet identifier in use"),
        PubAckReason::QuotaExceeded => (0x97, "quota exceeded"),
        PubAckReason::PayloadFormatInvalid => (0x99, "payload format invalid"),
    };
    let reason = text.map_or_else(
        || words.to_owned(),
        |text| format!("{words}: {}", text.chars().take(200).collect::<String>()),
    );
    PublishError::Refused { code, reason }
}

pub(super) fn name(packet: &Packet) -> &'static str {
    match packet {
        Packet::Auth(_) => "AUTH",
        Packet::Connect(..) => "CONNECT",
        Packet::ConnAck(_) => "CONNACK",
        Packet::Publish(_) => "PUBLISH",
        Packet::PubAck(_) => "PUBACK",
        Packet::PubRec(_) => "PUBREC",
        Packet::PubRel(_) => "PUBREL",
        Packet::PubComp(_) => "PUBCOMP",
        Packet::Subscribe(_) => "SUBSCRIBE",
        Packet::SubAck(_) => "SUBACK",
        Packet::Unsubscribe(_) => "UNSUBSCRIBE",
        Packet::UnsubAck(_) => "UNSUBACK",
        Packet::PingReq(_) => "PINGREQ",
        Packet::PingResp(_) => "PINGRESP",
        Packet::Disconnect(_) => "DISCONNECT",
    }
}
