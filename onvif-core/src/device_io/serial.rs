use super::DeviceIoClient;
use crate::error::Error;
use crate::schema::{Binary, IntItems};
use crate::xml::IsoDuration;
use crate::{operation, soap_enum, soap_reply, soap_token, soap_type};

impl DeviceIoClient<'_> {
    /// The serial ports.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetSerialPorts")]
    pub async fn serial_ports(&self) -> Result<Vec<SerialPortToken>, Error> {
        let ports = self.camera.call(&GetSerialPorts {}).await?.ports;
        Ok(ports.into_iter().map(|port| port.token).collect())
    }

    /// How a serial port is set; `None` when the camera does not tell.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:InvalidSerialPort` for an unknown port.
    #[doc(alias = "GetSerialPortConfiguration")]
    pub async fn serial_port_configuration(
        &self,
        port: &SerialPortToken,
    ) -> Result<Option<SerialPortConfiguration>, Error> {
        let request = GetSerialPortConfiguration { port: port.clone() };
        Ok(self.camera.call(&request).await?.configuration)
    }

    /// Writes to a serial port, and reads what comes back.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SendReceiveSerialCommand")]
    pub async fn send_receive_serial(
        &self,
        command: &SendReceiveSerialCommand,
    ) -> Result<Option<SerialData>, Error> {
        Ok(self.camera.call(command).await?.data)
    }
}

soap_token! {
    /// Names a serial port.
    pub struct SerialPortToken;
}

operation! {
    /// Asks for the serial ports.
    pub struct GetSerialPorts in "tmd" {} -> GetSerialPortsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetSerialPorts", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetSerialPorts`].
    pub struct GetSerialPortsResponse in "tmd" {
        /// The ports.
        ports: Vec<SerialPort> = "SerialPort",
    }
}

soap_reply! {
    /// A serial port.
    pub struct SerialPort in "tmd" [
        /// Its token.
        token: SerialPortToken = "token",
    ] {}
}

operation! {
    /// Asks how a serial port is set.
    pub struct GetSerialPortConfiguration in "tmd" {
        /// Which.
        port: SerialPortToken = "SerialPortToken",
    } -> GetSerialPortConfigurationResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetSerialPortConfigurations", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetSerialPortConfiguration`].
    pub struct GetSerialPortConfigurationResponse in "tmd" {
        /// How it is set.
        configuration: Option<SerialPortConfiguration> = "SerialPortConfiguration",
    }
}

soap_type! {
    /// How a serial port is set.
    pub struct SerialPortConfiguration in "tmd" [
        /// The port.
        token: SerialPortToken = "token",
        /// Which wiring.
        kind: Option<SerialPortType> = "type",
    ] {
        /// Speed in bits per second.
        baud_rate: Option<u32> = "BaudRate",
        /// The bit that guards a character.
        parity: Option<ParityBit> = "ParityBit",
        /// Bits per character.
        character_length: Option<u32> = "CharacterLength",
        /// Stop bits: 1, 1.5 or 2.
        stop_bits: Option<f32> = "StopBit",
    }
}

soap_enum! {
    /// The wiring of a serial port.
    pub enum SerialPortType {
        /// RS-232.
        Rs232 = "RS232",
        /// RS-422, one way at a time.
        Rs422HalfDuplex = "RS422HalfDuplex",
        /// RS-422, both ways at once.
        Rs422FullDuplex = "RS422FullDuplex",
        /// RS-485, one way at a time.
        Rs485HalfDuplex = "RS485HalfDuplex",
        /// RS-485, both ways at once.
        Rs485FullDuplex = "RS485FullDuplex",
        /// Something else.
        Generic = "Generic",
    }
}

soap_enum! {
    /// The bit that guards a character.
    pub enum ParityBit {
        /// There is none.
        None = "None",
        /// It makes the number of ones even.
        Even = "Even",
        /// It makes the number of ones odd.
        Odd = "Odd",
        /// It is always one.
        Mark = "Mark",
        /// It is always zero.
        Space = "Space",
        /// As the specification does not know.
        Extended = "Extended",
    }
}

operation! {
    /// Sets a serial port.
    pub struct SetSerialPortConfiguration in "tmd" {
        /// The settings; their token tells the port.
        configuration: SerialPortConfiguration = "SerialPortConfiguration",
        /// Whether they shall outlast a restart. (The schema misspells the element.)
        force_persistence: bool = "ForcePersistance",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetSerialPortConfiguration", Actuate, Write
}

operation! {
    /// Asks how a serial port can be set.
    pub struct GetSerialPortConfigurationOptions in "tmd" {
        /// Which.
        port: SerialPortToken = "SerialPortToken",
    } -> GetSerialPortConfigurationOptionsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetSerialPortConfigurationOptions", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetSerialPortConfigurationOptions`].
    pub struct GetSerialPortConfigurationOptionsResponse in "tmd" {
        /// How it can be set.
        options: Option<SerialPortConfigurationOptions> = "SerialPortOptions",
    }
}

soap_reply! {
    /// How a serial port can be set.
    pub struct SerialPortConfigurationOptions in "tmd" [
        /// The port.
        token: SerialPortToken = "token",
    ] {
        /// Speeds in bits per second.
        baud_rates: Option<IntItems> = "BaudRateList",
        /// Bits that guard a character.
        parities: Option<ParityBitList> = "ParityBitList",
        /// Numbers of bits per character.
        character_lengths: Option<IntItems> = "CharacterLengthList",
        /// Numbers of stop bits.
        stop_bits: Option<StopBitList> = "StopBitList",
    }
}

soap_reply! {
    /// Bits that guard a character.
    pub struct ParityBitList in "tmd" {
        /// The choices.
        items: Vec<ParityBit> = "Items",
    }
}

soap_reply! {
    /// Numbers of stop bits.
    #[doc(alias = "FloatItems")]
    pub struct StopBitList in "tt" {
        /// The choices.
        items: Vec<f32> = "Items",
    }
}

operation! {
    /// Writes to a serial port, and reads what comes back until one of its limits is reached.
    #[derive(Default)]
    pub struct SendReceiveSerialCommand in "tmd" {
        /// Which port; the only one without.
        port: Option<SerialPortToken> = "Token",
        /// What to write; without it the port is only read.
        data: Option<SerialData> = "SerialData",
        /// How long to read.
        timeout: Option<IsoDuration> = "TimeOut",
        /// How many bytes to read.
        length: Option<u32> = "DataLength",
        /// Text that ends what is read.
        delimiter: Option<String> = "Delimiter",
    } -> SendReceiveSerialCommandResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SendReceiveSerialCommand", Actuate, Write
}

soap_reply! {
    /// The reply to [`SendReceiveSerialCommand`].
    pub struct SendReceiveSerialCommandResponse in "tmd" {
        /// What was read.
        data: Option<SerialData> = "SerialData",
    }
}

soap_type! {
    /// What goes over a serial port, in one of two forms.
    pub struct SerialData in "tmd" {
        /// As bytes.
        binary: Option<Binary> = "Binary",
        /// As text.
        text: Option<String> = "String",
    }
}
