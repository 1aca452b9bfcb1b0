//! How consumers of pictures wait: for news of the stream, its failures, and no longer than a deadline.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::HubStatus;
use crate::Error;

pub(super) struct Watcher<T> {
    news: watch::Receiver<T>,
    status: watch::Receiver<HubStatus>,
}

/// Which failures of the stream a consumer sits out.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    /// None: each one is told once.
    None,
    /// Those that may pass by themselves.
    Transient,
}

impl<T: Clone> Watcher<T> {
    pub(super) fn new(news: watch::Receiver<T>, mut status: watch::Receiver<HubStatus>) -> Self {
        status.mark_changed();
        Self { news, status }
    }

    /// What `find` makes of the news now, or as soon as it makes something of them.
    pub(super) async fn find<P>(
        &mut self,
        deadline: Instant,
        patience: Patience,
        mut find: impl FnMut(T) -> Option<P>,
    ) -> Result<P, Error> {
        let began = Instant::now();
        let mut failed = self.status.has_changed().unwrap_or(false);
        loop {
            let news = self.news.borrow_and_update().clone();
            if let Some(found) = find(news) {
                return Ok(found);
            }
            if let HubStatus::Backoff { error, .. } = &*self.status.borrow_and_update()
                && patience.is_over(error, failed)
            {
                return Err(error.clone());
            }
            let event = async {
                tokio::select! {
                    changed = self.news.changed() => changed.map(|()| false),
                    changed = self.status.changed() => changed.map(|()| true),
                }
            };
            match timeout_at(deadline, event).await {
                Ok(Ok(of_status)) => failed = of_status,
                Ok(Err(_)) => return Err(Error::Closed),
                Err(_) => {
                    let last = match &*self.status.borrow() {
                        HubStatus::Backoff { error, .. } => Some(Arc::new(error.clone())),
                        _ => None,
                    };
                    return Err(Error::NoPicture {
                        after: began.elapsed(),
                        last,
                    });
                }
            }
        }
    }
}

impl Patience {
    fn is_over(self, error: &Error, news: bool) -> bool {
        match self {
            Patience::None => news,
            Patience::Transient => !error.is_transient(),
        }
    }
}
