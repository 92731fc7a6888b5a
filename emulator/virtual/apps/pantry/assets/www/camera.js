// Video notes. They stay on the phone; one that is discarded is deleted.

import * as platform from './platform.js';
import { leaveTo, shown } from './pages.js';

const $ = (id) => document.getElementById(id);
let note = null;

async function open(say) {
  if (!await platform.camera()) {
    say('Pantry needs the camera to record');
    return;
  }
  note = { name: `note_${Date.now()}.mp4` };
  note.recorded = platform.record(note.name);
  leaveTo('camera');
  history.pushState({ screen: 'camera' }, '');
}

async function stop() {
  const mine = note;
  leaveTo('preview');
  $('size').textContent = 'Not saved yet';
  const file = await mine.recorded;
  if (!file || note !== mine) return;
  $('size').textContent = `${(file.size / 1048576).toFixed(1)} MB, not saved yet`;
  play(mine.name);
}

function play(name) {
  const video = $('player');
  const bytes = platform.readFile(name);
  if (!bytes) return;
  video.oncanplay = () => { video.hidden = false; video.play().catch(() => {}); };
  video.onerror = () => { video.hidden = true; };
  video.src = `data:video/mp4;base64,${bytes}`;
}

function close(where) {
  $('player').removeAttribute('src');
  $('player').hidden = true;
  leaveTo(where);
}

async function discard(say) {
  const mine = note;
  if (!mine) return;
  note = null;
  close('recipes');
  await mine.recorded; // what is still being written would come after the deletion
  platform.deleteFile(mine.name);
  say('Note deleted');
}

export function setUpCamera(say) {
  $('record').addEventListener('click', () => open(say));
  $('stop').addEventListener('click', stop);
  for (const id of ['leave', 'discard']) $(id).addEventListener('click', () => history.back());
  addEventListener('popstate', () => { if (shown() === 'camera' || shown() === 'preview') discard(say); });
  $('keep').addEventListener('click', () => {
    note = null;
    close('notes');
    say('Note kept on this phone');
    history.back();
  });
}

// listNotes shows what was kept.
export function listNotes() {
  const names = platform.listFiles().filter((name) => name.startsWith('note_')).sort().reverse();
  $('kept').replaceChildren(...names.map((name) => {
    const row = document.createElement('li');
    const when = new Date(Number(name.match(/\d+/)[0]));
    row.innerHTML = '<b>Video note</b><span></span>';
    row.lastChild.textContent = when.toLocaleString('en-US', { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });
    return row;
  }));
}
