package android

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/internal/apkfile"
)

// app is an installed package.
type app struct {
	Name        string
	Label       string
	UID         int
	System      bool
	Dir         string   // code path; "" for a package that is only data
	Base        string   // path of the base APK
	Splits      []string // paths of the other APKs
	VersionCode int64
	VersionName string
	MinSDK      int
	TargetSDK   int
	Debuggable  bool
	TestOnly    bool
	HasDex      bool
	ABIs        []string // of its native libraries
	Signers     [][]byte // DER certificates
	Schemes     []int    // signature schemes that verified
	Installed   time.Time
	Updated     time.Time
	Installer   string
	Manifest    *apkfile.Manifest // nil for a package of the system
	Accounts    []apkfile.Authenticator
	Grants      map[string]grant // by permission that it asks for
	Disabled    bool
	Stopped     bool // never launched, or forced to stop
	Kept        bool // uninstalled, its data kept
}

// requested are the permissions that the app asks for on this release.
func (a *app) requested(api int) []string {
	if a.Manifest == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Manifest.Permissions), func(p string) bool {
		last, limited := a.Manifest.PermissionMaxSDK[p]
		return limited && last < api
	})
}

// asks reports whether the manifest asks for a permission.
func (a *app) asks(api int, permission string) bool {
	return slices.Contains(a.requested(api), permission)
}

// dataDir is where the app's private files are.
func (a *app) dataDir() string { return "/data/data/" + a.Name }

// sameSigners reports whether two packages were signed by the same certificates.
func (a *app) sameSigners(b *app) bool {
	return slices.EqualFunc(a.Signers, b.Signers, bytes.Equal)
}

// signature is the SHA-256 of the first signing certificate.
func (a *app) signature() [sha256.Size]byte {
	if len(a.Signers) == 0 {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(a.Signers[0])
}

// activity finds an activity by its full class name.
func (a *app) activity(class string) (apkfile.Component, bool) {
	if a.Manifest != nil {
		for _, c := range a.Manifest.Activities {
			if c.Name == class {
				return c, true
			}
		}
	}
	return apkfile.Component{}, false
}

// launcher is the activity that a home screen shows.
func (a *app) launcher() (apkfile.Component, bool) {
	if a.Manifest == nil {
		return apkfile.Component{}, false
	}
	return a.Manifest.Launcher()
}

// flatten writes a component as package/class, with the class shortened to
// ".Class" where it is in the package, as ComponentName.flattenToShortString does.
func flatten(pkg, class string) string {
	if rest, ok := strings.CutPrefix(class, pkg); ok && strings.HasPrefix(rest, ".") {
		return pkg + "/" + rest
	}
	return pkg + "/" + class
}

// registry is what is installed. Its methods hand out copies.
type registry struct {
	mu      sync.Mutex
	apps    map[string]*app
	nextUID int
}

// homeUID is the home screen's uid.
const homeUID = 10055

// firstUID is the uid of the first app that is installed.
const firstUID = 10100

func newRegistry(r Release, at time.Time) *registry {
	reg := &registry{apps: map[string]*app{}, nextUID: firstUID}
	for _, s := range []struct {
		name, label, dir string
		uid              int
	}{
		{"android", "Android System", "/system/framework/framework-res.apk", 1000},
		{"com.android.providers.settings", "Settings Storage", "/system/priv-app/SettingsProvider/SettingsProvider.apk", 1000},
		{"com.android.shell", "Shell", "/system/priv-app/Shell/Shell.apk", 2000},
		{"com.android.providers.contacts", "Contacts Storage", "/system/priv-app/ContactsProvider/ContactsProvider.apk", 10050},
		{"com.android.providers.calendar", "Calendar Storage", "/system/priv-app/CalendarProvider/CalendarProvider.apk", 10051},
		{"com.android.providers.media.module", "Media", "/apex/com.android.mediaprovider/priv-app/MediaProvider/MediaProvider.apk", 10052},
		{"com.android.permissioncontroller", "Permission controller", "/apex/com.android.permission/priv-app/PermissionController/PermissionController.apk", 10053},
		{"com.google.android.gms", "Advertising id only (simulated)", "/product/priv-app/GmsCore/GmsCore.apk", 10054},
		{homePackage, "Home", "/system/app/Home/Home.apk", homeUID},
	} {
		reg.apps[s.name] = &app{
			Name: s.name, Label: s.label, UID: s.uid, System: true, Base: s.dir, Dir: s.dir[:strings.LastIndexByte(s.dir, '/')],
			VersionCode: int64(r.API), VersionName: r.Version, MinSDK: r.API, TargetSDK: r.API, Installed: at, Updated: at,
			Grants: map[string]grant{},
		}
	}
	return reg
}

// clone is a copy that shares only what never changes.
func (a *app) clone() *app {
	c := *a
	c.Grants = maps.Clone(a.Grants)
	return &c
}

// get returns a package that is installed, by name.
func (r *registry) get(name string) (*app, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.apps[name]
	if !ok || a.Kept {
		return nil, false
	}
	return a.clone(), true
}

// kept returns a package of which at least the data is there.
func (r *registry) kept(name string) (*app, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.apps[name]
	if !ok {
		return nil, false
	}
	return a.clone(), true
}

// all are the installed packages, by name.
func (r *registry) all() []*app {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*app
	for _, name := range slices.Sorted(maps.Keys(r.apps)) {
		list = append(list, r.apps[name].clone())
	}
	return list
}

// change applies f to a package and reports whether it is there.
func (r *registry) change(name string, f func(*app)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.apps[name]
	if ok {
		f(a)
	}
	return ok
}

// remove forgets a package.
func (r *registry) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.apps, name)
}

// put adds or replaces a package; one without a uid gets the next.
func (r *registry) put(a *app) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.UID == 0 {
		a.UID = r.nextUID
		r.nextUID++
	}
	r.apps[a.Name] = a.clone()
}
