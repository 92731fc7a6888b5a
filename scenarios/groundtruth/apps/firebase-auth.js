// Firebase Authentication: an anonymous user, kept by the SDK in IndexedDB.
import { initializeApp } from '@firebase/app';
import { indexedDBLocalPersistence, initializeAuth, signInAnonymously } from '@firebase/auth';

export async function run() {
  const app = initializeApp({ apiKey: 'AIzaSyGroundTruthGroundTruthGroundTru00', projectId: 'ground-truth', appId: '1:104729104729:web:1f2e3d4c5b6a7988' });
  const auth = initializeAuth(app, { persistence: indexedDBLocalPersistence });
  await auth.authStateReady();
  const user = auth.currentUser ?? (await signInAnonymously(auth)).user;
  const answer = await fetch('https://api.firebase-app.example/v1/feed', { headers: { Authorization: 'Bearer ' + (await user.getIdToken()) } });
  if (!answer.ok) throw new Error('feed: ' + answer.status);
}
