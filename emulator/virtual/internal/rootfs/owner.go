package rootfs

import (
	"io/fs"
	"path"
	"strings"
)

// owner is who a file belongs to, and what the mode says.
type owner struct {
	uid, gid int
	mode     fs.FileMode // permission bits with setuid, setgid and sticky
}

const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// rule is the owner of a folder of Android's image, and what is in it when
// nothing else is known.
type rule struct {
	path     string
	uid, gid int
	dir      fs.FileMode // mode of the folder itself
	inside   fs.FileMode // mode of folders inside; files have it without x
	make     bool        // whether the image has the folder from the start
	fixed    bool        // FUSE: owners and modes are always the rule's
	sealed   bool        // what SELinux keeps from shell and apps
	programs bool        // files inside can be run
}

// image is Android's tree. A path that is not here is ruled by the nearest
// folder above it that is.
var image = []rule{
	{path: "/", dir: 0o755, inside: 0o755, make: true},
	{path: "/acct", dir: 0o755, inside: 0o755, make: true},
	{path: "/apex", dir: 0o755, inside: 0o755, make: true},
	{path: "/apex/com.android.conscrypt/cacerts", dir: 0o755, inside: 0o755, make: true},
	{path: "/cache", uid: System, gid: 2001, dir: 0o770, inside: 0o770, make: true},
	{path: "/data", uid: System, gid: System, dir: 0o771, inside: 0o771, make: true},
	{path: "/data/app", uid: System, gid: System, dir: 0o771, inside: 0o755, make: true},
	{path: "/data/data", uid: System, gid: System, dir: 0o771, inside: 0o700, make: true},
	{path: "/data/local", uid: Root, gid: Root, dir: 0o751, inside: 0o755, make: true},
	{path: "/data/local/tmp", uid: Shell, gid: Shell, dir: 0o771, inside: 0o777, make: true},
	{path: "/data/media", uid: MediaRW, gid: MediaRW, dir: 0o770, inside: 0o770, make: true},
	{path: "/data/misc", uid: System, gid: 9998, dir: 0o771 | fs.ModeSticky, inside: 0o700, make: true, sealed: true},
	{path: "/data/property", uid: Root, gid: Root, dir: 0o700, inside: 0o700, make: true},
	{path: "/data/system", uid: System, gid: System, dir: 0o775, inside: 0o700, make: true, sealed: true},
	{path: "/data/system/users/0", uid: System, gid: System, dir: 0o700, inside: 0o700, make: true},
	{path: "/data/user", uid: System, gid: System, dir: 0o711, inside: 0o711, make: true},
	{path: "/data/user_de/0", uid: System, gid: System, dir: 0o771, inside: 0o700, make: true},
	{path: "/data/vendor", uid: Root, gid: Root, dir: 0o771, inside: 0o700, make: true, sealed: true},
	{path: "/dev", dir: 0o755, inside: 0o755, make: true},
	{path: "/metadata", dir: 0o755, inside: 0o700, make: true, sealed: true},
	{path: "/mnt", uid: Root, gid: System, dir: 0o755, inside: 0o755, make: true},
	{path: "/odm", dir: 0o755, inside: 0o755, make: true},
	{path: "/proc", dir: 0o555, inside: 0o555, make: true},
	{path: "/product", dir: 0o755, inside: 0o755, make: true},
	{path: "/storage", uid: System, gid: SDCardRW, dir: 0o755, inside: 0o755, make: true},
	{path: "/storage/emulated", uid: Root, gid: Root, dir: 0o711, inside: 0o711, make: true},
	{path: "/storage/emulated/0", uid: MediaRW, gid: SDCardRW, dir: 0o770, inside: 0o770, make: true, fixed: true},
	{path: "/storage/self", dir: 0o755, inside: 0o755, make: true},
	{path: "/sys", dir: 0o755, inside: 0o755, make: true},
	{path: "/system", dir: 0o755, inside: 0o755, make: true},
	{path: "/system/app", dir: 0o755, inside: 0o755, make: true},
	{path: "/system/bin", uid: Root, gid: Shell, dir: 0o755, inside: 0o755, make: true, programs: true},
	{path: "/system/etc/security/cacerts", dir: 0o755, inside: 0o755, make: true},
	{path: "/system/fonts", dir: 0o755, inside: 0o755, make: true},
	{path: "/system/framework", dir: 0o755, inside: 0o755, make: true},
	{path: "/system/lib64", dir: 0o755, inside: 0o755, make: true},
	{path: "/system/priv-app", dir: 0o755, inside: 0o755, make: true},
	{path: "/system_ext", dir: 0o755, inside: 0o755, make: true},
	{path: "/vendor", uid: Root, gid: Shell, dir: 0o755, inside: 0o755, make: true},
}

