//! Faults of real cameras, as switches.

mod live;
mod named;
mod preset;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::write_timestamp;
use crate::digest::DigestAlgorithm;

pub(crate) use self::live::LiveQuirks;

/// What this camera does wrong, imitating real ones. The default is a correct camera.
///
/// ```
/// let quirks = virtual_camera::Quirks { clock_offset: 3600, ..Default::default() };
/// # let _ = quirks;
/// ```
///
/// Read by serde, each field has its name and default; a field that does not exist is an error. [`Quirks::set`] sets one
/// by its name, [`Quirks::preset`] those of a family of cameras. They combine: each is independent of the others.
///
/// A running camera takes new ones with [`VirtualCamera::set_quirks`](crate::VirtualCamera::set_quirks): they count from the
/// next request on, or the next connection where they are about connections; where a field counts at the start only, it
/// says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
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
    /// Requests of the Events service without WS-Addressing headers fail (C12).
    pub require_wsa: bool,
    /// Requests of these services with WS-Addressing headers fail: `ptz`, `media`, … (C13).
    pub reject_wsa_on: Vec<String>,
    /// Subscription addresses name this port, at which nobody answers (C20).
    pub subscription_port: Option<u16>,
    /// The capabilities deny pull points, which work (C23).
    pub caps_lie_pullpoint: bool,
    /// Minutes in a duration are read as seconds (C25).
    pub minutes_as_seconds: bool,
    /// A relative lifetime is ignored: subscriptions live this many seconds (C25).
    pub fixed_term_s: Option<u64>,
    /// Relative lifetimes are refused (C26).
    pub reject_relative: bool,
    /// Pulling does not prolong a subscription for which no lifetime was asked (C27).
    pub pull_no_extend: bool,
    /// `Renew` is refused as not authorized (C28).
    pub no_renew: bool,
    /// `SetSynchronizationPoint` is refused (C28).
    pub no_syncpoint: bool,
    /// The connection is closed when `PullMessages` takes longer than this many milliseconds (C29).
    pub pull_close_after_ms: Option<u64>,
    /// `PullMessages` always fails (C31).
    pub pull_fault_always: bool,
    /// How many subscriptions there can be; ten by default (C32).
    pub max_subs: Option<usize>,
    /// What is sent to a forgotten subscription is answered with HTTP 404 (C33).
    pub sub_forget_404: bool,
    /// The end of a state is never reported (C34).
    pub no_off_event: bool,
    /// The end of a state is reported without saying so: the message has no data (C34).
    pub empty_message: bool,
    /// Topics of notifications have this behind them, such as `//.` (C35).
    pub topic_suffix: String,
    /// Motion is reported under topics of the maker as well (C35).
    pub vendor_topics: bool,
    /// Each event has another source token (C36).
    pub unstable_source_token: bool,
    /// The camera restarts when it shall push to an address longer than this many characters (C37).
    pub crash_on_long_url: Option<usize>,
    /// Topic filters and content filters are refused.
    pub no_filter: bool,
    /// All subscriptions have the address of the Events service, and are told apart by a header.
    pub subscription_header: bool,
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
    /// Multicast does not reach the camera, as in a pod: only probes to its own address are answered (C51). Counts at the start only.
    pub no_multicast: bool,
    /// Tokens may be this many seconds off the camera's clock, 60 by default (C01).
    pub max_skew: Option<u32>,
    /// The reason of faults for missing or wrong credentials (C02).
    pub fault_text: Option<String>,
    /// `UTCDateTime` is local time, this many seconds ahead of UTC, and tokens are held against it (C03).
    pub utc_is_local: i32,
    /// `UTCDateTime` is an hour ahead while daylight saving time lasts, which is always; tokens are held against it (C03).
    pub dst_bug: bool,
    /// A `Created` that does not end in `Z` is refused (C05).
    pub reject_offset_tz: bool,
    /// A nonce of more bytes, or a `Created` of more than 24 characters, is refused (C06).
    pub max_nonce_len: Option<usize>,
    /// Which prefixes a UsernameToken may have (C07).
    pub wsse_prefix: Option<WssePrefix>,
    /// The algorithms of HTTP Digest, SHA-256 and MD5 if empty; for RTSP as well (C09).
    pub digest_algorithms: Vec<DigestAlgorithm>,
    /// Challenges come without `qop` (C09).
    pub no_qop: bool,
    /// A nonce is good for one request; the next one comes in `Authentication-Info` (C09).
    pub next_nonce: bool,
    /// SHA-256 is offered, and every answer to it refused (C10).
    pub sha256_broken: bool,
    /// Requests whose operation does not have the conventional prefix fail with status 500 (C11).
    pub require_prefixes: bool,
    /// The snapshot address has a query with an unescaped `&` (C17).
    pub uri_raw_amp: bool,
    /// Stream addresses are IPv6 addresses without brackets (C18).
    pub uri_bad_ipv6: bool,
    /// Stream addresses have two ports (C18).
    pub double_port: bool,
    /// Every HTTP address the camera hands out names this port, as behind port forwarding (C19).
    pub advertised_port: Option<u16>,
    /// All services are at `/onvif/service`; other paths are status 400 (C21).
    pub single_endpoint: bool,
    /// `GetServiceCapabilities` is not supported, and `GetServices` lists no capabilities (C22).
    pub no_service_capabilities: bool,
    /// A connection is closed when its second request arrives, without an answer (C38).
    pub silent_close: bool,
    /// A request with `Expect` is never answered (C39).
    pub no_expect: bool,
    /// A request in chunks is status 400 (C39).
    pub no_chunked: bool,
    /// A connection on which head and body of a request arrive apart is closed (C39).
    pub split_write_fails: bool,
    /// What is wrong with answers of the SOAP services as HTTP (C40).
    pub http_junk: Option<HttpJunk>,
    /// What comes instead of a snapshot or its address (C46).
    pub snapshot: Option<SnapshotFault>,
    /// How snapshots want to be asked for (C47).
    pub snapshot_auth: SnapshotAuth,
    /// Snapshots are answered with 503 and the wish to be left alone for this many seconds.
    pub snapshot_busy_s: Option<u32>,
    /// How the parts of the stream of pictures over HTTP are told apart.
    pub mjpeg: MjpegForm,
    /// More HTTP connections than these are closed at once (C60).
    pub max_connections: Option<usize>,
    /// After more SOAP requests within a second the camera answers nobody any more (C60).
    pub crash_above_rps: Option<usize>,
    /// Every HTTP request is redirected, with this status, to the same path at this origin.
    pub redirect: Option<(u16, String)>,
    /// The timeout of continuous moves is ignored: they go on until something stops them (C41).
    pub ptz_ignore_timeout: bool,
    /// A continuous move with a timeout is refused, and the range of timeouts is zero to zero (C42).
    pub ptz_reject_timeout: bool,
    /// PTZ `Stop` is not supported (C43).
    pub ptz_no_stop: bool,
    /// The status lies about moves, or does not tell (C44).
    pub ptz_move_status: Option<PtzMoveStatus>,
    /// The only moves that are supported; all of them where it is `None` (C44).
    pub ptz_modes: Option<Vec<PtzMode>>,
    /// The PTZ nodes and the video sources have other tokens than those that configurations name (C45).
    pub token_mismatch: bool,
    /// There are PTZ nodes, video sources and media profiles for so many channels, as with a recorder (C45).
    pub nvr_channels: Option<u16>,
    /// Tokens of PTZ presets and tours, and of media profiles, hold spaces and markup (C45).
    pub odd_tokens: bool,
    /// What is wrong with every date and time the camera writes (C04).
    pub bad_datetime: Option<BadDateTime>,
    /// The subcodes of faults have prefixes that are not declared: `ter`, `wsrf-rw` (C15).
    pub fault_undeclared_ns: bool,
    /// A user is locked out, with the right password too, after so many wrong ones in a row.
    pub lockout_after: Option<u32>,
    /// For how many seconds somebody is locked out; half an hour by default.
    pub lockout_s: Option<u64>,
    /// Names and the manufacturer begin with Chinese in GBK, in documents that claim to be UTF-8 (C16).
    pub bad_utf8: bool,
    /// Every HTTP answer comes so many milliseconds late.
    pub answer_delay_ms: Option<u64>,
    /// Every HTTP answer comes a byte at a time, so many milliseconds apart.
    pub drip_ms: Option<u64>,
    /// So many events wait for every pull, besides those that happened: `tns1:Monitoring/ProcessorUsage`.
    pub event_storm: Option<u16>,
    /// After a restart the clock shows the beginning of the year 2000, until it is set (C01).
    pub clock_lost_on_reboot: bool,
    /// The only request that keeps an RTSP session alive, whatever `Public` says (C52).
    pub rtsp_keepalive: Option<RtspKeepalive>,
    /// An RTSP session that is not kept alive ends after so many seconds, 60 by default (C52).
    pub session_timeout_s: Option<u64>,
    /// What is wrong with the parameter sets of the session description (C53).
    pub bad_sprop: Option<BadSprop>,
    /// The session description has no parameter sets (C54).
    pub no_sprop: bool,
    /// For so many seconds of a session the stream has no parameter sets (C54).
    pub late_params_s: u64,
    /// Before each RTP packet comes one with another SSRC, as of another session (C55).
    pub foreign_ssrc: bool,
    /// Packets come before the answer to PLAY (C55).
    pub early_data: bool,
    /// After so many kilobytes of a track the RTSP connection loses some bytes, once a session (C55).
    pub desync_after_kb: Option<u32>,
    /// What is odd about the headers of RTSP (C56).
    pub rtsp_header: Option<RtspHeader>,
    /// The RTP time jumps ahead by so many seconds (back, if negative) every three seconds (C57).
    pub rtp_jump_s: i32,
    /// The RTP clock is too fast by so many millionths (too slow, if negative) (C57).
    pub drift_ppm: i32,
    /// Every other sender report is so many seconds ahead (behind, if negative) (C57).
    pub sr_step_s: i32,
    /// Each frame comes after an SEI message with the marker that belongs to its end (C57).
    pub sei_mark: bool,
    /// The session description claims so many frames a second (C57).
    pub fps_lie: Option<u32>,
    /// More RTSP sessions than these are refused, 64 by default (C58).
    pub max_rtsp_sessions: Option<usize>,
    /// An RTSP session outlives its connection until it times out (C58).
    pub stale_rtsp_sessions: bool,
    /// One RTSP session too many is status 503, not 453 (C58).
    pub rtsp_full_503: bool,
    /// What never comes to its end in an RTSP session.
    pub rtsp_endless: Option<RtspEndless>,
    /// Of a thousand RTP packets so many are lost, the same ones each time; of sessions that play as well.
    pub rtp_loss: u16,
    /// Of a thousand RTP packets so many come twice; of sessions that play as well.
    pub rtp_duplicate: u16,
    /// Of a thousand RTP packets so many come after the one that follows them; of sessions that play as well.
    pub rtp_reorder: u16,
    /// The number that chance is drawn from which decides about RTP packets.
    pub rtp_seed: u64,
}

