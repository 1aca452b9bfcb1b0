//! The session description that a media server is given (RFC 8866). Pure.

use std::fmt::Write as _;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::clip::Track;
use crate::{AudioParameters, Codec, VideoParameters, h264, h265};

/// The first payload type that is free (RFC 3551 section 3).
const DYNAMIC: u8 = 96;

/// Describes the tracks, in their order. `session` is a number that no other session of this host has.
pub(super) fn describe(tracks: &[Track], local: IpAddr, session: u64) -> String {
    let (family, any) = match local {
        IpAddr::V4(_) => ("IP4", "0.0.0.0"),
        IpAddr::V6(_) => ("IP6", "::"),
    };
    let mut sdp = format!(
        "v=0\r\no=- {session} 1 IN {family} {local}\r\ns=Stream\r\nc=IN {family} {any}\r\nt=0 0\r\n"
    );
    for (index, track) in tracks.iter().enumerate() {
        let number = payload_type(index, track);
        let media = if track.audio().is_some() {
            "audio"
        } else {
            "video"
        };
        let encoding = encoding(track);
        // Writing to a String does not fail.
        let _ = write!(
            sdp,
            "m={media} 0 RTP/AVP {number}\r\na=rtpmap:{number} {encoding}\r\n"
        );
        if let Some(format) = format(track) {
            let _ = write!(sdp, "a=fmtp:{number} {format}\r\n");
        }
        let _ = write!(sdp, "a=control:{}\r\n", control(index));
    }
    sdp
}

/// Where a track is set up, below the URL of the session.
pub(super) fn control(index: usize) -> String {
    format!("streamid={index}")
}

/// The payload type of a track.
pub(super) fn payload_type(index: usize, track: &Track) -> u8 {
    let telephone = track
        .audio()
        .is_some_and(|audio| audio.sample_rate == 8_000 && audio.channels == 1);
    match track.codec {
        Codec::Pcmu if telephone => 0,
        Codec::Pcma if telephone => 8,
        Codec::Jpeg => 26,
        _ => DYNAMIC + index as u8,
    }
}

fn encoding(track: &Track) -> String {
    let name = match track.codec {
        Codec::H264 => "H264",
        Codec::H265 => "H265",
        Codec::Jpeg => "JPEG",
        Codec::Aac => "MPEG4-GENERIC",
        Codec::Pcma => "PCMA",
        _ => "PCMU",
    };
    match track.audio() {
        Some(audio) => format!("{name}/{}/{}", audio.sample_rate, audio.channels),
        None => format!("{name}/{}", track.timescale),
    }
}

fn format(track: &Track) -> Option<String> {
    match (track.codec, track.video(), track.audio()) {
        (Codec::H264, Some(video), _) => Some(h264_format(video)),
        (Codec::H265, Some(video), _) => Some(h265_format(video)),
        (Codec::Aac, _, Some(audio)) => Some(aac_format(audio)),
        _ => None,
    }
}

/// RFC 6184 section 8.1.
fn h264_format(video: &VideoParameters) -> String {
    let (sps, pps): (Vec<_>, Vec<_>) = video.sets.iter().partition(|set| h264::is_sps(set));
    let mut format = "packetization-mode=1".to_owned();
    if let Some([_, profile, constraints, level, ..]) = sps.first().map(|sps| &sps[..]) {
        let _ = write!(
            format,
            ";profile-level-id={profile:02X}{constraints:02X}{level:02X}"
        );
    }
    let sets: Vec<_> = sps
        .iter()
        .chain(&pps)
        .map(|set| BASE64.encode(set))
        .collect();
    if !sets.is_empty() {
        let _ = write!(format, ";sprop-parameter-sets={}", sets.join(","));
    }
    format
}

/// RFC 7798 section 7.1.
fn h265_format(video: &VideoParameters) -> String {
    const NAMES: [(u8, &str); 3] = [(32, "sprop-vps"), (33, "sprop-sps"), (34, "sprop-pps")];
    let parts = NAMES.iter().filter_map(|(kind, name)| {
        let of_kind = video
            .sets
            .iter()
            .filter(|set| h265::nal_type(set) == Some(*kind));
        let sets: Vec<_> = of_kind.map(|set| BASE64.encode(set)).collect();
        (!sets.is_empty()).then(|| format!("{name}={}", sets.join(",")))
    });
    parts.collect::<Vec<_>>().join(";")
}

/// RFC 3640 section 4.1, mode `AAC-hbr`.
fn aac_format(audio: &AudioParameters) -> String {
    let config: String = audio
        .config
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    format!(
        "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config={config}"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::Parameters;

    fn video(codec: Codec, sets: &[&'static [u8]]) -> Track {
        let sets = sets.iter().map(|set| Bytes::from_static(set)).collect();
        Track {
            codec,
            parameters: Arc::new(Parameters::Video(VideoParameters {
                width: 64,
                height: 48,
                sets,
            })),
            timescale: 90_000,
        }
    }

    fn audio(codec: Codec, rate: u32, channels: u16, config: &'static [u8]) -> Track {
        let config = Bytes::from_static(config);
        Track {
            codec,
            parameters: Arc::new(Parameters::Audio(AudioParameters::new(
                rate, channels, config,
            ))),
            timescale: rate,
        }
    }

    #[test]
    fn every_track_is_described_with_what_a_reader_needs_to_decode_it() {
        let tracks = [
            video(Codec::H264, &[&[0x68, 9], &[0x67, 0x42, 0xc0, 0x0a, 1]]),
            audio(Codec::Aac, 48_000, 2, &[0x11, 0x90]),
            audio(Codec::Pcmu, 8_000, 1, &[]),
            audio(Codec::Pcma, 16_000, 1, &[]),
        ];
        let sdp = describe(&tracks, IpAddr::from([192, 0, 2, 1]), 77);
        assert_eq!(
            sdp,
            "v=0\r\no=- 77 1 IN IP4 192.0.2.1\r\ns=Stream\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n\
             m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
             a=fmtp:96 packetization-mode=1;profile-level-id=42C00A;sprop-parameter-sets=Z0LACgE=,aAk=\r\n\
             a=control:streamid=0\r\n\
             m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\n\
             a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190\r\n\
             a=control:streamid=1\r\n\
             m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000/1\r\na=control:streamid=2\r\n\
             m=audio 0 RTP/AVP 99\r\na=rtpmap:99 PCMA/16000/1\r\na=control:streamid=3\r\n"
        );
    }

    #[test]
    fn parameter_sets_of_h265_go_by_their_kind() {
        let tracks = [video(
            Codec::H265,
            &[&[0x40, 1, 7], &[0x42, 1, 8], &[0x44, 1, 9]],
        )];
        let sdp = describe(&tracks, IpAddr::from([0; 16]), 1);
        assert!(sdp.contains("IN IP6 ::\r\n"), "{sdp}");
        let line = "a=fmtp:96 sprop-vps=QAEH;sprop-sps=QgEI;sprop-pps=RAEJ\r\n";
        assert!(sdp.contains(line), "{sdp}");
    }

    #[test]
    fn jpeg_has_its_fixed_number() {
        let sdp = describe(&[video(Codec::Jpeg, &[])], IpAddr::from([0; 4]), 1);
        assert!(
            sdp.contains("m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\na=control:"),
            "{sdp}"
        );
    }
}
