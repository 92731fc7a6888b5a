// The sign-up, when the person asks for it. The account that is there already becomes the person's.

import { session, signUp } from './session.js';

const $ = (id) => document.getElementById(id);

function welcome(user) {
  $('form').hidden = true;
  $('member').hidden = false;
  $('who').textContent = `Signed up as ${user.email}. You are ${user.username}.`;
}

export function setUpProfile(connect) {
  const show = (yes) => () => { $('profile').hidden = !yes; };
  $('me').addEventListener('click', show(true));
  $('back').addEventListener('click', show(false));
  if (session.mail) welcome({ email: session.mail, username: session.userName });
  $('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    $('trouble').hidden = true;
    try {
      await connect();
      welcome(await signUp($('mail').value, $('password').value));
    } catch (error) {
      $('trouble').textContent = error.message;
      $('trouble').hidden = false;
    }
  });
}
