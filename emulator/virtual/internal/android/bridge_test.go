package android

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func TestBridgeIdentifiers(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app", "com.google.android.gms.permission.AD_ID"))
	id := p.must(t, "androidId").(string)
	if len(id) != 16 || strings.Trim(id, "0123456789abcdef") != "" {
		t.Errorf("androidId %q", id)
	}
	file := s.runAs(0, nil, "cat "+ssaidPath).out
	contains(t, file, `name="10100" value="`+id+`" package="org.example.app"`)
	if got := strings.TrimSpace(s.want("settings get secure android_id")); got == id {
		t.Error("the app's android_id is the device's")
	}
	// An edit of the file counts at once, as after a reboot on a phone.
	s.runAs(0, nil, "sed -i s/"+id+"/0123456789abcdef/g "+ssaidPath)
	if got := p.must(t, "androidId"); got != "0123456789abcdef" {
		t.Errorf("after planting: %v", got)
	}
	s.want("pm clear org.example.app")
	if got := s.relaunched("org.example.app").must(t, "androidId"); got != "0123456789abcdef" {
		t.Errorf("pm clear changed the SSAID to %v", got)
	}
	s.want("pm uninstall org.example.app")
	if strings.Contains(s.runAs(0, nil, "cat "+ssaidPath).out, "org.example.app") {
		t.Error("uninstall left the SSAID")
	}
	p = s.launchedApp(webAPK("org.example.app", "com.google.android.gms.permission.AD_ID"))
	if got := p.must(t, "androidId"); got != id {
		t.Errorf("after a reinstall by the same signer: %v, want %s", got, id)
	}
	stranger := webAPK("org.example.stranger")
	stranger.signer = "stranger"
	if got := s.launchedApp(stranger).must(t, "androidId"); got == id {
		t.Error("two signers share an SSAID")
	}
	ad := p.must(t, "advertisingId").(string)
	key := s.runAs(0, nil, `sed -n 's/.*"adid_key">\(.*\)<.*/\1/p' `+advertisingFile).out
	if ad != `{"id":"`+strings.TrimSpace(key)+`","limitAdTracking":false}` {
		t.Errorf("advertisingId %s, the file says %q", ad, key)
	}
	if got := s.runtime.last(t).must(t, "advertisingId"); got != `{"id":"`+noAdvertisingID+`","limitAdTracking":false}` {
		t.Errorf("without AD_ID: %v", got)
	}
	s.runAs(0, nil, "sed -i 's/value=\"false\"/value=\"true\"/' "+advertisingFile)
	if got := p.must(t, "advertisingId"); got != `{"id":"`+noAdvertisingID+`","limitAdTracking":true}` {
		t.Errorf("limited: %v", got)
	}
}

// relaunched starts an app again and returns its double.
func (s *stage) relaunched(pkg string) *fakeProcess {
	s.t.Helper()
	s.want("am start -n " + pkg + "/.Main")
	return s.runtime.last(s.t)
}

func TestBridgeIsGuarded(t *testing.T) {
	s := newStage(t)
	all := []string{"android.permission.ACCESS_FINE_LOCATION", "android.permission.ACCESS_COARSE_LOCATION", "android.permission.READ_CONTACTS", "android.permission.READ_CALENDAR", "android.permission.CAMERA", "android.permission.READ_PHONE_NUMBERS"}
	p := s.launchedApp(webAPK("org.example.app", all...))
	s.want("content insert --uri content://com.android.contacts/raw_contacts --bind account_type:n: --bind account_name:n:")
	s.want("content insert --uri content://com.android.contacts/data --bind raw_contact_id:i:1 --bind mimetype:s:vnd.android.cursor.item/name --bind data1:s:'Ann Example'")
	s.want("content insert --uri content://com.android.contacts/data --bind raw_contact_id:i:1 --bind mimetype:s:vnd.android.cursor.item/email_v2 --bind data1:s:ann@mail.example")
	s.want("cmd location providers add-test-provider gps; cmd location providers set-test-provider-enabled gps true; cmd location providers set-test-provider-location gps --location 52.520008,13.404954")
	for method, want := range map[string]string{
		"location": "uid 10100 does not have any of", "contacts": "requires android.permission.READ_CONTACTS", "calendar": "requires android.permission.READ_CALENDAR",
		"imei": "does not meet the requirements to access device identifiers", "phoneNumber": "READ_PHONE_NUMBERS",
	} {
		if _, err := p.call(t, method); err == nil || !strings.HasPrefix(err.Error(), "java.lang.SecurityException: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s without a permission: %v", method, err)
		}
	}
	if _, err := p.call(t, "recordVideo", "a.avi", 1); err == nil {
		t.Error("recordVideo without CAMERA")
	}
	for _, perm := range all {
		s.want("pm grant org.example.app " + perm)
	}
	if got := p.must(t, "location"); got != `{"accuracy":100,"latitude":52.520008,"longitude":13.404954}` {
		t.Errorf("location %v", got)
	}
	if got := p.must(t, "contacts"); got != `[{"name":"Ann Example","phone":"","email":"ann@mail.example"}]` {
		t.Errorf("contacts %v", got)
	}
	if _, err := p.call(t, "imei"); err == nil {
		t.Error("an ordinary app got the IMEI")
	}
	s.want("cmd appops set org.example.app android:read_contacts ignore")
	if got := p.must(t, "contacts"); got != "[]" {
		t.Errorf("contacts when ignored: %v", got)
	}
	s.registry.change("org.example.app", func(a *app) { a.Grants["android.permission.ACCESS_FINE_LOCATION"] = grant{} })
	got := p.must(t, "location").(string)
	if strings.Contains(got, "52.520008") || !strings.Contains(got, `"accuracy":2000`) || !strings.Contains(got, `"latitude":52.5`) {
		t.Errorf("coarse location %v", got)
	}
	s.want("cmd location set-location-enabled false")
	if got := p.must(t, "location"); got != "null" {
		t.Errorf("location when switched off: %v", got)
	}
	if _, err := p.call(t, "formatDisk"); err == nil || !strings.Contains(err.Error(), `no method "formatDisk"`) {
		t.Errorf("an unknown method: %v", err)
	}
}

