use crate::{soap_enum, soap_type};

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

soap_type! {
    /// An IP address of either family.
    pub struct IpAddress in "tt" {
        /// Which of the two is given.
        kind: Option<IpType> = "Type",
        /// The address, where the family is IPv4.
        ipv4_address: Option<String> = "IPv4Address",
        /// The address, where the family is IPv6.
        ipv6_address: Option<String> = "IPv6Address",
    }
}

soap_enum! {
    /// A family of IP addresses.
    pub enum IpType {
        /// 32 bits.
        Ipv4 = "IPv4",
        /// 128 bits.
        Ipv6 = "IPv6",
    }
}
