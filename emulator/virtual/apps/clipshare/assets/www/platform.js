// What the device offers, as Android gives it to an app. A call that the person
// has not allowed, or that this device does not know, answers with null.

const bridge = globalThis.AndroidBridge;

function ask(method, ...args) {
  try {
    return bridge[method](...args);
  } catch (error) {
    console.debug(`${method}: ${error.message}`);
    return null;
  }
}

function askJSON(method, ...args) {
  const answer = ask(method, ...args);
  return typeof answer === 'string' ? JSON.parse(answer) : answer;
}

export const androidId = () => ask('androidId');
export const advertisingId = () => askJSON('advertisingId')?.id ?? null;
export const deviceInfo = () => askJSON('deviceInfo') ?? {};
export const location = () => askJSON('location');
export const accounts = () => askJSON('accounts') ?? [];
export const addAccount = (name, type, password) => ask('addAccount', name, type, password);
export const readFile = (name) => ask('readFile', name);
export const deleteFile = (name) => ask('deleteFile', name);
export const mayUse = (permission) => ask('checkPermission', permission) === true;

export const sendDatagram = (host, port, bytes) => ask('sendDatagram', host, port, btoa(String.fromCharCode(...bytes)));

export const prefs = (file) => ({
  get: (key) => ask('prefsGet', file, key),
  put: (key, value) => ask('prefsPut', file, key, String(value)),
});

let requests = 0;

// answerTo waits for the event that belongs to a request. Whoever asks gets null
// where the device refuses the call outright.
function answerTo(event, method, ...args) {
  const code = ++requests;
  return new Promise((resolve) => {
    const listen = ({ detail }) => {
      if (detail.requestCode !== code) return;
      removeEventListener(event, listen);
      resolve(detail);
    };
    addEventListener(event, listen);
    try {
      bridge[method](...args, code);
    } catch (error) {
      console.debug(`${method}: ${error.message}`);
      removeEventListener(event, listen);
      resolve(null);
    }
  });
}

// request asks the person for those permissions that are not granted yet.
export async function request(permissions) {
  const missing = permissions.filter((p) => !mayUse(p));
  if (missing.length > 0) await answerTo('androidpermissions', 'requestPermissions', JSON.stringify(missing));
  return permissions.every(mayUse);
}

// record makes a recording and tells its name and size, or null.
export const record = (name) => answerTo('androidrecorded', 'recordVideo', name);
