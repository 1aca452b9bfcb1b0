#!/usr/bin/python3
"""GStreamer's rtspsrc as a player: writes what it decodes of one track to standard output, until that ends.

usage: rtsp_player.py URL MEDIA BRANCH [PROPERTY=VALUE]...

MEDIA is video or audio, BRANCH what takes its packets, as gst-launch-1.0 writes it, and PROPERTY one of rtspsrc. It is not
gst-launch-1.0 itself because that fails where pads come from several threads at once ("Delayed linking failed"), and because
it takes errors for its own that rtspsrc has while it is being stopped: writev_bytes takes a PAUSE that TEARDOWN
cancelled for the end of the connection.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)
url, media, launch, *properties = sys.argv[1:]
pipeline = Gst.Pipeline()
source = Gst.ElementFactory.make("rtspsrc")
source.set_property("location", url)
for assignment in properties:
    Gst.util_set_object_arg(source, *assignment.split("=", 1))
branch = Gst.parse_bin_from_description(launch, True)
pipeline.add(source)
pipeline.add(branch)
source.connect("select-stream", lambda _, _number, caps: caps.get_structure(0).get_string("media") == media)
source.connect("pad-added", lambda _, pad: pad.link(branch.get_static_pad("sink")))
pipeline.set_state(Gst.State.PLAYING)
ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, ends)
if message.type == Gst.MessageType.ERROR:
    sys.exit("\n".join(map(str, message.parse_error())))
pipeline.set_state(Gst.State.NULL)
