//! The session description that DESCRIBE answers with (RFC 8866, RFC 6184).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::packetizer::PAYLOAD_TYPE;
use crate::clip::Clip;

/// The control path of the video track, below that of the stream.
pub(super) const TRACK: &str = "trackID=1";

/// Describes the one track of `clip`, served from `address`.
pub(super) fn describe(clip: &Clip, address: IpAddr) -> String {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let anywhere = if address.is_ipv4() { "0.0.0.0" } else { "::" };
    // Profile, constraints and level follow the header byte of the SPS.
    let profile_level_id = clip
        .sps()
        .iter()
        .skip(1)
        .take(3)
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let sps = BASE64.encode(clip.sps());
    let pps = BASE64.encode(clip.pps());
    let frame_rate = clip.frame_rate;
    [
        "v=0".to_owned(),
        format!("o=- 1 1 IN {family} {address}"),
        "s=Virtual camera".to_owned(),
        format!("c=IN {family} {anywhere}"),
        "t=0 0".to_owned(),
        "a=control:*".to_owned(),
        "a=range:npt=now-".to_owned(),
        format!("m=video 0 RTP/AVP {PAYLOAD_TYPE}"),
        format!("a=rtpmap:{PAYLOAD_TYPE} H264/90000"),
        format!(
            "a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile_level_id};\
             sprop-parameter-sets={sps},{pps}"
        ),
        format!("a=framerate:{frame_rate}"),
        format!("a=control:{TRACK}"),
        String::new(),
    ]
    .join("\r\n")
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn names_profile_parameter_sets_and_frame_rate() {
        let clip = Clip::built_in();
        let sdp = describe(&clip, Ipv4Addr::LOCALHOST.into());
        assert!(sdp.starts_with("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"));
        assert!(sdp.ends_with("a=framerate:15\r\na=control:trackID=1\r\n"));
        // High profile, level 3.1.
        assert!(sdp.contains(";profile-level-id=64001f;"));
        let sets = sdp.split("sprop-parameter-sets=").nth(1).unwrap();
        let sets: Vec<_> = sets.lines().next().unwrap().split(',').collect();
        assert_eq!(BASE64.decode(sets[0]).unwrap(), clip.sps()[..]);
        assert_eq!(BASE64.decode(sets[1]).unwrap(), clip.pps()[..]);
    }

    #[test]
    fn names_the_address_family() {
        let sdp = describe(&Clip::built_in(), Ipv6Addr::LOCALHOST.into());
        assert!(sdp.contains("o=- 1 1 IN IP6 ::1\r\n") && sdp.contains("c=IN IP6 ::\r\n"));
    }
}
