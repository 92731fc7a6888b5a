package android

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

func TestSettings(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct{ script, want string }{
		{"settings get global http_proxy", "null\n"},
		{"settings put global http_proxy 127.0.0.1:8080; settings get global http_proxy", "127.0.0.1:8080\n"},
		{"settings get global global_http_proxy_port", "8080\n"},
		{"settings delete global http_proxy", "Deleted 1 rows\n"},
		{"settings delete global http_proxy", "Deleted 0 rows\n"},
		{"settings get global http_proxy", "null\n"},
		{"settings put --user 0 secure a 'b c'; settings get secure a", "b c\n"},
		{"settings list secure | grep ^a=", "a=b c\n"},
		{"cmd settings get system font_scale", "1.0\n"},
		{"content query --uri content://settings/secure --projection name:value --where \"name='a'\"", "Row: 0 name=a, value=b c\n"},
		{"content insert --uri content://settings/secure --bind name:s:x --bind value:s:y; settings get secure x", "y\n"},
	} {
		if got := s.want(c.script); got != c.want {
			t.Errorf("%s: %q, want %q", c.script, got, c.want)
		}
	}
	for _, bad := range []string{"settings get moon x", "settings get global", "settings put global x", "settings dance"} {
		if r := s.sh(bad); r.code != 255 {
			t.Errorf("%s: %+v", bad, r)
		}
	}
}

func TestProxyOfAnApp(t *testing.T) {
	s := newStage(t)
	s.installedApp(webAPK("org.example.app"))
	start := func() string {
		s.want("am force-stop org.example.app")
		return s.relaunched("org.example.app").launch.Device.Proxy
	}
	if got := start(); got != "" {
		t.Errorf("without a setting the proxy is %q", got)
	}
	s.want("settings put global http_proxy 127.0.0.1:8080")
	if got := start(); got != "127.0.0.1:9" {
		t.Errorf("with nothing behind the port the proxy is %q", got)
	}
	remove, err := s.options.Loopback.BindAddr("tcp:8080", "127.0.0.1:54321")
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	if got := start(); got != "127.0.0.1:54321" {
		t.Errorf("through adb reverse the proxy is %q", got)
	}
	s.want("settings put global http_proxy 10.0.2.2:3128")
	if got := start(); got != "10.0.2.2:3128" {
		t.Errorf("elsewhere, the proxy is %q", got)
	}
	// Taken back as people do it: deleted, then set to nothing.
	s.want("settings delete global http_proxy; settings put global http_proxy :0")
	if got := start(); got != "" {
		t.Errorf("taken back, the proxy is %q", got)
	}
}

func TestAuthorities(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app"))
	if n := len(p.launch.Device.Authorities); n != 0 {
		t.Fatalf("%d authorities on a bare device", n)
	}
	if r := s.runAs(0, nil, "mount -t tmpfs tmpfs /system/etc/security/cacerts && echo PEM > /system/etc/security/cacerts/12345678.0"); r.code != 0 {
		t.Fatalf("mount: %+v", r)
	}
	start := func() int {
		s.want("am force-stop org.example.app")
		return len(s.relaunched("org.example.app").launch.Device.Authorities)
	}
	if n := start(); n != 0 {
		t.Errorf("on Android 14 apps trust what is in /system")
	}
	if r := s.runAs(0, nil, "mount --bind /system/etc/security/cacerts /apex/com.android.conscrypt/cacerts"); r.code != 0 {
		t.Fatalf("mount --bind: %+v", r)
	}
	if n := start(); n != 1 {
		t.Errorf("%d authorities after the module's folder was mounted over, want 1", n)
	}
}

