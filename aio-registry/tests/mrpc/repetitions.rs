//! Requests that come again, in any order and at any time, against a model of what is to become of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// A request with one of a few correlations, that lives and takes so many seconds.
    Ask {
        id: u8,
        lives: u64,
        takes: u64,
    },
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_u8, 1..6_u64, 0..8_u64).prop_map(|(id, lives, takes)| Step::Ask { id, lives, takes }),
        (0..80_u64).prop_map(Step::Wait),
    ]
}

/// What is known of a correlation, in milliseconds from the beginning.
enum Known {
    /// It is being handled until then, and forgotten or answered from then on.
    Running { until: u64, answered: Option<u64> },
    /// Its answer is known until then.
    Answered { until: u64 },
}

/// How often the handler is to run, and how many answers there are to be.
fn expected(steps: &[Step]) -> (usize, usize) {
    let (mut now, mut handled, mut answers) = (0, 0, 0);
    let mut known = BTreeMap::<u8, Known>::new();
    for step in steps {
        match *step {
            Step::Wait(seconds) => now += pause(seconds),
            Step::Ask { id, lives, takes } => {
                if let Some(Known::Running { until, answered }) = known.get(&id)
                    && *until <= now
                {
                    match *answered {
                        Some(until) => known.insert(id, Known::Answered { until }),
                        None => known.remove(&id),
                    };
                }
                match known.get(&id) {
                    // The one answer is for both.
                    Some(Known::Running { .. }) => continue,
                    Some(Known::Answered { until }) if *until > now => {
                        answers += 1;
                        continue;
                    }
                    _ => {}
                }
                handled += 1;
                let (lives, takes) = (lives * 1000, takes * 1000 + 500);
                let in_time = takes < lives;
                answers += usize::from(in_time);
                let running = Known::Running {
                    until: now + takes.min(lives),
                    answered: in_time.then_some(now + lives + 60_000),
                };
                known.insert(id, running);
            }
        }
    }
    (handled, answers)
}

/// Never a whole second, so that nothing happens at the same time.
fn pause(seconds: u64) -> u64 {
    seconds * 1000 + 1
}

/// How often the handler runs, how many answers there are, and what is not acknowledged in the end.
async fn observed(steps: &[Step]) -> (usize, usize, usize) {
    let broker = MemoryBroker::new();
    let handled = Arc::new(AtomicUsize::new(0));
    let count = handled.clone();
    let handler = move |request: Request| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let takes = std::str::from_utf8(&request.payload).unwrap();
            sleep(Duration::from_millis(takes.parse().unwrap())).await;
            Ok(Response::json(request.payload))
        }
    };
    let client = Arc::new(broker.client("executor"));
    let options = ExecutorOptions {
        concurrency: 100,
        ..ExecutorOptions::contract(PATTERN)
    };
    let _executor = Executor::start(client, options, handler).await.unwrap();
    let mut raw = Raw::new(&broker).await;
    for step in steps {
        match *step {
            Step::Wait(seconds) => sleep(Duration::from_millis(pause(seconds))).await,
            Step::Ask { id, lives, takes } => {
                raw.send(|request| {
                    request.payload = (takes * 1000 + 500).to_string().into();
                    request.properties.correlation_data = Some(Bytes::from(vec![id; 16]));
                    request.properties.message_expiry = Some(Duration::from_secs(lives));
                })
                .await;
            }
        }
    }
    let end = Instant::now() + Duration::from_secs(3600);
    let mut answers = 0;
    while let Ok(Some(answer)) = tokio::time::timeout_at(end, raw.answers.next()).await {
        assert_eq!(answer.properties.user("__stat"), Some("200"));
        answers += 1;
    }
    (
        handled.load(Ordering::SeqCst),
        answers,
        broker.unacknowledged(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_handled_once_answered_each_time_and_always_acknowledged(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let (handled, answers) = expected(&steps);
        prop_assert_eq!(runtime.block_on(observed(&steps)), (handled, answers, 0));
    }
}
