package android

import (
	"regexp"
	"strings"
	"testing"
)

func TestInstallIsRealState(t *testing.T) {
	s := newStage(t)
	a := s.installedApp(webAPK("org.example.one", "android.permission.INTERNET", "android.permission.CAMERA"))
	if a.UID != firstUID {
		t.Errorf("uid %d, want %d", a.UID, firstUID)
	}
	path := s.want("pm path org.example.one")
	if !regexp.MustCompile(`^package:/data/app/~~[A-Za-z0-9_-]{22}==/org\.example\.one-[A-Za-z0-9_-]{22}==/base\.apk\n$`).MatchString(path) {
		t.Errorf("pm path: %q", path)
	}
	if got := s.want("pm list packages -3 -U --show-versioncode"); got != "package:org.example.one versionCode:1 uid:10100\n" {
		t.Errorf("pm list packages: %q", got)
	}
	if got := s.want("cmd package list packages -f org.example"); got != strings.TrimSpace(path)+"=org.example.one\n" {
		t.Errorf("pm list packages -f: %q", got)
	}
	if got := s.runAs(0, nil, "ls -ld /data/data/org.example.one | cut -d' ' -f1,3,4").out; got != "drwx------ u0_a100 u0_a100\n" {
		t.Errorf("data directory: %q", got)
	}
	dump := s.want("dumpsys package org.example.one")
	for _, part := range []string{"appId=10100", "versionCode=1 minSdk=26 targetSdk=34", "versionName=1.0", "android.permission.INTERNET: granted=true",
		"android.permission.CAMERA: granted=false", "dataDir=/data/user/0/org.example.one", "stopped=true"} {
		contains(t, dump, part)
	}
	if got := s.want("cmd package resolve-activity --brief -c android.intent.category.LAUNCHER org.example.one | tail -n 1"); got != "org.example.one/.Main\n" {
		t.Errorf("resolve-activity: %q", got)
	}
	s.installedApp(webAPK("org.example.two"))
	if two, _ := s.registry.get("org.example.two"); two.UID != firstUID+1 {
		t.Errorf("second uid %d", two.UID)
	}
}

func TestInstallRefusals(t *testing.T) {
	good := webAPK("org.example.app")
	for _, c := range []struct {
		name, args string
		apk        func(*testing.T) []byte
		want       string
	}{
		{"no APK", "", func(*testing.T) []byte { return []byte("hello") }, `^Failure \[INSTALL_PARSE_FAILED_NOT_APK: Failed to parse /data/app/vmdl\d+\.tmp/base\.apk`},
		{"truncated", "", func(t *testing.T) []byte { b := good.build(t); return b[:len(b)/2] }, `^Failure \[INSTALL_PARSE_FAILED_NOT_APK: `},
		{"unsigned", "", func(t *testing.T) []byte { a := good; a.signer = "-"; return a.build(t) }, `^Failure \[INSTALL_PARSE_FAILED_NO_CERTIFICATES: Failed to collect certificates from `},
		{"changed after signing", "", func(t *testing.T) []byte {
			b := good.build(t)
			b[40] ^= 1
			return b
		}, `^Failure \[INSTALL_PARSE_FAILED_N`},
		{"too new", "", func(t *testing.T) []byte { a := good; a.min = 35; return a.build(t) }, `^Failure \[INSTALL_FAILED_OLDER_SDK: .*Requires newer sdk version #35 \(current version is #34\)\]`},
		{"too old", "", func(t *testing.T) []byte { a := good; a.min, a.target = 1, 22; return a.build(t) }, `^Failure \[INSTALL_FAILED_DEPRECATED_SDK_VERSION: App package must target at least SDK version 23, but found 22\]`},
		{"native code of another machine", "", func(t *testing.T) []byte {
			a := good
			a.files = map[string]string{"lib/mips/libx.so": "x"}
			return a.build(t)
		}, `^Failure \[INSTALL_FAILED_NO_MATCHING_ABIS: Failed to extract native libraries, res=-113\]`},
		{"for tests", "", func(t *testing.T) []byte { a := good; a.testOnly = true; return a.build(t) }, `^Failure \[INSTALL_FAILED_TEST_ONLY: `},
		{"split missing", "", func(t *testing.T) []byte { a := good; a.needsSplits = true; return a.build(t) }, `^Failure \[INSTALL_FAILED_MISSING_SPLIT: Missing split for org\.example\.app\]`},
		{"split alone", "", func(t *testing.T) []byte { a := good; a.split = "config.de"; return a.build(t) }, `^Failure \[INSTALL_FAILED_INVALID_APK: Full install must include a base package\]`},
		{"bad name", "", func(t *testing.T) []byte { a := good; a.pkg = "../../system"; return a.build(t) }, `^Failure \[INSTALL_PARSE_FAILED_`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			data := c.apk(t)
			r := s.runAs(2000, data, "cmd package install "+c.args+" -S "+itoa(len(data)))
			if !regexp.MustCompile(c.want).MatchString(r.out) || r.code != 1 {
				t.Errorf("got %+v, want %s and exit code 1", r, c.want)
			}
			if got := s.want("pm list packages -3"); got != "" {
				t.Errorf("a refused app is installed: %q", got)
			}
			if got := s.runAs(0, nil, "ls /data/app").out; got != "" {
				t.Errorf("left in /data/app: %q", got)
			}
		})
	}
}

