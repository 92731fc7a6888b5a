// Firebase Installations: an id of this installation, and Remote Config that is asked with it.
import { initializeApp } from '@firebase/app';
import { getId, getInstallations, getToken } from '@firebase/installations';

export async function run() {
  const apiKey = 'AIzaSyGroundTruthGroundTruthGroundTru00';
  const app = initializeApp({ apiKey, projectId: 'ground-truth', appId: '1:104729104729:web:1f2e3d4c5b6a7988' });
  const installations = getInstallations(app);
  const [id, token] = [await getId(installations), await getToken(installations)];
  const answer = await fetch('https://firebaseremoteconfig.googleapis.com/v1/projects/ground-truth/namespaces/firebase:fetch?key=' + apiKey, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Goog-Firebase-Installations-Auth': token },
    body: JSON.stringify({ appInstanceId: id, appInstanceIdToken: token, appId: '1:104729104729:web:1f2e3d4c5b6a7988', sdkVersion: '0.6.0', languageCode: 'en-US' }),
  });
  if (!answer.ok) throw new Error('remote config: ' + answer.status);
}
