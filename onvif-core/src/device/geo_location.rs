use super::DeviceClient;
use crate::error::Error;
use crate::schema::ReferenceToken;
use crate::{operation, soap_reply, soap_type};

impl DeviceClient<'_> {
    /// Where the camera and its parts are. Empty where it does not know.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetGeoLocation")]
    pub async fn geo_location(&self) -> Result<Vec<LocationEntity>, Error> {
        Ok(self.camera.call(&GetGeoLocation {}).await?.locations)
    }

    /// Tells the camera where it and its parts are.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetGeoLocation")]
    pub async fn set_geo_location(
        &self,
        locations: impl Into<Vec<LocationEntity>>,
    ) -> Result<(), Error> {
        let locations = locations.into();
        self.camera.call(&SetGeoLocation { locations }).await
    }
}

operation! {
    /// Asks where the camera and its parts are.
    pub struct GetGeoLocation in "tds" {} -> GetGeoLocationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetGeoLocation", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetGeoLocation`].
    pub struct GetGeoLocationResponse in "tds" {
        /// One for each part that has a location.
        locations: Vec<LocationEntity> = "Location",
    }
}

operation! {
    /// Tells the camera where it and its parts are.
    pub struct SetGeoLocation in "tds" {
        /// The locations to set.
        locations: Vec<LocationEntity> = "Location",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetGeoLocation", WriteSystem, Write
}

operation! {
    /// Has the camera forget where parts of it are.
    pub struct DeleteGeoLocation in "tds" {
        /// The locations to forget.
        locations: Vec<LocationEntity> = "Location",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/DeleteGeoLocation", WriteSystem, Write
}

soap_type! {
    /// Where a part of the camera is, and how it is turned.
    #[derive(Default)]
    pub struct LocationEntity in "tt" [
        /// Kind of part, such as `VideoSource`; the whole camera without.
        entity: Option<String> = "Entity",
        /// The part; all of the kind without.
        token: Option<ReferenceToken> = "Token",
        /// Whether this cannot be changed.
        fixed: Option<bool> = "Fixed",
        /// Which receiver the position comes from, such as `gps`.
        geo_source: Option<String> = "GeoSource",
        /// Whether the receiver keeps it up to date.
        auto_geo: Option<bool> = "AutoGeo",
    ] {
        /// Place on Earth.
        geo_location: Option<GeoLocation> = "GeoLocation",
        /// How it is turned, relative to Earth.
        geo_orientation: Option<GeoOrientation> = "GeoOrientation",
        /// Place inside of a building.
        local_location: Option<LocalLocation> = "LocalLocation",
        /// How it is turned, relative to the mounting.
        local_orientation: Option<LocalOrientation> = "LocalOrientation",
    }
}

soap_type! {
    /// A place on Earth (WGS 84).
    #[derive(Copy)]
    pub struct GeoLocation in "tt" [
        /// Longitude in degrees, -180 to 180, the east positive.
        lon: Option<f64> = "lon",
        /// Latitude in degrees, -90 to 90, the north positive.
        lat: Option<f64> = "lat",
        /// Height over the ellipsoid in metres.
        elevation: Option<f32> = "elevation",
    ] {}
}

soap_type! {
    /// How something is turned relative to Earth, in degrees.
    #[derive(Copy)]
    pub struct GeoOrientation in "tt" [
        /// Around the axis it looks along, -180 to 180.
        roll: Option<f32> = "roll",
        /// Up and down, -90 to 90.
        pitch: Option<f32> = "pitch",
        /// From north over east, 0 to 360.
        yaw: Option<f32> = "yaw",
    ] {}
}

soap_type! {
    /// A place inside of a building, as an offset.
    #[derive(Copy)]
    pub struct LocalLocation in "tt" [
        /// Towards the east, as an angle in degrees.
        x: Option<f32> = "x",
        /// Towards the north, as an angle in degrees.
        y: Option<f32> = "y",
        /// Height in metres.
        z: Option<f32> = "z",
    ] {}
}

soap_type! {
    /// How something is turned relative to its mounting, in degrees.
    #[derive(Copy)]
    pub struct LocalOrientation in "tt" [
        /// Around the vertical axis, -180 to 180.
        pan: Option<f32> = "pan",
        /// Up and down, -90 to 90.
        tilt: Option<f32> = "tilt",
        /// Around the axis it looks along, -180 to 180.
        roll: Option<f32> = "roll",
    ] {}
}
