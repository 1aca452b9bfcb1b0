//! Captured responses of cameras, read here and by zeep, which is how Home Assistant reads them: the same values.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use interop::{output, python, shared};
use onvif_core::media::{self, Resolution, ver10, ver20};
use onvif_core::schema::IntRectangle;
use onvif_core::{Operation, decode_response, device};
use onvif_ptz as ptz;
use onvif_ptz::{FloatRange, Space1D, Space2D};
use serde_json::Value;

/// Values by their path: names and indices from the content of the Body down. `None` where there is no value.
#[derive(Default)]
struct Reading(BTreeMap<String, Option<Value>>);

impl Reading {
    fn put<V: Into<Value>>(&mut self, path: &str, value: Option<V>) {
        self.0.insert(path.to_owned(), value.map(Into::into));
    }

    /// Reads a list whose items are `path.0`, `path.1` and so on.
    fn list<T>(&mut self, path: &str, items: &[T], mut item: impl FnMut(&mut Self, &str, &T)) {
        let below = match path {
            "" => String::new(),
            path => format!("{path}."),
        };
        self.put(&format!("{below}count"), Some(items.len()));
        for (index, value) in items.iter().enumerate() {
            item(self, &format!("{below}{index}"), value);
        }
    }

    fn resolution(&mut self, path: &str, size: Option<Resolution>) {
        self.put(&format!("{path}.Width"), size.map(|size| size.width));
        self.put(&format!("{path}.Height"), size.map(|size| size.height));
    }

    fn range(&mut self, path: &str, range: &FloatRange) {
        self.put(&format!("{path}.Min"), Some(range.min));
        self.put(&format!("{path}.Max"), Some(range.max));
    }

    fn plane(&mut self, path: &str, space: &Space2D) {
        self.put(&format!("{path}.URI"), space.uri.clone());
        self.range(&format!("{path}.XRange"), &space.x);
        self.range(&format!("{path}.YRange"), &space.y);
    }

    fn line(&mut self, path: &str, space: &Space1D) {
        self.put(&format!("{path}.URI"), space.uri.clone());
        self.range(&format!("{path}.XRange"), &space.x);
    }

    fn position(&mut self, path: &str, position: Option<&ptz::Position>) {
        let pan_tilt = position.and_then(|position| position.pan_tilt.clone());
        let zoom = position.and_then(|position| position.zoom.clone());
        self.put(
            &format!("{path}.PanTilt.x"),
            pan_tilt.as_ref().map(|to| to.x),
        );
        self.put(
            &format!("{path}.PanTilt.y"),
            pan_tilt.as_ref().map(|to| to.y),
        );
        self.put(
            &format!("{path}.PanTilt.space"),
            pan_tilt.and_then(|to| to.space),
        );
        self.put(&format!("{path}.Zoom.x"), zoom.as_ref().map(|to| to.x));
        self.put(&format!("{path}.Zoom.space"), zoom.and_then(|to| to.space));
    }

    fn video_source(&mut self, path: &str, source: Option<&media::VideoSourceConfiguration>) {
        let at = |name: &str| format!("{path}.{name}");
        self.put(&at("token"), source.map(|source| source.token.as_str()));
        self.put(&at("Name"), source.and_then(|source| source.name.clone()));
        self.put(&at("UseCount"), source.and_then(|source| source.use_count));
        let token = source.and_then(|source| source.source_token.as_ref());
        self.put(&at("SourceToken"), token.map(|token| token.as_str()));
        let bounds = source.and_then(|source| source.bounds);
        let mut side = |name: &str, side: fn(IntRectangle) -> Option<i32>| {
            self.put(&at(&format!("Bounds.{name}")), bounds.and_then(side));
        };
        side("x", |bounds| bounds.x);
        side("y", |bounds| bounds.y);
        side("width", |bounds| bounds.width);
        side("height", |bounds| bounds.height);
    }

