//! A fleet as a TOML file.

use std::fmt;
use std::fs;
use std::net::{IpAddr, SocketAddrV4};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::auth::AuthScheme;
use crate::builder::{Builder, Discovery};
use crate::error::Error;
use crate::fleet::{Fleet, FleetBuilder};
use crate::quirks::Quirks;
use crate::rtsp::RtspAuth;
use crate::server::Certificate;
use crate::stream_spec::StreamSpec;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    seed: Option<u64>,
    listen: Option<IpAddr>,
    http_port: Option<u16>,
    rtsp_port: Option<u16>,
    multicast: Option<SocketAddrV4>,
    #[serde(default)]
    discovery: Finding,
    #[serde(default)]
    defaults: Camera,
    #[serde(default)]
    camera: Vec<Camera>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Finding {
    #[default]
    Off,
    Multicast,
}

/// One entry: a camera, several alike, or what is not said of others.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Camera {
    count: Option<usize>,
    name: Option<String>,
    serial: Option<String>,
    username: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    auth: Option<AuthScheme>,
    rtsp_auth: Option<RtspAuth>,
    streams: Option<Vec<StreamSpec>>,
    https: Option<Certificate>,
    /// Relative to the file.
    replay: Option<PathBuf>,
    presets: Option<Vec<Preset>>,
    quirks: Changes,
}

/// A preset that there is.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
struct Preset(String);

impl TryFrom<String> for Preset {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        Quirks::preset(&name).map(|_| Self(name))
    }
}

/// Fields of [`Quirks`] that were given, checked one by one so that an error names the line.
#[derive(Clone, Default)]
struct Changes(Map<String, Value>);

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Changes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of quirks")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Changes, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Field(&name))?;
            fields.insert(name, value);
        }
        Ok(Changes(fields))
    }
}

/// The value of the field of this name.
struct Field<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let value = Value::deserialize(from)?;
        let field = Map::from_iter([(self.0.to_owned(), value.clone())]);
        let checked = Quirks::default().changed(field);
        checked.map_err(D::Error::custom)?;
        Ok(value)
    }
}

pub(crate) fn read(toml: &str, folder: &Path) -> Result<FleetBuilder, Error> {
    let wrong = |reason: String| Error::Config { reason };
    let file: File = toml::from_str(toml).map_err(|error| wrong(error.to_string()))?;
    let mut cameras = Vec::new();
    for entry in &file.camera {
        let mut entry = entry.over(&file.defaults)?;
        entry.replay = entry.replay.map(|recording| folder.join(recording));
        let password = entry.password(folder)?;
        cameras.extend(vec![(entry.clone(), password); entry.count.unwrap_or(1)]);
    }
    let mut fleet = Fleet::builder()
        .count(cameras.len())
        .http_port(file.http_port.unwrap_or(8080))
        .rtsp_port(file.rtsp_port.unwrap_or(8554))
        .seed(file.seed.unwrap_or_default())
        .discovery(match file.discovery {
            Finding::Off => Discovery::Off,
            Finding::Multicast => Discovery::Multicast,
        });
    if let Some(listen) = file.listen {
        fleet = fleet.listen(listen);
    }
    if let Some(group) = file.multicast {
        fleet = fleet.multicast(group);
    }
    let mut prepared = Vec::new();
    for (camera, password) in cameras {
        let quirks = camera.quirks()?;
        prepared.push((camera, password, quirks));
    }
    Ok(fleet.each(move |index, builder| {
        let (camera, password, quirks) = &prepared[index];
        camera.set_up(builder, password.as_deref(), quirks.clone())
    }))
}