/// A request that keeps an RTSP session alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RtspKeepalive {
    /// `OPTIONS`; the others are refused.
    Options,
    /// `GET_PARAMETER`; `SET_PARAMETER` is refused, and `OPTIONS` does not count.
    GetParameter,
    /// `SET_PARAMETER`; `GET_PARAMETER` is refused, and `OPTIONS` does not count.
    SetParameter,
    /// None: all are answered, and do not count.
    None,
}

/// What is wrong with parameter sets in a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BadSprop {
    /// They have start codes.
    AnnexB,
    /// The picture parameter set is missing.
    MissingPps,
    /// Their level is too low for the picture.
    WrongLevel,
    /// They are not Base64.
    NoBase64,
}

/// What is odd about headers of RTSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RtspHeader {
    /// The parameters of `Transport` are in another order.
    TransportOrder,
    /// `Transport` does not name the channels.
    NoInterleaved,
    /// `Content-Base` has no scheme.
    SchemelessBase,
    /// The tracks of `RTP-Info` are separated by semicolons.
    RtpInfoSemicolon,
    /// The sequence numbers of `RTP-Info` are not those of the first packets.
    RtpInfoSequence,
    /// The session description has no `Content-Type`.
    NoContentType,
    /// The `Content-Type` of the session description is in capitals, and has a parameter.
    OddContentType,
}

