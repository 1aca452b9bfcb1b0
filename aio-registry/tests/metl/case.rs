//! The format of the vectors. A key that is not known is an error, so that nothing is left unchecked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A case, once the defaults of its folder are filled in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    #[serde(rename = "test-name")]
    _test_name: String,
    #[serde(rename = "description")]
    _description: Value,
    #[serde(rename = "aka", default)]
    _aka: Value,
    #[serde(default)]
    pub requires: Vec<String>,
    pub prologue: Prologue,
    #[serde(default)]
    pub actions: Vec<Action>,
    #[serde(default)]
    pub epilogue: Epilogue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Prologue {
    #[serde(default)]
    pub mqtt_config: MqttConfig,
    #[serde(default)]
    pub push_acks: PushAcks,
    #[serde(default)]
    pub executors: Vec<Executor>,
    #[serde(default)]
    pub invokers: Vec<Invoker>,
    #[serde(default)]
    pub receivers: Vec<Receiver>,
    #[serde(default)]
    pub senders: Vec<Sender>,
    pub catch: Option<Catch>,
    #[serde(default)]
    pub countdown_events: BTreeMap<String, i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MqttConfig {
    pub client_id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PushAcks {
    #[serde(default)]
    pub publish: Vec<AckKind>,
    #[serde(default)]
    pub subscribe: Vec<AckKind>,
    #[serde(default)]
    pub unsubscribe: Vec<AckKind>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum AckKind {
    Success,
    Fail,
    Drop,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Serializer {
    pub out_content_type: Option<String>,
    pub accept_content_types: Option<Vec<String>>,
    pub indicate_character_data: Option<bool>,
    pub allow_character_data: Option<bool>,
    #[serde(default)]
    pub fail_deserialization: bool,
}

impl Serializer {
    /// Whether the application's serializer refuses what is marked as text.
    pub fn refuses_text(&self) -> bool {
        self.allow_character_data == Some(false)
    }

    /// The content types that are accepted. The empty one stands for none, which this crate always takes.
    pub fn accepted(&self) -> Vec<String> {
        let accepted = self.accept_content_types.iter().flatten();
        accepted.filter(|text| !text.is_empty()).cloned().collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Executor {
    pub command_name: Option<String>,
    #[serde(default)]
    pub serializer: Serializer,
    pub request_topic: Option<String>,
    /// An executor is found by its topic, whose tokens the map gives.
    #[serde(rename = "executor-id")]
    _executor_id: Option<String>,
    pub topic_namespace: Option<String>,
    #[serde(default)]
    pub topic_token_map: BTreeMap<String, String>,
    /// Each request is executed once, whether it is idempotent or not.
    #[serde(rename = "idempotent")]
    _idempotent: Option<bool>,
    /// Responses are repeated as long as the request may come again.
    #[serde(rename = "cache-ttl")]
    _cache_ttl: Option<Span>,
    pub execution_timeout: Option<Span>,
    #[serde(default)]
    pub request_responses_map: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub response_metadata: BTreeMap<String, Option<String>>,
    pub token_metadata_prefix: Option<String>,
    pub execution_concurrency: Option<usize>,
    #[serde(default)]
    pub raise_error: bool,
    #[serde(default)]
    pub sync: Vec<Sync>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sync {
    pub signal_event: Option<String>,
    pub wait_event: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Invoker {
    pub command_name: Option<String>,
    #[serde(default)]
    pub serializer: Serializer,
    pub request_topic: Option<String>,
    pub topic_namespace: Option<String>,
    pub response_topic_prefix: Option<String>,
    pub response_topic_suffix: Option<String>,
    #[serde(default)]
    pub topic_token_map: BTreeMap<String, String>,
    pub response_topic_pattern: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Receiver {
    #[serde(default)]
    pub serializer: Serializer,
    pub telemetry_topic: Option<String>,
    pub topic_namespace: Option<String>,
    #[serde(default)]
    pub topic_token_map: BTreeMap<String, String>,
    /// A receiver has no function that could fail: the reader of the stream drops what it cannot use.
    #[serde(rename = "raise-error")]
    _raise_error: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sender {
    pub telemetry_name: Option<String>,
    #[serde(default)]
    pub serializer: Serializer,
    pub telemetry_topic: Option<String>,
    pub topic_namespace: Option<String>,
    #[serde(default)]
    pub topic_token_map: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Catch {
    pub error_kind: String,
    pub is_shallow: Option<bool>,
    pub is_remote: Option<bool>,
    pub message: Option<String>,
    /// Null means that there is to be none.
    #[serde(default)]
    pub supplemental: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "action")]
pub enum Action {
    #[serde(rename = "receive request")]
    ReceiveRequest(Box<Receive>),
    #[serde(rename = "receive response")]
    ReceiveResponse(Box<Receive>),
    #[serde(rename = "receive telemetry")]
    ReceiveTelemetry(Box<Receive>),
    #[serde(rename = "await publish")]
    AwaitPublish(AwaitPublish),
    #[serde(rename = "await acknowledgement")]
    AwaitAcknowledgement(AwaitAcknowledgement),
    #[serde(rename = "invoke command")]
    InvokeCommand(InvokeCommand),
    #[serde(rename = "await invocation")]
    AwaitInvocation(AwaitInvocation),
    #[serde(rename = "send telemetry")]
    SendTelemetry(SendTelemetry),
    #[serde(rename = "await send")]
    AwaitSend(AwaitSend),
    #[serde(rename = "sync")]
    Sync(Sync),
    #[serde(rename = "sleep")]
    Sleep(Sleep),
    #[serde(rename = "disconnect")]
    Disconnect(Nothing),
    #[serde(rename = "freeze time")]
    FreezeTime(Nothing),
    #[serde(rename = "unfreeze time")]
    UnfreezeTime(Nothing),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A message that the class under test is to receive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Receive {
    pub topic: String,
    pub payload: Option<String>,
    /// Whether the payload is no text that the application's serializer wrote.
    #[serde(default)]
    pub bypass_serialization: bool,
    pub content_type: Option<String>,
    pub format_indicator: Option<u8>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    pub correlation_index: Option<i64>,
    pub correlation_id: Option<String>,
    pub qos: Option<u8>,
    pub message_expiry: Option<Span>,
    pub response_topic: Option<String>,
    pub source_index: Option<i64>,
    pub packet_index: Option<i64>,
    pub status: Option<String>,
    pub status_message: Option<String>,
    pub is_application_error: Option<String>,
    pub invalid_property_name: Option<String>,
    pub invalid_property_value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwaitPublish {
    pub correlation_index: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwaitAcknowledgement {
    pub packet_index: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InvokeCommand {
    pub invocation_index: i64,
    pub command_name: Option<String>,
    #[serde(default)]
    pub topic_token_map: BTreeMap<String, String>,
    pub timeout: Option<Span>,
    pub request_value: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwaitInvocation {
    pub invocation_index: i64,
    pub catch: Option<Catch>,
    #[serde(default, deserialize_with = "given")]
    pub response_value: Option<Option<String>>,
    #[serde(default)]
    pub metadata: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SendTelemetry {
    /// Senders have no name of their own.
    #[serde(rename = "telemetry-name")]
    _telemetry_name: Option<String>,
    #[serde(default)]
    pub topic_token_map: BTreeMap<String, String>,
    pub timeout: Option<Span>,
    pub telemetry_value: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    pub cloud_event: Option<OriginatingCloudEvent>,
    pub qos: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OriginatingCloudEvent {
    pub source: String,
    pub r#type: Option<String>,
    pub spec_version: Option<String>,
    pub id: Option<String>,
    pub time: Option<String>,
    pub subject: Option<String>,
    pub data_schema: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwaitSend {
    pub catch: Option<Catch>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sleep {
    pub duration: Span,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Epilogue {
    #[serde(default)]
    pub subscribed_topics: Vec<String>,
    pub publication_count: Option<usize>,
    #[serde(default)]
    pub published_messages: Vec<Published>,
    pub acknowledgement_count: Option<usize>,
    pub execution_count: Option<usize>,
    #[serde(default)]
    pub execution_counts: BTreeMap<usize, usize>,
    pub telemetry_count: Option<usize>,
    #[serde(default)]
    pub telemetry_counts: BTreeMap<usize, usize>,
    #[serde(default)]
    pub received_telemetries: Vec<Received>,
    pub catch: Option<Catch>,
}

/// A message that the class under test is to have published.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Published {
    #[serde(default, deserialize_with = "given")]
    pub correlation_index: Option<Option<i64>>,
    pub topic: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub payload: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub content_type: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub format_indicator: Option<Option<u8>>,
    #[serde(default)]
    pub metadata: BTreeMap<String, Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub command_status: Option<Option<u16>>,
    pub is_application_error: Option<bool>,
    pub source_id: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub expiry: Option<Option<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Received {
    #[serde(default, deserialize_with = "given")]
    pub telemetry_value: Option<Option<String>>,
    #[serde(default)]
    pub metadata: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub topic_tokens: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "given")]
    pub cloud_event: Option<Option<ReceivedCloudEvent>>,
    #[serde(default, deserialize_with = "given")]
    pub source_index: Option<Option<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReceivedCloudEvent {
    pub source: Option<String>,
    pub r#type: Option<String>,
    pub spec_version: Option<String>,
    pub id: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub time: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub data_content_type: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub subject: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub data_schema: Option<Option<String>>,
}

/// A duration in parts.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    #[serde(default)]
    hours: u64,
    #[serde(default)]
    minutes: u64,
    #[serde(default)]
    seconds: u64,
    #[serde(default)]
    milliseconds: u64,
    #[serde(default)]
    microseconds: u64,
}

impl Span {
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.hours * 3600 + self.minutes * 60 + self.seconds)
            + Duration::from_millis(self.milliseconds)
            + Duration::from_micros(self.microseconds)
    }
}

/// Tells a value of null from none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
