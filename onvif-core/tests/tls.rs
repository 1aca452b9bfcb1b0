//! Cameras with HTTPS: which certificates are believed, and whose.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use onvif_core::{
    Camera, CameraBuilder, CertificateProblem, ClientCertificate, Credentials, Error, PinStore,
    SpkiPin, TlsPolicy, TransportError,
};
use rcgen::{CertificateParams, KeyPair};
use virtual_camera::{Certificate, VirtualCamera};

async fn start(certificate: Certificate) -> VirtualCamera {
    let builder = VirtualCamera::builder().credentials("admin", "secret");
    builder.https(certificate).start().await.unwrap()
}

fn client(target: &VirtualCamera) -> CameraBuilder {
    Camera::builder(target.device_url()).credentials(Credentials::new("admin", "secret"))
}

fn trusting(target: &VirtualCamera) -> CameraBuilder {
    client(target).extra_roots(target.certificate_pem().unwrap())
}

async fn works(builder: CameraBuilder) {
    let camera = builder.connect().await.unwrap();
    camera.device().information().await.unwrap();
    let snapshot = camera.media().snapshot(&"main".into()).await.unwrap();
    assert_eq!(snapshot.content_type, "image/jpeg");
}

async fn problem(builder: CameraBuilder) -> CertificateProblem {
    match builder.connect().await {
        Err(error @ Error::Network { .. }) => {
            assert!(!error.is_transient(), "{error}");
            match error {
                Error::Network {
                    source: TransportError::Certificate(problem),
                    ..
                } => problem,
                error => panic!("{error}"),
            }
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the certificate was accepted"),
    }
}

#[tokio::test]
async fn a_certificate_that_a_camera_made_itself_needs_the_trust_list() {
    let target = start(Certificate::SelfSigned).await;
    assert_eq!(
        problem(client(&target)).await,
        CertificateProblem::UnknownIssuer
    );
    assert_eq!(target.observed().operations.len(), 0);
    works(trusting(&target)).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let expired = start(Certificate::Expired).await;
    assert_eq!(
        problem(trusting(&expired)).await,
        CertificateProblem::Expired
    );
    let other = start(Certificate::OtherHost).await;
    assert_eq!(
        problem(trusting(&other)).await,
        CertificateProblem::OtherHost
    );
}

#[tokio::test]
async fn a_wrong_name_or_anything_is_accepted_on_demand_only() {
    let other = start(Certificate::OtherHost).await;
    works(trusting(&other).tls(TlsPolicy::AcceptInvalidHostnames)).await;
    assert_eq!(
        problem(client(&other).tls(TlsPolicy::AcceptInvalidHostnames)).await,
        CertificateProblem::UnknownIssuer
    );
    let expired = start(Certificate::Expired).await;
    works(client(&expired).tls(TlsPolicy::AcceptInvalidCertificates)).await;
}

#[tokio::test]
async fn a_pinned_key_is_enough_and_another_is_not() {
    let target = start(Certificate::Expired).await;
    let stranger = SpkiPin::new([7; 32]);
    let CertificateProblem::Changed { seen } =
        problem(client(&target).tls(TlsPolicy::Pinned(stranger))).await
    else {
        panic!("another problem");
    };
    works(client(&target).tls(TlsPolicy::Pinned(seen))).await;
}

#[tokio::test]
async fn the_first_key_is_trusted_given_back_and_no_other_accepted_later() {
    let target = start(Certificate::SelfSigned).await;
    let camera = client(&target)
        .tls(TlsPolicy::TrustOnFirstUse)
        .connect()
        .await
        .unwrap();
    let port = target.device_url().port().unwrap();
    let authority = format!("127.0.0.1:{port}");
    let pin = camera.pins().get(&authority).unwrap();
    works(client(&target).tls(TlsPolicy::Pinned(pin))).await;

    // Stored, and read back after a restart of the program.
    let pins = PinStore::default();
    pins.insert(&authority, pin.to_string().parse().unwrap());
    let client_with = |target: &VirtualCamera| {
        client(target)
            .tls(TlsPolicy::TrustOnFirstUse)
            .pins(pins.clone())
    };
    works(client_with(&target)).await;
    drop(camera);
    target.stop().await;

    let builder = VirtualCamera::builder().credentials("admin", "secret");
    let builder = builder.http_port(port).https(Certificate::SelfSigned);
    let impostor = builder.start().await.unwrap();
    assert!(matches!(
        problem(client_with(&impostor)).await,
        CertificateProblem::Changed { seen } if seen != pin
    ));
    assert_eq!(impostor.observed().requests_with_credentials, 0);
}

#[tokio::test]
async fn a_camera_that_asks_for_a_certificate_gets_the_clients() {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["client".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .https(Certificate::SelfSigned)
        .client_roots(certificate.pem())
        .start()
        .await
        .unwrap();
    let error = trusting(&target).connect().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Network {
                source: TransportError::Tls(_) | TransportError::Closed(_),
                ..
            }
        ),
        "{error}"
    );
    let (chain, secret) = (certificate.pem(), key.serialize_pem());
    let shown = ClientCertificate::from_pem(chain.as_bytes(), secret.as_bytes()).unwrap();
    assert!(!format!("{shown:?}").contains("PRIVATE"));
    works(trusting(&target).client_certificate(shown)).await;
    assert!(ClientCertificate::from_pem(b"", secret.as_bytes()).is_err());
    assert!(ClientCertificate::from_pem(chain.as_bytes(), b"").is_err());
}
