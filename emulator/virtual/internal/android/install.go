package android

import (
	"context"
	"fmt"
	"slices"
)

// commit installs what a session holds and ends it, whatever comes of it. What
// is wrong with the package is an *installFailure.
func (s *System) commit(ctx context.Context, ses *session) (err error) {
	s.installing.Lock()
	defer s.installing.Unlock()
	defer func() {
		if e := s.abandon(ses); err == nil {
			err = e
		}
	}()
	if len(ses.Files) == 0 {
		return fail("INSTALL_FAILED_INVALID_APK", "Session has no files")
	}
	p, err := inspect(ses.Files, s.release)
	if err != nil {
		return err
	}
	old, err := s.admit(p, ses.Options)
	if err != nil {
		return err
	}
	if err := s.stop(ctx, p.app.Name, "update"); err != nil {
		return err
	}
	return s.place(p, old, ses.Options)
}

// admit decides whether a package may be installed beside, or over, what is there.
func (s *System) admit(p *parcel, o installOptions) (old *app, err error) {
	a := p.app
	if s.release.TargetFloor > 0 && a.TargetSDK < s.release.TargetFloor && !o.lowTarget {
		return nil, fail("INSTALL_FAILED_DEPRECATED_SDK_VERSION", "App package must target at least SDK version %d, but found %d", s.release.TargetFloor, a.TargetSDK)
	}
	if a.TestOnly && !o.testOnly {
		return nil, fail("INSTALL_FAILED_TEST_ONLY", "Failed to install test-only apk. Did you forget to add -t?")
	}
	old, there := s.registry.kept(a.Name)
	if there {
		switch {
		case !old.Kept && o.noReplace:
			return nil, fail("INSTALL_FAILED_ALREADY_EXISTS", "Attempt to re-install %s without first uninstalling.", a.Name)
		case old.System:
			return nil, fail("INSTALL_FAILED_UPDATE_INCOMPATIBLE", "Existing package %s signatures do not match newer version; ignoring!", a.Name)
		case !a.sameSigners(old):
			return nil, fail("INSTALL_FAILED_UPDATE_INCOMPATIBLE", "Existing package %s signatures do not match newer version; ignoring!", a.Name)
		case a.VersionCode < old.VersionCode && !o.downgrade && !old.Kept:
			return nil, fail("INSTALL_FAILED_VERSION_DOWNGRADE", "Downgrade detected: Update version code %d is older than current %d", a.VersionCode, old.VersionCode)
		}
	} else {
		old = nil
	}
	for _, other := range s.registry.all() {
		if other.Name == a.Name || other.Manifest == nil || other.Kept {
			continue
		}
		for _, provider := range a.Manifest.Providers {
			for _, theirs := range other.Manifest.Providers {
				for _, authority := range provider.Authorities {
					if slices.Contains(theirs.Authorities, authority) {
						return nil, fail("INSTALL_FAILED_CONFLICTING_PROVIDER", "Can't install because provider name %s (in package %s) is already used by %s", authority, a.Name, other.Name)
					}
				}
			}
		}
	}
	return old, nil
}

// place moves a package's files to where they stay and makes it known.
func (s *System) place(p *parcel, old *app, o installOptions) error {
	a := p.app
	a.Dir = fmt.Sprintf("/data/app/~~%s/%s-%s", s.randomName(), a.Name, s.randomName())
	if err := s.files.MkdirAll(a.Dir, 0o755); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			_ = s.files.RemoveAll(parentOf(a.Dir))
		}
	}()
	for i, f := range p.files {
		name := a.Dir + "/base.apk"
		if i > 0 {
			name = a.Dir + "/split_" + p.splits[i-1] + ".apk"
			a.Splits = append(a.Splits, name)
		} else {
			a.Base = name
		}
		if err := s.files.Rename(f.Path, name); err != nil {
			return err
		}
	}
	a.Installed, a.Updated, a.Installer, a.Stopped = s.now(), s.now(), o.installer, true
	if old != nil {
		a.UID, a.Grants, a.Disabled = old.UID, old.Grants, old.Disabled && !old.Kept
		if !old.Kept {
			a.Installed = old.Installed
		}
	}
	s.settleGrants(a, o.grantAll)
	s.registry.put(a)
	a, _ = s.registry.get(a.Name)
	done = true
	if err := s.mkdir(a.dataDir(), a.UID, a.UID, modePrivate); err != nil {
		return err
	}
	for _, d := range []string{"/cache", "/code_cache"} {
		if err := s.mkdir(a.dataDir()+d, a.UID, a.UID, modeCache); err != nil {
			return err
		}
	}
	if old != nil && old.Dir != "" {
		if err := s.files.RemoveAll(parentOf(old.Dir)); err != nil {
			return err
		}
	}
	s.log.write(systemServerPID, 1000, 'I', "PackageManager", fmt.Sprintf("Package %s installed as uid %d: %s", a.Name, a.UID, a.Base))
	return nil
}

