package shell

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// cmdSh runs a nested shell: sh -c SCRIPT, sh FILE, or sh alone for commands
// on standard input.
func cmdSh(ctx context.Context, c *Call) int {
	args, set := c.Args[1:], ""
	fromArgs, fromInput := false, false
	for len(args) > 0 && len(args[0]) > 1 && (args[0][0] == '-' || args[0][0] == '+') {
		flags := args[0]
		args = args[1:]
		if flags == "--" {
			break
		}
		if flags == "-o" || flags == "+o" {
			if len(args) > 0 {
				set += "set " + flags + " " + args[0] + "; "
				args = args[1:]
			}
			continue
		}
		for _, f := range flags[1:] {
			switch f {
			case 'c':
				fromArgs = true
			case 's':
				fromInput = true
			case 'e', 'x', 'u', 'f', 'n', 'a':
				set += "set " + flags[:1] + string(f) + "; "
			case 'i', 'l', 'p', 'v', 'h', 'm', 'C':
			default:
				c.unknownOption("'" + string(f) + "'")
				return 1
			}
		}
	}
	if len(args) > 0 && args[0] == "-" {
		args = args[1:]
	}
	switch {
	case fromArgs:
		if len(args) == 0 {
			return c.Errorf("-c requires an argument")
		}
		return c.Script(ctx, c.UID, set+scriptText([]byte(args[0])), append([]string{first(args[1:], "sh")}, rest(args[1:])...)...)
	case fromInput || len(args) == 0:
		if set == "" {
			return c.Script(ctx, c.UID, "", append([]string{"sh"}, args...)...)
		}
		data, err := io.ReadAll(io.LimitReader(c.Stdin, maxScript))
		if err != nil {
			return c.Errorf("%s", rootfs.Message(err))
		}
		return c.Script(ctx, c.UID, set+scriptText(data), append([]string{"sh"}, args...)...)
	}
	data, err := readScript(c.FS, c.Path(args[0]))
	if err != nil {
		c.Errorf("%s: %s", args[0], rootfs.Message(err))
		return codeNotFound
	}
	if head, _, _ := bytes.Cut(data, []byte("\n")); bytes.IndexByte(head, 0) >= 0 {
		c.Errorf("%s: not executable: this device runs no machine code", args[0])
		return codeNotRunnable
	}
	return c.Script(ctx, c.UID, set+scriptText(data), args...)
}

func first(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}

func rest(args []string) []string {
	if len(args) > 0 {
		return args[1:]
	}
	return nil
}

// cmdSu runs a command as another user. Android's takes the user first; the
// -c of others is understood too.
func cmdSu(ctx context.Context, c *Call) int {
	c.Shell.mu.RLock()
	rootable := c.Shell.rootable
	c.Shell.mu.RUnlock()
	if !rootable {
		return notFound(c, c.Args[0])
	}
	if c.UID != rootfs.Root && c.UID != rootfs.Shell {
		return c.Errorf("not allowed")
	}
	args, uid, script := c.Args[1:], rootfs.Root, ""
	have := false
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "-c" || arg == "--command":
			if len(args) < 2 {
				return c.Errorf("-c needs a command")
			}
			script, have = strings.Join(args[1:], " "), true
			args = nil
		case arg == "-" || arg == "-l" || arg == "--login" || arg == "-p" || arg == "-mm" || arg == "-M" || arg == "--mount-master":
			args = args[1:]
		default:
			id, ok := rootfs.ParseUser(strings.Split(arg, ",")[0])
			if !ok {
				return c.Errorf("invalid uid/gid '%s'", arg)
			}
			uid, args = id, args[1:]
			if len(args) > 0 && args[0] != "-c" && !strings.HasPrefix(args[0], "-") {
				return c.ExecAs(ctx, uid, args...)
			}
		}
	}
	if have {
		return c.Script(ctx, uid, scriptText([]byte(script)), "sh")
	}
	return c.Script(ctx, uid, "", "sh")
}

func cmdNohup(ctx context.Context, c *Call) int {
	if len(c.Args) < 2 {
		c.need(options{}, 1)
		return 1
	}
	return c.Exec(ctx, c.Args[1:]...)
}

func cmdSleep(ctx context.Context, c *Call) int {
	if len(c.Args) < 2 {
		c.need(options{}, 1)
		return 1
	}
	var total time.Duration
	for _, arg := range c.Args[1:] {
		d, ok := duration(arg)
		if !ok {
			return c.Errorf("Not float '%s'", arg)
		}
		total += d
	}
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0
	case <-ctx.Done():
		return 130
	}
}

// duration reads toybox's form: a number with s, m, h or d after it.
func duration(s string) (time.Duration, bool) {
	unit := time.Second
	switch {
	case strings.HasSuffix(s, "s"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "m"):
		s, unit = s[:len(s)-1], time.Minute
	case strings.HasSuffix(s, "h"):
		s, unit = s[:len(s)-1], time.Hour
	case strings.HasSuffix(s, "d"):
		s, unit = s[:len(s)-1], 24*time.Hour
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 || n != n || n > 1e9 {
		return 0, false
	}
	return min(time.Duration(n*float64(unit)), 1<<62), true
}

func cmdTimeout(ctx context.Context, c *Call) int {
	o, ok := c.options("+k:s:iv")
	if !ok || !c.need(o, 2) {
		return 125
	}
	d, ok := duration(o.args[0])
	if !ok {
		return c.Errorf("Not float '%s'", o.args[0])
	}
	if d == 0 {
		return c.Exec(ctx, o.args[1:]...)
	}
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	code := c.Exec(limited, o.args[1:]...)
	if limited.Err() != nil && ctx.Err() == nil {
		return 124
	}
	return code
}

func cmdXargs(ctx context.Context, c *Call) int {
	o, ok := c.options("+0rn:I:P:t")
	if !ok {
		return 1
	}
	var items []string
	in := bufio.NewScanner(c.Stdin)
	in.Buffer(nil, 1<<20)
	switch {
	case o.has('0'):
		in.Split(splitNul)
	case o.has('I'):
	default:
		in.Split(bufio.ScanWords)
	}
	for in.Scan() {
		items = append(items, in.Text())
	}
	if len(o.args) == 0 {
		o.args = []string{"echo"}
	}
	if o.has('I') {
		code := 0
		for _, item := range items {
			args := make([]string, len(o.args))
			for i, a := range o.args {
				args[i] = strings.ReplaceAll(a, o.value('I', "{}"), item)
			}
			if c.Exec(ctx, args...) != 0 {
				code = 123
			}
		}
		return code
	}
	size, err := strconv.Atoi(o.value('n', "1000"))
	if err != nil || size < 1 {
		return c.Errorf("bad -n '%s'", o.value('n', ""))
	}
	if len(items) == 0 {
		if o.has('r') {
			return 0
		}
		return c.Exec(ctx, o.args...)
	}
	code := 0
	for len(items) > 0 && ctx.Err() == nil {
		n := min(size, len(items))
		if c.Exec(ctx, append(append([]string{}, o.args...), items[:n]...)...) != 0 {
			code = 123
		}
		items = items[n:]
	}
	return code
}

func splitNul(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
