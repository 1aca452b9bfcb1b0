//! Documents without what nobody shall read in them; pure.

use quick_xml::Writer;
use quick_xml::events::{BytesText, Event};
use quick_xml::reader::Reader;

/// What stands where something was.
const BLANK: &str = "***";
/// Elements whose content is secret.
const SECRETS: [&str; 6] = [
    "Password",
    "Nonce",
    "Secret",
    "PrivateKey",
    "Psk",
    "Passphrase",
];
/// Elements that tell one unit from another.
const SERIALS: [&str; 3] = ["SerialNumber", "HwAddress", "GUID"];
/// Arguments in queries of addresses that are secret.
const ARGUMENTS: [&str; 8] = [
    "user", "username", "usr", "password", "passwd", "pwd", "pass", "token",
];

/// The document without its `Security` header, and with passwords, nonces and credentials in addresses blanked; with `serials`
/// serial numbers too. `None` where it is no XML.
pub(super) fn document(document: &[u8], serials: bool) -> Option<String> {
    let text = String::from_utf8_lossy(document);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    let mut writer = Writer::new(Vec::with_capacity(document.len()));
    // Names of the elements that are open.
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = start.local_name().into_inner().to_owned();
                let secret = SECRETS.contains(&name.as_str())
                    || (serials && SERIALS.contains(&name.as_str()));
                if name == "Security" && open.last().is_some_and(|parent| parent == "Header") {
                    skip(&mut reader)?;
                } else if secret {
                    let end = start.to_end().into_owned();
                    writer.write_event(Event::Start(start)).ok()?;
                    skip(&mut reader)?;
                    writer
                        .write_event(Event::Text(BytesText::new(BLANK)))
                        .ok()?;
                    writer.write_event(Event::End(end)).ok()?;
                } else {
                    open.push(name);
                    writer.write_event(Event::Start(start)).ok()?;
                }
            }
            Event::End(end) => {
                open.pop()?;
                writer.write_event(Event::End(end)).ok()?;
            }
            Event::Eof if open.is_empty() => break,
            Event::Eof => return None,
            event => writer.write_event(event).ok()?,
        }
    }
    let written = String::from_utf8(writer.into_inner()).ok()?;
    // What holds no element is no document.
    written.contains('<').then(|| without_credentials(&written))
}

/// Leaves the element that has begun.
fn skip(reader: &mut Reader<&[u8]>) -> Option<()> {
    let mut depth = 1usize;
    while depth > 0 {
        match reader.read_event().ok()? {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Eof => return None,
            _ => {}
        }
    }
    Some(())
}

/// Blanks `user:password@` and the arguments that are credentials, in addresses.
fn without_credentials(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        let end = url.find(['<', '"', '\'', ' ', '\t', '\r', '\n']);
        let (url, after) = url.split_at(end.unwrap_or(url.len()));
        written.push_str(before);
        let authority = url.find(['/', '?', '#']).unwrap_or(url.len());
        let url = match url[..authority].rfind('@') {
            Some(at) => &url[at + 1..],
            None => url,
        };
        for part in url.split_inclusive(['?', '&', ';']) {
            let secret = part.split_once('=').filter(|(name, _)| {
                let name = name.to_ascii_lowercase();
                ARGUMENTS.contains(&name.as_str())
            });
            match secret {
                Some((name, value)) => {
                    let next = value.find('&').map_or("", |at| &value[at..]);
                    written.push_str(&format!("{name}={BLANK}{next}"));
                }
                None => written.push_str(part),
            }
        }
        rest = after;
    }
    written + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_and_the_rest_stays() {
        let given = "<e:Envelope xmlns:e='urn:e'><e:Header><w:Security xmlns:w='urn:w'><w:Nonce>abc</w:Nonce>\
            <x>secret</x></w:Security></e:Header><e:Body><tds:User><tt:Username>ann</tt:Username>\
            <tt:Password>sec&amp;ret</tt:Password></tds:User><tds:Security TLS1.2='true'>x</tds:Security>\
            <tds:SerialNumber>X77</tds:SerialNumber></e:Body></e:Envelope>";
        let kept = document(given.as_bytes(), false).unwrap();
        for secret in ["abc", "secret", "sec&amp;ret"] {
            assert!(!kept.contains(secret), "{kept}");
        }
        for rest in [
            "ann",
            "<tt:Password>***</tt:Password>",
            "TLS1.2",
            "X77",
            "xmlns:e='urn:e'",
        ] {
            assert!(kept.contains(rest), "{rest} is not in {kept}");
        }
        assert!(!document(given.as_bytes(), true).unwrap().contains("X77"));
    }

    #[test]
    fn credentials_in_addresses_are_blanked() {
        for (given, kept) in [
            ("rtsp://ann:secret@10.0.0.1/live", "rtsp://10.0.0.1/live"),
            (
                "rtsp://ann:p@ss@10.0.0.1:554/live",
                "rtsp://10.0.0.1:554/live",
            ),
            (
                "http://10.0.0.1/snap?user=ann&amp;pwd=secret&amp;channel=1",
                "http://10.0.0.1/snap?user=***&amp;pwd=***&amp;channel=1",
            ),
            (
                "rtsp://10.0.0.1/live?channel=1&PASSWORD=secret",
                "rtsp://10.0.0.1/live?channel=1&PASSWORD=***",
            ),
            ("http://10.0.0.1/a@b?x=1", "http://10.0.0.1/a@b?x=1"),
        ] {
            let text = format!("<Uri>{given}</Uri> and ://");
            assert_eq!(
                without_credentials(&text),
                format!("<Uri>{kept}</Uri> and ://")
            );
        }
    }

    #[test]
    fn what_is_no_document_is_not_kept() {
        for given in ["", "Please log in", "<a><b>", "</a>", "<a><Password>secret"] {
            assert_eq!(document(given.as_bytes(), false), None, "{given}");
        }
    }
}
