//! When periodic pictures are due.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Longer periods are cut to this: clocks have an end.
const LONGEST_PERIOD: Duration = Duration::from_secs(365 * 24 * 3600);

/// The instants of a period; the first is now.
pub(super) struct Raster {
    pub(super) period: Duration,
    due: Option<Instant>,
}

impl Raster {
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period: period.min(LONGEST_PERIOD),
            due: None,
        }
    }

    /// Waits until the next picture is due.
    pub(super) async fn due(&self) {
        if let Some(due) = self.due {
            sleep_until(due).await;
        }
    }

    /// Keeps to the raster, which starts anew with a picture that is late by more than half a period: the one after it
    /// is not to come at its heels. Periods that were missed are not made up for.
    pub(super) fn advance(&mut self) {
        let now = Instant::now();
        let due = self.due.unwrap_or(now);
        let late = now.saturating_duration_since(due);
        let from = if late > self.period / 2 { now } else { due };
        self.due = Some(from + self.period);
    }
}
