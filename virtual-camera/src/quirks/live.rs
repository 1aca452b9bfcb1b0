//! Quirks that change while the camera runs.

use std::sync::{Arc, PoisonError, RwLock};

use super::Quirks;

/// The quirks of a running camera. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct LiveQuirks(Arc<RwLock<Arc<Quirks>>>);

impl LiveQuirks {
    pub(crate) fn new(quirks: Quirks) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(quirks))))
    }

    /// As they are now; what is returned does not change any more.
    pub(crate) fn now(&self) -> Arc<Quirks> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sets them, and returns what they were.
    pub(crate) fn set(&self, quirks: Quirks) -> Arc<Quirks> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, Arc::new(quirks))
    }
}
