//! Cameras lock users out after wrong passwords, and refuse what a user may not do in the same words.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use onvif_core::device::{User, UserLevel};
use onvif_core::{Camera, Credentials, ErrorKind};
use virtual_camera::{Quirks, VirtualCamera};

async fn start(quirks: Quirks) -> VirtualCamera {
    let builder = VirtualCamera::builder().credentials("admin", "secret");
    builder.quirks(quirks).start().await.unwrap()
}

async fn connect(target: &VirtualCamera, user: &str, password: &str) -> Camera {
    let camera = Camera::builder(target.device_url());
    let camera = camera.credentials(Credentials::new(user, password));
    camera.connect().await.unwrap()
}

#[tokio::test]
async fn wrong_credentials_do_not_lock_the_user_out() {
    let target = start(Quirks {
        lockout_after: Some(3),
        lockout_s: Some(600),
        ..Default::default()
    })
    .await;
    let stranger = connect(&target, "admin", "wrong").await;
    for _ in 0..20 {
        let error = stranger.device().information().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }

    let camera = connect(&target, "admin", "secret").await;
    camera.device().information().await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_not_do_something_goes_on_with_the_rest() {
    let target = start(Quirks::default()).await;
    let admin = connect(&target, "admin", "secret").await;
    let guest = User::new("guest", "a guest's", UserLevel::User);
    admin.device().create_users([guest]).await.unwrap();

    let camera = connect(&target, "guest", "a guest's").await;
    camera.media().profiles().await.unwrap();
    let error = camera.device().users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    camera.device().information().await.unwrap();
    assert_eq!(target.observed().authentication_failures, 0);
}
