package shell

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

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
