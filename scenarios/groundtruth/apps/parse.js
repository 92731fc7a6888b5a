// Parse: an anonymous user.
import 'parse/dist/parse.js'; // which is for a script tag

const { Parse } = globalThis;

export async function run() {
  Parse.initialize('groundtruth-app', 'groundtruth-javascript-key');
  Parse.serverURL = 'https://parse.groundtruth.example/parse';
  if (!Parse.User.current()) await Parse.AnonymousUtils.logIn();
  await new Parse.Query('Post').find();
}
