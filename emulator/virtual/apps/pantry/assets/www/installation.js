// The number of this copy of the app, once the person has accepted: Firebase
// Installations, and the remote configuration that wants it. It stands for no person and no account.

import { store } from './platform.js';

const PROJECT = 'pantry-481516';
const KEY = 'AIzaSyPantryExampleKeyNotARealOne00000000';
const APP = '1:481516234200:android:9f3c5d7b1e2a4c60';

// newId makes an id as Firebase does: 17 random bytes, the first four bits 0111, in base64url, 22 characters.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(17));
  bytes[0] = 0x70 | (bytes[0] & 0x0f);
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').slice(0, 22);
}

const call = async (url, headers, body) => {
  const response = await fetch(url, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Goog-Api-Key': KEY, ...headers }, body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
};

async function install() {
  if (store.get('fid')) return;
  const answer = await call(`https://firebaseinstallations.googleapis.com/v1/projects/${PROJECT}/installations`, {},
    { fid: newId(), appId: APP, authVersion: 'FIS_v2', sdkVersion: 'a:17.2.0' });
  store.put('fid', answer.fid);
  store.put('fid_token', answer.authToken.token);
}

// count tells that one more copy is in use.
export async function count() {
  await install();
  await call(`https://firebaseremoteconfig.googleapis.com/v1/projects/${PROJECT}/namespaces/firebase:fetch`,
    { 'X-Goog-Firebase-Installations-Auth': store.get('fid_token') },
    { appId: APP, appInstanceId: store.get('fid'), appVersion: '3.1.7', packageName: 'org.example.pantry', sdkVersion: '21.6.0' });
}
