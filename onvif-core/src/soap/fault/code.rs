crate::soap_enum! {
    /// A subcode of a fault, without its prefix: those of the ONVIF specifications (`ter:`), of
    /// WS-BaseNotification and WS-Resource (`wsnt:`, `wsrf-rw:`), of WS-Security and WS-Addressing.
    ///
    /// Names are compared without regard to case, and with or without the ending `Fault`.
    pub enum FaultCode {
        // ONVIF Core, "Generic faults".
        /// The request is not well-formed XML.
        WellFormed = "WellFormed",
        /// A tag name or namespace does not match.
        TagMismatch = "TagMismatch",
        /// A required tag is missing.
        Tag = "Tag",
        /// A namespace error.
        Namespace = "Namespace",
        /// A required attribute is missing.
        MissingAttr = "MissingAttr",
        /// A prohibited attribute is present.
        ProhibAttr = "ProhibAttr",
        /// An argument is missing, too many, or of the wrong type.
        InvalidArgs = "InvalidArgs",
        /// The value of an argument is invalid. A further subcode mostly says why.
        InvalidArgVal = "InvalidArgVal",
        /// The device does not know the action.
        UnknownAction = "UnknownAction",
        /// The device forbids the operation. A further subcode mostly says why.
        OperationProhibited = "OperationProhibited",
        /// The operation needs authentication, or other rights.
        NotAuthorized = "NotAuthorized",
        /// The device does not have the operation.
        ActionNotSupported = "ActionNotSupported",
        /// The operation failed. A further subcode mostly says why.
        Action = "Action",
        /// The device ran out of memory.
        OutOfMemory = "OutofMemory",
        /// The device is in a critical state.
        CriticalError = "CriticalError",

        // Functions that a device may lack.
        /// The device has the operation, but not this use of it.
        OptionNotSupported = "OptionNotSupported",
        /// The device does not implement an optional operation.
        OptionalActionNotImplemented = "OptionalActionNotImplemented",
        /// The device does not have the service.
        NoSuchService = "NoSuchService",
        /// The profile cannot move the camera.
        PtzNotSupported = "PTZNotSupported",
        /// The device has no audio.
        AudioNotSupported = "AudioNotSupported",
        /// The device has no audio output.
        AudioOutputNotSupported = "AudioOutputNotSupported",
        /// The device decodes no audio.
        AudioDecodingNotSupported = "AudioDecodingNotSupported",
        /// The device analyses no video.
        VideoAnalyticsNotSupported = "VideoAnalyticsNotSupported",
        /// The device has no IPv6.
        Ipv6NotSupported = "IPv6NotSupported",
        /// The device does not have this network service.
        ServiceNotSupported = "ServiceNotSupported",
        /// The device does not have this way of authentication in networks (EAP).
        EapMethodNotSupported = "EAPMethodNotSupported",

        // Device management.
        /// The policy file has no policy.
        EmptyPolicy = "EmptyPolicy",
        /// A scope that is fixed cannot be changed.
        FixedScope = "FixedScope",
        /// No such scope.
        NoScope = "NoScope",
        /// The scope list is empty.
        ScopeEmpty = "EmptyScope",
        /// Fixed scopes cannot be overwritten.
        ScopeOverwrite = "ScopeOverwrite",
        /// The device holds no more scopes.
        TooManyScopes = "TooManyScopes",
        /// The host name is not acceptable.
        InvalidHostname = "InvalidHostname",
        /// The DNS name is not acceptable.
        InvalidDnsName = "InvalidDnsName",
        /// The IPv4 address is not acceptable.
        InvalidIpv4Address = "InvalidIPv4Address",
        /// The IPv6 address is not acceptable.
        InvalidIpv6Address = "InvalidIPv6Address",
        /// The gateway address is not acceptable.
        InvalidGatewayAddress = "InvalidGatewayAddress",
        /// No such network interface.
        InvalidNetworkInterface = "InvalidNetworkInterface",
        /// The MTU is not acceptable.
        InvalidMtuValue = "InvalidMtuValue",
        /// The speed of the interface is not acceptable.
        InvalidInterfaceSpeed = "InvalidInterfaceSpeed",
        /// The type of the interface is not acceptable.
        InvalidInterfaceType = "InvalidInterfaceType",
        /// The port is in use.
        PortAlreadyInUse = "PortAlreadyInUse",
        /// The time zone is not acceptable.
        InvalidTimeZone = "InvalidTimeZone",
        /// The date or time is not acceptable.
        InvalidDateTime = "InvalidDateTime",
        /// The clock follows NTP, and no server is known.
        NtpServerUndefined = "NtpServerUndefined",
        /// The clock follows NTP and cannot be set.
        TimeSyncedToNtp = "TimeSyncedToNtp",
        /// The user exists already.
        UsernameClash = "UsernameClash",
        /// No such user.
        UsernameMissing = "UsernameMissing",
        /// The user name is too long.
        UsernameTooLong = "UsernameTooLong",
        /// The user name is too short.
        UsernameTooShort = "UsernameTooShort",
        /// The user cannot be deleted.
        FixedUser = "FixedUser",
        /// The device holds no more users.
        TooManyUsers = "TooManyUsers",
        /// The password is not acceptable.
        Password = "Password",
        /// The password is too long.
        PasswordTooLong = "PasswordTooLong",
        /// The password is too weak.
        PasswordTooWeak = "PasswordTooWeak",
        /// An anonymous user is not allowed.
        AnonymousNotAllowed = "AnonymousNotAllowed",
        /// The firmware cannot be used.
        InvalidFirmware = "InvalidFirmware",
        /// The firmware could not be uploaded.
        FirmwareUploadFailed = "FirmwareUploadFailed",
        /// The firmware could not be installed.
        FirmwareUpgradeFailed = "FirmwareUpgradeFailed",
        /// The backup file cannot be used.
        InvalidBackupFile = "InvalidBackupFile",
        /// There is no access log.
        AccesslogUnavailable = "AccesslogUnavailable",
        /// There is no system log.
        SystemlogUnavailable = "SystemlogUnavailable",
        /// There is no support information.
        SupportInformationUnavailable = "SupportInformationUnavailable",
        /// No such certificate.
        CertificateId = "CertificateID",
        /// The certificate is not in an acceptable format.
        CertificateFormat = "CertificateFormat",
        /// The certificate is not acceptable.
        InvalidCertificate = "InvalidCertificate",
        /// The device holds no more certificates.
        MaxCertificates = "MaxCertificates",
        /// The keys do not match.
        KeysNotMatching = "KeysNotMatching",
        /// No such relay output.
        RelayToken = "RelayToken",
        /// The relay does not have this mode.
        ModeError = "ModeError",

        // Media.
        /// No such profile.
        NoProfile = "NoProfile",
        /// No such configuration.
        NoConfig = "NoConfig",
        /// No such video source.
        NoVideoSource = "NoVideoSource",
        /// No such audio source.
        NoAudioSource = "NoAudioSource",
        /// No such video output.
        NoVideoOutput = "NoVideoOutput",
        /// No such audio output.
        NoAudioOutput = "NoAudioOutput",
        /// No such mode of the video source.
        NoVideoSourceMode = "NoVideoSourceMode",
        /// A profile with this token exists already.
        ProfileExists = "ProfileExists",
        /// The device holds no more profiles.
        MaxNvtProfiles = "MaxNVTProfiles",
        /// A fixed profile cannot be deleted.
        DeletionOfFixedProfile = "DeletionOfFixedProfile",
        /// The device holds no more text or pictures in the picture.
        MaxOsds = "MaxOSDs",
        /// The device holds no more masks.
        MaxMasks = "MaxMasks",
        /// The polygon is not acceptable.
        InvalidPolygon = "InvalidPolygon",
        /// The configurations do not fit together.
        ConfigurationConflict = "ConfigurationConflict",
        /// The configuration cannot be changed so.
        ConfigModify = "ConfigModify",
        /// The profile lacks a configuration that the operation needs.
        IncompleteConfiguration = "IncompleteConfiguration",
        /// The device has no such stream or transport.
        InvalidStreamSetup = "InvalidStreamSetup",
        /// Another stream is in the way.
        StreamConflict = "StreamConflict",
        /// The multicast settings cannot be used.
        InvalidMulticastSettings = "InvalidMulticastSettings",

        // PTZ and imaging.
        /// No such entity: node, preset, tour.
        NoEntity = "NoEntity",
        /// No such token.
        NoToken = "NoToken",
        /// The profile has no PTZ configuration.
        NoPtzProfile = "NoPTZProfile",
        /// The camera is moving and does not take another command.
        MovingPtz = "MovingPTZ",
        /// The camera does not tell its position or whether it moves.
        NoStatus = "NoStatus",
        /// There is no home position.
        NoHomePosition = "NoHomePosition",
        /// The home position is fixed.
        CannotOverwriteHome = "CannotOverwriteHome",
        /// A preset with this name exists already.
        PresetExists = "PresetExist",
        /// The device holds no more presets.
        TooManyPresets = "TooManyPresets",
        /// The device holds no more preset tours.
        TooManyPresetTours = "TooManyPresetTours",
        /// The preset tour is not acceptable.
        InvalidPresetTour = "InvalidPresetTour",
        /// The requested position is outside the range.
        InvalidPosition = "InvalidPosition",
        /// The requested translation is outside the range.
        InvalidTranslation = "InvalidTranslation",
        /// The requested speed is outside the range.
        InvalidSpeed = "InvalidSpeed",
        /// The requested velocity is outside the range.
        InvalidVelocity = "InvalidVelocity",
        /// The device does not have this coordinate space.
        SpaceNotSupported = "SpaceNotSupported",
        /// The device takes no timeout for this.
        TimeoutNotSupported = "TimeoutNotSupported",
        /// The device cannot move to geographic positions.
        GeoMoveNotSupported = "GeoMoveNotSupported",
        /// No such video source.
        NoSource = "NoSource",
        /// The video source has no imaging.
        NoImagingForSource = "NoImagingForSource",
        /// The settings are not acceptable.
        SettingsInvalid = "SettingsInvalid",

        // Analytics.
        /// The rule's parameters are not acceptable.
        InvalidRule = "InvalidRule",
        /// The module's parameters are not acceptable.
        InvalidModule = "InvalidModule",
        /// No such rule.
        RuleNotExistent = "RuleNotExistent",
        /// No such module, or another name that does not exist.
        NameNotExistent = "NameNotExistent",
        /// The name is taken.
        NameAlreadyExistent = "NameAlreadyExistent",
        /// The device holds no more rules.
        TooManyRules = "TooManyRules",
        /// The device holds no more modules.
        TooManyModules = "TooManyModules",

        // WS-BaseNotification and WS-Resource.
        /// The resource, such as a subscription, does not exist.
        ResourceUnknown = "ResourceUnknownFault",
        /// The resource, such as a subscription, cannot be reached now.
        ResourceUnavailable = "ResourceUnavailableFault",
        /// The subscription could not be renewed.
        UnableToRenew = "UnableToRenewFault",
        /// The device could not subscribe; most often it has as many subscriptions as it can hold.
        SubscribeCreationFailed = "SubscribeCreationFailedFault",
        /// The device could not make a pull point; most often it has as many as it can hold.
        UnableToCreatePullPoint = "UnableToCreatePullPointFault",
        /// The device could not end a pull point.
        UnableToDestroyPullPoint = "UnableToDestroyPullPointFault",
        /// The device could not end a subscription.
        UnableToDestroySubscription = "UnableToDestroySubscriptionFault",
        /// The device could not hand out messages.
        UnableToGetMessages = "UnableToGetMessagesFault",
        /// `PullMessages` asks for more messages or time than the device gives.
        PullMessages = "PullMessagesFaultResponse",
        /// The filter is not acceptable.
        InvalidFilter = "InvalidFilterFault",
        /// The topic expression is not acceptable.
        InvalidTopicExpression = "InvalidTopicExpressionFault",
        /// The device does not have this dialect of topic expressions.
        TopicExpressionDialectUnknown = "TopicExpressionDialectUnknownFault",
        /// The device has no such topic.
        TopicNotSupported = "TopicNotSupportedFault",
        /// The expression cannot be combined with several topics.
        MultipleTopicsSpecified = "MultipleTopicsSpecifiedFault",
        /// The message content filter is not acceptable.
        InvalidMessageContentExpression = "InvalidMessageContentExpressionFault",
        /// The producer properties filter is not acceptable.
        InvalidProducerPropertiesExpression = "InvalidProducerPropertiesExpressionFault",
        /// The first termination time is not acceptable: the device has another range, or wants it absolute.
        UnacceptableInitialTerminationTime = "UnacceptableInitialTerminationTimeFault",
        /// A renewed termination time is not acceptable.
        UnacceptableTerminationTime = "UnacceptableTerminationTimeFault",
        /// The device does not know the subscription policy.
        UnrecognizedPolicyRequest = "UnrecognizedPolicyRequestFault",
        /// The device does not have the subscription policy.
        UnsupportedPolicyRequest = "UnsupportedPolicyRequestFault",
        /// The device cannot wrap messages as asked.
        NotifyMessageNotSupported = "NotifyMessageNotSupportedFault",
        /// Nothing has been published on the topic yet.
        NoCurrentMessageOnTopic = "NoCurrentMessageOnTopicFault",
        /// The subscription could not be paused.
        PauseFailed = "PauseFailedFault",
        /// The subscription could not be resumed.
        ResumeFailed = "ResumeFailedFault",
        /// Too many of something, such as subscriptions.
        CapacityViolated = "CapacityViolated",

        // WS-Security.
        /// The credentials are wrong.
        FailedAuthentication = "FailedAuthentication",
        /// The security header cannot be processed.
        InvalidSecurity = "InvalidSecurity",
        /// The security token is invalid.
        InvalidSecurityToken = "InvalidSecurityToken",
        /// The device does not take this kind of token.
        UnsupportedSecurityToken = "UnsupportedSecurityToken",
        /// The token was made too long ago: the clocks differ.
        MessageExpired = "MessageExpired",

        // WS-Addressing.
        /// A header has an unusable value, such as the address of a subscription.
        InvalidAddressingHeader = "InvalidAddressingHeader",
        /// A required header is missing.
        MessageAddressingHeaderRequired = "MessageAddressingHeaderRequired",
        /// Nothing is found at the address, such as that of a subscription.
        DestinationUnreachable = "DestinationUnreachable",
        /// What is at the address cannot answer now.
        EndpointUnavailable = "EndpointUnavailable",
    }
}

