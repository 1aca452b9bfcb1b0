use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Credentials;

/// How long refused credentials rest. Cameras lock an account after a few failures, some for half
/// an hour.
const PAUSE: Duration = Duration::from_secs(300);

/// Credentials were refused and rest, so that the camera does not lock the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the camera refused these credentials; to keep it from locking the account they are tried again in {} s, \
     or at once when they change",
    retry_after.as_secs()
)]
pub struct AuthenticationPaused {
    /// Time left until they may be tried again.
    pub retry_after: Duration,
}

/// How an attempt with credentials ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthOutcome {
    /// The camera took them.
    Accepted,
    /// The camera refused them for good: not for an outdated nonce, nor for a lost connection.
    Refused,
}

/// The failures one camera may see: after a definite refusal the same credentials rest for five
/// minutes. One refusal after a success is forgiven, because cameras refuse what a user may not do
/// in the same words. Clones share the state, so that SOAP, snapshots and RTSP can draw on one budget.
#[derive(Clone, Debug, Default)]
pub struct AuthBudget {
    state: Arc<Mutex<State>>,
    hasher: RandomState,
}

impl AuthBudget {
    /// Whether `credentials` may be sent now.
    ///
    /// # Errors
    /// With the time left when they were refused less than five minutes ago.
    pub fn permit(&self, credentials: &Credentials) -> Result<(), AuthenticationPaused> {
        self.state()
            .permit(self.hasher.hash_one(credentials), now())
    }

    /// Notes how an attempt with `credentials` ended.
    pub fn record(&self, credentials: &Credentials, outcome: AuthOutcome) {
        self.state()
            .record(self.hasher.hash_one(credentials), outcome, now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The decision, without a clock.
#[derive(Debug, Default)]
struct State {
    refused: Option<(u64, Instant)>,
    /// Credentials that the camera took, and has not refused since.
    proven: Option<u64>,
}

impl State {
    fn permit(&self, credentials: u64, now: Instant) -> Result<(), AuthenticationPaused> {
        match self.refused {
            Some((refused, at)) if refused == credentials => {
                match PAUSE.checked_sub(now.saturating_duration_since(at)) {
                    Some(retry_after) if !retry_after.is_zero() => {
                        Err(AuthenticationPaused { retry_after })
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn record(&mut self, credentials: u64, outcome: AuthOutcome, now: Instant) {
        match outcome {
            AuthOutcome::Refused if self.proven.take() == Some(credentials) => {}
            AuthOutcome::Refused => self.refused = Some((credentials, now)),
            AuthOutcome::Accepted => {
                self.refused = None;
                self.proven = Some(credentials);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_credentials_rest_for_five_minutes() {
        let start = Instant::now();
        let mut state = State::default();
        assert_eq!(state.permit(1, start), Ok(()));
        state.record(1, AuthOutcome::Refused, start);
        let error = state
            .permit(1, start + Duration::from_secs(100))
            .unwrap_err();
        assert_eq!(error.retry_after, Duration::from_secs(200));
        assert_eq!(state.permit(1, start + PAUSE), Ok(()));
    }

    #[test]
    fn other_credentials_may_be_tried_at_once() {
        let budget = AuthBudget::default();
        let wrong = Credentials::new("admin", "wrong");
        budget.record(&wrong, AuthOutcome::Refused);
        assert!(budget.clone().permit(&wrong).is_err());
        assert!(budget.permit(&Credentials::new("admin", "right")).is_ok());
    }

    #[test]
    fn one_refusal_after_a_success_is_forgiven_and_no_other() {
        let start = Instant::now();
        let mut state = State::default();
        state.record(1, AuthOutcome::Accepted, start);
        state.record(1, AuthOutcome::Refused, start);
        assert_eq!(state.permit(1, start), Ok(()));
        state.record(1, AuthOutcome::Refused, start);
        assert!(state.permit(1, start).is_err());
        state.record(2, AuthOutcome::Accepted, start);
        state.record(1, AuthOutcome::Refused, start);
        assert!(state.permit(1, start).is_err());
    }

    #[test]
    fn success_clears_the_record() {
        let start = Instant::now();
        let mut state = State::default();
        state.record(1, AuthOutcome::Refused, start);
        state.record(1, AuthOutcome::Accepted, start);
        assert_eq!(state.permit(1, start), Ok(()));
    }
}
