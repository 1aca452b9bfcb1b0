//! From a file and the defaults of its folder to a case.

use serde_json::{Map, Value};

use crate::case::{Action, Case};

impl Case {
    /// Reads a case; what it leaves out is taken from the defaults.
    pub fn read(text: &str, defaults: &Value) -> Result<Self, String> {
        // An unquoted y is a text.
        let options = serde_saphyr::options! { strict_booleans: true };
        let case = serde_saphyr::from_str_with_options(text, options);
        let mut case: Value = case.map_err(|error| error.to_string())?;
        for (list, name) in [
            ("executors", "executor"),
            ("invokers", "invoker"),
            ("receivers", "receiver"),
            ("senders", "sender"),
        ] {
            let prologue = case.get_mut("prologue");
            let elements = prologue.and_then(|prologue| prologue.get_mut(list));
            for element in elements.and_then(Value::as_array_mut).into_iter().flatten() {
                fill(element, &defaults["prologue"][name]);
            }
        }
        let actions = case.get_mut("actions").and_then(Value::as_array_mut);
        for action in actions.into_iter().flatten() {
            let name = action["action"].as_str().unwrap_or_default();
            let name = name.replace(' ', "-");
            fill(action, &defaults["actions"][name]);
        }
        let mut case: Self = serde_json::from_value(case).map_err(|error| error.to_string())?;
        if case.actions.iter().any(Action::is_unreadable) {
            let prologue = &mut case.prologue;
            let executors = prologue.executors.iter_mut().map(|one| &mut one.serializer);
            let invokers = prologue.invokers.iter_mut().map(|one| &mut one.serializer);
            let receivers = prologue.receivers.iter_mut().map(|one| &mut one.serializer);
            for serializer in executors.chain(invokers).chain(receivers) {
                serializer.fail_deserialization = true;
            }
        }
        Ok(case)
    }
}

impl Action {
    /// Whether it is a message that no serializer can read.
    fn is_unreadable(&self) -> bool {
        let (Self::ReceiveRequest(message)
        | Self::ReceiveResponse(message)
        | Self::ReceiveTelemetry(message)) = self
        else {
            return false;
        };
        let payload = message.payload.as_deref().unwrap_or_default();
        message.bypass_serialization && serde_json::from_str::<Value>(payload).is_err()
    }
}

/// Adds the keys of `defaults` that a value does not have. Only serializers are filled in part by part.
fn fill(value: &mut Value, defaults: &Value) {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    let (Some(value), Some(defaults)) = (value.as_object_mut(), defaults.as_object()) else {
        return;
    };
    for (key, default) in defaults {
        match value.get_mut(key) {
            Some(part) if key == "serializer" => fill(part, default),
            Some(_) => {}
            None => {
                value.insert(key.clone(), default.clone());
            }
        }
    }
}
