package webview

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestForeignPagesReachNeitherBridgeNorAssets(t *testing.T) {
	w := newWorld(t)
	bridge := &calls{answer: func(method string, _ []json.RawMessage) (any, error) { return method + " for the app", nil }}
	w.bridge = bridge
	w.file("www/secret.json", `{"secret":"s3cret"}`)
	w.file("www/secret.js", `window.stolen = 's3cret'`)
	const attack = `
		const done = [];
		const sync = (method, url, body) => { try { const x = new XMLHttpRequest(); x.open(method, url, false); x.send(body); return x.responseText } catch (e) { return 'refused' } };
		const here = 'https://appassets.androidplatform.net';
		done.push(typeof AndroidBridge, sync('POST', here + '/.bridge/androidId', '[]'), sync('GET', here + '/.bridge/androidId'), sync('GET', here + '/assets/www/secret.json'));
		(async () => {
			await fetch(here + '/.bridge/androidId', { method: 'POST', mode: 'no-cors', body: '[]' }).catch(() => 0);
			await new Promise((end) => { const s = document.createElement('script'); s.src = here + '/assets/www/secret.js'; s.onload = s.onerror = end; document.documentElement.append(s) });
			done.push(window.stolen ?? 'not stolen');
			const form = document.createElement('form'); form.method = 'POST'; form.action = here + '/.bridge/androidId';
			const frame = document.createElement('iframe'); frame.name = form.target = 'f'; document.documentElement.append(frame, form);
			await new Promise((end) => { frame.onload = end; form.submit(); setTimeout(end, 1000) });
			console.log(NAME + ' ' + done.join('|'));
		})();`
	w.origin("foreign.example", `<script>const NAME = 'foreign';`+attack+`</script>`)
	w.origin("silent.example", `<meta name="referrer" content="no-referrer"><script>const NAME = 'silent';`+attack+`</script>`)
	w.page(`<iframe src="https://foreign.example/"></iframe><iframe src="https://silent.example/"></iframe>
		<iframe sandbox="allow-scripts allow-forms" srcdoc="<script>const NAME = 'sandboxed';` + strings.ReplaceAll(attack, `"`, "&quot;") + `</script>"></iframe>
		<script>console.log('mine ' + AndroidBridge.androidId())</script>`)
	w.start()
	if got := w.waitLog("mine "); got != "androidId for the app" {
		t.Errorf("the app's own page got %q", got)
	}
	for _, who := range []string{"foreign ", "silent ", "sandboxed "} {
		if got, want := w.waitLog(who), "undefined|refused|refused|refused|not stolen"; got != want {
			t.Errorf("the %spage got %s, want %s", who, got, want)
		}
	}
	if n := bridge.count(); n != 1 {
		t.Errorf("the bridge was called %d times, %v; only the app's own page may", n, bridge.made)
	}
}

func TestForeignMainPageHasNoBridgeAndGetsNoEvents(t *testing.T) {
	w := newWorld(t)
	w.bridge = &calls{}
	w.origin("foreign.example", `<script>addEventListener('androidpermissions', () => console.log('foreign got an event')); console.log('foreign', typeof AndroidBridge)</script>`)
	w.page(`<script>addEventListener('androidpermissions', (e) => { console.log('own', JSON.stringify(e.detail)); location = 'https://foreign.example/' })</script>`)
	r := w.start()
	r.painted()
	r.must(r.Emit(w.context(), "androidpermissions", map[string]any{"requestCode": 7, "text": "'\"</script>\u2028"}))
	if got, want := w.waitLog("own "), "{\"requestCode\":7,\"text\":\"'\\\"</script>\u2028\"}"; got != want {
		t.Errorf("the event's detail was %s, want %s", got, want)
	}
	if got := w.waitLog("foreign "); got != "undefined" {
		t.Errorf("the foreign page has a bridge: %s", got)
	}
	r.must(r.Emit(w.context(), "androidpermissions", nil))
	r.eval("console.log('after')")
	w.waitLog("after")
	for _, m := range w.log {
		if m.Text == "foreign got an event" {
			t.Error("the foreign page was told what the app had asked for")
		}
	}
	if ok, err := r.Back(w.context()); !ok || err != nil {
		t.Errorf("back from the foreign page: %v, %v", ok, err)
	}
	r.until("location.origin === 'https://appassets.androidplatform.net'")
	if ok, err := r.Back(w.context()); ok || err != nil {
		t.Errorf("back from the first page: %v, %v; there is nothing before it", ok, err)
	}
}

