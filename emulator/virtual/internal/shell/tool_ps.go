package shell

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// psField is one column of ps.
type psField struct {
	name  string
	width int // negative for left
	value func(c *Call, p Process) string
}

func psFields() map[string]psField {
	number := func(f func(p Process) int) func(*Call, Process) string {
		return func(_ *Call, p Process) string { return strconv.Itoa(f(p)) }
	}
	name := func(_ *Call, p Process) string { return p.Name }
	args := func(_ *Call, p Process) string {
		if len(p.Args) > 0 {
			return strings.Join(p.Args, " ")
		}
		return p.Name
	}
	user := func(_ *Call, p Process) string { return userName(p.UID) }
	return map[string]psField{
		"USER": {"USER", -12, user}, "UID": {"UID", 5, number(func(p Process) int { return p.UID })},
		"PID": {"PID", 5, number(func(p Process) int { return p.PID })}, "PPID": {"PPID", 5, number(func(p Process) int { return p.PPID })},
		"VSZ": {"VSZ", 7, number(func(p Process) int { return p.VSZ })}, "RSS": {"RSS", 6, number(func(p Process) int { return p.RSS })},
		"WCHAN": {"WCHAN", -12, func(*Call, Process) string { return "0" }}, "ADDR": {"ADDR", 8, func(*Call, Process) string { return "0" }},
		"S":    {"S", 1, func(_ *Call, p Process) string { return p.State }},
		"NAME": {"NAME", -27, name}, "CMD": {"CMD", -27, name}, "COMM": {"COMM", -27, name}, "ARGS": {"ARGS", -27, args},
		"CMDLINE": {"CMDLINE", -27, args},
		"STIME":   {"STIME", 5, func(c *Call, p Process) string { return c.inZone(p.Started).Format("15:04") }},
	}
}

func cmdPs(_ context.Context, c *Call) int {
	o, ok := c.options("AadefglnwZTLp:P:u:U:o:O:k:M")
	if !ok {
		return 1
	}
	columns := []string{"USER", "PID", "PPID", "VSZ", "RSS", "WCHAN", "ADDR", "S", "NAME"}
	if o.has('o') {
		columns = nil
		for _, list := range o.values['o'] {
			columns = append(columns, strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })...)
		}
	}
	known := psFields()
	var fields []psField
	titled := false
	for _, column := range columns {
		name, title, has := strings.Cut(column, "=")
		f, ok := known[strings.ToUpper(name)]
		if !ok {
			return c.Errorf("bad -o %s", column)
		}
		if has {
			f.name = title
		}
		titled = titled || f.name != ""
		fields = append(fields, f)
	}
	all := o.has('A') || o.has('e') || o.has('d') || o.has('a')
	var lines [][]string
	for _, p := range c.Shell.processes.List() {
		if !all && !selected(c, o, p) {
			continue
		}
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = f.value(c, p)
		}
		lines = append(lines, row)
	}
	if titled {
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = f.name
		}
		lines = slices.Insert(lines, 0, row)
	}
	for _, row := range lines {
		var b strings.Builder
		for i, cell := range row {
			width := fields[i].width
			if i == len(row)-1 && width < 0 {
				width = 0 // nothing follows to line up
			}
			fmt.Fprintf(&b, "%*s", width, cell)
			if i < len(row)-1 {
				b.WriteByte(' ')
			}
		}
		c.Printf("%s\n", b.String())
	}
	return btoi(len(lines) == btoi(titled))
}

// selected reports whether ps without -A shows a process.
func selected(c *Call, o options, p Process) bool {
	in := func(lists []string, n int, byName bool) bool {
		for _, list := range lists {
			for _, item := range strings.Split(list, ",") {
				if k, err := strconv.Atoi(strings.TrimSpace(item)); err == nil && k == n {
					return true
				}
				if id, ok := rootfs.ParseUser(item); byName && ok && id == n {
					return true
				}
			}
		}
		return false
	}
	if o.has('p') || o.has('P') || o.has('u') || o.has('U') {
		return in(o.values['p'], p.PID, false) || in(o.values['P'], p.PPID, false) ||
			in(o.values['u'], p.UID, true) || in(o.values['U'], p.UID, true)
	}
	if len(o.args) > 0 {
		return in(o.args, p.PID, false)
	}
	return p.UID == c.UID
}

var signals = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14,
	"TERM": 15, "CONT": 18, "STOP": 19,
}

func parseSignal(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, n >= 0 && n < 65
	}
	n, ok := signals[strings.TrimPrefix(strings.ToUpper(s), "SIG")]
	return n, ok
}

func cmdKill(_ context.Context, c *Call) int {
	args, signal := c.Args[1:], 15
	if len(args) > 0 && args[0] == "-l" {
		var names []string
		for name := range signals {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { return signals[a] - signals[b] })
		c.Printf("%s\n", strings.Join(names, " "))
		return 0
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		text := args[0][1:]
		args = args[1:]
		if text == "s" || text == "n" {
			text = first(args, "")
			args = rest(args)
		}
		n, ok := parseSignal(text)
		if !ok {
			return c.Errorf("bad signal '%s'", text)
		}
		signal = n
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if !c.need(options{args: args}, 1) {
		return 1
	}
	code := 0
	for _, arg := range args {
		pid, err := strconv.Atoi(arg)
		if err == nil {
			err = c.Shell.processes.Signal(c.UID, pid, signal)
		} else {
			err = syscall.ESRCH
		}
		if err != nil {
			code = c.Errorf("%s: %s", arg, rootfs.Message(err))
		}
	}
	return code
}

func cmdPidof(_ context.Context, c *Call) int {
	o, ok := c.options("so:x")
	if !ok || !c.need(o, 1) {
		return 1
	}
	var out []string
	for _, p := range slices.Backward(c.Shell.processes.List()) {
		if slices.Contains(o.args, p.Name) || slices.Contains(o.args, path.Base(p.Name)) {
			out = append(out, strconv.Itoa(p.PID))
		}
	}
	if len(out) == 0 {
		return 1
	}
	if o.has('s') {
		out = out[:1]
	}
	c.Printf("%s\n", strings.Join(out, " "))
	return 0
}

// cmdPgrep is pgrep and pkill.
func cmdPgrep(_ context.Context, c *Call) int {
	args, signal := c.Args, 15
	kills := path.Base(c.Args[0]) == "pkill"
	if kills && len(args) > 1 && strings.HasPrefix(args[1], "-") {
		if n, ok := parseSignal(args[1][1:]); ok {
			signal, args = n, append([]string{args[0]}, args[2:]...)
		}
	}
	call := *c
	call.Args = args
	o, ok := call.options("flnovxcu:U:P:s:L:")
	if !ok || !c.need(o, 1) {
		return 2
	}
	re, err := regexp.Compile(translate(o.args[0], true))
	if err != nil {
		c.Errorf("bad regex '%s'", o.args[0])
		return 2
	}
	found := false
	for _, p := range c.Shell.processes.List() {
		text := p.Name
		if o.has('f') && len(p.Args) > 0 {
			text = strings.Join(p.Args, " ")
		}
		match := re.FindString(text)
		if match == "" || o.has('x') && match != text || o.has('u') && !selected(c, o, p) {
			continue
		}
		found = true
		switch {
		case kills:
			if err := c.Shell.processes.Signal(c.UID, p.PID, signal); err != nil {
				c.Errorf("%d: %s", p.PID, rootfs.Message(err))
			}
		case o.has('l'):
			c.Printf("%d %s\n", p.PID, p.Name)
		default:
			c.Printf("%d\n", p.PID)
		}
	}
	return btoi(!found)
}
