//! Profiles and their configurations, as the Media services, Analytics and RTSP share them. Of what encoders are set to,
//! the encoding alone has an effect: it chooses the clip.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;

use crate::clip::{Clip, Codec};
use crate::xml::Element;

/// As many as the capability `MaximumNumberOfProfiles` says.
pub(crate) const MAX_PROFILES: usize = 8;
/// As many as `GetOSDOptions` says.
pub(crate) const MAX_OSDS: usize = 4;
/// As many as `GetMaskOptions` says.
pub(crate) const MAX_MASKS: usize = 4;
/// As many as `GetSupportedRules` says.
pub(crate) const MAX_RULES: usize = 8;

/// What a configuration is of, in the order in which profiles list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    VideoSource,
    AudioSource,
    VideoEncoder,
    AudioEncoder,
    Analytics,
    Ptz,
    Metadata,
    AudioOutput,
    AudioDecoder,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::VideoSource,
        Self::AudioSource,
        Self::VideoEncoder,
        Self::AudioEncoder,
        Self::Analytics,
        Self::Ptz,
        Self::Metadata,
        Self::AudioOutput,
        Self::AudioDecoder,
    ];

    /// The word of Media2.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::VideoSource => "VideoSource",
            Self::AudioSource => "AudioSource",
            Self::VideoEncoder => "VideoEncoder",
            Self::AudioEncoder => "AudioEncoder",
            Self::Analytics => "Analytics",
            Self::Ptz => "PTZ",
            Self::Metadata => "Metadata",
            Self::AudioOutput => "AudioOutput",
            Self::AudioDecoder => "AudioDecoder",
        }
    }

    /// The element of a profile of the first Media service.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Self::VideoSource => "VideoSourceConfiguration",
            Self::AudioSource => "AudioSourceConfiguration",
            Self::VideoEncoder => "VideoEncoderConfiguration",
            Self::AudioEncoder => "AudioEncoderConfiguration",
            Self::Analytics => "VideoAnalyticsConfiguration",
            Self::Ptz => "PTZConfiguration",
            Self::Metadata => "MetadataConfiguration",
            Self::AudioOutput => "AudioOutputConfiguration",
            Self::AudioDecoder => "AudioDecoderConfiguration",
        }
    }
}

/// A profile: a token of a configuration for each kind it has.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub token: String,
    pub name: String,
    pub fixed: bool,
    /// The path of its stream, where it is not that of its encoder.
    pub path: Option<String>,
    pub configurations: BTreeMap<Kind, String>,
}

/// A configuration without what the device counts.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub kind: Kind,
    pub token: String,
    pub name: String,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A video encoder, which the services write differently.
    Video(VideoEncoder),
    /// An audio encoder, which the services write differently too.
    Audio(Codec),
    /// The rules of [`Media::rules`].
    Analytics,
    /// What follows the use count, in the order of the schema.
    Plain(Vec<Element>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct VideoEncoder {
    pub codec: Codec,
    pub quality: f64,
    pub frame_rate: f64,
    /// Thousands of bits per second.
    pub bitrate: u64,
    pub gov_length: u64,
}

impl VideoEncoder {
    /// One that does what the clip is.
    pub(crate) fn of(clip: &Clip) -> Self {
        Self {
            codec: clip.codec,
            quality: 5.0,
            frame_rate: f64::from(clip.frame_rate),
            bitrate: clip.bit_rate(),
            gov_length: clip.gov_length() as u64,
        }
    }
}

/// Something with a name of its own that a client made: it is shown as the client wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// Its token or, for a rule, its name.
    pub id: String,
    /// The configuration it belongs to.
    pub of: String,
    pub content: Vec<Element>,
    /// A rule that raises no events.
    pub disarmed: bool,
}

/// All that clients can change.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub profiles: Vec<Profile>,
    pub configurations: Vec<Configuration>,
    pub osds: Vec<Made>,
    pub masks: Vec<Made>,
    pub rules: Vec<Made>,
    /// Token of the mode of the video source.
    pub mode: String,
    /// Whether rules see motion.
    pub motion: bool,
    /// The group that streams go to as well, with the first port.
    pub multicast: Option<SocketAddrV4>,
    made: u32,
}

impl Media {
    pub(crate) fn new(
        profiles: Vec<Profile>,
        configurations: Vec<Configuration>,
        mode: &str,
    ) -> Self {
        Self {
            profiles,
            configurations,
            osds: Vec::new(),
            masks: Vec::new(),
            rules: Vec::new(),
            mode: mode.to_owned(),
            motion: false,
            multicast: None,
            made: 0,
        }
    }

    pub(crate) fn profile(&self, token: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.token == token)
    }

    pub(crate) fn profile_mut(&mut self, token: &str) -> Option<&mut Profile> {
        let mut profiles = self.profiles.iter_mut();
        profiles.find(|profile| profile.token == token)
    }

    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Configuration> {
        let all = self.configurations.iter();
        all.filter(move |configuration| configuration.kind == kind)
    }

    pub(crate) fn configuration(&self, kind: Kind, token: &str) -> Option<&Configuration> {
        self.of_kind(kind)
            .find(|configuration| configuration.token == token)
    }

    /// The paths of streams, each once.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for path in self.profiles.iter().filter_map(|it| it.path.as_ref()) {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        paths
    }

    /// The clip of the video of a profile.
    pub(crate) fn video(&self, profile: &Profile) -> Option<Arc<Clip>> {
        profile.configurations.get(&Kind::VideoSource)?;
        let encoder = profile.configurations.get(&Kind::VideoEncoder)?;
        match &self.configuration(Kind::VideoEncoder, encoder)?.body {
            Body::Video(encoder) => Some(Clip::of(encoder.codec)),
            _ => None,
        }
    }

    /// The clip of the sound of a profile.
    pub(crate) fn sound(&self, profile: &Profile) -> Option<Arc<Clip>> {
        let encoder = profile.configurations.get(&Kind::AudioEncoder)?;
        match self.configuration(Kind::AudioEncoder, encoder)?.body {
            Body::Audio(codec) => Some(Clip::of(codec)),
            _ => None,
        }
    }

    /// How many profiles use a configuration.
    pub(crate) fn uses(&self, kind: Kind, token: &str) -> usize {
        let profiles = self.profiles.iter();
        profiles
            .filter(|profile| {
                profile
                    .configurations
                    .get(&kind)
                    .is_some_and(|used| used == token)
            })
            .count()
    }

    /// A token that was not given before.
    pub(crate) fn token(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{}", self.made)
    }
}
