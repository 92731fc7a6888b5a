// Which page is on the screen.

const pages = ['recipes', 'shelf', 'notes', 'account', 'recipe', 'camera', 'preview'];
let now = 'recipes';

export const shown = () => now;

export function leaveTo(page) {
  now = page;
  for (const id of pages) document.getElementById(id).hidden = id !== page;
  const nav = document.getElementById('nav');
  nav.hidden = page === 'camera' || page === 'preview';
  for (const button of nav.querySelectorAll('[data-to]')) {
    button.classList.toggle('on', button.dataset.to === page || (page === 'recipe' && button.dataset.to === 'recipes'));
  }
  dispatchEvent(new CustomEvent('page', { detail: page }));
}
