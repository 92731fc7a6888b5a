package android

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// webEntry is the activity's metadata that names the first page of a web app
// among the APK's assets.
const webEntry = "org.unasked.web_entry"

// activities is what runs and what is in front.
type activities struct {
	launching sync.Mutex // one launch or stop at a time

	mu       sync.Mutex
	procs    map[string]*process // by package
	front    string              // package; "" for the home screen
	starting string              // package that is being launched
	nextTask int
}

func newActivities() *activities { return &activities{procs: map[string]*process{}, nextTask: 2} }

// process is an app that runs.
type process struct {
	app     *app
	pid     int
	class   string // of its activity
	task    int
	record  string // hexadecimal names of its activity's and its window's objects
	window  string
	run     Process
	ready   chan struct{} // closed when run is set
	gone    chan struct{} // closed when nothing is left of it
	started time.Time

	promptMu  sync.Mutex // one system dialog at a time
	mu        sync.Mutex
	prompting bool
}

// component is the process's activity as package/class.
func (p *process) component() string { return flatten(p.app.Name, p.class) }

func (p *process) setPrompting(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prompting = on
}

func (p *process) isPrompting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.prompting
}

// running are the processes by package name.
func (a *activities) running() []*process {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []*process
	for _, name := range slices.Sorted(maps.Keys(a.procs)) {
		list = append(list, a.procs[name])
	}
	return list
}

// find returns an app's process.
func (a *activities) find(name string) (*process, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.procs[name]
	return p, ok
}

// foreground is the process in front; nil for the home screen.
func (a *activities) foreground() *process {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.procs[a.front]
}

// focused reports whether an app is in front, or about to be.
func (a *activities) focused(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.front == name || a.starting == name
}

// errNoActivity says that a component is not there.
var errNoActivity = errors.New("no such activity")

// cannotRun says why this device can't run an app.
type cannotRun struct{ text string }

func (e *cannotRun) Error() string { return e.text }

// launched is what came of a launch.
type launched struct {
	component string
	reused    bool // it was running, and was brought to the front
	topmost   bool // it was in front already
	took      time.Duration
}

// launch starts an activity, or brings its app to the front. Class is a full
// class name. The error is errNoActivity, a *cannotRun, or what the runtime said.
func (s *System) launch(ctx context.Context, name, class string) (launched, error) {
	begin := time.Now()
	s.activities.launching.Lock()
	defer s.activities.launching.Unlock()
	if err := s.life.Err(); err != nil {
		return launched{}, errors.New("the device is shutting down")
	}
	a, ok := s.registry.get(name)
	if !ok || a.Disabled {
		return launched{}, errNoActivity
	}
	c, ok := a.activity(class)
	if !ok || !c.Enabled {
		return launched{}, errNoActivity
	}
	result := launched{component: flatten(name, class)}
	if p, ok := s.activities.find(name); ok {
		result.reused = true
		result.topmost = s.activities.foreground() == p
		err := s.bringToFront(ctx, p)
		result.took = time.Since(begin)
		return result, err
	}
	entry, err := s.entry(a, c)
	if err != nil {
		return result, err
	}
	p, err := s.spawn(a, c, entry)
	if err != nil {
		return result, err
	}
	s.registry.change(name, func(a *app) { a.Stopped = false })
	err = s.bringToFront(ctx, p)
	result.took = time.Since(begin)
	return result, err
}

// entry is the first page of a web app, or a *cannotRun.
func (s *System) entry(a *app, c apkfile.Component) (string, error) {
	if entry := c.MetaData[webEntry]; entry != "" {
		return entry, nil
	}
	var parts []string
	if a.HasDex {
		parts = append(parts, "Dalvik bytecode")
	}
	if len(a.ABIs) > 0 {
		parts = append(parts, "native code for "+strings.Join(slices.Compact(slices.Sorted(slices.Values(a.ABIs))), ", "))
	}
	why := "nothing says which web page it begins with"
	if len(parts) > 0 {
		why = "its behaviour is compiled code (" + strings.Join(parts, " and ") + ")"
	}
	return "", &cannotRun{fmt.Sprintf("unasked's embedded device can't run %s: %s. This device runs apps made of web assets only, those whose launcher activity names its first page in the meta-data %s. Use a phone or the Android Emulator for this app.", a.Name, why, webEntry)}
}

