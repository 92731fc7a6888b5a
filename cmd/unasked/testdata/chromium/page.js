// A page that sends identifiers the ways that pages do. Each goes to a path of its own
// under /t/, and chromium_test.go says what is to be found there. ids and key come from the test.
const text = new TextEncoder();
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, '0')).join('');
const post = (path, body, headers = {}) => fetch('/t/' + path, { method: 'POST', body, headers });
const json = (path, value) => post(path, JSON.stringify(value), { 'Content-Type': 'application/json' });
const digest = (name, value) => crypto.subtle.digest(name, text.encode(value));
const compress = (format, value) => new Response(new Blob([value]).stream().pipeThrough(new CompressionStream(format))).arrayBuffer();

// ends resolves once a frame or an image has been answered.
const ends = (element, attribute, value) =>
  new Promise((done) => {
    element.onload = element.onerror = done;
    element[attribute] = value;
    document.body.append(element);
  });

const submit = (path, method, fields) => {
  const form = document.createElement('form');
  Object.assign(form, { action: '/t/' + path, method, target: path });
  for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { name, value }));
  document.body.append(form);
  const frame = Object.assign(document.createElement('iframe'), { name: path });
  document.body.append(frame);
  const answered = new Promise((done) => (frame.onload = () => frame.contentWindow.location.href !== 'about:blank' && done()));
  form.submit();
  return answered;
};

const xhr = (path, body) =>
  new Promise((done) => {
    const q = new XMLHttpRequest();
    q.open('POST', '/t/' + path);
    q.onloadend = done;
    q.send(body);
  });

const socket = (path, messages) =>
  new Promise((done) => {
    const ws = new WebSocket('wss://' + location.host + '/t/' + path);
    ws.binaryType = 'arraybuffer';
    // One answer, after the last: so the order of the messages is known.
    ws.onopen = () => [...messages, 'end'].forEach((m) => ws.send(m));
    ws.onmessage = () => ws.close();
    ws.onclose = done;
  });

const event = (value) => JSON.stringify({ event: 'open', at: 1700000001, user: { id: value }, os: 'Android 14' });

async function send() {
  await json('fetch', { event: 'open', context: { device: ids.ssaid }, seq: 7 });
  await post('urlencoded', new URLSearchParams({ event: 'open', mail: ids.email }));
  const multipart = new FormData();
  multipart.append('seq', '7');
  multipart.append('who', ids.name);
  await post('multipart', multipart);
  await xhr('xhr', base64(text.encode(event(ids.phone))));
  navigator.sendBeacon('/t/beacon', new Blob([event(ids.advertising_id.toUpperCase())], { type: 'application/json' }));
  for (const format of ['gzip', 'deflate', 'deflate-raw']) await post(format, await compress(format, event(ids.serial)));
  await json('gzip64', { batch: base64(await compress('gzip', event(ids.imei))) });
  await json('sha256', { em: hex(await digest('SHA-256', ids.email.trim().toLowerCase())) });
  await json('sha1', { em: hex(await digest('SHA-1', ids.email)).toUpperCase() });
  await json('sha512', { ph: base64(await digest('SHA-512', ids.phone)) });
  await post('sha384raw', await digest('SHA-384', ids.ssaid));
  await json('twice', { h: hex(await digest('SHA-256', hex(await digest('SHA-1', ids.contact_email)))) });
  await json('deep', { b: base64(await compress('gzip', event(hex(await digest('SHA-256', ids.advertising_id))))) });
  const secret = await crypto.subtle.importKey('raw', text.encode(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  await post('hmac', JSON.stringify({ mac: hex(await crypto.subtle.sign('HMAC', secret, text.encode(ids.imei))) }), { 'X-Session': key });
  await fetch('/t/lzuri?d=' + LZString.compressToEncodedURIComponent(event(ids.mac)));
  await json('lz64', { d: LZString.compressToBase64(event(ids.contact_name)) });
  await json('lzutf16', { d: LZString.compressToUTF16(event(ids.clipboard)) });
  await post('lzbytes', LZString.compressToUint8Array(event(ids.calendar_event)));
  await submit('formpost', 'post', { q: 'x', tel: ids.contact_phone });
  await submit('formget', 'get', { q: 'x', place: ids.location });
  await ends(new Image(), 'src', '/t/pixel?u=' + encodeURIComponent(encodeURIComponent(ids.email)));
  document.cookie = 'did=' + ids.advertising_id + '; path=/t/cookie';
  await fetch('/t/cookie');
  await fetch('/t/header', { headers: { 'X-Device-Id': ids.ssaid } });
  await post('utf16', Uint16Array.from(ids.device_name, (c) => c.charCodeAt(0)));
  await post('xor', text.encode(event(ids.contact_email)).map((b) => b ^ 0x5a));
  await json('hex', { h: hex(text.encode(ids.clipboard)) });
  await json('nested', { payload: JSON.stringify({ inner: JSON.stringify({ id: ids.serial }) }) });
  await fetch('/t/reflect').then((r) => r.json());
  await socket('socket', [event(ids.mac), text.encode(event(ids.name)), await compress('gzip', event(ids.device_name))]);
  await fetch('/t/clean', { method: 'POST', body: event('nobody in particular') });
  await fetch('/done', { method: 'POST' });
}
send().catch((e) => fetch('/done', { method: 'POST', body: String(e.stack || e) }));
