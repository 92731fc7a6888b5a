package shell

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Process is one entry of the process table.
type Process struct {
	PID, PPID, UID int
	Name           string // as ps prints it
	Args           []string
	State          string // S, R ...; S where empty
	RSS, VSZ       int    // KiB
	Started        time.Time
	// Kill is called with a signal's number; nil for a process that can't be killed.
	Kill func(signal int) error
}

// Processes is the device's process table. It is safe for concurrent use.
type Processes struct {
	mu   sync.Mutex
	list map[int]Process
	next int
	now  func() time.Time
	// publish shows a process under /proc; withdraw takes it away again.
	publish func(Process) (withdraw func())
}

// FirstPID is the first number that Add hands out.
const FirstPID = 3000

// NewProcesses makes an empty table.
func NewProcesses() *Processes {
	return &Processes{list: map[int]Process{}, next: FirstPID, now: time.Now}
}

// Add enters a process. PID 0 asks for the next free number; a number that is
// taken is replaced. remove takes it away again.
func (t *Processes) Add(p Process) (pid int, remove func()) {
	p, leave := t.enter(p)
	if t.publish == nil {
		return p.PID, leave
	}
	withdraw := t.publish(p)
	return p.PID, func() {
		leave()
		withdraw()
	}
}

func (t *Processes) enter(p Process) (entered Process, remove func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.PID == 0 {
		for p.PID == 0 {
			if _, taken := t.list[t.next]; !taken {
				p.PID = t.next
			}
			if t.next++; t.next > 32767 {
				t.next = FirstPID
			}
		}
	}
	if p.State == "" {
		p.State = "S"
	}
	if p.Started.IsZero() {
		p.Started = t.now()
	}
	t.list[p.PID] = p
	started := p.Started
	return p, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if now, ok := t.list[p.PID]; ok && now.Started.Equal(started) && now.Name == p.Name {
			delete(t.list, p.PID)
		}
	}
}

// List is every process by number.
func (t *Processes) List() []Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Process, 0, len(t.list))
	for _, p := range t.list {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Process) int { return a.PID - b.PID })
	return out
}

// Find is the process with that number.
func (t *Processes) Find(pid int) (Process, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.list[pid]
	return p, ok
}

// Signal sends a signal to a process as a user. The error is a syscall.Errno
// where the process is not there or not the user's.
func (t *Processes) Signal(uid, pid, signal int) error {
	p, ok := t.Find(pid)
	switch {
	case !ok:
		return syscall.ESRCH
	case uid != 0 && uid != p.UID:
		return syscall.EPERM
	case signal == 0:
		return nil
	case p.Kill == nil:
		return syscall.EPERM
	}
	if err := p.Kill(signal); err != nil {
		return fmt.Errorf("kill %d: %w", pid, err)
	}
	return nil
}
