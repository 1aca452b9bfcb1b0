//! The part of RESP3 that the state store speaks. Pure.

use std::time::Duration;

use bytes::Bytes;

use super::{SetCondition, refused};
use crate::Error;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Get {
        key: Bytes,
    },
    Set {
        key: Bytes,
        value: Bytes,
        condition: SetCondition,
        expiry: Option<Duration>,
    },
    Del {
        key: Bytes,
        only_if: Option<Bytes>,
    },
    /// Asks to be told of changes, or not any more.
    KeyNotify {
        key: Bytes,
        stop: bool,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Ok,
    Number(i64),
    Value(Bytes),
    Nothing,
    Error(String),
}

/// More words than the longest command has.
const MAX_WORDS: usize = 8;

impl Command {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut words: Vec<Bytes> = Vec::new();
        match self {
            Self::Get { key } => words.extend([Bytes::from("GET"), key.clone()]),
            Self::Set {
                key,
                value,
                condition,
                expiry,
            } => {
                words.extend([Bytes::from("SET"), key.clone(), value.clone()]);
                match condition {
                    SetCondition::Always => {}
                    SetCondition::Absent => words.push("NX".into()),
                    SetCondition::AbsentOrEqual => words.push("NEX".into()),
                }
                if let Some(expiry) = expiry {
                    words.extend(["PX".into(), expiry.as_millis().to_string().into()]);
                }
            }
            Self::Del { key, only_if: None } => words.extend([Bytes::from("DEL"), key.clone()]),
            Self::Del {
                key,
                only_if: Some(value),
            } => words.extend([Bytes::from("VDEL"), key.clone(), value.clone()]),
            Self::KeyNotify { key, stop } => {
                words.extend([Bytes::from("KEYNOTIFY"), key.clone()]);
                words.extend(stop.then(|| Bytes::from("STOP")));
            }
        }
        write_words(&words)
    }

    /// Reads a request; else what to answer.
    pub(super) fn read(text: &Bytes) -> Result<Self, Error> {
        let mut rest = Reader(text.clone());
        let count = rest.number(b'*').filter(|count| *count <= MAX_WORDS);
        let count = count.ok_or_else(|| refused("syntax error"))?;
        let mut words = Vec::with_capacity(count);
        for _ in 0..count {
            words.push(rest.bulk().ok_or_else(|| refused("syntax error"))?);
        }
        if !rest.0.is_empty() {
            return Err(refused("syntax error"));
        }
        let mut words = words.into_iter();
        let name = words.next().ok_or_else(|| refused("syntax error"))?;
        let mut next = || {
            words
                .next()
                .ok_or_else(|| refused("wrong number of arguments"))
        };
        let name = name.to_ascii_uppercase();
        if !matches!(&name[..], b"GET" | b"SET" | b"DEL" | b"VDEL" | b"KEYNOTIFY") {
            return Err(refused("unknown command"));
        }
        let key = next()?;
        if key.is_empty() {
            return Err(refused("the key length is zero"));
        }
        let command = match &name[..] {
            b"GET" => Self::Get { key },
            b"DEL" => Self::Del { key, only_if: None },
            b"VDEL" => Self::Del {
                key,
                only_if: Some(next()?),
            },
            b"KEYNOTIFY" => Self::KeyNotify {
                key,
                stop: match words.next() {
                    None => false,
                    Some(word) if word.eq_ignore_ascii_case(b"STOP") => true,
                    Some(_) => return Err(refused("syntax error")),
                },
            },
            _ => {
                let value = next()?;
                let (condition, expiry) = set_options(&mut words)?;
                Self::Set {
                    key,
                    value,
                    condition,
                    expiry,
                }
            }
        };
        match words.next() {
            Some(_) => Err(refused("wrong number of arguments")),
            None => Ok(command),
        }
    }
}

