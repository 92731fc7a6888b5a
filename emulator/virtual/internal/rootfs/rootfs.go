// Package rootfs is the device's file tree: a folder on the host, with
// Android's owners, modes and mounts on top.
//
// Make one with [New], look at it as some user with [FS.As], and find the
// host's file behind a device path with [FS.Host]. Paths are the device's and
// absolute. Whatever links or ".." a path holds, it never leads out of the
// folder: every path is walked in the device's own name space first, and the
// walk's result is opened through [os.Root].
//
// Owners, modes and mounts exist in name only: on the host every file belongs
// to whoever runs the program. Files that somebody else puts into the folder,
// as a browser does into its profile, belong to whom the folder around them
// belongs to.
package rootfs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"
)

// FS is one device's file tree. It is safe for concurrent use.
type FS struct {
	dir  string
	root *os.Root
	now  func() time.Time

	mu      sync.RWMutex
	owners  map[string]owner   // by location
	special map[string]special // by location
	mounts  []*mount           // a later one hides an earlier one
	nextID  int
}

// treeDir is where the device's own files are within the host's folder; mounted
// file systems have theirs beside it.
const (
	treeDir  = "tree"
	mountDir = "mounts"
)

// New opens hostDir as a device's file tree, and creates Android's usual
// folders in it. The folder is created if it is not there.
func New(hostDir string) (*FS, error) {
	abs, err := filepath.Abs(hostDir)
	if err != nil {
		return nil, fmt.Errorf("open the device's files in %s: %w", hostDir, err)
	}
	for _, d := range []string{treeDir, mountDir} {
		if err := os.MkdirAll(filepath.Join(abs, d), 0o700); err != nil {
			return nil, fmt.Errorf("create the device's files in %s: %w", abs, err)
		}
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open the device's files in %s: %w", abs, err)
	}
	f := &FS{
		dir:     abs,
		root:    root,
		now:     time.Now,
		owners:  map[string]owner{},
		special: map[string]special{},
		mounts:  nativeMounts(),
	}
	if err := f.populate(); err != nil {
		root.Close()
		return nil, fmt.Errorf("create the device's files in %s: %w", abs, err)
	}
	return f, nil
}

// Close frees what the tree holds on the host. The folder stays.
func (f *FS) Close() error { return f.root.Close() }

// Host is the host's path of the file that a device path leads to, every link
// in it followed in the device's name space. The last part need not exist. The
// result has no link in it that the device made.
func (f *FS) Host(name string) (string, error) {
	s, err := f.image().walk(name, true)
	if err != nil {
		return "", pathError("open", name, err)
	}
	return filepath.Join(f.dir, filepath.FromSlash(s.loc)), nil
}

// As is the tree as a user sees it, with the groups that Android gives to that
// user: shell has the SD card's, an app has its own only.
func (f *FS) As(uid int, groups ...int) *View {
	if len(groups) == 0 {
		groups = groupsOf(uid)
	}
	return &View{fs: f, uid: uid, groups: groups}
}

// Image is the tree as the one who builds the device's image sees it: nothing
// is denied, and what is mounted read-only can be written.
func (f *FS) Image() *View { return f.image() }

func (f *FS) image() *View { return &View{fs: f, image: true} }

// SetOwner sets who owns a file and what its mode is, whatever its mount says.
// What is in a folder and has no owner of its own belongs to the folder's owner.
func (f *FS) SetOwner(name string, uid, gid int, mode fs.FileMode) error {
	s, err := f.image().walk(name, true)
	if err == nil && s.info == nil {
		err = errNotExist
	}
	if err != nil {
		return pathError("chown", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owners[s.loc] = owner{uid: uid, gid: gid, mode: mode & modeBits}
	return nil
}

// Generate makes a file whose content is computed each time it is opened, as
// those under /proc are. Folders on the way are created.
func (f *FS) Generate(name string, content func() []byte) error {
	return f.addSpecial(name, special{generate: content})
}

func (f *FS) addSpecial(name string, sp special) error {
	v := f.image()
	if err := v.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	if _, err := v.Lstat(name); err != nil {
		if err := v.WriteFile(name, nil, 0o444); err != nil {
			return err
		}
	}
	s, err := v.walk(name, true)
	if err != nil {
		return pathError("create", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.special[s.loc] = sp
	if sp.device != "" {
		f.owners[s.loc] = owner{mode: 0o666}
	}
	return nil
}

// special is a file that is no file on the host.
type special struct {
	generate func() []byte
	device   string // a character device of the host's that is safe to open, such as /dev/null
}