// mediaDirs are the folders of a new SD card.
var mediaDirs = []string{"Alarms", "Android/data", "Android/media", "Android/obb", "Audiobooks", "DCIM", "Documents",
	"Download", "Movies", "Music", "Notifications", "Pictures", "Podcasts", "Recordings", "Ringtones"}

// imageLinks are the links of Android's image.
var imageLinks = []struct{ path, target string }{
	{"/bin", "/system/bin"},
	{"/data/user/0", "/data/data"},
	{"/etc", "/system/etc"},
	{"/mnt/sdcard", "/storage/self/primary"},
	{"/sdcard", "/storage/self/primary"},
	{"/storage/self/primary", "/storage/emulated/0"},
	{"/d", "/sys/kernel/debug"},
	{"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"},
	{"/dev/stderr", "/proc/self/fd/2"},
	{"/dev/fd", "/proc/self/fd"},
}

// devices are the host's character devices that are the same on every system.
var devices = []string{"null", "zero", "full", "random", "urandom"}

// populate makes what the image has and the folder lacks.
func (f *FS) populate() error {
	v := f.image()
	for _, r := range image {
		if r.make {
			if err := v.MkdirAll(r.path, 0o755); err != nil {
				return err
			}
		}
	}
	for _, name := range mediaDirs {
		if err := v.MkdirAll("/storage/emulated/0/"+name, 0o770); err != nil {
			return err
		}
	}
	for _, l := range imageLinks {
		if _, err := v.Lstat(l.path); err == nil {
			continue
		}
		if err := v.Symlink(l.target, l.path); err != nil {
			return err
		}
	}
	for _, name := range devices {
		if err := f.addSpecial("/dev/"+name, special{device: "/dev/" + name}); err != nil {
			return err
		}
	}
	f.mu.Lock()
	clear(f.owners) // the rules say it all
	for _, name := range devices {
		f.owners[treeDir+"/dev/"+name] = owner{mode: 0o666}
	}
	f.mu.Unlock()
	return f.Generate("/proc/mounts", func() []byte { return []byte(f.mountTable()) })
}

// ruleFor is the rule with exactly that path.
func ruleFor(name string) (rule, bool) {
	for _, r := range image {
		if r.path == name {
			return r, true
		}
	}
	return rule{}, false
}

// ownerOf says who owns what is at a location of the host, whose kind is typ.
func (f *FS) ownerOf(loc string, typ fs.FileMode) owner {
	f.mu.RLock()
	defer f.mu.RUnlock()
	fixed := underFixed(loc)
	if o, ok := f.owners[loc]; ok && !fixed {
		return o
	}
	for at := loc; ; at = path.Dir(at) {
		if o, ok := f.owners[at]; ok && !fixed {
			return below(o, o.mode&fs.ModePerm, o.mode&0o666, typ)
		}
		if name, inTree := devicePath(at); inTree {
			if r, ok := ruleFor(name); ok {
				o := owner{uid: r.uid, gid: r.gid, mode: r.dir}
				switch {
				case at == loc:
					return o
				case r.programs:
					return below(o, r.inside, r.inside, typ)
				}
				return below(o, r.inside, r.inside&0o666, typ)
			}
		}
		if at == "." || at == "/" {
			return owner{mode: 0o755}
		}
	}
}

// below makes the owner of something in a folder of o's, by its kind.
func below(o owner, dir, file fs.FileMode, typ fs.FileMode) owner {
	switch {
	case typ&fs.ModeSymlink != 0:
		o.mode = 0o777
	case typ.IsDir():
		o.mode = dir
	default:
		o.mode = file
	}
	return o
}

// devicePath is the device's path of a location in the tree proper.
func devicePath(loc string) (string, bool) {
	if loc == treeDir {
		return "/", true
	}
	rest, ok := strings.CutPrefix(loc, treeDir+"/")
	return "/" + rest, ok
}

// underFixed reports whether a location is where owners and modes can't be changed.
func underFixed(loc string) bool {
	for _, r := range image {
		if r.fixed && within(loc, treeDir+r.path) {
			return true
		}
	}
	return false
}

// sealed reports whether SELinux keeps a folder from all but the system's own users.
func sealed(loc string) bool {
	for _, r := range image {
		if r.sealed && loc == treeDir+r.path {
			return true
		}
	}
	return false
}

// within reports whether a slash-separated path is dir or below it.
func within(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}
