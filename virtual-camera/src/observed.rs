//! What clients did, for tests to look at.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::requests::SeenCredentials;

/// Operations beyond this many different names are not counted.
const MAX_NAMES: usize = 256;
/// Credentials beyond this many different ones are not counted.
const MAX_CREDENTIALS: usize = 256;

/// What clients have done to a camera since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Observed {
    /// How often each SOAP operation and each method of RTSP was asked for, whatever the answer was. Keys are names of the
    /// specification without a service, such as `GetProfiles` and `DESCRIBE`.
    pub operations: BTreeMap<String, u64>,
    /// Requests (SOAP, snapshot and RTSP) with wrong, replayed or outdated credentials.
    pub authentication_failures: u64,
    /// Requests (SOAP, snapshot and RTSP) that carried credentials of any kind.
    pub requests_with_credentials: u64,
    /// Snapshots delivered.
    pub snapshots: u64,
    /// Pull-point subscriptions that are alive now.
    pub subscriptions: usize,
    /// RTSP sessions that are alive now, whether or not they play: of publishers too, and those that outlived their connection.
    pub rtsp_sessions: usize,
    /// HTTP connections that were accepted.
    pub connections: u64,
    /// HTTP connections that were closed at once because there were too many.
    pub connections_refused: u64,
    /// Whose credentials were seen, right or wrong, by who sent them to which host.
    pub credentials: Vec<CredentialCount>,
}

/// Credentials that were seen with requests: SOAP, snapshot and RTSP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CredentialCount {
    /// Who sent them.
    pub peer: IpAddr,
    /// The header `Host` of the requests, over RTSP the host and port of their address; empty where there was none.
    pub host: String,
    /// Name and scheme.
    #[serde(flatten)]
    pub credentials: SeenCredentials,
    /// How many requests had them.
    pub requests: u64,
}

impl Observed {
    /// How often an operation was asked for, such as `"GetProfiles"`.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        self.operations.get(operation).copied().unwrap_or(0)
    }

    pub(crate) fn record_credentials(&mut self, peer: IpAddr, host: &str, seen: &SeenCredentials) {
        let mut known = self.credentials.iter_mut();
        let known = known
            .find(|known| known.peer == peer && known.host == host && known.credentials == *seen);
        if let Some(known) = known {
            known.requests += 1;
        } else if self.credentials.len() < MAX_CREDENTIALS {
            self.credentials.push(CredentialCount {
                peer,
                host: host.to_owned(),
                credentials: seen.clone(),
                requests: 1,
            });
        }
    }

    pub(crate) fn record(&mut self, operation: &str) {
        if let Some(count) = self.operations.get_mut(operation) {
            *count += 1;
        } else if self.operations.len() < MAX_NAMES {
            self.operations.insert(operation.to_owned(), 1);
        }
    }
}
