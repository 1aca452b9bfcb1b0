//! Which answers are new. Pure: no sockets, no clock.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use super::Discovered;
use super::rank::{Network, rank};
use super::reading::{Content, Found, MAX_REFERENCE, read};

const MAX_DEVICES: usize = 4096;
/// Cameras behind one address: recorders answer for their channels, but not for thousands.
const MAX_PER_SOURCE: usize = 256;
/// Cameras that left out their addresses and are asked for them.
const MAX_WAITING: usize = 256;

pub(super) struct Collector {
    sent: HashSet<String>,
    seen: HashSet<String>,
    per_source: HashMap<IpAddr, usize>,
    /// Cameras that were asked for their addresses, by endpoint reference.
    waiting: HashMap<String, Discovered>,
    scopes: Vec<String>,
    networks: Vec<Network>,
}

/// What a datagram brought.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Cameras that were not seen before.
    pub(super) found: Vec<Discovered>,
    /// Endpoint references of cameras that did not say where their service is.
    pub(super) unresolved: Vec<String>,
}

impl Collector {
    /// Collects cameras with all of these scopes.
    pub(super) fn new(scopes: Vec<String>, networks: Vec<Network>) -> Self {
        Self {
            sent: HashSet::new(),
            seen: HashSet::new(),
            per_source: HashMap::new(),
            waiting: HashMap::new(),
            scopes,
            networks,
        }
    }

    /// Answers to the message with this identifier count from now on.
    pub(super) fn expect(&mut self, message_id: &str) {
        self.sent.insert(plain(message_id));
    }

    /// Takes a datagram. What makes no sense, or answers what was never asked, is skipped.
    pub(super) fn receive(&mut self, datagram: &[u8], from: SocketAddr) -> Received {
        let mut received = Received::default();
        let read = match read(datagram, from) {
            Ok(read) => read,
            Err(error) => {
                tracing::debug!(%from, %error, "skipping an answer that cannot be read");
                return received;
            }
        };
        let asked = |id: String| self.sent.contains(&plain(&id));
        if !read.relates_to.is_some_and(asked) {
            return received;
        }
        if let Content::Matches(found) = read.content {
            for found in found {
                self.take(found, &mut received);
            }
        }
        received
    }

    /// Cameras that never said where their service is.
    pub(super) fn take_unresolved(&mut self) -> Vec<Discovered> {
        self.waiting.drain().map(|(_, camera)| camera).collect()
    }

    fn take(&mut self, found: Found, received: &mut Received) {
        let Found { mut device, camera } = found;
        let waiting = self.waiting.contains_key(&device.endpoint_reference);
        if !(camera || waiting) || device.endpoint_reference.len() > MAX_REFERENCE {
            return;
        }
        if waiting {
            if device.xaddrs.is_empty() {
                return;
            }
            // A ResolveMatch may leave out what the ProbeMatch said.
            if let Some(first) = self.waiting.remove(&device.endpoint_reference) {
                if device.scopes.is_empty() {
                    device.scopes = first.scopes;
                }
                if device.types.is_empty() {
                    device.types = first.types;
                }
            }
        } else if !self.is_wanted(&device) || !self.is_new(&device) {
            return;
        } else if device.xaddrs.is_empty() && self.waiting.len() < MAX_WAITING {
            received.unresolved.push(device.endpoint_reference.clone());
            self.waiting
                .insert(device.endpoint_reference.clone(), device);
            return;
        }
        rank(&mut device.xaddrs, device.from.ip(), &self.networks);
        received.found.push(device);
    }

    fn is_wanted(&self, device: &Discovered) -> bool {
        self.scopes.iter().all(|scope| device.has_scope(scope))
    }

    fn is_new(&mut self, device: &Discovered) -> bool {
        let reference = plain(&device.endpoint_reference);
        if self.seen.contains(&reference) || self.seen.len() >= MAX_DEVICES {
            return false;
        }
        let count = self.per_source.entry(device.from.ip()).or_default();
        if *count >= MAX_PER_SOURCE {
            return false;
        }
        *count += 1;
        self.seen.insert(reference)
    }
}

