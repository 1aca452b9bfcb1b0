//! The life of a subscription as a state machine: times and outcomes in, the next action out.

use std::time::{Duration, Instant};

use super::EventOptions;
use crate::error::Error;
use crate::transport::TransportError;

/// Between pulls that return at once with nothing: some cameras ignore the timeout.
const FLOOR: Duration = Duration::from_millis(750);
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// While the camera cannot be reached: it costs little to try, and events should flow soon after.
const LONGEST_NETWORK_BACKOFF: Duration = Duration::from_secs(10);
const SHORTEST_PULL: Duration = Duration::from_secs(1);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Make a subscription.
    Create(Form),
    /// Tell the consumer that something may have been missed.
    ReportGap,
    /// Ask for the state of all properties.
    Synchronize,
    /// Prolong the subscription.
    Renew(Form),
    /// Make a subscription while the old one still lives, because it cannot be prolonged.
    Replace(Form),
    /// Wait for notifications, the camera holding the request up to this long.
    Pull(Duration),
    /// Nothing until then.
    Wait(Instant),
}

/// How a subscription is asked for. Cameras refuse one or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// End as a moment instead of a duration.
    pub(super) absolute: bool,
    /// Without the topic filter.
    pub(super) unfiltered: bool,
}

/// Why something failed, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The camera does not know the subscription (any more).
    Lost,
    /// The camera refused with another fault, or answered nonsense.
    Refused,
    /// The connection ended without an answer.
    Closed,
    /// No answer came in time.
    Silent,
    /// The camera cannot be reached.
    Network,
    /// The credentials are refused; nothing is tried before this time has passed.
    Unauthorized(Duration),
}

impl Failure {
    /// What an error means for a subscription.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Network {
                source: TransportError::Closed(_),
                ..
            } => Failure::Closed,
            Error::Network {
                source: TransportError::Timeout(_),
                ..
            } => Failure::Silent,
            Error::Network { .. } => Failure::Network,
            Error::AuthenticationPaused { source, .. } => Failure::Unauthorized(source.retry_after),
            Error::Unauthorized { .. } => Failure::Unauthorized(Duration::from_secs(300)),
            Error::Refused { fault, .. } if fault.needs_resubscribe() => Failure::Lost,
            Error::NotSoap { status: 404, .. } => Failure::Lost,
            _ => Failure::Refused,
        }
    }
}

/// What was learned about a camera, kept for its next subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Learned {
    /// It wants the end of a subscription as a moment.
    absolute: bool,
    /// Asking for a moment was tried where a duration was cut.
    tried_absolute: bool,
    /// It does not renew.
    no_renew: bool,
    /// It closes pulls that are held longer.
    pull_timeout: Option<Duration>,
    /// The port in its subscription addresses is dead; the device's own works.
    pub(super) device_port: bool,
    /// How many streams pull now. They take turns, because cameras stall on too many connections.
    pub(super) streams: u32,
}

impl Learned {
    /// Takes over what a subscription learned about the camera.
    pub(super) fn update(&mut self, from: Self) {
        *self = Self {
            device_port: self.device_port,
            streams: self.streams,
            ..from
        };
    }
}

#[derive(Debug)]
pub(super) struct Lifecycle {
    options: EventOptions,
    filtered: bool,
    state: State,
    form: Form,
    learned: Learned,
    /// Failures since the last pull that worked.
    failures: u32,
    /// Requests in a row without any answer.
    unanswered: u32,
    /// Whether a subscription was lost since the consumer was told.
    lost: bool,
    report: bool,
    synchronize: bool,
    /// The next renewal asks for a moment: the camera cut the duration, perhaps misread it.
    trial: bool,
    pull_timeout: Duration,
}

#[derive(Debug)]
enum State {
    Absent {
        not_before: Option<Instant>,
    },
    Live {
        expires: Instant,
        renew_at: Instant,
        next_pull: Instant,
        lifetime: Duration,
    },
}

impl Lifecycle {
    pub(super) fn new(options: EventOptions, filtered: bool, learned: Learned) -> Self {
        let pull_timeout = learned.pull_timeout.map_or(options.pull_timeout, |known| {
            known.min(options.pull_timeout)
        });
        let mut life = Self {
            pull_timeout: pull_timeout.max(SHORTEST_PULL),
            options,
            filtered,
            state: State::Absent { not_before: None },
            form: Form::default(),
            learned,
            failures: 0,
            unanswered: 0,
            lost: false,
            report: false,
            synchronize: false,
            trial: false,
        };
        life.form = life.first_form();
        life
    }

