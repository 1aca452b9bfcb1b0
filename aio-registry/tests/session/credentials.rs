//! How a client shows who it is: tokens, certificates, and that they are renewed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::{ClientCertificate, Error, Mqtt, MqttSession, Publish, Qos, Secret, TlsRoots};
use futures::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use url::Url;

use super::scripted::{Accept, Broker, Peer};
use super::{SOON, options, published, soon};

fn token(peer: &Peer) -> (Option<String>, Vec<u8>) {
    let properties = peer.connect.properties.clone().unwrap();
    let data = properties.authentication_data.unwrap_or_default();
    (properties.authentication_method, data.to_vec())
}

#[tokio::test(start_paused = true)]
async fn comes_back_with_a_new_token_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let (broker, dial) = Broker::memory();
    let mut options = options(broker.port);
    options.token_file = Some(file.clone());
    assert!(!format!("{options:?}").contains("first"));
    let session = MqttSession::connect_over(options, dial).await.unwrap();
    let mut peer = broker.accept(Accept::default()).await;
    assert_eq!(token(&peer), (Some("K8S-SAT".into()), b"first".to_vec()));
    let subscribing = session.subscribe("in", Qos::AtLeastOnce);
    let (subscription, _) = tokio::join!(subscribing, peer.suback());
    let mut subscription = subscription.unwrap();
    let publishing = tokio::spawn({
        let session = session.clone();
        async move { session.publish(Publish::new("out", "1")).await }
    });
    assert!(!published(&mut peer).await.dup);

    // As Kubernetes does it: another file takes its place.
    let next = folder.path().join("next");
    std::fs::write(&next, "second").unwrap();
    std::fs::rename(&next, &file).unwrap();
    assert!(peer.read().await.is_none(), "it says goodbye");
    let mut peer = broker
        .accept(Accept {
            session_present: true,
            ..Accept::default()
        })
        .await;
    assert_eq!(token(&peer), (Some("K8S-SAT".into()), b"second".to_vec()));
    assert!(!peer.connect.clean_start);
    let again = published(&mut peer).await;
    assert!(again.dup);
    peer.puback(again.pkid, PubAckReason::Success).await;
    publishing.await.unwrap().unwrap();
    peer.publish("in", "x", 1).await;
    assert_eq!(subscription.next().await.unwrap().payload, "x");
    drop(subscription);

    // A token that is away for a moment is no reason to go.
    std::fs::remove_file(&file).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let answer = async {
        loop {
            if let Some(rumqttc::v5::mqttbytes::v5::Packet::Publish(publish)) = peer.read().await {
                peer.puback(publish.pkid, PubAckReason::Success).await;
                return;
            }
        }
    };
    let (sent, ()) = tokio::join!(session.publish(Publish::new("out", "2")), answer);
    sent.unwrap();
}

#[tokio::test]
async fn refuses_credentials_that_contradict_each_other_or_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let with_token = || {
        let mut options = options(1);
        options.token_file = Some(file.clone());
        options
    };
    let missing = MqttSession::connect(with_token()).await;
    assert!(matches!(missing, Err(Error::Storage { .. })));
    std::fs::write(&file, "").unwrap();
    let empty = MqttSession::connect(with_token()).await;
    assert!(matches!(empty, Err(Error::Invalid { .. })));
    std::fs::write(&file, "token").unwrap();
    let mut both = with_token();
    both.username = Some(Secret::from("user"));
    let both = MqttSession::connect(both).await;
    assert!(matches!(both, Err(Error::Invalid { what, .. }) if what == "token_file"));
    let mut plain = options(1);
    plain.client_certificate = Some(ClientCertificate {
        certificate_file: file.clone(),
        key_file: file.clone(),
    });
    let plain = MqttSession::connect(plain).await;
    assert!(matches!(plain, Err(Error::Invalid { what, .. }) if what == "client_certificate"));
    let mut will = options(1);
    will.will = Some(Publish::new("a/#", "x"));
    let will = MqttSession::connect(will).await;
    assert!(matches!(will, Err(Error::Invalid { what, .. }) if what == "will"));
}

