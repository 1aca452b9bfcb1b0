//! URLs for logs and errors.

use url::Url;

/// A URL without what may be a secret: some cameras want the password in the path or query.
pub(crate) fn label(url: &Url) -> String {
    const SECRETS: [&str; 9] = [
        "pass", "pwd", "user", "usr", "loginuse", "loginpas", "auth", "token", "key",
    ];
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let text = url.to_string();
    let parts = text
        .split_inclusive(['/', '?', '&', ';'])
        .map(|part| match part.split_once('=') {
            Some((key, value))
                if SECRETS
                    .iter()
                    .any(|secret| part.to_ascii_lowercase().contains(secret)) =>
            {
                let end = value.find(['/', '?', '&', ';']).unwrap_or(value.len());
                format!("{key}=***{}", &value[end..])
            }
            _ => part.to_owned(),
        });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_what_tells_streams_apart_and_hide_secrets() {
        for (url, expected) in [
            (
                "rtsp://192.0.2.7:554/cam/realmonitor?channel=1&subtype=0",
                "rtsp://192.0.2.7:554/cam/realmonitor?channel=1&subtype=0",
            ),
            (
                "rtsp://admin:hunter2@192.0.2.7/live",
                "rtsp://192.0.2.7/live",
            ),
            (
                "rtsp://192.0.2.7/live?Password=hunter2&channel=1",
                "rtsp://192.0.2.7/live?Password=***&channel=1",
            ),
            (
                "rtsp://192.0.2.7/user=admin_password=hunter2_channel=1",
                "rtsp://192.0.2.7/user=***",
            ),
        ] {
            assert_eq!(label(&url.parse().unwrap()), expected);
        }
    }
}
