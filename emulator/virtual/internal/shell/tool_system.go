package shell

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

func cmdMount(_ context.Context, c *Call) int {
	args := c.Args
	if slices.Contains(args, "--bind") || slices.Contains(args, "--rbind") {
		args = slices.Clone(args)
		for i, a := range args {
			if a == "--bind" || a == "--rbind" {
				args[i] = "-obind"
			}
		}
	}
	call := *c
	call.Args = args
	o, ok := call.options("afnrvwt:o:O:")
	if !ok {
		return 1
	}
	var flags []string
	for _, list := range o.values['o'] {
		flags = append(flags, strings.Split(list, ",")...)
	}
	readOnly := slices.Contains(flags, "ro") || o.has('r')
	if len(o.args) == 0 {
		for _, m := range c.FS.FS().Mounts() {
			mode := "rw"
			if m.ReadOnly {
				mode = "ro"
			}
			if kind := o.value('t', m.Type); kind == m.Type {
				c.Printf("%s on %s type %s (%s,seclabel,relatime)\n", m.Source, m.Point, m.Type, mode)
			}
		}
		return 0
	}
	point := o.args[len(o.args)-1]
	var err error
	switch {
	case slices.Contains(flags, "remount"):
		if err = c.FS.Remount(c.Path(point), readOnly); rootfs.Errno(err) == uint32(syscall.EINVAL) {
			return c.Errorf("'%s' not in /proc/mounts", point)
		}
	case len(o.args) < 2:
		return c.Errorf("'%s' not in /proc/mounts", point)
	case slices.Contains(flags, "bind") || slices.Contains(flags, "rbind"):
		err = c.FS.MountBind(c.Path(o.args[0]), c.Path(point))
	case o.value('t', "") == "tmpfs":
		err = c.FS.MountTmpfs(o.args[0], c.Path(point), readOnly)
		if err == nil {
			err = tmpfsOptions(c, point, flags)
		}
	default:
		if c.UID == rootfs.Root {
			return c.Errorf("'%s'->'%s': this device mounts tmpfs and binds only", o.args[0], point)
		}
		err = syscall.EPERM
	}
	if err != nil {
		return c.Errorf("'%s'->'%s': %s", first(o.args, ""), point, rootfs.Message(err))
	}
	return 0
}

// tmpfsOptions gives a new tmpfs the owner and mode that its options name.
func tmpfsOptions(c *Call, point string, flags []string) error {
	for _, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		n, err := strconv.ParseUint(value, map[string]int{"mode": 8}[name], 32)
		if err != nil {
			continue
		}
		switch name {
		case "mode":
			err = c.FS.Chmod(c.Path(point), rootfs.ModeOf(uint32(n)))
		case "uid":
			err = c.FS.Chown(c.Path(point), int(n), -1, true)
		case "gid":
			err = c.FS.Chown(c.Path(point), -1, int(n), true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func cmdUmount(_ context.Context, c *Call) int {
	o, ok := c.options("afrnvlDdt:")
	if !ok || !c.need(o, 1) {
		return 1
	}
	code := 0
	for _, point := range o.args {
		if err := c.FS.Unmount(c.Path(point)); err != nil {
			code = c.Errorf("%s: %s", point, rootfs.Message(err))
		}
	}
	return code
}

func cmdMountpoint(_ context.Context, c *Call) int {
	o, ok := c.options("qdx")
	if !ok || !c.need(o, 1) {
		return 1
	}
	real, err := c.FS.Realpath(c.Path(o.args[0]))
	yes := err == nil && slices.ContainsFunc(c.FS.FS().Mounts(), func(m rootfs.Mount) bool { return m.Point == real })
	if !o.has('q') {
		not := "not "
		if yes {
			not = ""
		}
		c.Printf("%s is %sa mountpoint\n", o.args[0], not)
	}
	return btoi(!yes)
}

// The sizes that df tells, in KiB: those of an emulator's usual disks.
const (
	dataSize, dataUsed     = 6082144, 1153060
	systemSize, systemUsed = 890044, 887252
)

func cmdDf(_ context.Context, c *Call) int {
	o, ok := c.options("hkHPait:")
	if !ok {
		return 1
	}
	show := func(kib int64) string {
		if o.has('h') || o.has('H') {
			return human(kib << 10)
		}
		return strconv.FormatInt(kib, 10)
	}
	title := "1K-blocks"
	if o.has('h') || o.has('H') {
		title = "Size"
	}
	c.Printf("%-20s %9s %8s %9s %4s %s\n", "Filesystem", title, "Used", "Available", "Use%", "Mounted on")
	mounts := c.FS.FS().Mounts()
	if len(o.args) > 0 {
		real, err := c.FS.Realpath(c.Path(o.args[0]))
		if err != nil {
			return c.Errorf("'%s': %s", o.args[0], rootfs.Message(err))
		}
		best := mounts[0]
		for _, m := range mounts {
			if real == m.Point || strings.HasPrefix(real, strings.TrimSuffix(m.Point, "/")+"/") {
				best = m
			}
		}
		mounts = []rootfs.Mount{best}
	}
	for _, m := range mounts {
		var size, used int64
		switch {
		case m.Type == "proc" || m.Type == "sysfs":
			continue
		case m.Type == "tmpfs":
			size, used = 1005248, 0
		case m.ReadOnly || m.Point == "/":
			size, used = systemSize, systemUsed
		default:
			size, used = dataSize, dataUsed
		}
		c.Printf("%-20s %9s %8s %9s %3d%% %s\n", m.Source, show(size), show(used), show(size-used), (used*100+size-1)/size, m.Point)
	}
	return 0
}

func cmdDu(ctx context.Context, c *Call) int {
	o, ok := c.options("d:achHkKLlmsx")
	if !ok {
		return 1
	}
	names := o.args
	if len(names) == 0 {
		names = []string{"."}
	}
	depth := 1 << 30
	if o.has('d') {
		n, err := strconv.Atoi(o.value('d', ""))
		if err != nil {
			return c.Errorf("bad -d '%s'", o.value('d', ""))
		}
		depth = n
	}
	if o.has('s') {
		depth = 0
	}
	show := func(blocks int64, name string) {
		text := strconv.FormatInt(blocks/2, 10)
		switch {
		case o.has('h') || o.has('H'):
			text = human(blocks * 512)
		case o.has('m'):
			text = strconv.FormatInt((blocks+2047)/2048, 10)
		}
		c.Printf("%s\t%s\n", text, name)
	}
	code := 0
	seen := map[uint64]bool{}
	var walk func(full, name string, level int) int64
	walk = func(full, name string, level int) int64 {
		info, err := c.FS.Lstat(full)
		if err != nil {
			code = c.Errorf("%s: %s", name, rootfs.Message(err))
			return 0
		}
		if seen[info.Inode()] || ctx.Err() != nil {
			return 0
		}
		seen[info.Inode()] = true
		total := info.Blocks()
		if info.IsDir() {
			entries, err := c.FS.ReadDir(full)
			if err != nil {
				code = c.Errorf("%s: %s", name, rootfs.Message(err))
			}
			for _, e := range entries {
				total += walk(full+"/"+e.Name(), strings.TrimSuffix(name, "/")+"/"+e.Name(), level+1)
			}
		}
		if level <= depth && (info.IsDir() || level == 0 || o.has('a')) {
			show(total, name)
		}
		return total
	}
	var total int64
	for _, name := range names {
		total += walk(c.Path(name), name, 0)
	}
	if o.has('c') {
		show(total, "total")
	}
	return code
}
