//! What the first Media service has and the second lacks: configurations by token.

use onvif_core::Camera;
use onvif_core::media::ver10;

use crate::driving::Trouble;

pub async fn run(camera: &Camera, trouble: &mut Trouble) {
    let reply = camera.call(&ver10::GetProfiles {}).await;
    let profiles = reply.map(|reply| reply.profiles);
    if let Some(profile) = trouble.first("profiles", profiles) {
        let request = ver10::GetProfile {
            profile_token: profile.token,
        };
        trouble.none("profile", camera.call(&request).await);
    }
    let named = ver10::CreateProfile {
        name: "named".into(),
        token: Some("named".into()),
    };
    if trouble
        .none("create profile", camera.call(&named).await)
        .is_some()
    {
        let request = ver10::DeleteProfile {
            profile_token: "named".into(),
        };
        trouble.none("delete profile", camera.call(&request).await);
    }

    macro_rules! one_by_one {
        ($($what:literal $list:ident $one:ident)*) => {$(
            let reply = camera.call(&ver10::$list {}).await;
            let all = reply.map(|reply| reply.configurations);
            if let Some(configuration) = trouble.first($what, all) {
                let request = ver10::$one {
                    configuration_token: configuration.token,
                };
                trouble.none($what, camera.call(&request).await);
            }
        )*};
    }
    one_by_one! {
        "video source" GetVideoSourceConfigurations GetVideoSourceConfiguration
        "video encoder" GetVideoEncoderConfigurations GetVideoEncoderConfiguration
        "audio source" GetAudioSourceConfigurations GetAudioSourceConfiguration
        "audio encoder" GetAudioEncoderConfigurations GetAudioEncoderConfiguration
        "audio output" GetAudioOutputConfigurations GetAudioOutputConfiguration
        "audio decoder" GetAudioDecoderConfigurations GetAudioDecoderConfiguration
        "metadata" GetMetadataConfigurations GetMetadataConfiguration
        "analytics" GetVideoAnalyticsConfigurations GetVideoAnalyticsConfiguration
    }
}
