//! A stream of JPEG pictures over HTTP, `multipart/x-mixed-replace`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, StatusCode, Uri};
use tokio::time::{MissedTickBehavior, interval};

use super::refuse_snapshots;
use crate::clip;
use crate::quirks::MjpegForm;
use crate::state::Camera;

/// From one picture to the next.
const PERIOD: Duration = Duration::from_millis(200);

pub(super) async fn serve(
    State(camera): State<Arc<Camera>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if let Some(refusal) = refuse_snapshots(&camera, &headers, &uri) {
        return refusal;
    }
    let form = camera.quirks().mjpeg;
    let Ok(content_type) = HeaderValue::from_str(announcement(form)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let pictures = clip::pictures();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let parts = stream::unfold((ticks, 0), move |(mut ticks, number)| {
        let picture = pictures[number % pictures.len()].clone();
        async move {
            ticks.tick().await;
            Some((
                Ok::<_, std::io::Error>(part(form, &picture)),
                (ticks, number + 1),
            ))
        }
    });
    ([(CONTENT_TYPE, content_type)], Body::from_stream(parts)).into_response()
}

fn announcement(form: MjpegForm) -> &'static str {
    match form {
        MjpegForm::Quoted => "multipart/x-mixed-replace; boundary=\"picture\"",
        MjpegForm::Dashes => "multipart/x-mixed-replace;boundary=--picture",
        MjpegForm::Unannounced => "multipart/x-mixed-replace",
        _ => "multipart/x-mixed-replace; boundary=picture",
    }
}

/// One part with the boundary before it.
fn part(form: MjpegForm, picture: &[u8]) -> Bytes {
    let dashes = if form == MjpegForm::Bare { "" } else { "--" };
    let length = match form {
        MjpegForm::NoLength => String::new(),
        MjpegForm::WrongLength => format!("Content-Length: {}\r\n", picture.len() / 2),
        _ => format!("Content-Length: {}\r\n", picture.len()),
    };
    let head = format!("{dashes}picture\r\nContent-Type: image/jpeg\r\n{length}\r\n");
    [head.as_bytes(), picture, b"\r\n"].concat().into()
}
