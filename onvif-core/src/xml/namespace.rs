//! The conventional prefixes and the namespaces they stand for.

/// Every prefix that requests may use, with its namespace. All are declared on the envelope: some
/// cameras refuse generated prefixes such as `ns0`.
pub const PREFIXES: &[(&str, &str)] = KNOWN.split_at(KNOWN.len() - 2).0;

/// The namespace of a conventional prefix; an unknown prefix has the empty namespace.
pub fn uri(prefix: &str) -> &'static str {
    place(prefix).map_or("", |place| KNOWN[usize::from(place)].1)
}

/// The place of a conventional prefix in the list of them.
#[doc(hidden)]
pub const fn place(prefix: &str) -> Option<u8> {
    let mut place = 0;
    while place < KNOWN.len() {
        if same(KNOWN[place].0.as_bytes(), prefix.as_bytes()) {
            return Some(place as u8);
        }
        place += 1;
    }
    None
}

/// The place of the prefix that stands for a namespace.
pub(super) fn place_of(uri: &str) -> Option<u8> {
    let place = KNOWN.iter().position(|(_, known)| *known == uri)?;
    u8::try_from(place).ok()
}

/// What `==` does, for constants.
const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// The last two are not part of envelopes to services.
const KNOWN: &[(&str, &str)] = &[
    ("s", "http://www.w3.org/2003/05/soap-envelope"),
    ("tds", "http://www.onvif.org/ver10/device/wsdl"),
    ("trt", "http://www.onvif.org/ver10/media/wsdl"),
    ("tr2", "http://www.onvif.org/ver20/media/wsdl"),
    ("tptz", "http://www.onvif.org/ver20/ptz/wsdl"),
    ("timg", "http://www.onvif.org/ver20/imaging/wsdl"),
    ("tev", "http://www.onvif.org/ver10/events/wsdl"),
    ("tan", "http://www.onvif.org/ver20/analytics/wsdl"),
    ("tmd", "http://www.onvif.org/ver10/deviceIO/wsdl"),
    ("tt", "http://www.onvif.org/ver10/schema"),
    ("wsnt", "http://docs.oasis-open.org/wsn/b-2"),
    ("wsa", "http://www.w3.org/2005/08/addressing"),
    ("wstop", "http://docs.oasis-open.org/wsn/t-1"),
    ("tns1", "http://www.onvif.org/ver10/topics"),
    ("ter", "http://www.onvif.org/ver10/error"),
    ("d", DISCOVERY),
    ("wsa04", ADDRESSING_2004),
];

/// WS-Discovery, not part of SOAP envelopes to services.
pub(crate) const DISCOVERY: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
/// The older WS-Addressing, which WS-Discovery uses.
pub(crate) const ADDRESSING_2004: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// The namespace of `dn:NetworkVideoTransmitter`.
pub(crate) const NETWORK: &str = "http://www.onvif.org/ver10/network/wsdl";
