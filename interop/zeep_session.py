"""A session of onvif-zeep-async with a camera, the way Home Assistant has it: addresses, media, PTZ, and a pull point whose
manager renews it. Prints what it sees, a line each; ends when motion was reported as on and then as off.

usage: zeep_session.py PORT USER PASSWORD
"""

import asyncio
import datetime
import sys

from onvif import ONVIFCamera

DEADLINE = 60


async def pull_motion(camera):
    lost = asyncio.Event()
    lifetime = datetime.timedelta(seconds=60)
    manager = await camera.create_pullpoint_manager(lifetime, lost.set)
    await manager.set_synchronization_point()
    service = manager.get_service()
    print("subscribed", flush=True)
    seen = []
    while seen[-2:] != ["true", "false"]:
        assert not lost.is_set(), "the subscription was lost"
        timeout = datetime.timedelta(seconds=10)
        reply = await service.PullMessages({"MessageLimit": 10, "Timeout": timeout})
        for notification in reply.NotificationMessage:
            topic = notification.Topic._value_1
            if topic == "tns1:VideoSource/MotionAlarm":
                (item,) = notification.Message._value_1.Data.SimpleItem
                assert item.Name == "State"
                seen.append(item.Value)
                print("motion", item.Value, flush=True)
    await manager.shutdown()


async def main():
    port, user, password = sys.argv[1:]
    camera = ONVIFCamera("127.0.0.1", int(port), user, password)
    await camera.update_xaddrs()
    capabilities = await camera.get_capabilities()
    assert capabilities["Events"]["WSPullPointSupport"]

    device = await camera.create_devicemgmt_service()
    information = await device.GetDeviceInformation()
    print("model", information.Model)
    interfaces = await device.GetNetworkInterfaces()
    print("hardware", interfaces[0].Info.HwAddress)

    media = await camera.create_media_service()
    profiles = await media.GetProfiles()
    token = profiles[0].token
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    uri = await media.GetStreamUri({"ProfileToken": token, "StreamSetup": setup})
    print("stream", uri.Uri)
    snapshot = await camera.get_snapshot(token)
    print("snapshot", snapshot[:2].hex(), len(snapshot))

    ptz = await camera.create_ptz_service()
    velocity = {"PanTilt": {"x": 0.5, "y": 0}, "Zoom": {"x": 0}}
    await ptz.ContinuousMove({"ProfileToken": token, "Velocity": velocity})
    await ptz.Stop({"ProfileToken": token})
    status = await ptz.GetStatus({"ProfileToken": token})
    print("pan", status.Position.PanTilt.x)

    imaging = await camera.create_imaging_service()
    source = profiles[0].VideoSourceConfiguration.SourceToken
    settings = await imaging.GetImagingSettings({"VideoSourceToken": source})
    print("brightness", settings.Brightness)

    await asyncio.wait_for(pull_motion(camera), DEADLINE)
    await camera.close()


asyncio.run(main())
