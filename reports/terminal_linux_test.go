package reports_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/internal/specimen"
)

// terminal opens a pseudo-terminal: what is written to tty can be read from master.
func terminal(t *testing.T) (master, tty *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	var unlock, n int32
	for _, call := range []struct {
		request uintptr
		arg     *int32
	}{{unix.TIOCSPTLCK, &unlock}, {unix.TIOCGPTN, &n}} {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, master.Fd(), call.request, uintptr(unsafe.Pointer(call.arg))); errno != 0 {
			t.Skipf("no pseudo-terminals here: %v", errno)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { tty.Close() })
	return master, tty
}

// shown is what a terminal of so many columns is shown; zero for one that does not say.
func shown(t *testing.T, in reports.Input, wide uint16) string {
	t.Helper()
	master, tty := terminal(t)
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: wide, Row: 40}); err != nil {
		t.Fatal(err)
	}
	read := readUntil(master, "stands for")
	if err := reports.Write(t.Context(), reports.FormatText, tty, in); err != nil {
		t.Fatal(err)
	}
	return string(<-read)
}

func TestLinesFitTheTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	a := specimen.Guilty(t)
	in := reports.Input{Evidence: a.Evidence, Judgement: a.Judgement}
	for _, wide := range []uint16{0, 60, 80, 140} {
		limit := int(wide)
		if wide == 0 {
			limit = 100
		}
		longest := 0
		for _, line := range strings.Split(shown(t, in, wide), "\n") {
			n := utf8.RuneCountInString(strings.TrimRight(line, "\r"))
			if strings.Contains(line, "chain head") {
				continue // a digest stays whole
			}
			longest = max(longest, n)
			if n > limit {
				t.Errorf("%d columns of %d: %s", n, limit, line)
			}
		}
		if wide > 100 && longest <= 100 {
			t.Errorf("of %d columns only %d are used", wide, longest)
		}
	}
}

func TestColourOnATerminalOnly(t *testing.T) {
	a := specimen.Unread(t)
	in := reports.Input{Evidence: a.Evidence, Judgement: a.Judgement}
	for _, c := range []struct {
		name, noColor, term string
		want                bool
	}{{"a terminal", "", "xterm", true}, {"NO_COLOR", "1", "xterm", false}, {"a dumb terminal", "", "dumb", false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", c.noColor)
			t.Setenv("TERM", c.term)
			master, tty := terminal(t)
			read := readUntil(master, "chain head")
			if err := reports.Write(t.Context(), reports.FormatText, tty, in); err != nil {
				t.Fatal(err)
			}
			out := string(<-read)
			if got := strings.Contains(out, "\x1b[1;33mINCONCLUSIVE"); got != c.want {
				t.Errorf("coloured is %v, want %v:\n%q", got, c.want, out)
			}
		})
	}
	if bytes.Contains(write(t, reports.FormatText, a), []byte("\x1b")) {
		t.Error("colours where there is no terminal")
	}
}

// readUntil reads a terminal until a text has come, or nothing more does.
func readUntil(master io.Reader, text string) <-chan []byte {
	read := make(chan []byte, 1)
	go func() {
		var all []byte
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			all = append(all, b[:n]...)
			if err != nil || bytes.Contains(all, []byte(text)) {
				read <- all
				return
			}
		}
	}()
	return read
}
