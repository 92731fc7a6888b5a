package apk

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

func carried(t testing.TB) *knowledge.Carried {
	t.Helper()
	c, err := onceCarried()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var onceCarried = sync.OnceValues(func() (*knowledge.Carried, error) {
	kb, err := knowledge.Embedded()
	if err != nil {
		return nil, err
	}
	return kb.Carried()
})

// described opens an app, describes it and checks the JSON against the schema.
func described(t *testing.T, lists Lists, paths ...string) *Description {
	t.Helper()
	a, err := Open(paths...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	d, err := a.Describe(t.Context(), carried(t))
	if err != nil {
		t.Fatal(err)
	}
	var out, text bytes.Buffer
	if err := a.WriteJSON(t.Context(), &out, d, lists); err != nil {
		t.Fatal(err)
	}
	fits(t, out.Bytes())
	if err := d.WriteText(&text); err != nil || !strings.Contains(text.String(), d.Package) {
		t.Errorf("text: %v\n%s", err, &text)
	}
	back := &Description{}
	if err := json.Unmarshal(out.Bytes(), back); err != nil {
		t.Fatal(err)
	}
	return back
}

// TestWhatAnAppCarries plants SDKs and what is nearly an SDK.
func TestWhatAnAppCarries(t *testing.T) {
	path := put(t, "many.apk", with(t, map[string][]byte{
		"classes.dex":                   dexOf([]string{"com.umeng.analytics.MobclickAgent", "com.umeng.a.B$c", "com.umengx.A", "org.example.Main", "kotlin.Unit"}, "https://android.bugly.qq.com/rqd/async", "two words"),
		"classes2.dex":                  dexOf([]string{"com.bytedance.sdk.openadsdk.TTAdSdk", "com.bytedance.sdk.A", "com.baidu.mobstats.No"}),
		"lib/arm64-v8a/libgetuiext3.so": []byte("\x7fELF and no more"),
		"lib/x86/libflutter.so":         []byte("not even that"),
		"assets/www/cordova.js":         []byte("//"),
		"assets/inner.dex":              []byte("no bytecode"),
		"assets/www/libBugly.so.txt":    []byte("no library"),
	}))
	d := described(t, Lists{Classes: true, Strings: true, Methods: true}, path)
	var sdks, frameworks []string
	for _, s := range d.SDKs {
		sdks = append(sdks, s.ID+" by "+s.Matched[0].Kind+" "+s.Matched[0].Where)
		if s.Country != "CN" || s.Source == "" || len(s.Hosts) == 0 || s.Checked == "" {
			t.Errorf("%+v", s)
		}
	}
	for _, f := range d.Frameworks {
		frameworks = append(frameworks, f.ID)
	}
	want := []string{
		"bugly by string https://android.bugly.qq.com/rqd/async", "igexin by library lib/arm64-v8a/libgetuiext3.so",
		"pangle by class com.bytedance.sdk.openadsdk.TTAdSdk", "umeng by class com.umeng.a.B$c",
	}
	if diff := cmp.Diff(want, sdks); diff != "" {
		t.Errorf("SDKs (-want +got):\n%s", diff)
	}
	if want := []string{"cordova", "flutter", "kotlin"}; !slices.Equal(frameworks, want) {
		t.Errorf("frameworks %q, want %q", frameworks, want)
	}
	if m := d.SDKs[3].Matched[0]; m.Count != 2 || m.Mark != "com.umeng" {
		t.Errorf("%+v", m)
	}
	if !slices.Equal(d.ABIs, []string{"arm64-v8a", "x86"}) || len(d.Libraries) != 2 || len(d.DEX) != 3 || d.DEX[0].Classes != 5 || d.DEX[2].Error == "" || !d.HasCode {
		t.Errorf("%v %+v %+v", d.ABIs, d.Libraries, d.DEX)
	}
	if len(d.Classes) != 8 || !slices.Contains(d.Classes, "com.umeng.a.B$c") || !slices.Contains(d.Strings, "two words") || len(d.Methods) != 0 {
		t.Errorf("%q %q %q", d.Classes, d.Strings, d.Methods)
	}
	if len(d.Signers) != 0 || len(d.Schemes) != 0 {
		t.Errorf("an unsigned app is signed by %+v", d.Signers)
	}
}

func TestCalibrationApp(t *testing.T) {
	d := described(t, Lists{}, put(t, "c.apk", apps.ClipShare().APK))
	if d.Format != "apk" || d.Package != "org.example.clipshare" || d.VersionCode != 140203 || d.Labels["default"] != "ClipShare" || d.Launcher == "" ||
		!slices.Equal(d.Schemes, []string{"v2", "v3"}) || len(d.Signers) != 1 || d.Signers[0].Key == "unknown" || len(d.Problems) != 0 {
		t.Errorf("%+v", d)
	}
	levels := map[string]string{}
	for _, p := range d.Permissions {
		levels[p.Name] = p.Level
	}
	if levels["android.permission.INTERNET"] != "normal" || levels["android.permission.CAMERA"] != "dangerous" {
		t.Errorf("%v", levels)
	}
	if d.NetworkSecurity.Cleartext || d.NetworkSecurity.CleartextBy != "default" || len(d.NetworkSecurity.Trusts) != 1 || d.Backup.AllowedBy == "" {
		t.Errorf("%+v %+v", d.NetworkSecurity, d.Backup)
	}
	b := bytes.Clone(apps.ClipShare().APK)
	at := bytes.LastIndex(b, []byte("PK\x01\x02")) + 12
	b[at] ^= 1
	d = described(t, Lists{}, put(t, "c.apk", b))
	if len(d.Signers) != 0 || len(d.Schemes) != 0 || len(d.Signatures) != 2 || d.Signatures[0].Verified || !strings.Contains(d.Signatures[0].Error, "changed after it was signed") {
		t.Errorf("changed: %+v %+v", d.Signers, d.Signatures)
	}
}

// securityApp is built by aapt2 with a network security configuration, backup rules and deep links.
func securityApp(t *testing.T, target string) string {
	t.Helper()
	const framework = "/usr/share/android-framework-res/framework-res.apk"
	if _, err := exec.LookPath("aapt2"); err != nil {
		t.Skip("NOT TESTED: aapt2 is missing; run: apt-get install aapt2 android-framework-res")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"AndroidManifest.xml": `<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.example.net" android:versionCode="1">
			<uses-sdk android:minSdkVersion="21" android:targetSdkVersion="` + target + `"/>
			<permission android:name="org.example.net.P" android:protectionLevel="signature"/><uses-permission android:name="org.example.net.P"/><uses-permission android:name="org.example.other.P"/>
			<application android:label="@string/n" android:networkSecurityConfig="@xml/net" android:fullBackupContent="@xml/backup" android:usesCleartextTraffic="false">
			<activity android:name=".A"><intent-filter android:autoVerify="true"><action android:name="android.intent.action.VIEW"/><category android:name="android.intent.category.BROWSABLE"/>
			<data android:scheme="https" android:host="net.example" android:pathPrefix="/u"/></intent-filter><intent-filter><action android:name="x"/><data android:scheme="y"/></intent-filter></activity>
			<provider android:name=".P" android:authorities="a.b"/><service android:name=".S" android:exported="false"/></application></manifest>`,
		"res/values/v.xml":    `<resources><string name="n">Net</string></resources>`,
		"res/values-fr/v.xml": `<resources><string name="n">Réseau</string></resources>`,
		"res/xml/net.xml": `<network-security-config>
			<base-config cleartextTrafficPermitted="true"><trust-anchors><certificates src="system"/><certificates src="@raw/own" overridePins="true"/></trust-anchors></base-config>
			<domain-config cleartextTrafficPermitted="false"><domain includeSubdomains="true">Pinned.Example</domain>
			<pin-set expiration="2030-01-01"><pin digest="SHA-256">7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y=</pin></pin-set>
			<domain-config><domain>inner.pinned.example</domain><trust-anchors><certificates src="user"/></trust-anchors></domain-config></domain-config>
			<debug-overrides><trust-anchors><certificates src="user"/></trust-anchors></debug-overrides></network-security-config>`,
		"res/xml/backup.xml": `<full-backup-content><exclude domain="sharedpref" path="device.xml"/></full-backup-content>`,
		"res/raw/own.pem":    "no certificate",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"compile", "--dir", dir + "/res", "-o", dir + "/res.zip"},
		{"link", "-o", dir + "/net.apk", "--manifest", dir + "/AndroidManifest.xml", "-I", framework, dir + "/res.zip"},
	} {
		if text, err := exec.Command("aapt2", args...).CombinedOutput(); err != nil {
			t.Fatalf("aapt2 %v: %v\n%s", args, err, text)
		}
	}
	return dir + "/net.apk"
}

func TestNetworkSecurity(t *testing.T) {
	d := described(t, Lists{}, securityApp(t, "29"))
	own := TrustAnchor{Source: "file", Path: "res/raw/own.pem", OverridePins: true}
	system, user := TrustAnchor{Source: "system"}, TrustAnchor{Source: "user"}
	pins := []Pin{{"SHA-256", "7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y="}}
	want := NetworkSecurity{
		Config: "res/xml/net.xml", Cleartext: true, CleartextBy: "config", Trusts: []TrustAnchor{system, own}, TrustsBy: "config", DebugTrusts: []TrustAnchor{user},
		Domains: []Domain{
			{Hosts: []DomainHost{{"pinned.example", true}}, Trusts: []TrustAnchor{system, own}, Pins: pins, PinsExpire: "2030-01-01"},
			{Hosts: []DomainHost{{"inner.pinned.example", false}}, Trusts: []TrustAnchor{user}, Pins: pins, PinsExpire: "2030-01-01"},
		},
	}
	if diff := cmp.Diff(want, d.NetworkSecurity); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Backup{Allowed: true, AllowedBy: "default", FullBackupContent: "res/xml/backup.xml", Rules: []BackupRule{{"full-backup", "exclude", "sharedpref", "device.xml"}}}, d.Backup); diff != "" {
		t.Errorf("backup (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"default": "Net", "fr": "Réseau"}, d.Labels); diff != "" {
		t.Errorf("labels:\n%s", diff)
	}
	if diff := cmp.Diff([]Permission{{Name: "org.example.net.P", Level: "signature"}, {Name: "org.example.other.P", Level: "unknown"}}, d.Permissions); diff != "" {
		t.Errorf("permissions:\n%s", diff)
	}
	var said []string
	for _, c := range d.Components {
		said = append(said, c.Name+" "+c.ExportedBy)
		if c.Exported != (c.Name == "org.example.net.A") {
			t.Errorf("%s: exported is %v", c.Name, c.Exported)
		}
	}
	if want := []string{"org.example.net.A intent-filter", "org.example.net.S manifest", "org.example.net.P default"}; !slices.Equal(said, want) {
		t.Errorf("components %q, want %q", said, want)
	}
	if diff := cmp.Diff([]DeepLink{{Schemes: []string{"https"}, Hosts: []string{"net.example"}, Paths: []Path{{"prefix", "/u"}}, AutoVerify: true}}, d.Components[0].DeepLinks); diff != "" {
		t.Errorf("deep links:\n%s", diff)
	}
}

// TestWrappers: one app in every form.
func TestWrappers(t *testing.T) {
	base := with(t, map[string][]byte{"classes.dex": dexOf([]string{"com.umeng.A"})})
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	for name, b := range map[string][]byte{
		"sai.apks":        wrapped(t, map[string][]byte{"base.apk": base, "meta.sai_v2.json": []byte("{}")}),
		"bundletool.apks": wrapped(t, map[string][]byte{"toc.pb": nil, "splits/base-master.apk": base, "standalones/standalone-x86.apk": base}),
		"pure.xapk":       wrapped(t, map[string][]byte{"manifest.json": []byte("{}"), "org.example.pantry.apk": base}),
		"mirror.apkm":     wrapped(t, map[string][]byte{"info.json": []byte("{}"), "base.apk": base}),
		"folder/base.apk": base,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, format := range map[string]string{"sai.apks": "apks", "bundletool.apks": "apks", "pure.xapk": "xapk", "mirror.apkm": "apkm", "folder": "folder", "folder/base.apk": "apk"} {
		d := described(t, Lists{}, filepath.Join(dir, name))
		if d.Format != format || d.Package != "org.example.pantry" || len(d.SDKs) != 1 || len(d.Files) != 1 || d.Files[0].Size != int64(len(base)) || (d.Wrapper != nil) != (filepath.Ext(name) != "" && format != "apk") {
			t.Errorf("%s: %+v", name, d)
		}
		if got := len(d.Problems); (got == 1) != (name == "bundletool.apks") {
			t.Errorf("%s: %q", name, d.Problems)
		}
	}

	for _, c := range []struct {
		name  string
		files []string
		want  error
		says  string
	}{
		{"encrypted", []string{put(t, "x.apkm", bytes.Repeat([]byte{7, 9}, 500))}, ErrEncrypted, "encrypted .apkm"},
		{"empty folder", []string{t.TempDir()}, ErrNoAPK, "folder without an APK"},
		{"nothing", []string{filepath.Join(dir, "none.apk")}, ErrNotFound, "no such file"},
		{"text", []string{put(t, "x.apk", []byte("hello"))}, apkfile.ErrNotAPK, "no ZIP archive"},
		{"a ZIP", []string{put(t, "x.zip", wrapped(t, map[string][]byte{"a.txt": nil}))}, ErrNothing, "holds no APK"},
		{"an AAB without a manifest", []string{put(t, "x.aab", wrapped(t, map[string][]byte{"BundleConfig.pb": nil, "base/dex/classes.dex": nil}))}, apkfile.ErrNotAPK, "without base/manifest/AndroidManifest.xml"},
		{"a broken one within", []string{put(t, "x.apks", wrapped(t, map[string][]byte{"base.apk": base[:len(base)/2]}))}, apkfile.ErrTruncated, "base.apk"},
		{"two bases", []string{put(t, "a.apk", base), put(t, "b.apk", base)}, ErrStrange, "a base APK itself"},
		{"two apps", []string{put(t, "a.apk", base), put(t, "c.apk", apps.ClipShare().APK)}, ErrStrange, "org.example.clipshare"},
		{"cut off", []string{put(t, "t.apk", base[:len(base)-30])}, apkfile.ErrTruncated, "t.apk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Open(c.files...)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || a != nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want one sentence that says %q", err, c.says)
			}
		})
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "unasked-*.apk"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %q %v", left, err)
	}
}

