//! Faults of real cameras, as switches.

/// What this camera does wrong, imitating real ones. The default is a correct camera.
///
/// ```
/// let quirks = virtual_camera::Quirks { clock_offset: 3600, ..Default::default() };
/// # let _ = quirks;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// The camera's clock is this many seconds ahead of ours (behind, if negative).
    pub clock_offset: i64,
    /// Every fault comes with HTTP status 200.
    pub fault_http_200: bool,
    /// Replies use the prefix `wsa` (subscription addresses) without declaring it.
    pub undeclared_prefix: bool,
    /// Addresses and topics are padded with line breaks and spaces.
    pub text_padding: bool,
    /// Every address the camera hands out names this host, as behind a NAT.
    pub advertised_host: Option<String>,
    /// `PullMessages` returns at once when there is nothing to report.
    pub pull_immediate: bool,
    /// `GetServices` is not supported; `GetCapabilities` is.
    pub no_get_services: bool,
    /// `CreatePullPointSubscription` without `InitialTerminationTime` fails.
    pub require_init_term: bool,
    /// `GetSystemDateAndTime` needs authentication.
    pub datetime_requires_auth: bool,
    /// The snapshot address answers 404.
    pub snapshot_404: bool,
    /// Every operation needs authentication, also those that have to work without it (C51).
    pub auth_all: bool,
    /// All cameras of this kind have the same serial number (C50).
    pub same_serial: bool,
    /// Probes without `Types` are not answered (C48).
    pub probe_requires_types: bool,
    /// Probes with line breaks are not answered (C48).
    pub probe_reject_newline: bool,
    /// Answers to probes use the prefix of the type without declaring it (C48).
    pub probe_undeclared_prefix: bool,
    /// Each answer to a probe comes after datagrams that make no sense.
    pub probe_garbage: bool,
    /// Answers to probes name further addresses before the one that works: IPv6 of the link, 169.254, `https` (C49).
    pub multi_xaddrs: bool,
    /// Multicast does not reach the camera, as in a pod: only probes to its own address are answered (C51).
    pub no_multicast: bool,
}
