//! A table of one ability: what each way to do something takes.

use std::fmt;

use serde::Serialize;

use crate::report::median;

/// Ways to do one thing, ours first.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What is done.
    pub title: String,
    /// What is measured, with units; the first is what the ways are compared by.
    pub columns: Vec<&'static str>,
    /// A row per way.
    pub rows: Vec<Measured>,
}

/// What one way takes.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// What it is called in tables.
    pub name: String,
    /// Medians over the rounds, one per column.
    pub values: Vec<f64>,
    /// First value of the first way by that of this one.
    pub ours_to_theirs: f64,
    rounds: Vec<Vec<f64>>,
}

impl Comparison {
    /// From the rounds of each way.
    pub fn new(
        title: impl Into<String>,
        columns: &[&'static str],
        measured: Vec<(String, Vec<Vec<f64>>)>,
    ) -> Self {
        let mut rows: Vec<Measured> = measured
            .into_iter()
            .map(|(name, rounds)| Measured {
                name,
                values: (0..columns.len())
                    .map(|column| median(rounds.iter().map(|round| round[column])))
                    .collect(),
                ours_to_theirs: f64::NAN,
                rounds,
            })
            .collect();
        if let Some(ours) = rows.first().map(|row| row.values[0]) {
            for row in &mut rows {
                row.ours_to_theirs = ours / row.values[0];
            }
        }
        Self {
            title: title.into(),
            columns: columns.to_vec(),
            rows,
        }
    }

    /// The row of a way.
    pub fn row(&self, name: &str) -> Option<&Measured> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = self.rows.first().map_or(0, |row| row.rounds.len());
        writeln!(f, "{}, medians of {rounds} round(s)\n", self.title)?;
        write!(f, "| |")?;
        for column in &self.columns {
            write!(f, " {column} |")?;
        }
        writeln!(f, " ours/theirs |")?;
        writeln!(f, "|---|{}--:|", "--:|".repeat(self.columns.len()))?;
        for row in &self.rows {
            write!(f, "| {} |", row.name)?;
            for value in &row.values {
                write!(f, " {value:.2} |")?;
            }
            writeln!(f, " {:.2} |", row.ours_to_theirs)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn comparison(name: &str, ours: f64, theirs: f64) -> Comparison {
        let rows = [("media-pipeline", ours), (name, theirs)];
        let rows = rows.map(|(name, value)| (name.to_owned(), vec![vec![value, 20.0]]));
        Comparison::new("something", &["CPU s", "RSS MB"], rows.to_vec())
    }

    #[test]
    fn ratios_are_ours_by_theirs() {
        let text = comparison("ffmpeg", 1.0, 4.0).to_string();
        assert!(text.contains("| ffmpeg | 4.00 | 20.00 | 0.25 |"), "{text}");
        assert!(
            text.contains("| media-pipeline | 1.00 | 20.00 | 1.00 |"),
            "{text}"
        );
    }
}