func TestAccountsLeaveTraces(t *testing.T) {
	at := time.Date(2026, 2, 11, 7, 33, 39, 0, time.UTC)
	s := newStage(t, func(o *Options) { o.Now = func() time.Time { return at } })
	s.want("cmd account add --name ann@mail.example --type org.unasked.account")
	if r := s.sh("cmd account add --name x --type org.example.clipshare"); r.code == 0 {
		t.Error("an account of a type that nobody serves was added")
	}
	app := apps.ClipShare()
	if r := s.runAs(2000, app.APK, "pm install -S "+itoa(len(app.APK))); r.out != "Success\n" {
		t.Fatalf("install: %+v", r)
	}
	a, _ := s.registry.get(app.Package)
	if len(a.Accounts) != 1 {
		t.Fatalf("authenticators: %+v", a.Accounts)
	}
	typ := a.Accounts[0].Type
	s.want("am start -n " + app.Package + "/.MainActivity")
	p := s.runtime.last(t)
	if _, err := p.call(t, "addAccount", "x", "com.google", ""); err == nil {
		t.Error("an app added an account of another's type")
	}
	if got := p.must(t, "addAccount", "anonymous-1", typ, "secret"); got != true {
		t.Errorf("addAccount: %v", got)
	}
	if got := p.must(t, "addAccount", "anonymous-1", typ, "secret"); got != false {
		t.Errorf("addAccount again: %v", got)
	}
	if got := p.must(t, "accounts"); got != `[{"name":"anonymous-1","type":"`+typ+`"}]` {
		t.Errorf("without GET_ACCOUNTS the app sees %v", got)
	}
	s.want("pm grant " + app.Package + " android.permission.GET_ACCOUNTS")
	contains(t, p.must(t, "accounts").(string), "ann@mail.example")
	contains(t, s.want("dumpsys account"), "    Account {name=anonymous-1, type="+typ+"}\n")
	s.want("cmd account remove --name anonymous-1 --type " + typ)
	p.must(t, "addAccount", "anonymous-2", typ)
	s.want("pm uninstall " + app.Package)
	want, err := os.ReadFile("testdata/account.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.want("dumpsys account"); got != string(want) {
		t.Errorf("dumpsys account:\n%s\nwant:\n%s", got, want)
	}
}

func TestAccountNamesCannotForgeLines(t *testing.T) {
	a := newAccounts(time.Now)
	a.add("x}\n  Accounts: 7", "t", "", 1)
	r, _ := ReleaseOf(34)
	if got := strings.Count(a.dump(r, time.UTC, nil), "\n  Accounts: "); got != 1 {
		t.Errorf("%d lines with the number of accounts", got)
	}
}

