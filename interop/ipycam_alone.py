"""ipycam, a camera in software, without WS-Discovery: that would need port 3702 of this machine for itself.

The arguments are those of ipycam.
"""

from unittest.mock import Mock

from ipycam import camera
from ipycam.__main__ import main

camera.WSDiscoveryServer = Mock()
raise SystemExit(main())
