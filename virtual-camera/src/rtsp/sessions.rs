//! The table of sessions: how many there may be and how long they live.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A session that is not used for so long ends.
pub(super) const SESSION_TIMEOUT: Duration = Duration::from_secs(60);
/// So many sessions there may be.
pub(super) const MAX_SESSIONS: usize = 64;

/// Sessions by identifier. Time is passed in.
#[derive(Debug)]
pub(super) struct Sessions<S> {
    entries: HashMap<String, Entry<S>>,
    /// A session that is not used for so long ends.
    timeout: Duration,
    limit: usize,
}

#[derive(Debug)]
struct Entry<S> {
    session: S,
    used: Instant,
}

impl<S> Entry<S> {
    fn is_live(&self, timeout: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.used) < timeout
    }
}

impl<S> Default for Sessions<S> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            timeout: SESSION_TIMEOUT,
            limit: MAX_SESSIONS,
        }
    }
}

impl<S> Sessions<S> {
    /// Sets how long sessions live, and how many there may be.
    pub(super) fn set_terms(&mut self, (timeout, limit): (Duration, usize)) {
        (self.timeout, self.limit) = (timeout, limit);
    }

    /// Adds a session, or gives it back when there are too many.
    pub(super) fn insert(&mut self, id: String, session: S, now: Instant) -> Result<(), S> {
        let timeout = self.timeout;
        self.entries.retain(|_, entry| entry.is_live(timeout, now));
        if self.entries.len() >= self.limit {
            return Err(session);
        }
        self.entries.insert(id, Entry { session, used: now });
        Ok(())
    }

    /// A live session; asking for it keeps it alive.
    pub(super) fn get(&mut self, id: &str, now: Instant) -> Option<&mut S> {
        let session = self.look(id, now)?;
        session.used = now;
        Some(&mut session.session)
    }

    /// A live session; asking for it does not keep it alive.
    pub(super) fn peek(&mut self, id: &str, now: Instant) -> Option<&mut S> {
        Some(&mut self.look(id, now)?.session)
    }

    fn look(&mut self, id: &str, now: Instant) -> Option<&mut Entry<S>> {
        let entry = self.entries.get_mut(id);
        entry.filter(|entry| entry.is_live(self.timeout, now))
    }

    /// Whether a session lives, without keeping it alive.
    pub(super) fn is_live(&self, id: &str, now: Instant) -> bool {
        let entry = self.entries.get(id);
        entry.is_some_and(|entry| entry.is_live(self.timeout, now))
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<S> {
        self.entries.remove(id).map(|entry| entry.session)
    }

    /// Takes the sessions out whose time is over.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<S> {
        let timeout = self.timeout;
        self.entries
            .extract_if(|_, entry| !entry.is_live(timeout, now))
            .map(|(_, entry)| entry.session)
            .collect()
    }

    /// Takes all sessions out.
    pub(super) fn clear(&mut self) -> Vec<S> {
        self.entries
            .drain()
            .map(|(_, entry)| entry.session)
            .collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &S> {
        self.entries.values().map(|entry| &entry.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_session_alive_as_long_as_it_is_used() {
        let start = Instant::now();
        let mut sessions = Sessions::default();
        sessions.insert("a".into(), 1, start).unwrap();
        let mut now = start;
        for _ in 0..3 {
            now += SESSION_TIMEOUT - Duration::from_secs(1);
            assert_eq!(sessions.get("a", now), Some(&mut 1));
            assert!(sessions.expire(now).is_empty());
        }
        now += SESSION_TIMEOUT;
        assert_eq!(sessions.get("a", now), None);
        assert!(!sessions.is_live("a", now));
        assert_eq!(sessions.expire(now), [1]);
        assert_eq!(sessions.iter().count(), 0);
    }

    #[test]
    fn is_not_kept_alive_by_a_look() {
        let start = Instant::now();
        let mut sessions = Sessions::default();
        sessions.insert("a".into(), 1, start).unwrap();
        assert!(sessions.is_live("a", start + SESSION_TIMEOUT / 2));
        assert!(!sessions.is_live("a", start + SESSION_TIMEOUT));
    }

    #[test]
    fn refuses_one_session_too_many_until_another_ends() {
        let start = Instant::now();
        let mut sessions = Sessions::default();
        for number in 0..MAX_SESSIONS {
            sessions.insert(number.to_string(), number, start).unwrap();
        }
        assert_eq!(sessions.insert("x".into(), 99, start), Err(99));
        assert_eq!(sessions.remove("5"), Some(5));
        assert_eq!(sessions.insert("x".into(), 99, start), Ok(()));
        assert_eq!(sessions.insert("y".into(), 98, start), Err(98));
        let later = start + SESSION_TIMEOUT;
        assert_eq!(sessions.insert("y".into(), 98, later), Ok(()));
        assert_eq!(sessions.clear(), [98]);
    }
}
