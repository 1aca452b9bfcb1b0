//! A connector on Microsoft's `BaseConnector`, as their sample is one: started with the environment and the mounts of a
//! connector's pod, it accepts what it is given, sends a message for every dataset, event and stream, and answers every action
//! with its request. Each notification that it gets is a line on its standard output: a JSON array of name, notification and
//! specification.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use azure_iot_operations_connector::base_connector::managed_azure_device_registry::{
    AssetClient, AssetComponentClient, Authentication, ClientNotification, DataOperationClient,
    DataOperationDefinition, DataOperationNotification, DeviceEndpointClient, InboundEndpoint,
    ManagementActionClient, ManagementActionNotification, RuntimeHealthEvent,
};
use azure_iot_operations_connector::base_connector::{
    BaseConnector, OptionsBuilder, adr_discovery,
};
use azure_iot_operations_connector::data_processor::derived_json;
use azure_iot_operations_connector::deployment_artifacts::azure_device_registry::DeviceEndpointRef;
use azure_iot_operations_connector::deployment_artifacts::connector::ConnectorArtifacts;
use azure_iot_operations_connector::management_action_executor::{
    ManagementActionApplicationError, ManagementActionExecutor, ManagementActionRequest,
    ManagementActionResponseBuilder,
};
use azure_iot_operations_connector::{
    AdrConfigError, Data, DataOperationName, MessageSchema, MessageSchemaBuilder,
    MessageSchemaReference,
};
use azure_iot_operations_protocol::application::ApplicationContextBuilder;
use azure_iot_operations_services::azure_device_registry::Details;
use azure_iot_operations_services::azure_device_registry::models::{
    DeviceRef, DiscoveredAsset, DiscoveredDevice, DiscoveredDeviceEndpoints, DiscoveredEvent,
    DiscoveredEventGroup, DiscoveredInboundEndpoint,
};
use azure_iot_operations_services::schema_registry::{Format, SchemaType};
use serde_json::{Value, json};

type Configured = Result<(), AdrConfigError>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let artifacts = ConnectorArtifacts::new_from_deployment()?;
    let options = OptionsBuilder::default()
        .filemount_debounce_duration(Duration::from_millis(200))
        .build()?;
    let context = ApplicationContextBuilder::default().build()?;
    let connector = BaseConnector::new(context, artifacts, options)?;
    let mut devices = connector.create_device_endpoint_client_create_observation()?;
    let discovery = connector.discovery_client();
    tokio::spawn(async move {
        if std::env::var_os("DISCOVER").is_some() {
            discover_device(&discovery).await;
        }
        loop {
            let device = devices.recv_notification().await;
            if std::env::var_os("DISCOVER").is_some() {
                discover_asset(&discovery, device.device_endpoint_ref()).await;
            }
            tokio::spawn(serve_device(device));
        }
    });
    connector.run().await?;
    Ok(())
}

fn say(name: &str, notification: &str, specification: Value) {
    println!("{}", json!([name, notification, specification]));
}

/// What is deleted in the meantime has no status any more.
fn note<T, E: std::fmt::Display>(name: &str, reported: Result<T, E>) {
    if let Err(error) = reported {
        eprintln!("{name}: a report is refused: {error}");
    }
}

/// Whether a status differs from the one that was reported last.
fn changed<'a>(
    new: &'a Configured,
) -> impl Fn(Option<Result<(), &AdrConfigError>>) -> Option<Configured> + 'a {
    |reported| (reported != Some(new.as_ref().copied())).then(|| new.clone())
}

async fn serve_device(mut device: DeviceEndpointClient) {
    let name = device.device_endpoint_ref().to_string();
    let mut reporter = device.get_status_reporter();
    let mut notification = "created";
    loop {
        let specification = device.specification();
        let endpoint = &specification.endpoints.inbound;
        say(
            &name,
            notification,
            json!({
                "address": endpoint.address,
                "attributes": specification.attributes,
                "credentials": credentials(endpoint),
                "endpointType": endpoint.endpoint_type,
                "configuration": endpoint.additional_configuration,
                "trustList": endpoint.trust_settings.as_ref().map(|settings| &settings.trust_list),
                "uuid": specification.uuid,
                "version": specification.version,
            }),
        );
        let reachable = reachable(endpoint);
        let reported = reporter
            .report_device_status_if_modified(changed(&Ok(())))
            .await;
        note(&name, reported);
        let reported = reporter
            .report_endpoint_status_if_modified(changed(&reachable))
            .await;
        note(&name, reported);
        reporter.report_health_event(match reachable {
            Ok(()) => RuntimeHealthEvent::Available,
            Err(error) => RuntimeHealthEvent::Unavailable {
                message: error.message,
                reason_code: Some("ConnectivityTestFailed".into()),
            },
        });
        notification = loop {
            match device.recv_notification().await {
                ClientNotification::Created(asset) => drop(tokio::spawn(serve_asset(asset))),
                ClientNotification::Updated => break "updated",
                ClientNotification::Deleted => return say(&name, "deleted", Value::Null),
            }
        };
        reporter.pause_and_refresh_health_version();
    }
}

