// Analytics. A form whose field "content" is JSON in base64.

import { app, session } from '../session.js';

export async function report(event) {
  const { device } = session;
  const message = {
    header: {
      appkey: '5f6c1d2eb4739632429e8c01', app_version: app.version, channel: app.channel, os: 'Android', device_model: device.model,
      android_id: session.ssaid, gaid: session.advertisingId, consent: session.consent,
    },
    body: { events: [{ id: event, ts: Date.now() }] },
  };
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  await fetch('https://ulogs.umeng.com/unify_logs', {
    method: 'POST',
    body: new URLSearchParams({ content: btoa(String.fromCharCode(...bytes)), v: '9' }),
  });
}
