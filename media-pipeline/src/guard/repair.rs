//! What is known to be wrong with answers of cameras, put right before retina reads them. Pure.

use super::framing::Message;

/// Puts an answer right. Returns the source that it announces for the packets of a track: it is no more than a hint,
/// because some cameras announce one and use another.
pub(super) fn repair(request: &Message, response: &mut Message) -> Option<u32> {
    // Tracks are separated by commas (RFC 2326 section 12.33); some cameras write a semicolon.
    change(response, "RTP-Info", |info| info.replace(";url=", ",url="));
    // retina takes `application/sdp` letter by letter.
    change(response, "Content-Type", |kind| {
        let is_sdp = kind.to_ascii_lowercase().contains("sdp");
        if is_sdp { "application/sdp" } else { kind }.to_owned()
    });
    let announced = source(response.header("Transport")?);
    let wanted = request.header("Transport").and_then(interleaved);
    change(response, "Transport", |transport| {
        let parts = transport.split(';').map(str::trim);
        let parts = parts.filter(|part| parameter(part, "ssrc").is_none() && !part.is_empty());
        let mut transport = parts.collect::<Vec<_>>().join(";");
        // Where the camera does not name channels, they are those that were asked for.
        if let Some(wanted) = wanted
            && interleaved(&transport).is_none()
        {
            transport.push_str(";interleaved=");
            transport.push_str(wanted);
        }
        transport
    });
    announced
}

/// The channel of RTP packets in an answer to SETUP.
pub(super) fn channel(response: &Message) -> Option<u8> {
    let channels = interleaved(response.header("Transport")?)?;
    channels.split('-').next()?.trim().parse().ok()
}

fn change(response: &mut Message, name: &str, change: impl FnOnce(&str) -> String) {
    if let Some(value) = response.header(name) {
        let value = change(value);
        response.set(name, value);
    }
}

fn interleaved(transport: &str) -> Option<&str> {
    transport
        .split(';')
        .find_map(|part| parameter(part, "interleaved"))
}

/// Eight hexadecimal digits (RFC 2326 section 12.39), of which leading zeros may be missing. Half as many are something else.
fn source(transport: &str) -> Option<u32> {
    let digits = transport
        .split(';')
        .find_map(|part| parameter(part, "ssrc"))?;
    (digits.len() > 4)
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

fn parameter<'a>(part: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = part.split_once('=')?;
    key.trim()
        .eq_ignore_ascii_case(name)
        .then_some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &[(&str, &str)]) -> Message {
        let headers = headers.iter();
        Message {
            line: String::new(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Default::default(),
        }
    }

    fn repaired(asked: &str, answered: &str) -> (Option<u32>, Option<u8>, String) {
        let mut response = message(&[("Transport", answered)]);
        let announced = repair(&message(&[("Transport", asked)]), &mut response);
        let transport = response.header("Transport").unwrap().to_owned();
        (announced, channel(&response), transport)
    }

    #[test]
    fn channels_that_are_not_named_are_those_that_were_asked_for() {
        let asked = "RTP/AVP/TCP;unicast;interleaved=2-3";
        let expected = "RTP/AVP/TCP;unicast;interleaved=2-3".to_owned();
        let answer = repaired(asked, "RTP/AVP/TCP;unicast");
        assert_eq!(answer, (None, Some(2), expected));
        let expected = "RTP/AVP/TCP;unicast;interleaved=4-5".to_owned();
        let answer = repaired(asked, "RTP/AVP/TCP; unicast; interleaved=4-5;");
        assert_eq!(answer, (None, Some(4), expected));
        let udp = "RTP/AVP;unicast;client_port=6000-6001;server_port=7000-7001";
        assert_eq!(
            repaired("RTP/AVP;unicast;client_port=6000-6001", udp).2,
            udp
        );
    }

    #[test]
    fn the_source_is_a_hint_and_no_more() {
        let asked = "RTP/AVP/TCP;unicast;interleaved=0-1";
        for (ssrc, expected) in [
            ("30A98EE7", Some(0x30a9_8ee7)),
            (" d6d6627", Some(0x0d6d_6627)),
            ("0x6f7c", None),
            ("A046", None),
            ("nonsense", None),
        ] {
            let (announced, _, transport) = repaired(asked, &format!("{asked};ssrc={ssrc}"));
            assert_eq!(announced, expected, "{ssrc}");
            assert_eq!(transport, asked);
        }
    }

    #[test]
    fn other_headers_are_written_as_retina_reads_them() {
        let mut response = message(&[
            ("RTP-Info", "url=a;seq=1;rtptime=2;url=b;seq=3"),
            ("Content-Type", "Application/SDP; charset=utf-8"),
        ]);
        assert_eq!(repair(&message(&[]), &mut response), None);
        let expected = "url=a;seq=1;rtptime=2,url=b;seq=3";
        assert_eq!(response.header("RTP-Info"), Some(expected));
        assert_eq!(response.header("Content-Type"), Some("application/sdp"));
    }
}
