//! Addresses that cameras hand out, without the passwords that some put into them.

use url::Url;

/// Names of parameters that hold a secret, in lower case.
const NAMES: [&str; 15] = [
    "password",
    "passwd",
    "passwort",
    "pass",
    "pwd",
    "psw",
    "pw",
    "loginpas",
    "loginpass",
    "usrpwd",
    "secret",
    "token",
    "auth",
    "key",
    "pincode",
];
const HIDDEN: &str = "***";

/// The address as it may be shown: without credentials before the host, and with `***` for what the query or the path
/// calls a password, as in `/user=admin_password=…_channel=1` of Xiongmai.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Fails only for addresses that cannot have any.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    shown_text(url.as_str())
}

/// The same for text that may hold an address.
pub fn shown_text(text: &str) -> String {
    let text = without_userinfo(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut in_query = false;
    while let Some(at) = rest.find('=') {
        let (name, value) = rest.split_at(at + 1);
        in_query |= name.contains('?');
        let start = name
            .trim_end_matches('=')
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |before| before + 1);
        let word = name[start..].trim_end_matches('=').to_ascii_lowercase();
        out.push_str(name);
        rest = value;
        if NAMES.contains(&word.as_str()) {
            let end = end_of(value, in_query);
            if end > 0 {
                out.push_str(HIDDEN);
            }
            rest = &value[end..];
        }
    }
    out.push_str(rest);
    out
}

/// Where the value of a parameter ends: in a query at the next parameter; in a path also where `_name=` begins one.
fn end_of(value: &str, in_query: bool) -> usize {
    let hard = value.find(['&', '"', '<', ' ']).unwrap_or(value.len());
    if in_query {
        return hard;
    }
    let hard = value[..hard].find(['/', '?', ';']).unwrap_or(hard);
    let parameters = value[..hard].match_indices('_').find(|(at, _)| {
        let next = &value[at + 1..hard];
        let name = next.split('=').next().unwrap_or_default();
        name.len() < next.len()
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric())
    });
    parameters.map_or(hard, |(at, _)| at)
}

/// What stands between `://` and an `@` before the path is left out.
fn without_userinfo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, authority) = rest.split_at(at + 3);
        out.push_str(before);
        let end = authority
            .find(['/', '?', '#', ' ', '"', '<'])
            .unwrap_or(authority.len());
        let host = authority[..end].rfind('@').map_or(0, |at| at + 1);
        out.push_str(&authority[host..end]);
        rest = &authority[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        for (address, expected) in [
            ("rtsp://u:p@h/s?a=1", "rtsp://h/s?a=1"),
            (
                "http://h/s.jpg?user=u&pwd=p_x&n=1",
                "http://h/s.jpg?user=u&pwd=***&n=1",
            ),
            ("http://h/s?PASSWORD=p", "http://h/s?PASSWORD=***"),
            (
                "rtsp://h/user=admin_password=tl_Jw_channel=1_stream=0.sdp?real_stream",
                "rtsp://h/user=admin_password=***_channel=1_stream=0.sdp?real_stream",
            ),
            ("rtsp://h/live/ch0?compass=n", "rtsp://h/live/ch0?compass=n"),
            ("http://h/a?pwd=&x=1", "http://h/a?pwd=&x=1"),
        ] {
            assert_eq!(shown(&Url::parse(address).unwrap()), expected);
        }
    }

    #[test]
    fn addresses_inside_of_text_lose_theirs_too() {
        assert_eq!(
            shown_text("<tt:Uri>rtsp://u:p@h/x?pwd=p&amp;a=1</tt:Uri>"),
            "<tt:Uri>rtsp://h/x?pwd=***&amp;a=1</tt:Uri>"
        );
    }
}
