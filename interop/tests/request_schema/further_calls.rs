//! Requests that the conformance tests do not ask for. The camera in software refuses most; only the requests count.

use std::time::{Duration, UNIX_EPOCH};

use onvif_core::analytics::{self, Config, ItemList, QName};
use onvif_core::device::{self, *};
use onvif_core::device_io::{self, *};
use onvif_core::events::{EventBroker, GetCurrentMessage, Seek};
use onvif_core::media::{ver10, ver20};
use onvif_core::schema::{Binary, ReferenceToken, Secret, Words};
use onvif_core::xml::IsoDuration;
use onvif_core::{Camera, Operation};

pub async fn run(camera: &Camera) {
    system(camera).await;
    policies(camera).await;
    certificates(camera).await;
    networks(camera).await;
    storage(camera).await;
    inputs_and_outputs(camera).await;
    sounds(camera).await;
    others(camera).await;
}

async fn send<O: Operation + Sync>(camera: &Camera, operation: O) {
    let _ = camera.call(&operation).await;
}

async fn system(camera: &Camera) {
    for log_type in [SystemLogType::System, SystemLogType::Access] {
        send(camera, GetSystemLog { log_type }).await;
    }
    send(camera, GetSystemSupportInformation {}).await;
    send(camera, GetSystemUris {}).await;
    send(camera, GetEndpointReference {}).await;
    send(camera, StartFirmwareUpgrade {}).await;
    send(camera, StartSystemRestore {}).await;
    let version = "2".to_owned();
    send(camera, UpgradeFirmware { version }).await;
    send(camera, GetRemoteDiscoveryMode {}).await;
    let remote_discovery_mode = DiscoveryMode::NonDiscoverable;
    send(
        camera,
        SetRemoteDiscoveryMode {
            remote_discovery_mode,
        },
    )
    .await;
    send(camera, GetDpAddresses {}).await;
    let addresses = vec![NetworkHost::dns("proxy.example.com")];
    send(camera, SetDpAddresses { addresses }).await;
    send(camera, GetGeoLocation {}).await;
    let location = LocationEntity {
        entity: Some("VideoSource".into()),
        geo_location: Some(device::GeoLocation {
            lon: Some(13.4),
            lat: Some(52.5),
            elevation: Some(34.0),
        }),
        ..Default::default()
    };
    let locations = vec![location];
    send(
        camera,
        SetGeoLocation {
            locations: locations.clone(),
        },
    )
    .await;
    send(camera, DeleteGeoLocation { locations }).await;
    for factory_default in [FactoryDefault::Soft, FactoryDefault::Hard] {
        send(camera, SetSystemFactoryDefault { factory_default }).await;
    }
}

async fn policies(camera: &Camera) {
    send(camera, GetRemoteUser {}).await;
    let user = Some(RemoteUser {
        username: Some("guard".into()),
        password: Some(secret()),
        use_derived_password: Some(false),
    });
    send(camera, SetRemoteUser { user }).await;
    send(camera, GetUserRoles { role: None }).await;
    let role = UserRole {
        name: Some("guard".into()),
        functions: Some(Words(vec!["tds:GetUsers".into()])),
    };
    send(camera, SetUserRole { role }).await;
    let role = "guard".to_owned();
    send(camera, DeleteUserRole { role }).await;
    send(camera, GetPasswordComplexityOptions {}).await;
    send(camera, GetPasswordComplexityConfiguration {}).await;
    let complexity = SetPasswordComplexityConfiguration {
        min_length: Some(8),
        uppercase: Some(1),
        digits: Some(1),
        special_characters: Some(1),
        block_username: Some(true),
        locked: Some(false),
    };
    send(camera, complexity).await;
    send(camera, GetPasswordHistoryConfiguration {}).await;
    let history = SetPasswordHistoryConfiguration {
        enabled: true,
        length: 3,
    };
    send(camera, history).await;
    send(camera, GetAuthFailureWarningOptions {}).await;
    send(camera, GetAuthFailureWarningConfiguration {}).await;
    let warning = SetAuthFailureWarningConfiguration {
        enabled: true,
        monitor_period: 60,
        max_failures: 5,
    };
    send(camera, warning).await;
    let algorithms = Words(vec!["SHA-256".into(), "MD5".into()]);
    send(camera, SetHashingAlgorithm { algorithms }).await;
    send(camera, GetAccessPolicy {}).await;
    let policy_file = BinaryData {
        data: Some(Binary(b"policy"[..].into())),
    };
    send(camera, SetAccessPolicy { policy_file }).await;
}

