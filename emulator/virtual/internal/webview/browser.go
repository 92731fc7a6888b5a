package webview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is a running Chromium with all its processes.
type browser struct {
	cmd    *exec.Cmd
	wire   *wire
	output *tail
	exited chan struct{} // closed when every process of the browser is gone
}

// startBrowser runs Chromium and connects to it. events are handled one by one;
// see [wire.run].
func startBrowser(path string, args, env []string, output *tail, handle func(event)) (*browser, error) {
	commandsR, commandsW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	answersR, answersW, err := os.Pipe()
	if err != nil {
		closeAll(commandsR, commandsW)
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	outputR, outputW, err := os.Pipe()
	if err != nil {
		closeAll(commandsR, commandsW, answersR, answersW)
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	b := &browser{cmd: exec.Command(path, args...), output: output, exited: make(chan struct{})}
	b.cmd.Env = env
	b.cmd.ExtraFiles = []*os.File{commandsR, answersW} // file descriptors 3 and 4
	b.cmd.Stderr = outputW
	// A group of its own: distributions start Chromium through scripts, and the
	// group is what reaches all of its processes.
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = b.cmd.Start()
	closeAll(commandsR, answersW, outputW)
	if err != nil {
		closeAll(commandsW, answersR, outputR)
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	transport := chromedp.NewPipeConn(answersR, commandsW)
	b.wire = newWire(transport)
	go b.attend(transport, outputR, handle)
	return b, nil
}

// grace is how long a browser that has said goodbye may take to write its
// profile down.
const grace = 10 * time.Second

// attend stays with the browser until every process of it is gone.
func (b *browser) attend(transport *chromedp.PipeConn, output *os.File, handle func(event)) {
	defer close(b.exited)
	var copied sync.WaitGroup
	copied.Go(func() {
		io.Copy(b.output, output)
		output.Close()
	})
	var reaped sync.WaitGroup
	ended := make(chan struct{})
	reaped.Go(func() {
		defer close(ended)
		b.cmd.Process.Wait()
	})
	b.wire.run(handle) // until the browser's end of the pipe is closed
	transport.Close()
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
	}
	// What is left has lost its browser.
	b.kill()
	reaped.Wait()
	// Every process holds standard error, so its end is theirs.
	copied.Wait()
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// kill ends the browser's processes at once.
func (b *browser) kill() {
	if err := syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		b.cmd.Process.Kill()
	}
}

// devTools waits for the address of the debugging port.
func (b *browser) devTools(ctx context.Context) (string, error) {
	select {
	case address := <-b.output.address:
		return address, nil
	case <-b.exited:
		return "", fmt.Errorf("%s ended while it started: %s", b.cmd.Path, b.output)
	case <-ctx.Done():
		return "", fmt.Errorf("%s did not open its debugging port: %w: %s", b.cmd.Path, context.Cause(ctx), b.output)
	}
}

// tail keeps the end of what a browser prints, and takes the address of its
// debugging port and its pages' uncaught errors out of it.
type tail struct {
	address  chan string                         // gets one
	uncaught func(text, source string, line int) // may be nil

	mu    sync.Mutex
	lines []string
	rest  []byte // a line that has not ended
	found bool
}

var (
	listening = regexp.MustCompile(`^DevTools listening on ws://([^/\s]+)/`)
	// A message of more than one line has its source on a later one.
	uncaughtError = regexp.MustCompile(`:INFO:CONSOLE:(\d+)\] "(Uncaught .*?)(?:", source: (\S*) \(\d+\))?$`)
)

const (
	maxLines = 20
	maxLine  = 16 << 10
)

func newTail(uncaught func(text, source string, line int)) *tail {
	return &tail{address: make(chan string, 1), uncaught: uncaught}
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, p...)
	for {
		line, rest, ended := bytes.Cut(t.rest, []byte("\n"))
		if !ended {
			break
		}
		t.line(string(bytes.TrimSpace(line)))
		t.rest = append(t.rest[:0], rest...)
	}
	if len(t.rest) > maxLine {
		t.line(string(t.rest))
		t.rest = t.rest[:0]
	}
	return len(p), nil
}

// line deals with one line; t.mu is held.
func (t *tail) line(line string) {
	if m := listening.FindStringSubmatch(line); m != nil && !t.found {
		t.found = true
		t.address <- m[1]
		return
	}
	if m := uncaughtError.FindStringSubmatch(line); m != nil && t.uncaught != nil {
		n, _ := strconv.Atoi(m[1])
		t.uncaught(m[2], m[3], n)
		return
	}
	// A browser without a desktop complains of the missing D-Bus.
	if line == "" || strings.Contains(line, "dbus") {
		return
	}
	if t.lines = append(t.lines, line); len(t.lines) > maxLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
}

// String is the last lines that mean something.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.lines[max(0, len(t.lines)-5):]
	if len(last) == 0 {
		return "it printed nothing"
	}
	return strings.Join(last, "; ")
}
