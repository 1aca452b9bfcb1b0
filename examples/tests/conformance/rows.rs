//! The tests that ask for one operation, and those that are not judged here.

use crate::judging::Need::{
    self, Action, Configuration, Element, Is, IsIfSent, No, Text, TextIfSent, UpTo, Zero,
};

const SYNCHRONIZE: &str =
    "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/SetSynchronizationPointRequest";
const UNSUBSCRIBE: &str =
    "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest";
const DEGREES: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees";
const PAN_TILT_POSITION: &str =
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace";
const ZOOM_POSITION: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace";
const PAN_TILT_VELOCITY: &str =
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
const ZOOM_VELOCITY: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace";
const DETECTOR: &str = "tt:MotionRegionDetector";

const PROFILE: Need = Text("ProfileToken");
const CONFIGURATION: Need = Text("ConfigurationToken");
const WHOLE: Need = Text("Configuration/@token");
const OPTIONAL_TOKENS: &[Need] = &[TextIfSent("ConfigurationToken"), TextIfSent("ProfileToken")];
const IPV4: &[Need] = &[
    Text("IPAddressFilter/IPv4Address/Address"),
    UpTo("IPAddressFilter/IPv4Address/PrefixLength", 32),
];
const IPV6: &[Need] = &[
    Text("IPAddressFilter/IPv6Address/Address"),
    UpTo("IPAddressFilter/IPv6Address/PrefixLength", 128),
];

