//! What cameras get wrong in their answers, done to correct ones.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rtsp_types::headers::{CONTENT_BASE, CONTENT_TYPE, RTP_INFO, SESSION, TRANSPORT};
use rtsp_types::{HeaderName, Method, StatusCode};

use super::handler::Response;
use super::sessions::{MAX_SESSIONS, SESSION_TIMEOUT};
use crate::quirks::{BadSprop, Quirks, RtspHeader, RtspKeepalive};

/// How long sessions live, and how many there may be.
pub(super) fn terms(quirks: &Quirks) -> (Duration, usize) {
    let timeout = quirks.session_timeout_s.map_or(SESSION_TIMEOUT, |seconds| {
        Duration::from_secs(seconds.max(1))
    });
    (timeout, quirks.max_rtsp_sessions.unwrap_or(MAX_SESSIONS))
}

/// Whether a request of this kind keeps its session alive, where it is not refused.
pub(super) fn keeps_alive(quirks: &Quirks, method: &Method) -> bool {
    let Some(only) = quirks.rtsp_keepalive else {
        return true;
    };
    match method {
        Method::Options => only == RtspKeepalive::Options,
        Method::GetParameter => only == RtspKeepalive::GetParameter,
        Method::SetParameter => only == RtspKeepalive::SetParameter,
        _ => true,
    }
}

/// Whether the camera claims not to know requests of this kind.
pub(super) fn refuses(quirks: &Quirks, method: &Method) -> bool {
    let parameters = matches!(method, Method::GetParameter | Method::SetParameter);
    let none = quirks.rtsp_keepalive == Some(RtspKeepalive::None);
    parameters && !none && !keeps_alive(quirks, method)
}

/// Makes an answer to a request of this kind wrong.
pub(super) fn deviate(quirks: &Quirks, method: &Method, mut response: Response) -> Response {
    if quirks.session_timeout_s.is_some() {
        let (timeout, _) = terms(quirks);
        change(&mut response, &SESSION, |session| {
            let id = session.split(';').next().unwrap_or_default();
            format!("{id};timeout={}", timeout.as_secs())
        });
    }
    if quirks.rtsp_full_503 && response.status() == StatusCode::NotEnoughBandwidth {
        response.set_status(StatusCode::ServiceUnavailable);
    }
    match quirks.rtsp_header {
        None => {}
        Some(RtspHeader::TransportOrder) => change(&mut response, &TRANSPORT, |transport| {
            let mut parts: Vec<_> = transport.split(';').collect();
            parts[1..].reverse();
            parts.join(";")
        }),
        Some(RtspHeader::NoInterleaved) => change(&mut response, &TRANSPORT, |transport| {
            let parts = transport.split(';');
            let kept: Vec<_> = parts
                .filter(|part| !part.starts_with("interleaved="))
                .collect();
            kept.join(";")
        }),
        Some(RtspHeader::SchemelessBase) => change(&mut response, &CONTENT_BASE, |base| {
            base.trim_start_matches("rtsp://").to_owned()
        }),
        Some(RtspHeader::RtpInfoSemicolon) => change(&mut response, &RTP_INFO, |info| {
            info.replace(",url=", ";url=")
        }),
        Some(RtspHeader::RtpInfoSequence) => change(&mut response, &RTP_INFO, |info| {
            let wrong = |field: &str| {
                let digits = |c: char| !c.is_ascii_digit();
                let number = field.strip_prefix("seq=")?.split(digits).next()?;
                let sequence = number.parse::<u16>().ok()?.wrapping_add(20_000);
                Some(field.replace(number, &sequence.to_string()))
            };
            let fields = info.split_inclusive([';', ',']);
            fields
                .map(|field| wrong(field).unwrap_or_else(|| field.to_owned()))
                .collect()
        }),
        Some(RtspHeader::NoContentType) => response.remove_header(&CONTENT_TYPE),
        Some(RtspHeader::OddContentType) => change(&mut response, &CONTENT_TYPE, |kind| {
            kind.replace("application/sdp", "Application/SDP; charset=utf-8")
        }),
    }
    if *method == Method::Describe && response.status() == StatusCode::Ok {
        return response.map_body(|sdp| describe(quirks, sdp));
    }
    response
}