/// What never comes to its end in an RTSP session. The client has to break it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RtspEndless {
    /// A header of every answer.
    Header,
    /// The body of every answer; `Content-Length` is 4000000000.
    Body,
    /// The fragments of every key frame: none has the end, none a marker, and they come as fast as they are taken.
    Fragments,
    /// Redirections: each `DESCRIBE` is sent to where it came.
    Redirect,
}

/// What is wrong with dates and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BadDateTime {
    /// The hour is one less, and minutes go from 60 to 119.
    MinuteOverflow,
    /// `-` for `T`; the numbers of `GetSystemDateAndTime` have no `T`, and are right.
    DashForT,
    /// A space for `T`, and spaces around everything.
    Spaces,
    /// No date at all: the year, month and day zero, at midnight.
    Zero,
}

/// Which prefixes a UsernameToken may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WssePrefix {
    /// Only `wsse:` is seen.
    Require,
    /// Anything with `wsse:` is refused.
    Reject,
}

/// What is wrong with answers as HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HttpJunk {
    /// NUL characters instead of spaces.
    NulForSpaces,
    /// `Content-Length` announces 100 bytes more than there are.
    LongContentLength,
    /// `Content-Length` announces 100 bytes less than there are.
    ShortContentLength,
    /// Replies come with status 500.
    ReplyWith500,
    /// Missing credentials are answered with status 401 and a web page.
    Html401,
    /// The document never ends: spaces follow where its last element should be closed.
    EndlessBody,
    /// A megabyte of headers.
    OversizeHeaders,
    /// The first half of the document, with a `Content-Length` to match.
    TruncatedXml,
    /// Bits are flipped all over the document, in the same places of the same document.
    CorruptXml,
}

