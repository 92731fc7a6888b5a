package rootfs

import (
	"os"
	"strings"
	"testing"
)

func names(t *testing.T, v *View, dir string) string {
	t.Helper()
	entries, err := v.ReadDir(dir)
	must(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestMounts(t *testing.T) {
	f := newTree(t)
	root := f.As(Root)
	const store, conscrypt = "/system/etc/security/cacerts", "/apex/com.android.conscrypt/cacerts"
	must(t, f.Image().WriteFile(store+"/old.0", []byte("old"), 0o644))
	must(t, f.Image().WriteFile(conscrypt+"/apex.0", []byte("apex"), 0o644))

	if err := f.As(Shell).MountTmpfs("tmpfs", store, false); Message(err) != "Operation not permitted" {
		t.Errorf("shell mounts: %v", err)
	}
	must(t, root.MountTmpfs("tmpfs", store, false))
	if got := names(t, root, store); got != "" {
		t.Errorf("a new tmpfs holds %q", got)
	}
	must(t, root.WriteFile(store+"/new.0", []byte("new"), 0o644))
	must(t, root.MountBind(store, conscrypt))
	must(t, root.MountBind(store, conscrypt))
	if got := names(t, f.As(Shell), conscrypt); got != "new.0" {
		t.Errorf("the bound folder holds %q", got)
	}
	must(t, root.WriteFile(conscrypt+"/both.0", nil, 0o644))
	if got := names(t, root, store); got != "both.0 new.0" {
		t.Errorf("what is written to the one is not in the other: %q", got)
	}
	host, err := f.Host(conscrypt + "/new.0")
	must(t, err)
	if data, err := os.ReadFile(host); string(data) != "new" {
		t.Errorf("the host reads %q, %v", data, err)
	}
	if err := root.Rename(store+"/new.0", "/data/local/tmp/x"); Message(err) != "Invalid cross-device link" {
		t.Errorf("rename across file systems: %v", err)
	}
	must(t, root.Unmount(conscrypt))
	if got := names(t, root, conscrypt); got != "apex.0" {
		t.Errorf("below the bind there is %q", got)
	}
	must(t, root.Unmount(store))
	if got := names(t, root, store); got != "old.0" {
		t.Errorf("below the tmpfs there is %q", got)
	}
	if entries, err := os.ReadDir(f.dir + "/mounts"); len(entries) != 0 {
		t.Errorf("the tmpfs left %v, %v", entries, err)
	}
	for what, want := range map[string]string{store: "Invalid argument", "/vendor": "Device or resource busy", "/none": "No such file or directory"} {
		if err := root.Unmount(what); Message(err) != want {
			t.Errorf("umount %s: %v, want %s", what, err, want)
		}
	}
}

func TestMountHides(t *testing.T) {
	f := newTree(t)
	root := f.As(Root)
	must(t, root.MkdirAll("/data/local/tmp/a/b", 0o755))
	must(t, root.MountTmpfs("inner", "/data/local/tmp/a/b", false))
	must(t, root.WriteFile("/data/local/tmp/a/b/deep", nil, 0o644))
	if err := root.Unmount("/data/local/tmp/a"); Message(err) == "Success" {
		t.Error("a folder that nothing is mounted on was unmounted")
	}
	must(t, root.MountTmpfs("outer", "/data/local/tmp/a", true))
	if _, err := root.Stat("/data/local/tmp/a/b"); err == nil {
		t.Error("a mount shows through one above it")
	}
	if err := root.Mkdir("/data/local/tmp/a/b", 0o755); Message(err) != "Read-only file system" {
		t.Errorf("a read-only tmpfs: %v", err)
	}
	must(t, root.Unmount("/data/local/tmp/a"))
	if _, err := root.Stat("/data/local/tmp/a/b/deep"); err != nil {
		t.Errorf("the mount below did not come back: %v", err)
	}
	// A tmpfs that is bound elsewhere lives until both are gone.
	must(t, root.MkdirAll("/data/local/tmp/c", 0o755))
	must(t, root.MountBind("/data/local/tmp/a/b", "/data/local/tmp/c"))
	must(t, root.Unmount("/data/local/tmp/a/b"))
	if got := names(t, root, "/data/local/tmp/c"); got != "deep" {
		t.Errorf("the bound tmpfs holds %q", got)
	}
}

func TestRemount(t *testing.T) {
	f := newTree(t)
	root := f.As(Root)
	must(t, root.Remount("/", false))
	must(t, root.WriteFile("/system/x", nil, 0o644))
	must(t, root.Remount("/", true))
	if err := root.Remove("/system/x"); Message(err) != "Read-only file system" {
		t.Errorf("after remounting read-only: %v", err)
	}
	if err := root.Remount("/system", false); Message(err) != "Invalid argument" {
		t.Errorf("/system is no mount of its own: %v", err)
	}
}