// spawn starts an app's process and what watches over it.
func (s *System) spawn(a *app, c apkfile.Component, entry string) (*process, error) {
	if s.options.Runtime == nil {
		return nil, &cannotRun{fmt.Sprintf("unasked's embedded device can't run %s: it was started without a browser to run web apps in.", a.Name)}
	}
	host, err := s.fs.Host(a.Base)
	if err != nil {
		return nil, err
	}
	apk, err := apkfile.Open(host)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", a.Base, err)
	}
	data, err := s.fs.Host(a.dataDir())
	if err != nil {
		apk.Close()
		return nil, err
	}
	p := &process{app: a, class: c.Name, record: s.randomHex(4)[:7], window: s.randomHex(4)[:7], ready: make(chan struct{}), gone: make(chan struct{}), started: s.now()}
	var unlist func()
	p.pid, unlist = s.options.Shell.Processes().Add(shell.Process{
		PPID: zygotePID, UID: a.UID, Name: a.Name, Args: []string{a.Name}, RSS: 140_000, VSZ: 15_000_000, Started: p.started,
		Kill: func(int) error {
			s.background(func() { _ = s.stop(s.life, a.Name, "signal") })
			return nil
		},
	})
	s.activities.mu.Lock()
	s.activities.starting = a.Name
	p.task = s.activities.nextTask
	s.activities.nextTask++
	s.activities.mu.Unlock()
	size, dpi := s.display.current()
	run, err := s.options.Runtime.Start(s.life, Launch{
		Package: a.Name, Label: a.Label, UID: a.UID, PID: p.pid, DataDir: data, Assets: apk.Assets(), Entry: entry,
		Bridge: &bridge{system: s, process: p},
		Device: Surroundings{
			Screen: size, Density: float64(dpi) / 160, UserAgent: s.release.UserAgent(), Locale: s.props.get("persist.sys.locale"),
			TimeZone: s.props.get("persist.sys.timezone"), Proxy: s.proxyOnHost(), Authorities: s.authorities(),
		},
	})
	s.activities.mu.Lock()
	s.activities.starting = ""
	if err == nil {
		p.run = run
		s.activities.procs[a.Name] = p
	}
	s.activities.mu.Unlock()
	if err != nil {
		unlist()
		apk.Close()
		close(p.gone)
		return nil, fmt.Errorf("start %s: %w", a.Name, err)
	}
	close(p.ready)
	s.log.write(systemServerPID, 1000, 'I', "ActivityManager", fmt.Sprintf("Start proc %d:%s/u0a%d for top-activity {%s}", p.pid, a.Name, a.UID-10000, p.component()))
	undebug := func() {}
	if addr := run.DevTools(); addr != "" {
		if remove, err := s.options.Loopback.BindAddr(fmt.Sprintf("localabstract:webview_devtools_remote_%d", p.pid), addr); err == nil {
			undebug = remove
		}
	}
	bury := func() {
		<-run.Done()
		s.buried(p)
		undebug()
		unlist()
		apk.Close()
		close(p.gone)
	}
	if !s.background(bury) {
		err := run.Stop(context.WithoutCancel(s.life))
		bury()
		return nil, errors.Join(errors.New("the device is shutting down"), err)
	}
	return p, nil
}

// buried takes a process that has ended out of the books.
func (s *System) buried(p *process) {
	sent, received := p.run.Traffic()
	s.activities.mu.Lock()
	if s.activities.procs[p.app.Name] == p {
		delete(s.activities.procs, p.app.Name)
		if s.activities.front == p.app.Name {
			s.activities.front = ""
		}
	}
	s.activities.mu.Unlock()
	s.traffic.add(p.app.UID, bytesOf{sent, received})
	s.registry.change(p.app.Name, func(a *app) {
		for name, g := range a.Grants {
			if g.OneTime {
				a.Grants[name] = grant{}
			}
		}
	})
	s.log.write(systemServerPID, 1000, 'I', "ActivityManager", fmt.Sprintf("Process %s (pid %d) has died", p.app.Name, p.pid))
}

// bringToFront shows an app instead of what was shown.
func (s *System) bringToFront(ctx context.Context, p *process) error {
	before := s.activities.foreground()
	if before != nil && before != p {
		if err := before.run.SetForeground(ctx, false); err != nil && !ended(before) {
			return err
		}
	}
	s.activities.mu.Lock()
	s.activities.front = p.app.Name
	s.activities.mu.Unlock()
	if before == p {
		return nil
	}
	if err := p.run.SetForeground(ctx, true); err != nil && !ended(p) {
		return err
	}
	return nil
}

// ended reports whether a process has ended by itself.
func ended(p *process) bool {
	select {
	case <-p.run.Done():
		return true
	default:
		return false
	}
}

// goHome shows the home screen.
func (s *System) goHome(ctx context.Context) error {
	p := s.activities.foreground()
	s.activities.mu.Lock()
	s.activities.front = ""
	s.activities.mu.Unlock()
	if p == nil {
		return nil
	}
	if err := p.run.SetForeground(ctx, false); err != nil && !ended(p) {
		return err
	}
	return nil
}

// stop ends an app's process, if there is one, and waits until nothing is left of it.
func (s *System) stop(ctx context.Context, name, why string) error {
	s.activities.launching.Lock()
	defer s.activities.launching.Unlock()
	p, ok := s.activities.find(name)
	if !ok {
		return nil
	}
	s.log.write(systemServerPID, 1000, 'I', "ActivityManager", fmt.Sprintf("Killing %d:%s/u0a%d: stop %s due to %s", p.pid, name, p.app.UID-10000, name, why))
	if err := p.run.Stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stopAll ends every app.
func (s *System) stopAll(ctx context.Context) error {
	var errs []error
	for _, p := range s.activities.running() {
		errs = append(errs, s.stop(ctx, p.app.Name, "shutdown"))
	}
	return errors.Join(errs...)
}

// background runs f in a goroutine that Close waits for. It reports whether
// the system still takes work.
func (s *System) background(f func()) bool {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return false
	}
	s.work.Go(f)
	return true
}
