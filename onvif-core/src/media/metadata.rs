use std::io::Write;

use yaserde::YaSerialize;
use yaserde::ser::Serializer;

use super::{AnalyticsEngineConfiguration, ConfigurationToken, MulticastConfiguration};
use crate::analytics::XmlElement;
use crate::analytics::element::{write_elements, write_open};
use crate::schema::Words;
use crate::xml::{Decode, DecodeError, Element, IsoDuration};
use crate::{soap_reply, soap_type};

soap_type! {
    /// What a metadata stream carries.
    pub struct MetadataConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
        /// How the stream is compressed: `None`, `GZIP` or `EXI`.
        compression_type: Option<String> = "CompressionType",
        /// Whether places are told in degrees of latitude and longitude.
        geo_location: Option<bool> = "GeoLocation",
        /// Whether objects come with their outlines.
        shape_polygon: Option<bool> = "ShapePolygon",
        /// The algorithm of SRTP, where the stream is protected.
        secure_streaming_protocol_algorithm: Option<String> = "SecureStreamingProtocolAlgorithm",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// What it tells of the PTZ head; absent means nothing.
        ptz_status: Option<PtzFilter> = "PTZStatus",
        /// What events it carries: none where it is absent, all where it has no filter.
        events: Option<EventSubscription> = "Events",
        /// Whether it carries what analytics see.
        analytics: Option<bool> = "Analytics",
        /// Where it goes when it is sent to a multicast group.
        multicast: Option<MulticastConfiguration> = "Multicast",
        /// After what silence of the receiver an RTSP session ends.
        session_timeout: Option<IsoDuration> = "SessionTimeout",
        /// What modules analyse for this stream alone.
        analytics_engine_configuration: Option<AnalyticsEngineConfiguration> = "AnalyticsEngineConfiguration",
        /// What it tells of other sensors; absent means nothing.
        sensor_data: Option<SensorDataFilter> = "SensorData",
    }
}

soap_type! {
    /// What a metadata stream tells of the PTZ head.
    #[derive(Copy, Eq, Hash)]
    pub struct PtzFilter in "tt" {
        /// Whether it is moving.
        status: bool = "Status",
        /// Where it looks.
        position: bool = "Position",
        /// What it sees, as angles.
        field_of_view: Option<bool> = "FieldOfView",
    }
}

soap_type! {
    /// What events a metadata stream carries.
    #[derive(Default)]
    pub struct EventSubscription in "tt" {
        /// Which ones; all without it.
        filter: Option<EventFilter> = "Filter",
    }
}

/// Which events a stream carries, as topic expressions and message contents (WS-BaseNotification).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter(pub Vec<XmlElement>);

impl EventFilter {
    /// The events of some topics, such as `tns1:VideoSource/MotionAlarm` or `tns1:RuleEngine//.`.
    pub fn topics(topics: &[&str]) -> Self {
        let expression = XmlElement::new("wsnt", "TopicExpression")
            .attribute(
                "Dialect",
                "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet",
            )
            .text(topics.join("|"));
        Self(vec![expression])
    }
}

impl Decode for EventFilter {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut expressions = Vec::new();
        while let Some(mut child) = element.child()? {
            expressions.push(XmlElement::decode(&mut child)?);
        }
        Ok(Self(expressions))
    }
}

crate::__soap_write_child!(EventFilter);

impl YaSerialize for EventFilter {
    fn serialize<W: Write>(&self, writer: &mut Serializer<W>) -> Result<(), yaserde::Error> {
        write_open(writer, &[], None, |writer| write_elements(writer, &self.0))
    }

    crate::__soap_no_attributes!();
}

soap_type! {
    /// Which sensors a metadata stream tells of; all where both lists are empty.
    #[derive(Default)]
    pub struct SensorDataFilter in "tt" {
        /// The sensors.
        sensor_ids: Vec<String> = "SensorID",
        /// The kinds of sensors.
        kinds: Vec<String> = "Type",
    }
}

soap_reply! {
    /// What a metadata stream may carry.
    pub struct MetadataConfigurationOptions in "tt" [
        /// Whether places can be told in degrees of latitude and longitude.
        geo_location: Option<bool> = "GeoLocation",
        /// How long a filter of message contents may be, in characters.
        max_content_filter_size: Option<u32> = "MaxContentFilterSize",
        /// The algorithms of SRTP to choose from.
        secure_streaming_protocol_algorithms: Option<Words> = "SecureStreamingProtocolAlgorithms",
    ] {
        /// What can be told of the PTZ head.
        ptz_status: Option<PtzStatusFilterOptions> = "PTZStatusFilterOptions",
        /// How other sensors can be chosen.
        sensor_data: Option<SensorDataFilterOptions> = "SensorDataFilterOptions",
        /// Compression.
        extension: Option<MetadataConfigurationOptionsExtension> = "Extension",
    }
}

soap_reply! {
    /// What can be told of the PTZ head.
    pub struct PtzStatusFilterOptions in "tt" {
        /// Whether pan and tilt are moving.
        pan_tilt_status: Option<bool> = "PanTiltStatusSupported",
        /// Whether the zoom is moving.
        zoom_status: Option<bool> = "ZoomStatusSupported",
        /// Where pan and tilt are.
        pan_tilt_position: Option<bool> = "PanTiltPositionSupported",
        /// Where the zoom is.
        zoom_position: Option<bool> = "ZoomPositionSupported",
        /// What the camera sees, as angles.
        field_of_view: Option<bool> = "FieldOfViewSupported",
    }
}

soap_reply! {
    /// How sensors can be chosen.
    pub struct SensorDataFilterOptions in "tt" {
        /// One by one.
        sensor_id: Option<bool> = "SensorIDFilterSupported",
        /// By their kind.
        kind: Option<bool> = "TypeFilterSupported",
    }
}

soap_reply! {
    /// What a later version added to the options of metadata.
    pub struct MetadataConfigurationOptionsExtension in "tt" {
        /// The compressions to choose from.
        compression_types: Vec<String> = "CompressionType",
    }
}