func TestBridgeFiles(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app", "android.permission.CAMERA"))
	body := base64.StdEncoding.EncodeToString([]byte("hello"))
	p.must(t, "writeFile", "a.txt", body)
	if got := p.must(t, "readFile", "a.txt"); got != body {
		t.Errorf("readFile %v", got)
	}
	if got := p.must(t, "listFiles"); got != `["a.txt"]` {
		t.Errorf("listFiles %v", got)
	}
	if got := s.runAs(0, nil, "cat /data/data/org.example.app/files/a.txt; ls -l /data/data/org.example.app/files | tail -1 | cut -d' ' -f1,3").out; got != "hello-rw------- u0_a100\n" {
		t.Errorf("on disk: %q", got)
	}
	for _, name := range []string{"", "..", "../../../system/build.prop", "/etc/hosts", "a/b", "a\x00b"} {
		if _, err := p.call(t, "readFile", name); err == nil {
			t.Errorf("readFile(%q) succeeded", name)
		}
		if _, err := p.call(t, "writeFile", name, body); err == nil {
			t.Errorf("writeFile(%q) succeeded", name)
		}
	}
	// A link that leads to what is not the app's.
	s.runAs(0, nil, "ln -s "+ssaidPath+" /data/data/org.example.app/files/link")
	if v, err := p.call(t, "readFile", "link"); err == nil {
		t.Errorf("an app read the settings through a link: %v", v)
	}
	s.runAs(0, nil, "mv /data/data/org.example.app/files /data/data/org.example.app/aside; ln -s /data/system/users/0 /data/data/org.example.app/files")
	if got := p.must(t, "deleteFile", "settings_ssaid.xml"); got != false || s.runAs(0, nil, "ls "+ssaidPath).code != 0 {
		t.Errorf("an app deleted the settings through a link: %v", got)
	}
	s.runAs(0, nil, "rm /data/data/org.example.app/files; mv /data/data/org.example.app/aside /data/data/org.example.app/files")
	if got := p.must(t, "deleteFile", "a.txt"); got != true {
		t.Errorf("deleteFile %v", got)
	}
	if got := p.must(t, "deleteFile", "a.txt"); got != false {
		t.Errorf("deleteFile again %v", got)
	}
	p.must(t, "prefsPut", "session", "token", "a<b>&\"c\"")
	p.must(t, "prefsPut", "session", "count", 3)
	if got := p.must(t, "prefsGet", "session", "token"); got != "a<b>&\"c\"" {
		t.Errorf("prefsGet %v", got)
	}
	if got := p.must(t, "prefsGet", "session", "none"); got != nil {
		t.Errorf("prefsGet of nothing: %v", got)
	}
	want := "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n    <string name=\"token\">a&lt;b&gt;&amp;&quot;c&quot;</string>\n    <int name=\"count\" value=\"3\" />\n</map>\n"
	if got := s.runAs(0, nil, "cat /data/data/org.example.app/shared_prefs/session.xml").out; got != want {
		t.Errorf("shared_prefs: %q", got)
	}
	p.must(t, "prefsRemove", "session", "token")
	if got := p.must(t, "prefsGet", "session", "token"); got != nil {
		t.Errorf("after prefsRemove: %v", got)
	}
	s.want("pm grant org.example.app android.permission.CAMERA")
	p.must(t, "recordVideo", "clip.avi", 7)
	event := soon(t, p.events, "androidrecorded")
	clip, err := base64.StdEncoding.DecodeString(p.must(t, "readFile", "clip.avi").(string))
	if err != nil || !bytes.HasPrefix(clip, []byte("RIFF")) || string(clip[8:12]) != "AVI " {
		t.Errorf("the clip is no AVI: %v", err)
	}
	if event.name != "androidrecorded" || event.detail != `{"name":"clip.avi","requestCode":7,"size":`+itoa(len(clip))+`}` {
		t.Errorf("event %+v", event)
	}
	s.want("echo -n seen > /sdcard/feed.mp4; cmd media.camera feed /sdcard/feed.mp4")
	p.must(t, "recordVideo", "clip2", 8)
	soon(t, p.events, "androidrecorded")
	if got := p.must(t, "readFile", "clip2"); got != base64.StdEncoding.EncodeToString([]byte("seen")) {
		t.Errorf("the camera saw %v", got)
	}
}

