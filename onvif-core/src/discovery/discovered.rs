use std::net::SocketAddr;

use url::Url;

use super::rank::ip_of;
use super::scope;

/// A camera that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discovered {
    /// Its stable address, usually `urn:uuid:…`: the best identity a camera has. Serial numbers
    /// are not unique. Where a camera has none, the first of its addresses stands here.
    pub endpoint_reference: String,
    /// All addresses of its device service, those that most likely work from here first: the host
    /// that answered, then hosts in a subnet of ours, other IPv4, other IPv6, names, and last what works on one link
    /// only. `http` comes before `https` of the same rank, whose certificate mostly is the camera's own. 16 at most.
    pub xaddrs: Vec<Url>,
    /// What it says it is, without prefixes: `NetworkVideoTransmitter`, `Device`.
    pub types: Vec<String>,
    /// Its scopes. 64 at most.
    pub scopes: Vec<String>,
    /// Where the answer came from. For an IPv6 address of one link this has the interface, which a
    /// URL cannot have.
    pub from: SocketAddr,
    /// Rises when what it tells changes.
    pub metadata_version: Option<u32>,
}

impl Discovered {
    /// Its name, from the scopes.
    pub fn name(&self) -> Option<String> {
        self.scope("name")
    }

    /// Its model, from the scopes.
    pub fn hardware(&self) -> Option<String> {
        self.scope("hardware")
    }

    /// Where it says it is, from the scopes.
    pub fn location(&self) -> Option<String> {
        self.scope("location")
    }

    /// The value of the first scope of a category: `onvif://www.onvif.org/<category>/<value>`
    /// (ONVIF Core, "Scope parameters").
    pub fn scope(&self, category: &str) -> Option<String> {
        let prefix = format!("onvif://www.onvif.org/{category}/");
        self.scopes.iter().find_map(|scope| {
            let value = scope
                .get(..prefix.len())
                .filter(|start| start.eq_ignore_ascii_case(&prefix))?
                .len();
            Some(scope::percent_decode(&scope[value..])).filter(|value| !value.is_empty())
        })
    }

    /// Whether it has a scope, or one below it. A scope ends at a `/`: `…/name/gate` is not below `…/name/ga`.
    pub fn has_scope(&self, asked: &str) -> bool {
        self.scopes.iter().any(|own| scope::is_above(asked, own))
    }

    /// Whether an address names the very host that answered. Another host may be a second interface of
    /// the camera, or not the camera at all.
    pub fn answered_from(&self, xaddr: &Url) -> bool {
        ip_of(xaddr) == Some(self.from.ip().to_canonical())
    }
}
