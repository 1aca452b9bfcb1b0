//! Cameras that get stopping wrong, as scripts with a paused clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use onvif_core::{Camera, Transport, TransportError};
use onvif_ptz::{CameraExt, PtzClient, Velocity};

/// Refuses every request whose body contains one of these.
#[derive(Clone)]
struct Refusing {
    what: &'static [&'static str],
    /// What is answered to requests whose body begins so.
    answers: &'static [(&'static str, &'static str)],
    /// From the first move on, until so much time has passed since, the camera cannot be reached.
    away: Duration,
    moved: Arc<Mutex<Option<Instant>>>,
    moves: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Transport for Refusing {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let body = body.split_once("<s:Body>").unwrap().1.to_owned();
        let answer = if body.starts_with("<tds:GetServices") {
            "<tds:R><tds:Service><tds:Namespace>http://www.onvif.org/ver10/ptz/wsdl</tds:Namespace>\
             <tds:XAddr>http://192.0.2.7/ptz</tds:XAddr></tds:Service></tds:R>"
        } else if self.what.iter().any(|word| body.contains(word)) {
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>"
        } else {
            let mut answers = self.answers.iter();
            let answer = answers.find(|(request, _)| body.starts_with(request));
            answer.map_or("<tptz:MoveResponse/>", |(_, answer)| answer)
        };
        let away = |since: Instant| since.elapsed() < self.away;
        if self.moved.lock().unwrap().is_some_and(away) {
            return Err(TransportError::Connect("no route to host".into()));
        }
        if body.starts_with("<tptz:ContinuousMove") {
            self.moved.lock().unwrap().get_or_insert_with(Instant::now);
        }
        if body.starts_with("<tptz:") && !body.starts_with("<tptz:Get") {
            self.moves.lock().unwrap().push(body);
        }
        let envelope = format!("<s:Envelope><s:Body>{answer}</s:Body></s:Envelope>");
        Ok(Response::new(Bytes::from(envelope)))
    }
}

async fn camera(what: &'static [&'static str]) -> (PtzClient, Arc<Mutex<Vec<String>>>) {
    camera_that(what, &[], Duration::ZERO).await
}

async fn camera_away(
    what: &'static [&'static str],
    away: Duration,
) -> (PtzClient, Arc<Mutex<Vec<String>>>) {
    camera_that(what, &[], away).await
}

async fn camera_that(
    what: &'static [&'static str],
    answers: &'static [(&'static str, &'static str)],
    away: Duration,
) -> (PtzClient, Arc<Mutex<Vec<String>>>) {
    let moves = Arc::default();
    let transport = Refusing {
        what,
        answers,
        away,
        moved: Arc::default(),
        moves: Arc::clone(&moves),
    };
    let camera = Camera::builder("http://192.0.2.7")
        .transport(Arc::new(transport))
        .connect()
        .await
        .unwrap();
    (camera.ptz(), moves)
}

#[tokio::test(start_paused = true)]
async fn a_camera_without_stop_is_given_a_velocity_of_zero() {
    let (ptz, moves) = camera(&["tptz:Stop"]).await;
    let motion = ptz
        .continuous_move(
            &"p".into(),
            Velocity::pan_tilt(1.0, 0.0),
            Duration::from_secs(5),
        )
        .await
        .unwrap();
    motion.finished().await.unwrap();
    let moves = moves.lock().unwrap();
    assert_eq!(moves.len(), 3);
    assert!(
        moves[2].contains("<tt:PanTilt x=\"0\" y=\"0\" />") && !moves[2].contains("tt:Zoom"),
        "{}",
        moves[2]
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_refuses_the_timeout_moves_without_and_is_stopped_in_time() {
    let (ptz, moves) = camera(&["tptz:Timeout"]).await;
    let start = tokio::time::Instant::now();
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    motion.finished().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(6));
    let moves = moves.lock().unwrap();
    assert!(
        moves[0].contains("<tptz:Timeout>PT7S</tptz:Timeout>") && !moves[1].contains("Timeout")
    );
    assert!(
        moves[2].contains("<tptz:Zoom>true</tptz:Zoom>"),
        "{}",
        moves[2]
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_confirms_nothing_is_an_error_after_three_attempts() {
    let (ptz, moves) = camera(&["tptz:Stop", "x=\"0\""]).await;
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    assert!(motion.stop().await.is_err());
    assert_eq!(
        moves
            .lock()
            .unwrap()
            .iter()
            .filter(|body| body.starts_with("<tptz:Stop"))
            .count(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_was_away_is_stopped_when_it_is_back() {
    let (ptz, moves) = camera_away(&[], Duration::from_secs(45)).await;
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    motion.finished().await.unwrap();
    assert_eq!(moves.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_stays_away_is_an_error_in_the_end() {
    let (ptz, _) = camera_away(&[], Duration::from_secs(3600)).await;
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    let start = Instant::now();
    assert!(motion.finished().await.is_err());
    assert!(start.elapsed() < Duration::from_secs(120));
}

const SAYS_IT_MOVES: (&str, &str) = (
    "<tptz:GetStatus",
    "<tptz:R><tptz:PTZStatus><tt:MoveStatus><tt:PanTilt>MOVING</tt:PanTilt></tt:MoveStatus></tptz:PTZStatus></tptz:R>",
);

#[tokio::test(start_paused = true)]
async fn a_camera_that_takes_a_velocity_of_zero_and_goes_on_is_an_error() {
    let (ptz, moves) = camera_that(&["tptz:Stop"], &[SAYS_IT_MOVES], Duration::ZERO).await;
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    assert!(motion.stop().await.is_err());
    assert_eq!(moves.lock().unwrap().len(), 1 + 2 * 3);
}

#[tokio::test(start_paused = true)]
async fn a_camera_with_a_longest_timeout_gets_that_one_from_then_on() {
    const ANSWERS: &[(&str, &str)] = &[
        (
            "<tptz:GetConfigurations ",
            "<tptz:R><tptz:PTZConfiguration token=\"c\"/></tptz:R>",
        ),
        (
            "<tptz:GetConfigurationOptions",
            "<tptz:R><tptz:PTZConfigurationOptions><tt:PTZTimeout><tt:Max>PT20S</tt:Max></tt:PTZTimeout>\
             </tptz:PTZConfigurationOptions></tptz:R>",
        ),
    ];
    let (ptz, moves) = camera_that(&["PT32S", "PT42S"], ANSWERS, Duration::ZERO).await;
    let profile = "p".into();
    for seconds in [30, 40] {
        let duration = Duration::from_secs(seconds);
        let motion = ptz.continuous_move(&profile, Velocity::zoom(1.0), duration);
        motion.await.unwrap().stop().await.unwrap();
    }
    let moves = moves.lock().unwrap();
    let timeouts: Vec<&str> = moves
        .iter()
        .filter_map(|body| Some(body.split_once("<tptz:Timeout>")?.1.split_once('<')?.0))
        .collect();
    assert_eq!(timeouts, ["PT32S", "PT20S", "PT20S"]);
}

#[tokio::test(start_paused = true)]
async fn a_move_that_names_no_axis_is_refused_before_it_is_sent() {
    let (ptz, moves) = camera(&[]).await;
    let nothing = ptz
        .absolute_move(&"p".into(), Velocity::default(), None)
        .await;
    assert!(nothing.is_err());
    assert!(moves.lock().unwrap().is_empty());
}
