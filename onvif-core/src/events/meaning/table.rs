//! The table itself.

use super::MeaningKind;

/// A topic and how to read it.
pub(super) struct Row {
    /// The path without prefixes; `*` stands for one segment.
    path: &'static str,
    pub(super) kind: MeaningKind,
    pub(super) reads: Reads,
}

/// Where the state is found.
#[derive(Clone, Copy)]
pub(super) enum Reads {
    /// In the first of these items, else in the only one.
    State(&'static [&'static str]),
    /// As a number, there.
    Number(&'static [&'static str]),
    /// The item that is present tells the kind as well.
    Which(&'static [(&'static str, MeaningKind)]),
    /// Nowhere: the notification itself is the news.
    Nothing,
}

impl Row {
    pub(super) fn selects(&self, path: &[&str]) -> bool {
        let mut segments = self.path.split('/');
        path.iter().all(|segment| {
            segments
                .next()
                .is_some_and(|wanted| wanted == "*" || wanted.eq_ignore_ascii_case(segment))
        }) && segments.next().is_none()
    }
}

const SMART: &[(&str, MeaningKind)] = &[
    ("IsPeople", MeaningKind::Person),
    ("IsVehicle", MeaningKind::Vehicle),
    ("IsPet", MeaningKind::Animal),
    ("IsAnimal", MeaningKind::Animal),
    ("IsFace", MeaningKind::Face),
    ("IsPackage", MeaningKind::Package),
    ("IsTamper", MeaningKind::Tamper),
    ("IsIntrusion", MeaningKind::Intrusion),
    ("IsLineCross", MeaningKind::LineCrossing),
    ("IsTPSmartEvent", MeaningKind::Object),
    ("IsTpSmartEvent", MeaningKind::Object),
    ("IsMotion", MeaningKind::Motion),
];

macro_rules! table {
    ($($path:literal => $kind:ident, $reads:ident $(($items:expr))?;)*) => {
        &[$(Row { path: $path, kind: MeaningKind::$kind, reads: Reads::$reads $(($items))? }),*]
    };
}

