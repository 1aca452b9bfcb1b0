//! One connection to a broker: TCP, TLS, CONNECT, and packets both ways.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use rumqttc::v5::mqttbytes::Error as CodecError;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, Connect, ConnectProperties, ConnectReturnCode, Disconnect, DisconnectReasonCode,
    Login, Packet, PingReq,
};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::MqttOptions;
use super::credentials::Credentials;
use crate::Error;

/// Packets are written together up to about this many bytes.
const BATCH: usize = 64 << 10;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes the stream of bytes of each connection.
pub(super) type Dial =
    Box<dyn Fn(Credentials) -> BoxFuture<'static, Result<Box<dyn Stream>, String>> + Send + Sync>;

/// Connects by TCP, and by TLS where there is a configuration for it.
///
/// # Errors
/// [`Error::Invalid`] for an address that is none.
pub(super) fn network(options: &MqttOptions) -> Result<Dial, Error> {
    let url = &options.broker;
    let invalid = |reason: &str| {
        let shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        Error::Invalid {
            what: format!("broker address {shown}"),
            reason: reason.into(),
        }
    };
    let default_port = match url.scheme() {
        "mqtt" => 1883,
        "mqtts" => 8883,
        _ => return Err(invalid("it begins with neither mqtt:// nor mqtts://")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "user name and password do not belong in the address; use the options",
        ));
    }
    // Of a scheme that is not http the parser leaves an IPv6 address in brackets.
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    if host.is_empty() {
        return Err(invalid("it names no host"));
    }
    let name = ServerName::try_from(host.clone())
        .map_err(|_| invalid("its host is no name a certificate can have"))?;
    let port = url.port().unwrap_or(default_port);
    Ok(Box::new(move |credentials| {
        Box::pin(dial(host.clone(), port, name.clone(), credentials))
    }))
}

async fn dial(
    host: String,
    port: u16,
    name: ServerName<'static>,
    credentials: Credentials,
) -> Result<Box<dyn Stream>, String> {
    let at = format!("{host}:{port}");
    let tcp = TcpStream::connect((host.as_str(), port)).await;
    let tcp = tcp.map_err(|error| format!("cannot connect to {at}: {error}"))?;
    tcp.set_nodelay(true).map_err(|error| error.to_string())?;
    let Some(tls) = credentials.tls else {
        return Ok(Box::new(tcp));
    };
    let tls = TlsConnector::from(tls).connect(name, tcp).await;
    Ok(Box::new(tls.map_err(|error| {
        format!("TLS with {at} failed: {error}")
    })?))
}

/// A connection the broker has accepted.
pub(super) struct Connection {
    pub connack: ConnAck,
    pub reader: Reader,
    pub writer: Writer,
}

impl Connection {
    /// Connects and logs in; the error is in words.
    pub(super) async fn open(
        dial: &Dial,
        options: &MqttOptions,
        credentials: Credentials,
        clean_start: bool,
    ) -> Result<Self, String> {
        let connect = connect_packet(options, &credentials, clean_start)?;
        let stream = dial(credentials).await?;
        let (reader, writer) = tokio::io::split(stream);
        let mut reader = Reader {
            stream: reader,
            buffer: BytesMut::new(),
            max_packet_size: options.max_packet_size,
        };
        let mut writer = Writer {
            stream: writer,
            buffer: BytesMut::new(),
        };
        writer.add(&connect)?;
        writer.flush().await?;
        match reader.read().await {
            Ok(Packet::ConnAck(connack)) if connack.code == ConnectReturnCode::Success => {
                Ok(Self {
                    connack,
                    reader,
                    writer,
                })
            }
            Ok(Packet::ConnAck(connack)) => Err(refusal(&connack)),
            Ok(other) => Err(format!(
                "CONNECT was answered with {}; this is no MQTT 5 broker",
                super::packet::name(&other)
            )),
            Err(error) => Err(format!(
                "the broker did not accept the connection: {error}; some brokers do so when user name or password are wrong"
            )),
        }
    }
}