/// Some devices answer `uuid:…` to `urn:uuid:…`, or in capitals.
pub(super) fn plain(identifier: &str) -> String {
    let identifier = identifier.trim().to_ascii_lowercase();
    let rest = identifier.strip_prefix("urn:").unwrap_or(&identifier);
    rest.strip_prefix("uuid:").unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from() -> SocketAddr {
        "192.0.2.7:3702".parse().unwrap()
    }

    fn collector() -> Collector {
        let mut collector = Collector::new(Vec::new(), Vec::new());
        collector.expect("urn:uuid:1");
        collector
    }

    fn answer(relates_to: &str, reference: &str, xaddrs: &str) -> Vec<u8> {
        format!(
            "<s:Envelope><s:Header><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>\
             <d:ProbeMatch><a:EndpointReference><a:Address>{reference}</a:Address></a:EndpointReference>\
             <d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>\
             <d:Scopes>onvif://www.onvif.org/name/Front%20Door onvif://www.onvif.org/hardware/X1</d:Scopes>\
             <d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>\
             </d:ProbeMatches></s:Body></s:Envelope>"
        )
        .into_bytes()
    }

    const AT: &str = "http://192.0.2.7/x";

    #[test]
    fn a_camera_is_found_once_with_its_nearest_address_first() {
        let mut collector = collector();
        let datagram = answer(
            "urn:uuid:1",
            "urn:uuid:A",
            &format!("http://[fe80::1]/x {AT}"),
        );
        let found = collector.receive(&datagram, from()).found;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].xaddrs[0].as_str(), AT);
        assert_eq!(found[0].xaddrs.len(), 2);
        assert_eq!(found[0].name().as_deref(), Some("Front Door"));
        assert_eq!(found[0].hardware().as_deref(), Some("X1"));
        assert_eq!(found[0].location(), None);
        assert_eq!(found[0].types, ["NetworkVideoTransmitter", "Device"]);
        assert!(collector.receive(&datagram, from()).found.is_empty());
        let again = answer("UUID:1", "uuid:a", AT);
        assert!(collector.receive(&again, from()).found.is_empty());
    }

    #[test]
    fn cameras_with_the_same_name_and_model_are_told_apart_by_their_reference() {
        let mut collector = collector();
        for reference in ["urn:uuid:a", "urn:uuid:b"] {
            let found = collector
                .receive(&answer("uuid:1", reference, AT), from())
                .found;
            assert_eq!(found[0].endpoint_reference, reference);
        }
    }

    #[test]
    fn answers_to_other_probes_and_garbage_are_skipped() {
        let mut collector = collector();
        let forged = answer("urn:uuid:2", "urn:uuid:a", AT);
        assert!(collector.receive(&forged, from()).found.is_empty());
        assert!(collector.receive(b"\xff<", from()).found.is_empty());
        let found = collector.receive(&answer("urn:uuid:1", "urn:uuid:a", AT), from());
        assert_eq!(found.found.len(), 1);
    }

    #[test]
    fn a_flood_is_bounded_and_other_cameras_are_still_found() {
        let mut collector = collector();
        let flood = |i: i32| answer("urn:uuid:1", &format!("urn:{i}"), AT);
        let found: usize = (0..1000)
            .map(|i| collector.receive(&flood(i), from()).found.len())
            .sum();
        assert_eq!(found, MAX_PER_SOURCE);
        let other = "192.0.2.8:3702".parse().unwrap();
        let found = collector.receive(&answer("urn:uuid:1", "urn:other", AT), other);
        assert_eq!(found.found.len(), 1);
    }

    #[test]
    fn addresses_are_capped() {
        let many: String = (0..100).map(|i| format!("http://192.0.2.{i}/ ")).collect();
        let found = collector().receive(&answer("urn:uuid:1", "urn:a", &many), from());
        assert_eq!(found.found[0].xaddrs.len(), 16);
    }

    #[test]
    fn cameras_without_the_scopes_asked_for_are_left_out() {
        for (scope, count) in [
            ("onvif://www.onvif.org/name/Front%20Door", 1),
            ("onvif://www.onvif.org/hardware", 1),
            ("onvif://www.onvif.org/name/Front", 0),
        ] {
            let scopes = vec!["onvif://www.onvif.org/name".to_owned(), scope.to_owned()];
            let mut collector = Collector::new(scopes, Vec::new());
            collector.expect("urn:uuid:1");
            let found = collector.receive(&answer("urn:uuid:1", "urn:a", AT), from());
            assert_eq!(found.found.len(), count, "{scope}");
        }
    }

    #[test]
    fn a_camera_without_addresses_is_asked_for_them() {
        let mut collector = collector();
        let received = collector.receive(&answer("urn:uuid:1", "urn:a", ""), from());
        assert!(received.found.is_empty());
        assert_eq!(received.unresolved, ["urn:a"]);
        let again = collector.receive(&answer("urn:uuid:1", "urn:a", ""), from());
        assert!(again.found.is_empty() && again.unresolved.is_empty());

        let resolved = format!(
            "<s:Envelope><s:Header><a:RelatesTo>uuid:1</a:RelatesTo></s:Header><s:Body><d:ResolveMatches><d:ResolveMatch>\
             <a:EndpointReference><a:Address>urn:a</a:Address></a:EndpointReference><d:XAddrs>{AT}</d:XAddrs>\
             </d:ResolveMatch></d:ResolveMatches></s:Body></s:Envelope>"
        );
        let found = collector.receive(resolved.as_bytes(), from()).found;
        assert_eq!(found[0].xaddrs[0].as_str(), AT);
        assert_eq!(found[0].name().as_deref(), Some("Front Door"));
        assert!(collector.take_unresolved().is_empty());

        collector.receive(&answer("urn:uuid:1", "urn:silent", ""), from());
        assert_eq!(
            collector.take_unresolved()[0].endpoint_reference,
            "urn:silent"
        );
    }
}