func TestAssets(t *testing.T) {
	w := newWorld(t)
	w.file("www/data.json", `{"a":1}`)
	w.file("www/style.css", `body { color: rgb(1, 2, 3) }`)
	w.file("www/module.mjs", `console.log('module runs')`)
	w.file("www/päge.html", `umlaut`)
	w.file("secret.txt", `outside www but an asset`)
	w.page(`<meta name="referrer" content="no-referrer"><link rel="stylesheet" href="style.css"><script type="module" src="module.mjs"></script><script>
		const status = async (url, init) => { const r = await fetch(url, init); return [r.status, r.headers.get('content-type'), (await r.text()).length].join(',') };
		(async () => {
			console.log('json', await status('data.json?x=1#y'));
			console.log('missing', await status('none.html'));
			console.log('folder', await status('../www/'));
			console.log('outside', await status('/assets/%2e%2e/%2e%2e/etc/passwd'), await status('/assets//etc/passwd'), await status('/etc/passwd'));
			console.log('umlaut', await status('p%C3%A4ge.html'));
			console.log('post', await status('data.json', { method: 'POST', body: 'x' }));
			console.log('style', getComputedStyle(document.body).color, isSecureContext);
		})();
	</script>`)
	w.start()
	for line, want := range map[string]string{
		"module ": "runs", "json ": "200,application/json,7", "missing ": "404,text/plain,9", "folder ": "404,text/plain,9",
		"outside ": "404,text/plain,9 404,text/plain,9 404,text/plain,9", "umlaut ": "200,text/html; charset=utf-8,6",
		"post ": "405,text/plain,18", "style ": "rgb(1, 2, 3) true",
	} {
		if got := w.waitLog(line); got != want {
			t.Errorf("%s is %q, want %q", line, got, want)
		}
	}
	for _, d := range w.seen.Dials() {
		t.Errorf("the app's own origin was looked for on the network: %s", d.Address)
	}
}

func TestBridgeCarriesLargeValues(t *testing.T) {
	w := newWorld(t)
	w.bridge = &calls{answer: func(_ string, args []json.RawMessage) (any, error) {
		var s string
		if err := json.Unmarshal(args[0], &s); err != nil {
			return nil, err
		}
		return s, nil
	}}
	w.page(`<script>const big = 'é'.repeat(2 << 20); const back = AndroidBridge.echo(big); console.log('same', back === big, back.length)</script>`)
	w.start()
	if got := w.waitLog("same "); got != "true 2097152" {
		t.Errorf("a value of 4 MiB came back as %s", got)
	}
}

func TestDialogsPopupsAndDownloadsHangNothing(t *testing.T) {
	w := newWorld(t)
	w.origin("popup.example", `<h1>Popup</h1><script>console.log('popup', typeof opener, history.length)</script>`)
	w.page(`<a id="dl" download="x.bin" href="data:application/octet-stream,abc">Get</a>
		<button id="go" style="position:absolute;left:100px;top:200px;width:120px;height:48px" onclick="window.open('https://popup.example/')">Go</button><script>
		alert('stop'); console.log('alert returned');
		console.log('confirm', confirm('sure?')); console.log('prompt', prompt('who?'));
		dl.click(); print(); console.log('download asked for');
	</script>`)
	r := w.start()
	w.waitLog("alert returned")
	if got := w.waitLog("confirm "); got != "false" {
		t.Errorf("a question was answered %s", got)
	}
	if got := w.waitLog("prompt "); got != "null" {
		t.Errorf("a prompt was answered %s", got)
	}
	w.waitLog("download asked for")
	r.painted()
	r.must(r.Tap(w.context(), 420, 588))
	w.waitLog("popup ")
	if got := r.eval("location.href"); got != "https://popup.example/" {
		t.Errorf("the popup is not in place of the app's page, which is %v", got)
	}
	n := 0
	for _, q := range w.seen.Requests() {
		if q.Host == "popup.example" && q.URI == "/" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the popup was asked for %d times, want once", n)
	}
	if _, err := r.Screenshot(w.context()); err != nil {
		t.Error(err)
	}
}