fn set_options(
    words: &mut impl Iterator<Item = Bytes>,
) -> Result<(SetCondition, Option<Duration>), Error> {
    let (mut condition, mut expiry) = (SetCondition::Always, None);
    while let Some(word) = words.next() {
        match &word.to_ascii_uppercase()[..] {
            b"NX" if condition == SetCondition::Always => condition = SetCondition::Absent,
            b"NEX" if condition == SetCondition::Always => condition = SetCondition::AbsentOrEqual,
            b"PX" if expiry.is_none() => {
                let millis = words.next().and_then(|word| decimal(&word));
                let millis = millis.filter(|millis| *millis > 0);
                expiry = Some(millis.ok_or_else(|| refused("syntax error"))?);
            }
            _ => return Err(refused("syntax error")),
        }
    }
    let expiry = expiry.map(|millis| Duration::from_millis(millis as u64));
    Ok((condition, expiry))
}

impl Answer {
    pub(super) fn write(&self) -> Vec<u8> {
        match self {
            Self::Ok => b"+OK\r\n".to_vec(),
            Self::Number(number) => format!(":{number}\r\n").into_bytes(),
            Self::Nothing => b"$-1\r\n".to_vec(),
            Self::Error(message) => {
                // A line end would end the answer.
                let message = message.replace(['\r', '\n'], " ");
                format!("-ERR {message}\r\n").into_bytes()
            }
            Self::Value(value) => {
                let mut text = Vec::with_capacity(value.len() + 16);
                write_bulk(&mut text, value);
                text
            }
        }
    }

    /// Reads an answer, or `None` when it is none.
    pub(super) fn read(text: &Bytes) -> Option<Self> {
        let line = || std::str::from_utf8(text.strip_suffix(b"\r\n")?).ok();
        match text.first()? {
            b'+' => (line()? == "+OK").then_some(Self::Ok),
            b':' => line()?[1..].parse().ok().map(Self::Number),
            b'-' => {
                let message = &line()?[1..];
                let message = message.strip_prefix("ERR ").unwrap_or(message);
                Some(Self::Error(message.chars().take(1_000).collect()))
            }
            b'$' if text[..] == *b"$-1\r\n" => Some(Self::Nothing),
            b'$' => {
                let mut rest = Reader(text.clone());
                let value = rest.bulk()?;
                rest.0.is_empty().then_some(Self::Value(value))
            }
            _ => None,
        }
    }
}

/// What is told of a key: its new value, or that it is gone.
pub(super) fn notification(value: Option<&Bytes>) -> Vec<u8> {
    let words: &[Bytes] = match value {
        Some(value) => &["NOTIFY".into(), "SET".into(), "VALUE".into(), value.clone()],
        None => &["NOTIFY".into(), "DELETE".into()],
    };
    write_words(words)
}

/// Reads a notification: the new value, or that the key is gone. `None` when it is none.
pub(super) fn read_notification(text: &Bytes) -> Option<Option<Bytes>> {
    let mut rest = Reader(text.clone());
    let count = rest.number(b'*').filter(|count| *count <= MAX_WORDS)?;
    let words = (0..count).map(|_| rest.bulk());
    let words: Vec<_> = words.collect::<Option<_>>()?;
    let words: Vec<_> = words.iter().collect();
    match words[..] {
        [notify, operation] if notify == "NOTIFY" && operation == "DELETE" => Some(None),
        [notify, operation, label, value]
            if notify == "NOTIFY" && operation == "SET" && label == "VALUE" =>
        {
            Some(Some(value.clone()))
        }
        _ => None,
    }
}

fn write_words(words: &[Bytes]) -> Vec<u8> {
    let mut text = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        write_bulk(&mut text, word);
    }
    text
}

fn write_bulk(text: &mut Vec<u8>, value: &[u8]) {
    text.extend_from_slice(format!("${}\r\n", value.len()).as_bytes());
    text.extend_from_slice(value);
    text.extend_from_slice(b"\r\n");
}

/// What is left of a text.
struct Reader(Bytes);

impl Reader {
    fn number(&mut self, kind: u8) -> Option<usize> {
        // No number of bytes in a packet has more digits.
        let window = &self.0[..self.0.len().min(16)];
        let end = window.windows(2).position(|end| end == b"\r\n")?;
        let line = self.0.split_to(end);
        let _ = self.0.split_to(2);
        decimal(line.strip_prefix(&[kind])?)
    }

