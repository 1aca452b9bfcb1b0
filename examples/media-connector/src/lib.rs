//! The media connector: Microsoft.Media endpoints to MQTT.
