use std::fmt;

use quick_xml::escape::escape;

use crate::events::filter::Filter;
use crate::operation::{AccessClass, Effect, Operation, Service};
use crate::xml::{Decode, DecodeError, Element, EncodeError, FromText};
use crate::{operation, soap_reply};

/// An MQTT broker to which a camera publishes its events by itself (ONVIF Core, "Event broker";
/// Profile M).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventBroker {
    /// `mqtts://host:8883`, with a scheme that the camera lists in
    /// [`event_broker_protocols`](super::EventCapabilities::event_broker_protocols).
    pub address: String,
    /// What stands before each topic; must not be empty.
    pub topic_prefix: String,
    /// User at the broker.
    pub username: Option<String>,
    /// Password at the broker. Cameras never tell it.
    pub password: Option<String>,
    /// The client certificate in the camera's key store.
    pub certificate_id: Option<String>,
    /// How the camera checks the broker's certificate; without one it checks nothing.
    pub certificate_policy_id: Option<String>,
    /// Which events to publish.
    pub publish_filter: Filter,
    /// MQTT quality of service: 0, 1 or 2.
    pub qos: Option<u32>,
    /// `Offline`, `Connecting`, `Connected`; only told, never set.
    pub status: Option<String>,
}

impl EventBroker {
    /// A broker at `address`, under whose `topic_prefix` the camera publishes.
    pub fn new(address: impl Into<String>, topic_prefix: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            topic_prefix: topic_prefix.into(),
            ..Self::default()
        }
    }
}

impl fmt::Debug for EventBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBroker")
            .field("address", &self.address)
            .field("topic_prefix", &self.topic_prefix)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("certificate_id", &self.certificate_id)
            .field("certificate_policy_id", &self.certificate_policy_id)
            .field("publish_filter", &self.publish_filter)
            .field("qos", &self.qos)
            .field("status", &self.status)
            .finish()
    }
}

impl Decode for EventBroker {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut broker = Self::default();
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "Address" => broker.address = child.text()?.into_owned(),
                "TopicPrefix" => broker.topic_prefix = child.text()?.into_owned(),
                "UserName" => broker.username = Some(child.text()?.into_owned()),
                "CertificateID" => broker.certificate_id = Some(child.text()?.into_owned()),
                "CertPathValidationPolicyID" => {
                    broker.certificate_policy_id = Some(child.text()?.into_owned());
                }
                "PublishFilter" => broker.publish_filter = filter(&mut child)?,
                "QoS" => broker.qos = FromText::from_text(&child.text()?),
                "Status" => broker.status = Some(child.text()?.into_owned()),
                _ => {}
            }
        }
        Ok(broker)
    }
}

/// The topics of a filter; conditions on content are not told apart.
fn filter(element: &mut Element<'_, '_>) -> Result<Filter, DecodeError> {
    let mut filter = Filter::all();
    while let Some(mut child) = element.child()? {
        if child.local_name() == "TopicExpression" {
            filter = filter.or_topic(child.text()?);
        }
    }
    Ok(filter)
}

/// Makes a camera publish to an MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddEventBroker {
    /// The broker.
    pub broker: EventBroker,
}

impl Operation for AddEventBroker {
    type Response = ();
    const SERVICE: Service = Service::Events;
    const NAME: &'static str = "AddEventBroker";
    const ACTION: &'static str =
        "http://www.onvif.org/ver10/events/wsdl/EventPortType/AddEventBrokerRequest";
    const ACCESS: AccessClass = AccessClass::WriteSystem;
    const EFFECT: Effect = Effect::Write;

    fn body(&self) -> Result<String, EncodeError> {
        let broker = &self.broker;
        let mut body = String::from("<tev:AddEventBroker><tev:EventBroker>");
        let mut leaf = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                body.push_str(&format!("<tev:{name}>{}</tev:{name}>", escape(value)));
            }
        };
        leaf("Address", Some(&broker.address));
        leaf("TopicPrefix", Some(&broker.topic_prefix));
        leaf("UserName", broker.username.as_deref());
        leaf("Password", broker.password.as_deref());
        leaf("CertificateID", broker.certificate_id.as_deref());
        if !broker.publish_filter.is_all() {
            body.push_str(&format!(
                "<tev:PublishFilter>{}</tev:PublishFilter>",
                broker.publish_filter.content()
            ));
        }
        if let Some(qos) = broker.qos {
            body.push_str(&format!("<tev:QoS>{qos}</tev:QoS>"));
        }
        if let Some(policy) = &broker.certificate_policy_id {
            body.push_str(&format!(
                "<tev:CertPathValidationPolicyID>{}</tev:CertPathValidationPolicyID>",
                escape(policy)
            ));
        }
        body.push_str("</tev:EventBroker></tev:AddEventBroker>");
        Ok(body)
    }
}

operation! {
    /// Makes a camera forget an MQTT broker.
    pub struct DeleteEventBroker in "tev" {
        /// Its address, as it was added.
        address: String = "Address",
    } -> ();
    Events, "http://www.onvif.org/ver10/events/wsdl/EventPortType/DeleteEventBrokerRequest", WriteSystem, Write
}

operation! {
    /// Asks which MQTT brokers a camera publishes to.
    pub struct GetEventBrokers in "tev" {
        /// Only the broker with this address.
        address: Option<String> = "Address",
    } -> GetEventBrokersResponse;
    Events, "http://www.onvif.org/ver10/events/wsdl/EventPortType/GetEventBrokersRequest", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetEventBrokers`].
    pub struct GetEventBrokersResponse in "tev" {
        /// The brokers.
        brokers: Vec<EventBroker> = "EventBroker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Reader;

    #[test]
    fn a_broker_goes_out_in_the_order_of_the_schema_and_comes_back_without_its_password() {
        let mut broker = EventBroker::new("mqtts://broker:8883", "site/cam<1>");
        broker.username = Some("u".into());
        broker.password = Some("p&w".into());
        broker.qos = Some(1);
        broker.publish_filter = Filter::topic("tns1:VideoSource//.");
        assert!(!format!("{broker:?}").contains("p&w"));
        let body = AddEventBroker { broker }.body().unwrap();
        assert!(body.starts_with(
            "<tev:AddEventBroker><tev:EventBroker><tev:Address>mqtts://broker:8883</tev:Address>\
             <tev:TopicPrefix>site/cam&lt;1&gt;</tev:TopicPrefix><tev:UserName>u</tev:UserName>\
             <tev:Password>p&amp;w</tev:Password><tev:PublishFilter><wsnt:TopicExpression "
        ));
        assert!(body.ends_with(
            "</tev:PublishFilter><tev:QoS>1</tev:QoS></tev:EventBroker></tev:AddEventBroker>"
        ));

        let reply = body
            .replace("AddEventBroker>", "GetEventBrokersResponse>")
            .replace("<tev:QoS>", "<tev:Status>Connected</tev:Status><tev:QoS>");
        let reply =
            GetEventBrokersResponse::decode(&mut Reader::new(&reply).unwrap().root().unwrap())
                .unwrap();
        let read = &reply.brokers[0];
        assert_eq!(read.topic_prefix, "site/cam<1>");
        assert_eq!((read.qos, read.password.as_deref()), (Some(1), None));
        assert_eq!(read.status.as_deref(), Some("Connected"));
        assert!(!read.publish_filter.is_all());
    }
}
