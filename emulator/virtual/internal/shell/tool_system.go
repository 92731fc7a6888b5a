package shell

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

func cmdID(_ context.Context, c *Call) int {
	o, ok := c.options("ugGnrZ")
	if !ok {
		return 1
	}
	uid := c.UID
	if len(o.args) > 0 {
		id, ok := rootfs.ParseUser(o.args[0])
		if !ok {
			return c.Errorf("bad user '%s'", o.args[0])
		}
		uid = id
	}
	show := func(id int) string {
		if o.has('n') {
			return userName(id)
		}
		return strconv.Itoa(id)
	}
	groups := append([]int{uid}, rootfs.Groups(uid)...)
	switch {
	case o.has('Z'):
		c.Printf("%s\n", contextOf(uid))
		return 0
	case o.has('u') || o.has('g'):
		c.Printf("%s\n", show(uid))
		return 0
	case o.has('G'):
		var names []string
		for _, g := range groups {
			names = append(names, show(g))
		}
		c.Printf("%s\n", strings.Join(names, " "))
		return 0
	}
	var names []string
	for _, g := range groups {
		names = append(names, fmt.Sprintf("%d(%s)", g, userName(g)))
	}
	c.Printf("uid=%d(%s) gid=%d(%s) groups=%s context=%s\n", uid, userName(uid), uid, userName(uid), strings.Join(names, ","), contextOf(uid))
	return 0
}

// contextOf is a user's SELinux context, which this device has in name only.
func contextOf(uid int) string {
	switch {
	case uid == rootfs.Root:
		return "u:r:su:s0"
	case uid == rootfs.Shell:
		return "u:r:shell:s0"
	case uid >= rootfs.FirstApp:
		return "u:r:untrusted_app:s0:c512,c768"
	}
	return "u:r:system_server:s0"
}

func cmdWhoami(_ context.Context, c *Call) int {
	c.Printf("%s\n", userName(c.UID))
	return 0
}

func cmdGroups(_ context.Context, c *Call) int {
	names := []string{userName(c.UID)}
	for _, g := range rootfs.Groups(c.UID) {
		names = append(names, userName(g))
	}
	c.Printf("%s\n", strings.Join(names, " "))
	return 0
}

func cmdGetenforce(_ context.Context, c *Call) int {
	c.Printf("Enforcing\n")
	return 0
}

func cmdSetenforce(_ context.Context, c *Call) int {
	if c.UID != rootfs.Root {
		return c.Errorf("Couldn't set enforcing status to '%s': Permission denied", first(c.Args[1:], ""))
	}
	return c.Errorf("this device keeps SELinux's effects in its files' modes, and has nothing to set")
}

// cmdAcceptContext is chcon and restorecon: the files must be there, and their
// contexts are not kept.
func cmdAcceptContext(_ context.Context, c *Call) int {
	args := c.Args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	if path.Base(c.Args[0]) == "chcon" && len(args) > 0 {
		args = args[1:]
	}
	if !c.need(options{args: args}, 1) {
		return 1
	}
	code := 0
	for _, name := range args {
		if _, err := c.FS.Lstat(c.Path(name)); err != nil {
			code = c.Errorf("%s: %s", name, rootfs.Message(err))
		}
	}
	return code
}

func cmdUname(_ context.Context, c *Call) int {
	o, ok := c.options("asnrvmo")
	if !ok {
		return 1
	}
	c.Shell.mu.RLock()
	r := c.Shell.release
	c.Shell.mu.RUnlock()
	var out []string
	for _, part := range []struct {
		flag rune
		text string
	}{{'s', "Linux"}, {'n', "localhost"}, {'r', r.Kernel}, {'v', r.Version}, {'m', r.Machine}, {'o', "Toybox"}} {
		if o.has(part.flag) || o.has('a') || part.flag == 's' && len(o.given) == 0 {
			out = append(out, part.text)
		}
	}
	c.Printf("%s\n", strings.Join(out, " "))
	return 0
}

func cmdHostname(_ context.Context, c *Call) int {
	c.Printf("localhost\n")
	return 0
}

func cmdNproc(_ context.Context, c *Call) int {
	c.Printf("4\n")
	return 0
}

func cmdUptime(_ context.Context, c *Call) int {
	up := c.Shell.uptime()
	minutes := int(up.Minutes())
	span := fmt.Sprintf("%d min", minutes)
	if minutes >= 60 {
		span = fmt.Sprintf("%2d:%02d", minutes/60%24, minutes%60)
	}
	if days := minutes / 1440; days > 0 {
		span = fmt.Sprintf("%d days, %s", days, span)
	}
	c.Printf(" %s up %s,  0 users,  load average: 0.00, 0.00, 0.00\n", c.Shell.clock().Format("15:04:05"), span)
	return 0
}

func cmdDate(_ context.Context, c *Call) int {
	o, ok := c.options("ud:r:s:D:I:R")
	if !ok {
		return 1
	}
	when := c.Shell.clock()
	format := "%a %b %e %H:%M:%S %Z %Y"
	setting := o.has('s')
	for _, a := range o.args {
		if rest, ok := strings.CutPrefix(a, "+"); ok {
			format = rest
		} else {
			setting = true
		}
	}
	switch {
	case setting && c.UID != rootfs.Root:
		c.Errorf("cannot set date: Operation not permitted")
		return 1
	case setting:
		return c.Errorf("cannot set date: this device's clock is the host's, and can't be set")
	case o.has('r'):
		info, err := c.FS.Stat(c.Path(o.value('r', "")))
		if err != nil {
			return c.Errorf("'%s': %s", o.value('r', ""), rootfs.Message(err))
		}
		when = info.ModTime().In(when.Location())
	case o.has('d'):
		t, ok := parseDate(o.value('d', ""), when)
		if !ok {
			return c.Errorf("bad date '%s'", o.value('d', ""))
		}
		when = t.In(when.Location())
	}
	if o.has('u') {
		when = when.UTC()
	}
	c.Printf("%s\n", strftime(when, format))
	return 0
}

// strftime formats a time as C's function of that name does.
func strftime(t time.Time, format string) string {
	layouts := map[byte]string{
		'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02",
		'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'm': "01", 'M': "04", 'p': "PM", 'r': "03:04:05 PM",
		'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch ch := format[i]; ch {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 's':
			fmt.Fprint(&b, t.Unix())
		case 'N':
			fmt.Fprintf(&b, "%09d", t.Nanosecond())
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'u':
			fmt.Fprint(&b, (int(t.Weekday())+6)%7+1)
		case 'w':
			fmt.Fprint(&b, int(t.Weekday()))
		default:
			if layout, ok := layouts[ch]; ok {
				b.WriteString(t.Format(layout))
			} else {
				b.WriteString("%" + string(ch))
			}
		}
	}
	return b.String()
}
