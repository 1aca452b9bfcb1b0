//! Microsoft's schema registry client before our service, over the shared subscriptions of Mosquitto.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::schema_registry::{
    SchemaRegistryClient, SchemaRegistryOptions, SchemaRegistryService,
};
use aio_registry::{MqttOptions, MqttSession};
use aio_sdk::Broker;
use azure_iot_operations_protocol::application::ApplicationContextBuilder;
use azure_iot_operations_protocol::common::aio_protocol_error::AIOProtocolErrorKind as Kind;
use azure_iot_operations_services::schema_registry::{
    Client, Error, ErrorCode, ErrorKind, ErrorTarget, Format, GetSchemaRequestBuilder,
    PutSchemaRequest, PutSchemaRequestBuilder, Schema, SchemaType, ServiceError,
};

const SOON: Duration = Duration::from_secs(60);
const CONTENT: &str = r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}"#;

async fn ours(broker: &Broker, client_id: &str) -> Arc<MqttSession> {
    let url = format!("mqtt://127.0.0.1:{}", broker.port).parse().unwrap();
    let session = MqttSession::connect(MqttOptions::new(url, client_id))
        .await
        .unwrap();
    session.connected(SOON).await.unwrap();
    Arc::new(session)
}

async fn serve(broker: &Broker, client_id: &str, folder: &Path) -> SchemaRegistryService {
    let options = SchemaRegistryOptions::new(folder);
    SchemaRegistryService::start(ours(broker, client_id).await, options)
        .await
        .unwrap()
}

fn client(broker: &Broker) -> Client {
    let context = ApplicationContextBuilder::default().build().unwrap();
    Client::new(context, &aio_sdk::session(broker.port, "connector-0"))
}

fn request(content: &str) -> PutSchemaRequest {
    let mut request = PutSchemaRequestBuilder::default();
    request
        .format(Format::JsonSchemaDraft07)
        .schema_content(content)
        .build()
        .unwrap()
}

async fn get(theirs: &Client, name: &str, version: &str) -> Result<Schema, Error> {
    let mut request = GetSchemaRequestBuilder::default();
    let request = request.name(name).version(version).build().unwrap();
    theirs.get(request, SOON).await
}

