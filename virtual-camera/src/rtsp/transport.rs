//! The `Transport` header (RFC 2326, 12.39).
//!
//! Read here and not by `rtsp-types`, whose reader of this header panics on some input
//! (`mode="`, for one).

/// How a client wants its packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// In the RTSP connection. Without channels the server chooses them.
    Interleaved(Option<(u8, u8)>),
    /// By UDP to these ports of the client, for RTP and RTCP.
    Udp(u16, u16),
    /// By UDP to a group of many, which the server chooses.
    Multicast,
}

/// What keeps a `Transport` header from being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// None of the transports is one of the two that are served.
    Unsupported,
    /// Packets for another host: served, it would be a weapon.
    ForeignDestination,
}

impl Delivery {
    /// The first transport of the header that is served. `peer` is the address of the client.
    pub(super) fn parse(header: &str, peer: &str) -> Result<Self, Refusal> {
        let mut refusal = Refusal::Unsupported;
        for transport in header.split(',') {
            match Self::parse_one(transport, peer) {
                Ok(delivery) => return Ok(delivery),
                Err(Refusal::ForeignDestination) => refusal = Refusal::ForeignDestination,
                Err(Refusal::Unsupported) => {}
            }
        }
        Err(refusal)
    }

    /// Whether a header asks for the packets of the client to be taken.
    pub(super) fn records(header: &str) -> bool {
        let mut parts = header
            .split([',', ';'])
            .filter_map(|part| part.split_once('='));
        parts.any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("mode")
                && matches_mode(value.trim().trim_matches('"'), &["record", "receive"])
        })
    }

    fn parse_one(transport: &str, peer: &str) -> Result<Self, Refusal> {
        let mut parts = transport.split(';').map(str::trim);
        let protocol = parts.next().unwrap_or_default().to_ascii_uppercase();
        let mut channels = None;
        let mut ports = None;
        let mut multicast = false;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "multicast" => multicast = true,
                "mode" if !is_mode(value) => return Err(Refusal::Unsupported),
                "destination" if value != peer && !multicast => {
                    return Err(Refusal::ForeignDestination);
                }
                "interleaved" => {
                    channels = Some(pair(value, u8::checked_add).ok_or(Refusal::Unsupported)?);
                }
                "client_port" => ports = pair(value, u16::checked_add),
                _ => {}
            }
        }
        match protocol.as_str() {
            "RTP/AVP" | "RTP/AVP/UDP" if multicast => Ok(Self::Multicast),
            "RTP/AVP/TCP" => Ok(Self::Interleaved(channels)),
            "RTP/AVP" | "RTP/AVP/UDP" => match ports {
                Some((rtp, rtcp)) if rtp != 0 && rtcp != 0 => Ok(Self::Udp(rtp, rtcp)),
                _ => Err(Refusal::Unsupported),
            },
            _ => Err(Refusal::Unsupported),
        }
    }
}

/// The last is what RECORD is called in drafts of the standard, and by some.
fn is_mode(value: &str) -> bool {
    matches_mode(value, &["play", "record", "receive"])
}

fn matches_mode(value: &str, modes: &[&str]) -> bool {
    modes.iter().any(|mode| value.eq_ignore_ascii_case(mode))
}

/// Two different numbers, of which the second may go without saying.
fn pair<N>(text: &str, checked_add: fn(N, N) -> Option<N>) -> Option<(N, N)>
where
    N: Copy + PartialEq + From<u8> + std::str::FromStr,
{
    let (first, second) = match text.split_once('-') {
        Some((first, second)) => {
            let second = second.trim().parse().ok()?;
            (first.trim().parse().ok()?, second)
        }
        None => {
            let first = text.parse().ok()?;
            (first, checked_add(first, N::from(1))?)
        }
    };
    (first != second).then_some((first, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Result<Delivery, Refusal> {
        Delivery::parse(header, "127.0.0.1")
    }

    #[test]
    fn reads_what_players_send() {
        for (header, delivery) in [
            (
                "RTP/AVP/TCP;unicast;interleaved=0-1",
                Delivery::Interleaved(Some((0, 1))),
            ),
            (
                "rtp/avp/tcp; interleaved=200-7; mode=\"PLAY\"",
                Delivery::Interleaved(Some((200, 7))),
            ),
            (
                "RTP/AVP/TCP;interleaved=4",
                Delivery::Interleaved(Some((4, 5))),
            ),
            ("RTP/AVP/TCP;unicast", Delivery::Interleaved(None)),
            (
                "RTP/AVP;unicast;client_port=5000-5001",
                Delivery::Udp(5000, 5001),
            ),
            (
                "RTP/AVP;multicast;destination=239.1.1.1;port=7000-7001;ttl=5",
                Delivery::Multicast,
            ),
            (
                "RTP/AVP/UDP;unicast;client_port=5000;destination=127.0.0.1",
                Delivery::Udp(5000, 5001),
            ),
        ] {
            assert_eq!(parse(header), Ok(delivery), "{header}");
        }
    }

    #[test]
    fn takes_the_first_transport_that_is_served() {
        assert_eq!(
            parse("RTP/SAVP;client_port=1-2,RTP/AVP;unicast,RTP/AVP/TCP;interleaved=2-3"),
            Ok(Delivery::Interleaved(Some((2, 3))))
        );
    }

    #[test]
    fn refuses_what_is_not_served() {
        for header in [
            "",
            ",;,=",
            "RTP/AVP",
            "RTP/AVP;unicast;client_port=0-1",
            "RTP/AVP;unicast;client_port=65535",
            "RTP/AVP;unicast;client_port=70000-70001",
            "RTP/AVP/TCP;interleaved=255",
            "RTP/AVP/TCP;interleaved=3-3",
            "RTP/AVP/TCP;interleaved=0-1;mode=dance",
            "RTP/AVP/TCP;interleaved=0-1;mode=\"",
            "RTP/SAVP/TCP;interleaved=0-1",
        ] {
            assert_eq!(parse(header), Err(Refusal::Unsupported), "{header}");
        }
    }

    #[test]
    fn tells_who_sends() {
        for header in [
            "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record",
            "RTP/AVP;client_port=6-7;mode=\"RECORD\"",
        ] {
            assert!(
                Delivery::records(header) && parse(header).is_ok(),
                "{header}"
            );
        }
        assert!(!Delivery::records("RTP/AVP/TCP;mode=play;interleaved=0-1"));
    }

    #[test]
    fn refuses_to_send_to_another_host() {
        assert_eq!(
            parse("RTP/AVP;unicast;client_port=5000-5001;destination=192.0.2.1"),
            Err(Refusal::ForeignDestination)
        );
    }
}
