//! What clients set, kept as they wrote it: elements and attributes that the schema knows.

use crate::xml::{Element, Node, Ns, TNS1, TR2, TT, WSNT, element};

/// The namespace of the parameters of the motion region detector.
pub(super) const AXT: Ns = Ns {
    prefix: "axt",
    uri: "http://www.onvif.org/ver20/analytics",
};

const NAMESPACES: [Ns; 4] = [TT, TR2, WSNT, AXT];

const ELEMENTS: &[&str] = &[
    "Address",
    "Analytics",
    "AutoStart",
    "BackgroundColor",
    "Bounds",
    "Color",
    "ConfigurationToken",
    "DateFormat",
    "Degree",
    "ElementItem",
    "Enabled",
    "Events",
    "Extension",
    "FieldOfView",
    "Filter",
    "FontColor",
    "FontSize",
    "IPv4Address",
    "IPv6Address",
    "Image",
    "ImgPath",
    "MessageContent",
    "Mode",
    "MotionRegionConfig",
    "OutputLevel",
    "OutputToken",
    "PTZStatus",
    "Parameters",
    "PlainText",
    "Point",
    "Polygon",
    "Port",
    "Pos",
    "Position",
    "PresetToken",
    "Rotate",
    "SendPrimacy",
    "SessionTimeout",
    "SimpleItem",
    "SourceToken",
    "Status",
    "SubscriptionPolicy",
    "TTL",
    "TextString",
    "TimeFormat",
    "TopicExpression",
    "Type",
    "Multicast",
    "VideoSourceConfigurationToken",
];

const ATTRIBUTES: &[&str] = &[
    "Armed",
    "Colorspace",
    "Dialect",
    "IsPersistentText",
    "Mirror",
    "Name",
    "Sensitivity",
    "Transparent",
    "Value",
    "X",
    "Y",
    "Z",
    "height",
    "width",
    "x",
    "y",
];

/// The element with all below it that is known. The depth is that of a request, which its reader limits.
pub(super) fn kept(node: &Node) -> Option<Element> {
    let name = ELEMENTS.iter().find(|known| **known == node.name)?;
    let ns = NAMESPACES.iter().find(|ns| ns.uri == node.namespace)?;
    let mut kept = element(*ns, name);
    for name in ATTRIBUTES {
        if let Some(value) = node.attribute(name) {
            kept = kept.attribute(name, value);
        }
    }
    if *name == "TopicExpression" {
        kept = kept.mentions(TNS1);
    }
    if !node.text().is_empty() {
        kept = kept.text(node.text());
    }
    Some(kept.children(node.children.iter().filter_map(self::kept)))
}

/// The children with these names, in this order, as the schema wants them.
pub(super) fn kept_children(node: &Node, order: &[&str]) -> Vec<Element> {
    let named = order.iter().flat_map(|name| node.all(name));
    named.filter_map(kept).collect()
}
