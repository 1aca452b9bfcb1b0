use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;

/// How far ahead another node's clock may be.
const MAX_DRIFT: Duration = Duration::from_secs(60);
/// The largest counter that has five digits, and so the largest of this clock. Others may count on.
const MAX_COUNTER: u64 = 99_999;

/// A hybrid logical clock: wall time that never goes back, with a counter for what happens within a millisecond.
/// One per process is enough. Clones share it.
#[derive(Clone, Debug)]
pub struct HybridClock {
    last: Arc<Mutex<HybridTime>>,
}

impl HybridClock {
    /// A clock with a random node identifier.
    pub fn new() -> Self {
        let start = HybridTime {
            millis: 0,
            counter: 0,
            node: uuid::Uuid::new_v4().to_string(),
        };
        Self {
            last: Arc::new(Mutex::new(start)),
        }
    }

    /// A new time, later than every one before, as `__ts` spells it.
    pub fn tick(&self) -> HybridTime {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.advance(now_millis());
        last.clone()
    }

    /// Takes note of another node's time.
    ///
    /// # Errors
    /// [`Error::Clock`] when it is more than 60 s ahead; this clock stays as it was.
    pub fn observe(&self, remote: &HybridTime) -> Result<(), Error> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .merge(remote, now_millis())
    }
}

impl Default for HybridClock {
    fn default() -> Self {
        Self::new()
    }
}

/// A time of a [`HybridClock`]; as text `001795251708093:00000:NODE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HybridTime {
    millis: u64,
    counter: u64,
    node: String,
}

impl HybridTime {
    /// The wall time in it.
    pub fn time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.millis)
    }

    fn advance(&mut self, now: u64) {
        self.follow_back(now);
        if now > self.millis {
            (self.millis, self.counter) = (now, 0);
        } else {
            self.count_up();
        }
    }

    fn merge(&mut self, remote: &Self, now: u64) -> Result<(), Error> {
        if is_ahead(remote.millis, now) {
            return Err(Error::Clock {
                time: remote.to_string(),
            });
        }
        self.follow_back(now);
        if now > self.millis && now > remote.millis {
            (self.millis, self.counter) = (now, 0);
        } else if remote.millis > self.millis {
            (self.millis, self.counter) = (remote.millis, remote.counter);
            self.count_up();
        } else {
            if remote.millis == self.millis {
                self.counter = self.counter.max(remote.counter);
            }
            self.count_up();
        }
        Ok(())
    }

    /// When the machine's clock was set back by more than others bear, theirs is the right one: this one goes back as well.
    fn follow_back(&mut self, now: u64) {
        if is_ahead(self.millis, now) {
            (self.millis, self.counter) = (now, 0);
        }
    }

    fn count_up(&mut self) {
        if self.counter < MAX_COUNTER {
            self.counter += 1;
        } else {
            (self.millis, self.counter) = (self.millis + 1, 0);
        }
    }
}

impl std::fmt::Display for HybridTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:015}:{:05}:{}", self.millis, self.counter, self.node)
    }
}

impl FromStr for HybridTime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let mut parts = text.splitn(3, ':');
            let digits = |part: Option<&str>| {
                part.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
                    .map(str::to_owned)
            };
            let millis = digits(parts.next())?
                .parse()
                .ok()
                .filter(|millis| *millis < 1_000_000_000_000_000)?;
            let counter = digits(parts.next())?.parse().ok()?;
            let node = parts
                .next()
                .filter(|node| (1..=128).contains(&node.len()) && !node.contains(':'))?
                .to_owned();
            Some(Self {
                millis,
                counter,
                node,
            })
        };
        parse().ok_or_else(|| Error::Header {
            what: "a message".into(),
            name: super::header::TIMESTAMP.into(),
            value: Some(text.chars().take(200).collect()),
            reason: "it is no hybrid time such as 001795251708093:00000:node".into(),
        })
    }
}

fn is_ahead(millis: u64, now: u64) -> bool {
    millis.saturating_sub(now) > MAX_DRIFT.as_millis() as u64
}

fn now_millis() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64, counter: u64) -> HybridTime {
        HybridTime {
            millis,
            counter,
            node: "n".into(),
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let text = "001795251708093:00007:5013f78b-1f36-42e4-81d0-ca2ff7e8cf38";
        assert_eq!(text.parse::<HybridTime>().unwrap().to_string(), text);
        for bad in [
            "",
            "x:0:n",
            "1:2",
            "1:2:",
            "-1:0:n",
            "+1:0:n",
            "1:2:n:m",
            "1:18446744073709551616:n",
            "9999999999999999:0:n",
        ] {
            assert!(bad.parse::<HybridTime>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn never_goes_back() {
        let mut clock = at(1000, 0);
        clock.advance(900);
        assert_eq!(clock, at(1000, 1));
        clock.merge(&at(2000, 5), 900).unwrap();
        assert_eq!(clock, at(2000, 6));
        clock.merge(&at(2000, 9), 900).unwrap();
        assert_eq!(clock, at(2000, 10));
        clock.merge(&at(1, 1), 3000).unwrap();
        assert_eq!(clock, at(3000, 0));
    }

    #[test]
    fn refuses_a_clock_that_is_more_than_a_minute_ahead() {
        let mut clock = at(0, 7);
        let error = clock.merge(&at(60_001, 0), 0).unwrap_err();
        assert!(matches!(error, Error::Clock { .. }), "{error}");
        assert_eq!(clock, at(0, 7));
        assert!(clock.merge(&at(60_000, 0), 0).is_ok());
    }

    #[test]
    fn a_full_counter_goes_over_into_the_milliseconds() {
        let mut clock = at(1000, MAX_COUNTER);
        clock.advance(1000);
        assert_eq!(clock, at(1001, 0));
        clock.merge(&at(2000, MAX_COUNTER), 1000).unwrap();
        assert_eq!(clock, at(2001, 0));
        let beyond = "000000000003000:100000:n".parse().unwrap();
        clock.merge(&beyond, 1000).unwrap();
        assert_eq!(clock, at(3001, 0));
    }

    #[test]
    fn goes_back_with_a_clock_that_was_set_back_by_more_than_others_bear() {
        let mut clock = at(100_000, 5);
        clock.advance(40_000);
        assert_eq!(clock, at(100_000, 6), "by a minute it does not");
        clock.advance(39_999);
        assert_eq!(clock, at(39_999, 1));
    }
}
