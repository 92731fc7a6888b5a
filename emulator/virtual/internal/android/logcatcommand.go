package android

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// logcatArgs are what logcat was asked for.
type logcatArgs struct {
	dump, clear, silent bool
	format              string
	modifiers           []string
	tail                int // -1 for all
	pid                 int // 0 for all
	size                bool
	filters             []string
}

func parseLogcat(list []string) (logcatArgs, error) {
	o := logcatArgs{format: "threadtime", tail: -1}
	for i := 0; i < len(list); i++ {
		opt, v := list[i], ""
		takes := func() error {
			if v != "" {
				return nil
			}
			if i+1 >= len(list) {
				return refusef("logcat: option requires an argument: %s", opt)
			}
			i++
			v = list[i]
			return nil
		}
		if name, value, ok := strings.Cut(opt, "="); ok && strings.HasPrefix(opt, "--") {
			opt, v = name, value
		} else if len(opt) > 2 && opt[0] == '-' && strings.ContainsRune("vbtTemrnG", rune(opt[1])) && opt[1] != '-' {
			opt, v = opt[:2], opt[2:]
		}
		var err error
		switch opt {
		case "-d", "--dump":
			o.dump = true
		case "-c", "--clear":
			o.clear = true
		case "-s":
			o.silent = true
		case "-g", "--buffer-size":
			o.size = true
		case "-D", "--dividers", "-L", "--last", "-B", "--binary", "-S", "--statistics", "-p", "--prune":
			if opt != "-D" && opt != "--dividers" {
				return o, refusef("logcat: unasked's embedded device does not model %s", opt)
			}
		case "-v", "--format":
			if err = takes(); err != nil {
				break
			}
			for _, f := range strings.Split(v, ",") {
				switch {
				case !slices.Contains(logFormats, f):
					return o, refusef("Invalid parameter \"%s\" to -v", f)
				case slices.Contains([]string{"epoch", "year", "UTC", "uid"}, f):
					o.modifiers = append(o.modifiers, f)
				default:
					o.format = f
				}
			}
		case "-b", "--buffer", "-G", "-T", "-e", "--regex", "-m", "--max-count", "-f", "-r", "-n":
			if err = takes(); err == nil && (opt == "-f" || opt == "-e" || opt == "--regex" || opt == "-m" || opt == "--max-count") {
				return o, refusef("logcat: unasked's embedded device does not model %s", opt)
			}
		case "-t":
			if err = takes(); err == nil {
				o.dump = true
				if o.tail, err = strconv.Atoi(v); err != nil || o.tail < 0 {
					return o, refusef("-t \"%s\" not in time format", v)
				}
			}
		case "--pid":
			if err = takes(); err == nil {
				if o.pid, err = strconv.Atoi(v); err != nil {
					return o, refusef("--pid is not a number: %s", v)
				}
			}
		default:
			if strings.HasPrefix(opt, "-") {
				return o, refusef("logcat: unrecognized option: %s", opt)
			}
			o.filters = append(o.filters, strings.Fields(opt)...)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// logcat prints the log and, without -d, what comes to it.
func (s *System) logcat(ctx context.Context, c *shell.Call) int {
	o, err := parseLogcat(c.Args[1:])
	if err != nil {
		return complain(c, err)
	}
	if o.clear {
		s.log.clear()
		return 0
	}
	if o.size {
		c.Printf("main: ring buffer is 2 MiB (1 MiB consumed, 1 MiB readable), max entry is 5120 B, max payload is 4068 B\n")
		return 0
	}
	filter, err := parseLogFilter(o.filters, o.silent)
	if err != nil {
		return complain(c, err)
	}
	zone := s.zone()
	pass := func(e logEntry) bool { return filter.pass(e) && (o.pid == 0 || e.PID == o.pid) }
	if o.format != "raw" {
		if _, err := io.WriteString(c.Stdout, "--------- beginning of main\n"); err != nil {
			return 1
		}
	}
	if o.dump {
		entries, _, _ := s.log.since(0)
		entries = slices.DeleteFunc(entries, func(e logEntry) bool { return !pass(e) })
		if o.tail >= 0 && len(entries) > o.tail {
			entries = entries[len(entries)-o.tail:]
		}
		for _, e := range entries {
			if _, err := io.WriteString(c.Stdout, e.format(o.format, o.modifiers, zone)); err != nil {
				return 1
			}
		}
		return 0
	}
	_ = s.log.follow(ctx, func(e logEntry) error { // it ends when its reader goes
		if !pass(e) {
			return nil
		}
		_, err := io.WriteString(c.Stdout, e.format(o.format, o.modifiers, zone))
		return err
	})
	return 0
}

// logCommand is "log", which writes a message.
func (s *System) logCommand(_ context.Context, c *shell.Call) int {
	priority, tag := byte('I'), "log"
	args := c.Args[1:]
	for len(args) > 1 && (args[0] == "-p" || args[0] == "-t") {
		if args[0] == "-t" {
			tag = args[1]
		} else if p := strings.ToUpper(args[1]); len(p) == 1 && strings.Contains("VDIWEF", p) {
			priority = p[0]
		} else {
			return c.Errorf("bad -p '%s'", args[1])
		}
		args = args[2:]
	}
	message := strings.Join(args, " ")
	if len(args) == 0 {
		data, err := io.ReadAll(io.LimitReader(c.Stdin, 1<<20))
		if err != nil {
			return c.Errorf("%v", err)
		}
		message = string(data)
	}
	s.log.write(1, c.UID, priority, oneLine(tag), message)
	return 0
}

// Console writes to the log what a page wrote to its console, as Android's
// WebView does. Level is debug, info, warning or error.
func (s *System) Console(pid int, pkg, level, text, source string, line int) {
	priority := byte('I')
	if level != "" {
		priority = strings.ToUpper(level)[0]
	}
	uid := 0
	if a, ok := s.registry.get(pkg); ok {
		uid = a.UID
	}
	if source != "" {
		text = fmt.Sprintf("[%s:CONSOLE(%d)] \"%s\", source: %s (%d)", strings.ToUpper(level), line, text, source, line)
	}
	s.log.write(pid, uid, priority, "chromium", text)
}
