package virtual

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
)

// screenNode is a node of uiautomator's XML, as far as these tests look at it.
type screenNode struct {
	Text    string       `xml:"text,attr"`
	ID      string       `xml:"resource-id,attr"`
	Package string       `xml:"package,attr"`
	Bounds  string       `xml:"bounds,attr"`
	Nodes   []screenNode `xml:"node"`
}

func (n screenNode) find(match func(screenNode) bool) (screenNode, bool) {
	if match(n) {
		return n, true
	}
	for _, c := range n.Nodes {
		if found, ok := c.find(match); ok {
			return found, true
		}
	}
	return screenNode{}, false
}

// await dumps the screen until a node matches and rests: what slides in is not tapped.
func (a *adb) await(what string, match func(screenNode) bool) screenNode {
	a.t.Helper()
	var dump string
	var last screenNode
	var since time.Time // last was first seen then
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		out, _, _ := a.try("exec-out", "uiautomator dump /dev/tty")
		dump, _, _ = strings.Cut(out, "UI hierchary")
		var root screenNode
		if err := xml.Unmarshal([]byte(dump), &root); err == nil {
			n, ok := root.find(match)
			if !ok || n.Bounds != last.Bounds || n.Text != last.Text {
				last, since = n, time.Now()
			} else if time.Since(since) > 100*time.Millisecond {
				return n
			}
		}
	}
	a.t.Fatalf("%s did not come onto the screen, which shows %q", what, regexp.MustCompile(`text="[^"]+"`).FindAllString(dump, -1))
	return screenNode{}
}

// tap touches the middle of a node.
func (a *adb) tap(n screenNode) {
	a.t.Helper()
	var l, t, r, b int
	if _, err := fmt.Sscanf(n.Bounds, "[%d,%d][%d,%d]", &l, &t, &r, &b); err != nil {
		a.t.Fatalf("bounds %q: %v", n.Bounds, err)
	}
	a.want("shell", fmt.Sprintf("input tap %d %d", (l+r)/2, (t+b)/2))
}

func withText(text string) func(screenNode) bool {
	return func(n screenNode) bool { return n.Text == text }
}

// install installs an app with adb install's own options.
func (a *adb) install(app apps.App, options ...string) {
	a.t.Helper()
	apk := filepath.Join(a.t.TempDir(), "app.apk")
	if err := os.WriteFile(apk, app.APK, 0o600); err != nil {
		a.t.Fatal(err)
	}
	a.want(append(append([]string{"install"}, options...), apk)...)
}

// launch starts an app; the test is skipped where no browser is.
func (a *adb) launch(app apps.App) {
	a.t.Helper()
	out, errs, code := a.try("shell", "am start -W -n "+app.Package+"/.MainActivity")
	if code != 0 && strings.Contains(errs, "apt-get install") {
		a.t.Skip(errs)
	}
	if code != 0 || !strings.Contains(out, "Status: ok\nLaunchState: COLD\nActivity: "+app.Package+"/.MainActivity\n") {
		a.t.Fatalf("am start: exit code %d\n%s%s", code, out, errs)
	}
}

