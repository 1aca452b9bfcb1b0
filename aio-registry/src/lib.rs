//! Azure IoT Operations device registry contract over MQTT 5, and the folder that replaces it on a laptop.
