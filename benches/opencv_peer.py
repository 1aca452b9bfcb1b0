#!/usr/bin/env python3
"""What most programs with OpenCV do: read every frame, keep some.

usage: opencv_peer.py snapshots URL SECONDS FOLDER   (one JPEG a second, every frame read)
       opencv_peer.py grab URL SECONDS FOLDER        (the same, but only the frames that are due are converted)
       opencv_peer.py first URL FILE                 (the first frame)
"""
import os
import sys
import time

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
import cv2  # noqa: E402

QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 80]

mode, url, *rest = sys.argv[1:]
cv2.setNumThreads(1)
capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
if mode == "first":
    good, frame = capture.read()
    sys.exit(not (good and cv2.imwrite(rest[0], frame, QUALITY)))

end = time.monotonic() + float(rest[0])
due, count = time.monotonic(), 0
while (now := time.monotonic()) < end:
    good, frame = (capture.grab(), None) if mode == "grab" else capture.read()
    if not good:
        sys.exit("the stream ended")
    if now >= due:
        if mode == "grab":
            good, frame = capture.retrieve()
        count += 1
        cv2.imwrite(f"{rest[1]}/{count:05}.jpg", frame, QUALITY)
        due = now + 1