impl FaultCode {
    /// The code that a qualified name stands for. `namespace` is that of its prefix, where it is
    /// declared: a vendor's own code is kept as written, even if its name is the same as another's.
    pub(super) fn from_qualified(name: &str, namespace: Option<&str>) -> Self {
        let name = name.trim();
        let foreign =
            namespace.is_some_and(|uri| !NAMESPACES.iter().any(|own| uri.starts_with(own)));
        if foreign {
            return Self::Other(name.to_owned());
        }
        let local = name.rsplit(':').next().unwrap_or(name);
        Self::known(local).unwrap_or_else(|| Self::Other(local.to_owned()))
    }

    /// The code of this name, with or without its ending `Fault`.
    pub(super) fn known(local: &str) -> Option<Self> {
        let is_known = |code: &Self| !matches!(code, Self::Other(_));
        let short = local.strip_suffix("Fault").unwrap_or(local);
        Some(Self::from(local))
            .filter(is_known)
            .or_else(|| Some(Self::from(&*format!("{local}Fault"))).filter(is_known))
            .or_else(|| Some(Self::from(short)).filter(is_known))
    }
}

/// Beginnings of the namespaces that codes are taken from.
const NAMESPACES: [&str; 5] = [
    "http://www.onvif.org/",
    "http://docs.oasis-open.org/",
    "http://schemas.xmlsoap.org/",
    "http://www.w3.org/",
    "https://www.onvif.org/",
];
