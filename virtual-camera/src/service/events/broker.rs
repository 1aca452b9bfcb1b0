use crate::service::Call;
use crate::soap::Fault;
use crate::state::Broker;
use crate::xml::{Element, TER, TEV, element};

/// How many brokers can be added.
pub(super) const MAX: usize = 2;

pub(super) fn add(call: &Call<'_>) -> Result<Element, Fault> {
    let config = call.request.child("EventBroker");
    let config = config.ok_or_else(|| Fault::missing("EventBroker"))?;
    let text = |name| config.text_of(name).map(str::to_owned);
    let broker = Broker {
        address: text("Address").ok_or_else(|| Fault::missing("Address"))?,
        topic_prefix: text("TopicPrefix").ok_or_else(|| Fault::missing("TopicPrefix"))?,
        user: text("UserName"),
        qos: text("QoS").and_then(|qos| qos.parse().ok()).unwrap_or(0),
    };
    let mut state = call.camera.events.lock();
    state
        .brokers
        .retain(|known| known.address != broker.address);
    if state.brokers.len() == MAX {
        return Err(Fault::receiver(
            &[(TER, "Action"), (TER, "MaximumNumberOfEventBrokers")],
            "there are enough brokers",
        ));
    }
    state.brokers.push(broker);
    Ok(call.response("AddEventBrokerResponse"))
}

pub(super) fn delete(call: &Call<'_>) -> Result<Element, Fault> {
    let address = call.argument("Address")?;
    let mut state = call.camera.events.lock();
    let before = state.brokers.len();
    state.brokers.retain(|known| known.address != address);
    if state.brokers.len() == before {
        return Err(Fault::invalid_value("NoConfig", "there is no such broker"));
    }
    Ok(call.response("DeleteEventBrokerResponse"))
}

pub(super) fn list(call: &Call<'_>) -> Element {
    let wanted = call.request.text_of("Address");
    let state = call.camera.events.lock();
    let brokers = state.brokers.iter();
    let brokers = brokers.filter(|broker| wanted.is_none_or(|wanted| broker.address == wanted));
    call.response("GetEventBrokersResponse")
        .children(brokers.map(|broker| {
            let config = element(TEV, "EventBroker")
                .leaf(TEV, "Address", &broker.address)
                .leaf(TEV, "TopicPrefix", &broker.topic_prefix);
            let user = broker.user.as_ref();
            config
                .children(user.map(|user| element(TEV, "UserName").text(user)))
                .leaf(TEV, "QoS", broker.qos)
                .leaf(TEV, "Status", "Offline")
        }))
}