async fn certificates(camera: &Camera) {
    let binary = || BinaryData {
        data: Some(Binary(b"bytes"[..].into())),
    };
    let id = || "id".to_owned();
    send(camera, GetCertificates {}).await;
    send(camera, GetCertificatesStatus {}).await;
    send(camera, GetCaCertificates {}).await;
    send(camera, GetClientCertificateMode {}).await;
    send(camera, SetClientCertificateMode { enabled: true }).await;
    let create = CreateCertificate {
        certificate_id: Some(id()),
        subject: Some("CN=gate".into()),
        ..Default::default()
    };
    send(camera, create).await;
    let status = vec![CertificateStatus {
        certificate_id: Some(id()),
        enabled: Some(true),
    }];
    send(camera, SetCertificatesStatus { status }).await;
    let certificate_ids = vec![id()];
    send(camera, DeleteCertificates { certificate_ids }).await;
    let request = GetPkcs10Request {
        certificate_id: id(),
        subject: Some("CN=gate".into()),
        attributes: Some(binary()),
    };
    send(camera, request).await;
    let certificates = vec![Certificate {
        certificate_id: Some(id()),
        certificate: Some(binary()),
    }];
    send(
        camera,
        LoadCertificates {
            certificates: certificates.clone(),
        },
    )
    .await;
    send(camera, LoadCaCertificates { certificates }).await;
    let certificates = vec![CertificateWithPrivateKey {
        certificate_id: Some(id()),
        certificate: Some(binary()),
        private_key: Some(PrivateKey {
            data: Some(Secret::from("a2V5".to_owned())),
        }),
    }];
    send(camera, LoadCertificateWithPrivateKey { certificates }).await;
    let certificate_id = id();
    send(camera, GetCertificateInformation { certificate_id }).await;
}

async fn networks(camera: &Camera) {
    let token = ReferenceToken::from("dot1x");
    let configuration = Dot1XConfiguration {
        token: Some(token.clone()),
        identity: Some("gate".into()),
        anonymous_id: Some("anonymous".into()),
        eap_method: Some(13),
        ca_certificate_ids: vec!["ca".into()],
        method: Some(EapMethodConfiguration {
            tls: Some(TlsConfiguration {
                certificate_id: Some("id".into()),
            }),
            password: Some(secret()),
        }),
    };
    let create = CreateDot1XConfiguration {
        configuration: configuration.clone(),
    };
    send(camera, create).await;
    send(camera, SetDot1XConfiguration { configuration }).await;
    send(camera, GetDot1XConfigurations {}).await;
    send(
        camera,
        GetDot1XConfiguration {
            token: token.clone(),
        },
    )
    .await;
    let tokens = vec![token.clone()];
    send(camera, DeleteDot1XConfiguration { tokens }).await;
    send(camera, GetDot11Capabilities {}).await;
    let interface_token = NetworkInterfaceToken::from("wlan0");
    let status = GetDot11Status {
        interface_token: interface_token.clone(),
    };
    send(camera, status).await;
    let scan = ScanAvailableDot11Networks {
        interface_token: interface_token.clone(),
    };
    send(camera, scan).await;

    let address = PrefixedAddress::new([192, 0, 2, 7], 24);
    let settings = NetworkInterfaceSettings {
        enabled: Some(true),
        link: Some(LinkSettings {
            auto_negotiation: Some(true),
            speed: Some(100),
            duplex: Some(Duplex::Full),
        }),
        mtu: Some(1400),
        ipv4: Some(Ipv4Settings {
            enabled: Some(true),
            manual: vec![address],
            dhcp: Some(false),
        }),
        ipv6: Some(Ipv6Settings {
            enabled: Some(true),
            accept_router_advert: Some(true),
            manual: vec![],
            dhcp: Some(Ipv6Dhcp::Auto),
        }),
        extension: Some(NetworkInterfaceSettingsExtension {
            dot11: vec![Dot11Configuration {
                ssid: Some("67617465".into()),
                mode: Some(Dot11StationMode::Infrastructure),
                alias: Some("gate".into()),
                priority: Some(1),
                security: Some(Dot11SecurityConfiguration {
                    mode: Some(Dot11SecurityMode::Psk),
                    algorithm: Some(Dot11Cipher::Ccmp),
                    psk: Some(Dot11PskSet {
                        key: None,
                        passphrase: Some(secret()),
                    }),
                    dot1x: Some(token),
                }),
            }],
        }),
    };
    let device = camera.device();
    let _ = device
        .set_network_interface(&interface_token, settings)
        .await;
}

