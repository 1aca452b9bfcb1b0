//! Quirks by their names, as words on a command line and as JSON.

use std::fmt;

use serde_json::{Map, Value};

use super::Quirks;
use crate::error::Error;

/// The fields as their source has them: a new one is listed without being written twice.
const SOURCE: &str = include_str!("../quirks.rs");

impl Quirks {
    /// Names of all fields, in the order of their declaration, each with what it does.
    pub fn all() -> impl Iterator<Item = (&'static str, String)> {
        let (_, fields) = SOURCE.split_once("pub struct Quirks {").unwrap_or_default();
        let (fields, _) = fields.split_once("\n}").unwrap_or_default();
        let mut description = Vec::new();
        fields.lines().map(str::trim).filter_map(move |line| {
            if let Some(text) = line.strip_prefix("/// ") {
                description.push(text);
            }
            let (name, _) = line.strip_prefix("pub ")?.split_once(':')?;
            Some((name, std::mem::take(&mut description).join(" ")))
        })
    }

    /// Sets a field by its name. A value is JSON, or a word where that is no JSON: `true`, `3600`, `minute-overflow`,
    /// `["md5"]`.
    ///
    /// ```
    /// use virtual_camera::{BadDateTime, Quirks};
    ///
    /// let mut quirks = Quirks::default();
    /// quirks.set("clock_offset", "-3600")?;
    /// quirks.set("bad_datetime", "dash-for-t")?;
    /// assert_eq!(quirks.bad_datetime, Some(BadDateTime::DashForT));
    /// # Ok::<(), virtual_camera::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Quirk`] where there is no such field, or it does not take the value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let with = |value| self.changed(Map::from_iter([(name.to_owned(), value)]));
        let word = || with(Value::String(value.to_owned()));
        *self = match serde_json::from_str(value) {
            Ok(value) => with(value).or_else(|error| word().map_err(|_| error))?,
            Err(_) => word()?,
        };
        Ok(())
    }

    /// With these fields changed. Null stands for the default.
    pub(crate) fn changed(&self, changes: Map<String, Value>) -> Result<Self, Error> {
        let name = match changes.keys().next() {
            Some(name) if changes.len() == 1 => name.clone(),
            _ => String::new(),
        };
        let mut all = fields(self);
        for (name, value) in changes {
            match value {
                Value::Null if all.contains_key(&name) => drop(all.remove(&name)),
                value => drop(all.insert(name, value)),
            }
        }
        serde_json::from_value(Value::Object(all)).map_err(|error| Error::Quirk {
            name,
            reason: error.to_string(),
        })
    }
}

/// The fields that are not as by default, as `NAME=VALUE` with spaces between them.
impl fmt::Display for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = fields(&Self::default());
        let own = fields(self).into_iter();
        let deviations = own.filter(|(name, value)| default.get(name) != Some(value));
        for (number, (name, value)) in deviations.enumerate() {
            let space = if number > 0 { " " } else { "" };
            write!(f, "{space}{name}={value}")?;
        }
        Ok(())
    }
}

fn fields(quirks: &Quirks) -> Map<String, Value> {
    match serde_json::to_value(quirks) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BadDateTime, DigestAlgorithm};

    #[test]
    fn every_field_is_listed_with_a_description_and_can_be_set() {
        let fields = serde_json::to_value(Quirks::default()).unwrap();
        let fields = fields.as_object().unwrap();
        assert_eq!(Quirks::all().count(), fields.len());
        for (name, description) in Quirks::all() {
            assert!(fields.contains_key(name), "{name}");
            assert!(description.ends_with('.'), "{name}: {description}");
        }
    }

    #[test]
    fn a_value_is_json_or_a_word() {
        let mut quirks = Quirks::default();
        for (name, value) in [
            ("no_renew", "true"),
            ("clock_offset", "-3600"),
            ("advertised_host", "10.9.9.9"),
            ("fault_text", "404"),
            ("bad_datetime", "minute-overflow"),
            ("digest_algorithms", r#"["md5"]"#),
            ("reject_wsa_on", r#"["ptz"]"#),
            ("topic_suffix", "//."),
            ("redirect", r#"[307, "http://192.0.2.1"]"#),
        ] {
            quirks.set(name, value).unwrap();
        }
        let expected = Quirks {
            no_renew: true,
            clock_offset: -3600,
            advertised_host: Some("10.9.9.9".to_owned()),
            fault_text: Some("404".to_owned()),
            bad_datetime: Some(BadDateTime::MinuteOverflow),
            digest_algorithms: vec![DigestAlgorithm::Md5],
            reject_wsa_on: vec!["ptz".to_owned()],
            topic_suffix: "//.".to_owned(),
            redirect: Some((307, "http://192.0.2.1".to_owned())),
            ..Quirks::default()
        };
        assert_eq!(quirks, expected);
        assert_eq!(quirks.to_string().split(' ').count(), 9);
        assert!(
            quirks
                .to_string()
                .starts_with("advertised_host=\"10.9.9.9\" ")
        );
    }

    #[test]
    fn an_unknown_name_and_a_wrong_value_are_errors_that_name_them() {
        let mut quirks = Quirks::default();
        for (name, value) in [
            ("no_such", "true"),
            ("no_renew", "maybe"),
            ("bad_datetime", "never"),
        ] {
            let error = quirks.set(name, value).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        assert_eq!(quirks, Quirks::default());
    }

    #[test]
    fn null_stands_for_the_default_and_the_rest_stays() {
        let mut quirks = Quirks::default();
        quirks.set("no_renew", "true").unwrap();
        quirks.set("max_subs", "2").unwrap();
        quirks.set("no_renew", "null").unwrap();
        let expected = Quirks {
            max_subs: Some(2),
            ..Quirks::default()
        };
        assert_eq!(quirks, expected);
    }
}
