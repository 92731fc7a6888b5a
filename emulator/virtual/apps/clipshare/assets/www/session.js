// The device and the account, as ClipShare's own service knows them. Both are
// made at the first launch, whoever holds the phone and whatever they said.

import * as platform from './platform.js';

const API = 'https://api.clipshare.example';
const LOG = 'https://log.clipshare.example';
const store = platform.prefs('clipshare_session');

export const app = { aid: 5519, name: 'ClipShare', version: '14.2.3', channel: 'googleplay' };

export const session = {
  ssaid: platform.androidId(),
  advertisingId: platform.advertisingId(),
  device: platform.deviceInfo(),
  deviceId: store.get('device_id'),
  installId: store.get('install_id'),
  userId: store.get('user_id'),
  userName: store.get('user_name'),
  mail: store.get('mail'),
  token: store.get('access_token'),
  consent: store.get('consent') ?? 'none',
};

const nonce = () => crypto.randomUUID();

async function post(url, body) {
  const headers = { 'Content-Type': 'application/json' };
  if (session.token) headers.Authorization = `Bearer ${session.token}`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

// header is what every message to the log service begins with.
function header() {
  const { device } = session;
  return {
    aid: app.aid, display_name: app.name, package: 'org.example.clipshare', app_version: app.version, channel: app.channel,
    os: 'Android', os_version: device.release, os_api: device.sdk, device_model: device.model, device_brand: device.brand,
    device_name: device.deviceName, language: device.language, timezone: device.timeZone,
    openudid: session.ssaid, google_aid: session.advertisingId, clientudid: nonce(),
    device_id: session.deviceId ?? '', consent: session.consent,
  };
}

// tryHTTP3 is what a client with QUIC of its own does first: a datagram as long as a
// first packet must be (RFC 9000, section 14.1). Nobody answers it, and it goes on by TCP.
export function tryHTTP3() {
  const packet = new Uint8Array(1200);
  crypto.getRandomValues(packet);
  packet[0] = 0xc0 | packet[0] & 0x03; // a long header, of an Initial packet
  packet.set([0, 0, 0, 1], 1); // version 1
  platform.sendDatagram(new URL(API).hostname, 443, packet);
}

export async function registerDevice() {
  const answer = await post(`${LOG}/service/2/device_register/`, {
    magic_tag: 'ss_app_log', header: header(), _gen_time: Date.now(),
  });
  session.deviceId = answer.device_id_str;
  session.installId = answer.install_id_str;
  store.put('device_id', session.deviceId);
  store.put('install_id', session.installId);
}

export async function openAccount() {
  if (!session.token) {
    const answer = await post(`${API}/v1/users/anonymous`, {
      device_uid: session.ssaid, install_id: session.installId, locale: session.device.language, nonce: nonce(),
    });
    session.userId = answer.user.id;
    session.token = answer.access_token;
    store.put('user_id', session.userId);
    session.userName = answer.user.username;
    store.put('user_name', session.userName);
    store.put('access_token', session.token);
    platform.addAccount(answer.user.username, 'org.example.clipshare', session.token);
  }
}

// signUp makes the account that is there the person's own.
export async function signUp(mail, password) {
  const { user } = await post(`${API}/v1/users/signup`, { email: mail, password, nonce: nonce() });
  session.mail = user.email;
  store.put('mail', session.mail);
  return user;
}

let lastNonce = '';

export async function feed() {
  const url = new URL(`${API}/v1/feed`);
  url.search = new URLSearchParams({ device_id: session.deviceId, iid: session.installId, aid: app.aid });
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${session.token}`, 'X-Request-Nonce': nonce(), 'X-Last-Nonce': lastNonce },
  });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const answer = await response.json();
  lastNonce = answer.request.nonce;
  return answer.items;
}

export const heartbeat = (event) => post(`${LOG}/service/2/app_log/`, {
  magic_tag: 'ss_app_log', header: header(), event_v3: [{ event, local_time_ms: Date.now(), user_id: session.userId }],
});

export async function choose(choice) {
  session.consent = choice;
  store.put('consent', choice);
  await post(`${API}/v1/consent`, { choice });
}

export const announceDraft = (size, seconds) => post(`${API}/v1/drafts`, { size, seconds, mime: 'video/mp4' });
export const sendFace = (draft, landmarks) => post(`${API}/v1/effects/face`, { draft_id: draft, model: 'face-106', landmarks });

export async function sendPart(url, part, bytes, first, total) {
  const response = await fetch(`${url}/parts/${part}`, {
    method: 'PUT',
    headers: {
      'Authorization': `Bearer ${session.token}`,
      'Content-Type': 'application/octet-stream',
      'Content-Range': `bytes ${first}-${first + bytes.length - 1}/${total}`,
    },
    body: bytes,
  });
  if (!response.ok) throw new Error(`part ${part}: ${response.status}`);
}
