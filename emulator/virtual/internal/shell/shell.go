// Package shell is the device's shell: mvdan.cc/sh over the device's file
// tree, with the tools of toybox, and room for the commands of Android's
// framework.
//
// [New] makes one with the tools; [Shell.Register] adds commands;
// [Shell.Run] runs a script. Nothing that a script does touches the host: files
// are those of package rootfs, programs are [Command] functions, and what the
// interpreter would ask of the host by itself is asked of the device.
package shell

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// Shell runs scripts on one device. It is safe for concurrent use.
type Shell struct {
	fs        *rootfs.FS
	processes *Processes
	builtins  map[string]Command // under nowhere
	now       func() time.Time
	booted    time.Time

	mu       sync.RWMutex
	commands map[string]Command
	rootable bool
	release  Release
}

// Release is what uname and the prompt say of the device.
type Release struct {
	Hostname string // the prompt's, ro.product.device
	Kernel   string // uname -r
	Machine  string // uname -m
	Version  string // uname -v
}

// New makes a shell over a device's file tree.
func New(tree *rootfs.FS) *Shell {
	s := &Shell{
		fs:        tree,
		processes: NewProcesses(),
		now:       func() time.Time { return time.Now().UTC() },
		booted:    time.Now(),
		commands:  map[string]Command{},
		rootable:  true,
		release: Release{
			Hostname: "emu64xa",
			Kernel:   "6.1.23-android14-4-00257-g7e35917775b8-ab9964412",
			Machine:  "x86_64",
			Version:  "#1 SMP PREEMPT Mon Apr 17 20:50:58 UTC 2023",
		},
	}
	s.processes.publish = publishTo(tree)
	s.registerTools()
	return s
}

// Register makes a command available under a name. It appears as
// /system/bin/NAME. A command that is there already is replaced.
func (s *Shell) Register(name string, cmd Command) {
	s.mu.Lock()
	s.commands[name] = cmd
	s.mu.Unlock()
	s.place(name, "")
}

// place puts a program's file into the tree, or a link to target.
func (s *Shell) place(name, target string) {
	v := s.fs.Image()
	file := "/system/bin/" + name
	if _, err := v.Lstat(file); err == nil {
		return
	}
	if target != "" {
		_ = v.Symlink(target, file) // without its file a program still runs by its name
		return
	}
	_ = v.WriteFile(file, []byte("\x7fELF this program is part of the embedded device\n"), 0o755)
}

// Commands are the names of all commands, sorted.
func (s *Shell) Commands() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.commands))
}

// Processes is the process table behind ps and kill.
func (s *Shell) Processes() *Processes { return s.processes }

// FS is the tree that the shell works on.
func (s *Shell) FS() *rootfs.FS { return s.fs }

// SetRootable says whether su is on the device. It is at first.
func (s *Shell) SetRootable(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rootable = on
}

// SetRelease says what uname and the prompt print.
func (s *Shell) SetRelease(r Release) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release = r
}

// SetClock sets the time that date, uptime and the like tell.
func (s *Shell) SetClock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	s.booted = now()
}

func (s *Shell) clock() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now()
}

func (s *Shell) uptime() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now().Sub(s.booted)
}

func (s *Shell) command(name string) (Command, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	cmd, ok := s.commands[name]
	return cmd, ok
}

// Session is where and as whom a script runs.
type Session struct {
	UID    int
	Dir    string            // absolute; "/" where empty
	Env    map[string]string // beside Android's usual variables
	Stdin  io.Reader         // may be nil. A reader that can block should be an *os.File, or an io.Closer that Close frees: Run closes it
	Stdout io.Writer
	Stderr io.Writer
	TTY    bool // somebody types: prompt, echo, and \r\n at the ends of lines
	Params []string
}

// Run runs a script and returns its exit code. An empty script means that the
// commands come from Stdin. Run returns when the script and everything that it
// started has ended; when ctx is done, that is soon.
func (s *Shell) Run(ctx context.Context, session Session, script string) int {
	return s.run(ctx, session, script)
}