// TestChangedBytecode: the digest that was computed while bytecode was read is the one
// that a JAR signature is checked against.
func TestChangedBytecode(t *testing.T) {
	for _, tool := range []string{"openssl", "apksigner"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED: %s is missing; run: scripts/need.sh test", tool)
		}
	}
	dir := t.TempDir()
	unsigned := filepath.Join(dir, "unsigned.apk")
	if err := os.WriteFile(unsigned, with(t, map[string][]byte{"classes.dex": dexOf([]string{"a.B"}, "a mark in the bytecode")}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"openssl", "req", "-x509", "-nodes", "-days", "3650", "-subj", "/CN=A test", "-newkey", "rsa:2048", "-keyout", dir + "/key.pem", "-out", dir + "/cert.pem"},
		{"openssl", "pkcs8", "-topk8", "-nocrypt", "-in", dir + "/key.pem", "-outform", "DER", "-out", dir + "/key.pk8"},
		{"apksigner", "sign", "--min-sdk-version", "21", "--v2-signing-enabled", "false", "--v3-signing-enabled", "false", "--key", dir + "/key.pk8", "--cert", dir + "/cert.pem", "--out", dir + "/signed.apk", unsigned},
	} {
		if text, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, text)
		}
	}
	d := described(t, Lists{}, dir+"/signed.apk")
	if !slices.Equal(d.Schemes, []string{"v1"}) || len(d.Signers) != 1 || d.Signers[0].Subject != "CN=A test" || d.DEX[0].Classes != 1 {
		t.Fatalf("%+v %+v", d.Signatures, d.DEX)
	}
	// Compressed bytes can't be changed at will: the entry is put in anew, as somebody would do it.
	whole, err := os.ReadFile(dir + "/signed.apk")
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range z.File {
		if e.Name != "classes.dex" {
			err = errors.Join(err, w.Copy(e))
			continue
		}
		to, err := w.Create(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(dexOf([]string{"a.B"}, "another in the bytecode")); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	d = described(t, Lists{}, put(t, "changed.apk", out.Bytes()))
	if len(d.Schemes) != 0 || len(d.Signers) != 0 || len(d.Signatures) != 1 || !strings.Contains(d.Signatures[0].Error, "classes.dex: scheme v1: it was changed after signing") {
		t.Errorf("%+v", d.Signatures)
	}
}
