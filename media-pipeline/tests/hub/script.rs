//! A source whose sessions are scripted by the test.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use media_pipeline::{AccessUnit, Codec, Error, Hub, HubOptions, Source, SourceSession, WallClock};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

pub type Delivery = Result<Option<AccessUnit>, Error>;

/// A source whose sessions are scripted by the test.
#[derive(Default)]
pub struct Script {
    sessions: Mutex<VecDeque<Result<mpsc::UnboundedReceiver<Delivery>, Error>>>,
    connects: Mutex<Vec<Instant>>,
    closes: Arc<AtomicUsize>,
}

impl Script {
    /// The next connect succeeds; the sender feeds the session.
    pub fn session(&self) -> mpsc::UnboundedSender<Delivery> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.sessions.lock().unwrap().push_back(Ok(receiver));
        sender
    }

    pub fn refuse(&self, error: Error) {
        self.sessions.lock().unwrap().push_back(Err(error));
    }

    pub fn connects(&self) -> Vec<Instant> {
        self.connects.lock().unwrap().clone()
    }

    pub fn closes(&self) -> usize {
        self.closes.load(Ordering::SeqCst)
    }
}

/// Lets the test keep the script while the hub has it as its source.
struct Shared(Arc<Script>);

#[async_trait]
impl Source for Shared {
    fn label(&self) -> String {
        "script".into()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        self.0.connects.lock().unwrap().push(Instant::now());
        let next = self
            .0
            .sessions
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| Err(unreachable_camera()));
        Ok(Box::new(Session {
            units: next?,
            closes: self.0.closes.clone(),
        }))
    }
}

struct Session {
    units: mpsc::UnboundedReceiver<Delivery>,
    closes: Arc<AtomicUsize>,
}

#[async_trait]
impl SourceSession for Session {
    async fn next(&mut self) -> Delivery {
        match self.units.recv().await {
            Some(delivery) => delivery,
            None => std::future::pending().await,
        }
    }

    async fn close(self: Box<Self>) {
        self.closes.fetch_add(1, Ordering::SeqCst);
    }
}

pub fn unreachable_camera() -> Error {
    Error::Network {
        url: "script".into(),
        action: "cannot connect".into(),
        source: None,
    }
}

pub fn unit(millis: u64, key: bool) -> AccessUnit {
    let data: &[u8] = if key {
        &[0, 0, 1, 0x65]
    } else {
        &[0, 0, 1, 0x41]
    };
    AccessUnit::new(
        Codec::H264,
        data.into(),
        Duration::from_millis(millis),
        WallClock::now(),
    )
}

pub fn hub(script: &Arc<Script>, change: impl FnOnce(&mut HubOptions)) -> Hub {
    let mut options = HubOptions {
        seed: Some(1),
        ..HubOptions::default()
    };
    change(&mut options);
    Hub::new(Arc::new(Shared(script.clone())), options)
}

/// Lets all tasks run until they wait.
pub async fn settle() {
    sleep(Duration::from_millis(1)).await;
}
