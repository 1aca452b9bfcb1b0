//! The Analytics service (`ver20/analytics/wsdl`): rules of the motion region detector, and the one module that feeds them.

use super::kept::{AXT, kept_children};
use super::profiles::{VIDEO_SOURCE, tell_configuration};
use super::{Call, flags};
use crate::event::{Event, Operation};
use crate::media::{Kind, MAX_RULES, Made, Media};
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, Node, Ns, TAN, TER, TNS1, TT, XS, element};

const DETECTOR: &str = "MotionRegionDetector";
const MODULE: &str = "CellMotionEngine";
const MODULE_NAME: &str = "MotionEngine";
/// Corners of a region.
const CORNERS: (usize, usize) = (3, 8);

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    if operation == "GetSupportedMetadata" {
        return Ok(call.response("GetSupportedMetadataResponse"));
    }
    let token = call.argument("ConfigurationToken")?;
    let known = lock(&call.camera.media)
        .configuration(Kind::Analytics, token)
        .is_some();
    if !known {
        let reason = format!("there is no configuration {token}");
        return Err(Fault::invalid_value("NoConfig", reason));
    }
    Ok(match operation {
        "GetSupportedRules" => call
            .response("GetSupportedRulesResponse")
            .child(supported_rules()),
        "GetRules" => {
            let media = lock(&call.camera.media);
            let rules = media.rules.iter().map(|made| rule(TAN, made));
            call.response("GetRulesResponse").children(rules)
        }
        "GetRuleOptions" => {
            if let Some(kind) = call.request.text_of("RuleType") {
                check_kind(call.request, kind)?;
            }
            call.response("GetRuleOptionsResponse")
                .child(rule_options())
        }
        "CreateRules" => {
            create(call)?;
            tell_configuration(call.camera, token, Kind::Analytics.word());
            call.response("CreateRulesResponse")
        }
        "ModifyRules" => {
            modify(call)?;
            tell_configuration(call.camera, token, Kind::Analytics.word());
            call.response("ModifyRulesResponse")
        }
        "DeleteRules" => {
            delete(call)?;
            tell_configuration(call.camera, token, Kind::Analytics.word());
            call.response("DeleteRulesResponse")
        }
        "GetSupportedAnalyticsModules" => call
            .response("GetSupportedAnalyticsModulesResponse")
            .child(supported_modules()),
        "GetAnalyticsModules" => call
            .response("GetAnalyticsModulesResponse")
            .child(module(TAN)),
        "GetAnalyticsModuleOptions" => call.response("GetAnalyticsModuleOptionsResponse"),
        "CreateAnalyticsModules" => {
            given_modules(call)?;
            return Err(Fault::receiver(
                &[(TER, "Action"), (TER, "TooManyModules")],
                "there is one module, and there cannot be more",
            ));
        }
        "ModifyAnalyticsModules" => {
            given_modules(call)?;
            tell_configuration(call.camera, token, Kind::Analytics.word());
            call.response("ModifyAnalyticsModulesResponse")
        }
        "DeleteAnalyticsModules" => {
            known_module(call.argument("AnalyticsModuleName")?)?;
            return Err(Fault::receiver(
                &[(TER, "Action"), (TER, "ConfigurationConflict")],
                "the module is fixed",
            ));
        }
        _ => return Err(Fault::not_supported(operation)),
    })
}

pub(super) fn capabilities() -> Element {
    flags(
        TAN,
        "Capabilities",
        &[
            ("RuleSupport", true),
            ("AnalyticsModuleSupport", true),
            ("CellBasedSceneDescriptionSupported", false),
            ("RuleOptionsSupported", true),
            ("AnalyticsModuleOptionsSupported", true),
            ("SupportedMetadata", false),
        ],
    )
}

/// What the analytics configuration holds, as the Media services show it.
pub(super) fn engines(media: &Media) -> [Element; 2] {
    let rules = media.rules.iter().map(|made| rule(TT, made));
    [
        element(TT, "AnalyticsEngineConfiguration").child(module(TT)),
        element(TT, "RuleEngineConfiguration").children(rules),
    ]
}