func TestPermissionPrompts(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app", "android.permission.CAMERA", "android.permission.READ_CONTACTS", "android.permission.GET_ACCOUNTS", "android.permission.INTERNET"))
	ask := func(names string, answers ...int) (string, []Prompt) {
		t.Helper()
		p.must(t, "requestPermissions", names, 5)
		var prompts []Prompt
		for _, a := range answers {
			prompts = append(prompts, soon(t, p.asked, "the prompt"))
			contains(t, s.want("dumpsys window | grep mCurrentFocus"), permissionController)
			p.answers <- a
		}
		e := soon(t, p.events, "androidpermissions")
		if e.name != "androidpermissions" {
			t.Errorf("event %s", e.name)
		}
		return e.detail, prompts
	}
	got, prompts := ask(`["android.permission.CAMERA","android.permission.READ_CONTACTS","android.permission.GET_ACCOUNTS","android.permission.INTERNET","android.permission.READ_SMS"]`, 1, 1)
	if got != `{"requestCode":5,"results":{"android.permission.CAMERA":true,"android.permission.GET_ACCOUNTS":false,"android.permission.INTERNET":true,"android.permission.READ_CONTACTS":false,"android.permission.READ_SMS":false}}` {
		t.Errorf("results %s", got)
	}
	if prompts[0].Message != "Allow Test of org.example.app to take pictures and record video?" || len(prompts[0].Buttons) != 3 ||
		prompts[0].Buttons[0] != (PromptButton{"com.android.permissioncontroller:id/permission_allow_foreground_only_button", "While using the app"}) ||
		prompts[0].Buttons[1].Text != "Only this time" || prompts[0].Buttons[2].Text != "Don’t allow" {
		t.Errorf("camera prompt %+v", prompts[0])
	}
	if prompts[1].Message != "Allow Test of org.example.app to access your contacts?" || len(prompts[1].Buttons) != 2 || prompts[1].Buttons[0].ID != "com.android.permissioncontroller:id/permission_allow_button" {
		t.Errorf("contacts prompt %+v", prompts[1])
	}
	// Refused a second time, it is never asked again.
	ask(`["android.permission.READ_CONTACTS"]`, 1)
	if got, _ := ask(`["android.permission.READ_CONTACTS"]`); !strings.Contains(got, `READ_CONTACTS":false`) {
		t.Errorf("third time: %s", got)
	}
	contains(t, s.want("dumpsys package org.example.app"), "android.permission.READ_CONTACTS: granted=false, flags=[ USER_SET|USER_FIXED")
	// What was granted once is gone with the process.
	s.want("am force-stop org.example.app")
	contains(t, s.want("dumpsys package org.example.app"), "android.permission.CAMERA: granted=false")
	// A prompt whose app ends answers nobody, and nothing hangs.
	p = s.relaunched("org.example.app")
	p.must(t, "requestPermissions", `["android.permission.CAMERA"]`, 6)
	soon(t, p.asked, "the prompt")
	s.want("am force-stop org.example.app")
	for _, bad := range []string{"", "{}", "[]", `["a"`} {
		if _, err := p.call(t, "requestPermissions", bad, 1); err == nil {
			t.Errorf("requestPermissions(%q) succeeded", bad)
		}
	}
}

func TestClipboardIsForTheAppInFront(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app"))
	s.want("cmd clipboard set-primary-clip 'a secret'")
	if got := p.must(t, "clipboard"); got != "a secret" {
		t.Errorf("clipboard %v", got)
	}
	s.want("input keyevent 3")
	if got := p.must(t, "clipboard"); got != "" {
		t.Errorf("clipboard from behind: %v", got)
	}
	p.must(t, "setClipboard", "from the app")
	if got := s.want("cmd clipboard get-primary-clip"); got != "from the app\n" {
		t.Errorf("get-primary-clip %q", got)
	}
}
