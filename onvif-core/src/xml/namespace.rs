//! The conventional prefixes and the namespaces they stand for.

macro_rules! prefixes {
    ($($prefix:literal => $uri:literal,)*) => {
        /// Every prefix that requests may use, with its namespace. All are declared on the envelope: some
        /// cameras refuse generated prefixes such as `ns0`.
        pub const PREFIXES: &[(&str, &str)] = &[$(($prefix, $uri)),*];

        /// The namespace of a conventional prefix; an unknown prefix has the empty namespace.
        #[inline]
        pub fn uri(prefix: &str) -> &'static str {
            match prefix {
                $($prefix => $uri,)*
                "d" => DISCOVERY,
                "wsa04" => ADDRESSING_2004,
                _ => "",
            }
        }
    };
}

prefixes! {
    "s" => "http://www.w3.org/2003/05/soap-envelope",
    "tds" => "http://www.onvif.org/ver10/device/wsdl",
    "trt" => "http://www.onvif.org/ver10/media/wsdl",
    "tr2" => "http://www.onvif.org/ver20/media/wsdl",
    "tptz" => "http://www.onvif.org/ver20/ptz/wsdl",
    "timg" => "http://www.onvif.org/ver20/imaging/wsdl",
    "tev" => "http://www.onvif.org/ver10/events/wsdl",
    "tan" => "http://www.onvif.org/ver20/analytics/wsdl",
    "tmd" => "http://www.onvif.org/ver10/deviceIO/wsdl",
    "tt" => "http://www.onvif.org/ver10/schema",
    "wsnt" => "http://docs.oasis-open.org/wsn/b-2",
    "wsa" => "http://www.w3.org/2005/08/addressing",
    "wstop" => "http://docs.oasis-open.org/wsn/t-1",
    "tns1" => "http://www.onvif.org/ver10/topics",
    "ter" => "http://www.onvif.org/ver10/error",
}

/// WS-Discovery, not part of SOAP envelopes to services.
pub(crate) const DISCOVERY: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
/// The older WS-Addressing, which WS-Discovery uses.
pub(crate) const ADDRESSING_2004: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// The namespace of `dn:NetworkVideoTransmitter`.
pub(crate) const NETWORK: &str = "http://www.onvif.org/ver10/network/wsdl";
