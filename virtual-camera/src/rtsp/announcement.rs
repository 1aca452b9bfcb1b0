//! The session description of a publisher (RFC 8866), as far as a media server needs it.

/// More media than any publisher has.
const MAX_TRACKS: usize = 8;

/// What a publisher says it will send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// `video`, `audio` or `application`.
    pub media: String,
    pub payload_type: u8,
    /// The name of the encoding, such as `H264`.
    pub encoding: String,
    /// RTP ticks a second.
    pub clock_rate: u32,
    /// The control address, relative or absolute.
    pub control: String,
    /// The lines that describe it, without the control address.
    pub lines: Vec<String>,
}

/// The media of a description; `None` where there are none, too many, or they are not understood.
pub(super) fn read(sdp: &str) -> Option<Vec<Announced>> {
    let mut tracks: Vec<Announced> = Vec::new();
    for line in sdp.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            if tracks.len() == MAX_TRACKS {
                return None;
            }
            tracks.push(medium(media)?);
        } else if let Some(track) = tracks.last_mut()
            && let Some(attribute) = line.strip_prefix("a=")
        {
            attribute_of(track, attribute);
        }
    }
    (!tracks.is_empty()).then_some(tracks)
}

/// Reads `video 0 RTP/AVP 96`.
fn medium(text: &str) -> Option<Announced> {
    let mut words = text.split_ascii_whitespace();
    let (media, _, protocol) = (words.next()?, words.next()?, words.next()?);
    if !protocol.starts_with("RTP/AVP") {
        return None;
    }
    let payload_type = words.next()?.parse().ok().filter(|number| *number < 128)?;
    // Those with fixed numbers need no word about it (RFC 3551, 6).
    let (encoding, clock_rate) = match payload_type {
        0 => ("PCMU", 8_000),
        8 => ("PCMA", 8_000),
        26 => ("JPEG", 90_000),
        _ => ("", 90_000),
    };
    Some(Announced {
        media: media.to_owned(),
        payload_type,
        encoding: encoding.to_owned(),
        clock_rate,
        control: String::new(),
        lines: vec![format!("m={media} 0 RTP/AVP {payload_type}")],
    })
}

fn attribute_of(track: &mut Announced, attribute: &str) {
    if let Some(control) = attribute.strip_prefix("control:") {
        control.trim().clone_into(&mut track.control);
        return;
    }
    if let Some(map) = attribute.strip_prefix("rtpmap:")
        && let Some((number, encoding)) = map.split_once(' ')
        && number.parse() == Ok(track.payload_type)
    {
        let mut parts = encoding.trim().split('/');
        track.encoding = parts.next().unwrap_or_default().to_ascii_uppercase();
        let rate = parts.next().and_then(|rate| rate.parse().ok());
        track.clock_rate = rate.filter(|rate| *rate > 0).unwrap_or(track.clock_rate);
    }
    track.lines.push(format!("a={attribute}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ffmpeg_announces() {
        let sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
            a=tool:libavformat\r\nm=video 0 RTP/AVP 96\r\nb=AS:200\r\na=rtpmap:96 H264/90000\r\n\
            a=fmtp:96 packetization-mode=1\r\na=control:streamid=0\r\nm=audio 0 RTP/AVP 0\r\n\
            a=control:streamid=1\r\n";
        let tracks = read(sdp).unwrap();
        assert_eq!(tracks.len(), 2);
        assert_eq!(
            (tracks[0].encoding.as_str(), tracks[0].clock_rate),
            ("H264", 90_000)
        );
        assert_eq!(tracks[0].control, "streamid=0");
        assert_eq!(
            tracks[0].lines,
            [
                "m=video 0 RTP/AVP 96",
                "a=rtpmap:96 H264/90000",
                "a=fmtp:96 packetization-mode=1"
            ]
        );
        assert_eq!(
            (tracks[1].encoding.as_str(), tracks[1].clock_rate),
            ("PCMU", 8_000)
        );
    }

    #[test]
    fn refuses_what_has_no_media_or_too_many() {
        assert_eq!(read(""), None);
        assert_eq!(read("v=0\r\nm=video"), None);
        assert_eq!(read("m=video 0 RTP/SAVP 96"), None);
        assert_eq!(read("m=video 0 RTP/AVP 200"), None);
        assert_eq!(read(&"m=video 0 RTP/AVP 96\r\n".repeat(9)), None);
    }
}