func TestContent(t *testing.T) {
	s := newStage(t)
	const raw, data = "content://com.android.contacts/raw_contacts", "content://com.android.contacts/data"
	if got := s.want("content query --uri " + raw); got != "No result found.\n" {
		t.Errorf("empty: %q", got)
	}
	for range 2 {
		if got := s.want("content insert --uri " + raw + " --bind account_type:n: --bind account_name:n:"); got != "" {
			t.Errorf("insert says %q", got)
		}
	}
	s.want("content insert --uri " + data + " --bind raw_contact_id:i:2 --bind mimetype:s:vnd.android.cursor.item/phone_v2 --bind data1:s:+15550100")
	s.want("content insert --uri " + data + " --bind raw_contact_id:i:1 --bind mimetype:s:vnd.android.cursor.item/name --bind data2:s:Ann --bind 'data3:s:O''Hara'")
	for _, c := range []struct{ script, want string }{
		{"content query --uri " + raw + " --projection _id:display_name --sort '_id DESC'", "Row: 0 _id=2, display_name=NULL\nRow: 1 _id=1, display_name=Ann OHara\n"},
		{"content query --uri " + data + " --projection data1 --where \"raw_contact_id=2 AND mimetype LIKE '%phone%'\"", "Row: 0 data1=+15550100\n"},
		{"content query --uri " + data + "/phones --projection data1", "Row: 0 data1=+15550100\n"},
		{"content query --uri " + raw + "/2 --projection _id", "Row: 0 _id=2\n"},
		{"content update --uri " + data + " --bind data1:s:+15550199 --where '_id=1'; content query --uri " + data + "/1 --projection data1", "Row: 0 data1=+15550199\n"},
		{"content delete --uri " + raw + " --where '_id=2'; content query --uri " + data + " --projection _id", "Row: 0 _id=2\n"},
	} {
		if got := s.want(c.script); got != c.want {
			t.Errorf("%s: %q, want %q", c.script, got, c.want)
		}
	}
	// A provider's exception leaves the exit code 0, as on real devices; a provider that is not modelled does not.
	if r := s.sh("content query --uri " + raw + " --projection nonsense"); r.code != 0 || !strings.Contains(r.err, "Error while accessing provider:com.android.contacts\njava.lang.IllegalArgumentException: Invalid column nonsense") {
		t.Errorf("unknown column: %+v", r)
	}
	if r := s.sh("content query --uri content://sms/inbox"); r.code == 0 || !strings.Contains(r.err, "Could not find provider: sms") {
		t.Errorf("unknown provider: %+v", r)
	}
	if r := s.sh("content query --uri content://com.android.contacts/data --where \"a = 'b\""); !strings.Contains(r.err, "SQLiteException") {
		t.Errorf("bad condition: %+v", r)
	}
	const calendars, events = "content://com.android.calendar/calendars", "content://com.android.calendar/events"
	s.want("content insert --uri '" + calendars + "?caller_is_syncadapter=true&account_name=me&account_type=LOCAL' --bind name:s:c --bind visible:i:1")
	s.want("content insert --uri " + events + " --bind calendar_id:i:1 --bind title:s:Dentist --bind dtstart:l:1767225600000 --bind dtend:l:1767229200000 --bind eventTimezone:s:UTC")
	if got := s.content.events(); len(got) != 1 || got[0].Title != "Dentist" || got[0].Start != "1767225600000" {
		t.Errorf("events %+v", got)
	}
	if got := s.want("content query --uri " + calendars + " --projection account_name"); got != "Row: 0 account_name=me\n" {
		t.Errorf("calendars: %q", got)
	}
	if r := s.sh("content insert --uri " + events + " --bind calendar_id:i:9 --bind title:s:x"); !strings.Contains(r.err, "IllegalArgumentException") {
		t.Errorf("an event without a calendar: %+v", r)
	}
	s.want("echo x > /sdcard/Pictures/a.jpg")
	if got := s.want("content query --uri content://media/external/images/media --projection _display_name:_size:mime_type"); got != "Row: 0 _display_name=a.jpg, _size=2, mime_type=image/jpeg\n" {
		t.Errorf("media: %q", got)
	}
}

func TestWhere(t *testing.T) {
	r := map[string]value{"a": {Text: "10"}, "b": {Text: "it's"}, "n": {Null: true}}
	for condition, want := range map[string]bool{
		"": true, "a=10": true, "a > 9": true, "a>'9'": true, "a<9": false, "b='it''s'": true, "b != 'x' AND a=10": true, "a=1 OR a=10": true,
		"NOT (a=1 OR b='x')": true, "n IS NULL": true, "a IS NOT NULL": true, "n = 'x'": false, "n != 'x'": false, "b LIKE 'IT%'": true, "b LIKE '_t_s'": true,
		"b NOT LIKE '%q%'": true, "a IN (1, 10)": true, "a NOT IN (1,2)": true, "missing IS NULL": true, "a = 10 AND n IS NOT NULL": false,
	} {
		w, err := compileWhere(condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
		} else if got := w(r); got != want {
			t.Errorf("%s: %t", condition, got)
		}
	}
	for _, bad := range []string{"a=", "=", "(a=1", "a=1)", "a=1 b=2", "a ; b", "a LIKE", "'x", "a IN 1", strings.Repeat("(", 5000) + "a=1"} {
		if _, err := compileWhere(bad); err == nil {
			t.Errorf("%.20q was taken", bad)
		}
	}
}

