"""Reads captured responses as Home Assistant's ONVIF client does, with zeep and the WSDL of onvif-zeep-async.

zeep_reading.py WSDL FILE...

WSDL is a folder with the WSDL of ONVIF, for Media2, which onvif-zeep-async does not have. Prints a JSON object: for each file {"values": {path: value}}, or {"refused": why}. A path is the names and indices from
the content of the Body down, such as "0.VideoEncoderConfiguration.Resolution.Width"; "count" is the length of a list.
"""

import datetime
import json
import pathlib
import sys

import onvif
import zeep
from onvif.client import SERVICES
from onvif.settings import DEFAULT_SETTINGS
from zeep.helpers import serialize_object
from zeep.transports import Transport

PACKAGE = pathlib.Path(onvif.__file__).parent / "wsdl"
SERVICE = {"device_management": "devicemgmt", "media1": "media", "ptz": "ptz"}
MEDIA2 = "{http://www.onvif.org/ver20/media/wsdl}Media2Binding"

ENVELOPE = b"""<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/2003/05/soap-envelope">
<complexType name="Envelope"/><complexType name="Fault"/></schema>"""


class Captured(Transport):
    """Answers whatever is asked with the file."""

    file = None

    def load(self, url):
        # What the schemas of ONVIF import from elsewhere is in the package, except for this.
        if url.endswith("/soap-envelope"):
            return ENVELOPE
        if url.startswith("http"):
            return (PACKAGE / url.rsplit("/", 1)[1]).read_bytes()
        return super().load(url)

    def post_xml(self, address, envelope, headers):
        answer = type("Answer", (), {})()
        answer.status_code = 200
        answer.headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
        answer.encoding = "utf-8"
        answer.content = self.file.read_bytes()
        return answer


def flatten(value, path, into):
    if isinstance(value, dict):
        for name, part in value.items():
            flatten(part, f"{path}.{name}", into)
    elif isinstance(value, list):
        into[f"{path}.count".lstrip(".")] = len(value)
        for index, part in enumerate(value):
            flatten(part, f"{path}.{index}", into)
    elif value is None:
        pass
    elif isinstance(value, (bool, int, float, str)):
        into[path.lstrip(".")] = value
    elif isinstance(value, datetime.timedelta):
        into[path.lstrip(".")] = value.total_seconds()
    else:
        into[path.lstrip(".")] = str(value)


def services(wsdl):
    """A zeep service for each folder of the captures, and what it answers with."""
    described = {"media2": (wsdl / "ver20/media/wsdl/media.wsdl", MEDIA2)}
    for folder, name in SERVICE.items():
        about = SERVICES[name]
        described[folder] = PACKAGE / about["wsdl"], f"{{{about['ns']}}}{about['binding']}"
    found = {}
    for folder, (file, binding) in described.items():
        transport = Captured()
        client = zeep.Client(str(file), transport=transport, settings=DEFAULT_SETTINGS)
        found[folder] = client.create_service(binding, "http://127.0.0.1/"), transport
    return found


def read(service, transport, file):
    transport.file = file
    operation = file.stem.removesuffix("Response")
    binding = service._binding
    try:
        # The request is not what is tested, so it is made without its parameters.
        reply = binding.process_reply(service._client, binding.get(operation), transport.post_xml(None, None, None))
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    values = {}
    flatten(serialize_object(reply, dict), "", values)
    return {"values": values}


def main():
    known = services(pathlib.Path(sys.argv[1]))
    readings = {}
    for name in sys.argv[2:]:
        file = pathlib.Path(name)
        service, transport = known[file.parent.name]
        readings[name] = read(service, transport, file)
    json.dump(readings, sys.stdout, default=str)


main()