async fn storage(camera: &Camera) {
    let token = ReferenceToken::from("storage");
    let data = StorageConfigurationData {
        kind: Some("NFS".into()),
        region: Some("eu".into()),
        local_path: Some("/clips".into()),
        storage_uri: Some("nfs://192.0.2.9/clips".into()),
        user: Some(UserCredential {
            username: Some("gate".into()),
            password: Some(secret()),
            token: None,
        }),
        cert_path_validation_policy_id: Some("policy".into()),
        renewal: None,
    };
    send(camera, GetStorageConfigurations {}).await;
    let create = CreateStorageConfiguration {
        configuration: data.clone(),
    };
    send(camera, create).await;
    let configuration = StorageConfiguration {
        token: token.clone(),
        data: Some(data),
    };
    send(camera, SetStorageConfiguration { configuration }).await;
    send(
        camera,
        GetStorageConfiguration {
            token: token.clone(),
        },
    )
    .await;
    send(camera, DeleteStorageConfiguration { token }).await;
}

async fn inputs_and_outputs(camera: &Camera) {
    let video = camera.media().video_source_configurations().await.unwrap();
    let audio = camera.media().audio_source_configurations().await.unwrap();
    let output = camera.media().audio_output_configurations().await.unwrap();
    let force_persistence = true;
    macro_rules! ask {
        ($($operation:ident $field:ident $token:literal)*) => {$(
            send(camera, device_io::$operation { $field: $token.into() }).await;
        )*};
    }
    ask! {
        GetVideoSourceConfiguration source "v"
        GetVideoSourceConfigurationOptions source "v"
        GetVideoOutputConfiguration output "o"
        GetVideoOutputConfigurationOptions output "o"
        GetAudioSourceConfiguration source "a"
        GetAudioSourceConfigurationOptions source "a"
        GetAudioOutputConfiguration output "o"
        GetAudioOutputConfigurationOptions output "o"
        GetSerialPortConfiguration port "s"
        GetSerialPortConfigurationOptions port "s"
    }
    send(camera, GetVideoOutputs {}).await;
    let set = device_io::SetVideoSourceConfiguration {
        configuration: video[0].clone(),
        force_persistence,
    };
    send(camera, set).await;
    let set = device_io::SetAudioSourceConfiguration {
        configuration: audio[0].clone(),
        force_persistence,
    };
    send(camera, set).await;
    let set = device_io::SetAudioOutputConfiguration {
        configuration: output[0].clone(),
        force_persistence,
    };
    send(camera, set).await;
    let set = SetVideoOutputConfiguration {
        configuration: VideoOutputConfiguration {
            token: "c".into(),
            name: Some("screen".into()),
            use_count: Some(1),
            output_token: Some("o".into()),
        },
        force_persistence,
    };
    send(camera, set).await;
    let set = SetSerialPortConfiguration {
        configuration: SerialPortConfiguration {
            token: "s".into(),
            kind: Some(SerialPortType::Rs485HalfDuplex),
            baud_rate: Some(9600),
            parity: Some(ParityBit::None),
            character_length: Some(8),
            stop_bits: Some(1.0),
        },
        force_persistence,
    };
    send(camera, set).await;
    let command = SendReceiveSerialCommand {
        port: Some("s".into()),
        data: Some(SerialData {
            binary: None,
            text: Some("hello".into()),
        }),
        timeout: Some(IsoDuration(Duration::from_secs(1))),
        length: Some(8),
        delimiter: Some("\n".into()),
    };
    send(camera, command).await;
}