func FuzzWhere(f *testing.F) {
	for _, s := range []string{"a=1 AND b LIKE '%x'", "NOT (n IS NULL) OR a IN (1,2)", "a<>''''"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		if w, err := compileWhere(s); err == nil {
			w(map[string]value{"a": {Text: "1"}})
		}
	})
}

func TestLocation(t *testing.T) {
	s := newStage(t)
	contains(t, s.want("dumpsys location"), "    gps provider:\n      last location=null\n")
	if r := s.sh("cmd location providers set-test-provider-location gps --location 1,2"); r.code == 0 || !strings.Contains(r.err, "gps provider is not a test provider") {
		t.Errorf("not a test provider: %+v", r)
	}
	s.want("cmd location providers add-test-provider gps; cmd location providers set-test-provider-enabled gps true; cmd location providers set-test-provider-location gps --location 48.137154,11.576124 --accuracy 5")
	contains(t, s.want("dumpsys location"), "last location=Location[gps 48.137154,11.576124 hAcc=5 et=+")
	for _, bad := range []string{"91,0", "x,y", "1", "NaN,0", "0,181"} {
		if r := s.sh("cmd location providers set-test-provider-location gps --location " + bad); r.code == 0 {
			t.Errorf("location %s was taken", bad)
		}
	}
	s.want("cmd location providers remove-test-provider gps")
	contains(t, s.want("dumpsys location"), "    gps provider:\n      last location=null\n")
}

func TestLogcat(t *testing.T) {
	s := newStage(t)
	s.want("logcat -c; log -t one -p w 'first'; log -t two second; echo third | log -t three -p e")
	if got := s.want("logcat -d -v brief"); got != "--------- beginning of main\nW/one     (    1): first\nI/two     (    1): second\nE/three   (    1): third\n" {
		t.Errorf("brief: %q", got)
	}
	if got := s.want("logcat -d -v raw -s one two:E"); got != "first\n" {
		t.Errorf("filtered: %q", got)
	}
	if got := s.want("logcat -d -vraw '*:W'"); got != "first\nthird\n" {
		t.Errorf("by priority: %q", got)
	}
	if got := s.want("logcat -t 1 -v tag"); got != "--------- beginning of main\nE/three   : third\n" {
		t.Errorf("-t 1: %q", got)
	}
	if r := s.sh("logcat -v nonsense"); r.code == 0 {
		t.Errorf("unknown format: %+v", r)
	}
	s.Console(42, "org.example.none", "warning", "from a page", "https://x/a.js", 7)
	contains(t, s.want("logcat -d"), ` W chromium: [WARNING:CONSOLE(7)] "from a page", source: https://x/a.js (7)`)
}

func TestLogcatFollows(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := make(lineWriter, 100)
	done := make(chan int, 1)
	go func() {
		done <- s.shell.Run(ctx, shell.Session{UID: 2000, Stdout: lines, Stderr: lines}, "logcat -v raw -s live")
	}()
	s.log.write(1, 0, 'I', "other", "not this")
	s.log.write(1, 0, 'I', "live", "hello")
	if got := soon(t, lines, "the line"); got != "hello\n" {
		t.Errorf("followed %q", got)
	}
	cancel()
	soon(t, done, "the end of logcat")
}

type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func TestAppops(t *testing.T) {
	s := newStage(t)
	s.installedApp(webAPK("org.example.app"))
	for _, c := range []struct{ script, want string }{
		{"cmd appops get org.example.app", "No operations.\n"},
		{"appops set org.example.app CAMERA ignore; appops get org.example.app", "CAMERA: ignore\n"},
		{"appops get org.example.app android:camera", "CAMERA: ignore\n"},
		{"appops get org.example.app RECORD_AUDIO", "No operations.\nDefault mode: allow\n"},
		{"appops set org.example.app CAMERA default; appops get org.example.app", "No operations.\n"},
		{"appops set com.android.shell android:mock_location allow", ""},
	} {
		if got := s.want(c.script); got != c.want {
			t.Errorf("%s: %q, want %q", c.script, got, c.want)
		}
	}
	for _, bad := range []string{"appops set org.example.app NONSENSE allow", "appops set org.example.app CAMERA maybe", "appops get org.example.none"} {
		if r := s.sh(bad); r.code != 255 {
			t.Errorf("%s: %+v", bad, r)
		}
	}
}

