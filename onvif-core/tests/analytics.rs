//! Analytics against the virtual camera.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use onvif_core::analytics::{self, Config, ElementItem, ItemList, QName, XmlElement};
use onvif_core::media::ConfigurationToken;
use onvif_core::{Camera, ErrorKind};
use virtual_camera::VirtualCamera;

async fn connected() -> (VirtualCamera, Camera, ConfigurationToken) {
    let target = VirtualCamera::builder().start().await.unwrap();
    let camera = Camera::builder(target.device_url())
        .connect()
        .await
        .unwrap();
    let configuration = camera.media().analytics_configurations().await.unwrap();
    let token = configuration[0].token.clone();
    (target, camera, token)
}

/// A rule for the left half of the picture.
fn left_half(name: &str) -> Config {
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
        kind: QName::new("tt", "MotionRegionDetector"),
        parameters: ItemList {
            simple: vec![],
            elements: vec![ElementItem {
                name: "MotionRegion".into(),
                content: region.child(polygon).into(),
            }],
        },
    }
}

#[tokio::test]
async fn the_camera_tells_which_rules_it_has_and_what_they_may_be() {
    let (_target, camera, configuration) = connected().await;
    let analytics = camera.analytics();
    let supported = analytics.supported_rules(&configuration).await.unwrap();
    let detector = &supported.descriptions[0];
    assert_eq!(detector.name, QName::new("tt", "MotionRegionDetector"));
    assert_eq!(detector.max_instances, supported.limit);
    let parameters = detector.parameters.as_ref().unwrap();
    assert_eq!(parameters.elements[0].name, "MotionRegion");
    assert_eq!(
        parameters.elements[0].kind.namespace,
        "http://www.onvif.org/ver20/analytics"
    );
    let data = detector.messages[0].data.as_ref().unwrap();
    assert_eq!(data.simple[0].name, "State");

    let options = analytics
        .rule_options(&configuration, Some(&detector.name))
        .await
        .unwrap();
    assert_eq!(options[0].of.as_ref(), Some(&detector.name));
    let limits = options[0].content[0].find("PolygonLimits").unwrap();
    assert_eq!(limits.find("Max").unwrap().text, "8");

    let modules = analytics.supported_modules(&configuration).await.unwrap();
    let running = analytics.modules(&configuration).await.unwrap();
    assert_eq!(modules.descriptions[0].name, running[0].kind);
    assert!(
        analytics
            .module_options(&configuration, None)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(analytics.supported_metadata(None).await.unwrap().is_empty());
    let capabilities = camera
        .call(&analytics::GetServiceCapabilities {})
        .await
        .unwrap();
    assert_eq!(capabilities.capabilities.unwrap().rule_support, Some(true));
}

#[tokio::test]
async fn a_rule_is_created_changed_and_deleted() {
    let (_target, camera, configuration) = connected().await;
    let analytics = camera.analytics();
    let rule = left_half("Door");
    analytics
        .create_rules(&configuration, std::slice::from_ref(&rule))
        .await
        .unwrap();
    let mut rules = analytics.rules(&configuration).await.unwrap();
    assert_eq!(rules, [rule]);
    let shown = camera
        .media()
        .analytics_configurations()
        .await
        .unwrap()
        .remove(0);
    assert_eq!(shown.rule_engine.unwrap().rules, rules);

    let content = &mut rules[0].parameters.elements[0].content;
    let mut region = content.elements().unwrap().remove(0);
    region.attributes[0].1 = "false".into();
    *content = region.into();
    analytics
        .modify_rules(&configuration, &rules)
        .await
        .unwrap();
    assert_eq!(analytics.rules(&configuration).await.unwrap(), rules);

    analytics
        .delete_rules(&configuration, &["Door"])
        .await
        .unwrap();
    assert!(analytics.rules(&configuration).await.unwrap().is_empty());
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let (_target, camera, configuration) = connected().await;
    let analytics = camera.analytics();
    let refused = |result: Result<(), onvif_core::Error>, subcode: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        let fault = error.fault().unwrap().to_string();
        assert!(fault.contains(subcode), "{fault}");
    };
    let twice = [left_half("a"), left_half("a")];
    refused(
        analytics.create_rules(&configuration, &twice).await,
        "RuleAlreadyExistent",
    );
    assert!(analytics.rules(&configuration).await.unwrap().is_empty());
    let mut other = left_half("b");
    other.kind = QName::new("tt", "LineDetector");
    refused(
        analytics.create_rules(&configuration, &[other]).await,
        "InvalidRule",
    );
    let many: Vec<_> = (0..9).map(|n| left_half(&n.to_string())).collect();
    refused(
        analytics.create_rules(&configuration, &many).await,
        "TooManyRules",
    );
    let unknown = [left_half("nobody")];
    refused(
        analytics.modify_rules(&configuration, &unknown).await,
        "RuleNotExistent",
    );
    refused(
        analytics.delete_rules(&configuration, &["nobody"]).await,
        "RuleNotExistent",
    );
    refused(
        analytics.delete_rules(&"nobody".into(), &["a"]).await,
        "NoConfig",
    );
}