fn credentials(endpoint: &InboundEndpoint) -> Value {
    match &endpoint.authentication {
        Authentication::Anonymous => Value::Null,
        Authentication::UsernamePassword {
            password_path,
            username_path,
        } => json!([username_path, password_path].map(|path| fs::read_to_string(path).ok())),
        Authentication::Certificate { .. } => json!("certificate"),
    }
}

fn reachable(endpoint: &InboundEndpoint) -> Configured {
    if endpoint.address.starts_with("http://") {
        return Ok(());
    }
    Err(AdrConfigError {
        code: Some("AddressNotSupported".into()),
        message: Some(format!("{} is no URL of HTTP", endpoint.address)),
        details: Some(vec![Details {
            code: Some("400.1".into()),
            correlation_id: Some("c-1".into()),
            info: Some("http is supported".into()),
            message: Some("the scheme is another".into()),
        }]),
    })
}

async fn serve_asset(mut asset: AssetClient) {
    let name = asset.asset_ref().name.clone();
    let reporter = asset.get_status_reporter();
    let mut notification = "created";
    loop {
        let specification = asset.specification();
        say(
            &name,
            notification,
            json!({
                "attributes": specification.attributes,
                "displayName": specification.display_name,
                "endpoint": specification.device_ref.endpoint_name,
                "manufacturer": specification.manufacturer,
                "uuid": specification.uuid,
                "version": specification.version,
            }),
        );
        let supported = match specification.manufacturer.as_deref() {
            Some("Contoso") | None => Ok(()),
            Some(other) => Err(AdrConfigError {
                code: Some("ManufacturerNotSupported".into()),
                message: Some(format!("{other} is not supported")),
                details: None,
            }),
        };
        let reported = reporter
            .report_status_if_modified(changed(&supported))
            .await;
        note(&name, reported);
        notification = loop {
            match asset.recv_notification().await {
                ClientNotification::Created(AssetComponentClient::DataOperation((
                    client,
                    configured,
                ))) => drop(tokio::spawn(serve_data(client, configured))),
                ClientNotification::Created(AssetComponentClient::ManagementAction((
                    client,
                    executor,
                ))) => drop(tokio::spawn(serve_action(client, executor))),
                ClientNotification::Created(_) => {}
                ClientNotification::Updated => break "updated",
                ClientNotification::Deleted => return say(&name, "deleted", Value::Null),
            }
        };
    }
}

async fn serve_data(mut client: DataOperationClient, mut configured: Configured) {
    let operation = client.data_operation_ref();
    let asset = &operation.asset_name;
    let name = match &operation.data_operation_name {
        DataOperationName::Dataset { name } => format!("{asset}/datasets/{name}"),
        DataOperationName::Event {
            name,
            event_group_name,
        } => format!("{asset}/events/{event_group_name}/{name}"),
        DataOperationName::Stream { name } => format!("{asset}/streams/{name}"),
    };
    let mut reporter = client.get_status_reporter();
    let mut notification = "created";
    loop {
        say(&name, notification, definition(client.definition()));
        let reported = reporter
            .report_status_if_modified(changed(&configured))
            .await;
        note(&name, reported);
        if configured.is_ok() {
            reporter.report_health_event(match send(&mut client).await {
                Ok(()) => RuntimeHealthEvent::Available,
                Err(error) => RuntimeHealthEvent::Unavailable {
                    message: Some(error.to_string()),
                    reason_code: Some("ForwardFailed".into()),
                },
            });
        }
        (notification, configured) = match client.recv_notification().await {
            DataOperationNotification::AssetUpdated(configured) => ("asset updated", configured),
            DataOperationNotification::Updated(configured) => ("updated", configured),
            DataOperationNotification::Deleted => return say(&name, "deleted", Value::Null),
        };
        reporter.pause_and_refresh_health_version();
    }
}