func TestUpdateRules(t *testing.T) {
	s := newStage(t)
	two := webAPK("org.example.app")
	two.version = 2
	first := s.installedApp(two)
	one := two
	one.version = 1
	if r := s.install(one, "-r"); !strings.HasPrefix(r.out, "Failure [INSTALL_FAILED_VERSION_DOWNGRADE: Downgrade detected: Update version code 1 is older than current 2]") {
		t.Errorf("downgrade: %+v", r)
	}
	stranger := two
	stranger.version, stranger.signer = 3, "stranger"
	if r := s.install(stranger, "-r"); !strings.HasPrefix(r.out, "Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: Existing package org.example.app signatures do not match newer version; ignoring!]") {
		t.Errorf("another signer: %+v", r)
	}
	if r := s.install(two, "-R"); !strings.HasPrefix(r.out, "Failure [INSTALL_FAILED_ALREADY_EXISTS: ") {
		t.Errorf("-R: %+v", r)
	}
	if r := s.install(one, "-r -d"); r.out != "Success\n" {
		t.Errorf("-d: %+v", r)
	}
	three := two
	three.version = 3
	if r := s.install(three, "-r"); r.out != "Success\n" {
		t.Errorf("update: %+v", r)
	}
	now, _ := s.registry.get("org.example.app")
	if now.UID != first.UID || now.VersionCode != 3 || !now.Installed.Equal(first.Installed) {
		t.Errorf("after the update: uid %d, version %d", now.UID, now.VersionCode)
	}
	if got := strings.Count(s.runAs(0, nil, "ls /data/app").out, "\n"); got != 1 {
		t.Errorf("%d code paths are left, want 1", got)
	}
}

func TestSessions(t *testing.T) {
	s := newStage(t)
	base := webAPK("org.example.app")
	base.needsSplits = true
	split := testAPK{pkg: "org.example.app", split: "config.xhdpi"}
	foreign := testAPK{pkg: "org.example.other", split: "config.de"}
	open := func() string {
		out := s.want("pm install-create -r")
		m := regexp.MustCompile(`^Success: created install session \[(\d+)\]\n$`).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("install-create: %q", out)
		}
		return m[1]
	}
	write := func(id, name string, a testAPK) {
		t.Helper()
		data := a.build(t)
		if r := s.runAs(2000, data, "pm install-write -S "+itoa(len(data))+" "+id+" "+name+" -"); r.out != "Success: streamed "+itoa(len(data))+" bytes\n" {
			t.Fatalf("install-write: %+v", r)
		}
	}
	id := open()
	write(id, "0_base.apk", base)
	write(id, "1_split.apk", foreign)
	if r := s.sh("pm install-commit " + id); !strings.HasPrefix(r.out, "Failure [INSTALL_FAILED_INVALID_APK: 1_split.apk package org.example.other inconsistent with org.example.app]") || r.code != 1 {
		t.Errorf("a split of another app: %+v", r)
	}
	id = open()
	write(id, "1_split.apk", split)
	write(id, "0_base.apk", base)
	if got := s.want("pm install-commit " + id); got != "Success\n" {
		t.Errorf("commit: %q", got)
	}
	if got := s.want("pm path org.example.app"); strings.Count(got, "package:") != 2 || !strings.Contains(got, "/split_config.xhdpi.apk\n") {
		t.Errorf("pm path: %q", got)
	}
	id = open()
	write(id, "x.apk", base)
	if got := s.want("pm install-abandon " + id); got != "Success\n" {
		t.Errorf("abandon: %q", got)
	}
	if r := s.sh("pm install-commit " + id); r.code != 255 || !strings.Contains(r.err, "Caller has no access to session") {
		t.Errorf("commit of a session that is gone: %+v", r)
	}
	if r := s.runAs(2000, []byte("x"), "pm install-write -S 1 "+open()+" ../evil -"); r.code == 0 {
		t.Errorf("a name that leads out: %+v", r)
	}
}

func TestStorageQuota(t *testing.T) {
	s := newStage(t, func(o *Options) { o.Storage = 3000 })
	a := webAPK("org.example.app")
	a.files["assets/big"] = strings.Repeat("0123456789", 100_000)
	if r := s.install(a, ""); !strings.HasPrefix(r.out, "Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE") || r.code != 1 {
		t.Errorf("got %+v", r)
	}
	data := a.build(t)
	id := regexp.MustCompile(`\d+`).FindString(s.want("pm install-create"))
	if r := s.runAs(2000, data, "pm install-write "+id+" base.apk -"); !strings.HasPrefix(r.out, "Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE") || r.code != 1 {
		t.Errorf("without a size said before: %+v", r)
	}
	s.want("pm install-abandon " + id)
	s.installedApp(webAPK("org.example.small"))
}

