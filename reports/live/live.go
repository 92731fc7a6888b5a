package live

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/term"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// View is a running display. Its methods may be called from any goroutine.
type View interface {
	// Event takes the next event of the log in.
	Event(evidence.Event)
	// Close draws for the last time and gives the terminal back.
	Close() error
}

// Lines writes a line to w for each thing worth knowing, with the time since the
// first event in front.
func Lines(w io.Writer, spot Spotter) View {
	return &lines{w: w, spot: spot, state: newState()}
}

type lines struct {
	mu    sync.Mutex
	w     io.Writer
	spot  Spotter
	state *state
	first time.Time
	err   error
}

func (l *lines) Event(e evidence.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first.IsZero() {
		l.first = e.At
	}
	for _, n := range l.state.apply(e, l.spot(e)) {
		since := n.at.Sub(l.first).Round(100 * time.Millisecond).Seconds()
		if _, err := fmt.Fprintf(l.w, "%6.1fs  %s\n", since, n.text); err != nil && l.err == nil {
			l.err = err
		}
	}
}

func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Screen draws a display on a terminal, and calls interrupt when the person
// presses Ctrl-C, which a terminal in raw mode doesn't turn into a signal.
func Screen(in io.Reader, out io.Writer, interrupt func(), spot Spotter) View {
	s := &display{done: make(chan struct{}), spot: spot}
	s.program = tea.NewProgram(&model{state: newState(), interrupt: interrupt},
		tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler())
	go func() {
		defer close(s.done)
		_, s.err = s.program.Run()
	}()
	return s
}

type display struct {
	program *tea.Program
	spot    Spotter
	done    chan struct{}
	err     error // once done is closed
}

func (s *display) Event(e evidence.Event) { s.program.Send(arrived{e, s.spot(e)}) }

func (s *display) Close() error {
	s.program.Send(over{})
	<-s.done
	return s.err
}

// None shows nothing.
func None() View { return none{} }

type none struct{}

func (none) Event(evidence.Event) {}
func (none) Close() error         { return nil }

// Terminal reports whether f is one that can be drawn on.
func Terminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
