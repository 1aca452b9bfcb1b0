//! The same `AIO_*` variables for Microsoft's session and ours: each takes them for the same, on the wire and with Mosquitto.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::mrpc::{Invoker, InvokerOptions};
use aio_registry::{MqttOptions, MqttSession};
use aio_sdk::{Broker, answer, executor, session_with};
use azure_iot_operations_mqtt::aio::connection_settings::MqttConnectionSettingsBuilder;
use bytes::BytesMut;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rumqttc::v5::mqttbytes::v5::{Connect, Login, Packet};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(60);

/// A test anew in a process with these variables, whose settings both sessions take there.
fn process_with(test: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env("AIO_MQTT_CLIENT_ID", "application")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

fn is_that_process() -> bool {
    std::env::var_os("AIO_MQTT_CLIENT_ID").is_some()
}

/// Ours by the environment. A broker has room for one client of a name only.
fn ours() -> MqttOptions {
    let mut options = MqttOptions::from_environment().unwrap();
    options.client_id.push_str("-ours");
    options
}

/// Microsoft's by the environment.
fn theirs() -> MqttConnectionSettingsBuilder {
    let settings = MqttConnectionSettingsBuilder::from_environment().unwrap();
    settings.client_id("application-theirs")
}

/// Authorities, and certificates for both sides, as files in a folder.
fn certificates(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // OpenSSL takes a certificate for self-signed whose issuer has the same name.
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    for name in ["localhost", "client"] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[tokio::test]
async fn both_show_a_client_certificate_to_mosquitto_by_the_same_variables() {
    if is_that_process() {
        let topic = "ns/ops/{asset}";
        let (client, _) = session_with(theirs().build().unwrap());
        let mut executor = executor(client, topic);
        tokio::spawn(async move {
            while let Some(request) = executor.recv().await {
                let answered = request.unwrap().complete(answer("{}", Vec::new()));
                answered.await.unwrap();
            }
        });
        let session = MqttSession::connect(ours()).await.unwrap();
        session.connected(SOON).await.unwrap();
        let mut options = InvokerOptions::new(topic);
        options.timeout = Duration::from_secs(2);
        let invoker = Invoker::start(Arc::new(session), options).await.unwrap();
        // Microsoft's executor subscribes when it pleases.
        let answered = async {
            loop {
                if let Ok(answer) = invoker.invoke("ns/ops/cam1", "{}").await {
                    return answer;
                }
            }
        };
        assert_eq!(timeout(SOON, answered).await.unwrap().payload, "{}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let settings = format!(
        "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true",
        file("authority.pem"),
        file("localhost.pem"),
        file("localhost.key"),
    );
    let Some(broker) = Broker::start_with(&settings) else {
        return;
    };
    let test = "both_show_a_client_certificate_to_mosquitto_by_the_same_variables";
    let process = process_with(
        test,
        &[
            ("AIO_BROKER_HOSTNAME", "localhost"),
            ("AIO_BROKER_TCP_PORT", &broker.port.to_string()),
            ("AIO_MQTT_USE_TLS", "true"),
            ("AIO_TLS_CA_FILE", &file("authority.pem")),
            ("AIO_TLS_CERT_FILE", &file("client.pem")),
            ("AIO_TLS_KEY_FILE", &file("client.key")),
        ],
    )
    .output();
    let output = process.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

/// Starts both sessions, in the process that has the variables, until it is ended.
async fn connect_both() {
    let _theirs = session_with(theirs().build().unwrap());
    let _ours = MqttSession::connect(ours()).await.unwrap();
    std::future::pending().await
}

async fn connect_packet(listener: &TcpListener) -> (Connect, Option<Login>, TcpStream) {
    let (mut stream, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
    let mut buffer = BytesMut::new();
    loop {
        match Packet::read(&mut buffer, None) {
            Ok(Packet::Connect(connect, _, login)) => return (connect, login, stream),
            Ok(other) => panic!("{other:?} is no CONNECT"),
            Err(_) => {
                let read = timeout(SOON, stream.read_buf(&mut buffer)).await;
                assert_ne!(read.unwrap().unwrap(), 0, "CONNECT is complete");
            }
        }
    }
}

/// What both send first with these variables: ours, and theirs.
async fn first_packets(test: &str, variables: &[(&str, &str)]) -> [(Connect, Option<Login>); 2] {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let address = [
        ("AIO_BROKER_HOSTNAME", "127.0.0.1"),
        ("AIO_BROKER_TCP_PORT", &*port),
        ("AIO_MQTT_USE_TLS", "false"),
    ];
    let _process = process_with(test, &[&address, variables].concat())
        .spawn()
        .unwrap();
    // Held, so that neither tries again.
    let mut packets = Vec::new();
    for _ in 0..2 {
        packets.push(connect_packet(&listener).await);
    }
    packets.sort_by(|one, other| one.0.client_id.cmp(&other.0.client_id));
    let packets: Vec<_> = packets
        .into_iter()
        .map(|(connect, login, _)| (connect, login))
        .collect();
    assert_eq!(packets[0].0.client_id, "application-ours");
    assert_eq!(packets[1].0.client_id, "application-theirs");
    packets.try_into().unwrap()
}

#[tokio::test]
async fn both_show_a_service_account_token_in_the_same_way() {
    if is_that_process() {
        return connect_both().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "a.token.of-the-cluster").unwrap();
    let [ours, theirs] = first_packets(
        "both_show_a_service_account_token_in_the_same_way",
        &[
            ("AIO_SAT_FILE", token.to_str().unwrap()),
            ("AIO_MQTT_KEEP_ALIVE", "17"),
            ("AIO_MQTT_SESSION_EXPIRY", "1234"),
        ],
    )
    .await;
    for (connect, login) in [&ours, &theirs] {
        assert_eq!(*login, None);
        assert_eq!(connect.keep_alive, 17);
        assert!(!connect.clean_start);
        let properties = connect.properties.as_ref().unwrap();
        assert_eq!(properties.authentication_method.as_deref(), Some("K8S-SAT"));
        let data = properties.authentication_data.as_deref();
        assert_eq!(data, Some(&b"a.token.of-the-cluster"[..]));
        assert_eq!(properties.session_expiry_interval, Some(1234));
    }
}

#[tokio::test]
async fn both_log_in_by_user_name_and_password_file_in_the_same_way() {
    if is_that_process() {
        return connect_both().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "pa55word").unwrap();
    let [ours, theirs] = first_packets(
        "both_log_in_by_user_name_and_password_file_in_the_same_way",
        &[
            ("AIO_MQTT_USERNAME", "admin"),
            ("AIO_MQTT_PASSWORD_FILE", password.to_str().unwrap()),
        ],
    )
    .await;
    assert_eq!(ours.1, Some(Login::new("admin", "pa55word")));
    assert_eq!(ours.1, theirs.1);
    assert_eq!(ours.0.keep_alive, theirs.0.keep_alive);
    let expiry = |connect: &Connect| connect.properties.as_ref().unwrap().session_expiry_interval;
    assert_eq!(expiry(&ours.0), expiry(&theirs.0));
}
