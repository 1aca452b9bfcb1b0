//! An ONVIF camera in software, for testing without hardware: SOAP services, WS-Discovery, RTSP.
