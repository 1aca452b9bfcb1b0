//! Text to values, with the line and the field of what is wrong. Pure.

use serde::de::DeserializeOwned;

#[derive(Clone, Copy)]
pub(super) enum Format {
    Yaml,
    Json,
}

/// The documents of a YAML stream with the number of their first line. A line that begins with `---` or `...` always
/// ends a document (YAML 1.2, 9.1), whatever is wrong inside of it.
pub(super) fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut start, mut start_line, mut position) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let marker = line
            .strip_prefix("---")
            .or_else(|| line.strip_prefix("..."));
        if marker.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            found.push((start_line, &text[start..position]));
            (start, start_line) = (position + 3, index + 1);
        }
        position += line.len();
    }
    found.push((start_line, &text[start..]));
    let blank = |document: &str| {
        document
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    };
    found.retain(|(_, document)| !blank(document));
    found
}

/// Reads one document whose first line has that number in its file.
pub(super) fn read<T: DeserializeOwned>(
    format: Format,
    document: &str,
    first_line: usize,
) -> Result<T, String> {
    match format {
        Format::Json => {
            let mut deserializer = serde_json::Deserializer::from_str(document);
            let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
                let line = first_line + error.inner().line().saturating_sub(1);
                describe(line, &error.path().to_string(), &error.inner().to_string())
            })?;
            deserializer
                .end()
                .map_err(|error| describe(error.line(), ".", &error.to_string()))?;
            Ok(value)
        }
        Format::Yaml => from_yaml(document, first_line),
    }
}

fn from_yaml<T: DeserializeOwned>(document: &str, first_line: usize) -> Result<T, String> {
    let mut path = String::from(".");
    let parsed = serde_saphyr::with_deserializer_from_str(document, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            path = error.path().to_string();
            error.into_inner()
        })
    });
    parsed.map_err(|error| {
        let line = error
            .location()
            .map_or(1, |location| location.line().max(1)) as usize;
        describe(
            first_line + line - 1,
            &path,
            &error.without_snippet().to_string(),
        )
    })
}

/// Reads one document as YAML, of which JSON is a part.
pub(super) fn read_yaml<T: DeserializeOwned>(document: &str) -> Result<T, String> {
    from_yaml(document, 1)
}

pub(super) fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| format!("{}: {}", error.path(), error.inner()))
}

/// The line of the field at a path such as `spec.endpoints.inbound` in a document whose first line has that number, or of
/// as much of the path as is found.
pub(super) fn line_of(document: &str, first_line: usize, path: &str) -> usize {
    let mut at = 0;
    for name in path.split('.') {
        let name = name.split('[').next().unwrap_or(name);
        let mut lines = document.lines().enumerate().skip(at);
        at = lines
            .find(|(_, line)| names_field(line, name))
            .map_or(at, |(index, _)| index);
    }
    first_line + at
}

/// Whether a field of that name begins in a line.
fn names_field(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(index, _)| {
        let before = line[..index].chars().next_back();
        let after = line[index + name.len()..].trim_start_matches(['"', '\'']);
        before.is_none_or(|before| before.is_whitespace() || "\"'{,".contains(before))
            && after.trim_start().starts_with(':')
    })
}

/// `line 12: spec.endpoints.inbound.onvif: missing field ...`, without the position that parsers add to their messages.
fn describe(line: usize, path: &str, message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message);
    if path == "." {
        format!("line {line}: {message}")
    } else {
        format!("line {line}: {path}: {message}")
    }
}

/// Whether a text is a whole document at all; an empty one is a file that is being written.
pub(super) fn is_blank(text: &str, json: bool) -> bool {
    if json {
        text.trim().is_empty()
    } else {
        documents(text).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_line_of_a_field_in_any_style() {
        let block = "# name: of what\nmetadata: {name: cam1, namespace: n}\nspec:\n  name: x\n  endpoints:\n    inbound:\n                           name:\n        address: a\n      b:\n        address: c\n";
        for (path, line) in [
            ("metadata.name", 12),
            ("metadata.namespace", 12),
            ("spec.name", 14),
            ("spec.endpoints.inbound.name.address", 18),
            ("spec.endpoints.inbound.b.address", 20),
            ("spec.endpoints.inbound.b.nothing", 19),
            ("nothing", 11),
        ] {
            assert_eq!(line_of(block, 11, path), line, "{path}");
        }
        let json = "{\n \"spec\" : {\n  \"items\": [\n   {\"a\": 1}]}}";
        assert_eq!(line_of(json, 1, "spec.items[0].a"), 4);
    }
}
