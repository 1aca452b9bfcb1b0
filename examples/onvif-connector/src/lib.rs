//! The connector for ONVIF: Microsoft.Onvif endpoints to MQTT.