// The modes of an app's folders.
const (
	modePrivate = 0o700
	modeCache   = 0o771
)

// parentOf is the random folder around a code path.
func parentOf(dir string) string {
	for i := len(dir) - 1; i > 0; i-- {
		if dir[i] == '/' {
			return dir[:i]
		}
	}
	return dir
}

// settleGrants gives an app what it gets without asking, and drops what it
// does not ask for any more.
func (s *System) settleGrants(a *app, all bool) {
	grants := map[string]grant{}
	for _, name := range a.requested(s.release.API) {
		p, ok := s.known[name]
		if !ok {
			continue
		}
		g := a.Grants[name]
		if p.Install() || p.Protection == "appop" || p.Runtime() && all {
			g.Granted = true
		}
		grants[name] = g
	}
	a.Grants = grants
}

// uninstall takes a package away. With keep, its data and its uid stay.
func (s *System) uninstall(ctx context.Context, name string, keep bool) error {
	s.installing.Lock()
	defer s.installing.Unlock()
	a, ok := s.registry.kept(name)
	if !ok || a.System || a.Kept && keep {
		return refusal("DELETE_FAILED_INTERNAL_ERROR")
	}
	if err := s.stop(ctx, name, "uninstall"); err != nil {
		return err
	}
	if a.Dir != "" {
		if err := s.files.RemoveAll(parentOf(a.Dir)); err != nil {
			return err
		}
	}
	if keep {
		s.registry.change(name, func(a *app) { a.Kept, a.Dir, a.Base, a.Splits = true, "", "", nil })
	} else {
		if err := s.files.RemoveAll(a.dataDir()); err != nil {
			return err
		}
		s.registry.remove(name)
		s.forgetSSAID(a)
		s.appops.forget(name)
	}
	served := map[string]bool{}
	for _, x := range s.authenticators() {
		served[x.Type] = true
	}
	gone := map[string]bool{}
	for _, x := range a.Accounts {
		gone[x.Type] = !served[x.Type]
	}
	s.accounts.purge(func(typ string) bool { return !gone[typ] })
	s.log.write(systemServerPID, 1000, 'I', "PackageManager", "Package "+name+" uninstalled")
	return nil
}

// clear wipes an app's data and takes back what it was granted, as "pm clear".
func (s *System) clear(ctx context.Context, name string) error {
	s.installing.Lock()
	defer s.installing.Unlock()
	a, ok := s.registry.get(name)
	if !ok {
		return refusal("Failed")
	}
	if err := s.stop(ctx, name, "clear data"); err != nil {
		return err
	}
	entries, err := s.files.ReadDir(a.dataDir())
	if err == nil {
		for _, e := range entries {
			if err := s.files.RemoveAll(a.dataDir() + "/" + e.Name()); err != nil {
				return err
			}
		}
	}
	for _, d := range []string{"/cache", "/code_cache"} {
		if err := s.mkdir(a.dataDir()+d, a.UID, a.UID, modeCache); err != nil {
			return err
		}
	}
	s.registry.change(name, func(a *app) {
		for p, g := range a.Grants {
			if s.known[p].Runtime() {
				g = grant{}
			}
			a.Grants[p] = g
		}
	})
	return nil
}

// authenticators are the services for accounts that there are: the device's
// own first, then those that installed apps offer.
func (s *System) authenticators() []authenticator {
	list := []authenticator{{Type: homeAccountType, Component: homePackage + "/" + homePackage + ".Accounts", UID: homeUID}}
	for _, a := range s.registry.all() {
		if a.Kept {
			continue
		}
		for _, x := range a.Accounts {
			list = append(list, authenticator{Type: x.Type, Component: a.Name + "/" + x.Service, UID: a.UID})
		}
	}
	return list
}
