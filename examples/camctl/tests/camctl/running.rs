//! The program as a process, with a deadline on every wait.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

pub const LIMIT: Duration = Duration::from_secs(30);

/// The program, not started yet.
pub struct Program(Command);

impl Program {
    pub fn new(args: &[&str], folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_camctl"));
        command
            .args(args)
            .current_dir(folder)
            .env_remove("CAMCTL_PASSWORD")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    pub fn password(mut self, password: &str) -> Self {
        self.0.env("CAMCTL_PASSWORD", password);
        self
    }

    pub fn start(mut self) -> Running {
        let mut child = self.0.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (line, lines) = mpsc::unbounded_channel();
        Running {
            child,
            lines,
            stdout: spawn_blocking(move || read_lines(stdout, &line)),
            stderr: spawn_blocking(move || read_all(stderr)),
        }
    }

    pub async fn run(self) -> Outcome {
        self.start().outcome().await
    }
}

/// The running program. It is killed when this is dropped.
pub struct Running {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Running {
    /// The next line it writes.
    pub async fn line(&mut self) -> String {
        let line = timeout(LIMIT, self.lines.recv()).await.unwrap();
        line.expect("the program writes another line")
    }

    /// What Ctrl-C does.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits until it has ended.
    pub async fn outcome(mut self) -> Outcome {
        let stdout = timeout(LIMIT, &mut self.stdout).await.unwrap().unwrap();
        let stderr = timeout(LIMIT, &mut self.stderr).await.unwrap().unwrap();
        // Both pipes are closed, so it has ended.
        let code = self.child.wait().unwrap().code();
        Outcome {
            code,
            stdout,
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// What it wrote, where all went well.
    pub fn success(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }
}

fn read_lines(stdout: ChildStdout, line: &mpsc::UnboundedSender<String>) -> String {
    let mut all = String::new();
    for text in BufReader::new(stdout).lines() {
        let text = text.unwrap();
        all.push_str(&text);
        all.push('\n');
        // Nobody may be reading lines.
        let _ = line.send(text);
    }
    all
}

fn read_all(mut stderr: ChildStderr) -> String {
    let mut all = String::new();
    stderr.read_to_string(&mut all).unwrap();
    all
}
