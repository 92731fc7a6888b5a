// What happens from the first launch on, in the order in which it happens.

import { store } from './platform.js';
import * as service from './service.js';
import { count } from './installation.js';
import { setUpAccount } from './account.js';
import { listNotes, setUpCamera } from './camera.js';
import { leaveTo } from './pages.js';
import { setUpRecipes, showRecipes, showTrouble } from './recipes.js';

const $ = (id) => document.getElementById(id);
const quietly = (promise) => promise.catch((error) => console.warn(error.message));

const REFRESH = 5000; // milliseconds

async function refresh() {
  if (!await service.ping()) return;
  await service.config();
  showRecipes(await service.recipes());
  if (store.get('consent') === 'accepted') await count();
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
  if (store.get('consent')) return;
  $('app').inert = true;
  $('consent').hidden = false;
  const decide = (choice) => () => {
    store.put('consent', choice); // on the phone: nobody is told
    $('consent').hidden = true;
    $('app').inert = false;
    if (choice === 'accepted') quietly(count());
  };
  $('accept').addEventListener('click', decide('accepted'));
  $('reject').addEventListener('click', decide('rejected'));
}

askConsent();
setUpCamera(say);
setUpRecipes();
setUpAccount();
for (const button of document.querySelectorAll('#nav [data-to]')) button.addEventListener('click', () => leaveTo(button.dataset.to));
addEventListener('page', ({ detail }) => { if (detail === 'notes') listNotes(); });
quietly(refresh().catch((error) => { showTrouble(); throw error; }));
setInterval(() => quietly(refresh()), REFRESH);
