//! Settings from the environment of a process: `AIO_*` variables, or the mounts of a connector's pod.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::{ClientCertificate, MqttOptions, TlsRoots};
use crate::topic::option_error as refused;
use crate::{Error, Secret};

/// Looks a variable up.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl MqttOptions {
    /// Settings from the variables that Azure IoT Operations gives an application: `AIO_BROKER_HOSTNAME` and
    /// `AIO_MQTT_CLIENT_ID` are required; `AIO_BROKER_TCP_PORT` (8883), `AIO_MQTT_USE_TLS` (true), `AIO_TLS_CA_FILE`,
    /// `AIO_TLS_CERT_FILE` with `AIO_TLS_KEY_FILE`, `AIO_MQTT_CLEAN_START` (false), `AIO_MQTT_KEEP_ALIVE` (60 s),
    /// `AIO_MQTT_SESSION_EXPIRY` (3,600 s), `AIO_MQTT_USERNAME` with `AIO_MQTT_PASSWORD_FILE`, `AIO_SAT_FILE`.
    ///
    /// Reads a small file, the password's, and blocks while it does.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] names the variable; [`Error::Storage`] for a password file that cannot be read.
    pub fn from_environment() -> Result<Self, Error> {
        application(&|name| std::env::var(name).ok())
    }

    /// Settings from the variables and files that the Akri operator gives a connector's pod: `CONNECTOR_ID`, the client
    /// identifier; `MQTT_CONNECTION_CONFIGURATION` in the folder `CONNECTOR_CONFIGURATION_MOUNT_PATH`;
    /// `BROKER_SAT_MOUNT_PATH`, the token; `BROKER_TLS_TRUST_BUNDLE_CACERT_MOUNT_PATH`, the broker's authorities.
    ///
    /// Reads a small file and blocks while it does. Token and authorities are read again when they change; the settings
    /// are not.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] names the variable or file; [`Error::Storage`] for a file that cannot be read.
    pub fn from_connector_pod() -> Result<Self, Error> {
        pod(&|name| std::env::var(name).ok())
    }
}

fn application(lookup: Lookup<'_>) -> Result<MqttOptions, Error> {
    let host = required(lookup, "AIO_BROKER_HOSTNAME")?;
    let port = parsed(lookup, "AIO_BROKER_TCP_PORT", 8883u16)?;
    let secure = flag(lookup, "AIO_MQTT_USE_TLS", true)?;
    let client_id = required(lookup, "AIO_MQTT_CLIENT_ID")?;
    let broker = address(secure, &host, port, "AIO_BROKER_HOSTNAME")?;
    let mut options = MqttOptions::new(broker, client_id);
    options.clean_start = flag(lookup, "AIO_MQTT_CLEAN_START", false)?;
    let keep_alive = parsed(lookup, "AIO_MQTT_KEEP_ALIVE", 60u16)?;
    options.keep_alive = Duration::from_secs(keep_alive.into());
    let expiry = parsed(lookup, "AIO_MQTT_SESSION_EXPIRY", 3600u32)?;
    options.session_expiry = Duration::from_secs(expiry.into());
    if let Some(file) = path(lookup, "AIO_TLS_CA_FILE") {
        options.tls_roots = TlsRoots::File(file);
    }
    let pair = ["AIO_TLS_CERT_FILE", "AIO_TLS_KEY_FILE"].map(|name| path(lookup, name));
    options.client_certificate = match pair {
        [Some(certificate_file), Some(key_file)] => Some(ClientCertificate {
            certificate_file,
            key_file,
        }),
        [None, None] => None,
        _ => {
            let reason = "AIO_TLS_CERT_FILE and AIO_TLS_KEY_FILE go together";
            return Err(refused("AIO_TLS_CERT_FILE", None, reason));
        }
    };
    if let Some(file) = variable(lookup, "AIO_TLS_KEY_PASSWORD_FILE") {
        let reason =
            "encrypted keys are not supported; decrypt it: openssl pkey -in KEY -out PLAIN";
        return Err(refused("AIO_TLS_KEY_PASSWORD_FILE", Some(&file), reason));
    }
    options.username = variable(lookup, "AIO_MQTT_USERNAME").map(Secret::from);
    options.password = path(lookup, "AIO_MQTT_PASSWORD_FILE")
        .map(|file| read(&file).map(Secret::new))
        .transpose()?;
    options.token_file = path(lookup, "AIO_SAT_FILE");
    if options.token_file.is_some() && (options.username.is_some() || options.password.is_some()) {
        let reason = "there is AIO_MQTT_USERNAME or AIO_MQTT_PASSWORD_FILE as well, and a client logs in by one of them";
        return Err(refused("AIO_SAT_FILE", None, reason));
    }
    Ok(options)
}