fn connect_packet(
    options: &MqttOptions,
    credentials: &Credentials,
    clean_start: bool,
) -> Result<Packet, String> {
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = Some(seconds(options.session_expiry));
    properties.receive_maximum = Some(options.inflight);
    properties.max_packet_size = Some(options.max_packet_size);
    properties
        .user_properties
        .clone_from(&options.user_properties);
    if let Some(token) = &credentials.token {
        properties.authentication_method = Some("K8S-SAT".into());
        properties.authentication_data = Some(Bytes::copy_from_slice(token.as_bytes()));
    }
    let login = match (&options.username, &options.password) {
        (None, None) => None,
        (username, password) => {
            let text = |secret: &Option<crate::Secret>| match secret {
                Some(secret) => secret
                    .as_text()
                    .map(str::to_owned)
                    .map_err(|error| error.to_string()),
                None => Ok(String::new()),
            };
            Some(Login::new(text(username)?, text(password)?))
        }
    };
    let connect = Connect {
        keep_alive: u16::try_from(options.keep_alive.as_secs()).unwrap_or(u16::MAX),
        client_id: options.client_id.clone(),
        clean_start,
        properties: Some(properties),
    };
    let will = options.will.clone().map(super::packet::will);
    let will = will.transpose().map_err(|error| error.to_string())?;
    Ok(Packet::Connect(connect, will, login))
}

pub(super) fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn refusal(connack: &ConnAck) -> String {
    let advice = match connack.code {
        ConnectReturnCode::BadUserNamePassword => "the broker refused user name or password",
        ConnectReturnCode::NotAuthorized => {
            "the broker refused the login: not authorized; check user name and password, or the token"
        }
        ConnectReturnCode::BadAuthenticationMethod => {
            "the broker knows no K8S-SAT; leave the token out, which only brokers of Azure IoT Operations take"
        }
        ConnectReturnCode::ClientIdentifierNotValid => "the broker refused the client identifier",
        ConnectReturnCode::UnsupportedProtocolVersion
        | ConnectReturnCode::RefusedProtocolVersion => "the broker does not speak MQTT 5",
        _ => "the broker refused the connection",
    };
    let text = connack
        .properties
        .as_ref()
        .and_then(|properties| properties.reason_string.as_deref())
        .unwrap_or_default();
    format!(
        "{advice} ({:?}{}{text})",
        connack.code,
        if text.is_empty() { "" } else { ": " }
    )
}

pub(super) struct Reader {
    stream: ReadHalf<Box<dyn Stream>>,
    buffer: BytesMut,
    max_packet_size: u32,
}

impl Reader {
    /// The next packet. Nothing is lost when the future is dropped.
    pub(super) async fn read(&mut self) -> Result<Packet, String> {
        loop {
            // The codec knows no DISCONNECT without a reason, which a broker may send.
            if self.buffer.starts_with(&[0xe0, 0]) {
                return Ok(Packet::Disconnect(Disconnect::new(
                    DisconnectReasonCode::NormalDisconnection,
                )));
            }
            match Packet::read(&mut self.buffer, Some(self.max_packet_size)) {
                Ok(packet) => return Ok(packet),
                Err(CodecError::InsufficientBytes(missing)) => {
                    self.buffer.reserve(missing.min(1 << 20))
                }
                Err(CodecError::PayloadSizeLimitExceeded { pkt_size, max }) => {
                    return Err(format!(
                        "the broker sent a packet of {pkt_size} bytes, more than the {max} that are allowed"
                    ));
                }
                Err(error) => {
                    return Err(format!(
                        "the broker sent a packet that cannot be read: {error}"
                    ));
                }
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Err("the connection was closed by the other side".into()),
                Ok(_) => {}
                Err(error) => return Err(describe(&error)),
            }
        }
    }
}

pub(super) struct Writer {
    stream: WriteHalf<Box<dyn Stream>>,
    buffer: BytesMut,
}

impl Writer {
    pub(super) fn add(&mut self, packet: &Packet) -> Result<(), String> {
        packet
            .write(&mut self.buffer, None)
            .map(drop)
            .map_err(|error| format!("cannot write a packet: {error}"))
    }

    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= BATCH
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    pub(super) async fn flush(&mut self) -> Result<(), String> {
        self.stream
            .write_all_buf(&mut self.buffer)
            .await
            .map_err(|error| describe(&error))?;
        self.stream.flush().await.map_err(|error| describe(&error))
    }

    pub(super) async fn ping(&mut self) -> Result<(), String> {
        self.add(&Packet::PingReq(PingReq))?;
        self.flush().await
    }

    /// Takes leave and closes the connection.
    pub(super) async fn disconnect(&mut self) -> Result<(), String> {
        self.add(&Packet::Disconnect(Disconnect::new(
            DisconnectReasonCode::NormalDisconnection,
        )))?;
        self.flush().await?;
        self.stream
            .shutdown()
            .await
            .map_err(|error| describe(&error))
    }
}

fn describe(error: &io::Error) -> String {
    format!("the connection was lost: {error}")
}
