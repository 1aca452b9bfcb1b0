use crate::device::IpAddress;
use crate::soap_type;

soap_type! {
    /// Where a stream goes when it is sent to a multicast group.
    pub struct MulticastConfiguration in "tt" {
        /// The group. `0.0.0.0` or nothing where multicast is not set up.
        address: Option<IpAddress> = "Address",
        /// The port of RTP; RTCP takes the next one. 0 lets the device choose.
        port: Option<u32> = "Port",
        /// How many routers a packet may pass.
        ttl: Option<u32> = "TTL",
        /// Whether the device sends after a start without being asked to.
        auto_start: Option<bool> = "AutoStart",
    }
}