    pub(super) fn learned(&self) -> Learned {
        self.learned
    }

    fn first_form(&self) -> Form {
        Form {
            absolute: self.learned.absolute,
            unfiltered: false,
        }
    }

    pub(super) fn next(&mut self, now: Instant) -> Action {
        if let State::Live { expires, .. } = self.state
            && now >= expires
        {
            self.lose(None);
        }
        match self.state {
            State::Absent {
                not_before: Some(at),
            } if now < at => Action::Wait(at),
            State::Absent { .. } => Action::Create(self.form),
            State::Live { .. } if std::mem::take(&mut self.report) => Action::ReportGap,
            State::Live { .. } if std::mem::take(&mut self.synchronize) => Action::Synchronize,
            State::Live {
                expires, renew_at, ..
            } if now + SHORTEST_PULL > renew_at && renew_at < expires => {
                // A pull that is shorter is none, so it is done a little early.
                if self.learned.no_renew {
                    Action::Replace(self.form)
                } else {
                    Action::Renew(Form {
                        absolute: self.form.absolute || self.trial,
                        ..self.form
                    })
                }
            }
            State::Live { next_pull, .. } if now < next_pull => Action::Wait(next_pull),
            State::Live {
                expires, renew_at, ..
            } => {
                let due = if renew_at < expires {
                    renew_at
                } else {
                    expires
                };
                let left = due.saturating_duration_since(now);
                // Whole seconds, because some cameras cannot read fractions.
                let timeout = Duration::from_secs(self.pull_timeout.min(left).as_secs());
                Action::Pull(timeout.max(SHORTEST_PULL))
            }
        }
    }

    /// A subscription was made; `granted` is the lifetime the camera reports.
    pub(super) fn created(&mut self, now: Instant, granted: Option<Duration>) {
        self.begin(now, granted);
        if std::mem::take(&mut self.lost) {
            self.report = true;
            self.synchronize = true;
        }
    }

    /// A subscription was made while the old one still lived: nothing was missed.
    pub(super) fn replaced(&mut self, now: Instant, granted: Option<Duration>) {
        self.begin(now, granted);
    }

    /// The camera gives no second subscription: the old one is used to its end.
    pub(super) fn replace_failed(&mut self) {
        if let State::Live {
            expires, renew_at, ..
        } = &mut self.state
        {
            *renew_at = *expires;
        }
    }

    fn begin(&mut self, now: Instant, granted: Option<Duration>) {
        let granted = granted.filter(|granted| *granted >= SHORTEST_PULL);
        let lifetime = granted.unwrap_or(self.options.lifetime);
        self.state = State::Live {
            expires: now + lifetime,
            renew_at: now + due(lifetime),
            next_pull: now,
            lifetime,
        };
        self.learned.absolute = self.form.absolute;
        // Some read `PT600S` as something else, and understand a moment.
        self.trial = lifetime < self.options.lifetime / 2
            && !self.form.absolute
            && !self.learned.tried_absolute;
    }

    /// A subscription could not be made. Returns whether another form is tried at once.
    pub(super) fn create_failed(&mut self, now: Instant, failure: Failure, jitter: f64) -> bool {
        if failure == Failure::Refused || failure == Failure::Lost {
            let first = self.first_form();
            let turned = Form {
                absolute: !first.absolute,
                ..first
            };
            let bare = |form: Form| Form {
                unfiltered: true,
                ..form
            };
            let ladder = [first, turned, bare(first), bare(turned)];
            let rungs = if self.filtered { 4 } else { 2 };
            let at = ladder.iter().position(|form| *form == self.form);
            let next = at.and_then(|at| ladder[..rungs].get(at + 1).copied());
            self.form = next.unwrap_or(first);
            if next.is_some() {
                return true;
            }
        }
        let wait = self.backoff(failure, jitter);
        self.state = State::Absent {
            not_before: Some(now + wait),
        };
        false
    }

    /// A pull that began at `started` returned `count` notifications.
    pub(super) fn pulled(
        &mut self,
        started: Instant,
        now: Instant,
        count: usize,
        granted: Option<Duration>,
    ) {
        self.failures = 0;
        self.unanswered = 0;
        if let State::Live {
            expires,
            renew_at,
            next_pull,
            lifetime,
        } = &mut self.state
        {
            if let Some(granted) = granted.filter(|granted| *granted >= SHORTEST_PULL) {
                let end = now + granted;
                // The camera prolongs with each pull, so renewing is not needed until it stops.
                if end > *expires + Duration::from_secs(1) {
                    *renew_at = now + due(granted);
                    *lifetime = granted;
                }
                *expires = end;
            }
            *next_pull = if count == 0 {
                now.max(started + FLOOR)
            } else {
                now
            };
        }
    }