fn change(response: &mut Response, name: &HeaderName, change: impl FnOnce(&str) -> String) {
    if let Some(value) = response.header(name) {
        let value = change(value.as_str());
        response.insert_header(name.clone(), value);
    }
}

/// Makes a session description wrong.
fn describe(quirks: &Quirks, sdp: Vec<u8>) -> Vec<u8> {
    let Ok(sdp) = String::from_utf8(sdp) else {
        return Vec::new();
    };
    let lines = sdp.split("\r\n").map(|line| {
        if let (Some(lie), true) = (quirks.fps_lie, line.starts_with("a=framerate:")) {
            return format!("a=framerate:{lie}");
        }
        match line.split_once(' ') {
            Some((fmtp, parameters)) if fmtp.starts_with("a=fmtp:") => {
                let parameters = parameters.split(';').filter_map(|it| parameter(quirks, it));
                format!("{fmtp} {}", parameters.collect::<Vec<_>>().join(";"))
            }
            _ => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\r\n").into_bytes()
}

/// A parameter of a format; `None` where it is left out.
fn parameter(quirks: &Quirks, parameter: &str) -> Option<String> {
    let (name, value) = parameter.split_once('=')?;
    let has_sets = name.starts_with("sprop-");
    if has_sets && quirks.no_sprop {
        return None;
    }
    let value = match quirks.bad_sprop {
        Some(BadSprop::AnnexB) if has_sets => {
            each_set(value, |set| [&[0, 0, 0, 1], &set[..]].concat())
        }
        Some(BadSprop::MissingPps) if name == "sprop-pps" => return None,
        Some(BadSprop::MissingPps) if has_sets => {
            value.split(',').next().unwrap_or_default().to_owned()
        }
        Some(BadSprop::WrongLevel) if has_sets => each_set(value, |mut set| {
            // Of the SPS of H.264; the picture would be too large for this level.
            if set.first().is_some_and(|header| header & 0x1f == 7) {
                set[3] = 10;
            }
            set
        }),
        Some(BadSprop::WrongLevel) if name == "profile-level-id" => "42000a".to_owned(),
        Some(BadSprop::NoBase64) if has_sets => "?".to_owned(),
        _ => value.to_owned(),
    };
    Some(format!("{name}={value}"))
}

fn each_set(sets: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let sets = sets.split(',').filter_map(|set| BASE64.decode(set).ok());
    let sets: Vec<_> = sets.map(|set| BASE64.encode(change(set))).collect();
    sets.join(",")
}

#[cfg(test)]
mod tests {
    use rtsp_types::Version;

    use super::*;

    fn response(headers: &[(HeaderName, &str)], body: &str) -> Response {
        let mut response = rtsp_types::Response::builder(Version::V1_0, StatusCode::Ok)
            .build(body.as_bytes().to_vec());
        for (name, value) in headers {
            response.insert_header(name.clone(), *value);
        }
        response
    }

    fn header(quirks: &Quirks, name: HeaderName, value: &str) -> Option<String> {
        let response = response(&[(name.clone(), value)], "");
        let response = deviate(quirks, &Method::Setup, response);
        Some(response.header(&name)?.as_str().to_owned())
    }

    fn with_header(header: RtspHeader) -> Quirks {
        Quirks {
            rtsp_header: Some(header),
            ..Quirks::default()
        }
    }

    #[test]
    fn a_correct_camera_answers_correctly() {
        let sdp = "v=0\r\na=framerate:15\r\na=fmtp:96 profile-level-id=64001f;sprop-parameter-sets=AQ==,Ag==\r\n";
        let headers = [(SESSION, "1;timeout=60"), (CONTENT_TYPE, "application/sdp")];
        let answer = response(&headers, sdp);
        assert_eq!(
            deviate(&Quirks::default(), &Method::Describe, answer.clone()),
            answer
        );
    }

    #[test]
    fn headers_are_odd() {
        for (kind, name, value, expected) in [
            (
                RtspHeader::TransportOrder,
                TRANSPORT,
                "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1A",
                Some("RTP/AVP/TCP;ssrc=1A;interleaved=0-1;unicast"),
            ),
            (
                RtspHeader::NoInterleaved,
                TRANSPORT,
                "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1A",
                Some("RTP/AVP/TCP;unicast;ssrc=1A"),
            ),
            (
                RtspHeader::SchemelessBase,
                CONTENT_BASE,
                "rtsp://h:554/main/",
                Some("h:554/main/"),
            ),
            (
                RtspHeader::RtpInfoSemicolon,
                RTP_INFO,
                "url=rtsp://h/1;seq=1,url=rtsp://h/2;seq=2",
                Some("url=rtsp://h/1;seq=1;url=rtsp://h/2;seq=2"),
            ),
            (
                RtspHeader::RtpInfoSequence,
                RTP_INFO,
                "url=rtsp://h/1;seq=50000;rtptime=2,url=rtsp://h/2;seq=2",
                Some("url=rtsp://h/1;seq=4464;rtptime=2,url=rtsp://h/2;seq=20002"),
            ),
            (
                RtspHeader::NoContentType,
                CONTENT_TYPE,
                "application/sdp",
                None,
            ),
            (
                RtspHeader::OddContentType,
                CONTENT_TYPE,
                "application/sdp",
                Some("Application/SDP; charset=utf-8"),
            ),
        ] {
            assert_eq!(header(&with_header(kind), name, value).as_deref(), expected);
        }
    }

    #[test]
    fn descriptions_have_bad_parameter_sets() {
        let sps = BASE64.encode([0x67, 0x64, 0, 0x1f, 1]);
        let pps = BASE64.encode([0x68, 2]);
        let sdp = format!("a=fmtp:96 profile-level-id=64001f;sprop-parameter-sets={sps},{pps}");
        let described = |bad_sprop, no_sprop| {
            let quirks = Quirks {
                bad_sprop,
                no_sprop,
                ..Quirks::default()
            };
            let answer = deviate(&quirks, &Method::Describe, response(&[], &sdp));
            String::from_utf8(answer.into_body()).unwrap()
        };
        let fmtp = "a=fmtp:96 profile-level-id=64001f";
        assert_eq!(described(None, true), fmtp);
        let without = format!("{fmtp};sprop-parameter-sets={sps}");
        assert_eq!(described(Some(BadSprop::MissingPps), false), without);
        let annex_b = format!("{fmtp};sprop-parameter-sets=AAAAAWdkAB8B,AAAAAWgC");
        assert_eq!(described(Some(BadSprop::AnnexB), false), annex_b);
        let low = "a=fmtp:96 profile-level-id=42000a;sprop-parameter-sets=Z2QACgE=,aAI=";
        assert_eq!(described(Some(BadSprop::WrongLevel), false), low);
    }

    #[test]
    fn only_one_kind_of_request_keeps_a_session_alive() {
        let methods = [Method::Options, Method::GetParameter, Method::SetParameter];
        for (only, alive, refused) in [
            (None, [true, true, true], [false, false, false]),
            (
                Some(RtspKeepalive::Options),
                [true, false, false],
                [false, true, true],
            ),
            (
                Some(RtspKeepalive::SetParameter),
                [false, false, true],
                [false, true, false],
            ),
            (
                Some(RtspKeepalive::None),
                [false, false, false],
                [false, false, false],
            ),
        ] {
            let quirks = Quirks {
                rtsp_keepalive: only,
                ..Quirks::default()
            };
            let told = methods
                .each_ref()
                .map(|method| keeps_alive(&quirks, method));
            assert_eq!(told, alive, "{only:?}");
            let told = methods.each_ref().map(|method| refuses(&quirks, method));
            assert_eq!(told, refused, "{only:?}");
        }
    }
}
