// A session of the npm package onvif with a camera: connect, stream address, PTZ, events. Prints what it sees, a line
// each; ends when motion was reported as on and then as off.
//
// usage: node_session.js PORT USER PASSWORD
'use strict';

const { Cam } = require('onvif');

const [port, username, password] = process.argv.slice(2);
const DEADLINE = 60000;

function done(error) {
  if (error) {
    console.error(error);
  }
  process.exit(error ? 1 : 0);
}

function call(camera, method, options) {
  return new Promise((resolve, reject) => {
    camera[method](options, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function session(camera) {
  console.log('profiles', camera.profiles.map((profile) => profile.name).join());
  console.log('services', Object.keys(camera.uri).sort().join());
  const stream = await call(camera, 'getStreamUri', { protocol: 'RTSP' });
  console.log('stream', stream.uri);
  const snapshot = await call(camera, 'getSnapshotUri', {});
  console.log('snapshot', snapshot.uri);

  await call(camera, 'absoluteMove', { x: 0.5, y: -0.5, zoom: 0.25 });
  for (;;) {
    const status = await call(camera, 'getStatus', {});
    if (status.moveStatus.panTilt === 'IDLE' && status.moveStatus.zoom === 'IDLE') {
      console.log('position', status.position.x, status.position.y, status.position.zoom);
      break;
    }
  }
  await call(camera, 'setPreset', { presetName: 'corner' });
  const presets = await call(camera, 'getPresets', {});
  console.log('presets', Object.keys(presets).join());
  await call(camera, 'stop', {});

  const seen = [];
  await new Promise((resolve) => {
    camera.on('event', (message) => {
      if (message.topic._ !== 'tns1:VideoSource/MotionAlarm') {
        return;
      }
      const value = message.message.message.data.simpleItem.$.Value;
      seen.push(String(value));
      console.log('motion', value);
      if (seen.slice(-2).join() === 'true,false') {
        resolve();
      }
    });
    console.log('listening');
  });
  camera.removeAllListeners('event');
}

setTimeout(() => done(new Error('too slow')), DEADLINE).unref();
const camera = new Cam({ hostname: '127.0.0.1', port, username, password, timeout: 20000 }, (error) => {
  if (error) {
    done(error);
  } else {
    session(camera).then(() => done(), done);
  }
});
