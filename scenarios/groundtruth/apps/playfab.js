// PlayFab: a log-in with the Android ID that creates the account where there is none.
import PlayFab from 'playfab-web-sdk/src/PlayFab/PlayFabClientApi.js';

export async function run(phone) {
  PlayFab.settings.titleId = '1A2B3';
  const done = (request, call) => new Promise((ok, no) => call(request, (result, error) => (error ? no(new Error(JSON.stringify(error))) : ok(result))));
  await done({ AndroidDeviceId: phone.ssaid, CreateAccount: true }, PlayFab.ClientApi.LoginWithAndroidDeviceID);
  await done({}, PlayFab.ClientApi.GetAccountInfo);
}