#[tokio::test]
async fn leaves_a_will_and_user_properties() {
    let broker = Broker::bind().await;
    let mut options = options(broker.port);
    let mut will = Publish::new("gone", "client");
    will.retain = true;
    will.properties.content_type = Some("text/plain".into());
    options.will = Some(will);
    options.user_properties = vec![("metriccategory".into(), "mine".into())];
    let _session = MqttSession::connect(options).await.unwrap();
    let peer = soon(broker.accept(Accept::default())).await;
    let will = peer.will.as_ref().unwrap();
    assert_eq!(
        (&will.topic[..], &will.message[..]),
        (&b"gone"[..], &b"client"[..])
    );
    assert!(will.retain);
    let content_type = will.properties.clone().unwrap().content_type;
    assert_eq!(content_type.as_deref(), Some("text/plain"));
    let properties = peer.connect.properties.clone().unwrap();
    assert_eq!(
        properties.user_properties,
        [("metriccategory".into(), "mine".into())]
    );
}

struct Authority<'a>(CertifiedIssuer<'a, KeyPair>);

impl Authority<'_> {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes certificate and key of a name.
    fn issue(&self, folder: &Path, name: &str) -> ClientCertificate {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let certificate_file = folder.join(format!("{name}.pem"));
        let key_file = folder.join(format!("{name}.key"));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        ClientCertificate {
            certificate_file,
            key_file,
        }
    }
}

fn acceptor(authority: &Authority<'_>, own: &ClientCertificate) -> tokio_rustls::TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let chain = CertificateDer::pem_file_iter(&own.certificate_file).unwrap();
    let key = PrivateKeyDer::from_pem_file(&own.key_file).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain.collect::<Result<_, _>>().unwrap(), key)
        .unwrap();
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn shows_a_certificate_and_trusts_the_authorities_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = authority.issue(folder.path(), "localhost");
    let client = authority.issue(folder.path(), "client");
    let bundle = folder.path().join("bundle");
    std::fs::create_dir(&bundle).unwrap();
    std::fs::write(bundle.join("authority.pem"), authority.0.pem()).unwrap();
    std::fs::write(bundle.join("..data"), "not a certificate").unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut options = options(port);
    options.broker = Url::parse(&format!("mqtts://localhost:{port}")).unwrap();
    options.tls_roots = TlsRoots::File(bundle);
    options.client_certificate = Some(client.clone());
    let _session = MqttSession::connect(options).await.unwrap();
    let (stream, _) = soon(listener.accept()).await.unwrap();
    let mut tls = soon(acceptor(&authority, &server).accept(stream))
        .await
        .unwrap();
    let shown = tls.get_ref().1.peer_certificates().unwrap()[0].clone();
    let expected = CertificateDer::from_pem_file(&client.certificate_file).unwrap();
    assert_eq!(shown, expected);
    assert_eq!(soon(tls.read_u8()).await.unwrap(), 0x10, "CONNECT follows");
}

#[tokio::test]
async fn says_which_file_of_a_certificate_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let client = authority.issue(folder.path(), "client");
    let roots = folder.path().join("authority.pem");
    std::fs::write(&roots, authority.0.pem()).unwrap();
    let mut options = options(1);
    options.broker = Url::parse("mqtts://localhost:1").unwrap();
    options.tls_roots = TlsRoots::File(roots);
    for bad in [&client.key_file, &client.certificate_file] {
        let good = std::fs::read(bad).unwrap();
        std::fs::write(bad, "nothing").unwrap();
        options.client_certificate = Some(client.clone());
        let error = MqttSession::connect(options.clone()).await.unwrap_err();
        assert!(error.to_string().contains(bad.to_str().unwrap()), "{error}");
        std::fs::write(bad, good).unwrap();
    }
    let session = MqttSession::connect(options).await.unwrap();
    session.disconnect(SOON).await;
}
