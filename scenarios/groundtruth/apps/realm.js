// MongoDB App Services: an anonymous user, and a function that is called as it.
import * as Realm from 'realm-web';

export async function run() {
  const app = new Realm.App({ id: 'groundtruth-abcde' });
  const user = app.currentUser ?? (await app.logIn(Realm.Credentials.anonymous()));
  await user.functions.feed();
}
