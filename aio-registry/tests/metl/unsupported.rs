//! What the vectors can ask for and this crate does not do, with the reason.

use crate::case::Case;

type Asks = fn(&Case) -> bool;

const UNSUPPORTED: [(Asks, &str); 2] = [
    (
        |case| {
            case.requires
                .iter()
                .any(|feature| !FEATURES.contains(&feature.as_str()))
        },
        "it requires a feature that does not exist",
    ),
    (
        |case| {
            case.prologue
                .senders
                .iter()
                .any(|sender| sender.telemetry_name.is_none())
        },
        "telemetry-name: null; a sender has no name that could be missing",
    ),
];

/// The features of a test platform that there are.
const FEATURES: [&str; 7] = [
    "ack-ordering",
    "topic-filtering",
    "reconnection",
    "caching",
    "dispatch",
    "explicit-default",
    "multiple-serializers",
];

/// Why a case cannot be run.
pub fn reason(case: &Case) -> Option<&'static str> {
    let found = UNSUPPORTED.iter().find(|(asks, _)| asks(case));
    found.map(|(_, reason)| *reason)
}
