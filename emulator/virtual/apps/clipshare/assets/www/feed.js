// The clips on the home screen.

const icon = (name) => `<svg aria-hidden="true"><use href="#i-${name}"/></svg>`;
const safe = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

function clip(item) {
  const article = document.createElement('article');
  article.className = 'clip';
  article.innerHTML = `
    <img src="${safe(item.poster)}" alt="${safe(item.alt)}">
    <div class="about"><h3>@${safe(item.author)}</h3><p>${safe(item.caption)}</p><p class="sound">${icon('note')}${safe(item.sound)}</p></div>
    <div class="rail">
      <span class="avatar" aria-hidden="true" style="background:${safe(item.color)}">${safe(item.author[0].toUpperCase())}</span>
      <button class="like" aria-label="Like">${icon('like')}<span>${safe(item.likes)}</span></button>
      <button aria-label="Comments">${icon('comment')}<span>${safe(item.comments)}</span></button>
      <button aria-label="Share">${icon('share')}<span>${safe(item.shares)}</span></button>
    </div>`;
  article.querySelector('.like').addEventListener('click', (event) => event.currentTarget.classList.toggle('on'));
  return article;
}

export function showFeed(items) {
  const feed = document.getElementById('feed');
  if (feed.querySelector('.clip') || items.length === 0) return;
  feed.replaceChildren(...items.map(clip));
}

export function showTrouble() {
  const text = document.querySelector('#waiting p');
  if (text) text.textContent = 'No connection. Trying again.';
}
