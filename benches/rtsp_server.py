#!/usr/bin/python3
"""GStreamer's RTSP server as a camera: plays a clip for ever, at real time, at rtsp://127.0.0.1:PORT/camera.

usage: rtsp_server.py CLIP FRAMES_PER_SECOND
CLIP is H.264 in Annex B framing with an access unit delimiter before each picture.
Prints the port once it listens, and ends when its standard input does.
"""
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

DELIMITER = b"\0\0\0\1\x09"

Gst.init(None)
clip, rate = sys.argv[1], int(sys.argv[2])
with open(clip, "rb") as file:
    pictures = [DELIMITER + rest for rest in file.read().split(DELIMITER)[1:]]


def play(_factory, media):
    """Feeds the pictures of a media, each when it is due, until its last client has gone."""
    source = media.get_element().get_by_name_recurse_up("source")
    gone = threading.Event()
    media.connect("unprepared", lambda _media: gone.set())

    def feed():
        start, duration, count = time.monotonic(), Gst.SECOND // rate, 0
        while not gone.wait(max(0, start + count / rate - time.monotonic())):
            picture = Gst.Buffer.new_wrapped(pictures[count % len(pictures)])
            picture.pts = picture.dts = count * duration
            picture.duration = duration
            if source.emit("push-buffer", picture) != Gst.FlowReturn.OK:
                break
            count += 1

    threading.Thread(target=feed, daemon=True).start()


factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(
    "( appsrc name=source is-live=true format=time"
    f" caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={rate}/1"
    " ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)
factory.connect("media-configure", play)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
server.get_mount_points().add_factory("/camera", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)

loop = GLib.MainLoop()


def until_abandoned():
    sys.stdin.read()
    loop.quit()


threading.Thread(target=until_abandoned, daemon=True).start()
loop.run()
