#!/usr/bin/python3
"""GStreamer's RTSP server as a camera: a live H.264 test picture at rtsp://127.0.0.1:PORT/cam.

usage: rtsp_server.py PORT WIDTH HEIGHT [USER PASSWORD] [--basic] [--tls PEM KEY] [--mount PATH LAUNCH]...
                      [--record PATH LAUNCH]...

With a user: HTTP Digest authentication, or Basic. With TLS nothing goes without it. Tunnels through HTTP are taken too. A mount is a further stream, which each client gets from its start. What a
client publishes to the path of a record goes into its pipeline.
"""
import argparse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

Gst.init(None)
arguments = argparse.ArgumentParser()
arguments.add_argument("port")
arguments.add_argument("width")
arguments.add_argument("height")
arguments.add_argument("user", nargs="*")
arguments.add_argument("--basic", action="store_true")
arguments.add_argument("--mount", nargs=2, action="append", default=[])
arguments.add_argument("--record", nargs=2, action="append", default=[])
arguments.add_argument("--tls", nargs=2)
given = arguments.parse_args()
port, width, height, user = given.port, given.width, given.height, given.user

factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(
    "( videotestsrc is-live=true pattern=ball"
    f" ! video/x-raw,format=I420,width={width},height={height},framerate=15/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15"
    " ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
rights = None
auth = GstRtspServer.RTSPAuth() if user or given.tls else None
if user:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user[0], user[1], token)
    if given.basic:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*user), token)
    rights = GstRtspServer.RTSPPermissions()
    rights.add_permission_for_role("viewer", "media.factory.access", True)
    rights.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(rights)
if given.tls:
    auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*given.tls))
if auth:
    server.set_auth(auth)
server.get_mount_points().add_factory("/cam", factory)
for path, launch in given.mount:
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {launch} )")
    if rights:
        factory.set_permissions(rights)
    server.get_mount_points().add_factory(path, factory)
for path, launch in given.record:
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    factory.set_launch(f"( {launch} )")
    if rights:
        factory.set_permissions(rights)
    server.get_mount_points().add_factory(path, factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