/// `MQTT_CONNECTION_CONFIGURATION`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    host: String,
    keep_alive_seconds: Option<u16>,
    max_inflight_messages: Option<u16>,
    protocol: Option<String>,
    session_expiry_seconds: Option<u32>,
    tls: Option<Tls>,
}

#[derive(Deserialize)]
struct Tls {
    mode: String,
}

fn pod(lookup: Lookup<'_>) -> Result<MqttOptions, Error> {
    const FILE: &str = "MQTT_CONNECTION_CONFIGURATION";
    let client_id = required(lookup, "CONNECTOR_ID")?;
    let folder = required(lookup, "CONNECTOR_CONFIGURATION_MOUNT_PATH")?;
    let text = read(&Path::new(&folder).join(FILE))?;
    let configuration: Configuration =
        serde_json::from_slice(&text).map_err(|error| refused(FILE, None, &error.to_string()))?;
    let protocol = configuration.protocol.as_deref().unwrap_or("mqtt");
    if !protocol.eq_ignore_ascii_case("mqtt") {
        return Err(refused(FILE, Some(protocol), "the protocol is not mqtt"));
    }
    let secure = match &configuration.tls {
        None => true,
        Some(tls) if tls.mode.eq_ignore_ascii_case("enabled") => true,
        Some(tls) if tls.mode.eq_ignore_ascii_case("disabled") => false,
        Some(tls) => {
            let reason = "tls.mode is neither Enabled nor Disabled";
            return Err(refused(FILE, Some(&tls.mode), reason));
        }
    };
    let bad = || refused(FILE, Some(&configuration.host), "host is not HOST:PORT");
    let (host, port) = configuration.host.rsplit_once(':').ok_or_else(bad)?;
    let port = port.parse().map_err(|_| bad())?;
    let mut options = MqttOptions::new(address(secure, host, port, FILE)?, client_id);
    if let Some(seconds) = configuration.keep_alive_seconds {
        options.keep_alive = Duration::from_secs(seconds.into());
    }
    if let Some(seconds) = configuration.session_expiry_seconds {
        options.session_expiry = Duration::from_secs(seconds.into());
    }
    if let Some(messages) = configuration.max_inflight_messages {
        options.inflight = messages;
    }
    options.token_file = path(lookup, "BROKER_SAT_MOUNT_PATH");
    if let Some(folder) = path(lookup, "BROKER_TLS_TRUST_BUNDLE_CACERT_MOUNT_PATH") {
        options.tls_roots = TlsRoots::File(folder);
    }
    Ok(options)
}

fn address(secure: bool, host: &str, port: u16, option: &str) -> Result<Url, Error> {
    let scheme = if secure { "mqtts" } else { "mqtt" };
    // An IPv6 address stands in brackets.
    let host = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Url::parse(&format!("{scheme}://{host}:{port}"))
        .map_err(|error| refused(option, Some(&host), &error.to_string()))
}

/// A variable that is set and not empty.
fn variable(lookup: Lookup<'_>, name: &str) -> Option<String> {
    lookup(name).filter(|value| !value.is_empty())
}

fn path(lookup: Lookup<'_>, name: &str) -> Option<PathBuf> {
    variable(lookup, name).map(PathBuf::from)
}

fn required(lookup: Lookup<'_>, name: &str) -> Result<String, Error> {
    variable(lookup, name).ok_or_else(|| refused(name, None, "the variable is not set"))
}

fn parsed<T: std::str::FromStr<Err: Display>>(
    lookup: Lookup<'_>,
    name: &str,
    default: T,
) -> Result<T, Error> {
    variable(lookup, name).map_or(Ok(default), |value| {
        value
            .parse()
            .map_err(|error: T::Err| refused(name, Some(&value), &error.to_string()))
    })
}

