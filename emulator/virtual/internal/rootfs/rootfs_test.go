package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const app, otherApp = 10100, 10101

// newTree makes a device with two apps in a fresh folder.
func newTree(t testing.TB) *FS {
	t.Helper()
	f, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for name, uid := range map[string]int{"org.example.one": app, "org.example.two": otherApp} {
		must(t, f.Image().MkdirAll("/data/data/"+name, 0o700))
		must(t, f.SetOwner("/data/data/"+name, uid, uid, 0o700))
	}
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onHost writes a file as a browser does: as the host's user, past the device.
func onHost(t *testing.T, f *FS, name, data string) {
	t.Helper()
	apps, err := f.Host("/data/data")
	must(t, err)
	host := filepath.Join(apps, strings.TrimPrefix(name, "/data/data/"))
	must(t, os.MkdirAll(filepath.Dir(host), 0o755))
	must(t, os.WriteFile(host, []byte(data), 0o644))
}

func TestPermissions(t *testing.T) {
	f := newTree(t)
	onHost(t, f, "/data/data/org.example.one/app_webview/Default/Cookies", "crumbs")
	must(t, f.Image().WriteFile("/data/system/users/0/settings_ssaid.xml", []byte("<x/>"), 0o600))
	must(t, f.Image().MkdirAll("/data/app/one", 0o755))
	must(t, f.Image().WriteFile("/data/app/one/base.apk", []byte("PK"), 0o644))
	must(t, f.Image().WriteFile("/system/build.prop", []byte("a=b"), 0o644))
	must(t, f.As(app).WriteFile("/data/data/org.example.one/world-readable", []byte("w"), 0o666))
	must(t, f.As(Shell).WriteFile("/sdcard/Download/shared", []byte("s"), 0o600))
	must(t, f.As(Shell).WriteFile("/data/local/tmp/mine", []byte("m"), 0o600))
	read := func(v *View, name string) error { _, err := v.ReadFile(name); return err }
	list := func(v *View, name string) error { _, err := v.ReadDir(name); return err }
	write := func(v *View, name string) error { return v.WriteFile(name, []byte("new"), 0o644) }
	remove := func(v *View, name string) error { return v.Remove(name) }
	const ok, denied, readOnly, missing = "Success", "Permission denied", "Read-only file system", "No such file or directory"
	for _, test := range []struct {
		uid  int
		do   func(*View, string) error
		what string
		name string
		want string
	}{
		{Shell, list, "list", "/data/data", denied},
		{Shell, list, "list", "/data/data/org.example.one", denied},
		{Shell, read, "read", "/data/data/org.example.one/app_webview/Default/Cookies", denied},
		{Shell, write, "write", "/data/data/org.example.one/x", denied},
		{Shell, read, "read", "/data/data/org.example.one/world-readable", denied},
		{otherApp, write, "write", "/data/data/org.example.one/world-readable", denied},
		{app, read, "read", "/data/data/org.example.one/app_webview/Default/Cookies", ok},
		{app, write, "write", "/data/data/org.example.one/files-mine", ok},
		{app, list, "list", "/data/data/org.example.two", denied},
		{otherApp, read, "read", "/data/user/0/org.example.one/app_webview/Default/Cookies", denied},
		{Root, read, "read", "/data/user/0/org.example.one/app_webview/Default/Cookies", ok},
		{Root, list, "list", "/data/data", ok},
		{System, list, "list", "/data/data", ok},
		{Shell, read, "read", "/data/system/users/0/settings_ssaid.xml", denied},
		{Shell, list, "list", "/data/system", denied},
		{app, list, "list", "/data/misc", denied},
		{Root, read, "read", "/data/system/users/0/settings_ssaid.xml", ok},
		{Shell, list, "list", "/data/app", denied},
		{Shell, read, "read", "/data/app/one/base.apk", ok},
		{app, write, "write", "/data/app/one/base.apk", denied},
		{Shell, write, "write", "/data/local/tmp/new", ok},
		{app, read, "read", "/data/local/tmp/mine", denied},
		{app, list, "list", "/data/local/tmp", denied},
		{Shell, write, "write", "/sdcard/new", ok},
		{MediaRW, read, "read", "/storage/emulated/0/Download/shared", ok},
		{app, read, "read", "/sdcard/Download/shared", denied},
		{Shell, read, "read", "/system/build.prop", ok},
		{Shell, write, "write", "/system/build.prop", readOnly},
		{Root, write, "write", "/system/build.prop", readOnly},
		{Root, write, "write", "/system/new", readOnly},
		{Root, remove, "remove", "/system/build.prop", readOnly},
		{Shell, write, "write", "/data/new", denied},
		{Shell, write, "write", "/dev/null", ok},
		{app, read, "read", "/proc/mounts", ok},
		{Root, write, "write", "/proc/mounts", denied},
		{Shell, read, "read", "/none", missing},
		{Shell, read, "read", "/system/build.prop/x", "Not a directory"},
		{Shell, read, "read", "/data", denied},
		{Shell, read, "read", "relative", missing},
		{Shell, read, "read", "", missing},
		{Shell, read, "read", "/a\x00b", "Invalid argument"},
		{Shell, read, "read", "/" + strings.Repeat("x", 256), "File name too long"},
		{Shell, read, "read", strings.Repeat("/x", 3000), "File name too long"},
		{Root, remove, "remove", "/data/data", "Directory not empty"},
		{Root, remove, "remove", "/storage/emulated", "Device or resource busy"},
		{Shell, remove, "remove", "/data/local", denied},
	} {
		if got := Message(test.do(f.As(test.uid), test.name)); got != test.want {
			t.Errorf("%s may %s %q: %s, want %s", UserName(test.uid), test.what, test.name, got, test.want)
		}
	}
}

func TestOwners(t *testing.T) {
	f := newTree(t)
	onHost(t, f, "/data/data/org.example.one/app_webview/Default/Cookies", "crumbs")
	onHost(t, f, "/data/data/org.unknown/x", "nobody's")
	must(t, f.As(app).WriteFile("/data/data/org.example.one/own", nil, 0o660))
	must(t, f.As(Shell).Mkdir("/sdcard/shells", 0o700))
	must(t, f.As(Shell).Chmod("/sdcard/shells", 0o777))
	must(t, f.As(Shell).WriteFile("/data/local/tmp/f", nil, 0o666))
	must(t, f.As(Root).WriteFile("/data/local/tmp/roots", nil, 0o600))
	must(t, f.As(Shell).Rename("/data/local/tmp/f", "/data/local/tmp/g"))
	must(t, f.As(Root).Rename("/data/local/tmp/roots", "/data/data/org.example.one/roots"))
	must(t, f.As(Root).Chown("/data/data/org.example.one/roots", otherApp, -1, true))
	for name, want := range map[string]string{
		"/":                                      "0:0 drwxr-xr-x",
		"/data/data":                             "1000:1000 drwxrwx--x",
		"/data/data/org.example.one":             "10100:10100 drwx------",
		"/data/data/org.example.one/app_webview": "10100:10100 drwx------",
		"/data/data/org.example.one/app_webview/Default/Cookies": "10100:10100 -rw-------",
		"/data/data/org.example.one/own":                         "10100:10100 -rw-rw----",
		"/data/data/org.example.one/roots":                       "10101:0 -rw-------",
		"/data/data/org.unknown/x":                               "1000:1000 -rw-------",
		"/data/local/tmp":                                        "2000:2000 drwxrwx--x",
		"/data/local/tmp/g":                                      "2000:2000 -rw-rw-rw-",
		"/storage/emulated/0/shells":                             "1023:1015 drwxrwx---",
		"/system/bin":                                            "0:2000 drwxr-xr-x",
		"/dev/null":                                              "0:0 Dcrw-rw-rw-",
		"/data/misc":                                             "1000:9998 dtrwxrwx--x",
	} {
		info, err := f.As(Root).Stat(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := fmt.Sprintf("%d:%d %v", info.UID, info.GID, info.Mode()); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for what, err := range map[string]error{
		"shell takes a file of root's":  f.As(Shell).Chown("/data/local/tmp", Root, -1, true),
		"an app takes another's folder": f.As(app).Chmod("/data/data/org.example.two", 0o777),
		"an app gives its file away":    f.As(app).Chown("/data/data/org.example.one/own", otherApp, -1, true),
	} {
		if m := Message(err); m != "Operation not permitted" {
			t.Errorf("%s: %s", what, m)
		}
	}
}

// TestEscape makes every kind of way out of the folder, and checks that none
// leads to a file that lies right beside it, or to the host's own.
func TestEscape(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	must(t, os.WriteFile(secret, []byte("the host's"), 0o666))
	f, err := New(filepath.Join(outside, "device"))
	must(t, err)
	defer f.Close()
	root := f.As(Root)
	must(t, root.MkdirAll("/data/data/evil", 0o777))
	host, err := f.Host("/data/data/evil")
	must(t, err)
	up := strings.Repeat("../", 20)
	links := map[string]string{"abs": secret, "up": up + secret, "near": "../../../../secret", "nearer": "../../../../../secret", "dir": outside, "updir": "../../../../.."}
	for name, target := range links {
		must(t, root.Symlink(target, "/data/data/evil/device-"+name))
		must(t, os.Symlink(target, filepath.Join(host, "host-"+name))) // as a browser might
	}
	var ways []string
	for name := range links {
		for _, kind := range []string{"device-", "host-"} {
			way := "/data/data/evil/" + kind + name
			ways = append(ways, way, way+"/secret", way+"/../secret", way+"/device/../secret")
		}
	}
	ways = append(ways, "/"+up+secret, "/data/data/evil/"+up+secret, "/secret", "/../secret", "/tree/../../secret", secret)
	for _, way := range ways {
		if data, err := root.ReadFile(way); err == nil {
			t.Errorf("%s can be read: %q", way, data)
		}
		root.WriteFile(way, []byte("overwritten"), 0o666)
		root.Chmod(way, 0)
		root.Remove(way)
		root.Rename(way, "/data/stolen")
		if at, err := f.Host(way); err == nil {
			real, err := filepath.EvalSymlinks(filepath.Dir(at))
			if err == nil && !within(real, filepath.Join(outside, "device")) {
				t.Errorf("%s is %s on the host, which is %s", way, at, real)
			}
		}
	}
	if data, err := os.ReadFile(secret); string(data) != "the host's" || err != nil {
		t.Errorf("the host's file is now %q, %v", data, err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 2 {
		t.Errorf("beside the device there is now %v, %v", entries, err)
	}
	// What the device linked leads nowhere for a program of the host's either.
	must(t, root.Symlink(secret, "/data/data/evil/again"))
	if data, err := os.ReadFile(filepath.Join(host, "again")); err == nil {
		t.Errorf("a browser that follows the device's link reads %q", data)
	}
	if target, err := root.Readlink("/data/data/evil/again"); err != nil || target != secret {
		t.Errorf("the device reads its link as %q, %v", target, err)
	}
}

func TestLinks(t *testing.T) {
	f := newTree(t)
	shell := f.As(Shell)
	must(t, shell.WriteFile("/data/local/tmp/a", []byte("content"), 0o644))
	for name, target := range map[string]string{"rel": "a", "abs": "/data/local/tmp/a", "chain": "rel", "dir": "..", "loop": "loop", "nowhere": "none"} {
		must(t, shell.Symlink(target, "/data/local/tmp/"+name))
	}
	for name, want := range map[string]string{
		"rel": "content", "abs": "content", "chain": "content", "dir/tmp/a": "content", "dir/tmp/dir/tmp/chain": "content",
		"loop": "Too many symbolic links encountered", "nowhere": "No such file or directory", "a/": "Not a directory", "a/..": "Not a directory",
	} {
		data, err := shell.ReadFile("/data/local/tmp/" + name)
		got := string(data)
		if err != nil {
			got = Message(err)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if real, err := shell.Realpath("/sdcard/../../emulated/0/Download"); err != nil || real != "/storage/emulated/0/Download" {
		t.Errorf("Realpath: %s, %v", real, err)
	}
	// Writing through a link to nothing makes its target; O_EXCL does not.
	must(t, shell.WriteFile("/data/local/tmp/nowhere", []byte("x"), 0o644))
	if data, err := shell.ReadFile("/data/local/tmp/none"); string(data) != "x" {
		t.Errorf("the link's target holds %q, %v", data, err)
	}
	if _, err := shell.OpenFile("/data/local/tmp/abs", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("O_EXCL on a link: %v", err)
	}
	must(t, shell.Remove("/data/local/tmp/dir"))
	if _, err := shell.Stat("/data/local/tmp/a"); err != nil {
		t.Errorf("removing a link removed what it leads to: %v", err)
	}
}

func TestErrorsKeepTheHostsPathsIn(t *testing.T) {
	f := newTree(t)
	for _, err := range []error{
		f.As(Root).Mkdir("/data", 0o755), f.As(Shell).Remove("/data/data"), f.As(Root).Rename("/none", "/x"),
		f.As(Root).Symlink("x", "/data"), f.As(Root).WriteFile("/data", nil, 0), f.As(Root).Chtimes("/none", f.now(), f.now()),
	} {
		if err == nil || strings.Contains(err.Error(), f.dir) {
			t.Errorf("%v", err)
		}
	}
}

func TestGenerated(t *testing.T) {
	f := newTree(t)
	n := 0
	must(t, f.Generate("/proc/count", func() []byte { n++; return fmt.Appendf(nil, "%d\n", n) }))
	for want := 1; want <= 2; want++ {
		if data, err := f.As(app).ReadFile("/proc/count"); string(data) != fmt.Sprintf("%d\n", want) {
			t.Errorf("reading %d: %q, %v", want, data, err)
		}
	}
	zero, err := f.As(app).Open("/dev/zero")
	must(t, err)
	defer zero.Close()
	b := []byte{1, 2, 3}
	if _, err := io.ReadFull(zero, b); err != nil || b[0]+b[1]+b[2] != 0 {
		t.Errorf("/dev/zero: %v, %v", b, err)
	}
}
