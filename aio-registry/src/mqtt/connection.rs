//! One connection to a broker: TCP, TLS, CONNECT, and packets both ways.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::Error as CodecError;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, Connect, ConnectProperties, ConnectReturnCode, Disconnect, DisconnectReasonCode,
    Login, Packet, PingReq,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tracing::warn;

use super::{MqttOptions, TlsRoots};
use crate::Error;

/// Packets are written together up to about this many bytes.
const BATCH: usize = 64 << 10;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where to connect, and how, once the options were checked.
pub(super) struct Target {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// Checks the options and reads the certificate authorities.
    pub(super) async fn new(options: &MqttOptions) -> Result<Self, Error> {
        let url = &options.broker;
        let invalid = |reason: &str| {
            let shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
            Error::Invalid {
                what: format!("broker address {shown}"),
                reason: reason.into(),
            }
        };
        let (secure, default_port) = match url.scheme() {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
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
        let tls = if secure {
            let name = ServerName::try_from(host.clone())
                .map_err(|_| invalid("its host is no name a certificate can have"))?;
            let roots = options.tls_roots.clone();
            let config = crate::file::blocking(move || client_config(&roots)).await?;
            Some((TlsConnector::from(Arc::new(config)), name))
        } else {
            None
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(default_port),
            tls,
        })
    }
}

fn client_config(roots: &TlsRoots) -> Result<ClientConfig, Error> {
    let mut store = RootCertStore::empty();
    match roots {
        TlsRoots::System => {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                warn!(%error, "cannot read some certificate authorities of the system");
            }
            store.add_parsable_certificates(found.certs);
        }
        TlsRoots::File(path) => {
            for certificate in read_certificates(path)? {
                let invalid = |error| Error::Invalid {
                    what: format!("certificate in {}", path.display()),
                    reason: format!("{error}"),
                };
                store.add(certificate).map_err(invalid)?;
            }
        }
    }
    if store.is_empty() {
        let reason = "there is no certificate authority in it to trust".into();
        return Err(Error::Invalid {
            what: format!("tls_roots {roots:?}"),
            reason,
        });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Invalid {
            what: "TLS".into(),
            reason: error.to_string(),
        })?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = std::fs::read(path).map_err(|source| Error::Storage {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Invalid {
            what: format!("the file of certificate authorities {}", path.display()),
            reason: error.to_string(),
        })
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
        target: &Target,
        options: &MqttOptions,
        clean_start: bool,
    ) -> Result<Self, String> {
        let at = format!("{}:{}", target.host, target.port);
        let tcp = TcpStream::connect((target.host.as_str(), target.port)).await;
        let tcp = tcp.map_err(|error| format!("cannot connect to {at}: {error}"))?;
        tcp.set_nodelay(true).map_err(|error| error.to_string())?;
        let stream: Box<dyn Stream> = match &target.tls {
            None => Box::new(tcp),
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp).await;
                Box::new(tls.map_err(|error| format!("TLS with {at} failed: {error}"))?)
            }
        };
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
        writer.add(&connect_packet(options, clean_start)?)?;
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
                "{at} answered CONNECT with {}; it is no MQTT 5 broker",
                super::packet::name(&other)
            )),
            Err(error) => Err(format!(
                "{at} did not accept the connection: {error}; some brokers do so when user name or password are wrong"
            )),
        }
    }
}

fn connect_packet(options: &MqttOptions, clean_start: bool) -> Result<Packet, String> {
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = Some(seconds(options.session_expiry));
    properties.receive_maximum = Some(options.inflight);
    properties.max_packet_size = Some(options.max_packet_size);
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
    Ok(Packet::Connect(connect, None, login))
}

pub(super) fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn refusal(connack: &ConnAck) -> String {
    let advice = match connack.code {
        ConnectReturnCode::BadUserNamePassword => "the broker refused user name or password",
        ConnectReturnCode::NotAuthorized => {
            "the broker refused the login: not authorized; check user name and password"
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
