//! Pan, tilt and zoom of ONVIF cameras: moves that always stop, presets, status.