fn flag(lookup: Lookup<'_>, name: &str, default: bool) -> Result<bool, Error> {
    let Some(value) = variable(lookup, name) else {
        return Ok(default);
    };
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(refused(name, Some(&value), "it is neither true nor false")),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Storage {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<MqttOptions, Error> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        if lookup("CONNECTOR_ID").is_some() {
            pod(&lookup)
        } else {
            application(&lookup)
        }
    }

    const HOST: (&str, &str) = ("AIO_BROKER_HOSTNAME", "broker");
    const ID: (&str, &str) = ("AIO_MQTT_CLIENT_ID", "c");

    #[test]
    fn an_application_needs_a_host_and_a_client_identifier_and_the_rest_has_defaults() {
        let options = from(&[HOST, ID]).unwrap();
        assert_eq!(options.broker.as_str(), "mqtts://broker:8883");
        assert_eq!(options.client_id, "c");
        assert!(!options.clean_start);
        assert_eq!(options.keep_alive, Duration::from_secs(60));
        assert_eq!(options.session_expiry, Duration::from_secs(3600));
        for missing in [[HOST].as_slice(), &[ID]] {
            let error = from(missing).unwrap_err();
            assert!(matches!(error, Error::InvalidOption { value: None, .. }));
        }
    }

    #[test]
    fn an_application_may_set_everything() {
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, "s3cret\n").unwrap();
        let options = from(&[
            HOST,
            ID,
            ("AIO_BROKER_TCP_PORT", "1883"),
            ("AIO_MQTT_USE_TLS", "False"),
            ("AIO_TLS_CA_FILE", "/ca.pem"),
            ("AIO_TLS_CERT_FILE", "/cert.pem"),
            ("AIO_TLS_KEY_FILE", "/key.pem"),
            ("AIO_MQTT_CLEAN_START", "true"),
            ("AIO_MQTT_KEEP_ALIVE", "5"),
            ("AIO_MQTT_SESSION_EXPIRY", "7"),
            ("AIO_MQTT_USERNAME", "user"),
            ("AIO_MQTT_PASSWORD_FILE", password.to_str().unwrap()),
        ])
        .unwrap();
        assert_eq!(options.broker.as_str(), "mqtt://broker:1883");
        assert_eq!(options.tls_roots, TlsRoots::File("/ca.pem".into()));
        let certificate = options.client_certificate.unwrap();
        assert_eq!(certificate.key_file, Path::new("/key.pem"));
        assert!(options.clean_start);
        assert_eq!(options.keep_alive, Duration::from_secs(5));
        assert_eq!(options.session_expiry, Duration::from_secs(7));
        assert_eq!(options.password.unwrap().as_text().unwrap(), "s3cret");
    }

    #[test]
    fn variables_that_contradict_each_other_or_cannot_be_read_are_named() {
        for (more, expected) in [
            (&[("AIO_BROKER_TCP_PORT", "x")][..], "AIO_BROKER_TCP_PORT"),
            (&[("AIO_MQTT_USE_TLS", "perhaps")], "AIO_MQTT_USE_TLS"),
            (&[("AIO_TLS_CERT_FILE", "/c")], "AIO_TLS_CERT_FILE"),
            (
                &[("AIO_TLS_KEY_PASSWORD_FILE", "/p")],
                "AIO_TLS_KEY_PASSWORD_FILE",
            ),
            (
                &[("AIO_SAT_FILE", "/t"), ("AIO_MQTT_USERNAME", "u")],
                "AIO_SAT_FILE",
            ),
        ] {
            let error = from(&[&[HOST, ID], more].concat()).unwrap_err();
            assert!(
                matches!(&error, Error::InvalidOption { option, .. } if option == expected),
                "{error}"
            );
        }
    }

    #[test]
    fn a_pod_is_configured_by_its_mounts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("MQTT_CONNECTION_CONFIGURATION");
        let variables = [
            ("CONNECTOR_ID", "connector-0"),
            (
                "CONNECTOR_CONFIGURATION_MOUNT_PATH",
                folder.path().to_str().unwrap(),
            ),
            ("BROKER_SAT_MOUNT_PATH", "/sat"),
            ("BROKER_TLS_TRUST_BUNDLE_CACERT_MOUNT_PATH", "/bundle"),
        ];
        let text = r#"{"host":"aio-broker:18883","keepAliveSeconds":61,"maxInflightMessages":99,
            "protocol":"Mqtt","sessionExpirySeconds":600,"tls":{"mode":"Enabled"}}"#;
        std::fs::write(&file, text).unwrap();
        let options = from(&variables).unwrap();
        assert_eq!(options.broker.as_str(), "mqtts://aio-broker:18883");
        assert_eq!(options.client_id, "connector-0");
        assert_eq!(options.keep_alive, Duration::from_secs(61));
        assert_eq!(options.session_expiry, Duration::from_secs(600));
        assert_eq!(options.inflight, 99);
        assert_eq!(options.token_file.as_deref(), Some(Path::new("/sat")));
        assert_eq!(options.tls_roots, TlsRoots::File("/bundle".into()));

        std::fs::write(&file, text.replace("Enabled", "Disabled")).unwrap();
        assert_eq!(from(&variables).unwrap().broker.scheme(), "mqtt");
        for bad in [
            "{}",
            r#"{"host":"broker"}"#,
            r#"{"host":"b:1","protocol":"amqp"}"#,
        ] {
            std::fs::write(&file, bad).unwrap();
            let error = from(&variables).unwrap_err();
            assert!(matches!(error, Error::InvalidOption { .. }), "{bad}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(from(&variables), Err(Error::Storage { .. })));
    }
}