    fn encoder(&mut self, path: &str, encoder: Option<&media::VideoEncoderConfiguration>) {
        let at = |name: &str| format!("{path}.{name}");
        self.put(&at("token"), encoder.map(|encoder| encoder.token.as_str()));
        self.put(
            &at("Name"),
            encoder.and_then(|encoder| encoder.name.clone()),
        );
        let encoding = encoder.and_then(|encoder| encoder.encoding.as_ref());
        self.put(&at("Encoding"), encoding.map(|encoding| encoding.as_str()));
        self.resolution(
            &at("Resolution"),
            encoder.and_then(|encoder| encoder.resolution),
        );
        self.put(&at("Quality"), encoder.and_then(|encoder| encoder.quality));
        let rate = encoder.and_then(|encoder| encoder.rate_control.as_ref());
        let rates = at("RateControl");
        let limit = rate.and_then(|rate| rate.frame_rate_limit);
        self.put(&format!("{rates}.FrameRateLimit"), limit);
        let limit = rate.and_then(|rate| rate.bitrate_limit);
        self.put(&format!("{rates}.BitrateLimit"), limit);
        let interval = rate.and_then(|rate| rate.encoding_interval);
        self.put(&format!("{rates}.EncodingInterval"), interval);
        let h264 = encoder.and_then(|encoder| encoder.h264.as_ref());
        self.put(&at("H264.GovLength"), h264.and_then(|h264| h264.gov_length));
        let profile = h264.and_then(|h264| h264.profile.as_ref());
        self.put(
            &at("H264.H264Profile"),
            profile.map(|profile| profile.as_str()),
        );
        let timeout = encoder.and_then(|encoder| encoder.session_timeout);
        let seconds = timeout.map(|timeout| timeout.0.as_secs_f64());
        self.put(&at("SessionTimeout"), seconds);
    }

    fn profile(&mut self, path: &str, profile: &ver10::MediaProfile) {
        let at = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        self.put(&at("token"), Some(profile.token.as_str()));
        self.put(&at("Name"), profile.name.clone());
        self.put(&at("fixed"), profile.fixed);
        self.video_source(
            &at("VideoSourceConfiguration"),
            profile.video_source.as_ref(),
        );
        self.encoder(
            &at("VideoEncoderConfiguration"),
            profile.video_encoder.as_ref(),
        );
        let token = profile
            .audio_encoder
            .as_ref()
            .map(|audio| audio.token.as_str());
        self.put(&at("AudioEncoderConfiguration.token"), token);
        let token = profile
            .metadata
            .as_ref()
            .map(|metadata| metadata.token.as_str());
        self.put(&at("MetadataConfiguration.token"), token);
        let ptz = profile.ptz.as_ref();
        self.put(
            &at("PTZConfiguration.token"),
            ptz.map(|ptz| ptz.token.as_str()),
        );
        let node = ptz.and_then(|ptz| ptz.node_token.clone());
        self.put(&at("PTZConfiguration.NodeToken"), node);
    }

    fn encoder2(&mut self, path: &str, encoder: &ver20::VideoEncoder2Configuration) {
        let at = |name: &str| format!("{path}.{name}");
        self.put(&at("token"), Some(encoder.token.as_str()));
        self.put(&at("Name"), encoder.name.clone());
        let encoding = encoder.encoding.as_ref();
        self.put(&at("Encoding"), encoding.map(|encoding| encoding.as_str()));
        self.resolution(&at("Resolution"), encoder.resolution);
        self.put(&at("GovLength"), encoder.gov_length);
        self.put(&at("Profile"), encoder.profile.clone());
        let rate = encoder.rate_control.as_ref();
        let rates = at("RateControl");
        let limit = rate.and_then(|rate| rate.frame_rate_limit);
        self.put(&format!("{rates}.FrameRateLimit"), limit);
        let limit = rate.and_then(|rate| rate.bitrate_limit);
        self.put(&format!("{rates}.BitrateLimit"), limit);
        let constant = rate.and_then(|rate| rate.constant_bit_rate);
        self.put(&format!("{rates}.ConstantBitRate"), constant);
    }