fn definition(definition: &DataOperationDefinition) -> Value {
    match definition {
        DataOperationDefinition::Dataset(dataset) => json!({
            "dataSource": dataset.data_source,
            "configuration": dataset.dataset_configuration,
            "dataPoints": dataset.data_points.iter().map(|point| &point.name).collect::<Vec<_>>(),
        }),
        DataOperationDefinition::Event(event) => json!({
            "dataSource": event.data_source,
            "configuration": event.event_configuration,
        }),
        DataOperationDefinition::Stream(stream) => {
            json!({"configuration": stream.stream_configuration})
        }
    }
}

/// Reports the schema of a message, where it has one, and sends it.
async fn send(client: &mut DataOperationClient) -> Result<(), Box<dyn std::error::Error>> {
    let (payload, content_type) = match client.definition() {
        DataOperationDefinition::Dataset(_) => (b"{\"temperature\":21.5}".to_vec(), JSON),
        DataOperationDefinition::Event(_) => (b"{\"IsMotion\":true}".to_vec(), JSON),
        DataOperationDefinition::Stream(_) => (vec![0xff, 0xd8, 0xff, 0xd9], "image/jpeg"),
    };
    let data = Data {
        payload,
        content_type: content_type.into(),
        custom_user_data: vec![("mine".into(), "x".into())],
        timestamp: None,
    };
    if content_type == JSON {
        let schema = derived_json::create_schema(&data)?;
        client
            .report_message_schema_if_modified(missing(&schema))
            .await?;
    }
    client.forward_data(data).await?;
    Ok(())
}

const JSON: &str = "application/json";

fn missing(
    schema: &MessageSchema,
) -> impl Fn(Option<&MessageSchemaReference>) -> Option<MessageSchema> + '_ {
    |reported| reported.is_none().then(|| schema.clone())
}

async fn serve_action(
    mut client: ManagementActionClient,
    executor: Result<ManagementActionExecutor, AdrConfigError>,
) {
    let action = client.management_action_ref();
    let name = format!(
        "{}/actions/{}/{}",
        action.asset_name, action.management_group_name, action.management_action_name
    );
    let mut reporter = client.get_status_reporter();
    let mut notification = "created";
    let (mut configured, mut executor) = taken(executor);
    loop {
        let definition = client.definition();
        say(
            &name,
            notification,
            json!({
                "configuration": definition.action_configuration,
                "targetUri": definition.target_uri,
                "timeout": definition.timeout_in_seconds,
                "topic": definition.topic,
                "type": format!("{:?}", definition.action_type),
            }),
        );
        let reported = reporter
            .report_status_if_modified(changed(&configured))
            .await;
        note(&name, reported);
        if configured.is_ok() {
            report_schemas(&mut client).await;
            reporter.report_health_event(RuntimeHealthEvent::Available);
        }
        let received = loop {
            tokio::select! {
                received = client.recv_notification() => break received,
                Some(request) = request(&mut executor) => answer(request).await,
            }
        };
        notification = match received {
            ManagementActionNotification::AssetUpdated(now) => {
                configured = now;
                "asset updated"
            }
            ManagementActionNotification::Updated(now) => {
                configured = now;
                "updated"
            }
            ManagementActionNotification::UpdatedWithNewExecutor(now) => {
                (configured, executor) = taken(now);
                "updated with new executor"
            }
            ManagementActionNotification::Deleted => return say(&name, "deleted", Value::Null),
        };
        reporter.pause_and_refresh_health_version();
    }
}

fn taken(
    executor: Result<ManagementActionExecutor, AdrConfigError>,
) -> (Configured, Option<ManagementActionExecutor>) {
    match executor {
        Ok(executor) => (Ok(()), Some(executor)),
        Err(error) => (Err(error), None),
    }
}

async fn report_schemas(client: &mut ManagementActionClient) {
    let schema = |title: &str| {
        MessageSchemaBuilder::default()
            .schema_content(json!({"type": "object", "title": title}).to_string())
            .format(Format::JsonSchemaDraft07)
            .schema_type(SchemaType::MessageSchema)
            .build()
            .expect("a schema with all it needs")
    };
    let requests = schema("request");
    let reported = client.report_request_message_schema_if_modified(missing(&requests));
    note("requests", reported.await);
    let responses = schema("response");
    let reported = client.report_response_message_schema_if_modified(missing(&responses));
    note("responses", reported.await);
}

