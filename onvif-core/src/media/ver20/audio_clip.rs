use crate::media::AudioOutputToken;
use crate::schema::ReferenceToken;
use crate::{operation, soap_reply, soap_token, soap_type};

operation! {
    /// Asks for the recordings the device can play: one, or all.
    pub struct GetAudioClips in "tr2" {
        /// This recording; all without it.
        token: Option<AudioClipToken> = "Token",
    } -> GetAudioClipsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioClips", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetAudioClips`].
    pub struct GetAudioClipsResponse in "tr2" {
        /// The recordings.
        clips: Vec<AudioClipItem> = "AudioClipItem",
    }
}

operation! {
    /// Announces a recording, or a new one in place of one. The sound itself is sent to the URI in
    /// the reply.
    pub struct AddAudioClip in "tr2" {
        /// The recording to replace; a new one without it.
        token: Option<AudioClipToken> = "Token",
        /// How it is played.
        configuration: AudioClip = "Configuration",
    } -> AddAudioClipResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/AddAudioClip", WriteSystem, Write
}

soap_reply! {
    /// The reply to [`AddAudioClip`].
    pub struct AddAudioClipResponse in "tr2" {
        /// Its token.
        token: Option<AudioClipToken> = "Token",
        /// Where the sound is sent to, with HTTP PUT or POST.
        upload_uri: Option<String> = "UploadUri",
        /// Until when it can be sent.
        expiry_time: Option<std::time::SystemTime> = "ExpiryTime",
    }
}

operation! {
    /// Makes a recording of a text that the device speaks.
    pub struct AddTtsAudioClip as "AddTTSAudioClip" in "tr2" {
        /// The recording to replace; a new one without it.
        token: Option<AudioClipToken> = "Token",
        /// How it is played.
        configuration: AudioClip = "Configuration",
        /// What is spoken.
        tts_configuration: TtsAudio = "TTSConfiguration",
    } -> AddTtsAudioClipResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/AddTTSAudioClip", WriteSystem, Write
}

soap_reply! {
    /// The reply to [`AddTtsAudioClip`].
    pub struct AddTtsAudioClipResponse in "tr2" {
        /// Its token.
        token: Option<AudioClipToken> = "Token",
    }
}

operation! {
    /// Changes how a recording is played.
    pub struct SetAudioClip in "tr2" {
        /// The recording.
        token: AudioClipToken = "Token",
        /// How it is played.
        configuration: AudioClip = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetAudioClip", WriteSystem, Write
}

operation! {
    /// Deletes a recording.
    pub struct DeleteAudioClip in "tr2" {
        /// The recording.
        token: AudioClipToken = "Token",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/DeleteAudioClip", WriteSystem, Write
}

operation! {
    /// Starts or stops to play a recording.
    pub struct PlayAudioClip in "tr2" {
        /// The recording.
        token: AudioClipToken = "Token",
        /// Where it is played; on the outputs of the recording without any.
        audio_output_token: Vec<AudioOutputToken> = "AudioOutputToken",
        /// True to start, false to stop.
        play: bool = "Play",
        /// How often; as the recording says without it.
        repeat_cycles: Option<i32> = "RepeatCycles",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/PlayAudioClip", ReadSystem, Write
}

operation! {
    /// Asks which recordings are being played.
    pub struct GetPlayingAudioClips in "tr2" {} -> GetPlayingAudioClipsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetPlayingAudioClips", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetPlayingAudioClips`].
    pub struct GetPlayingAudioClipsResponse in "tr2" {
        /// The recordings.
        clips: Vec<PlayingAudioClip> = "PlayingAudioClips",
    }
}

soap_token! {
    /// Names a recording that the device plays.
    pub struct AudioClipToken;
}

soap_type! {
    /// How a recording is played.
    pub struct AudioClip in "tr2" {
        /// Whether it can be played.
        enabled: Option<bool> = "Enabled",
        /// Its name.
        name: Option<String> = "Name",
        /// Where it is played.
        audio_output_token: Vec<AudioOutputToken> = "AudioOutputToken",
        /// What it is for.
        kind: Option<String> = "Type",
        /// How often it is repeated.
        repeat_cycles: Option<u32> = "RepeatCycles",
        /// Seconds between repeats.
        repeat_interval: Option<u32> = "RepeatInterval",
        /// The volume.
        audio_output_level: Option<i32> = "AudioOutputLevel",
        /// When it is played without being asked for.
        schedule_token: Option<ReferenceToken> = "ScheduleToken",
    }
}

soap_type! {
    /// A text that the device speaks.
    pub struct TtsAudio in "tr2" {
        /// The text.
        content: String = "Content",
        /// Its language, a BCP 47 tag.
        language: String = "Language",
        /// The voice, such as `male` or `female`: one that the capabilities list.
        voice_type: String = "VoiceType",
    }
}

soap_reply! {
    /// A recording.
    pub struct AudioClipItem in "tr2" {
        /// Its token.
        token: Option<AudioClipToken> = "Token",
        /// How it is played.
        configuration: Option<AudioClip> = "Configuration",
    }
}

soap_reply! {
    /// A recording that is being played.
    pub struct PlayingAudioClip in "tr2" {
        /// Its token.
        token: Option<AudioClipToken> = "Token",
        /// Its name.
        name: Option<String> = "Name",
        /// Where it is played.
        audio_output_token: Vec<AudioOutputToken> = "AudioOutputToken",
        /// The volume.
        audio_output_level: Option<i32> = "AudioOutputLevel",
        /// How often it will be played again.
        repeats_left: Option<u32> = "RepeatsLeft",
    }
}
