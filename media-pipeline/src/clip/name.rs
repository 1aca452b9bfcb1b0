//! Names of clips. Pure.

use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::Error;

/// Whether a template names a file below a folder, and nothing else.
pub(super) fn check(template: &str) -> Result<(), Error> {
    let refuse = |reason: String| {
        Err(Error::Option {
            option: "name",
            reason,
        })
    };
    let path = match format(template, Timestamp::UNIX_EPOCH) {
        Ok(path) => path,
        Err(error) => return refuse(format!("{template:?} is not a template: {error}")),
    };
    let below = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !below || path.file_name().is_none() || template.ends_with('/') {
        return refuse(format!(
            "{template:?} does not name a file below the folder"
        ));
    }
    Ok(())
}

/// The path below the folder of a clip that begins at this time, without ending.
pub(super) fn path(template: &str, time: SystemTime) -> PathBuf {
    let time = Timestamp::try_from(time).unwrap_or_default();
    // Templates are checked before.
    format(template, time).unwrap_or_else(|_| PathBuf::from("clip"))
}

/// When the clip with this path below the folder began; `None` if the template did not name it.
pub(super) fn time(template: &str, path: &Path) -> Option<SystemTime> {
    let path = path.with_extension("");
    let text = path.to_str()?;
    let read = |text: &str| {
        let parsed = strtime::parse(template, text).ok()?;
        let time = parsed.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(SystemTime::from(time.timestamp()))
    };
    read(text).or_else(|| {
        let (plain, number) = text.rsplit_once('-')?;
        number
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| read(plain))?
    })
}

fn format(template: &str, time: Timestamp) -> Result<PathBuf, jiff::Error> {
    strtime::format(template, time).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TEMPLATE: &str = "gate/%Y-%m-%d/%H%M%S";

    #[test]
    fn a_name_tells_the_time_in_utc_and_can_be_read_back() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let name = path(TEMPLATE, start);
        assert_eq!(name, Path::new("gate/2027-01-15/080000"));
        assert_eq!(time(TEMPLATE, &name.with_extension("mp4")), Some(start));
        assert_eq!(
            time(TEMPLATE, Path::new("gate/2027-01-15/080000-2.mp4")),
            Some(start)
        );
        for other in [
            "gate/2027-01-15/notes.txt",
            "other/2027-01-15/080000.mp4",
            "x",
        ] {
            assert_eq!(time(TEMPLATE, Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn a_template_stays_below_its_folder() {
        for good in ["%Y", "a/b/%s", "clip"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "/%Y", "../%Y", "a/../../%Y", "%Y/", "%", "./x/..", "%!"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
