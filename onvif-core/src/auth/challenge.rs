//! The challenges of a `WWW-Authenticate` header (RFC 9110, 11.6.1), as cameras write them.

/// A scheme with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The first parameter of this name, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let (_, value) = parameters.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// The challenges of one header, in order. What cannot be read ends them.
pub(super) fn challenges(header: &str) -> impl Iterator<Item = Challenge> {
    let mut words = Words { rest: header };
    let mut pending = words.next();
    std::iter::from_fn(move || {
        let scheme = match pending.take()? {
            Word::Alone(scheme) => scheme.to_owned(),
            // A parameter before any scheme.
            Word::Parameter(..) => return None,
        };
        let mut parameters = Vec::new();
        loop {
            match words.next() {
                Some(Word::Parameter(name, value)) => parameters.push((name.to_owned(), value)),
                other => {
                    pending = other;
                    return Some(Challenge { scheme, parameters });
                }
            }
        }
    })
}

enum Word<'h> {
    /// The name of a scheme, or a token of one that has no parameters.
    Alone(&'h str),
    Parameter(&'h str, String),
}

/// What stands between commas and blanks.
struct Words<'h> {
    rest: &'h str,
}

impl<'h> Words<'h> {
    fn next(&mut self) -> Option<Word<'h>> {
        let is_blank = |c: char| c.is_ascii_whitespace();
        let text = self.rest.trim_start_matches(|c| is_blank(c) || c == ',');
        let end = text.find(|c| is_blank(c) || matches!(c, ',' | '=' | '"'));
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        if word.is_empty() {
            return None;
        }
        let Some(value) = rest.trim_start_matches(is_blank).strip_prefix('=') else {
            self.rest = rest;
            return Some(Word::Alone(word));
        };
        let value = value.trim_start_matches(is_blank);
        let Some(quoted) = value.strip_prefix('"') else {
            let end = value.find(|c| is_blank(c) || c == ',');
            let (value, rest) = value.split_at(end.unwrap_or(value.len()));
            self.rest = rest;
            return Some(Word::Parameter(word, value.to_owned()));
        };
        let mut unquoted = String::new();
        let mut characters = quoted.char_indices();
        loop {
            match characters.next()? {
                (at, '"') => {
                    self.rest = &quoted[at + 1..];
                    return Some(Word::Parameter(word, unquoted));
                }
                (_, '\\') => unquoted.push(characters.next()?.1),
                (_, character) => unquoted.push(character),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Vec<(String, Vec<(String, String)>)> {
        challenges(header)
            .map(|challenge| (challenge.scheme, challenge.parameters))
            .collect()
    }

    fn expected(scheme: &str, parameters: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
        let parameters = parameters.iter();
        let owned = parameters.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        (scheme.to_owned(), owned.collect())
    }

    #[test]
    fn several_challenges_of_one_header_are_told_apart() {
        assert_eq!(
            read("Basic realm=\"x, y\", Digest realm=\"r\",nonce=\"n=\" , stale=TRUE, Negotiate"),
            [
                expected("Basic", &[("realm", "x, y")]),
                expected(
                    "Digest",
                    &[("realm", "r"), ("nonce", "n="), ("stale", "TRUE")]
                ),
                expected("Negotiate", &[]),
            ]
        );
    }

    #[test]
    fn blanks_around_equal_signs_and_missing_commas_are_stood() {
        assert_eq!(
            read("Digest  realm = \"r\" nonce=n\tqop=auth"),
            [expected(
                "Digest",
                &[("realm", "r"), ("nonce", "n"), ("qop", "auth")]
            )]
        );
    }

    #[test]
    fn what_cannot_be_read_ends_the_challenges() {
        assert_eq!(read("Digest realm=\"r"), [expected("Digest", &[])]);
        assert_eq!(read("Digest realm=\"r\\"), [expected("Digest", &[])]);
        for nothing in ["", ", ,", "=", "\"", "a=b"] {
            assert_eq!(read(nothing), [], "{nothing}");
        }
    }
}