/// Raises the event of every region rule that is armed.
pub(crate) fn report_motion(camera: &Camera, active: bool) {
    let mut media = lock(&camera.media);
    if std::mem::replace(&mut media.motion, active) == active {
        return;
    }
    let rules = media.rules.clone();
    drop(media);
    for rule in rules.into_iter().filter(|rule| !rule.disarmed) {
        let event = Event::new("tns1:RuleEngine/MotionRegionDetector/Motion")
            .property(Operation::Changed)
            .source("VideoSource", VIDEO_SOURCE)
            .source("RuleName", rule.id);
        camera.report(event.data("State", active.to_string()));
    }
}

fn rule(ns: Ns, made: &Made) -> Element {
    element(ns, "Rule")
        .attribute("Name", &made.id)
        .attribute("Type", format_args!("tt:{DETECTOR}"))
        .mentions(TT)
        .children(made.content.iter().cloned())
}

fn module(ns: Ns) -> Element {
    element(ns, "AnalyticsModule")
        .attribute("Name", MODULE_NAME)
        .attribute("Type", format_args!("tt:{MODULE}"))
        .mentions(TT)
        .child(element(TT, "Parameters"))
}

fn supported_rules() -> Element {
    let item = |name: &str, kind: &str| {
        element(TT, "SimpleItemDescription")
            .mentions(XS)
            .attribute("Name", name)
            .attribute("Type", kind)
    };
    let region = element(TT, "ElementItemDescription")
        .mentions(AXT)
        .attribute("Name", "MotionRegion")
        .attribute("Type", "axt:MotionRegionConfig");
    let source = element(TT, "Source")
        .child(item("VideoSource", "tt:ReferenceToken"))
        .child(item("RuleName", "xs:string"));
    let messages = element(TT, "Messages")
        .attribute("IsProperty", true)
        .child(source)
        .child(element(TT, "Data").child(item("State", "xs:boolean")))
        .leaf(
            TT,
            "ParentTopic",
            "tns1:RuleEngine/MotionRegionDetector/Motion",
        );
    let description = element(TT, "RuleDescription")
        .attribute("Name", format_args!("tt:{DETECTOR}"))
        .attribute("maxInstances", MAX_RULES)
        .child(element(TT, "Parameters").child(region))
        .child(messages.mentions(TNS1));
    element(TAN, "SupportedRules")
        .attribute("Limit", MAX_RULES)
        .child(description)
}

fn supported_modules() -> Element {
    let description = element(TT, "AnalyticsModuleDescription")
        .attribute("Name", format_args!("tt:{MODULE}"))
        .attribute("fixed", true)
        .attribute("maxInstances", 1)
        .child(element(TT, "Parameters"));
    element(TAN, "SupportedAnalyticsModules")
        .attribute("Limit", 1)
        .child(description)
}

fn rule_options() -> Element {
    let corners = element(AXT, "PolygonLimits")
        .leaf(TT, "Min", CORNERS.0)
        .leaf(TT, "Max", CORNERS.1);
    let limits = element(AXT, "MotionRegionConfigOptions")
        .leaf(AXT, "MaxRegions", MAX_RULES)
        .leaf(AXT, "DisarmSupport", true)
        .leaf(AXT, "PolygonSupport", true)
        .child(corners)
        .leaf(AXT, "RuleNotification", true);
    element(TAN, "RuleOptions")
        .attribute("RuleType", format_args!("tt:{DETECTOR}"))
        .attribute("Name", "MotionRegion")
        .attribute("Type", "axt:MotionRegionConfigOptions")
        .mentions(TT)
        .child(limits)
}

fn create(call: &Call<'_>) -> Result<(), Fault> {
    let made = rules(call)?;
    let mut media = lock(&call.camera.media);
    if media.rules.len() + made.len() > MAX_RULES {
        return Err(Fault::receiver(
            &[(TER, "Action"), (TER, "TooManyRules")],
            format!("there can be {MAX_RULES} rules at most"),
        ));
    }
    for (index, rule) in made.iter().enumerate() {
        let mut others = media.rules.iter().chain(&made[..index]);
        if others.any(|known| known.id == rule.id) {
            let reason = format!("there is a rule {} already", rule.id);
            return Err(Fault::invalid_value("RuleAlreadyExistent", reason));
        }
    }
    media.rules.extend(made);
    Ok(())
}

