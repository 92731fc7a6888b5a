package android

import (
	"context"
	"image"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLaunchAndStop(t *testing.T) {
	s := newStage(t)
	s.installedApp(webAPK("org.example.app"))
	out := s.want("am start -W -a android.intent.action.MAIN -c android.intent.category.LAUNCHER -n org.example.app/.Main")
	for _, part := range []string{"Starting: Intent { act=android.intent.action.MAIN cat=[android.intent.category.LAUNCHER] cmp=org.example.app/.Main }\n",
		"Status: ok\nLaunchState: COLD\nActivity: org.example.app/.Main\nTotalTime: ", "\nComplete\n"} {
		contains(t, out, part)
	}
	p := s.runtime.last(t)
	if p.launch.Package != "org.example.app" || p.launch.Entry != "www/index.html" || p.launch.UID != firstUID || p.launch.Device.Screen != image.Pt(1080, 2400) || p.launch.Device.Density != 2.625 {
		t.Errorf("launched with %+v", p.launch)
	}
	if got := s.want("pidof org.example.app"); strings.TrimSpace(got) != itoa(p.launch.PID) {
		t.Errorf("pidof: %q, want %d", got, p.launch.PID)
	}
	if got := strings.Fields(s.want("ps -A -o PID,PPID,NAME | grep org.example.app")); !slices.Equal(got, []string{itoa(p.launch.PID), itoa(zygotePID), "org.example.app"}) {
		t.Errorf("ps: %q", got)
	}
	contains(t, s.want("dumpsys window | grep mCurrentFocus"), " u0 org.example.app/org.example.app.Main}")
	contains(t, s.want("dumpsys activity activities"), " u0 org.example.app/.Main t2}")
	if r := s.sh("am start -n org.example.app/.Main"); !strings.Contains(r.err, "intent has been delivered to currently running top-most instance") || r.code != 0 {
		t.Errorf("start of what is in front: %+v", r)
	}
	s.want("input keyevent KEYCODE_HOME")
	contains(t, s.want("dumpsys window"), homePackage)
	if r := s.sh("am start -n org.example.app/.Main"); !strings.Contains(r.err, "its current task has been brought to the front") {
		t.Errorf("start of what is behind: %+v", r)
	}
	if got := p.doings(); !slices.Equal(got, []string{"front", "back", "front"}) {
		t.Errorf("the app was told %v", got)
	}
	s.want("am force-stop org.example.app")
	if r := s.sh("pidof org.example.app"); r.code != 1 || r.out != "" {
		t.Errorf("pidof after force-stop: %+v", r)
	}
	select {
	case <-p.done:
	default:
		t.Error("force-stop left the app running")
	}
}

func TestLaunchRefusals(t *testing.T) {
	s := newStage(t)
	s.installedApp(testAPK{pkg: "org.example.native", files: map[string]string{"classes.dex": "dex\n035\x00", "lib/arm64-v8a/libx.so": "x"}})
	if r := s.sh("am start -n org.example.native/.Main"); r.code != 1 || !strings.Contains(r.err, "can't run org.example.native: its behaviour is compiled code (Dalvik bytecode and native code for arm64-v8a)") {
		t.Errorf("a compiled app: %+v", r)
	}
	if r := s.sh("monkey -p org.example.native -c android.intent.category.LAUNCHER 1"); r.code != 1 || !strings.Contains(r.err, "compiled code") {
		t.Errorf("monkey on a compiled app: %+v", r)
	}
	if r := s.sh("am start -n org.example.native/.Nope"); r.code != 1 || !strings.Contains(r.err, "Error type 3\nError: Activity class {org.example.native/org.example.native.Nope} does not exist.\n") {
		t.Errorf("no such activity: %+v", r)
	}
	if r := s.sh("monkey -p org.example.none -c android.intent.category.LAUNCHER 1"); r.code != 252 || !strings.Contains(r.err, "No activities found to run, monkey aborted.") {
		t.Errorf("monkey on nothing: %+v", r)
	}
	s.runtime.fail = errNoBrowser
	s.installedApp(webAPK("org.example.app"))
	if r := s.sh("am start -n org.example.app/.Main"); r.code != 1 || !strings.Contains(r.err, "install chromium-headless-shell") {
		t.Errorf("no browser: %+v", r)
	}
	if r := s.sh("pidof org.example.app"); r.code == 0 {
		t.Error("an app that did not start is listed")
	}
}

func TestAnAppThatEndsByItself(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app"))
	proc, _ := s.activities.find("org.example.app")
	p.mu.Lock()
	p.sent, p.got = 111, 2222
	p.mu.Unlock()
	contains(t, s.want("dumpsys netstats detail"), "  mAppUidStatsMap:\n    uid rxBytes rxPackets txBytes txPackets\n    10100 2222 2 111 1\n")
	p.die()
	soon(t, proc.gone, "the end of the process")
	contains(t, s.want("logcat -d"), "Process org.example.app (pid "+itoa(p.launch.PID)+") has died")
	contains(t, s.want("dumpsys window"), homePackage)
	s.want("monkey -p org.example.app -c android.intent.category.LAUNCHER 1")
	again := s.runtime.last(t)
	again.mu.Lock()
	again.sent, again.got = 1, 1
	again.mu.Unlock()
	dump := s.want("dumpsys netstats detail")
	contains(t, dump, "\n    10100 2223 2 112 1\n")
	contains(t, dump, "uid=10100 set=FOREGROUND tag=0x0")
	contains(t, s.want("cat /proc/net/xt_qtaguid/stats"), "wlan0 0x0 10100 1 2223 2 112 1 ")
}

func TestInput(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app"))
	for _, script := range []string{"input tap 10 20.5", "input swipe 1 2 3 4 50", "input text 'a%sb'", "input keyevent 66 KEYCODE_DEL", "input keyevent KEYCODE_Q 8", "input keyevent 4"} {
		s.want(script)
	}
	want := []string{"front", "tap 10 20", "swipe (1,2)(3,4)50", "text a b", "key Enter", "key Backspace", "text q", "text 1", "history", "back"}
	if got := p.doings(); !slices.Equal(got, want) {
		t.Errorf("the app was told %q, want %q", got, want)
	}
	for _, script := range []string{"input tap x 1", "input tap 1", "input keyevent KEYCODE_NONSENSE", "input tap NaN 1", "input dance"} {
		if r := s.sh(script); r.code != 255 {
			t.Errorf("%s: %+v", script, r)
		}
	}
}

func TestHomeScreen(t *testing.T) {
	s := newStage(t)
	s.installedApp(webAPK("org.example.app"))
	dump := s.want("uiautomator dump /dev/tty")
	contains(t, dump, `text="Test of org.example.app"`)
	contains(t, dump, "</hierarchy>UI hierchary dumped to: /dev/tty\n")
	icons := s.icons()
	if len(icons) != 1 {
		t.Fatalf("%d icons", len(icons))
	}
	at := icons[0].Bounds.Min.Add(image.Pt(5, 5))
	s.want("input tap " + itoa(at.X) + " " + itoa(at.Y))
	if _, ok := s.activities.find("org.example.app"); !ok {
		t.Error("a tap on the icon did not launch the app")
	}
}

func TestScreens(t *testing.T) {
	s := newStage(t)
	if got := s.want("uiautomator dump"); got != "UI hierchary dumped to: /sdcard/window_dump.xml\n" {
		t.Errorf("uiautomator dump: %q", got)
	}
	if got := s.want("head -c 55 /sdcard/window_dump.xml"); got != "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"[:55] {
		t.Errorf("the file begins with %q", got)
	}
	png := s.want("screencap -p")
	if !strings.HasPrefix(png, "\x89PNG\r\n") {
		t.Errorf("screencap -p: %q", png[:min(len(png), 20)])
	}
	s.want("screencap /sdcard/x.png")
	if got := s.want("head -c 4 /sdcard/x.png"); got != "\x89PNG" {
		t.Errorf("screencap to a file: %q", got)
	}
	p := s.launchedApp(webAPK("org.example.app"))
	if raw := s.want("screencap"); len(raw) != 16+2*3*4 || raw[:9] != "\x02\x00\x00\x00\x03\x00\x00\x00\x01" {
		t.Errorf("raw screencap: %q", raw)
	}
	if r := s.sh("uiautomator dump"); r.err != "ERROR: null root node returned by UiTestAutomationBridge.\n" || r.out != "" {
		t.Errorf("no tree: %+v", r)
	}
	p.mu.Lock()
	p.tree = &Node{Class: "android.webkit.WebView", Package: "org.example.app", Bounds: image.Rect(0, 0, 10, 10), Enabled: true, Children: []*Node{
		{Class: "android.view.View", Bounds: image.Rect(1, 2, 3, 4), Children: []*Node{{Class: "android.widget.Button", Text: "A \"b\" <c>\n&", Bounds: image.Rectangle{Min: image.Pt(5, 5), Max: image.Pt(4, 4)}, Clickable: true, Enabled: true}}},
	}}
	p.mu.Unlock()
	dump := s.want("uiautomator dump /dev/tty")
	contains(t, dump, `text="A &quot;b&quot; &lt;c&gt;&#10;&amp;"`)
	contains(t, dump, `bounds="[5,5][4,4]"`)
	if strings.Count(dump, "<node") != 3 || strings.Count(s.want("uiautomator dump --compressed /dev/tty"), "<node") != 1 {
		t.Error("the dump has another number of nodes, or --compressed left the layouts in")
	}
	if got := s.want("wm size; wm density"); got != "Physical size: 1080x2400\nPhysical density: 420\n" {
		t.Errorf("wm: %q", got)
	}
	s.want("wm size 720x1280")
	if got := s.want("wm size"); got != "Physical size: 1080x2400\nOverride size: 720x1280\n" {
		t.Errorf("wm size after an override: %q", got)
	}
	if r := s.sh("wm size 1x1"); r.code != 255 {
		t.Errorf("wm size 1x1: %+v", r)
	}
}

func TestReboot(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app"))
	s.want("cmd clipboard set-primary-clip x; settings put global a b; setprop debug.x 1")
	if err := s.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	default:
		t.Error("an app survived the reboot")
	}
	if got := s.want("settings get global boot_count; settings get global a; cmd clipboard get-primary-clip; pm list packages -3; getprop sys.boot_completed"); got != "2\nb\n\npackage:org.example.app\n1\n" {
		t.Errorf("after the reboot: %q", got)
	}
}

func TestCloseWaitsForApps(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	default:
		t.Error("Close left an app running")
	}
	if _, err := s.launch(ctx, "org.example.app", "org.example.app.Main"); err == nil {
		t.Error("a device that was closed launches apps")
	}
}

func TestKill(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app"))
	proc, _ := s.activities.find("org.example.app")
	if r := s.sh("kill -9 " + itoa(p.launch.PID)); r.code == 0 {
		t.Error("the shell user killed an app")
	}
	if r := s.runAs(0, nil, "kill -9 "+itoa(p.launch.PID)); r.code != 0 {
		t.Errorf("root can't kill an app: %+v", r)
	}
	soon(t, proc.gone, "the end of the process")
}