    fn spaces(&mut self, path: &str, spaces: &ptz::Spaces) {
        let at = |name: &str| format!("{path}.{name}Space");
        self.list(
            &at("AbsolutePanTiltPosition"),
            &spaces.absolute_pan_tilt,
            Self::plane,
        );
        self.list(
            &at("AbsoluteZoomPosition"),
            &spaces.absolute_zoom,
            Self::line,
        );
        self.list(
            &at("RelativePanTiltTranslation"),
            &spaces.relative_pan_tilt,
            Self::plane,
        );
        self.list(
            &at("RelativeZoomTranslation"),
            &spaces.relative_zoom,
            Self::line,
        );
        self.list(
            &at("ContinuousPanTiltVelocity"),
            &spaces.continuous_pan_tilt,
            Self::plane,
        );
        self.list(
            &at("ContinuousZoomVelocity"),
            &spaces.continuous_zoom,
            Self::line,
        );
        self.list(&at("PanTiltSpeed"), &spaces.pan_tilt_speed, Self::line);
        self.list(&at("ZoomSpeed"), &spaces.zoom_speed, Self::line);
    }

    fn ptz_configuration(&mut self, path: &str, configuration: &ptz::Configuration) {
        let at = |name: &str| format!("{path}.{name}");
        self.put(&at("token"), Some(configuration.token.as_str()));
        self.put(&at("Name"), configuration.name.clone());
        let node = configuration.node_token.as_ref();
        self.put(&at("NodeToken"), node.map(|node| node.as_str()));
        let timeout = configuration.default_timeout;
        let seconds = timeout.map(|timeout| timeout.0.as_secs_f64());
        self.put(&at("DefaultPTZTimeout"), seconds);
        self.position(&at("DefaultPTZSpeed"), configuration.default_speed.as_ref());
        let space = configuration.default_absolute_pan_tilt_space.clone();
        self.put(&at("DefaultAbsolutePantTiltPositionSpace"), space);
    }

    fn capabilities(&mut self, capabilities: device::Capabilities) {
        let address = |part: Option<device::CapabilityAddress>| part.and_then(|part| part.xaddr);
        let device = capabilities.device.and_then(|part| part.xaddr);
        self.put("Device.XAddr", device);
        let media = capabilities.media.and_then(|part| part.xaddr);
        self.put("Media.XAddr", media);
        let events = capabilities.events;
        let pull = events.as_ref().and_then(|part| part.pull_point_support);
        self.put("Events.WSPullPointSupport", pull);
        self.put("Events.XAddr", events.and_then(|part| part.xaddr));
        let analytics = capabilities.analytics.and_then(|part| part.xaddr);
        self.put("Analytics.XAddr", analytics);
        self.put("Imaging.XAddr", address(capabilities.imaging));
        self.put("PTZ.XAddr", address(capabilities.ptz));
    }

    fn moment(&mut self, path: &str, moment: Option<device::DateTime>) {
        let date = moment.as_ref().and_then(|moment| moment.date.as_ref());
        let time = moment.as_ref().and_then(|moment| moment.time.as_ref());
        let at = |name: &str| format!("{path}.{name}");
        self.put(&at("Date.Year"), date.and_then(|date| date.year));
        self.put(&at("Date.Month"), date.and_then(|date| date.month));
        self.put(&at("Date.Day"), date.and_then(|date| date.day));
        self.put(&at("Time.Hour"), time.and_then(|time| time.hour));
        self.put(&at("Time.Minute"), time.and_then(|time| time.minute));
        self.put(&at("Time.Second"), time.and_then(|time| time.second));
    }
}

fn reply<O: Operation>(text: &str) -> O::Response {
    decode_response::<O>(text).unwrap().unwrap()
}

