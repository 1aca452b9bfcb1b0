//! Microsoft's session, invoker and executor, made in a line each, and a Mosquitto for them.
#![allow(
    clippy::unwrap_used,
    reason = "everything here serves tests, where a panic is the report"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use azure_iot_operations_mqtt::aio::connection_settings::{
    MqttConnectionSettings, MqttConnectionSettingsBuilder,
};
use azure_iot_operations_mqtt::session::{
    Session, SessionManagedClient, SessionMonitor, SessionOptionsBuilder,
};
use azure_iot_operations_protocol::application::ApplicationContextBuilder;
use azure_iot_operations_protocol::common::payload_serialize::{
    DeserializationError, FormatIndicator, PayloadSerialize, SerializedPayload,
};
use azure_iot_operations_protocol::rpc_command::{self, Executor, Invoker};
use tempfile::TempDir;

/// A JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Json(pub String);

impl PayloadSerialize for Json {
    type Error = Infallible;

    fn serialize(self) -> Result<SerializedPayload, Infallible> {
        Ok(SerializedPayload {
            payload: self.0.into_bytes(),
            content_type: "application/json".into(),
            format_indicator: FormatIndicator::Utf8EncodedCharacterData,
        })
    }

    fn deserialize(
        payload: &[u8],
        content_type: Option<&String>,
        _format_indicator: &FormatIndicator,
    ) -> Result<Self, DeserializationError<Infallible>> {
        match content_type {
            Some(other) if !other.is_empty() && other != "application/json" => Err(
                DeserializationError::UnsupportedContentType(format!("{other} is no JSON")),
            ),
            _ => Ok(Self(String::from_utf8_lossy(payload).into_owned())),
        }
    }
}

/// Mosquitto on a port of loopback, open to all.
pub struct Broker {
    /// Where it listens.
    pub port: u16,
    child: Child,
    _folder: TempDir,
}

impl Broker {
    /// Starts it; `None`, with a line that says so, where it is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// As [`start`](Self::start), with further lines of its configuration.
    pub fn start_with(settings: &str) -> Option<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = port.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("mosquitto.conf");
        let text = format!(
            "user root\npersistence false\nlistener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n{settings}\n"
        );
        fs::write(&configuration, text).unwrap();
        let child = Command::new("mosquitto")
            .arg("-c")
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
            assert!(!required, "required here: mosquitto");
            eprintln!("skipped: mosquitto is not installed");
            return None;
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "Mosquitto does not listen");
            std::thread::yield_now();
        }
        Some(Self {
            port,
            child,
            _folder: folder,
        })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Microsoft's session, which runs until the runtime ends.
pub fn session(port: u16, client_id: &str) -> SessionManagedClient {
    monitored_session(port, client_id).0
}

/// As [`session`], with what tells whether it is connected.
pub fn monitored_session(port: u16, client_id: &str) -> (SessionManagedClient, SessionMonitor) {
    let settings = MqttConnectionSettingsBuilder::default()
        .client_id(client_id)
        .hostname("127.0.0.1")
        .tcp_port(port)
        .keep_alive(Duration::from_secs(30))
        .use_tls(false)
        .build()
        .unwrap();
    session_with(settings)
}

/// As [`monitored_session`], with settings of any kind.
pub fn session_with(settings: MqttConnectionSettings) -> (SessionManagedClient, SessionMonitor) {
    let options = SessionOptionsBuilder::default()
        .connection_settings(settings)
        .build()
        .unwrap();
    let session = Session::new(options).unwrap();
    let client = session.create_managed_client();
    let monitor = session.create_session_monitor();
    tokio::spawn(async move { session.run().await });
    (client, monitor)
}

/// Microsoft's executor on a topic.
pub fn executor(client: SessionManagedClient, pattern: &str) -> Executor<Json, Json> {
    let options = rpc_command::executor::OptionsBuilder::default()
        .request_topic_pattern(pattern)
        .command_name("command")
        .build()
        .unwrap();
    let context = ApplicationContextBuilder::default().build().unwrap();
    Executor::new(context, client, options).unwrap()
}

/// The answer of Microsoft's executor.
pub fn answer(
    text: &str,
    custom_user_data: Vec<(String, String)>,
) -> rpc_command::executor::Response<Json> {
    rpc_command::executor::ResponseBuilder::default()
        .payload(Json(text.into()))
        .unwrap()
        .custom_user_data(custom_user_data)
        .build()
        .unwrap()
}

/// Microsoft's invoker for a topic.
pub fn invoker(client: SessionManagedClient, pattern: &str) -> Invoker<Json, Json> {
    let options = rpc_command::invoker::OptionsBuilder::default()
        .request_topic_pattern(pattern)
        .command_name("command")
        .build()
        .unwrap();
    let context = ApplicationContextBuilder::default().build().unwrap();
    Invoker::new(context, client, options).unwrap()
}

/// A request of Microsoft's invoker.
pub fn request(
    text: &str,
    tokens: &[(&str, &str)],
    timeout: Duration,
) -> rpc_command::invoker::Request<Json> {
    let tokens = tokens
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    rpc_command::invoker::RequestBuilder::default()
        .payload(Json(text.into()))
        .unwrap()
        .topic_tokens(tokens.collect::<HashMap<_, _>>())
        .timeout(timeout)
        .build()
        .unwrap()
}