fn service_error(error: Error) -> ServiceError {
    match error.kind() {
        ErrorKind::ServiceError(error) => error.clone(),
        other => panic!("no error of the service: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_microsofts_client_puts_is_given_back_with_every_field() {
    let (Some(broker), folder) = (Broker::start(), tempfile::tempdir().unwrap()) else {
        return;
    };
    let _service = serve(&broker, "schemas", folder.path()).await;
    let theirs = client(&broker);
    let request = PutSchemaRequest {
        description: Some("of motion".into()),
        display_name: Some("Motion".into()),
        format: Format::JsonSchemaDraft07,
        schema_content: CONTENT.into(),
        schema_type: SchemaType::MessageSchema,
        tags: HashMap::from([("a".into(), "b".into())]),
        version: "3".into(),
    };
    let put = theirs.put(request, SOON).await.unwrap();
    let Schema {
        description,
        display_name,
        format,
        hash,
        name,
        namespace,
        schema_content,
        schema_type,
        tags,
        version,
    } = put.clone();
    assert_eq!(description.as_deref(), Some("of motion"));
    assert_eq!(display_name.as_deref(), Some("Motion"));
    assert_eq!(format, Format::JsonSchemaDraft07);
    assert_eq!(hash.unwrap().len(), 64);
    assert_eq!(namespace, "schemas");
    assert_eq!(schema_content, CONTENT);
    assert_eq!(schema_type, SchemaType::MessageSchema);
    assert_eq!(tags, HashMap::from([("a".to_owned(), "b".to_owned())]));
    assert_eq!(version, "3");
    assert_eq!(get(&theirs, &name, "3").await.unwrap(), put);

    // Another version of it, in another language.
    let first = theirs.put(self::request(CONTENT), SOON).await.unwrap();
    assert_eq!((&first.name, first.version.as_str()), (&name, "1"));
    assert!(first.tags.is_empty());
    let delta = PutSchemaRequest {
        format: Format::Delta1,
        ..self::request(r#"{"type":"struct","fields":[]}"#)
    };
    let delta = theirs.put(delta, SOON).await.unwrap();
    assert_eq!(delta.format, Format::Delta1);
    assert_ne!(delta.name, name);

    // And ours reads what theirs wrote.
    let client = SchemaRegistryClient::start(ours(&broker, "reader").await);
    let found = client
        .await
        .unwrap()
        .get(&name, "3")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.spec.display_name.as_deref(), Some("Motion"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_or_no_schema_is_an_error_that_microsofts_client_reads() {
    let (Some(broker), folder) = (Broker::start(), tempfile::tempdir().unwrap()) else {
        return;
    };
    let _service = serve(&broker, "schemas", folder.path()).await;
    let theirs = client(&broker);
    let put = theirs.put(request(CONTENT), SOON).await.unwrap();
    for (name, version) in [("nobody", "1"), (put.name.as_str(), "2")] {
        let missing = service_error(get(&theirs, name, version).await.unwrap_err());
        assert!(matches!(missing.code, ErrorCode::NotFound), "{missing:?}");
        assert!(missing.message.contains(name), "{missing}");
        assert!(missing.target.is_none() && missing.details.is_none());
    }
    let bad_name = service_error(get(&theirs, "../etc", "1").await.unwrap_err());
    assert!(matches!(bad_name.code, ErrorCode::BadRequest));
    assert!(matches!(bad_name.target, Some(ErrorTarget::NameProperty)));
    let bad_version = service_error(get(&theirs, "a", "x").await.unwrap_err());
    assert!(matches!(
        bad_version.target,
        Some(ErrorTarget::VersionProperty)
    ));
    for content in ["nonsense", "[1]", "{"] {
        let refused = theirs.put(request(content), SOON).await.unwrap_err();
        let refused = service_error(refused);
        assert!(matches!(refused.code, ErrorCode::BadRequest), "{content}");
        let target = refused.target;
        assert!(
            matches!(target, Some(ErrorTarget::SchemaContentProperty)),
            "{content}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_services_share_the_requests_of_microsofts_client() {
    let (Some(broker), folder) = (Broker::start(), tempfile::tempdir().unwrap()) else {
        return;
    };
    let first = serve(&broker, "schemas-0", folder.path()).await;
    let _second = serve(&broker, "schemas-1", folder.path()).await;
    // Each request is answered by one of them: an invoker tells by whom.
    let pattern = "adr/dtmi:ms:adr:SchemaRegistry;2/{command}";
    let raw = aio_sdk::invoker(aio_sdk::session(broker.port, "raw"), pattern);
    let body = r#"{"name":"nobody","version":"1"}"#;
    let mut answered = HashSet::new();
    for _ in 0..20 {
        let request = aio_sdk::request(body, &[("command", "get")], SOON);
        answered.insert(raw.invoke(request).await.unwrap().executor_id);
    }
    assert_eq!(answered.len(), 2, "{answered:?}");

    // One goes, and the other answers everything.
    first.close().await.unwrap();
    let theirs = client(&broker);
    let put = theirs.put(request(CONTENT), SOON).await.unwrap();
    for _ in 0..5 {
        assert_eq!(get(&theirs, &put.name, "1").await.unwrap(), put);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_none_is_an_invalid_payload_to_microsofts_invoker() {
    let (Some(broker), folder) = (Broker::start(), tempfile::tempdir().unwrap()) else {
        return;
    };
    let _service = serve(&broker, "schemas", folder.path()).await;
    let pattern = "adr/dtmi:ms:adr:SchemaRegistry;2/{command}";
    let raw = aio_sdk::invoker(aio_sdk::session(broker.port, "raw"), pattern);
    for (command, body) in [("put", "{}"), ("get", "nonsense"), ("get", r#"{"name":7}"#)] {
        let request = aio_sdk::request(body, &[("command", command)], SOON);
        let error = raw.invoke(request).await.unwrap_err();
        assert_eq!(
            error.kind,
            Kind::PayloadInvalid,
            "{command} {body}: {error}"
        );
    }
}
