//! From what was recorded to a verdict for each test.

use std::fmt;

use crate::driving::{Probe, Recording};
use crate::recording::Exchange;
use crate::rows::{PIPELINE, ROWS, WAIVED};
use crate::sequences;
use crate::tree::Node;

/// What a test says of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// Why.
    Failed(String),
    /// No such exchange took place.
    NotDetected,
    /// Not judged here, and why.
    Waived(&'static str),
    /// About RTSP, which `media-pipeline` speaks.
    MediaPipeline,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("PASSED"),
            Self::Failed(why) => write!(f, "FAILED {why}"),
            Self::NotDetected => f.write_str("NOT DETECTED"),
            Self::Waived(why) => write!(f, "WAIVED {why}"),
            Self::MediaPipeline => f.write_str("MEDIA-PIPELINE"),
        }
    }
}

/// What a row asks of a request. A path leads from the element in the Body: `Position/PanTilt/@space`.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// Something stands there.
    Text(&'static str),
    /// If the element is sent, something stands in it.
    TextIfSent(&'static str),
    /// Exactly this stands there.
    Is(&'static str, &'static str),
    /// If the element is sent, exactly this stands in it.
    IsIfSent(&'static str, &'static str),
    /// The number zero stands there.
    Zero(&'static str),
    /// A whole number from zero to this stands there.
    UpTo(&'static str, u32),
    /// The element is there.
    Element(&'static str),
    /// The element is not there.
    No(&'static str),
    /// A `Configuration` of this `Type`, with a `Token`.
    Configuration(&'static str),
    /// The header has this `wsa:Action`.
    Action(&'static str),
}

/// A SOAP request with its answer.
#[derive(Debug)]
pub struct Call {
    pub exchange: Exchange,
    pub header: Node,
    /// The element in the Body.
    pub request: Node,
    /// The element in the Body of the answer.
    pub reply: Node,
}

impl Call {
    fn read(exchange: &Exchange) -> Option<Self> {
        let envelope = Node::read(&exchange.request)?;
        let reply = Node::read(&exchange.response);
        let reply = reply.and_then(|reply| reply.child("Body")?.children.first().cloned());
        Some(Self {
            header: envelope.child("Header").cloned().unwrap_or_default(),
            request: envelope.child("Body")?.children.first()?.clone(),
            reply: reply.unwrap_or_default(),
            exchange: exchange.clone(),
        })
    }

    /// Whether it is of this operation, such as `tds:GetServices`.
    pub fn is(&self, operation: &str) -> bool {
        let (prefix, name) = operation.split_once(':').unwrap();
        self.request.is(namespace(prefix), name)
    }

    pub fn meets(&self, need: &Need) -> bool {
        let request = &self.request;
        match *need {
            Need::Text(path) => request.text_at(path).is_some(),
            Need::TextIfSent(path) => request.at(path).is_none_or(|node| !node.text.is_empty()),
            Need::Is(path, value) => request.text_at(path) == Some(value),
            Need::IsIfSent(path, value) => request.at(path).is_none_or(|node| node.text == value),
            Need::Zero(path) => number(request.text_at(path)) == Some(0.0),
            Need::UpTo(path, most) => request
                .text_at(path)
                .and_then(|text| text.parse::<u32>().ok())
                .is_some_and(|number| number <= most),
            Need::Element(path) => request.at(path).is_some(),
            Need::No(path) => request.at(path).is_none(),
            Need::Configuration(kind) => request.all("Configuration").any(|configuration| {
                configuration.text_at("Type") == Some(kind)
                    && configuration.text_at("Token").is_some()
            }),
            Need::Action(action) => self.header.text_at("Action") == Some(action),
        }
    }

    /// The universal criterion: HTTP 200, and the matching response in the Body.
    pub fn succeeded(&self) -> bool {
        let response = format!("{}Response", self.request.name);
        self.exchange.status == 200 && self.reply.is(&self.request.namespace, &response)
    }

    pub fn went_to(&self, url: &str) -> bool {
        self.exchange.url == url
    }

    /// Whether both went to the same camera.
    pub fn beside(&self, other: &Call) -> bool {
        origin(&self.exchange.url) == origin(&other.exchange.url)
    }
}

/// All that was recorded, read.
#[derive(Debug)]
pub struct Log {
    pub calls: Vec<Call>,
    /// Requests without a SOAP envelope.
    pub fetches: Vec<Exchange>,
    pub probes: Vec<Probe>,
}

impl Log {
    pub fn new(recording: &Recording) -> Self {
        let (fetches, posts): (Vec<_>, Vec<_>) = recording
            .exchanges
            .iter()
            .partition(|exchange| exchange.method == "GET");
        Self {
            calls: posts.into_iter().filter_map(Call::read).collect(),
            fetches: fetches.into_iter().cloned().collect(),
            probes: recording.probes.clone(),
        }
    }

    /// The calls of an operation that succeeded, with their places in the log.
    pub fn done<'a>(
        &'a self,
        operation: &'a str,
    ) -> impl Iterator<Item = (usize, &'a Call)> + Clone {
        let calls = self.calls.iter().enumerate();
        calls.filter(move |(_, call)| call.is(operation) && call.succeeded())
    }

    /// One operation, with what the row asks of its request.
    fn row(&self, operation: &str, needs: &[Need]) -> Verdict {
        let tried: Vec<_> = self
            .calls
            .iter()
            .filter(|call| call.is(operation) && needs.iter().all(|need| call.meets(need)))
            .collect();
        match tried.last() {
            None => Verdict::NotDetected,
            Some(_) if tried.iter().any(|call| call.succeeded()) => Verdict::Passed,
            Some(call) => Verdict::Failed(format!(
                "HTTP {} with {} {}",
                call.exchange.status,
                call.reply.name,
                call.reply.text_at("Reason/Text").unwrap_or_default()
            )),
        }
    }
}

/// The verdict of the test with this id.
pub fn judge(id: &str, log: &Log) -> Verdict {
    if PIPELINE.contains(&id) {
        return Verdict::MediaPipeline;
    }
    if let Some((_, why)) = WAIVED.iter().find(|(waived, _)| *waived == id) {
        return Verdict::Waived(why);
    }
    match ROWS.iter().find(|(of, ..)| *of == id) {
        Some((_, operation, needs)) => log.row(operation, needs),
        None => sequences::judge(id, log),
    }
}

pub fn number(text: Option<&str>) -> Option<f64> {
    text?.parse().ok()
}

fn origin(url: &str) -> &str {
    url.split('/').nth(2).unwrap_or_default()
}

fn namespace(prefix: &str) -> &'static str {
    match prefix {
        "tds" => "http://www.onvif.org/ver10/device/wsdl",
        "tmd" => "http://www.onvif.org/ver10/deviceIO/wsdl",
        "trt" => "http://www.onvif.org/ver10/media/wsdl",
        "tr2" => "http://www.onvif.org/ver20/media/wsdl",
        "tptz" => "http://www.onvif.org/ver20/ptz/wsdl",
        "timg" => "http://www.onvif.org/ver20/imaging/wsdl",
        "tan" => "http://www.onvif.org/ver20/analytics/wsdl",
        "tev" => "http://www.onvif.org/ver10/events/wsdl",
        "wsnt" => "http://docs.oasis-open.org/wsn/b-2",
        other => panic!("no namespace is known for the prefix {other}"),
    }
}
