//! What happens around the camera, as the handle and the control endpoint make it happen.

use std::sync::Arc;
use std::time::Instant;

use crate::event::{Event, Operation};
use crate::service::analytics;
use crate::service::device::io;
use crate::state::{Camera, lock};
use crate::topic::Topic;

impl Camera {
    pub(crate) fn set_motion(&self, active: bool) {
        self.set_property(&[Topic::MotionAlarm, Topic::CellMotion], active);
        analytics::report_motion(self, active);
    }

    pub(crate) fn set_digital_input(&self, active: bool) {
        self.set_property(&[Topic::DigitalInput], active);
    }

    /// Somebody covers or turns the camera, or no longer does.
    pub(crate) fn set_tamper(&self, active: bool) {
        self.report(
            Event::new("tns1:VideoSource/GlobalSceneChange/ImagingService")
                .property(Operation::Changed)
                .source("Source", "video_source")
                .data("State", active.to_string()),
        );
    }

    /// False where there is no such relay.
    pub(crate) fn set_relay(self: &Arc<Self>, token: &str, active: bool) -> bool {
        io::switch_relay(self, token, active).is_ok()
    }

    pub(crate) fn relay(&self, token: &str) -> Option<bool> {
        let device = lock(&self.device);
        Some(device.io.relays.get(token)?.is_active(Instant::now()))
    }

    pub(crate) fn forget_subscriptions(&self) {
        self.events.lock().subscriptions.clear();
        self.events.changed.notify_waiters();
    }
}
