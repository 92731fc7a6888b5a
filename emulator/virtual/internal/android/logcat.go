package android

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// logEntry is one message of the log.
type logEntry struct {
	At       time.Time
	PID, UID int
	Priority byte // V, D, I, W, E, F
	Tag      string
	Message  string
}

// logLimit is how many messages are kept.
const logLimit = 20_000

// logBuffer is the device's log: a ring that any number may follow.
type logBuffer struct {
	mu      sync.Mutex
	entries []logEntry
	first   int           // number of the oldest entry kept
	more    chan struct{} // closed and replaced when something is written
	now     func() time.Time
}

func newLogBuffer(now func() time.Time) *logBuffer {
	return &logBuffer{more: make(chan struct{}), now: now}
}

// write adds a message; each line of it is an entry of its own, as in logcat.
func (l *logBuffer) write(pid, uid int, priority byte, tag, message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.SplitSeq(strings.TrimRight(message, "\n"), "\n") {
		l.entries = append(l.entries, logEntry{At: l.now(), PID: pid, UID: uid, Priority: priority, Tag: tag, Message: strings.TrimRight(line, "\r")})
	}
	if over := len(l.entries) - logLimit; over > 0 {
		l.entries = slices.Delete(l.entries, 0, over)
		l.first += over
	}
	close(l.more)
	l.more = make(chan struct{})
}

// clear empties the log.
func (l *logBuffer) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first += len(l.entries)
	l.entries = nil
}

// since returns the entries from number n on, the number after them, and a
// channel that is closed when there is more.
func (l *logBuffer) since(n int) ([]logEntry, int, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := min(max(n-l.first, 0), len(l.entries))
	return slices.Clone(l.entries[from:]), l.first + len(l.entries), l.more
}

// follow calls emit with every entry from the beginning on until the context ends or emit fails.
func (l *logBuffer) follow(ctx context.Context, emit func(logEntry) error) error {
	for n := 0; ; {
		entries, next, more := l.since(n)
		for _, e := range entries {
			if err := emit(e); err != nil {
				return err
			}
		}
		n = next
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// logFormats are the values of logcat's -v that this device knows.
var logFormats = []string{"brief", "long", "process", "raw", "tag", "thread", "threadtime", "time", "epoch", "year", "UTC", "uid"}

// format prints an entry in one of logcat's formats; modifiers such as epoch come beside it.
func (e logEntry) format(format string, modifiers []string, zone *time.Location) string {
	at := e.At.In(zone)
	stamp := at.Format("01-02 15:04:05.000")
	if slices.Contains(modifiers, "UTC") {
		stamp = e.At.UTC().Format("01-02 15:04:05.000 -0700")
	}
	if slices.Contains(modifiers, "year") {
		stamp = at.Format("2006-01-02 15:04:05.000")
	}
	if slices.Contains(modifiers, "epoch") {
		stamp = fmt.Sprintf("%19.3f", float64(e.At.UnixMilli())/1000)
	}
	uid := ""
	if slices.Contains(modifiers, "uid") {
		uid = fmt.Sprintf("%5d ", e.UID)
	}
	switch format {
	case "brief":
		return fmt.Sprintf("%c/%-8s(%5d): %s\n", e.Priority, e.Tag, e.PID, e.Message)
	case "process":
		return fmt.Sprintf("%c(%5d) %s  (%s)\n", e.Priority, e.PID, e.Message, e.Tag)
	case "tag":
		return fmt.Sprintf("%c/%-8s: %s\n", e.Priority, e.Tag, e.Message)
	case "thread":
		return fmt.Sprintf("%c(%5d:%5d) %s\n", e.Priority, e.PID, e.PID, e.Message)
	case "raw":
		return e.Message + "\n"
	case "time":
		return fmt.Sprintf("%s %c/%-8s(%5d): %s\n", stamp, e.Priority, e.Tag, e.PID, e.Message)
	case "long":
		return fmt.Sprintf("[ %s %5d:%5d %c/%-8s ]\n%s\n\n", stamp, e.PID, e.PID, e.Priority, e.Tag, e.Message)
	}
	return fmt.Sprintf("%s %s%5d %5d %c %-8s: %s\n", stamp, uid, e.PID, e.PID, e.Priority, e.Tag, e.Message)
}

// logFilter decides by tag and priority, as logcat's TAG:PRIORITY arguments do.
type logFilter struct {
	tags     map[string]byte
	fallback byte // 0 for everything
}

const logPriorities = "VDIWEFS"

// parseLogFilter reads filter expressions; silent is logcat's -s.
func parseLogFilter(expressions []string, silent bool) (logFilter, error) {
	f := logFilter{tags: map[string]byte{}}
	if silent {
		f.fallback = 'S'
	}
	for _, x := range expressions {
		tag, priority, ok := strings.Cut(x, ":")
		p := byte('V')
		if ok && priority != "*" && priority != "" {
			p = strings.ToUpper(priority)[0]
			if !strings.ContainsRune(logPriorities, rune(p)) || len(priority) != 1 {
				return f, refusef("logcat: Invalid filter expression '%s'", x)
			}
		}
		if tag == "*" {
			f.fallback = p
			continue
		}
		f.tags[tag] = p
	}
	return f, nil
}

func (f logFilter) pass(e logEntry) bool {
	least, ok := f.tags[e.Tag]
	if !ok {
		least = f.fallback
	}
	return least == 0 || strings.IndexByte(logPriorities, e.Priority) >= strings.IndexByte(logPriorities, least)
}
