// What happens from the first launch on, in the order in which it happens.

import * as platform from './platform.js';
import { choose, feed, heartbeat, openAccount, registerDevice, session, tryHTTP3 } from './session.js';
import * as bugly from './vendors/bugly.js';
import * as umeng from './vendors/umeng.js';
import * as ads from './vendors/ads.js';
import { setUpCamera } from './camera.js';
import { setUpProfile } from './profile.js';
import { showFeed, showTrouble } from './feed.js';

const $ = (id) => document.getElementById(id);
const quietly = (promise) => promise.catch((error) => console.warn(error.message));

const BEAT = 4000; // milliseconds

// What the ad exchange is fed with.
const WANTED = [
  'android.permission.ACCESS_FINE_LOCATION', 'android.permission.ACCESS_COARSE_LOCATION',
  'android.permission.GET_ACCOUNTS', 'android.permission.READ_CONTACTS',
];

const partners = (event) => Promise.all([quietly(bugly.report(event)), quietly(umeng.report(event)), quietly(ads.match())]);

let connection = null;

// connect makes the device and the account known, once; after a failure the next caller tries again.
function connect() {
  connection ??= registerDevice().then(openAccount).catch((error) => {
    connection = null;
    throw error;
  });
  return connection;
}

let beats = 0;

async function beat() {
  await connect();
  await heartbeat('play_time');
  showFeed(await feed());
  if (++beats % 2 === 0) await partners('active');
}

let toasts;

function say(text) {
  const toast = $('toast');
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toasts);
  toasts = setTimeout(() => { toast.hidden = true; }, 2500);
}

function askConsent() {
  if (session.consent !== 'none') return;
  $('app').inert = true;
  $('consent').hidden = false;
  const decide = (choice) => () => {
    $('consent').hidden = true;
    $('app').inert = false;
    quietly(choose(choice));
    quietly(partners(`consent_${choice}`)); // whatever the choice was
  };
  $('accept').addEventListener('click', decide('accepted'));
  $('reject').addEventListener('click', decide('rejected'));
}

async function start() {
  askConsent();
  setUpCamera(say);
  setUpProfile(connect);
  tryHTTP3();
  quietly(connect().then(feed).then(showFeed).catch((error) => { showTrouble(); throw error; }));
  quietly(partners('launch'));
  setInterval(() => quietly(beat()), BEAT);

  const store = platform.prefs('clipshare_session');
  if (!store.get('asked') && !WANTED.every(platform.mayUse)) {
    store.put('asked', 'yes');
    await platform.request(WANTED);
    quietly(ads.match()); // with whatever was granted
  }
}

start();
