// What Pantry asks of the device: its own settings, its own files, the camera.
// There is no way in here to an identifier, a place, a contact or an account.

const bridge = globalThis.AndroidBridge;

function ask(method, ...args) {
  try {
    return bridge[method](...args);
  } catch (error) {
    console.debug(`${method}: ${error.message}`);
    return null;
  }
}

export const store = {
  get: (key) => ask('prefsGet', 'pantry', key),
  put: (key, value) => ask('prefsPut', 'pantry', key, String(value)),
};

export const readFile = (name) => ask('readFile', name);
export const deleteFile = (name) => ask('deleteFile', name);
export const listFiles = () => JSON.parse(ask('listFiles') ?? '[]');

let requests = 0;

// answerTo waits for the event that belongs to a request, or gives null where the device refuses the call outright.
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

// camera asks for the camera if need be, and tells whether it may be used.
export async function camera() {
  const permission = 'android.permission.CAMERA';
  if (ask('checkPermission', permission) !== true) {
    await answerTo('androidpermissions', 'requestPermissions', JSON.stringify([permission]));
  }
  return ask('checkPermission', permission) === true;
}

// record makes a recording and tells its name and size, or null.
export const record = (name) => answerTo('androidrecorded', 'recordVideo', name);
