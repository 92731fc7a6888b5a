// Backendless: a guest user, and a query with its token.
import Backendless from 'backendless';

export async function run() {
  Backendless.initApp('5B1C9F0E-27D4-4A43-9C1A-0D6F3A1BE972', '8C1F0D3A-B27E-4594-86A1-5B1C9F0E27D4');
  if (!Backendless.LocalCache.get('user-token')) await Backendless.UserService.loginAsGuest(true);
  await Backendless.Data.of('Posts').find();
}
