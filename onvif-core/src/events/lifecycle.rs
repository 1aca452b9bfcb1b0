//! The life of a subscription as a state machine: times and outcomes in, the next action out.

use std::time::{Duration, Instant};

use super::EventOptions;

/// Between pulls that return at once with nothing: some cameras ignore the timeout.
const FLOOR: Duration = Duration::from_millis(750);
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
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
    /// Wait for notifications, the camera holding the request up to this long.
    Pull(Duration),
    /// Nothing until then.
    Wait(Instant),
}

/// How a subscription is asked for. Cameras refuse one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The camera cannot be reached.
    Network,
    /// The credentials are refused; nothing is tried before this time has passed.
    Unauthorized(Duration),
}

#[derive(Debug)]
pub(super) struct Lifecycle {
    options: EventOptions,
    filtered: bool,
    state: State,
    form: Form,
    /// Failures since the last pull that worked.
    failures: u32,
    /// Whether a subscription was lost since the consumer was told.
    lost: bool,
    report: bool,
    synchronize: bool,
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
    pub(super) fn new(options: EventOptions, filtered: bool) -> Self {
        Self {
            pull_timeout: options.pull_timeout.max(SHORTEST_PULL),
            options,
            filtered,
            state: State::Absent { not_before: None },
            form: Form {
                absolute: false,
                unfiltered: false,
            },
            failures: 0,
            lost: false,
            report: false,
            synchronize: false,
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
            } if now >= renew_at && renew_at < expires => Action::Renew(self.form),
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
        let lifetime = granted
            .filter(|granted| *granted >= SHORTEST_PULL)
            .unwrap_or(self.options.lifetime);
        self.state = State::Live {
            expires: now + lifetime,
            renew_at: now + lifetime.mul_f32(0.8),
            next_pull: now,
            lifetime,
        };
        if std::mem::take(&mut self.lost) {
            self.report = true;
            self.synchronize = true;
        }
    }

