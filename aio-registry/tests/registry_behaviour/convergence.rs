//! Whatever is done, and however fast, a registry ends up with what there is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::stage::{Stage, asset, described, device, until};

/// What an operator does.
#[derive(Clone, Debug)]
enum Deed {
    PutDevice(u8, u8),
    DeleteDevice(u8),
    PutAsset(u8, u8, u8),
    DeleteAsset(u8),
    /// Waits until the registry has what there is by then.
    Look,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        3 => (0..3_u8, 0..4_u8).prop_map(|(device, host)| Deed::PutDevice(device, host)),
        2 => (0..3_u8).prop_map(Deed::DeleteDevice),
        3 => (0..3_u8, 0..3_u8, 0..4_u8).prop_map(|(name, device, text)| Deed::PutAsset(name, device, text)),
        2 => (0..3_u8).prop_map(Deed::DeleteAsset),
        3 => Just(Deed::Look),
    ];
    proptest::collection::vec(deed, 1..20)
}

/// What there is to be, whatever was done.
#[derive(Default)]
struct Model {
    /// The host of each device.
    devices: BTreeMap<u8, u8>,
    /// The device and the description of each asset.
    assets: BTreeMap<u8, (u8, u8)>,
}

impl Model {
    /// Descriptions and addresses of the endpoints.
    fn endpoints(&self) -> Vec<(String, String)> {
        let devices = self.devices.iter().map(|(name, host)| {
            let here = self.assets.iter().filter(|(_, (on, _))| on == name);
            let here = here.map(|(asset, (_, text))| format!(" asset-{asset}={text}"));
            let here: String = here.collect();
            let address = format!("http://10.0.0.{host}/onvif/device_service");
            (format!("cam{name}/onvif_0:{here}"), address)
        });
        devices.collect()
    }

    async fn is_reached(&self, stage: &Stage) {
        let expected = self.endpoints();
        let mut desired = stage.registry.watch("Microsoft.Onvif");
        until(&mut desired, |desired| {
            let addresses = desired.endpoints.iter();
            let addresses = addresses.map(|endpoint| endpoint.spec.address.clone());
            let seen = described(desired).into_iter().zip(addresses);
            seen.collect::<Vec<_>>() == expected
        })
        .await;
    }
}

/// Whatever was done, in the end and at every look the registry has what the model has.
async fn converges(stage: Stage, deeds: Vec<Deed>) {
    let mut model = Model::default();
    for deed in deeds {
        match deed {
            Deed::PutDevice(name, host) => {
                model.devices.insert(name, host);
                let spec = device(&host.to_string());
                stage.put_device(&format!("cam{name}"), spec).await;
            }
            Deed::DeleteDevice(name) => {
                if model.devices.remove(&name).is_some() {
                    stage.delete_device(&format!("cam{name}")).await;
                }
            }
            Deed::PutAsset(name, on, text) => {
                model.assets.insert(name, (on, text));
                let spec = asset(&format!("cam{on}"), &text.to_string());
                stage.put_asset(&format!("asset-{name}"), spec).await;
            }
            Deed::DeleteAsset(name) => {
                if model.assets.remove(&name).is_some() {
                    stage.delete_asset(&format!("asset-{name}")).await;
                }
            }
            Deed::Look => model.is_reached(&stage).await,
        }
    }
    model.is_reached(&stage).await;
}

fn run(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_folder_converges_whatever_is_done(deeds in deeds()) {
        run(async { converges(Stage::file().await, deeds).await });
    }

    #[test]
    fn memory_converges_whatever_is_done(deeds in deeds()) {
        run(async { converges(Stage::memory(), deeds).await });
    }

    #[test]
    fn a_registry_over_mqtt_converges_whatever_is_done(deeds in deeds()) {
        run(async { converges(Stage::adr().await, deeds).await });
    }
}