func TestAnAppRunsAndIsInspected(t *testing.T) {
	_, a := borrow(t, Options{})
	app := apps.ClipShare()
	a.install(app, "-g") // it would ask for things at moments of its own
	a.launch(app)
	a.tap(a.await("the consent dialog", withText("Reject all")))
	a.await("the app behind the dialog", func(n screenNode) bool { return n.Package == app.Package && strings.HasPrefix(n.Text, "Record") })
	if png := a.want("exec-out", "screencap -p"); !strings.HasPrefix(png, "\x89PNG") {
		t.Errorf("screencap -p gave %d bytes that are no PNG", len(png))
	}
	if got := a.want("shell", "run-as "+app.Package+" ls 2>&1; ls /data/data/"+app.Package+" 2>&1; true"); strings.Contains(got, "shared_prefs") {
		t.Errorf("the shell user saw an app's files:\n%s", got)
	}
	uid := a.want("shell", "pm list packages -U "+app.Package)
	counted := regexp.MustCompile(`(?m)^    10100 [1-9]\d* \d+ [1-9]\d* \d+$`)
	if got := a.want("shell", "dumpsys netstats"); !counted.MatchString(got) || !strings.Contains(uid, "uid:10100") {
		t.Errorf("no bytes were counted for %s:\n%s", uid, got)
	}
	pid := strings.TrimSpace(a.want("shell", "pidof "+app.Package))
	port := strings.TrimSpace(a.want("forward", "tcp:0", "localabstract:webview_devtools_remote_"+pid))
	res, err := http.Get("http://127.0.0.1:" + port + "/json/version")
	if err != nil {
		t.Fatalf("the debugging socket: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err = firstError(err, res.Body.Close()); err != nil || !strings.Contains(string(body), "webSocketDebuggerUrl") {
		t.Errorf("the debugging socket answered %s, %v", body, err)
	}
	a.want("root")
	a.want("wait-for-device")
	files := a.want("shell", "cd /data/data/"+app.Package+" && find . -type f")
	for _, part := range []string{"./app_webview/", "./shared_prefs/"} {
		if !strings.Contains(files, part) {
			t.Errorf("no %s among the app's files:\n%s", part, files)
		}
	}
	if got := a.want("shell", "stat -c %U /data/data/"+app.Package+"/shared_prefs/*.xml | sort -u"); got != "u0_a100\n" {
		t.Errorf("the shared preferences belong to %q", got)
	}
	if got := a.want("shell", "dumpsys account"); !strings.Contains(got, ",action_account_add,") {
		t.Errorf("the account that the app made is not in dumpsys account:\n%s", got)
	}
	a.want("uninstall", app.Package)
	if got := a.want("shell", "ls /data/data; pidof "+app.Package+" || true"); strings.Contains(got, app.Package) {
		t.Errorf("after the uninstallation: %q", got)
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAnAppGoesThroughTheProxy(t *testing.T) {
	_, a := borrow(t, Options{})
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := proxy.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(c).ReadString('\n')
			select {
			case lines <- line:
			default:
			}
			_ = c.Close() // a proxy that refuses: the line was all that was wanted
		}
	}()
	defer func() {
		_ = proxy.Close() // ends the goroutine
		<-done
	}()
	port := proxy.Addr().(*net.TCPAddr).Port
	// The device's port has the host's number, as in an audit, and another meaning.
	a.want("reverse", fmt.Sprintf("tcp:%d", port), fmt.Sprintf("tcp:%d", port))
	a.want("shell", fmt.Sprintf("settings put global http_proxy 127.0.0.1:%d", port))
	a.install(apps.ClipShare())
	a.launch(apps.ClipShare())
	select {
	case line := <-lines:
		if !strings.HasPrefix(line, "CONNECT ") || !strings.Contains(line, ":443 HTTP/1.1") {
			t.Errorf("the proxy was asked %q", line)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came to the proxy")
	}
}

func TestAPermissionIsAsked(t *testing.T) {
	_, a := borrow(t, Options{})
	app := apps.ClipShare()
	a.install(app, "-g")
	a.want("shell", "pm revoke "+app.Package+" android.permission.CAMERA")
	a.launch(app)
	a.tap(a.await("the consent dialog", withText("Reject all")))
	a.tap(a.await("the record button", withText("Record")))
	button := a.await("the question for the camera", func(n screenNode) bool {
		return n.ID == "com.android.permissioncontroller:id/permission_allow_foreground_only_button"
	})
	if got := a.want("shell", "dumpsys window"); !strings.Contains(got, "mCurrentFocus=Window{") || !strings.Contains(got, "GrantPermissionsActivity") {
		t.Errorf("the dialog is not in front:\n%s", got)
	}
	a.tap(button)
	granted := "android.permission.CAMERA: granted=true"
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(a.want("shell", "dumpsys package "+app.Package), granted); {
		if time.Now().After(deadline) {
			t.Fatal("the camera was not granted")
		}
	}
}
