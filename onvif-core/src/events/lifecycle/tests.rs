use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn live(granted: Duration) -> (Lifecycle, Instant) {
    let now = Instant::now();
    let mut life = Lifecycle::new(EventOptions::default(), true, Learned::default());
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
    let mut life = Lifecycle::new(EventOptions::default(), true, Learned::default());
    for (absolute, unfiltered) in [(true, false), (false, true), (true, true)] {
        assert!(life.create_failed(now, Failure::Refused, 1.0));
        let form = Form {
            absolute,
            unfiltered,
        };
        assert_eq!(life.next(now), Action::Create(form));
    }
    assert!(!life.create_failed(now, Failure::Refused, 1.0));
    assert_eq!(life.next(now), Action::Wait(now + Duration::from_secs(1)));
}

#[test]
fn what_was_learned_is_used_at_once_by_the_next_subscription() {
    let now = Instant::now();
    let mut life = Lifecycle::new(EventOptions::default(), false, Learned::default());
    assert!(life.create_failed(now, Failure::Refused, 1.0));
    life.created(now, Some(10 * MINUTE));
    let closed = now + Duration::from_secs(10);
    life.pull_failed(now, closed, Failure::Closed, 1.0);
    life.renew_failed(now, Failure::Refused);
    let mut next = Lifecycle::new(EventOptions::default(), false, life.learned());
    let absolute = Form {
        absolute: true,
        unfiltered: false,
    };
    assert_eq!(next.next(now), Action::Create(absolute));
    next.created(now, Some(10 * MINUTE));
    assert_eq!(next.next(now), Action::Pull(Duration::from_secs(8)));
    assert_eq!(next.next(now + 8 * MINUTE), Action::Replace(absolute));
}

#[test]
fn a_subscription_that_cannot_be_renewed_is_replaced_before_it_ends() {
    let (mut life, now) = live(10 * MINUTE);
    let due = now + 8 * MINUTE;
    assert!(matches!(life.next(due), Action::Renew(_)));
    life.renew_failed(due, Failure::Refused);
    assert!(matches!(life.next(due), Action::Replace(_)));
    life.replaced(due, Some(10 * MINUTE));
    assert!(
        matches!(life.next(due), Action::Pull(_)),
        "nothing was missed"
    );
    let due = due + 8 * MINUTE;
    assert!(matches!(life.next(due), Action::Replace(_)));
    life.replace_failed();
    assert!(matches!(life.next(due), Action::Pull(_)));
    assert!(matches!(life.next(due + 2 * MINUTE), Action::Create(_)));
    life.created(due + 2 * MINUTE, None);
    assert_eq!(life.next(due + 2 * MINUTE), Action::ReportGap);
}

#[test]
fn a_duration_that_is_misread_is_asked_for_as_a_moment() {
    let renew = |life: &mut Lifecycle, at| match life.next(at) {
        Action::Renew(form) => form.absolute,
        action => panic!("{action:?}"),
    };
    let ten = Duration::from_secs(10);
    let (mut life, now) = live(ten);
    assert!(renew(&mut life, now + ten * 8 / 10));
    life.renewed(now + ten, Some(10 * MINUTE));
    assert!(renew(&mut life, now + 9 * MINUTE), "it helped");

    let (mut life, now) = live(ten);
    assert!(renew(&mut life, now + ten * 8 / 10));
    life.renewed(now, Some(ten));
    assert!(!renew(&mut life, now + ten * 8 / 10), "it did not help");

    let (mut life, now) = live(ten);
    assert!(renew(&mut life, now + ten * 8 / 10));
    life.renew_failed(now + ten * 8 / 10, Failure::Refused);
    assert!(!renew(&mut life, now + ten * 8 / 10), "it was refused");
}

#[test]
fn a_camera_that_is_away_for_a_minute_keeps_its_subscription() {
    let (mut life, mut now) = live(10 * MINUTE);
    let mut longest = Duration::ZERO;
    for _ in 0..8 {
        assert!(life.pull_failed(now, now, Failure::Network, 1.0));
        let Action::Wait(until) = life.next(now) else {
            panic!("no backoff")
        };
        longest = longest.max(until - now);
        now = until;
        assert!(matches!(life.next(now), Action::Pull(_)));
    }
    assert_eq!(longest, Duration::from_secs(10));
    life.pulled(now, now, 1, None);
    assert!(matches!(life.next(now), Action::Pull(_)), "no gap");
}

#[test]
fn silence_is_trouble_the_second_time() {
    let (mut life, now) = live(10 * MINUTE);
    assert!(!life.pull_failed(now, now, Failure::Silent, 1.0));
    assert!(matches!(life.next(now), Action::Pull(_)));
    assert!(life.pull_failed(now, now, Failure::Silent, 1.0));
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
    let mut life = Lifecycle::new(EventOptions::default(), false, Learned::default());
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

#[test]
fn a_lifetime_of_a_second_is_no_storm_of_renewals() {
    for granted in [1_000, 1_200, 1_600, 2_000] {
        let (mut life, mut now) = live(Duration::from_millis(granted));
        let start = now;
        let mut actions = 0;
        while now < start + MINUTE {
            actions += 1;
            match life.next(now) {
                Action::Pull(timeout) => {
                    let started = now;
                    now += timeout;
                    life.pulled(started, now, 0, None);
                }
                Action::Wait(until) => now = until,
                Action::Renew(_) => life.renewed(now, Some(Duration::from_millis(granted))),
                Action::Create(_) => life.created(now, Some(Duration::from_millis(granted))),
                Action::Replace(_) => life.replaced(now, Some(Duration::from_millis(granted))),
                Action::ReportGap | Action::Synchronize => {}
            }
        }
        assert!(actions <= 250, "{granted}: {actions}");
    }
}