/// What comes instead of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SnapshotFault {
    /// Its address is that of the stream.
    Rtsp,
    /// Its address is empty.
    Empty,
    /// `GetSnapshotUri` is not supported.
    Fault,
    /// A web page.
    Html,
    /// The first half of the picture.
    Truncated,
}

/// How snapshots want to be asked for, where the camera has a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SnapshotAuth {
    /// With HTTP Digest.
    #[default]
    Digest,
    /// With HTTP Basic.
    Basic,
    /// With the credentials that stand in the query of the address; an `Authorization` besides is status 400.
    Query,
    /// Anyhow.
    Open,
}

/// How the parts of a stream of pictures over HTTP (`multipart/x-mixed-replace`) are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MjpegForm {
    /// By two dashes and the boundary, with the length of each part.
    #[default]
    Standard,
    /// The boundary is announced in quotes.
    Quoted,
    /// The dashes are announced with the boundary.
    Dashes,
    /// The boundary comes without dashes.
    Bare,
    /// The boundary is not announced.
    Unannounced,
    /// Parts have no length.
    NoLength,
    /// Parts tell half of their length.
    WrongLength,
}

/// How [`Quirks::ptz_move_status`] lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PtzMoveStatus {
    /// `MoveStatus` is left out.
    Absent,
    /// It says idle, whatever moves.
    AlwaysIdle,
}

/// A kind of move, for [`Quirks::ptz_modes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PtzMode {
    /// To a position.
    Absolute,
    /// By a distance in generic numbers.
    Relative,
    /// By a distance in parts of the picture.
    FieldOfView,
    /// With a velocity.
    Continuous,
}

impl Quirks {
    pub(crate) fn moves(&self, mode: PtzMode) -> bool {
        let modes = self.ptz_modes.as_ref();
        modes.is_none_or(|modes| modes.contains(&mode))
    }

    /// How many channels there are; only the first moves anything.
    pub(crate) fn channels(&self) -> u16 {
        self.nvr_channels.unwrap_or(1).max(1)
    }

    /// An `xs:dateTime` as this camera writes it.
    pub(crate) fn write_time(&self, time: Timestamp) -> String {
        let right = write_timestamp(time);
        match self.bad_datetime {
            None => right,
            Some(BadDateTime::MinuteOverflow) => {
                let earlier = an_hour_before(time);
                let minute = 60 + earlier.to_zoned(TimeZone::UTC).minute();
                let (hour, second) = (earlier.strftime("%FT%H"), earlier.strftime("%S.%3fZ"));
                format!("{hour}:{minute}:{second}")
            }
            Some(BadDateTime::DashForT) => right.replace('T', "-"),
            Some(BadDateTime::Spaces) => format!(" {} ", right.replace('T', " ")),
            Some(BadDateTime::Zero) => "0000-00-00T00:00:00Z".to_owned(),
        }
    }
}

/// The same moment where 60 minutes are added.
pub(crate) fn an_hour_before(time: Timestamp) -> Timestamp {
    let hour = SignedDuration::from_hours(1);
    time.saturating_sub(hour).unwrap_or(time)
}
