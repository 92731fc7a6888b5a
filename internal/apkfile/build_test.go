package apkfile

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// framework is what aapt2 links against: package android-framework-res.
const framework = "/usr/share/android-framework-res/framework-res.apk"

// tools skips a test, and says so, where Android's build tools are missing.
func tools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("NOT TESTED against %s, which is not installed: apt-get install aapt2 android-framework-res zipalign apksigner", name)
		}
	}
	if _, err := os.Stat(framework); err != nil {
		t.Skipf("NOT TESTED: %s is missing: apt-get install android-framework-res", framework)
	}
}

// run runs a tool and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &out, &errs)
	}
	return out.String()
}

// calibration are the committed APKs, which need no tools.
func calibration(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "emulator", "virtual", "apps", name+".apk")
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// richManifest uses all that the reader knows.
const richManifest = `<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.example.rich"
    android:versionCode="77" android:versionCodeMajor="3" android:versionName="@string/version">
  <uses-sdk android:minSdkVersion="21" android:targetSdkVersion="29"/>
  <uses-permission android:name="android.permission.INTERNET"/>
  <uses-permission android:name="android.permission.CAMERA" android:maxSdkVersion="30"/>
  <uses-permission android:name="android.permission.INTERNET"/>
  <permission android:name="org.example.rich.USE" android:protectionLevel="signature|privileged" android:permissionGroup="org.example.rich.GROUP"/>
  <uses-feature android:name="android.hardware.camera" android:required="false"/>
  <uses-feature android:name="android.hardware.nfc"/>
  <application android:label="@string/app" android:icon="@drawable/icon" android:allowBackup="@bool/backup" android:fullBackupContent="@xml/backup" android:name=".App"
      android:debuggable="true" android:usesCleartextTraffic="false" android:networkSecurityConfig="@xml/net">
    <meta-data android:name="count" android:value="12"/>
    <meta-data android:name="on" android:value="true"/>
    <meta-data android:name="where" android:resource="@xml/net"/>
    <uses-library android:name="org.apache.http.legacy" android:required="false"/>
    <activity android:name=".Hidden" android:enabled="false">
      <intent-filter><action android:name="android.intent.action.MAIN"/><category android:name="android.intent.category.LAUNCHER"/></intent-filter>
    </activity>
    <activity android:name="org.other.Main" android:label="@string/indirect">
      <intent-filter><action android:name="android.intent.action.MAIN"/><category android:name="android.intent.category.LAUNCHER"/></intent-filter>
      <intent-filter android:autoVerify="true"><action android:name="android.intent.action.VIEW"/><category android:name="android.intent.category.BROWSABLE"/>
        <data android:scheme="https" android:host="rich.example" android:port="8443" android:pathPrefix="/a"/><data android:mimeType="text/plain" android:pathPattern="/.*b"/></intent-filter>
    </activity>
    <activity-alias android:name=".Other" android:targetActivity="org.other.Main" android:exported="false"/>
    <service android:name="Plain" android:process=":remote" android:permission="android.permission.BIND_JOB_SERVICE"/>
    <service android:name=".Auth" android:exported="true">
      <intent-filter><action android:name="android.accounts.AccountAuthenticator"/></intent-filter>
      <meta-data android:name="android.accounts.AccountAuthenticator" android:resource="@xml/auth"/>
    </service>
    <receiver android:name=".Boot"><intent-filter><action android:name="android.intent.action.BOOT_COMPLETED"/></intent-filter></receiver>
    <provider android:name=".Files" android:authorities="org.example.rich.files;org.example.rich.more" android:grantUriPermissions="true"
        android:readPermission="org.example.rich.USE"/>
  </application>
</manifest>`

// rich builds an unsigned, aligned APK out of richManifest, with files of the test's own and flags for aapt2.
func rich(t *testing.T, flags ...string) string {
	t.Helper()
	tools(t, "aapt2", "zipalign")
	dir := t.TempDir()
	write(t, dir+"/AndroidManifest.xml", richManifest)
	write(t, dir+"/res/values/values.xml", `<resources><string name="app">Träume &amp; 日本 "ok"</string><string name="version">1.2-β</string>
		<string name="indirect">@string/app</string><bool name="backup">false</bool></resources>`)
	write(t, dir+"/res/values-de/values.xml", `<resources><string name="app">Deutsch</string></resources>`)
	write(t, dir+"/res/drawable/icon.xml", `<shape xmlns:android="http://schemas.android.com/apk/res/android"><solid android:color="#f00"/></shape>`)
	write(t, dir+"/res/xml/net.xml", `<network-security-config><base-config/></network-security-config>`)
	write(t, dir+"/res/xml/backup.xml", `<full-backup-content><include domain="sharedpref" path="."/><exclude domain="database" path="device.db"/></full-backup-content>`)
	write(t, dir+"/res/xml/auth.xml", `<account-authenticator xmlns:android="http://schemas.android.com/apk/res/android" android:accountType="org.example.rich.account" android:label="@string/app"/>`)
	write(t, dir+"/assets/www/index.html", "<!doctype html>")
	run(t, "aapt2", "compile", "--dir", dir+"/res", "-o", dir+"/res.zip")
	args := append([]string{"link", "-o", dir + "/linked.apk", "--manifest", dir + "/AndroidManifest.xml", "-I", framework, "-A", dir + "/assets"}, flags...)
	run(t, "aapt2", append(args, dir+"/res.zip")...)
	run(t, "zipalign", "-f", "4", dir+"/linked.apk", dir+"/aligned.apk")
	return dir + "/aligned.apk"
}

// keys makes a key and a certificate with openssl and returns apksigner's flags for them.
func keys(t *testing.T, kind ...string) []string {
	t.Helper()
	tools(t, "openssl", "apksigner")
	dir := t.TempDir()
	args := append([]string{"req", "-x509", "-nodes", "-days", "36500", "-subj", "/CN=A test of apkfile", "-keyout", dir + "/key.pem", "-out", dir + "/cert.pem"}, kind...)
	run(t, "openssl", args...)
	run(t, "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", dir+"/key.pem", "-outform", "DER", "-out", dir+"/key.pk8")
	return []string{"--key", dir + "/key.pk8", "--cert", dir + "/cert.pem"}
}

// sign signs an APK with apksigner.
func sign(t *testing.T, apk string, key []string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "signed.apk")
	args := append([]string{"sign", "--min-sdk-version", "21", "--out", out}, key...)
	run(t, "apksigner", append(append(args, flags...), apk)...)
	return out
}