/// Id, operation, and what its request has to be.
pub const ROWS: &[(&str, &str, &[Need])] = &[
    // Device
    ("CAPABILITIES-1", "tds:GetServices", &[]),
    ("CAPABILITIES-2", "tds:GetCapabilities", &[]),
    ("NETWORKCONFIGURATION-1", "tds:GetNetworkInterfaces", &[]),
    (
        "NETWORKCONFIGURATION-2",
        "tds:SetNetworkInterfaces",
        &[Text("InterfaceToken")],
    ),
    (
        "NETWORKCONFIGURATION-3",
        "tds:GetNetworkDefaultGateway",
        &[],
    ),
    (
        "NETWORKCONFIGURATION-4",
        "tds:SetNetworkDefaultGateway",
        &[Text("IPv4Address")],
    ),
    ("SYSTEM-1", "tds:GetDeviceInformation", &[]),
    (
        "USERHANDLING-1",
        "tds:CreateUsers",
        &[Text("User/Username"), Text("User/Password")],
    ),
    ("USERHANDLING-2", "tds:GetUsers", &[]),
    ("USERHANDLING-3", "tds:SetUser", &[Text("User/Username")]),
    ("USERHANDLING-4", "tds:DeleteUsers", &[Text("Username")]),
    ("RELAYOUTPUTS-1", "tds:GetRelayOutputs", &[]),
    (
        "RELAYOUTPUTS-2",
        "tds:SetRelayOutputState",
        &[Text("RelayOutputToken")],
    ),
    (
        "RELAYOUTPUTS-3",
        "tds:SetRelayOutputSettings",
        &[Text("RelayOutputToken"), Is("Properties/Mode", "Bistable")],
    ),
    (
        "RELAYOUTPUTS-4",
        "tds:SetRelayOutputSettings",
        &[
            Text("RelayOutputToken"),
            Is("Properties/Mode", "Monostable"),
        ],
    ),
    ("NTP-1", "tds:GetNTP", &[]),
    ("NTP-2", "tds:SetNTP", &[]),
    ("DYNAMICDNS-1", "tds:GetDynamicDNS", &[]),
    ("DYNAMICDNS-2", "tds:SetDynamicDNS", &[]),
    ("ZEROCONFIGURATION-1", "tds:GetZeroConfiguration", &[]),
    (
        "ZEROCONFIGURATION-2",
        "tds:SetZeroConfiguration",
        &[Text("InterfaceToken")],
    ),
    ("IPADDRESSFILTERING-1", "tds:GetIPAddressFilter", &[]),
    ("IPADDRESSFILTERING-2", "tds:SetIPAddressFilter", IPV4),
    ("IPADDRESSFILTERING-3", "tds:SetIPAddressFilter", IPV6),
    ("IPADDRESSFILTERING-4", "tds:AddIPAddressFilter", IPV4),
    ("IPADDRESSFILTERING-5", "tds:AddIPAddressFilter", IPV6),
    ("IPADDRESSFILTERING-6", "tds:RemoveIPAddressFilter", IPV4),
    ("IPADDRESSFILTERING-7", "tds:RemoveIPAddressFilter", IPV6),
    (
        "SYSTEMDATEANDTIMECONFIGURATION-1",
        "tds:GetSystemDateAndTime",
        &[],
    ),
    (
        "SYSTEMDATEANDTIMECONFIGURATION-2",
        "tds:SetSystemDateAndTime",
        &[Is("DateTimeType", "Manual"), Element("UTCDateTime")],
    ),
    ("HOSTNAMECONFIGURATION-1", "tds:GetHostname", &[]),
    ("HOSTNAMECONFIGURATION-2", "tds:SetHostname", &[]),
    ("DNSCONFIGURATION-1", "tds:GetDNS", &[]),
    ("DNSCONFIGURATION-2", "tds:SetDNS", &[]),
    (
        "NETWORKPROTOCOLSCONFIGURATION-1",
        "tds:GetNetworkProtocols",
        &[],
    ),
    (
        "NETWORKPROTOCOLSCONFIGURATION-2",
        "tds:SetNetworkProtocols",
        &[],
    ),
    (
        "AUXILIARYCOMMANDS-1",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:Wiper|On")],
    ),
    (
        "AUXILIARYCOMMANDS-2",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:Wiper|Off")],
    ),
    (
        "AUXILIARYCOMMANDS-3",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:Washer|On")],
    ),
    (
        "AUXILIARYCOMMANDS-4",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:Washer|Off")],
    ),
    (
        "AUXILIARYCOMMANDS-5",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:WashingProcedure|On")],
    ),
    (
        "AUXILIARYCOMMANDS-6",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:WashingProcedure|Off")],
    ),
    (
        "AUXILIARYCOMMANDS-7",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:IRLamp|On")],
    ),
    (
        "AUXILIARYCOMMANDS-8",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:IRLamp|Off")],
    ),
    (
        "AUXILIARYCOMMANDS-9",
        "tds:SendAuxiliaryCommand",
        &[Is("AuxiliaryCommand", "tt:IRLamp|Auto")],
    ),
    ("GETDIGITALINPUTS-1", "tmd:GetDigitalInputs", &[]),
    // Events
    (
        "EVENTHANDLING-2",
        "wsnt:Subscribe",
        &[Text("ConsumerReference/Address")],
    ),
    (
        "SETSYNCHRONIZATIONPOINT-1",
        "tev:SetSynchronizationPoint",
        &[Action(SYNCHRONIZE)],
    ),
    ("UNSUBSCRIBE-1", "wsnt:Unsubscribe", &[Action(UNSUBSCRIBE)]),
    // Media
    ("MEDIASTREAMING-1", "trt:GetProfiles", &[]),
    (
        "MEDIASTREAMING-2",
        "trt:GetStreamUri",
        &[PROFILE, Text("StreamSetup/Transport/Protocol")],
    ),
    (
        "VIDEOENCODERCONFIGURATIONS-1",
        "trt:GetVideoEncoderConfigurations",
        &[],
    ),
    (
        "VIDEOENCODERCONFIGURATIONS-2",
        "trt:GetVideoEncoderConfiguration",
        &[CONFIGURATION],
    ),
    (
        "VIDEOENCODERCONFIGURATIONS-3",
        "trt:GetVideoEncoderConfigurationOptions",
        OPTIONAL_TOKENS,
    ),
    (
        "VIDEOENCODERCONFIGURATIONS-4",
        "trt:SetVideoEncoderConfiguration",
        &[WHOLE],
    ),
    ("MEDIAPROFILECONFIGURATIONS-1", "trt:GetProfiles", &[]),
    ("MEDIAPROFILECONFIGURATIONS-2", "trt:GetProfile", &[PROFILE]),
    (
        "MEDIAPROFILECONFIGURATIONS-3",
        "trt:CreateProfile",
        &[Text("Name"), TextIfSent("Token")],
    ),
    (
        "VIDEOSOURCECONFIGURATIONS-1",
        "trt:GetVideoSourceConfigurations",
        &[],
    ),
    (
        "VIDEOSOURCECONFIGURATIONS-2",
        "trt:GetVideoSourceConfiguration",
        &[CONFIGURATION],
    ),
    (
        "VIDEOSOURCECONFIGURATIONS-3",
        "trt:GetVideoSourceConfigurationOptions",
        OPTIONAL_TOKENS,
    ),
    (
        "VIDEOSOURCECONFIGURATIONS-4",
        "trt:SetVideoSourceConfiguration",
        &[WHOLE],
    ),
    (
        "VIDEOSOURCECONFIGURATIONS-5",
        "trt:GetCompatibleVideoSourceConfigurations",
        &[PROFILE],
    ),
    (
        "VIDEOSOURCECONFIGURATIONS-6",
        "trt:AddVideoSourceConfiguration",
        &[PROFILE, CONFIGURATION],
    ),
    (
        "METADATACONFIGURATIONS-1",
        "trt:GetMetadataConfigurations",
        &[],
    ),
    (
        "METADATACONFIGURATIONS-2",
        "trt:GetMetadataConfiguration",
        &[CONFIGURATION],
    ),
    (
        "METADATACONFIGURATIONS-3",
        "trt:GetMetadataConfigurationOptions",
        OPTIONAL_TOKENS,
    ),
    (
        "METADATACONFIGURATIONS-4",
        "trt:SetMetadataConfiguration",
        &[WHOLE],
    ),
    // Media2
    ("MEDIA2_GETPROFILES-1", "tr2:GetProfiles", &[]),
    ("MEDIA2_GETSTREAMURI-1", "tr2:GetStreamUri", &[]),
    (
        "MEDIA2_VIDEOENCODERCONFIGURATION-1",
        "tr2:GetVideoEncoderConfigurationOptions",
        &[],
    ),
    (
        "MEDIA2_VIDEOENCODERCONFIGURATION-2",
        "tr2:SetVideoEncoderConfiguration",
        &[],
    ),
    (
        "MEDIA2_METADATAPROFILECONFIGURATION-1",
        "tr2:GetMetadataConfigurations",
        &[PROFILE],
    ),
    (
        "MEDIA2_METADATACONFIGURATION-1",
        "tr2:GetMetadataConfigurations",
        &[],
    ),
    (
        "MEDIA2_METADATACONFIGURATION-2",
        "tr2:GetMetadataConfigurationOptions",
        &[],
    ),
    (
        "MEDIA2_METADATACONFIGURATION-3",
        "tr2:SetMetadataConfiguration",
        &[],
    ),
    (
        "MEDIA2_AUDIOENCODERCONFIGURATION-1",
        "tr2:GetAudioEncoderConfigurations",
        &[],
    ),
    (
        "MEDIA2_AUDIOENCODERCONFIGURATION-2",
        "tr2:GetAudioEncoderConfigurationOptions",
        &[],
    ),
    (
        "MEDIA2_AUDIOENCODERCONFIGURATION-3",
        "tr2:SetAudioEncoderConfiguration",
        &[],
    ),
    (
        "MEDIA2_AUDIOPROFILECONFIGURATION-2",
        "tr2:CreateProfile",
        &[Configuration("AudioSource")],
    ),
    (
        "MEDIA2_AUDIOPROFILECONFIGURATION-3",
        "tr2:GetAudioEncoderConfigurations",
        &[PROFILE],
    ),
    (
        "MEDIA2_AUDIOOUTPUTPROFILECONFIGURATION-2",
        "tr2:CreateProfile",
        &[Configuration("AudioOutput")],
    ),
    (
        "MEDIA2_AUDIOOUTPUTPROFILECONFIGURATION-3",
        "tr2:GetAudioDecoderConfigurations",
        &[PROFILE],
    ),
    (
        "MEDIA2_ANALYTICSPROFILECONFIGURATION-1",
        "tr2:GetAnalyticsConfigurations",
        &[PROFILE],
    ),
    ("VIDEOSOURCEMODE-1", "tr2:GetVideoSourceModes", &[]),
    ("VIDEOSOURCEMODE-2", "tr2:SetVideoSourceMode", &[]),
    (
        "MEDIA2_VIDEOSOURCECONFIGURATION-1",
        "tr2:GetVideoSourceConfigurations",
        &[],
    ),
    (
        "MEDIA2_VIDEOSOURCECONFIGURATION-2",
        "tr2:GetVideoSourceConfigurationOptions",
        &[],
    ),
    (
        "MEDIA2_VIDEOSOURCECONFIGURATION-3",
        "tr2:SetVideoSourceConfiguration",
        &[],
    ),
    (
        "MEDIA2_LISTVIDEOSOURCECONFIGURATIONS-1",
        "tr2:GetVideoSourceConfigurations",
        &[No("ConfigurationToken"), No("ProfileToken")],
    ),
    (
        "MEDIA2_OSDCONFIGURATION-1",
        "tr2:GetOSDs",
        &[No("OSDToken")],
    ),
    (
        "MEDIA2_OSDCONFIGURATION-2",
        "tr2:CreateOSD",
        &[Is("OSD/Type", "Text")],
    ),
    (
        "MEDIA2_OSDCONFIGURATION-3",
        "tr2:CreateOSD",
        &[Is("OSD/Type", "Image")],
    ),
    ("MEDIA2_OSDCONFIGURATION-4", "tr2:GetOSDOptions", &[]),
    ("MEDIA2_OSDCONFIGURATION-5", "tr2:SetOSD", &[]),
    (
        "MEDIA2_MEDIAPROFILEMANAGEMENT-1",
        "tr2:CreateProfile",
        &[Configuration("VideoSource")],
    ),
    (
        "MEDIA2_MEDIAPROFILEMANAGEMENT-2",
        "tr2:GetVideoEncoderInstances",
        &[],
    ),
    (
        "MEDIA2_AUDIOSOURCECONFIGURATION-1",
        "tr2:GetAudioSourceConfigurations",
        &[],
    ),
    (
        "MEDIA2_AUDIOSOURCECONFIGURATION-2",
        "tr2:GetAudioSourceConfigurationOptions",
        &[],
    ),
    (
        "MEDIA2_AUDIOSOURCECONFIGURATION-3",
        "tr2:SetAudioSourceConfiguration",
        &[],
    ),
    (
        "MEDIA2_AUDIOOUTPUTCONFIGURATION-1",
        "tr2:GetAudioOutputConfigurations",
        &[],
    ),
    (
        "MEDIA2_AUDIOOUTPUTCONFIGURATION-2",
        "tr2:GetAudioOutputConfigurationOptions",
        &[],
    ),
    (
        "MEDIA2_AUDIOOUTPUTCONFIGURATION-3",
        "tr2:SetAudioOutputConfiguration",
        &[],
    ),
    (
        "MEDIA2_AUDIODECODERCONFIGURATION-1",
        "tr2:GetAudioDecoderConfigurations",
        &[],
    ),
    (
        "MEDIA2_AUDIODECODERCONFIGURATION-2",
        "tr2:GetAudioDecoderConfigurationOptions",
        &[],
    ),
    (
        "MEDIA2_AUDIODECODERCONFIGURATION-3",
        "tr2:SetAudioDecoderConfiguration",
        &[],
    ),
    // Imaging and analytics
    ("GETIMAGINGSETTINGS-1", "timg:GetImagingSettings", &[]),
    ("SETIMAGINGSETTINGS-1", "timg:GetOptions", &[]),
    ("GETMOVEOPTIONS-1", "timg:GetMoveOptions", &[]),
    ("FOCUSCONTROL-4", "timg:Stop", &[]),
    ("GETSUPPORTEDRULES-1", "tan:GetSupportedRules", &[]),
    ("GETRULES-1", "tan:GetRules", &[]),
    (
        "MOTIONDETECTION-1",
        "tan:GetRuleOptions",
        &[Is("RuleType", DETECTOR)],
    ),
    (
        "MOTIONDETECTION-2",
        "tan:CreateRules",
        &[Is("Rule/@Type", DETECTOR)],
    ),
    // PTZ
    ("PTZLISTING-1", "tptz:GetNodes", &[]),
    ("PTZLISTING-2", "tptz:GetNode", &[Text("NodeToken")]),
    (
        "PTZPANTILTCONTINUOUSPOSITIONING-1",
        "tptz:ContinuousMove",
        &[PROFILE, Element("Velocity/PanTilt")],
    ),
    (
        "PTZPANTILTCONTINUOUSPOSITIONING-2",
        "tptz:Stop",
        &[PROFILE, IsIfSent("PanTilt", "true")],
    ),
    (
        "PTZPANTILTCONTINUOUSPOSITIONING-3",
        "tptz:ContinuousMove",
        &[
            PROFILE,
            Zero("Velocity/PanTilt/@x"),
            Zero("Velocity/PanTilt/@y"),
        ],
    ),
    (
        "PTZZOOMCONTINUOUSPOSITIONING-1",
        "tptz:ContinuousMove",
        &[PROFILE, Element("Velocity/Zoom")],
    ),
    (
        "PTZZOOMCONTINUOUSPOSITIONING-2",
        "tptz:Stop",
        &[PROFILE, IsIfSent("Zoom", "true")],
    ),
    (
        "PTZZOOMCONTINUOUSPOSITIONING-3",
        "tptz:ContinuousMove",
        &[PROFILE, Zero("Velocity/Zoom/@x")],
    ),
    (
        "PTZPANTILTABSOLUTEPOSITIONING-1",
        "tptz:AbsoluteMove",
        &[PROFILE, Element("Position/PanTilt")],
    ),
    (
        "PTZZOOMABSOLUTEPOSITIONING-1",
        "tptz:AbsoluteMove",
        &[PROFILE, Element("Position/Zoom")],
    ),
    (
        "PTZPANTILTRELATIVEPOSITIONING-1",
        "tptz:RelativeMove",
        &[PROFILE, Element("Translation/PanTilt")],
    ),
    (
        "PTZZOOMRELATIVEPOSITIONING-1",
        "tptz:RelativeMove",
        &[PROFILE, Element("Translation/Zoom")],
    ),
    ("PTZPRESETS-1", "tptz:GetPresets", &[PROFILE]),
    (
        "PTZPRESETS-2",
        "tptz:GotoPreset",
        &[PROFILE, Text("PresetToken")],
    ),
    ("PTZHOMEPOSITION-1", "tptz:GotoHomePosition", &[PROFILE]),
    (
        "PTZAUXILIARYCOMMAND-1",
        "tptz:SendAuxiliaryCommand",
        &[PROFILE, Text("AuxiliaryData")],
    ),
    ("PTZSETPRESET-1", "tptz:SetPreset", &[]),
    (
        "PTZGETCOMPATIBLECONFIGURATIONS-1",
        "tptz:GetCompatibleConfigurations",
        &[],
    ),
    ("PTZSETCONFIGURATION-1", "tptz:SetConfiguration", &[]),
    (
        "MEDIA2_PANTILTSPACES_SPHERICALPOSITIONSPACEDEGREES-1",
        "tptz:AbsoluteMove",
        &[Is("Position/PanTilt/@space", DEGREES)],
    ),
    (
        "MEDIA2_PANTILTSPACES_POSITIONGENERICSPACE-1",
        "tptz:AbsoluteMove",
        &[Is("Position/PanTilt/@space", PAN_TILT_POSITION)],
    ),
    (
        "MEDIA2_ZOOMSPACES_POSITIONGENERICSPACE-1",
        "tptz:AbsoluteMove",
        &[Is("Position/Zoom/@space", ZOOM_POSITION)],
    ),
    (
        "MEDIA2_PANTILTSPACES_VELOCITYGENERICSPACE-1",
        "tptz:ContinuousMove",
        &[Is("Velocity/PanTilt/@space", PAN_TILT_VELOCITY)],
    ),
    (
        "MEDIA2_ZOOMSPACES_VELOCITYGENERICSPACE-1",
        "tptz:ContinuousMove",
        &[Is("Velocity/Zoom/@space", ZOOM_VELOCITY)],
    ),
];

