//! What a proxy did.

use serde::Serialize;

/// What a [`FaultProxy`](crate::FaultProxy) did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FaultCounters {
    /// TCP connections that were carried to the server, or UDP clients that were.
    pub connections: u64,
    /// TCP connections that could not be carried because the server did not take them: the client's was reset.
    pub unreachable: u64,
    /// Connections that were cut.
    pub cut: u64,
    /// Connections that were reset.
    pub reset: u64,
    /// From the client to the server.
    pub to_server: LinkCounters,
    /// From the server to the client.
    pub to_client: LinkCounters,
}

/// What a [`FaultProxy`](crate::FaultProxy) did in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LinkCounters {
    /// Bytes that were passed on.
    pub bytes: u64,
    /// Datagrams that were passed on, the second of a duplicate included.
    pub datagrams: u64,
    /// Bytes that had a bit flipped.
    pub corrupted: u64,
    /// How often a TCP connection came to the point after which nothing passes.
    pub stalled: u64,
    /// Datagrams that were lost: by chance, behind a limit, or because too many were waiting.
    pub dropped: u64,
    /// Datagrams that were sent twice.
    pub duplicated: u64,
    /// Datagrams that were held back for the next one.
    pub reordered: u64,
}
