//! A broker that does what a test tells it.

use std::io;

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnAckProperties, Connect, ConnectReturnCode, LastWill, Packet, PubAck, PubAckReason,
    Publish, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{Error, QoS};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

pub struct Broker {
    source: Source,
    pub port: u16,
}

enum Source {
    Network(TcpListener),
    Memory(Mutex<mpsc::UnboundedReceiver<DuplexStream>>),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How a connection is accepted.
#[derive(Default)]
pub struct Accept {
    pub session_present: bool,
    pub receive_maximum: Option<u16>,
    pub max_packet_size: Option<u32>,
}

pub struct Peer {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    pub connect: Connect,
    pub will: Option<LastWill>,
}

impl Broker {
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            source: Source::Network(listener),
            port,
        }
    }

    /// A broker in memory, and how to reach it: for tests on a clock that is paused.
    pub fn memory() -> (Self, impl Fn() -> io::Result<DuplexStream>) {
        let (dialled, streams) = mpsc::unbounded_channel();
        let broker = Self {
            source: Source::Memory(Mutex::new(streams)),
            port: 1,
        };
        let dial = move || {
            let (near, far) = duplex(1 << 20);
            let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
            dialled.send(far).map_err(gone)?;
            Ok(near)
        };
        (broker, dial)
    }

    pub async fn accept(&self, accept: Accept) -> Peer {
        let mut properties = no_properties();
        properties.receive_max = accept.receive_maximum;
        properties.max_packet_size = accept.max_packet_size;
        self.answer(
            ConnectReturnCode::Success,
            accept.session_present,
            properties,
        )
        .await
    }

    pub async fn refuse_login(&self) {
        self.answer(
            ConnectReturnCode::BadUserNamePassword,
            false,
            no_properties(),
        )
        .await;
    }

    async fn answer(
        &self,
        code: ConnectReturnCode,
        session_present: bool,
        properties: ConnAckProperties,
    ) -> Peer {
        let mut stream: Box<dyn Stream> = match &self.source {
            Source::Network(listener) => Box::new(listener.accept().await.unwrap().0),
            Source::Memory(streams) => Box::new(streams.lock().await.recv().await.unwrap()),
        };
        let mut buffer = BytesMut::new();
        let Some(Packet::Connect(connect, will, _)) = read(&mut stream, &mut buffer).await else {
            panic!("no CONNECT")
        };
        let mut peer = Peer {
            stream,
            buffer,
            connect,
            will,
        };
        peer.write(Packet::ConnAck(ConnAck {
            session_present,
            code,
            properties: Some(properties),
        }))
        .await;
        peer
    }
}

impl Peer {
    /// The next packet that is no ping, or `None` when the connection was closed.
    pub async fn read(&mut self) -> Option<Packet> {
        read(&mut self.stream, &mut self.buffer).await
    }

    pub async fn write(&mut self, packet: Packet) {
        let mut buffer = BytesMut::new();
        packet.write(&mut buffer, None).unwrap();
        self.stream.write_all(&buffer).await.unwrap();
    }

    pub async fn publish(&mut self, topic: &str, payload: &str, packet_id: u16) {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload.to_owned(), None);
        publish.pkid = packet_id;
        self.write(Packet::Publish(publish)).await;
    }

    pub async fn puback(&mut self, packet_id: u16, reason: PubAckReason) {
        let mut puback = PubAck::new(packet_id, None);
        puback.reason = reason;
        self.write(Packet::PubAck(puback)).await;
    }

    /// Grants the subscription that comes next; its filter.
    pub async fn suback(&mut self) -> String {
        let Some(Packet::Subscribe(subscribe)) = self.read().await else {
            panic!("no SUBSCRIBE")
        };
        let return_codes = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)];
        self.write(Packet::SubAck(SubAck {
            pkid: subscribe.pkid,
            return_codes,
            properties: None,
        }))
        .await;
        subscribe.filters[0].path.clone()
    }

    /// The packet identifier of the acknowledgement that comes next.
    pub async fn acked(&mut self) -> u16 {
        let Some(Packet::PubAck(puback)) = self.read().await else {
            panic!("no PUBACK")
        };
        puback.pkid
    }
}

async fn read(stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> Option<Packet> {
    loop {
        // A DISCONNECT without a reason, which the codec writes but does not read.
        if buffer.starts_with(&[0xe0, 0]) {
            return None;
        }
        match Packet::read(buffer, None) {
            Ok(packet) => return Some(packet),
            Err(Error::InsufficientBytes(_)) => {}
            Err(error) => panic!("{error}"),
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn no_properties() -> ConnAckProperties {
    ConnAckProperties {
        session_expiry_interval: None,
        receive_max: None,
        max_qos: None,
        retain_available: None,
        max_packet_size: None,
        assigned_client_identifier: None,
        topic_alias_max: None,
        reason_string: None,
        user_properties: Vec::new(),
        wildcard_subscription_available: None,
        subscription_identifiers_available: None,
        shared_subscription_available: None,
        server_keep_alive: None,
        response_information: None,
        server_reference: None,
        authentication_method: None,
        authentication_data: None,
    }
}