/// Every topic with a known meaning. The first match counts.
pub(super) const TABLE: &[Row] = table! {
    // ONVIF
    "VideoSource/MotionAlarm" => Motion, State(&["State"]);
    "VideoSource/ImageTooBlurry/*" => ImageTooBlurry, State(&["State"]);
    "VideoSource/ImageTooDark/*" => ImageTooDark, State(&["State"]);
    "VideoSource/ImageTooBright/*" => ImageTooBright, State(&["State"]);
    "VideoSource/GlobalSceneChange/*" => SceneChange, State(&["State"]);
    "VideoSource/SignalLoss" => SignalLoss, State(&["State"]);
    "VideoSource/SignalTooBlurry" => ImageTooBlurry, State(&["State"]);
    "VideoSource/Tamper" => Tamper, State(&["State"]);
    "AudioAnalytics/Audio/DetectedSound" => Sound, State(&["IsSoundDetected", "State"]);
    "AudioSource/*" => Sound, State(&["State", "IsSoundDetected"]);
    "RuleEngine/FieldDetector/ObjectsInside" => Intrusion, State(&["IsInside"]);
    "RuleEngine/FieldDetector/ObjectIsInside" => Intrusion, State(&["IsInside"]);
    "RuleEngine/CellMotionDetector/Motion" => Motion, State(&["IsMotion", "State"]);
    "RuleEngine/MotionRegionDetector/Motion" => Motion, State(&["State", "IsMotion"]);
    "RuleEngine/TamperDetector/Tamper" => Tamper, State(&["IsTamper", "State"]);
    "RuleEngine/LineDetector/Crossed" => LineCrossing, Nothing;
    "RuleEngine/LoiteringDetector/*" => Loitering, State(&["IsLoitering", "State"]);
    "RuleEngine/CountAggregation/Counter" => Count, Number(&["Count"]);
    "RuleEngine/CountAggregation/*" => Count, Number(&["Count"]);
    "RuleEngine/ObjectDetection/Object" => Object, State(&["State", "IsObject"]);
    "RuleEngine/Recognition/Face" => Face, Nothing;
    "RuleEngine/Recognition/LicensePlate" => LicensePlate, Nothing;
    "Device/Trigger/DigitalInput" => DigitalInput, State(&["LogicalState", "State", "Level"]);
    "Device/Trigger/Relay" => Relay, State(&["LogicalState", "State", "RelayLogicalState"]);
    "Device/HardwareFailure/StorageFailure" => StorageFailure, State(&["Failed", "State"]);
    "Device/HardwareFailure/*" => HardwareFailure, State(&["Failed", "Critical", "State"]);
    "Monitoring/ProcessorUsage" => ProcessorUsage, Number(&["Value"]);
    "Monitoring/OperatingTime/LastReboot" => Reboot, Nothing;
    "Monitoring/OperatingTime/LastReset" => Reset, Nothing;
    "Monitoring/OperatingTime/LastClockSynchronization" => ClockSynchronized, Nothing;
    "Monitoring/Backup/Last" => Backup, Nothing;
    "RecordingConfig/JobState" => Recording, State(&["State"]);
    "PTZController/PTZPresets/*" => PtzPreset, Nothing;
    "Media/ProfileChanged" => ConfigurationChanged, Nothing;
    "Media/ConfigurationChanged" => ConfigurationChanged, Nothing;
    "Device/Configuration/*" => ConfigurationChanged, Nothing;
    // TP-Link (Tapo), under the names of detectors that it shares
    "RuleEngine/CellMotionDetector/Intrusion" => Intrusion, State(&["IsIntrusion"]);
    "RuleEngine/CellMotionDetector/LineCross" => LineCrossing, State(&["IsLineCross"]);
    "RuleEngine/CellMotionDetector/People" => Person, State(&["IsPeople"]);
    "RuleEngine/CellMotionDetector/Tamper" => Tamper, State(&["IsTamper"]);
    "RuleEngine/CellMotionDetector/TpSmartEvent" => Object, Which(SMART);
    "RuleEngine/LineCrossDetector/LineCross" => LineCrossing, State(&["IsLineCross"]);
    "RuleEngine/PeopleDetector/People" => Person, State(&["IsPeople"]);
    "RuleEngine/TPSmartEventDetector/TPSmartEvent" => Object, Which(SMART);
    "RuleEngine/IntrusionDetector/Intrusion" => Intrusion, State(&["IsIntrusion"]);
    // Reolink
    "RuleEngine/MyRuleDetector/DogCatDetect" => Animal, State(&["State"]);
    "RuleEngine/MyRuleDetector/VehicleDetect" => Vehicle, State(&["State"]);
    "RuleEngine/MyRuleDetector/PeopleDetect" => Person, State(&["State"]);
    "RuleEngine/MyRuleDetector/FaceDetect" => Face, State(&["State"]);
    "RuleEngine/MyRuleDetector/Visitor" => Visitor, State(&["State"]);
    "RuleEngine/MyRuleDetector/Package" => Package, State(&["State"]);
    // Ajax
    "RuleEngine/MotionDetector/Detection" => Motion, State(&["State"]);
    "RuleEngine/LineDetector/Crossing" => LineCrossing, State(&["State"]);
    // Hikvision
    "Device/Trigger/AlarmIn" => DigitalInput, State(&["State", "LogicalState"]);
    // Dahua and its many brands
    "UserAlarm/IVA/HumanShapeDetect" => Person, State(&["State"]);
    "UserAlarm/IVA/*" => Object, State(&["State"]);
    "RuleEngine/CrossLineDetector/*" => LineCrossing, State(&["State"]);
    "RuleEngine/CrossRegionDetector/*" => Intrusion, State(&["State"]);
    "RuleEngine/SmartMotionDetector/*" => Motion, State(&["State"]);
    // Axis
    "RuleEngine/MotionRegionDetector/*" => Motion, State(&["State"]);
    "RuleEngine/VMD3/*" => Motion, State(&["active"]);
    "CameraApplicationPlatform/*/*" => Motion, State(&["active"]);
    "Device/IO/Port" => DigitalInput, State(&["state"]);
    "Device/IO/VirtualPort" => DigitalInput, State(&["state"]);
    "Device/IO/VirtualInput" => DigitalInput, State(&["active"]);
    "Device/Sensor/PIR" => Motion, State(&["state"]);
    "VideoSource/DayNightVision" => DayNight, State(&["day"]);
    "VideoSource/Tampering" => Tamper, State(&["tampering"]);
};
