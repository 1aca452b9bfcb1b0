//! What notifications mean, whatever the maker calls them: one table.

mod table;

use table::{Reads, TABLE};

use super::notification::{Items, Notification, PropertyOperation};
use crate::xml::FromText;

/// What a notification means.
///
/// ```
/// use onvif_core::events::{Edge, MeaningKind};
///
/// // What `Meaning::of` finds for `tns1:RuleEngine/CellMotionDetector/Motion` with `IsMotion` true:
/// let (kind, edge) = (MeaningKind::Motion, Edge::Active);
/// assert_eq!(kind.name(), "motion");
/// assert_eq!(edge.is_active(), Some(true));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Meaning {
    /// What it is about.
    pub kind: MeaningKind,
    /// What happened to it.
    pub edge: Edge,
    /// The token of where it happened: a video source, an input, a relay, a rule's configuration.
    pub source: Option<String>,
    /// The name of the analytics rule, where one is the cause.
    pub rule: Option<String>,
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $name:literal,)*) => {
        /// What a notification is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum MeaningKind {
            $($(#[$meta])* $variant,)*
        }

        impl MeaningKind {
            /// A word for topics and logs, such as `line-crossing`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// Something moves.
    Motion = "motion",
    /// The camera is covered, turned away or blinded.
    Tamper = "tamper",
    /// The picture is blurred.
    ImageTooBlurry = "image-too-blurry",
    /// The picture is too dark.
    ImageTooDark = "image-too-dark",
    /// The picture is too bright.
    ImageTooBright = "image-too-bright",
    /// The whole scene changed.
    SceneChange = "scene-change",
    /// A line was crossed.
    LineCrossing = "line-crossing",
    /// Something is inside a field where it should not be.
    Intrusion = "intrusion",
    /// Something stays too long.
    Loitering = "loitering",
    /// Something was left or taken away.
    AbandonedObject = "abandoned-object",
    /// A person.
    Person = "person",
    /// A vehicle.
    Vehicle = "vehicle",
    /// An animal.
    Animal = "animal",
    /// A face.
    Face = "face",
    /// A licence plate.
    LicensePlate = "license-plate",
    /// A package.
    Package = "package",
    /// Somebody at the door.
    Visitor = "visitor",
    /// An object that analytics found, of any class.
    Object = "object",
    /// A count.
    Count = "count",
    /// Sound.
    Sound = "sound",
    /// A digital input.
    DigitalInput = "digital-input",
    /// A relay output.
    Relay = "relay",
    /// Storage does not work.
    StorageFailure = "storage-failure",
    /// A fan, the power or the temperature is out of order.
    HardwareFailure = "hardware-failure",
    /// Load of the processor, 0 to 100.
    ProcessorUsage = "processor-usage",
    /// The camera restarted.
    Reboot = "reboot",
    /// The camera was reset to defaults.
    Reset = "reset",
    /// The camera set its clock.
    ClockSynchronized = "clock-synchronized",
    /// The settings were saved.
    Backup = "backup",
    /// A recording job started or stopped.
    Recording = "recording",
    /// The head reached a preset, or left it.
    PtzPreset = "ptz-preset",
    /// Day became night, or night day.
    DayNight = "day-night",
    /// The video signal is lost.
    SignalLoss = "signal-loss",
    /// Profiles or configurations changed.
    ConfigurationChanged = "configuration-changed",
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Edge {
    /// A state that holds now.
    Active,
    /// A state that no longer holds.
    Inactive,
    /// Something that happens and has no end.
    Pulse,
    /// A number.
    Value(f64),
    /// A state of which the camera does not say what it is.
    Unknown,
}

impl Edge {
    /// Whether a state holds; `None` for what is no state, or unknown.
    pub fn is_active(self) -> Option<bool> {
        match self {
            Self::Active => Some(true),
            Self::Inactive => Some(false),
            Self::Pulse | Self::Value(_) | Self::Unknown => None,
        }
    }
}

impl std::fmt::Display for MeaningKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Meaning {
    /// What a notification means; `None` for topics that the table does not know. Those are not lost:
    /// they are in the stream like all others.
    pub fn of(notification: &Notification) -> Option<Self> {
        let path = path(&notification.topic);
        let row = TABLE.iter().find(|row| row.selects(&path))?;
        // One smart-event topic of some makers carries persons, vehicles and more; the item tells.
        let (kind, item) = match row.reads {
            Reads::Which(items) => {
                let told = items
                    .iter()
                    .find(|(name, _)| find(&notification.data, name).is_some());
                told.map_or((row.kind, None), |(name, kind)| {
                    (*kind, find(&notification.data, name))
                })
            }
            Reads::State(names) | Reads::Number(names) => (
                row.kind,
                names
                    .iter()
                    .find_map(|name| find(&notification.data, name))
                    .or_else(|| only(&notification.data)),
            ),
            Reads::Nothing => (row.kind, None),
        };
        let edge = if notification.operation == Some(PropertyOperation::Deleted) {
            Edge::Inactive
        } else {
            match (row.reads, item) {
                (Reads::Nothing, _) => Edge::Pulse,
                (Reads::Number(_), Some(text)) => number(text).map_or(Edge::Unknown, Edge::Value),
                (_, Some(text)) => state(text),
                // A rule that fires and says no more than that.
                (_, None) if notification.operation.is_none() && !notification.data.is_empty() => {
                    Edge::Pulse
                }
                (_, None) => Edge::Unknown,
            }
        };
        Some(Self {
            kind,
            edge,
            source: token(&notification.source).or_else(|| token(&notification.key)),
            rule: find(&notification.source, "Rule").map(str::to_owned),
        })
    }
}

/// The items that name a place, the best first.
const TOKENS: &[&str] = &[
    "VideoSourceToken",
    "VideoSource",
    "Source",
    "VideoSourceConfigurationToken",
    "VideoSourceConfiguration",
    "AudioSourceToken",
    "AudioSourceConfigurationToken",
    "InputToken",
    "RelayToken",
    "RelayInputToken",
    "Token",
    "RecordingJobToken",
    "PTZConfigurationToken",
    "AlarmInToken",
    "port",
];

fn token(items: &Items) -> Option<String> {
    TOKENS
        .iter()
        .find_map(|name| find(items, name))
        .or_else(|| {
            let mut tokens = items.simple.iter().filter(|item| item.name != "Rule");
            tokens.next().map(|item| item.value.as_str())
        })
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
}

/// The path without prefixes. Cameras put some topics below `Device` twice, or leave the root out.
fn path(topic: &str) -> Vec<&str> {
    topic
        .split('/')
        .map(|segment| segment.rsplit(':').next().unwrap_or(segment))
        .filter(|segment| !segment.is_empty() && *segment != ".")
        .take(16)
        .collect()
}

fn find<'i>(items: &'i Items, name: &str) -> Option<&'i str> {
    items
        .simple
        .iter()
        .find(|item| item.name.eq_ignore_ascii_case(name))
        .map(|item| item.value.as_str())
}

fn only(items: &Items) -> Option<&str> {
    match &items.simple[..] {
        [item] => Some(&item.value),
        _ => None,
    }
}

fn state(text: &str) -> Edge {
    let text = text.trim();
    match bool::from_text(text) {
        Some(true) => Edge::Active,
        Some(false) => Edge::Inactive,
        None => match text.to_ascii_lowercase().as_str() {
            "active" | "on" | "yes" | "high" | "closed" | "alarm" => Edge::Active,
            "inactive" | "off" | "no" | "low" | "open" | "idle" | "normal" => Edge::Inactive,
            "" | "null" | "unknown" => Edge::Unknown,
            text => match number(text) {
                Some(0.0) => Edge::Inactive,
                Some(_) => Edge::Active,
                None => Edge::Unknown,
            },
        },
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::notification::SimpleItem;

    fn meaning(topic: &str, data: &[(&str, &str)]) -> Option<Meaning> {
        let items = |pairs: &[(&str, &str)]| Items {
            simple: pairs
                .iter()
                .map(|(name, value)| SimpleItem {
                    name: (*name).to_owned(),
                    value: (*value).to_owned(),
                })
                .collect(),
            elements: Vec::new(),
        };
        let mut notification = Notification::new(topic);
        notification.operation = Some(PropertyOperation::Changed);
        notification.source = items(&[("Rule", "r"), ("VideoSourceToken", "v1")]);
        notification.data = items(data);
        Meaning::of(&notification)
    }

    #[test]
    fn all_topics_that_home_users_meet_have_a_meaning() {
        use MeaningKind as K;
        let state = [("State", "true")];
        let mut topics = vec![
            ("VideoSource/MotionAlarm", K::Motion),
            ("AudioAnalytics/Audio/DetectedSound", K::Sound),
            ("RuleEngine/FieldDetector/ObjectsInside", K::Intrusion),
            ("RuleEngine/CellMotionDetector/Motion", K::Motion),
            ("RuleEngine/CellMotionDetector/Intrusion", K::Intrusion),
            ("RuleEngine/CellMotionDetector/LineCross", K::LineCrossing),
            ("RuleEngine/CellMotionDetector/People", K::Person),
            ("RuleEngine/CellMotionDetector/Tamper", K::Tamper),
            ("RuleEngine/CellMotionDetector/TpSmartEvent", K::Object),
            ("RuleEngine/MotionRegionDetector/Motion", K::Motion),
            ("RuleEngine/TamperDetector/Tamper", K::Tamper),
            ("RuleEngine/LineDetector/Crossed", K::LineCrossing),
            ("RuleEngine/LineCrossDetector/LineCross", K::LineCrossing),
            ("RuleEngine/PeopleDetector/People", K::Person),
            ("RuleEngine/TPSmartEventDetector/TPSmartEvent", K::Object),
            ("RuleEngine/CountAggregation/Counter", K::Count),
            ("RuleEngine/ObjectDetection/Object", K::Object),
            ("RuleEngine/tnsajax:MotionDetector/Detection", K::Motion),
            ("RuleEngine/tnsajax:LineDetector/Crossing", K::LineCrossing),
            ("RuleEngine/MyRuleDetector/DogCatDetect", K::Animal),
            ("RuleEngine/MyRuleDetector/VehicleDetect", K::Vehicle),
            ("RuleEngine/MyRuleDetector/PeopleDetect", K::Person),
            ("RuleEngine/MyRuleDetector/FaceDetect", K::Face),
            ("RuleEngine/MyRuleDetector/Visitor", K::Visitor),
            ("RuleEngine/MyRuleDetector/Package", K::Package),
            ("Device/Trigger/DigitalInput", K::DigitalInput),
            ("Device/Trigger/Relay", K::Relay),
            ("Device/Trigger/tnshik:AlarmIn", K::DigitalInput),
            ("Device/HardwareFailure/StorageFailure", K::StorageFailure),
            ("Monitoring/ProcessorUsage", K::ProcessorUsage),
            ("Monitoring/OperatingTime/LastReboot", K::Reboot),
            ("Monitoring/OperatingTime/LastReset", K::Reset),
            (
                "Monitoring/OperatingTime/LastClockSynchronization",
                K::ClockSynchronized,
            ),
            ("Monitoring/Backup/Last", K::Backup),
            ("RecordingConfig/JobState", K::Recording),
            ("UserAlarm/IVA/HumanShapeDetect", K::Person),
        ];
        for service in ["AnalyticsService", "ImagingService", "RecordingService"] {
            for (topic, kind) in [
                ("ImageTooBlurry", K::ImageTooBlurry),
                ("ImageTooDark", K::ImageTooDark),
                ("ImageTooBright", K::ImageTooBright),
                ("GlobalSceneChange", K::SceneChange),
            ] {
                let path: &str = format!("VideoSource/{topic}/{service}").leak();
                topics.push((path, kind));
            }
        }
        // Twelve of them are four topics of three services each.
        assert_eq!(topics.len(), 48);
        for (topic, kind) in topics {
            let read = meaning(&format!("tns1:{topic}"), &state).unwrap();
            assert_eq!(read.kind, kind, "{topic}");
            assert_eq!(read.source.as_deref(), Some("v1"), "{topic}");
        }
    }

    #[test]
    fn the_state_is_found_under_every_makers_name() {
        let motion = "tns1:RuleEngine/CellMotionDetector/Motion";
        for (data, edge) in [
            (&[("IsMotion", "true")][..], Edge::Active),
            (&[("State", "0")], Edge::Inactive),
            (&[("Whatever", "on")], Edge::Active),
            (&[("IsMotion", "")], Edge::Unknown),
            (&[("IsMotion", "null")], Edge::Unknown),
            (&[], Edge::Unknown),
        ] {
            assert_eq!(meaning(motion, data).unwrap().edge, edge, "{data:?}");
        }
        let smart = "tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent";
        let pet = meaning(smart, &[("IsPet", "true")]).unwrap();
        assert_eq!((pet.kind, pet.edge), (MeaningKind::Animal, Edge::Active));
        let load = meaning("tns1:Monitoring/ProcessorUsage", &[("Value", "42.5")]).unwrap();
        assert_eq!(load.edge, Edge::Value(42.5));
        let relay = meaning("tns1:Device/Trigger/Relay", &[("LogicalState", "inactive")]).unwrap();
        assert_eq!(relay.edge, Edge::Inactive);
    }

    #[test]
    fn a_deleted_property_is_over_and_an_event_without_an_end_is_a_pulse() {
        let crossed =
            meaning("tns1:RuleEngine/LineDetector/Crossed", &[("ObjectId", "7")]).unwrap();
        assert_eq!(crossed.edge, Edge::Pulse);
        assert_eq!(crossed.rule.as_deref(), Some("r"));
        let mut deleted = Notification::new("tns1:VideoSource/MotionAlarm");
        deleted.operation = Some(PropertyOperation::Deleted);
        assert_eq!(Meaning::of(&deleted).unwrap().edge, Edge::Inactive);
    }

    #[test]
    fn unknown_topics_have_no_meaning() {
        for topic in [
            "",
            "tns1:VideoSource",
            "tns1:VideoSource/MotionAlarm/More",
            "x:Y/Z",
        ] {
            assert_eq!(meaning(topic, &[("State", "true")]), None, "{topic}");
        }
    }
}
