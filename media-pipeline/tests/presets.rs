//! What families of cameras get wrong, all of it at once: pictures come all the same.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use media_pipeline::{
    Credentials, Error, Hub, HubOptions, RtspOptions, RtspSource, SnapshotOptions, check_jpeg,
};
use virtual_camera::{Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(60);

async fn picture(preset: &str) -> Result<(u32, u32), Error> {
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .quirks(Quirks::preset(preset).unwrap())
        .start()
        .await
        .unwrap();
    let mut options = RtspOptions::new(camera.stream_url(0).as_str().parse().unwrap());
    options.credentials = Some(Credentials::new("admin", "secret"));
    let source = Arc::new(RtspSource::new(options)?);
    let hub = Hub::new(source, HubOptions::default());
    let snapshot = SnapshotOptions {
        deadline: DEADLINE,
        ..SnapshotOptions::default()
    };
    let picture = hub.snapshot(&snapshot).await?;
    check_jpeg(&picture.data)
}

#[tokio::test]
async fn every_family_of_cameras_gives_pictures() {
    let all = stream::iter(Quirks::presets()).map(|preset| async move {
        let size = picture(preset).await;
        let wrong = !matches!(size, Ok((1280, 720)));
        wrong.then(|| format!("{preset}: {size:?}"))
    });
    let wrong = all.buffer_unordered(8).filter_map(std::future::ready);
    let wrong: Vec<_> = wrong.collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