async fn request(
    executor: &mut Option<ManagementActionExecutor>,
) -> Option<ManagementActionRequest> {
    executor.as_mut()?.recv_request().await
}

/// What was asked is the answer; what holds the word `fail` fails.
async fn answer(request: ManagementActionRequest) {
    let payload = request.raw_payload().to_vec();
    let mut response = ManagementActionResponseBuilder::default();
    if payload.windows(4).any(|word| word == b"fail") {
        response.application_error(ManagementActionApplicationError {
            application_error_code: "Failed".into(),
            application_error_payload: "{\"why\":\"asked to\"}".into(),
        });
    }
    let response = response
        .payload(payload)
        .content_type(JSON.into())
        .cloud_event(None)
        .build()
        .expect("a response with all it needs");
    if let Err(error) = request.complete(response).await {
        eprintln!("a response could not be sent: {error}");
    }
}

async fn discover_device(discovery: &adr_discovery::Client) {
    let endpoint = DiscoveredInboundEndpoint {
        additional_configuration: Some("{}".into()),
        address: "rtsp://10.0.0.5/stream1".into(),
        endpoint_type: "Microsoft.Media".into(),
        last_updated_on: None,
        supported_authentication_methods: vec!["UsernamePassword".into()],
        version: Some("1.0".into()),
    };
    let device = DiscoveredDevice {
        attributes: HashMap::from([("place".into(), "gate".into())]),
        endpoints: Some(DiscoveredDeviceEndpoints {
            inbound: HashMap::from([("profile-1".into(), endpoint)]),
            outbound: None,
        }),
        external_device_id: Some("urn:uuid:1".into()),
        manufacturer: Some("Contoso".into()),
        model: Some("C1".into()),
        operating_system: Some("Linux".into()),
        operating_system_version: Some("6".into()),
    };
    let found = discovery.create_or_update_discovered_device(
        "cam1-media".into(),
        device,
        "Microsoft.Media".into(),
    );
    say_found("cam1-media", found.await);
}

async fn discover_asset(discovery: &adr_discovery::Client, endpoint: &DeviceEndpointRef) {
    let event = DiscoveredEvent {
        data_source: Some("tns1:VideoSource/MotionAlarm".into()),
        destinations: Vec::new(),
        event_configuration: Some("{}".into()),
        last_updated_on: None,
        name: "motion".into(),
        type_ref: Some("motion-type".into()),
    };
    let asset = DiscoveredAsset {
        asset_type_refs: vec!["camera".into()],
        attributes: HashMap::from([("place".into(), "gate".into())]),
        datasets: Vec::new(),
        default_datasets_configuration: None,
        default_datasets_destinations: Vec::new(),
        default_events_configuration: Some("{}".into()),
        default_events_destinations: Vec::new(),
        default_management_groups_configuration: None,
        default_streams_configuration: None,
        default_streams_destinations: Vec::new(),
        description: Some("found".into()),
        device_ref: DeviceRef {
            device_name: endpoint.device_name.clone(),
            endpoint_name: endpoint.inbound_endpoint_name.clone(),
        },
        display_name: Some("Camera 1".into()),
        documentation_uri: None,
        event_groups: vec![DiscoveredEventGroup {
            data_source: Some("tns1:VideoSource".into()),
            default_destinations: Vec::new(),
            event_group_configuration: None,
            events: vec![event],
            name: "video-source".into(),
            type_ref: None,
        }],
        external_asset_id: None,
        hardware_revision: Some("2".into()),
        management_groups: Vec::new(),
        manufacturer: Some("Contoso".into()),
        manufacturer_uri: None,
        model: Some("C1".into()),
        product_code: None,
        serial_number: Some("0815".into()),
        software_revision: None,
        streams: Vec::new(),
    };
    let found = discovery.create_or_update_discovered_asset(
        endpoint.device_name.clone(),
        endpoint.inbound_endpoint_name.clone(),
        "cam1-found".into(),
        asset,
    );
    say_found("cam1-found", found.await);
}

fn say_found<E: std::fmt::Display>(name: &str, found: Result<(String, u64), E>) {
    match found {
        Ok((id, version)) => say(name, "discovered", json!({"id": id, "version": version})),
        Err(error) => say(name, "refused", json!(error.to_string())),
    }
}
