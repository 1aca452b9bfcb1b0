//! What the camera sees and how: imaging, focus, rules.

use onvif_core::Camera;
use onvif_core::analytics::{Config, ElementItem, ItemList, QName, XmlElement};
use onvif_core::media::{ConfigurationToken, VideoSourceToken};

use crate::driving::Trouble;

pub async fn run(camera: &Camera, trouble: &mut Trouble) {
    let sources = camera.media().video_sources().await;
    if let Some(source) = trouble.first("video sources", sources) {
        imaging(camera, &source.token, trouble).await;
        focus(camera, &source.token, trouble).await;
    }
    let configurations = camera.media().analytics_configurations().await;
    if let Some(configuration) = trouble.first("analytics", configurations) {
        rules(camera, &configuration.token, trouble).await;
    }
}

async fn imaging(camera: &Camera, source: &VideoSourceToken, trouble: &mut Trouble) {
    let imaging = camera.imaging();
    trouble.none("imaging capabilities", imaging.capabilities().await);
    trouble.none("imaging options", imaging.options(source).await);
    if let Some(settings) = trouble.none("imaging settings", imaging.settings(source).await) {
        let set = imaging.set_settings(source, settings).await;
        trouble.none("set imaging settings", set);
    }
    trouble.none("imaging status", imaging.status(source).await);
    if let Some(preset) = trouble.first("imaging presets", imaging.presets(source).await) {
        let used = imaging.use_preset(source, &preset.token).await;
        trouble.none("use imaging preset", used);
        let current = imaging.current_preset(source).await;
        trouble.none("current imaging preset", current);
    }
}

async fn focus(camera: &Camera, source: &VideoSourceToken, trouble: &mut Trouble) {
    let imaging = camera.imaging();
    trouble.none("move options", imaging.move_options(source).await);
    let moved = imaging.focus_to(source, 0.5, Some(0.5)).await;
    trouble.none("focus to", moved);
    let moved = imaging.focus_by(source, 0.1, Some(0.5)).await;
    trouble.none("focus by", moved);
    trouble.none("focus with", imaging.focus_with(source, 0.2).await);
    trouble.none("stop focus", imaging.stop_focus(source).await);
}

async fn rules(camera: &Camera, configuration: &ConfigurationToken, trouble: &mut Trouble) {
    let analytics = camera.analytics();
    let detector = QName::new("tt", "MotionRegionDetector");
    let supported = analytics.supported_rules(configuration).await;
    trouble.none("supported rules", supported);
    let options = analytics.rule_options(configuration, Some(&detector)).await;
    trouble.none("rule options", options);
    let rules = [region("Gate", detector)];
    let created = analytics.create_rules(configuration, &rules).await;
    trouble.none("create rules", created);
    trouble.none("rules", analytics.rules(configuration).await);
    let modified = analytics.modify_rules(configuration, &rules).await;
    trouble.none("modify rules", modified);
    let deleted = analytics.delete_rules(configuration, &["Gate"]).await;
    trouble.none("delete rules", deleted);

    let supported = analytics.supported_modules(configuration).await;
    trouble.none("supported modules", supported);
    trouble.none("modules", analytics.modules(configuration).await);
    let options = analytics.module_options(configuration, None).await;
    trouble.none("module options", options);
    trouble.none(
        "supported metadata",
        analytics.supported_metadata(None).await,
    );
}

/// A rule for motion in the left half of the picture.
fn region(name: &str, kind: QName) -> Config {
    let corners = [(-1, -1), (0, -1), (0, 1), (-1, 1)];
    let polygon = corners
        .iter()
        .fold(XmlElement::new("tt", "Polygon"), |polygon, (x, y)| {
            polygon.child(
                XmlElement::new("tt", "Point")
                    .attribute("x", x)
                    .attribute("y", y),
            )
        });
    let mut region = XmlElement::new("axt", "MotionRegionConfig").attribute("Armed", true);
    region.name.namespace = "http://www.onvif.org/ver20/analytics".into();
    Config {
        name: name.into(),
        kind,
        parameters: ItemList {
            simple: vec![],
            elements: vec![ElementItem {
                name: "MotionRegion".into(),
                content: region.child(polygon).into(),
            }],
        },
    }
}
