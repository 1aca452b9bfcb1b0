//! Quirks of camera families, by name.

use super::Quirks;
use crate::error::Error;

/// Row of docs/quirks.md, switch, value, and the families that the row names. What makes a camera useless as a whole, such as
/// pulls that always fail, belongs to single firmwares and to no family.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str, &[&str])] = &[
    ("C01", "clock_offset", "-31536000", &["axis", "dahua"]),
    ("C01", "max_skew", "5", &["axis", "dahua"]),
    ("C02", "datetime_requires_auth", "true", HIKVISION),
    ("C02", "fault_text", "Unauthorized", HIKVISION),
    ("C03", "utc_is_local", "7200", &["ezviz"]),
    ("C04", "bad_datetime", "minute-overflow", &["asecam"]),
    ("C05", "reject_offset_tz", "true", &["amcrest"]),
    ("C06", "max_nonce_len", "16", HIKVISION),
    ("C07", "wsse_prefix", "reject", &["bosch", "hanwha"]),
    ("C07", "wsse_prefix", "require", &["esp32"]),
    ("C09", "digest_algorithms", r#"["sha256"]"#, HIKVISION),
    ("C10", "sha256_broken", "true", &["dahua", "imou"]),
    ("C11", "require_prefixes", "true", TAPO),
    ("C12", "require_wsa", "true", &["xiongmai", "wanscam", "reolink"]),
    ("C15", "fault_undeclared_ns", "true", &["wanscam", "escam"]),
    ("C16", "bad_utf8", "true", &["vikviz"]),
    ("C18", "uri_bad_ipv6", "true", &["d-link"]),
    ("C19", "advertised_host", "192.0.2.1", &["yi", "dafang"]),
    ("C20", "subscription_port", "1024", TAPO),
    ("C21", "single_endpoint", "true", &["tapo-c545d"]),
    ("C22", "no_get_services", "true", &["axis", "panasonic"]),
    ("C23", "caps_lie_pullpoint", "true", &["amcrest"]),
    ("C24", "require_init_term", "true", TAPO),
    ("C26", "reject_relative", "true", &["hikvision", "hikvision-nvr", "dahua", "bosch"]),
    ("C28", "no_renew", "true", &["bosch"]),
    ("C28", "no_syncpoint", "true", &["bosch"]),
    ("C29", "pull_close_after_ms", "10000", &["tapo-c220"]),
    ("C30", "pull_immediate", "true", &["xiongmai"]),
    ("C32", "max_subs", "1", &["reolink"]),
    ("C34", "no_off_event", "true", &["asecam"]),
    ("C35", "topic_suffix", "//.", &["dahua"]),
    ("C35", "vendor_topics", "true", TAPO),
    ("C35", "vendor_topics", "true", HIKVISION),
    ("C35", "vendor_topics", "true", &["reolink", "ajax", "axis"]),
    ("C38", "silent_close", "true", &["thingino"]),
    ("C39", "no_expect", "true", &["bosch"]),
    ("C39", "no_chunked", "true", &["bosch"]),
    ("C39", "split_write_fails", "true", &["bosch"]),
    ("C41", "ptz_ignore_timeout", "true", &["jm800"]),
    ("C42", "ptz_reject_timeout", "true", &["bosch"]),
    ("C43", "ptz_no_stop", "true", &["cohu", "hikvision", "hikvision-nvr"]),
    ("C44", "ptz_move_status", "absent", TAPO),
    ("C44", "ptz_move_status", "absent", HIKVISION),
    ("C44", "ptz_move_status", "always-idle", &["thingino"]),
    ("C44", "ptz_modes", r#"["continuous"]"#, &["sonoff"]),
    ("C45", "token_mismatch", "true", &["hikvision-nvr"]),
    ("C45", "nvr_channels", "64", &["hikvision-nvr"]),
    ("C46", "snapshot", "rtsp", &["xm530"]),
    ("C47", "snapshot_auth", "basic", &["yi", "thingino"]),
    ("C48", "probe_requires_types", "true", TAPO),
    ("C50", "same_serial", "true", &["tapo-c200"]),
    ("C52", "rtsp_keepalive", "get-parameter", TAPO),
    ("C52", "session_timeout_s", "20", TAPO),
    ("C53", "bad_sprop", "annex-b", &["vstarcam"]),
    ("C53", "bad_sprop", "wrong-level", HIKVISION),
    ("C53", "bad_sprop", "missing-pps", &["tenda"]),
    ("C53", "bad_sprop", "no-base64", &["reolink"]),
    ("C54", "late_params_s", "2", &["reolink"]),
    ("C55", "foreign_ssrc", "true", &["live555", "reolink"]),
    ("C55", "early_data", "true", &["live555", "reolink"]),
    ("C55", "desync_after_kb", "1024", &["live555"]),
    ("C57", "sr_step_s", "2", &["dahua"]),
    ("C58", "max_rtsp_sessions", "4", HIKVISION),
    ("C58", "max_rtsp_sessions", "1", &["wiwacam"]),
    ("C58", "stale_rtsp_sessions", "true", HIKVISION),
    ("C58", "stale_rtsp_sessions", "true", &["wiwacam"]),
    ("C58", "rtsp_full_503", "true", HIKVISION),
];

const TAPO: &[&str] = &["tapo", "tapo-c200", "tapo-c220", "tapo-c545d"];
const HIKVISION: &[&str] = &["hikvision", "hikvision-nvr"];

impl Quirks {
    /// The quirks of a camera family, such as `tapo-c220` or `hikvision`: what its cameras are known for, all at once.
    ///
    /// ```
    /// use virtual_camera::Quirks;
    ///
    /// let quirks = Quirks { no_renew: true, ..Quirks::preset("tapo-c220")? };
    /// assert_eq!(quirks.pull_close_after_ms, Some(10_000));
    /// # Ok::<(), virtual_camera::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Preset`] where there is no such family; [`Quirks::presets`] names them.
    pub fn preset(name: &str) -> Result<Self, Error> {
        let mut quirks = Self::default();
        quirks.add_preset(name)?;
        Ok(quirks)
    }

    /// Sets what a camera family is known for besides what is set already.
    ///
    /// # Errors
    /// As [`Quirks::preset`].
    pub fn add_preset(&mut self, name: &str) -> Result<(), Error> {
        let mut known = false;
        for (_, switch, value, families) in ROWS {
            if families.contains(&name) {
                known = true;
                self.set(switch, value)?;
            }
        }
        match known {
            true => Ok(()),
            false => Err(Error::Preset {
                name: name.to_owned(),
            }),
        }
    }

    /// The names of all presets, in order.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        let families = ROWS.iter().flat_map(|(_, _, _, families)| *families);
        let mut names: Vec<_> = families.copied().collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Rows of docs/quirks.md: number, what the camera does, switches.
    fn documented() -> Vec<[String; 3]> {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/quirks.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows = page.lines().filter(|line| line.starts_with("| C"));
        rows.map(|line| {
            let mut cells = line
                .trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned());
            std::array::from_fn(|_| cells.next().unwrap())
        })
        .collect()
    }

    /// Whether a text names the family: its maker, and where a model follows, that model.
    fn names(text: &str, family: &str) -> bool {
        let (maker, model) = match family.split_once('-') {
            Some(("d", "link")) | None => (family, None),
            Some((maker, model)) => (maker, Some(model)),
        };
        let text = text.to_lowercase().replace("tp-link", "tapo");
        let mut mentions = text.split(maker).skip(1);
        mentions.any(|rest| {
            let next = rest.trim_start_matches(' ');
            let word = next.split(|c: char| !c.is_alphanumeric()).next();
            let is_model = |word: &&str| word.chars().any(|c| c.is_ascii_digit());
            match word.filter(is_model) {
                Some(named) if maker == "tapo" => model == Some(named),
                _ => true,
            }
        })
    }

    #[test]
    fn a_preset_uses_only_switches_of_rows_that_name_its_family() {
        let documented = documented();
        for (row, switch, value, families) in ROWS {
            let [_, text, switches] = documented.iter().find(|cells| cells[0] == *row).unwrap();
            assert!(switches.contains(&format!("`{switch}`")), "{row} {switch}");
            for family in *families {
                assert!(names(text, family), "{row} does not name {family}: {text}");
            }
            let mut quirks = Quirks::default();
            quirks.set(switch, value).unwrap();
            assert_ne!(quirks, Quirks::default(), "{switch} is as by default");
        }
        assert!(!names(
            "All have one serial number (Tapo C200).",
            "tapo-c220"
        ));
        assert!(!names("All have one serial number (Tapo C200).", "tapo"));
    }

    #[test]
    fn a_family_does_not_set_a_switch_twice() {
        for name in Quirks::presets() {
            let lines = ROWS
                .iter()
                .filter(|(.., families)| families.contains(&name));
            let mut switches: Vec<_> = lines.map(|(_, switch, ..)| switch).collect();
            let count = switches.len();
            switches.sort_unstable();
            switches.dedup();
            assert_eq!(switches.len(), count, "{name}");
            assert_eq!(
                Quirks::preset(name).unwrap().to_string().split(' ').count(),
                count
            );
        }
    }

    #[test]
    fn presets_add_up() {
        let mut quirks = Quirks::preset("reolink").unwrap();
        quirks.add_preset("bosch").unwrap();
        assert_eq!((quirks.max_subs, quirks.no_renew), (Some(1), true));
        let error = Quirks::preset("no-such").unwrap_err().to_string();
        assert!(error.contains("no-such"), "{error}");
    }
}
