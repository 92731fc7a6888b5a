// The account: there is none until the person fills in the form.

import { store } from './platform.js';
import * as service from './service.js';

const $ = (id) => document.getElementById(id);

function welcome(user) {
  $('form').hidden = true;
  $('member').hidden = false;
  $('hello').textContent = `Hello, ${user.name}`;
  $('who').textContent = `You are signed in as ${user.email}.`;
}

export function setUpAccount() {
  const token = store.get('access_token');
  if (token) service.me(token).then(({ user }) => welcome(user)).catch((error) => console.warn(error.message));
  $('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    $('trouble').hidden = true;
    try {
      const answer = await service.signUp({ name: $('name').value, email: $('mail').value, password: $('password').value });
      store.put('access_token', answer.access_token);
      welcome((await service.me(answer.access_token)).user);
    } catch (error) {
      $('trouble').textContent = error.message;
      $('trouble').hidden = false;
    }
  });
}