    fn bulk(&mut self) -> Option<Bytes> {
        let length = self.number(b'$')?;
        if self.0.len() < length.checked_add(2)? {
            return None;
        }
        let value = self.0.split_to(length);
        (self.0.split_to(2)[..] == *b"\r\n").then_some(value)
    }
}

fn decimal(text: &[u8]) -> Option<usize> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(condition: SetCondition, expiry: Option<Duration>) -> Command {
        Command::Set {
            key: "SETKEY2".into(),
            value: "VALUE5".into(),
            condition,
            expiry,
        }
    }

    #[test]
    fn commands_are_spelled_as_the_broker_reads_them() {
        let plain = set(SetCondition::Always, None);
        assert_eq!(
            plain.write(),
            b"*3\r\n$3\r\nSET\r\n$7\r\nSETKEY2\r\n$6\r\nVALUE5\r\n"
        );
        let get = Command::Get {
            key: "SETKEY2".into(),
        };
        assert_eq!(get.write(), b"*2\r\n$3\r\nGET\r\n$7\r\nSETKEY2\r\n");
    }

    #[test]
    fn every_command_and_answer_is_read_as_it_was_written() {
        let key = Bytes::from("k\r\n\0");
        for command in [
            Command::Get { key: key.clone() },
            set(SetCondition::Absent, Some(Duration::from_millis(7))),
            set(SetCondition::AbsentOrEqual, None),
            Command::Del {
                key: key.clone(),
                only_if: None,
            },
            Command::KeyNotify {
                key: key.clone(),
                stop: false,
            },
            Command::KeyNotify {
                key: key.clone(),
                stop: true,
            },
            Command::Del {
                key,
                only_if: Some(Bytes::new()),
            },
        ] {
            assert_eq!(Command::read(&command.write().into()).unwrap(), command);
        }
        for answer in [
            Answer::Ok,
            Answer::Number(-1),
            Answer::Nothing,
            Answer::Value("a\r\nb".into()),
            Answer::Error("no".into()),
        ] {
            assert_eq!(Answer::read(&answer.write().into()), Some(answer));
        }
        for value in [None, Some(Bytes::from("a\r\nb"))] {
            let told = notification(value.as_ref()).into();
            assert_eq!(read_notification(&told), Some(value));
        }
        assert_eq!(
            notification(None),
            b"*2\r\n$6\r\nNOTIFY\r\n$6\r\nDELETE\r\n"
        );
    }

    #[test]
    fn what_is_no_command_or_answer_is_refused() {
        for (text, message) in [
            ("", "syntax error"),
            ("*0\r\n", "syntax error"),
            ("*99999999\r\n", "syntax error"),
            ("*2\r\n$3\r\nGET\r\n$9999999999999\r\nk\r\n", "syntax error"),
            ("*2\r\n$3\r\nGET\r\n$1\r\nkk\r\n", "syntax error"),
            ("*2\r\n$3\r\nGET\r\n$-1\r\n", "syntax error"),
            ("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "the key length is zero"),
            ("*1\r\n$3\r\nGET\r\n", "wrong number of arguments"),
            (
                "*2\r\n$3\r\nSET\r\n$1\r\nk\r\n",
                "wrong number of arguments",
            ),
            ("*2\r\n$4\r\nFLEE\r\n$1\r\nk\r\n", "unknown command"),
            (
                "*3\r\n$3\r\nGET\r\n$1\r\nk\r\n$1\r\nx\r\n",
                "wrong number of arguments",
            ),
        ] {
            let error = Command::read(&Bytes::from(text)).unwrap_err();
            assert!(error.to_string().ends_with(message), "{text:?}: {error}");
        }
        for text in [
            "",
            "+NO\r\n",
            ":x\r\n",
            "$3\r\nab\r\n",
            "$1\r\na\r\nb",
            "-no",
            "?",
        ] {
            assert_eq!(Answer::read(&Bytes::from(text)), None, "{text:?}");
        }
    }
}