/// What this project reads, in zeep's words; `None` for operations that are not compared.
fn read(service: &str, operation: &str, text: &str) -> Option<Reading> {
    let mut into = Reading::default();
    match (service, operation) {
        ("device_management", "GetDeviceInformation") => {
            let information = reply::<device::GetDeviceInformation>(text);
            into.put("Manufacturer", information.manufacturer);
            into.put("Model", information.model);
            into.put("FirmwareVersion", information.firmware_version);
            into.put("SerialNumber", information.serial_number);
            into.put("HardwareId", information.hardware_id);
        }
        ("device_management", "GetServices") => {
            let services = reply::<device::GetServices>(text).services;
            into.list("", &services, |into, path, service| {
                into.put(&format!("{path}.Namespace"), service.namespace.clone());
                into.put(&format!("{path}.XAddr"), service.xaddr.clone());
                let version = service.version;
                let major = version.and_then(|version| version.major);
                into.put(&format!("{path}.Version.Major"), major);
                let minor = version.and_then(|version| version.minor);
                into.put(&format!("{path}.Version.Minor"), minor);
            });
        }
        ("device_management", "GetCapabilities") => {
            let capabilities = reply::<device::GetCapabilities>(text).capabilities;
            into.capabilities(capabilities.unwrap());
        }
        ("device_management", "GetSystemDateAndTime") => {
            let reply = reply::<device::GetSystemDateAndTime>(text);
            let clock = reply.system_date_and_time.unwrap();
            let kind = clock.date_time_type.as_ref().map(|kind| kind.as_str());
            into.put("DateTimeType", kind);
            into.put("DaylightSavings", clock.daylight_savings);
            into.moment("UTCDateTime", clock.utc);
            into.moment("LocalDateTime", clock.local);
        }
        ("device_management", "GetUsers") => {
            let users = reply::<device::GetUsers>(text).users;
            into.list("", &users, |into, path, user| {
                into.put(&format!("{path}.Username"), user.username.clone());
                let level = user.level.as_ref().map(|level| level.as_str());
                into.put(&format!("{path}.UserLevel"), level);
            });
        }
        ("device_management", "GetNetworkProtocols") => {
            let protocols = reply::<device::GetNetworkProtocols>(text).protocols;
            into.list("", &protocols, |into, path, protocol| {
                let name = protocol.name.as_ref().map(|name| name.as_str());
                into.put(&format!("{path}.Name"), name);
                into.put(&format!("{path}.Enabled"), protocol.enabled);
                let ports = format!("{path}.Port");
                into.list(&ports, &protocol.ports, |into, path, port| {
                    into.put(path, Some(*port));
                });
            });
        }
        ("media1", "GetProfiles") => {
            let profiles = reply::<ver10::GetProfiles>(text).profiles;
            into.list("", &profiles, Reading::profile);
        }
        ("media1", "GetProfile") => {
            let profile = reply::<ver10::GetProfile>(text).profile;
            into.profile("", &profile.unwrap());
        }
        ("media1", "GetVideoSources") => {
            let sources = reply::<ver10::GetVideoSources>(text).sources;
            into.list("", &sources, |into, path, source| {
                into.put(&format!("{path}.token"), Some(source.token.as_str()));
                into.put(&format!("{path}.Framerate"), source.framerate);
                into.resolution(&format!("{path}.Resolution"), source.resolution);
            });
        }
        ("media1", "GetStreamUri") => {
            into.put("Uri", Some(reply::<ver10::GetStreamUri>(text).uri()));
        }
        ("media1", "GetSnapshotUri") => {
            into.put("Uri", Some(reply::<ver10::GetSnapshotUri>(text).uri()));
        }
        ("media2", "GetProfiles") => {
            let profiles = reply::<ver20::GetProfiles>(text).profiles;
            into.list("", &profiles, |into, path, profile| {
                into.put(&format!("{path}.token"), Some(profile.token.as_str()));
                into.put(&format!("{path}.Name"), profile.name.clone());
                into.put(&format!("{path}.fixed"), profile.fixed);
            });
        }
        ("media2", "GetVideoEncoderConfigurations") => {
            let reply = reply::<ver20::GetVideoEncoderConfigurations>(text);
            into.list("", &reply.configurations, Reading::encoder2);
        }
        ("ptz", "GetConfigurations") => {
            let configurations = reply::<ptz::GetConfigurations>(text).configurations;
            into.list("", &configurations, Reading::ptz_configuration);
        }
        ("ptz", "GetConfigurationOptions") => {
            let options = reply::<ptz::GetConfigurationOptions>(text).options.unwrap();
            into.spaces("Spaces", &options.spaces.unwrap());
            let timeout = options.timeout.unwrap();
            let seconds = |duration: onvif_core::xml::IsoDuration| duration.0.as_secs_f64();
            into.put("PTZTimeout.Min", timeout.min.map(seconds));
            into.put("PTZTimeout.Max", timeout.max.map(seconds));
        }
        ("ptz", "GetStatus") => {
            let status = reply::<ptz::GetStatus>(text).status.unwrap();
            into.position("Position", status.position.as_ref());
            let moving = status.move_status.unwrap();
            let axis = moving.pan_tilt.as_ref().map(|axis| axis.as_str());
            into.put("MoveStatus.PanTilt", axis);
            let axis = moving.zoom.as_ref().map(|axis| axis.as_str());
            into.put("MoveStatus.Zoom", axis);
        }
        ("ptz", "GetPresets") => {
            let presets = reply::<ptz::GetPresets>(text).presets;
            into.list("", &presets, |into, path, preset| {
                into.put(&format!("{path}.token"), Some(preset.token.as_str()));
                into.put(&format!("{path}.Name"), preset.name.clone());
                let place = format!("{path}.PTZPosition");
                into.position(&place, preset.position.as_ref());
            });
        }
        _ => return None,
    }
    Some(into)
}

