package shell

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// publishTo shows processes in a tree's /proc, as far as scripts look there:
// cmdline, comm, status, and the name of the mount name space.
func publishTo(tree *rootfs.FS) func(Process) func() {
	var mu sync.Mutex // a number may be taken again while its last owner's folder goes
	shown := map[int]int{}
	return func(p Process) func() {
		mu.Lock()
		defer mu.Unlock()
		shown[p.PID]++
		mine := shown[p.PID]
		dir := "/proc/" + strconv.Itoa(p.PID)
		for name, content := range map[string]string{
			"cmdline": cmdline(p), "comm": p.Name[max(0, len(p.Name)-15):] + "\n", "status": status(p), "ns/mnt": "",
		} {
			// A file that can't be made is missing from /proc; the process runs all the same.
			_ = tree.Generate(dir+"/"+name, func() []byte { return []byte(content) })
		}
		_ = tree.SetOwner(dir, p.UID, p.UID, 0o555)
		return func() {
			mu.Lock()
			defer mu.Unlock()
			if shown[p.PID] == mine {
				delete(shown, p.PID)
				_ = tree.Image().RemoveAll(dir)
			}
		}
	}
}

func cmdline(p Process) string {
	args := p.Args
	if len(args) == 0 {
		args = []string{p.Name}
	}
	return strings.Join(args, "\x00") + "\x00"
}

func status(p Process) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Name:\t%s\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n", p.Name[max(0, len(p.Name)-15):], p.PID, p.PID, p.PPID)
	fmt.Fprintf(&b, "Uid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\n", p.UID, p.UID, p.UID, p.UID, p.UID, p.UID, p.UID, p.UID)
	fmt.Fprintf(&b, "VmSize:\t%8d kB\nVmRSS:\t%8d kB\n", p.VSZ, p.RSS)
	return b.String()
}

// cmdNsenter runs a command in another process's name space, of which this
// device has one for all.
func cmdNsenter(ctx context.Context, c *Call) int {
	args, target := c.Args[1:], ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
		case (arg == "-t" || arg == "--target") && len(args) > 0:
			target, args = "/proc/"+args[0]+"/ns/mnt", args[1:]
			continue
		case (arg == "-S" || arg == "-G") && len(args) > 0:
			args = args[1:]
			continue
		case strings.HasPrefix(arg, "--target="):
			target = "/proc/" + strings.TrimPrefix(arg, "--target=") + "/ns/mnt"
			continue
		case strings.Contains(arg, "/"):
			target = arg[strings.Index(arg, "/"):]
			continue
		default:
			continue
		}
		break
	}
	if c.UID != rootfs.Root {
		return c.Errorf("setns: Operation not permitted")
	}
	if target != "" && target != "/proc/1/ns/mnt" && target != "/proc/self/ns/mnt" {
		if _, err := c.FS.Stat(target); err != nil {
			return c.Errorf("%s: %s", target, rootfs.Message(err))
		}
	}
	if len(args) == 0 {
		return c.Exec(ctx, "sh")
	}
	return c.Exec(ctx, args...)
}