async fn sounds(camera: &Camera) {
    let clip = ver20::AudioClip {
        enabled: Some(true),
        name: Some("bell".into()),
        audio_output_token: vec!["o".into()],
        kind: Some("Info".into()),
        repeat_cycles: Some(1),
        repeat_interval: Some(1),
        audio_output_level: Some(50),
        schedule_token: None,
    };
    send(camera, ver20::GetAudioClips { token: None }).await;
    let add = ver20::AddAudioClip {
        token: None,
        configuration: clip.clone(),
    };
    send(camera, add).await;
    let add = ver20::AddTtsAudioClip {
        token: None,
        configuration: clip.clone(),
        tts_configuration: ver20::TtsAudio {
            content: "Please close the gate".into(),
            language: "en".into(),
            voice_type: "female".into(),
        },
    };
    send(camera, add).await;
    let set = ver20::SetAudioClip {
        token: "clip".into(),
        configuration: clip,
    };
    send(camera, set).await;
    let play = ver20::PlayAudioClip {
        token: "clip".into(),
        audio_output_token: vec!["o".into()],
        play: true,
        repeat_cycles: Some(2),
    };
    send(camera, play).await;
    let token = "clip".into();
    send(camera, ver20::DeleteAudioClip { token }).await;
    send(camera, ver20::GetPlayingAudioClips {}).await;
    let configuration_token = None;
    let get = ver20::GetMulticastAudioDecoderConfigurations {
        configuration_token: configuration_token.clone(),
    };
    send(camera, get).await;
    let get = ver20::GetMulticastAudioDecoderConfigurationOptions {
        configuration_token,
    };
    send(camera, get).await;
    send(camera, ver20::GetWebRtcConfigurations {}).await;
    let configurations = vec![ver20::WebRtcConfiguration {
        signaling_server: "wss://192.0.2.1/signal".into(),
        cert_path_validation_policy_id: None,
        authorization_server: "server".into(),
        default_profile: "main".into(),
        enabled: true,
        connected: None,
        error: None,
    }];
    send(camera, ver20::SetWebRtcConfigurations { configurations }).await;
}

async fn others(camera: &Camera) {
    send(camera, ver10::GetServiceCapabilities {}).await;
    send(camera, ver20::GetServiceCapabilities {}).await;
    send(camera, analytics::GetServiceCapabilities {}).await;
    let osd_token = "osd".into();
    send(camera, ver10::GetOsd { osd_token }).await;

    let module = Config {
        name: "Engine".into(),
        kind: QName::new("tt", "CellMotionEngine"),
        parameters: ItemList {
            simple: vec![],
            elements: vec![],
        },
    };
    let analytics = camera.analytics();
    let configuration = "analytics".into();
    let modules = [module];
    let _ = analytics.create_modules(&configuration, &modules).await;
    let _ = analytics.modify_modules(&configuration, &modules).await;
    let _ = analytics.delete_modules(&configuration, &["Engine"]).await;

    let events = camera.events();
    let broker = EventBroker::new("mqtts://192.0.2.1:8883", "gate");
    let _ = events.add_broker(broker).await;
    let _ = events.brokers().await;
    let _ = events.delete_broker("mqtts://192.0.2.1:8883").await;
    let topic = "tns1:VideoSource/MotionAlarm".into();
    send(camera, GetCurrentMessage { topic }).await;
    let moment = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    send(camera, Seek::new(moment, true)).await;
}

fn secret() -> Secret {
    Secret::from("a secret".to_owned())
}