/// The responses at `DEVICE/SERVICE/OPERATIONResponse.xml` that are compared, with what is read here.
fn readings(captures: &Path) -> Vec<(PathBuf, Reading)> {
    let mut readings = Vec::new();
    let folders = |of: &Path| {
        let entries = fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    for service in folders(captures).iter().flat_map(|device| folders(device)) {
        let name = service.file_name().unwrap().to_str().unwrap();
        for file in fs::read_dir(&service).unwrap() {
            let file = file.unwrap().path();
            let stem = file.file_stem().unwrap().to_str().unwrap();
            let Some(operation) = stem.strip_suffix("Response") else {
                continue;
            };
            let bytes = fs::read(&file).unwrap();
            if let Some(reading) = read(name, operation, &String::from_utf8_lossy(&bytes)) {
                readings.push((file, reading));
            }
        }
    }
    readings.sort_by(|one, other| one.0.cmp(&other.0));
    readings
}

/// Numbers are kept as `f32` here, and as decimals there.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours.as_f64(), theirs.as_f64()) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-6 * theirs.abs(),
        _ => ours == theirs,
    }
}

#[test]
fn zeep_reads_the_same_values_from_captured_responses() {
    let (Some(python), Some(captures), Some(wsdl)) = (
        python("zeep", "onvif"),
        shared("data/onvif/captures"),
        shared("data/onvif/wsdl"),
    ) else {
        return;
    };
    let readings = readings(&captures);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("zeep_reading.py");
    let mut command = Command::new(python);
    command.arg(script).arg(wsdl);
    command.args(readings.iter().map(|(file, _)| file));
    let printed = output(&mut command, Duration::from_secs(120)).expect("zeep's reading");
    let zeep: BTreeMap<PathBuf, Value> = serde_json::from_slice(&printed).unwrap();

    let (mut compared, mut documents, mut differences) = (0, 0, Vec::new());
    for (file, reading) in &readings {
        let name = file.strip_prefix(&captures).unwrap().display();
        if let Some(reason) = zeep[file].get("refused") {
            println!("{name}: zeep refuses it: {reason}");
            continue;
        }
        let values = &zeep[file]["values"];
        documents += 1;
        for (path, ours) in &reading.0 {
            let theirs = values.get(path);
            compared += usize::from(theirs.is_some());
            let agreed = match (ours, theirs) {
                (Some(ours), Some(theirs)) => same(ours, theirs),
                (None, None) => true,
                _ => false,
            };
            if !agreed {
                differences.push(format!("{name} {path}: {ours:?}, zeep {theirs:?}"));
            }
        }
    }
    println!("{compared} values of {documents} documents compared");
    assert_eq!(differences, [""; 0]);
    assert!(documents >= 10 && compared > 1_000);
}
