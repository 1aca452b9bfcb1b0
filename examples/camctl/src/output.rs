//! Standard output: for people, or as JSON.

use std::fmt::{self, Display, Formatter, Write as _};
use std::io::{self, Write as _};

use serde::Serialize;

/// How results are written.
#[derive(Clone, Copy)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// Writes a result: in words, or as one line of JSON.
    pub fn print<T: Display + Serialize>(self, result: &T) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, result)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{result}")?;
        }
        Ok(out.flush()?)
    }
}

/// Writes a line as it is.
pub fn line(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Text of a camera on a terminal: control characters, which could do things to it, are replaced.
pub struct Plain<'t>(pub &'t str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain: String = self
            .0
            .chars()
            .map(|c| {
                if c.is_control() {
                    char::REPLACEMENT_CHARACTER
                } else {
                    c
                }
            })
            .collect();
        f.pad(&plain)
    }
}

/// Text that a camera may leave out.
pub fn or_dash(text: Option<&str>) -> Plain<'_> {
    Plain(text.filter(|text| !text.is_empty()).unwrap_or("-"))
}

/// Rows in columns, each as wide as its widest cell. The first row is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string does not fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        if number > 0 {
            text.push('\n');
        }
        text.push_str(line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_cannot_send_commands_to_the_terminal() {
        assert_eq!(
            Plain("gate\x1b[2J\nroof").to_string(),
            "gate\u{fffd}[2J\u{fffd}roof"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["TOKEN", "CODEC"], ["main", "H264"], ["a-long-one", "JPEG"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            table(&rows),
            "TOKEN       CODEC\nmain        H264\na-long-one  JPEG"
        );
    }
}
