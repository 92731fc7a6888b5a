// A stub of the platform, for tests of the pages alone. WHO says who holds the phone.
// What an app keeps lasts in the browser's own storage, as files do on a device.
(() => {
  const granted = new Set(WHO.granted);
  const files = JSON.parse(localStorage.getItem('stub.files') ?? '{}');
  const keep = () => localStorage.setItem('stub.files', JSON.stringify(files));
  const need = (...permissions) => {
    if (!permissions.some((p) => granted.has(p))) throw new Error(`java.lang.SecurityException: requires ${permissions[0]}`);
  };
  const later = (name, detail) => setTimeout(() => dispatchEvent(new CustomEvent(name, { detail })), 30);
  const accounts = [{ name: WHO.mail, type: 'com.example.mail' }];

  globalThis.AndroidBridge = {
    calls: [],
    androidId: () => WHO.ssaid,
    advertisingId: () => JSON.stringify({ id: WHO.adid, limitAdTracking: false }),
    deviceInfo: () => JSON.stringify({
      manufacturer: 'Google', brand: 'google', model: 'Pixel 8', device: 'shiba', release: '14', sdk: 34,
      fingerprint: 'google/shiba/shiba:14/UD1A/1:user/release-keys', language: 'en-US', timeZone: 'Europe/Zurich', deviceName: "Nora's phone",
    }),
    checkPermission: (name) => granted.has(name),
    requestPermissions: (list, requestCode) => {
      const results = {};
      for (const p of JSON.parse(list)) {
        results[p] = WHO.answer;
        if (WHO.answer) granted.add(p);
      }
      later('androidpermissions', { requestCode, results });
    },
    location: () => {
      need('android.permission.ACCESS_FINE_LOCATION', 'android.permission.ACCESS_COARSE_LOCATION');
      return JSON.stringify({ latitude: WHO.latitude, longitude: WHO.longitude, accuracy: 12 });
    },
    accounts: () => {
      need('android.permission.GET_ACCOUNTS', 'android.permission.READ_CONTACTS');
      return JSON.stringify(accounts);
    },
    addAccount: (name, type, password) => {
      accounts.push({ name, type });
      localStorage.setItem('stub.account', JSON.stringify({ name, type, password }));
      return true;
    },
    prefsGet: (file, key) => localStorage.getItem(`prefs.${file}.${key}`),
    prefsPut: (file, key, value) => localStorage.setItem(`prefs.${file}.${key}`, value),
    prefsRemove: (file, key) => localStorage.removeItem(`prefs.${file}.${key}`),
    readFile: (name) => files[name] ?? '',
    writeFile: (name, content) => { files[name] = content; keep(); },
    deleteFile: (name) => { delete files[name]; keep(); },
    listFiles: () => JSON.stringify(Object.keys(files)),
    recordVideo: (name, requestCode) => {
      need('android.permission.CAMERA');
      files[name] = WHO.clip;
      keep();
      later('androidrecorded', { requestCode, name, size: atob(WHO.clip).length });
    },
    log: () => {},
    finish: () => {},
  };

  // What the app reads of the person is noted, so that a test can see what it never even asked for.
  for (const [name, method] of Object.entries(AndroidBridge)) {
    if (typeof method !== 'function') continue;
    AndroidBridge[name] = (...args) => {
      AndroidBridge.calls.push(name);
      return method(...args);
    };
  }
})();
