//! The session description that DESCRIBE answers with (RFC 8866).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use super::track::{Track, control};
use crate::clip::{Clip, Codec};

/// Describes the tracks of a stream, served from `address`.
pub(super) fn describe(tracks: &[Track], address: IpAddr) -> String {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let anywhere = if address.is_ipv4() { "0.0.0.0" } else { "::" };
    let mut lines = vec![
        "v=0".to_owned(),
        format!("o=- 1 1 IN {family} {address}"),
        "s=Virtual camera".to_owned(),
        format!("c=IN {family} {anywhere}"),
        "t=0 0".to_owned(),
        "a=control:*".to_owned(),
        "a=range:npt=now-".to_owned(),
    ];
    for (index, track) in tracks.iter().enumerate() {
        lines.extend(describe_track(track));
        lines.push(format!("a=control:{}", control(index)));
    }
    lines.push(String::new());
    lines.join("\r\n")
}

fn describe_track(track: &Track) -> Vec<String> {
    let number = track.payload_type();
    let (medium, encoding, format) = match track {
        Track::Clip(clip) => describe_clip(clip),
        Track::Metadata => ("application", "vnd.onvif.metadata", None),
        Track::Tape(tape) => return tape.announced.lines.clone(),
    };
    let clock_rate = track.pace().clock_rate;
    let mut lines = vec![
        format!("m={medium} 0 RTP/AVP {number}"),
        format!("a=rtpmap:{number} {encoding}/{clock_rate}"),
    ];
    lines.extend(format.map(|format| format!("a=fmtp:{number} {format}")));
    if let Track::Clip(clip) = track
        && clip.frame_rate > 0
    {
        lines.push(format!("a=framerate:{}", clip.frame_rate));
    }
    lines
}

/// Its medium, the name of its encoding, and the parameters of that.
fn describe_clip(clip: &Clip) -> (&'static str, &'static str, Option<String>) {
    let sets: Vec<_> = clip
        .parameters()
        .iter()
        .map(|set| BASE64.encode(set))
        .collect();
    let hexadecimal = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    match clip.codec {
        // RFC 6184, 8.1: profile, constraints and level follow the header byte of the SPS.
        Codec::H264 => {
            let sps = clip
                .parameters()
                .first()
                .map(Bytes::as_ref)
                .unwrap_or_default();
            let profile_level_id = hexadecimal(sps.get(1..4).unwrap_or_default());
            let format = format!(
                "packetization-mode=1;profile-level-id={profile_level_id};sprop-parameter-sets={}",
                sets.join(",")
            );
            ("video", "H264", Some(format))
        }
        // RFC 7798, 7.1.
        Codec::H265 => {
            let names = ["sprop-vps", "sprop-sps", "sprop-pps"];
            let format: Vec<_> = names
                .iter()
                .zip(sets)
                .map(|(name, set)| format!("{name}={set}"))
                .collect();
            ("video", "H265", Some(format.join(";")))
        }
        Codec::Jpeg => ("video", "JPEG", None),
        // RFC 3640, 4.1.
        Codec::Aac => {
            let config: String = clip
                .parameters()
                .iter()
                .map(|config| hexadecimal(config))
                .collect();
            let format = format!(
                "streamtype=5;profile-level-id=15;mode=AAC-hbr;config={config};sizelength=13;indexlength=3;\
                 indexdeltalength=3"
            );
            ("audio", "mpeg4-generic", Some(format))
        }
        Codec::Pcmu => ("audio", "PCMU", None),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn tracks(codecs: &[Codec]) -> Vec<Track> {
        let codecs = codecs.iter();
        codecs.map(|codec| Track::Clip(Clip::of(*codec))).collect()
    }

    #[test]
    fn names_profile_parameter_sets_and_frame_rate() {
        let clip = Clip::of(Codec::H264);
        let sdp = describe(&tracks(&[Codec::H264]), Ipv4Addr::LOCALHOST.into());
        assert!(sdp.starts_with("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"));
        assert!(sdp.ends_with("a=framerate:15\r\na=control:trackID=1\r\n"));
        // High profile, level 3.1.
        assert!(sdp.contains(";profile-level-id=64001f;"));
        let sets = sdp.split("sprop-parameter-sets=").nth(1).unwrap();
        let sets: Vec<_> = sets.lines().next().unwrap().split(',').collect();
        assert_eq!(BASE64.decode(sets[0]).unwrap(), clip.parameters()[0][..]);
        assert_eq!(BASE64.decode(sets[1]).unwrap(), clip.parameters()[1][..]);
    }

    #[test]
    fn describes_every_codec_and_metadata() {
        let mut tracks = tracks(&[Codec::H265, Codec::Jpeg, Codec::Aac, Codec::Pcmu]);
        tracks.push(Track::Metadata);
        let sdp = describe(&tracks, Ipv4Addr::LOCALHOST.into());
        for line in [
            "a=rtpmap:96 H265/90000",
            "m=video 0 RTP/AVP 26",
            "a=rtpmap:97 mpeg4-generic/16000",
            "m=audio 0 RTP/AVP 0",
            "m=application 0 RTP/AVP 107",
            "a=rtpmap:107 vnd.onvif.metadata/90000",
            "a=control:trackID=5",
        ] {
            assert!(sdp.contains(&format!("{line}\r\n")), "{line}");
        }
        assert!(sdp.contains("a=fmtp:96 sprop-vps=") && sdp.contains(";config=1408;"));
    }

    #[test]
    fn names_the_address_family() {
        let sdp = describe(&tracks(&[Codec::H264]), Ipv6Addr::LOCALHOST.into());
        assert!(sdp.contains("o=- 1 1 IN IP6 ::1\r\n") && sdp.contains("c=IN IP6 ::\r\n"));
    }
}
