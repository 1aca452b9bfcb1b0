use crate::schema::{IntRange, Words};
use crate::{operation, soap_reply};

operation! {
    /// Asks what rules for passwords the camera can enforce.
    pub struct GetPasswordComplexityOptions in "tds" {} -> GetPasswordComplexityOptionsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetPasswordComplexityOptions", ReadSystem, Read
}

soap_reply! {
    /// What rules for passwords can be set. A missing range: that rule cannot be set.
    pub struct GetPasswordComplexityOptionsResponse in "tds" {
        /// Least length in characters.
        min_length: Option<IntRange> = "MinLenRange",
        /// Least number of capital letters.
        uppercase: Option<IntRange> = "UppercaseRange",
        /// Least number of digits.
        digits: Option<IntRange> = "NumberRange",
        /// Least number of characters that are neither letters nor digits.
        special_characters: Option<IntRange> = "SpecialCharsRange",
        /// Whether passwords with the user's name in them can be forbidden.
        can_block_username: Option<bool> = "BlockUsernameOccurrenceSupported",
        /// Whether the rules can be locked until a factory reset.
        can_lock: Option<bool> = "PolicyConfigurationLockSupported",
    }
}

operation! {
    /// Asks what rules for passwords are in force.
    pub struct GetPasswordComplexityConfiguration in "tds" {} -> GetPasswordComplexityConfigurationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetPasswordComplexityConfiguration", ReadSystem, Read
}

soap_reply! {
    /// The rules for passwords in force. A missing number: no such rule.
    pub struct GetPasswordComplexityConfigurationResponse in "tds" {
        /// Least length in characters.
        min_length: Option<u32> = "MinLen",
        /// Least number of capital letters.
        uppercase: Option<u32> = "Uppercase",
        /// Least number of digits.
        digits: Option<u32> = "Number",
        /// Least number of characters that are neither letters nor digits.
        special_characters: Option<u32> = "SpecialChars",
        /// Whether the user's name may not occur in the password.
        block_username: Option<bool> = "BlockUsernameOccurrence",
        /// Whether the rules are locked until a factory reset.
        locked: Option<bool> = "PolicyConfigurationLocked",
    }
}

operation! {
    /// Sets rules for new passwords. What is `None` stays.
    #[derive(Default)]
    pub struct SetPasswordComplexityConfiguration in "tds" {
        /// Least length in characters.
        min_length: Option<u32> = "MinLen",
        /// Least number of capital letters.
        uppercase: Option<u32> = "Uppercase",
        /// Least number of digits.
        digits: Option<u32> = "Number",
        /// Least number of characters that are neither letters nor digits.
        special_characters: Option<u32> = "SpecialChars",
        /// Whether the user's name may not occur in the password.
        block_username: Option<bool> = "BlockUsernameOccurrence",
        /// Locks the rules; only a factory reset unlocks them.
        locked: Option<bool> = "PolicyConfigurationLocked",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetPasswordComplexityConfiguration", WriteSystem, Write
}

operation! {
    /// Asks whether old passwords may be used again.
    pub struct GetPasswordHistoryConfiguration in "tds" {} -> GetPasswordHistoryConfigurationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetPasswordHistoryConfiguration", ReadSystem, Read
}

soap_reply! {
    /// Whether old passwords may be used again.
    pub struct GetPasswordHistoryConfigurationResponse in "tds" {
        /// Whether old passwords are refused.
        enabled: Option<bool> = "Enabled",
        /// How many are remembered for each user.
        length: Option<u32> = "Length",
    }
}

operation! {
    /// Has old passwords refused, or not.
    pub struct SetPasswordHistoryConfiguration in "tds" {
        /// Whether old passwords are refused.
        enabled: bool = "Enabled",
        /// How many are remembered for each user.
        length: u32 = "Length",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetPasswordHistoryConfiguration", WriteSystem, Write
}

operation! {
    /// Asks in what ranges the warning about failed logins can be set.
    pub struct GetAuthFailureWarningOptions in "tds" {} -> GetAuthFailureWarningOptionsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetAuthFailureWarningOptions", ReadSystem, Read
}

soap_reply! {
    /// The ranges of the warning about failed logins.
    pub struct GetAuthFailureWarningOptionsResponse in "tds" {
        /// Seconds over which failures are counted.
        monitor_period: Option<IntRange> = "MonitorPeriodRange",
        /// Failures before the warning.
        failures: Option<IntRange> = "AuthFailureRange",
    }
}

operation! {
    /// Asks when the camera raises an event about failed logins.
    pub struct GetAuthFailureWarningConfiguration in "tds" {} -> GetAuthFailureWarningConfigurationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetAuthFailureWarningConfiguration", ReadSystem, Read
}

soap_reply! {
    /// When the camera raises an event about failed logins.
    pub struct GetAuthFailureWarningConfigurationResponse in "tds" {
        /// Whether it does.
        enabled: Option<bool> = "Enabled",
        /// Seconds over which failures are counted.
        monitor_period: Option<u32> = "MonitorPeriod",
        /// Failures before the event.
        max_failures: Option<u32> = "MaxAuthFailures",
    }
}

operation! {
    /// Sets when the camera raises an event about failed logins.
    pub struct SetAuthFailureWarningConfiguration in "tds" {
        /// Whether it does.
        enabled: bool = "Enabled",
        /// Seconds over which failures are counted.
        monitor_period: u32 = "MonitorPeriod",
        /// Failures before the event.
        max_failures: u32 = "MaxAuthFailures",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetAuthFailureWarningConfiguration", WriteSystem, Write
}

operation! {
    /// Chooses the hash functions of HTTP Digest.
    pub struct SetHashingAlgorithm in "tds" {
        /// Their names, such as `MD5` and `SHA-256`.
        algorithms: Words = "Algorithm",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetHashingAlgorithm", WriteSystem, Write
}