func TestInstallFromPath(t *testing.T) {
	s := newStage(t)
	if err := s.files.WriteFile("/data/local/tmp/a.apk", webAPK("org.example.app", "android.permission.CAMERA").build(t), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := s.want("pm install -r -g /data/local/tmp/a.apk"); got != "Success\n" {
		t.Errorf("got %q", got)
	}
	contains(t, s.want("dumpsys package org.example.app"), "android.permission.CAMERA: granted=true")
	if r := s.sh("pm install /data/local/tmp/none.apk"); r.code != 1 || !strings.Contains(r.err, "Unable to open file: /data/local/tmp/none.apk") {
		t.Errorf("missing file: %+v", r)
	}
	if r := s.sh("pm install -Q /data/local/tmp/a.apk"); r.code != 255 {
		t.Errorf("unknown option: %+v", r)
	}
	if r := s.sh("pm install"); r.code != 1 || !strings.Contains(r.err, "must either specify a package size or an APK file") {
		t.Errorf("no file: %+v", r)
	}
}

func TestUninstallAndClear(t *testing.T) {
	s := newStage(t)
	a := s.installedApp(webAPK("org.example.app", "android.permission.CAMERA"))
	root := func(script string) result { return s.runAs(0, nil, script) }
	root("echo x > /data/data/org.example.app/f")
	s.want("pm grant org.example.app android.permission.CAMERA")
	if got := s.want("pm clear org.example.app"); got != "Success\n" {
		t.Errorf("clear: %q", got)
	}
	if got := root("ls /data/data/org.example.app").out; got != "cache\ncode_cache\n" {
		t.Errorf("after clear: %q", got)
	}
	if now, _ := s.registry.get(a.Name); now.Grants["android.permission.CAMERA"].Granted {
		t.Error("pm clear left a grant")
	}
	root("echo x > /data/data/org.example.app/f")
	if got := s.want("pm uninstall -k org.example.app"); got != "Success\n" {
		t.Errorf("uninstall -k: %q", got)
	}
	if got := root("cat /data/data/org.example.app/f").out; got != "x\n" {
		t.Errorf("uninstall -k lost data: %q", got)
	}
	if got := s.want("pm list packages -3"); got != "" {
		t.Errorf("still listed: %q", got)
	}
	if again := s.installedApp(webAPK("org.example.app")); again.UID != a.UID {
		t.Errorf("reinstalled over kept data with uid %d, want %d", again.UID, a.UID)
	}
	if got := s.want("pm uninstall org.example.app"); got != "Success\n" {
		t.Errorf("uninstall: %q", got)
	}
	if r := root("ls -d /data/data/org.example.app"); r.code == 0 {
		t.Error("uninstall left the data")
	}
	if r := s.sh("pm uninstall org.example.app"); r.out != "Failure [DELETE_FAILED_INTERNAL_ERROR]\n" || r.code != 1 {
		t.Errorf("uninstall of nothing: %+v", r)
	}
	if r := s.sh("pm clear org.example.app"); r.out != "Failed\n" || r.code == 0 {
		t.Errorf("clear of nothing: %+v", r)
	}
	if r := s.sh("pm path org.example.app"); r.out != "" || r.code != 1 {
		t.Errorf("path of nothing: %+v", r)
	}
	if again := s.installedApp(webAPK("org.example.app")); again.UID == a.UID {
		t.Error("a uid was given twice")
	}
}

func TestGrant(t *testing.T) {
	s := newStage(t)
	s.installedApp(webAPK("org.example.app", "android.permission.CAMERA", "android.permission.INTERNET"))
	for script, want := range map[string]string{
		"pm grant org.example.app android.permission.INTERNET":      "is not a changeable permission type",
		"pm grant org.example.app android.permission.READ_CONTACTS": "Package org.example.app has not requested permission android.permission.READ_CONTACTS",
		"pm grant org.example.app android.permission.NONSENSE":      "Unknown permission: android.permission.NONSENSE",
		"pm grant org.example.none android.permission.CAMERA":       "Unknown package: org.example.none",
	} {
		if r := s.sh(script); r.code != 255 || !strings.Contains(r.err, want) {
			t.Errorf("%s: %+v, want %q and 255", script, r, want)
		}
	}
	s.want("pm grant org.example.app android.permission.CAMERA")
	contains(t, s.want("dumpsys package org.example.app"), "android.permission.CAMERA: granted=true")
	s.want("pm revoke org.example.app android.permission.CAMERA")
	contains(t, s.want("dumpsys package org.example.app"), "android.permission.CAMERA: granted=false")
	list := s.want("pm list permissions -g -u")
	contains(t, list, "group:android.permission-group.CAMERA\n  permission:android.permission.CAMERA\n")
	if strings.Contains(list, "permission:android.permission.INTERNET") {
		t.Error("pm list permissions -u lists a normal permission")
	}
	old := newStage(t, func(o *Options) { o.API = 30 })
	if strings.Contains(old.want("pm list permissions -g -u"), "POST_NOTIFICATIONS") {
		t.Error("Android 11 knows a permission of Android 13")
	}
}