/// Judged by the dialogue over RTSP, by the session description or by what is decoded.
pub const PIPELINE: &[&str] = &[
    "MEDIASTREAMING-3",
    "MEDIASTREAMING-4",
    "MEDIASTREAMING-5",
    "VIDEOSTREAMING-1",
    "VIDEOSTREAMING-2",
    "VIDEOSTREAMING-3",
    "MULTIPLEVIDEOSOURCES-1",
    "EVENTHANDLING-4",
    "MULTICASTSTREAMING-1",
    "AUDIOSTREAMING-2",
    "AUDIOSTREAMING-3",
    "AUDIOSTREAMING-4",
    "MULTIPLEAUDIOSOURCES-1",
    "HTTPDIGESTFORRTSP-1",
    "MEDIA2_MEDIASTREAMING-1",
    "MEDIA2_MEDIASTREAMING-2",
    "MEDIA2_MEDIASTREAMING-3",
    "MEDIA2_VIDEOSTREAMING_H264-1",
    "MEDIA2_VIDEOSTREAMING_H265-1",
    "MEDIA2_METADATASTREAMING-1",
    "MEDIA2_MULTICASTSTREAMING-1",
    "MEDIA2_AUDIOSTREAMING_G711-1",
    "MEDIA2_AUDIOSTREAMING_AAC-1",
    "MEDIA2_AUDIOBACKCHANNELSTREAMING-1",
    "MEDIA2_AUDIOBACKCHANNELSTREAMING-2",
];

/// Not judged here, and why.
pub const WAIVED: &[(&str, &str)] = &[(
    "KEEPALIVEFORPULLPOINTEVENTHANDLING-2",
    "the client always asks for a lifetime, because some cameras fail without; the feature needs this or \
     KEEPALIVEFORPULLPOINTEVENTHANDLING-1",
)];
