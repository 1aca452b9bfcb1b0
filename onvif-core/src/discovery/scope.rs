//! Scopes: matching and reading. Pure.

/// Whether a scope is the other or an ancestor of it, segment by segment (WS-Discovery, section 5.1,
/// matching by RFC 2396). Scheme and authority have no case.
pub(super) fn is_above(asked: &str, own: &str) -> bool {
    match (split(asked), split(own)) {
        (Some((root, asked)), Some((other, own))) => {
            root.eq_ignore_ascii_case(other) && starts_with(own, asked)
        }
        _ => asked == own,
    }
}

/// The scheme with the authority, and the path.
fn split(scope: &str) -> Option<(&str, &str)> {
    let authority = scope.find("://")? + 3;
    let end = scope[authority..]
        .find('/')
        .map_or(scope.len(), |at| authority + at);
    Some(scope.split_at(end))
}

fn starts_with(path: &str, beginning: &str) -> bool {
    let segments = |path: &'_ str| -> Vec<String> {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        segments.map(percent_decode).collect()
    };
    segments(path).starts_with(&segments(beginning))
}

/// Replaces `%20` and the like. What is no UTF-8 afterwards is replaced, what is no escape stays.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = match (first, tail) {
            (b'%', [high, low, ..]) => (*high as char)
                .to_digit(16)
                .zip((*low as char).to_digit(16)),
            _ => None,
        };
        match hex {
            Some((high, low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_matches_itself_and_what_is_below_it() {
        let own = "onvif://www.onvif.org/location/Hall%20A/Gate";
        for asked in [
            "onvif://www.onvif.org",
            "ONVIF://WWW.onvif.org/location/",
            "onvif://www.onvif.org/location/Hall%20A",
            "onvif://www.onvif.org/location/Hall A/Gate",
            own,
        ] {
            assert!(is_above(asked, own), "{asked}");
        }
        for asked in [
            "onvif://www.onvif.org/loc",
            "onvif://www.onvif.org/location/hall%20a",
            "onvif://www.onvif.org/location/Hall%20A/Gate/2",
            "onvif://example.org/location",
            "location",
            "",
        ] {
            assert!(!is_above(asked, own), "{asked}");
        }
        assert!(is_above("plain", "plain"));
    }

    #[test]
    fn escapes_are_decoded_and_broken_ones_stay() {
        assert_eq!(percent_decode("Front%20Door"), "Front Door");
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%+1%zz%ff"), "%+1%zz\u{fffd}");
    }
}
