//! Credentials in the query of an address.

use url::Url;

/// Whether something in the query looks like credentials.
pub(in crate::source) fn has_credentials(url: &Url) -> bool {
    url.query()
        .is_some_and(|query| query.split('&').any(is_credential))
}

/// The URL without what looks like credentials in its query: cameras that get them there and in a header refuse the
/// request.
pub(in crate::source) fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    if has_credentials(&url) {
        let query = url.query().unwrap_or_default();
        let rest: Vec<_> = query
            .split('&')
            .filter(|pair| !is_credential(pair))
            .collect();
        let rest = rest.join("&");
        url.set_query(Some(rest.as_str()).filter(|rest| !rest.is_empty()));
    }
    url
}

fn is_credential(pair: &str) -> bool {
    const NAMES: [&str; 9] = [
        "user", "usr", "username", "loginuse", "password", "passwd", "pass", "pwd", "loginpas",
    ];
    let name = pair.split('=').next().unwrap_or_default();
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_query_are_taken_out_and_nothing_else_changes() {
        for (url, expected) in [
            (
                "http://cam/s?chn=1&usr=admin&pwd=x%26y",
                "http://cam/s?chn=1",
            ),
            ("http://cam/s?User=a&Password=b", "http://cam/s"),
            (
                "http://cam/s?users=2&c=a%20b",
                "http://cam/s?users=2&c=a%20b",
            ),
            ("http://cam/s", "http://cam/s"),
        ] {
            let url = Url::parse(url).unwrap();
            let without = without_credentials(&url);
            assert_eq!(without.as_str(), expected);
            assert_eq!(has_credentials(&url), without != url);
        }
    }
}
