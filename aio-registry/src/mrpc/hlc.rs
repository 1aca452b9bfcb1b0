use std::time::SystemTime;

use crate::Error;

/// A hybrid logical clock: wall time that never goes back, with a counter for what happens within a millisecond.
/// One per process is enough. Clones share it.
#[derive(Clone, Debug)]
pub struct HybridClock {}

impl HybridClock {
    /// A clock with a random node identifier.
    pub fn new() -> Self {
        unimplemented!()
    }

    /// A new time, later than every one before, as `__ts` spells it.
    pub fn tick(&self) -> HybridTime {
        unimplemented!()
    }

    /// Takes note of another node's time.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it is more than 60 s ahead.
    pub fn observe(&self, remote: &HybridTime) -> Result<(), Error> {
        unimplemented!()
    }
}

/// A time of a [`HybridClock`]; as text `001795251708093:00000:NODE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HybridTime {
    millis: u64,
    counter: u32,
    node: String,
}

impl HybridTime {
    /// The wall time in it.
    pub fn time(&self) -> SystemTime {
        unimplemented!()
    }
}
