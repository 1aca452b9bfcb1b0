//! What can go wrong between a client and a server.

use std::time::Duration;

/// What goes wrong. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// New connections are refused; over UDP, nothing passes. Connections that are open go on.
    pub refuse: bool,
    /// What goes wrong on the way from the client to the server.
    pub to_server: LinkFaults,
    /// What goes wrong on the way from the server to the client.
    pub to_client: LinkFaults,
}

/// What goes wrong in one direction.
///
/// Bytes are counted from the beginning of each TCP connection, or of each UDP client, so that a limit that is set while
/// it runs and lies behind what has passed already takes effect at once.
///
/// A chance is between 0 (never) and 1 (always); what lies outside counts as the nearer of the two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkFaults {
    /// How long everything is on its way.
    pub latency: Duration,
    /// A chance delay, up to this long, on top of `latency`. Datagrams overtake one another by it; a stream keeps its order.
    pub jitter: Duration,
    /// Only so many bytes pass at a time.
    pub drip: Option<Drip>,
    /// Most bytes that pass in a second. What is more waits, as does its sender.
    pub rate: Option<u64>,
    /// After so many bytes the connection is closed in order, in both directions. Over UDP, nothing passes any more in
    /// this direction.
    pub cut_after: Option<u64>,
    /// After so many bytes the connection is reset (RST), in both directions. Over UDP, nothing passes any more in this
    /// direction.
    pub reset_after: Option<u64>,
    /// After so many bytes nothing passes in this direction, while the connection stays open, as when a cable is
    /// unplugged. What was held back of a stream passes once this is lifted; datagrams are lost.
    pub stall_after: Option<u64>,
    /// The chance of each byte to have one bit flipped.
    pub corrupt: f64,
    /// The chance of each datagram to get lost. UDP only: what TCP loses it repeats.
    pub drop: f64,
    /// The chance of each datagram to come twice. UDP only.
    pub duplicate: f64,
    /// The chance of each datagram to come after the one that follows it, or 100 ms late where none does. UDP only.
    pub reorder: f64,
}

/// Bytes that pass drop by drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drip {
    /// How many bytes pass at a time; 0 counts as 1. A datagram passes whole, after as many periods as it is worth.
    pub bytes: usize,
    /// How long it takes until the next ones pass.
    pub every: Duration,
}
