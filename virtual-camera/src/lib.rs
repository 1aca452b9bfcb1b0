//! An ONVIF camera in software, for testing without hardware: SOAP services, WS-Discovery, RTSP.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the builder that uses it is to come")
)]
mod clip;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the builder that uses it is to come")
)]
mod digest;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the builder that uses it is to come")
)]
mod rtsp;
