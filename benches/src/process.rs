//! Processes that are measured, bounded in time, and ended with whoever started them.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use wait4::Wait4 as _;

/// A process; it is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Option<Child>,
    started: Instant,
}

/// What a process has taken, with the children it waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// User and system CPU time.
    pub cpu: Duration,
    /// Most resident memory in bytes.
    pub peak_rss: u64,
    /// From start to end.
    pub wall: Duration,
}

impl Running {
    /// Starts a command that gets a TERM signal after `limit`, and a KILL signal 5 seconds later, even if this process
    /// is gone by then.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &Command, limit: Duration) -> anyhow::Result<Self> {
        let mut bounded = Command::new("timeout");
        // In the foreground, so that Ctrl-C reaches the command too.
        bounded.args(["--foreground", "--signal=TERM", "--kill-after=5"]);
        bounded
            .arg(format!("{:.3}", limit.as_secs_f64()))
            .arg(command.get_program())
            .args(command.get_args());
        let child = bounded
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot run timeout; install it with: apt-get install coreutils")?;
        Ok(Self::from(child))
    }

    /// Waits for the end, however it comes: tools that never end by themselves are stopped by their limit.
    ///
    /// # Errors
    /// If the operating system refuses to say.
    pub fn finish(mut self) -> anyhow::Result<Usage> {
        let mut child = self
            .child
            .take()
            .expect("present until finished, which consumes");
        let end = child.wait4().context("cannot wait for a process")?;
        Ok(Usage {
            cpu: end.rusage.utime + end.rusage.stime,
            peak_rss: end.rusage.maxrss,
            wall: self.started.elapsed(),
        })
    }
}

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self {
            child: Some(child),
            started: Instant::now(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_cpu_time_of_a_busy_process_is_seen() {
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let running = Running::start(&shell(script), Duration::from_secs(60));
        let usage = running.expect("sh runs").finish().expect("it ends");
        assert!(usage.cpu > Duration::from_millis(5), "{usage:?}");
        assert!(usage.cpu < usage.wall * 2, "{usage:?}");
        assert!(usage.peak_rss > 100_000, "{usage:?}");
    }

    #[test]
    fn a_process_that_does_not_end_is_stopped_at_its_limit() {
        let running = Running::start(&shell("exec sleep 600"), Duration::from_millis(100));
        let usage = running.expect("sh runs").finish().expect("it ends");
        assert!(usage.wall < Duration::from_secs(30), "{usage:?}");
    }
}