func TestRunAs(t *testing.T) {
	s := newStage(t)
	s.installedApp(webAPK("org.example.closed"))
	open := webAPK("org.example.open")
	open.debuggable = true
	s.installedApp(open)
	if got := s.want("run-as org.example.open sh -c 'id -un; pwd; echo x > f; cat f'"); got != "u0_a101\n/data/data/org.example.open\nx\n" {
		t.Errorf("run-as: %q", got)
	}
	if r := s.sh("run-as org.example.closed ls"); r.code != 1 || r.err != "run-as: package not debuggable: org.example.closed\n" {
		t.Errorf("not debuggable: %+v", r)
	}
	if r := s.sh("run-as org.example.none ls"); r.err != "run-as: unknown package: org.example.none\n" {
		t.Errorf("unknown: %+v", r)
	}
	if r := s.sh("ls /data/data/org.example.open"); r.code == 0 {
		t.Error("the shell user reads an app's files")
	}
}

func TestWhatIsNotModelledSaysSo(t *testing.T) {
	s := newStage(t)
	for _, script := range []string{"dumpsys battery", "dumpsys", "dumpsys package", "svc wifi disable", "screenrecord /sdcard/a.mp4", "uiautomator runtest x", "am broadcast -a x", "monkey 500", "service call phone 1", "input press"} {
		if r := s.sh(script); r.code == 0 || !strings.Contains(r.err, "unasked's embedded device") {
			t.Errorf("%s: %+v", script, r)
		}
	}
	if r := s.sh("cmd nonsense x"); r.code != 20 || r.err != "cmd: Can't find service: nonsense\n" {
		t.Errorf("cmd of an unknown service: %+v", r)
	}
	if r := s.sh("pm nonsense"); r.code != 255 || r.out != "Unknown command: nonsense\n" {
		t.Errorf("pm of an unknown command: %+v", r)
	}
}

func TestProperties(t *testing.T) {
	s := newStage(t)
	all := s.want("getprop")
	for _, line := range []string{"[ro.build.version.release]: [14]\n", "[ro.build.version.sdk]: [34]\n", "[ro.product.cpu.abilist]: [x86_64,arm64-v8a]\n", "[ro.unasked.simulated]: [1]\n",
		"[ro.hardware]: [ranchu]\n", "[ro.debuggable]: [1]\n", "[ro.zygote]: [zygote64]\n", "[ro.build.fingerprint]: [unasked/unasked_embedded/embedded:14/"} {
		contains(t, all, line)
	}
	s.want("setprop debug.x 'a b'")
	if got := s.want("getprop debug.x; getprop none; getprop none fallback"); got != "a b\n\nfallback\n" {
		t.Errorf("getprop: %q", got)
	}
	for _, bad := range []string{"setprop ro.serialno x", "setprop debug.x " + strings.Repeat("x", 92), "setprop a..b c", "setprop 'a b' c"} {
		if r := s.sh(bad); r.code == 0 {
			t.Errorf("%.30s was taken", bad)
		}
	}
	if _, err := New(Options{API: 33}); err == nil || !strings.Contains(err.Error(), "ask for 30 (Android 11) or 34 (Android 14)") {
		t.Errorf("API 33: %v", err)
	}
	old := newStage(t, func(o *Options) { o.API = 30 })
	if got := old.want("getprop ro.build.version.release"); got != "11\n" {
		t.Errorf("API 30 is Android %q", got)
	}
	ancient := webAPK("org.example.app")
	ancient.min, ancient.target = 1, 20
	if r := old.install(ancient, ""); r.out != "Success\n" {
		t.Errorf("Android 11 has no floor: %+v", r)
	}
}
