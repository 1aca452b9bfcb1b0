//! What people see: a line as each step is done, and a table at the end.

use std::time::{Duration, Instant};

/// Prints steps as they are done and remembers them for the table.
pub struct Progress {
    start: Instant,
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    outcome: String,
    at: Duration,
    done: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// A step that is done, and what came of it.
    pub fn done(&mut self, name: &'static str, outcome: impl Into<String>) {
        self.step(name, outcome.into(), true);
    }

    /// A step that does not apply here, and why.
    pub fn skipped(&mut self, name: &'static str, why: impl Into<String>) {
        self.step(name, why.into(), false);
    }

    fn step(&mut self, name: &'static str, outcome: String, done: bool) {
        let at = self.start.elapsed();
        let mark = if done { "ok" } else { "--" };
        println!("{:6.2} s  {mark}  {name}: {outcome}", at.as_secs_f64());
        self.steps.push(Step {
            name,
            outcome,
            at,
            done,
        });
    }

    /// The summary.
    pub fn table(&self) -> String {
        let width = |of: fn(&Step) -> usize| self.steps.iter().map(of).max().unwrap_or_default();
        let name = width(|step| step.name.chars().count());
        let outcome = width(|step| step.outcome.chars().count());
        let rule = format!("+-{:-<name$}-+-{:-<outcome$}-+---------+\n", "", "");
        let mut table = rule.clone();
        for step in &self.steps {
            let at = if step.done {
                format!("{:5.2} s", step.at.as_secs_f64())
            } else {
                "skipped".to_owned()
            };
            table += &format!(
                "| {:name$} | {:outcome$} | {at:7} |\n",
                step.name, step.outcome
            );
        }
        table + &rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_wide_as_its_longest_cells() {
        let mut progress = Progress::new();
        progress.done("camera", "there");
        progress.skipped("motion", "nothing moves");
        let table = progress.table();
        let widths: Vec<usize> = table.lines().map(str::len).collect();
        assert_eq!(widths.len(), 4);
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        assert!(
            table.contains("| motion | nothing moves | skipped |"),
            "{table}"
        );
    }
}
