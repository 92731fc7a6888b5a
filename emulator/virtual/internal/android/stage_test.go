package android

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/loopback"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// stage is a device whose apps run in a double of the browser.
type stage struct {
	*System
	t       *testing.T
	shell   *shell.Shell
	runtime *fakeRuntime
}

func newStage(t *testing.T, change ...func(*Options)) *stage {
	t.Helper()
	tree, err := rootfs.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sh := shell.New(tree)
	runtime := &fakeRuntime{}
	o := Options{FS: tree, Shell: sh, Runtime: runtime, Loopback: loopback.New()}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := tree.Close(); err != nil {
			t.Errorf("close the tree: %v", err)
		}
	})
	return &stage{System: s, t: t, shell: sh, runtime: runtime}
}

// result is what a script printed.
type result struct {
	out, err string
	code     int
}

func (s *stage) runAs(uid int, stdin []byte, script string) result {
	s.t.Helper()
	var out, errs bytes.Buffer
	code := s.shell.Run(s.t.Context(), shell.Session{UID: uid, Stdin: bytes.NewReader(stdin), Stdout: &out, Stderr: &errs}, script)
	return result{out.String(), errs.String(), code}
}

// sh runs a script as the shell user.
func (s *stage) sh(script string) result { s.t.Helper(); return s.runAs(2000, nil, script) }

// want runs a script that must succeed and returns what it printed.
func (s *stage) want(script string) string {
	s.t.Helper()
	r := s.sh(script)
	if r.code != 0 || r.err != "" {
		s.t.Fatalf("%s: exit code %d\nstdout: %s\nstderr: %s", script, r.code, r.out, r.err)
	}
	return r.out
}

// install streams an APK in, as adb install does.
func (s *stage) install(a testAPK, args string) result {
	s.t.Helper()
	data := a.build(s.t)
	return s.runAs(2000, data, "cmd package install "+args+" -S "+itoa(len(data)))
}

// installed installs an APK that must be taken.
func (s *stage) installedApp(a testAPK) *app {
	s.t.Helper()
	if r := s.install(a, ""); r.out != "Success\n" || r.code != 0 {
		s.t.Fatalf("install %s: %+v", a.pkg, r)
	}
	got, ok := s.registry.get(a.pkg)
	if !ok {
		s.t.Fatalf("%s is not installed", a.pkg)
	}
	return got
}

// launched installs and starts a web app, and returns its double.
func (s *stage) launchedApp(a testAPK) *fakeProcess {
	s.t.Helper()
	s.installedApp(a)
	s.want("am start -n " + a.pkg + "/.Main")
	return s.runtime.last(s.t)
}

// call calls a method of an app's bridge, as its page would.
func (p *fakeProcess) call(t *testing.T, method string, args ...any) (any, error) {
	t.Helper()
	var raw []json.RawMessage
	for _, a := range args {
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, data)
	}
	return p.launch.Bridge.Call(t.Context(), method, raw)
}

// must is a call that must succeed.
func (p *fakeProcess) must(t *testing.T, method string, args ...any) any {
	t.Helper()
	v, err := p.call(t, method, args...)
	if err != nil {
		t.Fatalf("%s%v: %v", method, args, err)
	}
	return v
}

// fakeRuntime is a browser that shows nothing and remembers everything.
type fakeRuntime struct {
	mu    sync.Mutex
	procs []*fakeProcess
	fail  error
}

func (r *fakeRuntime) Start(_ context.Context, l Launch) (Process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return nil, r.fail
	}
	p := &fakeProcess{launch: l, done: make(chan struct{}), events: make(chan fakeEvent, 10), asked: make(chan Prompt, 10), answers: make(chan int, 10)}
	r.procs = append(r.procs, p)
	return p, nil
}

func (r *fakeRuntime) last(t *testing.T) *fakeProcess {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.procs) == 0 {
		t.Fatal("nothing was launched")
	}
	return r.procs[len(r.procs)-1]
}

type fakeEvent struct {
	name   string
	detail string // JSON
}

type fakeProcess struct {
	launch  Launch
	done    chan struct{}
	once    sync.Once
	events  chan fakeEvent
	asked   chan Prompt
	answers chan int

	mu     sync.Mutex
	did    []string
	tree   *Node
	treeIs error
	sent   uint64
	got    uint64
}

func (p *fakeProcess) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.did = append(p.did, s)
}

// doings are what was done to the app so far.
func (p *fakeProcess) doings() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.did)
}

func (p *fakeProcess) Done() <-chan struct{} { return p.done }
func (p *fakeProcess) die()                  { p.once.Do(func() { close(p.done) }) }
func (p *fakeProcess) Stop(context.Context) error {
	p.die()
	return nil
}

func (p *fakeProcess) SetForeground(_ context.Context, on bool) error {
	if on {
		p.note("front")
	} else {
		p.note("back")
	}
	return nil
}

func (p *fakeProcess) Emit(_ context.Context, event string, detail any) error {
	data, err := json.Marshal(detail)
	p.events <- fakeEvent{event, string(data)}
	return err
}

func (p *fakeProcess) Prompt(_ context.Context, q Prompt) (int, error) {
	p.asked <- q
	select {
	case a := <-p.answers:
		return a, nil
	case <-p.done:
		return -1, nil
	}
}

func (p *fakeProcess) Tap(_ context.Context, x, y int) error {
	p.note("tap " + itoa(x) + " " + itoa(y))
	return nil
}

func (p *fakeProcess) Swipe(_ context.Context, from, to image.Point, millis int) error {
	p.note("swipe " + from.String() + to.String() + itoa(millis))
	return nil
}
func (p *fakeProcess) Text(_ context.Context, s string) error { p.note("text " + s); return nil }
func (p *fakeProcess) Key(_ context.Context, k string) error  { p.note("key " + k); return nil }
func (p *fakeProcess) Back(context.Context) (bool, error)     { p.note("history"); return false, nil }
func (p *fakeProcess) DevTools() string                       { return "127.0.0.1:1" }

func (p *fakeProcess) Screenshot(context.Context) ([]byte, error) {
	return encodePNG(image.NewRGBA(image.Rect(0, 0, 2, 3)))
}

func (p *fakeProcess) Tree(context.Context) (*Node, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tree, p.treeIs
}

func (p *fakeProcess) Traffic() (uint64, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent, p.got
}

func itoa(n int) string { data, _ := json.Marshal(n); return string(data) }

// soon waits for something that is about to be true.
func soon[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s did not come within ten seconds", what)
		panic("unreachable")
	}
}

var errNoBrowser = errors.New("no Chromium was found: install chromium-headless-shell")

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q is not in:\n%s", part, text)
	}
}