    /// A subscription could not be made. Returns whether another form is tried at once.
    pub(super) fn create_failed(&mut self, now: Instant, failure: Failure, jitter: f64) -> bool {
        if failure == Failure::Refused || failure == Failure::Lost {
            let next = match self.form {
                Form {
                    absolute: false,
                    unfiltered: false,
                } => Some(Form {
                    absolute: true,
                    unfiltered: false,
                }),
                Form {
                    absolute: true,
                    unfiltered: false,
                } if self.filtered => Some(Form {
                    absolute: false,
                    unfiltered: true,
                }),
                _ => None,
            };
            self.form = next.unwrap_or(Form {
                absolute: false,
                unfiltered: false,
            });
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
                    *renew_at = now + granted.mul_f32(0.8);
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

    /// A pull that began at `started` failed.
    pub(super) fn pull_failed(
        &mut self,
        started: Instant,
        now: Instant,
        failure: Failure,
        jitter: f64,
    ) {
        let elapsed = now.saturating_duration_since(started);
        if failure == Failure::Closed && self.failures < 5 {
            // Some cameras close a long poll that has nothing to report: the subscription lives on.
            if elapsed >= Duration::from_secs(3) {
                self.pull_timeout =
                    Duration::from_secs((elapsed.as_secs() * 4 / 5).max(2)).min(self.pull_timeout);
            } else {
                self.failures += 1;
            }
            if let State::Live { next_pull, .. } = &mut self.state {
                *next_pull = now.max(started + FLOOR);
            }
            return;
        }
        // The first loss is repaired at once, unless the camera is away.
        let wait = match (failure, self.failures) {
            (Failure::Lost, 0) => {
                self.failures = 1;
                None
            }
            _ => Some(now + self.backoff(failure, jitter)),
        };
        self.lose(wait);
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
            *expires = now + granted;
            *renew_at = now + granted.mul_f32(0.8);
            *lifetime = granted;
        }
    }

    /// Renewing failed: not fatal. Where the camera did not answer it is tried again half way to the
    /// end; else the subscription is used until it ends, then made anew.
    pub(super) fn renew_failed(&mut self, now: Instant, failure: Failure) {
        if failure == Failure::Lost {
            self.lose(None);
        } else if let State::Live {
            expires, renew_at, ..
        } = &mut self.state
        {
            let left = expires.saturating_duration_since(now);
            *renew_at = match failure {
                Failure::Network | Failure::Closed if left > 2 * SHORTEST_PULL => now + left / 2,
                _ => *expires,
            };
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
        let longest = Duration::from_secs(1 << self.failures.min(9)).min(LONGEST_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        longest.mul_f64(jitter.clamp(0.0, 1.0)).max(FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn live(granted: Duration) -> (Lifecycle, Instant) {
        let now = Instant::now();
        let mut life = Lifecycle::new(EventOptions::default(), true);
        assert!(matches!(life.next(now), Action::Create(_)));
        life.created(now, Some(granted));
        (life, now)
    }

    #[test]
    fn renews_before_termination_time() {
        let (mut life, now) = live(MINUTE);
        assert_eq!(life.next(now), Action::Pull(Duration::from_secs(30)));
        assert_eq!(
            life.next(now + Duration::from_secs(30)),
            Action::Pull(Duration::from_secs(18))
        );
        assert!(matches!(
            life.next(now + Duration::from_secs(48)),
            Action::Renew(_)
        ));
        life.renewed(now + Duration::from_secs(48), Some(MINUTE));
        assert_eq!(
            life.next(now + Duration::from_secs(49)),
            Action::Pull(Duration::from_secs(30))
        );
    }

    #[test]
    fn does_not_renew_while_pulling_prolongs() {
        let (mut life, start) = live(MINUTE);
        let mut now = start;
        for _ in 0..20 {
            let Action::Pull(timeout) = life.next(now) else {
                panic!("{:?}", life.next(now))
            };
            let started = now;
            now += timeout;
            life.pulled(started, now, 0, Some(MINUTE));
        }
    }

    #[test]
    fn waits_between_empty_pulls_that_return_at_once() {
        let (mut life, now) = live(MINUTE);
        life.pulled(now, now, 0, None);
        assert_eq!(life.next(now), Action::Wait(now + FLOOR));
        life.pulled(now, now, 3, None);
        assert!(matches!(life.next(now), Action::Pull(_)));
    }

    #[test]
    fn a_closed_long_poll_is_an_empty_pull_and_the_next_one_is_shorter() {
        let (mut life, now) = live(10 * MINUTE);
        let closed = now + Duration::from_secs(10);
        life.pull_failed(now, closed, Failure::Closed, 1.0);
        assert_eq!(life.next(closed), Action::Pull(Duration::from_secs(8)));
    }

    #[test]
    fn a_lost_subscription_is_made_anew_and_reported_as_a_gap() {
        let (mut life, now) = live(MINUTE);
        life.pull_failed(now, now, Failure::Lost, 1.0);
        assert!(matches!(life.next(now), Action::Create(_)));
        life.created(now, Some(MINUTE));
        assert_eq!(life.next(now), Action::ReportGap);
        assert_eq!(life.next(now), Action::Synchronize);
        assert!(matches!(life.next(now), Action::Pull(_)));
    }

    #[test]
    fn a_subscription_whose_pulls_always_fail_backs_off_to_five_minutes() {
        let (mut life, mut now) = live(MINUTE);
        let mut waits = Vec::new();
        for _ in 0..14 {
            life.pull_failed(now, now, Failure::Refused, 1.0);
            let Action::Wait(until) = life.next(now) else {
                panic!("no backoff")
            };
            waits.push((until - now).as_secs());
            now = until;
            assert!(matches!(life.next(now), Action::Create(_)));
            life.created(now, Some(MINUTE));
        }
        assert_eq!(waits[..4], [1, 2, 4, 8]);
        assert_eq!(waits.last(), Some(&300));
    }

    #[test]
    fn other_forms_are_tried_before_giving_up() {
        let now = Instant::now();
        let mut life = Lifecycle::new(EventOptions::default(), true);
        assert!(life.create_failed(now, Failure::Refused, 1.0));
        assert_eq!(
            life.next(now),
            Action::Create(Form {
                absolute: true,
                unfiltered: false
            })
        );
        assert!(life.create_failed(now, Failure::Refused, 1.0));
        assert_eq!(
            life.next(now),
            Action::Create(Form {
                absolute: false,
                unfiltered: true
            })
        );
        assert!(!life.create_failed(now, Failure::Refused, 1.0));
        assert_eq!(life.next(now), Action::Wait(now + Duration::from_secs(1)));
    }

    #[test]
    fn a_failing_renew_is_not_fatal() {
        let (mut life, now) = live(MINUTE);
        life.renew_failed(now, Failure::Refused);
        assert!(matches!(
            life.next(now + Duration::from_secs(50)),
            Action::Pull(_)
        ));
        assert!(matches!(life.next(now + MINUTE), Action::Create(_)));
    }

    #[test]
    fn a_renew_without_an_answer_is_tried_again_before_the_end() {
        let (mut life, start) = live(MINUTE);
        let mut now = start + Duration::from_secs(48);
        let mut renewals = 0;
        while now < start + MINUTE {
            if let Action::Renew(_) = life.next(now) {
                renewals += 1;
                life.renew_failed(now, Failure::Network);
            }
            now += Duration::from_secs(1);
        }
        assert_eq!(renewals, 4);
    }

    #[test]
    fn refused_credentials_rest_as_long_as_the_budget_says() {
        let now = Instant::now();
        let mut life = Lifecycle::new(EventOptions::default(), false);
        assert!(!life.create_failed(now, Failure::Unauthorized(5 * MINUTE), 0.0));
        assert_eq!(life.next(now), Action::Wait(now + 5 * MINUTE));
    }

    #[test]
    fn a_camera_that_grants_ten_seconds_is_taken_at_its_word() {
        let (mut life, now) = live(Duration::from_secs(10));
        assert_eq!(life.next(now), Action::Pull(Duration::from_secs(8)));
        assert!(matches!(
            life.next(now + Duration::from_secs(8)),
            Action::Renew(_)
        ));
    }
}