impl Camera {
    /// This entry, with what it does not say.
    fn over(&self, defaults: &Self) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Config {
            reason: reason.to_owned(),
        };
        if self.password.is_some() && self.password_file.is_some() {
            return Err(wrong("a camera has both a password and a password_file"));
        }
        if self.serial.is_some() && self.count.unwrap_or(1) > 1 {
            return Err(wrong(
                "several cameras cannot have one serial; same_serial is a quirk",
            ));
        }
        let own_password = self.password.is_some() || self.password_file.is_some();
        let of_password = if own_password { self } else { defaults };
        let mut quirks = defaults.quirks.clone();
        quirks.0.extend(self.quirks.0.clone());
        let own = self.clone();
        Ok(Self {
            count: own.count.or(defaults.count),
            name: own.name.or_else(|| defaults.name.clone()),
            serial: own.serial,
            username: own.username.or_else(|| defaults.username.clone()),
            password: of_password.password.clone(),
            password_file: of_password.password_file.clone(),
            auth: own.auth.or(defaults.auth),
            rtsp_auth: own.rtsp_auth.or(defaults.rtsp_auth),
            streams: own.streams.or_else(|| defaults.streams.clone()),
            https: own.https.or(defaults.https),
            replay: own.replay.or_else(|| defaults.replay.clone()),
            presets: own.presets.or_else(|| defaults.presets.clone()),
            quirks,
        })
    }

    fn password(&self, folder: &Path) -> Result<Option<String>, Error> {
        let Some(file) = &self.password_file else {
            return Ok(self.password.clone());
        };
        let path = folder.join(file);
        let text = fs::read_to_string(&path).map_err(|error| Error::Config {
            reason: format!("cannot read {}: {error}", path.display()),
        })?;
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }

    /// The presets, and what is set besides.
    fn quirks(&self) -> Result<Quirks, Error> {
        let mut quirks = Quirks::default();
        for Preset(name) in self.presets.iter().flatten() {
            quirks.add_preset(name)?;
        }
        quirks.changed(self.quirks.0.clone())
    }

    fn set_up(&self, mut builder: Builder, password: Option<&str>, quirks: Quirks) -> Builder {
        builder = builder.quirks(quirks);
        if let Some(name) = &self.name {
            builder = builder.name(name);
        }
        if let Some(serial) = &self.serial {
            builder = builder.serial(serial);
        }
        if let Some(user) = &self.username {
            builder = builder.credentials(user, password.unwrap_or_default());
        }
        if let Some(auth) = self.auth {
            builder = builder.auth(auth);
        }
        if let Some(auth) = self.rtsp_auth {
            builder = builder.rtsp_auth(auth);
        }
        for stream in self.streams.iter().flatten() {
            builder = builder.stream(stream.clone());
        }
        if let Some(recording) = &self.replay {
            builder = builder.replay(recording);
        }
        if let Some(certificate) = self.https {
            builder = builder.https(certificate);
        }
        builder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_KINDS: &str = r#"
http_port = 0
rtsp_port = 0
seed = 7

[defaults]
username = "admin"
password = "secret"
presets = ["tapo-c220"]
[defaults.quirks]
no_renew = true

[[camera]]
name = "gate"
[camera.quirks]
no_renew = false
max_subs = 2

[[camera]]
count = 2
presets = []
https = "self-signed"
auth = "digest"
"#;

    #[tokio::test]
    async fn a_file_describes_cameras_of_several_kinds() {
        let fleet = read(TWO_KINDS, Path::new(".")).unwrap();
        let fleet = fleet.start().await.unwrap();
        let [gate, second, third] = fleet.cameras() else {
            panic!("{fleet:?}");
        };
        assert_eq!((gate.name(), second.name()), ("gate", "camera-2"));
        let expected = Quirks {
            max_subs: Some(2),
            ..Quirks::preset("tapo-c220").unwrap()
        };
        assert_eq!(gate.quirks(), expected);
        assert_eq!(second.quirks().to_string(), "no_renew=true");
        assert_eq!(second.certificate_pem(), third.certificate_pem());
        assert!(second.certificate_pem().is_some() && gate.certificate_pem().is_none());
    }

    #[tokio::test]
    async fn streams_are_those_of_the_camera_or_else_the_default_ones() {
        let toml = r#"
http_port = 0
rtsp_port = 0
multicast = "239.255.1.2:5000"

[defaults]
rtsp_auth = "basic"
[[defaults.streams]]
name = "yard"
video = "h265"
audio = "aac"
metadata = true

[[camera]]

[[camera]]
streams = []
"#;
        let fleet = read(toml, Path::new(".")).unwrap().start().await.unwrap();
        let [first, second] = fleet.cameras() else {
            panic!("{fleet:?}");
        };
        let cameras = [first.shared(), second.shared()];
        let groups = cameras.each_ref().map(|camera| camera.multicast.unwrap());
        assert_eq!(groups.map(|group| group.ip().octets()[3]), [2, 3]);
        let [yard] = &cameras[0].streams[..] else {
            panic!("there is one stream");
        };
        assert_eq!((yard.name.as_str(), yard.metadata), ("yard", true));
        assert!(cameras[1].streams.is_empty());
    }

    #[tokio::test]
    async fn streams_that_cannot_be_are_told_by_name() {
        let toml = "http_port = 0\nrtsp_port = 0\n[[camera]]\nstreams = [{name = \"main\"}]";
        let started = read(toml, Path::new(".")).unwrap().start().await;
        let error = started.unwrap_err().to_string();
        assert!(error.contains("main"), "{error}");
    }

    #[test]
    fn what_is_unknown_or_wrong_is_an_error_that_names_the_line() {
        for (toml, line, word) in [
            ("seed = 1\nport = 8080", "line 2", "port"),
            (
                "[defaults.quirks]\nno_renew = true\nno_such = 1",
                "line 3",
                "no_such",
            ),
            (
                "[[camera]]\nquirks = {max_subs = \"two\"}",
                "line 2",
                "max_subs",
            ),
            ("[[camera]]\n\npresets = [\"no-such\"]", "line 3", "no-such"),
            ("[[camera]]\nname = 7", "line 2", "string"),
            (
                "[[camera]]\n\nstreams = [{name = \"a\", video = \"vp8\"}]",
                "line 3",
                "vp8",
            ),
        ] {
            let error = read(toml, Path::new(".")).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains(word), "{error}");
        }
    }

    #[test]
    fn passwords_can_stand_in_a_file_beside_it() {
        let toml = "[[camera]]\nusername = \"a\"\npassword_file = \"no-such\"";
        let error = read(toml, Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/no-such"), "{error}");
        let toml = "[[camera]]\nusername = \"a\"\npassword_file = \"x\"\npassword = \"y\"";
        assert!(read(toml, Path::new(".")).is_err());
    }
}
