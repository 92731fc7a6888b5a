// Recording a clip: camera, preview, and what a person decides there.

import * as platform from './platform.js';
import { upload } from './drafts.js';
import { faceLandmarks } from './landmarks.js';

const $ = (id) => document.getElementById(id);
const screens = { home: $('home'), camera: $('camera'), preview: $('preview') };
let now = 'home';
let clip = null;

function show(name) {
  now = name;
  for (const [key, element] of Object.entries(screens)) element.hidden = key !== name;
  $('nav').hidden = name !== 'home';
}

function drawMesh(landmarks) {
  $('mesh').innerHTML = landmarks
    .map(([x, y]) => `<ellipse cx="${(x * 1000).toFixed(1)}" cy="${(y * 1000).toFixed(1)}" rx="4.4" ry="2"/>`).join('');
}

async function open(say) {
  if (!await platform.request(['android.permission.CAMERA'])) {
    say('ClipShare needs the camera to record');
    return;
  }
  const landmarks = faceLandmarks();
  drawMesh(landmarks);
  show('camera');
  history.pushState({ screen: 'camera' }, '');
  clip = { name: `draft_${Date.now()}.mp4`, began: Date.now(), landmarks };
  clip.discarded = new Promise((resolve) => { clip.decide = resolve; });
  clip.recorded = platform.record(clip.name);
}

async function stop() {
  const { recorded, name, began, landmarks, discarded } = clip;
  show('preview');
  $('size').textContent = 'Draft';
  const file = await recorded;
  if (!file) return;
  const seconds = Math.max(1, Math.round((Date.now() - began) / 1000));
  $('size').textContent = `Draft, ${(file.size / 1048576).toFixed(1)} MB`;
  if (clip?.name === name) play(name);
  upload(name, seconds, landmarks, discarded).catch((error) => console.warn(error.message));
}

// play shows the clip where the phone can, and the picture that stands there already where it can't.
function play(name) {
  const video = $('player');
  const bytes = platform.readFile(name);
  if (!bytes) return;
  video.oncanplay = () => { video.hidden = false; video.play().catch(() => {}); };
  video.onerror = () => { video.hidden = true; };
  video.src = `data:video/mp4;base64,${bytes}`;
}

function leave() {
  $('player').removeAttribute('src');
  $('player').hidden = true;
  show('home');
}

export function setUpCamera(say) {
  const leaveTo = (decision, words) => {
    if (!clip) return;
    clip.decide(decision === 'discard');
    clip = null;
    leave();
    say(words);
  };
  $('record').addEventListener('click', () => { if (now === 'home') open(say); });
  $('stop').addEventListener('click', stop);
  $('leave').addEventListener('click', () => history.back());
  $('discard').addEventListener('click', () => history.back());
  $('post').addEventListener('click', () => { leaveTo('post', 'Sign in to post'); history.back(); });
  addEventListener('popstate', async () => {
    if (now === 'camera') await stop(); // leaving the camera ends the recording, and it is a draft like any other
    leaveTo('discard', 'Draft discarded');
  });
}
