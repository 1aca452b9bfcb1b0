//! The operations of the PTZ service, and the types they carry.

mod configuration;
mod movement;
mod node;
mod preset;
mod status;
mod tour;

pub use configuration::*;
pub use movement::*;
pub use node::*;
pub use preset::*;
pub use status::*;
pub use tour::*;

use onvif_core::{OperationInfo, operations};

/// The operations of the service that can be called: all of them.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            GetServiceCapabilities GetNodes GetNode
            GetConfigurations GetConfiguration GetCompatibleConfigurations SetConfiguration
            GetConfigurationOptions
            GetStatus AbsoluteMove RelativeMove ContinuousMove GeoMove MoveAndStartTracking Stop
            GetPresets SetPreset GotoPreset RemovePreset GotoHomePosition SetHomePosition
            SendAuxiliaryCommand
            GetPresetTours GetPresetTour GetPresetTourOptions CreatePresetTour ModifyPresetTour
            OperatePresetTour RemovePresetTour
        }
    }
}
