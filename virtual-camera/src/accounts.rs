//! Who can log in, what they may do, and who is locked out; for SOAP, snapshots and RTSP alike.

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::auth::Credentials;
use crate::quirks::Quirks;
use crate::state::lock;

/// How long somebody is locked out, unless the quirks say otherwise.
const LOCKED: Duration = Duration::from_secs(30 * 60);

/// What a user may do, least first (Core Specification, "User-based access control").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    User,
    Operator,
    Administrator,
}

impl Level {
    pub(crate) fn read(name: &str) -> Option<Self> {
        [Self::User, Self::Operator, Self::Administrator]
            .into_iter()
            .find(|level| level.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Operator => "Operator",
            Self::Administrator => "Administrator",
        }
    }
}

/// The users. The one that was configured is the first; it is an administrator, and stays.
#[derive(Debug)]
pub(crate) struct Accounts {
    users: Mutex<Users>,
}

#[derive(Debug, Default)]
pub(crate) struct Users {
    configured: Option<User>,
    created: Vec<User>,
    lockout: Option<Lockout>,
}

/// One user. `Debug` leaves the password out.
#[derive(Clone)]
pub(crate) struct User {
    pub name: String,
    pub password: String,
    pub level: Level,
    /// Wrong passwords in a row.
    failures: u32,
    locked_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Lockout {
    after: u32,
    time: Duration,
}

impl Accounts {
    pub(crate) fn new(configured: Option<Credentials>, quirks: &Quirks) -> Self {
        let accounts = Self {
            users: Mutex::default(),
        };
        accounts.set_lockout(quirks);
        if let Some(credentials) = configured {
            accounts.configure(credentials);
        }
        accounts
    }

    /// Sets when somebody is locked out.
    pub(crate) fn set_lockout(&self, quirks: &Quirks) {
        self.users().lockout = quirks.lockout_after.map(|after| Lockout {
            after,
            time: quirks.lockout_s.map_or(LOCKED, Duration::from_secs),
        });
    }

    /// Sets the user that stays.
    pub(crate) fn configure(&self, credentials: Credentials) {
        let Credentials { user, password } = credentials;
        self.users().configured = Some(User::new(user, password, Level::Administrator));
    }

    pub(crate) fn users(&self) -> MutexGuard<'_, Users> {
        lock(&self.users)
    }

    /// The user that stays; where there is none, everything is open to everyone.
    pub(crate) fn configured(&self) -> Option<User> {
        self.users().configured.clone()
    }

    /// A user that can log in now.
    pub(crate) fn find(&self, name: &str, now: Instant) -> Option<User> {
        let mut users = self.users();
        users
            .all_mut()
            .find(|user| user.name == name)
            .filter(|user| user.locked_until.is_none_or(|until| until <= now))
            .cloned()
    }

    /// Notes that a user logged in.
    pub(crate) fn let_in(&self, name: &str) {
        if let Some(user) = self.users().all_mut().find(|user| user.name == name) {
            user.failures = 0;
        }
    }

    /// Notes that somebody tried a wrong password.
    pub(crate) fn turned_away(&self, name: &str, now: Instant) {
        let mut users = self.users();
        let Some(lockout) = users.lockout else {
            return;
        };
        if let Some(user) = users.all_mut().find(|user| user.name == name) {
            user.failures += 1;
            if user.failures >= lockout.after {
                tracing::info!(user = user.name, "locked out after wrong passwords");
                user.failures = 0;
                user.locked_until = Some(now + lockout.time);
            }
        }
    }
}

impl Users {
    pub(crate) fn all(&self) -> impl Iterator<Item = &User> {
        self.configured.iter().chain(&self.created)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut User> {
        self.configured.iter_mut().chain(&mut self.created)
    }

    /// Whether this is the user that stays.
    pub(crate) fn is_configured(&self, name: &str) -> bool {
        let configured = self.configured.as_ref();
        configured.is_some_and(|user| user.name == name)
    }

    pub(crate) fn create(&mut self, users: impl IntoIterator<Item = User>) {
        self.created.extend(users);
    }

    /// Changes what is given, and lifts the lock with the password.
    pub(crate) fn change(&mut self, name: &str, level: Level, password: Option<&str>) {
        if let Some(user) = self.all_mut().find(|user| user.name == name) {
            user.level = level;
            if let Some(password) = password {
                *user = User::new(user.name.clone(), password.to_owned(), level);
            }
        }
    }

    pub(crate) fn delete(&mut self, names: &[&str]) {
        self.created
            .retain(|user| !names.contains(&user.name.as_str()));
    }

    /// Removes all users but the one that stays.
    pub(crate) fn reset(&mut self) {
        self.created.clear();
    }
}

impl User {
    pub(crate) fn new(name: String, password: String, level: Level) -> Self {
        Self {
            name,
            password,
            level,
            failures: 0,
            locked_until: None,
        }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(lockout_after: Option<u32>) -> Accounts {
        let quirks = Quirks {
            lockout_after,
            ..Default::default()
        };
        let configured = Credentials {
            user: "admin".into(),
            password: "secret".into(),
        };
        Accounts::new(Some(configured), &quirks)
    }

    #[test]
    fn somebody_is_locked_out_after_wrong_passwords_in_a_row_and_for_a_while() {
        let accounts = accounts(Some(3));
        let now = Instant::now();
        for _ in 0..2 {
            accounts.turned_away("admin", now);
        }
        accounts.let_in("admin");
        for _ in 0..2 {
            accounts.turned_away("admin", now);
        }
        assert!(accounts.find("admin", now).is_some());
        accounts.turned_away("admin", now);
        assert!(accounts.find("admin", now).is_none());
        assert!(accounts.find("admin", now + LOCKED).is_some());
    }

    #[test]
    fn nobody_is_locked_out_by_default_and_a_stranger_never() {
        let now = Instant::now();
        let patient = accounts(None);
        let strict = accounts(Some(1));
        for _ in 0..100 {
            patient.turned_away("admin", now);
            strict.turned_away("stranger", now);
        }
        assert!(patient.find("admin", now).is_some());
        assert!(strict.find("admin", now).is_some());
    }

    #[test]
    fn only_created_users_go_at_a_reset() {
        let accounts = accounts(None);
        let guest = User::new("guest".into(), "pass".into(), Level::User);
        accounts.users().create([guest]);
        assert_eq!(accounts.users().all().count(), 2);
        accounts.users().reset();
        assert_eq!(accounts.users().all().count(), 1);
        assert!(accounts.users().is_configured("admin"));
    }

    #[test]
    fn debug_shows_no_password() {
        assert!(!format!("{:?}", accounts(None)).contains("secret"));
    }
}
