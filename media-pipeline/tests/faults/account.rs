//! A source with an account of what it delivers, to hold against it when a consumer goes on after something was missing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use media_pipeline::{AccessUnit, Error, RtspSource, Source, SourceSession, TimeOrigin};

/// From one key frame of the camera to the next, and how many pictures that are.
pub const GROUP: Duration = Duration::from_secs(2);
const PICTURES: usize = 30;

/// What was delivered, by sessions, and how often a session was asked for.
#[derive(Default)]
pub struct Account {
    pub attempts: usize,
    /// How often packets were lost.
    pub losses: usize,
    sessions: Vec<Vec<AccessUnit>>,
}

impl Account {
    /// Checks the first unit that a consumer got after something was missing: it is the next random access point since the
    /// last loss of the session, or since its beginning, and no more than a group of pictures after that. Pictures are
    /// counted, not seconds, however slow the machine is.
    pub fn check_recovery(&self, unit: &AccessUnit) {
        let found = self.sessions.iter().rev().find_map(|session| {
            let is_it = |seen: &AccessUnit| seen.data.as_ptr() == unit.data.as_ptr();
            Some((session, session.iter().rposition(is_it)?))
        });
        let (session, at) = found.expect("it came from the camera");
        let lossy = |seen: &AccessUnit| seen.loss > 0;
        let since = session[..=at].iter().rposition(lossy).unwrap_or(0);
        let mut between = session[since..at].iter();
        assert!(
            !between.any(|seen| seen.random_access),
            "it goes on later than it could"
        );
        assert!(at - since <= PICTURES, "{} pictures", at - since);
    }

    /// In how many pictures of the last session that were taken since then packets are said to be missing.
    pub fn losses_since(&self, then: SystemTime) -> usize {
        let units = self.sessions.last().into_iter().flatten();
        let units = units.filter(|unit| unit.wall.time > then);
        units
            .inspect(|unit| assert_eq!(unit.wall.origin, TimeOrigin::SenderReport))
            .filter(|unit| unit.loss > 0)
            .count()
    }
}

pub struct Watched {
    pub source: RtspSource,
    pub account: Arc<Mutex<Account>>,
}

struct WatchedSession {
    session: Box<dyn SourceSession>,
    account: Arc<Mutex<Account>>,
    number: usize,
}

#[async_trait]
impl Source for Watched {
    fn label(&self) -> String {
        self.source.label()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        self.account.lock().unwrap().attempts += 1;
        let session = self.source.connect().await?;
        let mut account = self.account.lock().unwrap();
        account.sessions.push(Vec::new());
        Ok(Box::new(WatchedSession {
            session,
            account: self.account.clone(),
            number: account.sessions.len() - 1,
        }))
    }
}

#[async_trait]
impl SourceSession for WatchedSession {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        let unit = self.session.next().await?;
        let mut account = self.account.lock().unwrap();
        account.losses += usize::from(unit.as_ref().is_some_and(|unit| unit.loss > 0));
        account.sessions[self.number].extend(unit.clone());
        Ok(unit)
    }

    async fn close(self: Box<Self>) {
        self.session.close().await;
    }
}
