package adbd_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAdbShell(t *testing.T) {
	_, addr := newDevice(t)
	h := connect(t, addr)
	for _, test := range []struct {
		args  []string
		stdin string
		want  answer
	}{
		{args: []string{"shell", "echo out; echo err >&2; exit 7"}, want: answer{"out\n", "err\n", 7}},
		{args: []string{"shell", "nonesuch"}, want: answer{"", "/system/bin/sh: nonesuch: inaccessible or not found\n", 127}},
		{args: []string{"shell", "-x", "echo merged; echo err >&2; exit 7"}, want: answer{"merged\nerr\n", "", 0}},
		{args: []string{"shell", "cat; echo end"}, stdin: "typed\n", want: answer{"typed\nend\n", "", 0}},
		{args: []string{"shell", "-n", "cat; echo end"}, stdin: "not read", want: answer{"end\n", "", 0}},
		{args: []string{"shell"}, stdin: "echo a\nexit 4\necho b\n", want: answer{"a\n", "", 4}},
		{args: []string{"shell", "head -1"}, stdin: strings.Repeat("line\n", 100_000), want: answer{"line\n", "", 0}},
		{args: []string{"exec-out", "printf 'a\\0b\\r\\n'"}, want: answer{"a\x00b\r\n", "", 0}},
		{args: []string{"exec-in", "cat > /data/local/tmp/in"}, stdin: "by exec-in", want: answer{}},
		{args: []string{"shell", "sleep 0.3; cat /data/local/tmp/in"}, want: answer{"by exec-in", "", 0}},
		{args: []string{"logcat", "-d", "-v", "brief"}, want: answer{"--------- beginning of main\n[-d -v brief] \"''\"\n", "", 0}},
		{args: []string{"wait-for-device"}},
		{args: []string{"get-state"}, want: answer{"device\n", "", 0}},
		{args: []string{"remount"}, want: answer{"remount succeeded\n", "", 0}},
		{args: []string{"reboot", "bootloader"}, want: answer{"this device has no bootloader\n", "", 0}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			if got := h.adbWith(test.stdin, test.args...); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
	devices := h.adb("devices", "-l").out
	if !strings.Contains(devices, "device product:sdk_gphone64_x86_64 model:sdk_gphone64_x86_64 device:emu64xa") {
		t.Errorf("devices -l:\n%s", devices)
	}
}

// TestAdbTerminal types at a prompt, and reads what a terminal would show.
func TestAdbTerminal(t *testing.T) {
	_, addr := newDevice(t)
	h := connect(t, addr)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := h.command(ctx, "shell", "-tt")
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	screen, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(screen)
	expect := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		n, err := io.ReadFull(in, got)
		if string(got[:n]) != want {
			rest, _ := in.Peek(in.Buffered())
			t.Fatalf("the terminal shows %q%q, want %q (%v)", got[:n], rest, want, err)
		}
	}
	for _, step := range []struct{ keys, screen string }{
		{"", "emu64xa:/ $ "},
		{"echo $((20+1))\r", "echo $((20+1))\r\n21\r\nemu64xa:/ $ "},
		{"cd /sdcard; fale\x7f\x7flse\r", "cd /sdcard; fale\b \b\b \blse\r\n1|emu64xa:/sdcard $ "},
		{"if true\r", "if true\r\n> "},
		{"then echo yes; fi\r", "then echo yes; fi\r\nyes\r\nemu64xa:/sdcard $ "},
		{"sleep 600\r", "sleep 600\r\n"},
		{"\x03", "^C\r\n130|emu64xa:/sdcard $ "},
		{"foo(\r", "foo(\r\n/system/bin/sh: <stdin>[6]: syntax error: `foo(` must be followed by `)`\r\n1|emu64xa:/sdcard $ "},
		{"exit 5\r", "exit 5\r\n"},
	} {
		io.WriteString(keys, step.keys)
		expect(step.screen)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !asExit(err, &exit) || exit.ExitCode() != 5 {
		t.Errorf("adb shell ended with %v, want exit code 5", err)
	}
}

func TestAdbFiles(t *testing.T) {
	d, addr := newDevice(t)
	h := connect(t, addr)
	here := t.TempDir()
	big := make([]byte, 9<<20+13)
	rand.Read(big)
	write := func(name string, data []byte) {
		t.Helper()
		full := filepath.Join(here, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, data, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	write("big", big)
	write("dir/sub/a.txt", []byte("a"))
	write("dir/ümläut 🎈", []byte("name"))
	write("dir/empty", nil)

	for _, args := range [][]string{
		{"push", here + "/big", "/data/local/tmp/"}, {"push", here + "/dir", "/sdcard/Download/new"},
		{"pull", "/data/local/tmp/big", here + "/back"}, {"pull", "/sdcard/Download/new", here + "/dirback"},
	} {
		if got := h.adb(args...); got.code != 0 {
			t.Fatalf("adb %q: %+v", args, got)
		}
	}
	back, err := os.ReadFile(here + "/back")
	if err != nil || !bytes.Equal(back, big) {
		t.Errorf("a file of %d bytes came back as %d bytes, %v", len(big), len(back), err)
	}
	for name, want := range map[string]string{"sub/a.txt": "a", "ümläut 🎈": "name", "empty": ""} {
		if got, err := os.ReadFile(here + "/dirback/" + name); err != nil || string(got) != want {
			t.Errorf("%s came back as %q, %v", name, got, err)
		}
	}
	if info, err := d.tree.As(0).Stat("/data/local/tmp/big"); err != nil || info.UID != 2000 || info.Mode() != 0o666 {
		t.Errorf("the pushed file is %v %v, %v", info.UID, info.Mode(), err)
	}
	for _, test := range []struct{ from, to, want string }{
		{here + "/dir/empty", "/system/x", "Read-only file system"},
		{here + "/big", "/data/data/x", "Permission denied"},
		{here + "/dir/empty", "/data/local/tmp/../../../../../../../../etc/x", "Read-only file system"},
	} {
		if got := h.adb("push", test.from, test.to); got.code == 0 || !strings.Contains(got.out+got.err, test.want) {
			t.Errorf("push to %s: %+v", test.to, got)
		}
	}
	for name, want := range map[string]string{"/data/data": "Permission denied", "/none": "No such file or directory"} {
		if got := h.adb("pull", name, here+"/nothing"); got.code == 0 || !strings.Contains(got.out+got.err, want) {
			t.Logf("pull %s: %+v", name, got)
		}
	}
	h.adb("shell", "ln -s /data/data /data/local/tmp/link; ln -s ../../../../../../etc/passwd /data/local/tmp/up")
	if got := h.adb("pull", "/data/local/tmp/up", here+"/passwd"); got.code == 0 {
		t.Errorf("a link led out of the device: %+v", got)
	}
}

func TestAdbInstall(t *testing.T) {
	d, addr := newDevice(t)
	h := connect(t, addr)
	apk := make([]byte, 3<<20)
	rand.Read(apk)
	name := filepath.Join(t.TempDir(), "a.apk")
	if err := os.WriteFile(name, apk, 0o600); err != nil {
		t.Fatal(err)
	}
	got := h.adb("install", "-r", name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if got.out != "Performing Streamed Install\nSuccess\n" || !bytes.Equal(d.installed, apk) {
		t.Errorf("install: %+v, and %d bytes arrived", got, len(d.installed))
	}
}

func TestAdbForward(t *testing.T) {
	d, addr := newDevice(t)
	h := connect(t, addr)
	echo := listen(t, func(c net.Conn) { io.Copy(c, c) })
	remove, err := d.ports.BindAddr("tcp:9000", echo)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	abstract, err := d.ports.BindAddr("localabstract:webview_devtools_remote_3001", listen(t, func(c net.Conn) { io.WriteString(c, "devtools") }))
	if err != nil {
		t.Fatal(err)
	}
	defer abstract()
	port := strings.TrimSpace(h.adb("forward", "tcp:0", "tcp:9000").out)
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := make([]byte, 3<<20)
	rand.Read(sent)
	go conn.Write(sent)
	got := make([]byte, len(sent))
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("the echo of %d bytes differs, %v", len(sent), err)
	}
	for service, want := range map[string]string{"localabstract:webview_devtools_remote_3001": "devtools", "tcp:9999": "", "localabstract:none": ""} {
		port := strings.TrimSpace(h.adb("forward", "tcp:0", service).out)
		if got := readFrom(t, "127.0.0.1:"+port); got != want {
			t.Errorf("%s answered %q, want %q", service, got, want)
		}
	}
}

func TestAdbReverse(t *testing.T) {
	d, addr := newDevice(t)
	h := connect(t, addr)
	proxy := listen(t, func(c net.Conn) { io.WriteString(c, "the proxy") })
	_, port, _ := net.SplitHostPort(proxy)
	for _, test := range []struct {
		args []string
		want answer
	}{
		{[]string{"tcp:8080", "tcp:" + port}, answer{}},
		{[]string{"tcp:8080", "tcp:" + port}, answer{}},
		{[]string{"tcp:0", "tcp:" + port}, answer{"37000\n", "", 0}},
		{[]string{"--no-rebind", "tcp:8080", "tcp:1"}, answer{"", "adb: error: cannot rebind existing socket\n", 1}},
		{[]string{"--list"}, answer{"host-1 tcp:37000 tcp:" + port + "\nhost-1 tcp:8080 tcp:" + port + "\n\n", "", 0}},
	} {
		if got := h.adb(append([]string{"reverse"}, test.args...)...); got != test.want {
			t.Errorf("reverse %q: got %+v, want %+v", test.args, got, test.want)
		}
	}
	at, ok := d.ports.Lookup(8080)
	if !ok {
		t.Fatal("port 8080 of the device leads nowhere")
	}
	if got := readFrom(t, at); got != "the proxy" {
		t.Errorf("the device read %q", got)
	}
	conn, err := d.Dial(t.Context(), "tcp:8080")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(conn); string(b) != "the proxy" {
		t.Errorf("a program of the device read %q, %v", b, err)
	}
	if got := h.adb("reverse", "--remove", "tcp:8080"); got != (answer{}) {
		t.Errorf("remove: %+v", got)
	}
	if got := h.adb("reverse", "--remove", "tcp:8080"); got.err != "adb: error: listener 'tcp:8080' not found\n" {
		t.Errorf("remove again: %+v", got)
	}
	if _, ok := d.ports.Lookup(8080); ok {
		t.Error("port 8080 is still there")
	}
	h.adb("reverse", "--remove-all")
	if _, ok := d.ports.Lookup(37000); ok {
		t.Error("port 37000 is still there")
	}
}

func TestAdbRoot(t *testing.T) {
	d, addr := newDevice(t)
	h := connect(t, addr)
	h.adb("reverse", "tcp:8080", "tcp:9")
	expect := func(want string, args ...string) {
		t.Helper()
		if got := h.adb(args...); got.out != want || got.code != 0 {
			t.Errorf("adb %q: %+v, want %q", args, got, want)
		}
	}
	expect("restarting adbd as root\n", "root")
	expect("0\nlisted\n", "wait-for-device", "shell", "id -u; ls /data/data && echo listed")
	if _, ok := d.ports.Lookup(8080); ok {
		t.Error("a reverse outlived the daemon's restart")
	}
	expect("adbd is already running as root\n", "root")
	expect("restarting adbd as non root\n", "unroot")
	expect("2000\n", "wait-for-device", "shell", "id -u")
	expect("", "reboot")
	expect("2000\n", "wait-for-device", "shell", "id -u")
	if n := d.reboot.Load(); n != 1 {
		t.Errorf("the device was rebooted %d times, want once", n)
	}
}

// listen serves each connection on the host's loopback until the test ends.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

func readFrom(t *testing.T, addr string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return fmt.Sprint(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	b, _ := io.ReadAll(conn)
	return string(b)
}