fn modify(call: &Call<'_>) -> Result<(), Fault> {
    let made = rules(call)?;
    let mut media = lock(&call.camera.media);
    let mut changed = media.rules.clone();
    for rule in made {
        let known = changed.iter_mut().find(|known| known.id == rule.id);
        match known {
            Some(known) => *known = rule,
            None => return Err(no_rule(&rule.id)),
        }
    }
    media.rules = changed;
    Ok(())
}

fn delete(call: &Call<'_>) -> Result<(), Fault> {
    call.argument("RuleName")?;
    let names: Vec<&str> = call.request.all("RuleName").map(Node::text).collect();
    let mut media = lock(&call.camera.media);
    for name in &names {
        if media.rules.iter().all(|rule| rule.id != *name) {
            return Err(no_rule(name));
        }
    }
    media
        .rules
        .retain(|rule| !names.contains(&rule.id.as_str()));
    Ok(())
}

/// The rules of a request, checked.
fn rules(call: &Call<'_>) -> Result<Vec<Made>, Fault> {
    let of = call.argument("ConfigurationToken")?;
    let rules = call.request.all("Rule").map(|rule| read(rule, of));
    let rules: Result<Vec<_>, _> = rules.collect();
    let rules = rules?;
    if rules.is_empty() {
        return Err(Fault::missing("Rule"));
    }
    Ok(rules)
}

fn read(rule: &Node, of: &str) -> Result<Made, Fault> {
    let name = rule.attribute("Name").unwrap_or_default();
    if name.is_empty() {
        return Err(Fault::missing("Name"));
    }
    check_kind(rule, rule.attribute("Type").unwrap_or_default())?;
    let mut disarmed = false;
    let items = rule.child("Parameters").into_iter();
    let items = items.flat_map(|parameters| parameters.all("ElementItem"));
    for item in items.filter(|item| item.attribute("Name") == Some("MotionRegion")) {
        let region = item.child("MotionRegionConfig");
        let polygon = region.and_then(|region| region.child("Polygon"));
        let corners = polygon.map_or(0, |polygon| polygon.all("Point").count());
        let armed = region.and_then(|region| region.attribute("Armed"));
        disarmed |= matches!(armed, Some("false" | "0"));
        if region.is_none() || (polygon.is_some() && !(CORNERS.0..=CORNERS.1).contains(&corners)) {
            let reason = format!("the region of {name} cannot be used");
            return Err(Fault::invalid_value("InvalidRule", reason));
        }
    }
    Ok(Made {
        id: name.to_owned(),
        of: of.to_owned(),
        content: kept_children(rule, &["Parameters"]),
        disarmed,
    })
}

/// Only one kind of rule is known.
fn check_kind(scope: &Node, kind: &str) -> Result<(), Fault> {
    let (prefix, local) = kind.split_once(':').unwrap_or(("", kind));
    if local == DETECTOR && scope.namespace_of(prefix) == Some(TT.uri) {
        return Ok(());
    }
    let reason = format!("rules of type {kind} are not supported");
    Err(Fault::invalid_value("InvalidRule", reason))
}

/// Checks the modules of a request. The one there is has no parameters that could be changed.
fn given_modules(call: &Call<'_>) -> Result<(), Fault> {
    let mut given = call.request.all("AnalyticsModule").peekable();
    if given.peek().is_none() {
        return Err(Fault::missing("AnalyticsModule"));
    }
    for module in given {
        let kind = module.attribute("Type").unwrap_or_default();
        let (prefix, local) = kind.split_once(':').unwrap_or(("", kind));
        if local != MODULE || module.namespace_of(prefix) != Some(TT.uri) {
            let reason = format!("modules of type {kind} are not supported");
            return Err(Fault::invalid_value("InvalidModule", reason));
        }
        if call.request.name == "ModifyAnalyticsModules" {
            known_module(module.attribute("Name").unwrap_or_default())?;
        }
    }
    Ok(())
}

fn known_module(name: &str) -> Result<(), Fault> {
    match name {
        MODULE_NAME => Ok(()),
        _ => {
            let reason = format!("there is no module {name}");
            Err(Fault::invalid_value("ModuleNotExistent", reason))
        }
    }
}

fn no_rule(name: &str) -> Fault {
    Fault::invalid_value("RuleNotExistent", format!("there is no rule {name}"))
}
