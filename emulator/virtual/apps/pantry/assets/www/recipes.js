// The list of recipes, and one recipe.

import { leaveTo, shown } from './pages.js';

const $ = (id) => document.getElementById(id);
const safe = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const icon = (name) => `<svg aria-hidden="true"><use href="#i-${name}"/></svg>`;
let all = [];

function card(recipe, index) {
  const button = document.createElement('button');
  button.className = index === 0 ? 'dish first' : 'dish';
  button.setAttribute('aria-label', recipe.title);
  button.innerHTML = `<img src="${safe(recipe.image)}" alt="">
    ${index === 0 ? `<span class="flag">${safe(recipe.tag)}</span>` : ''}
    <span class="words"><b>${safe(recipe.title)}</b><small>${icon('clock')}${safe(recipe.minutes)} min, serves ${safe(recipe.serves)}</small></span>`;
  button.addEventListener('click', () => open(recipe));
  return button;
}

function open(recipe) {
  const list = (items) => items.map((item) => `<li>${safe(item)}</li>`).join('');
  $('recipe').innerHTML = `<img src="${safe(recipe.image)}" alt="${safe(recipe.alt)}">
    <button class="round" aria-label="Back">${icon('back')}</button>
    <div class="body"><h1>${safe(recipe.title)}</h1><p class="hint" style="padding:0">${safe(recipe.minutes)} min, serves ${safe(recipe.serves)}</p>
    <h2>What it needs</h2><ul>${list(recipe.needs)}</ul><h2>How it goes</h2><ol>${list(recipe.steps)}</ol></div>`;
  $('recipe').querySelector('.round').addEventListener('click', () => history.back());
  $('recipe').scrollTop = 0;
  leaveTo('recipe');
  history.pushState({ screen: 'recipe' }, '');
}

function show(items) {
  if (items.length > 0) $('list').replaceChildren(...items.map(card));
  else $('list').innerHTML = '<p class="waiting">Nothing with that. Yet.</p>';
}

export function showRecipes(items) {
  if (all.length > 0) return;
  all = items;
  show(all);
}

export function showTrouble() {
  if (all.length === 0) $('list').innerHTML = '<p class="waiting">No connection. Trying again.</p>';
}

export function setUpRecipes() {
  $('query').addEventListener('input', (event) => {
    const words = event.target.value.trim().toLowerCase();
    show(all.filter((r) => `${r.title} ${r.tag} ${r.needs.join(' ')}`.toLowerCase().includes(words)));
  });
  addEventListener('popstate', () => { if (shown() === 'recipe') leaveTo('recipes'); });
}