    /// A pull that began at `started` failed. Returns whether that is trouble worth telling.
    pub(super) fn pull_failed(
        &mut self,
        started: Instant,
        now: Instant,
        failure: Failure,
        jitter: f64,
    ) -> bool {
        let elapsed = now.saturating_duration_since(started);
        if failure == Failure::Closed && self.failures < 5 {
            // Some cameras close a long poll that has nothing to report: the subscription lives on.
            if elapsed >= Duration::from_secs(3) {
                self.pull_timeout =
                    Duration::from_secs((elapsed.as_secs() * 4 / 5).max(2)).min(self.pull_timeout);
                self.learned.pull_timeout = Some(self.pull_timeout);
            } else {
                self.failures += 1;
            }
            self.pull_again(now.max(started + FLOOR));
            return false;
        }
        match failure {
            // The first one may be a lost packet.
            Failure::Silent if self.unanswered == 0 => {
                self.unanswered = 1;
                self.pull_again(now);
                false
            }
            // What the camera queues meanwhile is fetched when it can be reached again.
            Failure::Silent | Failure::Network => {
                let wait = self.backoff(failure, jitter);
                self.pull_again(now + wait);
                true
            }
            // The first loss is repaired at once.
            Failure::Lost if self.failures == 0 => {
                self.failures = 1;
                self.lose(None);
                false
            }
            _ => {
                let wait = self.backoff(failure, jitter);
                self.lose(Some(now + wait));
                true
            }
        }
    }

    /// Tries the subscription at once, at another address of the camera.
    pub(super) fn pull_again(&mut self, at: Instant) {
        if let State::Live { next_pull, .. } = &mut self.state {
            *next_pull = at;
        }
    }

    pub(super) fn renewed(&mut self, now: Instant, granted: Option<Duration>) {
        if let State::Live {
            expires,
            renew_at,
            lifetime,
            ..
        } = &mut self.state
        {
            let granted = granted
                .filter(|granted| *granted >= SHORTEST_PULL)
                .unwrap_or(*lifetime);
            if std::mem::take(&mut self.trial) {
                self.learned.tried_absolute = true;
                self.form.absolute = granted > lifetime.mul_f32(1.5);
                self.learned.absolute = self.form.absolute;
            }
            *expires = now + granted;
            *renew_at = now + due(granted);
            *lifetime = granted;
        }
    }

    /// Renewing failed: not fatal. Where the camera did not answer it is tried again half way to the
    /// end; where it refuses, a new subscription takes over before the old one ends.
    pub(super) fn renew_failed(&mut self, now: Instant, failure: Failure) {
        if failure == Failure::Lost {
            return self.lose(None);
        }
        let State::Live {
            expires, renew_at, ..
        } = &mut self.state
        else {
            return;
        };
        if matches!(
            failure,
            Failure::Network | Failure::Closed | Failure::Silent
        ) {
            let left = expires.saturating_duration_since(now);
            *renew_at = if left > 2 * SHORTEST_PULL {
                now + left / 2
            } else {
                *expires
            };
        } else if std::mem::take(&mut self.trial) {
            // The moment was refused; as a duration it may be welcome.
            self.learned.tried_absolute = true;
            *renew_at = now;
        } else {
            self.learned.no_renew = true;
            *renew_at = now;
        }
    }

    fn lose(&mut self, not_before: Option<Instant>) {
        self.lost = true;
        self.report = false;
        self.synchronize = false;
        self.state = State::Absent { not_before };
    }

    /// One second doubling up to five minutes, of which a random part is waited.
    fn backoff(&mut self, failure: Failure, jitter: f64) -> Duration {
        if let Failure::Unauthorized(pause) = failure {
            return pause;
        }
        let (count, limit) = match failure {
            Failure::Network | Failure::Silent => (&mut self.unanswered, LONGEST_NETWORK_BACKOFF),
            _ => {
                self.unanswered = 0;
                (&mut self.failures, LONGEST_BACKOFF)
            }
        };
        let longest = Duration::from_secs(1 << (*count).min(9)).min(limit);
        *count = count.saturating_add(1);
        longest.mul_f64(jitter.clamp(0.0, 1.0)).max(FLOOR)
    }
}

/// When a lifetime is to be prolonged: after four fifths, but not before there was time for a pull.
fn due(lifetime: Duration) -> Duration {
    lifetime.mul_f32(0.8).max(SHORTEST_PULL * 3 / 2)
}

#[cfg(test)]
mod tests;
