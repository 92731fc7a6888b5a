package shell

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
)

// session is one running shell: a login, a script, or a nested sh.
type session struct {
	shell *Shell
	pid   int
	ppid  int
	depth int
	tty   bool
	name  string // $0
	gate  *gate
	jobs  *jobs

	stdout io.Writer // where /dev/tty and /dev/stdout lead
	stderr io.Writer
}

// maxDepth is how deep shells may start shells.
const maxDepth = 40

func (s *Shell) run(ctx context.Context, set Session, script string) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if set.Stdout == nil {
		set.Stdout = io.Discard
	}
	if set.Stderr == nil {
		set.Stderr = io.Discard
	}
	if set.Dir == "" {
		set.Dir = "/"
	}
	g := newGate()
	var out, errOut io.Writer = &gatedWriter{gate: g, w: set.Stdout}, &gatedWriter{gate: g, w: set.Stderr}
	interrupt := func() {}
	foreground := &foreground{}
	if set.TTY {
		out, errOut = newlines(out), newlines(errOut)
		interrupt = foreground.interrupt
	}
	stdin, release, err := openInput(set, out, interrupt)
	if err != nil {
		io.WriteString(set.Stderr, "/system/bin/sh: "+err.Error()+"\n")
		return 1
	}
	self, remove := s.processes.enter(Process{PPID: 1, UID: set.UID, Name: "sh", Kill: func(int) error { cancel(); return nil }})
	ss := &session{shell: s, pid: self.PID, ppid: 1, tty: set.TTY, name: "/system/bin/sh", gate: g, stdout: out, stderr: errOut}
	call := &Call{
		UID: set.UID, Dir: set.Dir, Env: s.environment(set),
		Stdin: stdin, Stdout: out, Stderr: errOut,
		FS: s.fs.As(set.UID), Shell: s, TTY: set.TTY, session: ss,
	}
	code := ss.interpret(ctx, call, script, set.Params, foreground)
	cancel()
	g.close()
	release()
	remove()
	return code
}

// environment is the exported variables of a new session.
func (s *Shell) environment(set Session) map[string]string {
	s.mu.RLock()
	host := s.release.Hostname
	s.mu.RUnlock()
	user := userName(set.UID)
	env := map[string]string{
		"ANDROID_ART_ROOT": "/apex/com.android.art", "ANDROID_ASSETS": "/system/app", "ANDROID_BOOTLOGO": "1",
		"ANDROID_DATA": "/data", "ANDROID_ROOT": "/system", "ANDROID_STORAGE": "/storage",
		"EXTERNAL_STORAGE": "/sdcard", "HOME": "/", "HOSTNAME": host, "LOGNAME": user, "USER": user,
		"SHELL": "/system/bin/sh", "TERM": "dumb", "TMPDIR": "/data/local/tmp",
		"PATH": "/product/bin:/apex/com.android.runtime/bin:/apex/com.android.art/bin:/system_ext/bin:/system/bin:/system/xbin:/odm/bin:/vendor/bin:/vendor/xbin",
	}
	for name, value := range set.Env {
		env[name] = value
	}
	return env
}

// openInput makes a file of whatever the session reads from, since the
// interpreter reads from files. release ends and waits for what copies.
func openInput(set Session, echo io.Writer, interrupt func()) (file *os.File, release func(), err error) {
	if set.Stdin == nil {
		file, err = os.Open(os.DevNull)
		return file, func() { file.Close() }, err
	}
	if f, ok := set.Stdin.(*os.File); ok && !set.TTY {
		return f, func() {}, nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer pw.Close()
		if set.TTY {
			(&terminal{in: set.Stdin, out: pw, echo: echo, interrupt: interrupt}).run()
			return
		}
		io.Copy(pw, set.Stdin)
	})
	return pr, func() {
		pr.Close()
		if c, ok := set.Stdin.(io.Closer); ok {
			c.Close()
		}
		wg.Wait()
	}, nil
}

// script runs a nested shell.
func (s *Shell) script(ctx context.Context, c *Call, script string, params []string) int {
	parent := c.session
	if parent.depth >= maxDepth {
		return c.Errorf("too many shells within shells")
	}
	self, remove := s.processes.enter(Process{PPID: parent.pid, UID: c.UID, Name: "sh"})
	defer remove()
	ss := *parent
	ss.pid, ss.ppid, ss.depth, ss.name = self.PID, parent.pid, parent.depth+1, "sh"
	if len(params) > 0 {
		ss.name, params = params[0], params[1:]
	}
	return ss.interpret(ctx, c, script, params, &foreground{})
}

// gate counts the programs that run in a session, and lets nothing out once it
// is closed.
type gate struct {
	mu      sync.Mutex
	changed *sync.Cond
	running int
	closed  bool
}

func newGate() *gate {
	g := &gate{}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// enter reports whether a program may start.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.running++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.changed.Broadcast()
}

// close waits for the programs that run.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for g.running > 0 {
		g.changed.Wait()
	}
}

var errEnded = errors.New("the session has ended")

// gatedWriter serialises writes and refuses them after the session's end.
type gatedWriter struct {
	gate *gate
	w    io.Writer
	mu   sync.Mutex
}

func (g *gatedWriter) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gate.mu.Lock()
	ended := g.gate.closed && g.gate.running == 0
	g.gate.mu.Unlock()
	if ended {
		return 0, errEnded
	}
	return g.w.Write(p)
}

// foreground is what the terminal's interrupt key ends.
type foreground struct {
	mu     sync.Mutex
	cancel context.CancelFunc
}

func (f *foreground) interrupt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cancel != nil {
		f.cancel()
	}
}

// start makes the context of one command line. What the line started in the
// background keeps it, so only an interrupt or the session's end cancels it.
func (f *foreground) start(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	f.mu.Lock()
	f.cancel = cancel
	f.mu.Unlock()
	return ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.cancel = nil
	}
}
