use super::NetworkInterfaceToken;
use crate::schema::{ReferenceToken, Secret};
use crate::{operation, soap_enum, soap_reply, soap_type};

operation! {
    /// Asks what Wi-Fi of the camera can do.
    pub struct GetDot11Capabilities in "tds" {} -> GetDot11CapabilitiesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDot11Capabilities", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetDot11Capabilities`].
    pub struct GetDot11CapabilitiesResponse in "tds" {
        /// The capabilities.
        capabilities: Option<Dot11Capabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What Wi-Fi of a camera can do.
    pub struct Dot11Capabilities in "tt" {
        /// The cipher TKIP.
        tkip: Option<bool> = "TKIP",
        /// Looking for networks.
        scan_available_networks: Option<bool> = "ScanAvailableNetworks",
        /// Several networks to choose from.
        multiple_configuration: Option<bool> = "MultipleConfiguration",
        /// Networks without an access point.
        ad_hoc_station_mode: Option<bool> = "AdHocStationMode",
        /// The broken cipher WEP.
        wep: Option<bool> = "WEP",
    }
}

operation! {
    /// Asks to which Wi-Fi network an interface is connected.
    pub struct GetDot11Status in "tds" {
        /// The interface.
        interface_token: NetworkInterfaceToken = "InterfaceToken",
    } -> GetDot11StatusResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDot11Status", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetDot11Status`].
    pub struct GetDot11StatusResponse in "tds" {
        /// The connection.
        status: Option<Dot11Status> = "Status",
    }
}

soap_reply! {
    /// A Wi-Fi connection.
    pub struct Dot11Status in "tt" {
        /// Name of the network.
        ssid: Option<String> = "SSID",
        /// Hardware address of the access point.
        bssid: Option<String> = "BSSID",
        /// Cipher of the traffic to this camera.
        pair_cipher: Option<Dot11Cipher> = "PairCipher",
        /// Cipher of the traffic to all.
        group_cipher: Option<Dot11Cipher> = "GroupCipher",
        /// How well the access point is received.
        signal_strength: Option<Dot11SignalStrength> = "SignalStrength",
        /// The configuration in use, by its alias.
        active_config_alias: Option<ReferenceToken> = "ActiveConfigAlias",
    }
}

operation! {
    /// Looks for Wi-Fi networks.
    pub struct ScanAvailableDot11Networks in "tds" {
        /// The interface.
        interface_token: NetworkInterfaceToken = "InterfaceToken",
    } -> ScanAvailableDot11NetworksResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/ScanAvailableDot11Networks", ReadSystem, Write
}

soap_reply! {
    /// The reply to [`ScanAvailableDot11Networks`].
    pub struct ScanAvailableDot11NetworksResponse in "tds" {
        /// The networks in reach.
        networks: Vec<Dot11AvailableNetwork> = "Networks",
    }
}

soap_reply! {
    /// A Wi-Fi network in reach.
    #[doc(alias = "Dot11AvailableNetworks")]
    pub struct Dot11AvailableNetwork in "tt" {
        /// Its name.
        ssid: Option<String> = "SSID",
        /// Hardware address of the access point.
        bssid: Option<String> = "BSSID",
        /// How stations prove who they are. (The schema misspells the element.)
        authentication: Vec<Dot11SecurityMode> = "AuthAndMangementSuite",
        /// Ciphers for the traffic to one.
        pair_ciphers: Vec<Dot11Cipher> = "PairCipher",
        /// Ciphers for the traffic to all.
        group_ciphers: Vec<Dot11Cipher> = "GroupCipher",
        /// How well it is received.
        signal_strength: Option<Dot11SignalStrength> = "SignalStrength",
    }
}

soap_enum! {
    /// A cipher of Wi-Fi.
    pub enum Dot11Cipher {
        /// AES in CCM mode, as in WPA2.
        Ccmp = "CCMP",
        /// RC4 with changing keys, as in WPA.
        Tkip = "TKIP",
        /// Either.
        Any = "Any",
        /// One the specification does not know.
        Extended = "Extended",
    }
}

soap_enum! {
    /// How well a Wi-Fi network is received.
    pub enum Dot11SignalStrength {
        /// Not at all.
        None = "None",
        /// Hardly.
        VeryBad = "Very Bad",
        /// Badly.
        Bad = "Bad",
        /// Well.
        Good = "Good",
        /// Very well.
        VeryGood = "Very Good",
        /// On a scale the specification does not know.
        Extended = "Extended",
    }
}

soap_type! {
    /// A Wi-Fi network an interface is set up for.
    pub struct Dot11Configuration in "tt" {
        /// Name of the network.
        ssid: Option<String> = "SSID",
        /// With or without access point.
        mode: Option<Dot11StationMode> = "Mode",
        /// Name of this configuration.
        alias: Option<String> = "Alias",
        /// Which is tried first: 0 to 31, the lower the earlier.
        priority: Option<i32> = "Priority",
        /// How the camera proves who it is.
        security: Option<Dot11SecurityConfiguration> = "Security",
    }
}

soap_enum! {
    /// How stations of a Wi-Fi network talk.
    pub enum Dot11StationMode {
        /// With each other.
        AdHoc = "Ad-hoc",
        /// Through an access point.
        Infrastructure = "Infrastructure",
        /// In a way the specification does not know.
        Extended = "Extended",
    }
}

soap_type! {
    /// Security of a Wi-Fi network.
    pub struct Dot11SecurityConfiguration in "tt" {
        /// How stations prove who they are.
        mode: Option<Dot11SecurityMode> = "Mode",
        /// The cipher.
        algorithm: Option<Dot11Cipher> = "Algorithm",
        /// The shared key, with [`Dot11SecurityMode::Psk`].
        psk: Option<Dot11PskSet> = "PSK",
        /// Token of the IEEE 802.1X configuration, with [`Dot11SecurityMode::Dot1X`].
        dot1x: Option<ReferenceToken> = "Dot1X",
    }
}

soap_enum! {
    /// How stations of a Wi-Fi network prove who they are.
    #[doc(alias = "Dot11AuthAndMangementSuite")]
    pub enum Dot11SecurityMode {
        /// Not at all.
        None = "None",
        /// With the broken WEP.
        Wep = "WEP",
        /// With a key that all share.
        Psk = "PSK",
        /// With IEEE 802.1X.
        Dot1X = "Dot1X",
        /// In a way the specification does not know.
        Extended = "Extended",
    }
}

soap_type! {
    /// A shared key, in one of two forms. Cameras do not report it.
    #[doc(alias = "Dot11PSKSet")]
    pub struct Dot11PskSet in "tt" {
        /// The key: 64 hexadecimal digits.
        key: Option<Secret> = "Key",
        /// The words it is made from: 8 to 63 characters of ASCII.
        passphrase: Option<Secret> = "Passphrase",
    }
}
