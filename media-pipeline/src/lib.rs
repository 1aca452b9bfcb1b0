//! RTSP frame pipeline: camera streams to access units, snapshots and frames, without a C codec.
