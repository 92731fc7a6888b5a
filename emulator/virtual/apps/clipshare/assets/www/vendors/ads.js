// The ad exchange. It wants to know who looks, and from where: the hash of a
// mail address is an identifier like any other, for everyone who has the address has the hash.

import * as platform from '../platform.js';
import { session } from '../session.js';

async function mailHash() {
  const mail = platform.accounts().map((a) => a.name.trim().toLowerCase()).find((name) => name.includes('@'));
  if (!mail) return null;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(mail));
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');
}

export async function match() {
  const query = new URLSearchParams({ rid: crypto.randomUUID(), app: 'org.example.clipshare', slot: 'feed-3', gdpr: '1', gdpr_consent: session.consent });
  const hash = await mailHash();
  if (hash) query.set('he', hash);
  const place = platform.location();
  if (place) {
    query.set('lat', place.latitude.toFixed(6));
    query.set('lon', place.longitude.toFixed(6));
  }
  await fetch(`https://bid.adreach.example/v1/match?${query}`);
}
