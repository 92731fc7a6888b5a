package android

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
)

// installOptions are the switches of "pm install" that make a difference here.
type installOptions struct {
	noReplace bool   // -R
	downgrade bool   // -d
	testOnly  bool   // -t
	grantAll  bool   // -g
	lowTarget bool   // --bypass-low-target-sdk-block
	inherit   string // -p: add to what is installed
	installer string
}

// session is an installation that is being sent.
type session struct {
	ID      int
	Dir     string
	Options installOptions
	Files   []staged
}

// sessions are the installations under way.
type sessions struct {
	mu   sync.Mutex
	open map[int]*session
}

func newSessions() *sessions { return &sessions{open: map[int]*session{}} }

// openSession begins an installation.
func (s *System) openSession(o installOptions) (*session, error) {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for {
		id := int(binary.BigEndian.Uint32(s.random(4))&0x7fffffff) | 1
		if _, taken := s.sessions.open[id]; taken {
			continue
		}
		ses := &session{ID: id, Dir: fmt.Sprintf("/data/app/vmdl%d.tmp", id), Options: o}
		if err := s.mkdir(ses.Dir, 1000, 1000, 0o775); err != nil {
			return nil, err
		}
		s.sessions.open[id] = ses
		return ses, nil
	}
}

// find returns a session that is open.
func (ss *sessions) find(id int) (*session, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ses, ok := ss.open[id]; ok {
		return ses, nil
	}
	return nil, securityException("Caller has no access to session %d", id)
}

// write receives one APK. size is its length in bytes, or -1 for all that
// comes. What is more than the device has room for is refused.
func (s *System) writeSession(ses *session, name string, r io.Reader, size int64) (int64, error) {
	if name == "" || name == "-" {
		name = "base.apk"
	}
	if name != path.Base(name) || name == "." || name == ".." || strings.ContainsRune(name, 0) || len(name) > 200 {
		return 0, illegalArgument("Invalid name: %s", name)
	}
	free := s.free()
	if size > free {
		return 0, fail("INSTALL_FAILED_INSUFFICIENT_STORAGE", "Failed to override installation location")
	}
	file := ses.Dir + "/" + name
	w, err := s.files.Create(file)
	if err != nil {
		return 0, err
	}
	limit := size
	if size < 0 {
		limit = free + 1
	}
	n, err := io.Copy(w, io.LimitReader(r, limit))
	if err = errors.Join(err, w.Close()); err != nil {
		return n, err
	}
	if size >= 0 && n < size {
		return n, refusef("java.io.IOException: expected %d bytes but got %d: the connection ended early", size, n)
	}
	if n > free {
		return n, fail("INSTALL_FAILED_INSUFFICIENT_STORAGE", "Failed to override installation location")
	}
	if err := s.fs.SetOwner(file, 1000, 1000, 0o644); err != nil {
		return n, err
	}
	host, err := s.fs.Host(file)
	if err != nil {
		return n, err
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for i, f := range ses.Files {
		if f.Path == file {
			ses.Files[i].Size = n
			return n, nil
		}
	}
	ses.Files = append(ses.Files, staged{Path: file, Host: host, Size: n})
	return n, nil
}

// abandon ends a session and takes its files away.
func (s *System) abandon(ses *session) error {
	s.sessions.mu.Lock()
	delete(s.sessions.open, ses.ID)
	s.sessions.mu.Unlock()
	return s.files.RemoveAll(ses.Dir)
}

// clear abandons every session.
func (ss *sessions) clear(s *System) {
	ss.mu.Lock()
	var list []*session
	for _, ses := range ss.open {
		list = append(list, ses)
	}
	ss.mu.Unlock()
	for _, ses := range list {
		_ = s.abandon(ses)
	}
}

// free is how many bytes are left for apps.
func (s *System) free() int64 {
	used := int64(0)
	for _, a := range s.registry.all() {
		if a.System {
			continue
		}
		for _, p := range append([]string{a.Base}, a.Splits...) {
			if info, err := s.files.Stat(p); err == nil {
				used += info.Size()
			}
		}
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for _, ses := range s.sessions.open {
		for _, f := range ses.Files {
			used += f.Size
		}
	}
	return max(s.options.Storage-used, 0)
}
