//! Schemas put and got over a broker in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use aio_registry::mrpc::{Invoker, InvokerOptions};
use aio_registry::schema_registry::{
    SchemaFormat, SchemaRegistryClient, SchemaRegistryOptions, SchemaRegistryService, SchemaSpec,
};
use aio_registry::{Error, MemoryBroker};
use serde_json::{Value, json};

async fn service(broker: &MemoryBroker, folder: &Path) -> SchemaRegistryService {
    let options = SchemaRegistryOptions::new(folder);
    SchemaRegistryService::start(Arc::new(broker.client("schemas")), options)
        .await
        .unwrap()
}

async fn client(broker: &MemoryBroker) -> SchemaRegistryClient {
    SchemaRegistryClient::start(Arc::new(broker.client("c-0")))
        .await
        .unwrap()
}

fn spec(content: &str) -> SchemaSpec {
    SchemaSpec::message(SchemaFormat::JsonSchemaDraft07, content)
}

#[tokio::test]
async fn a_schema_is_given_back_under_its_name_also_by_a_later_service() {
    let (broker, folder) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let first = service(&broker, folder.path()).await;
    let client = client(&broker).await;
    let mut described = spec(r#"{"type":"object"}"#);
    described.display_name = Some("Motion".into());
    described.tags.insert("a".into(), "b".into());
    let put = client.put(&described).await.unwrap();
    assert_eq!(put.spec, described);
    assert_eq!(put.reference().schema_registry_namespace, "schemas");
    assert_eq!(client.put(&described).await.unwrap(), put);
    let other = client.put(&spec(r#"{"type":"string"}"#)).await.unwrap();
    assert_ne!(other.name, put.name);

    first.close().await.unwrap();
    let _second = service(&broker, folder.path()).await;
    assert_eq!(client.get(&put.name, "1").await.unwrap(), Some(put.clone()));
    assert_eq!(client.get(&put.name, "2").await.unwrap(), None);
    assert_eq!(client.get("nobody", "1").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_no_schema_is_refused_with_the_property() {
    let (broker, folder) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let _service = service(&broker, folder.path()).await;
    let pattern = "adr/dtmi:ms:adr:SchemaRegistry;2/{command}";
    let invoker = Invoker::start(Arc::new(broker.client("c-0")), InvokerOptions::new(pattern))
        .await
        .unwrap();
    let good = json!({"format": "Delta/1.0", "schemaType": "MessageSchema", "schemaContent": "{}", "version": "1"});
    let with = |field: &str, value: &str| {
        let mut spec = good.clone();
        spec[field] = json!(value);
        spec
    };
    for (method, body, target) in [
        ("put", with("format", "Xml"), "Format"),
        ("put", with("schemaType", "Other"), "SchemaType"),
        ("put", with("schemaContent", "nonsense"), "SchemaContent"),
        ("put", with("version", "../1"), "Version"),
        ("get", json!({"name": "../../etc", "version": "1"}), "Name"),
        ("get", json!({"name": "a", "version": "/1"}), "Version"),
    ] {
        let topic = format!("adr/dtmi:ms:adr:SchemaRegistry;2/{method}");
        let answer = invoker.invoke(&topic, body.to_string()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        let error = &answer["error"];
        assert_eq!(
            (&error["code"], &error["target"]),
            (&json!(400), &json!(target))
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_is_full_takes_no_more() {
    let (broker, folder) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let mut options = SchemaRegistryOptions::new(folder.path());
    options.max_schemas = 1;
    let _service = SchemaRegistryService::start(Arc::new(broker.client("schemas")), options)
        .await
        .unwrap();
    let client = client(&broker).await;
    let first = client.put(&spec("{}")).await.unwrap();
    let refused = client.put(&spec(r#"{"type":"string"}"#)).await.unwrap_err();
    assert!(matches!(refused, Error::Service { code, .. } if code == "500"));
    assert_eq!(client.put(&spec("{}")).await.unwrap(), first);
}
