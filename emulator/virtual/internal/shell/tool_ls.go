package shell

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// listing is one run of ls.
type listing struct {
	c       *Call
	o       options
	code    int
	started bool
}

// listed is one line of ls.
type listed struct {
	name string
	full string // its path
	info *rootfs.Info
}

func cmdLs(ctx context.Context, c *Call) int {
	o, ok := c.options("lad1RAhnitrSpFgosCHLN(color)")
	if !ok {
		return 1
	}
	l := &listing{c: c, o: o}
	names := o.args
	if len(names) == 0 {
		names = []string{"."}
	}
	var files, dirs []listed
	for _, name := range names {
		full := c.Path(name)
		info, err := c.FS.Lstat(full)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 && (o.has('L') || o.has('H') || !o.has('l') && !o.has('d') && !o.has('F')) {
			if target, err := c.FS.Stat(full); err == nil {
				info = target
			}
		}
		if err != nil {
			l.fail(name, err)
			continue
		}
		if info.IsDir() && !o.has('d') {
			dirs = append(dirs, listed{name, full, info})
		} else {
			files = append(files, listed{name, full, info})
		}
	}
	l.sort(files)
	l.sort(dirs)
	if len(files) > 0 {
		l.print(files, false)
	}
	for _, d := range dirs {
		l.dir(ctx, d, len(names) > 1 || o.has('R'))
	}
	return l.code
}

func (l *listing) fail(name string, err error) {
	l.code = l.c.Errorf("%s: %s", name, rootfs.Message(err))
}

func (l *listing) dir(ctx context.Context, d listed, header bool) {
	if ctx.Err() != nil {
		return
	}
	entries, err := l.c.FS.ReadDir(d.full)
	if err != nil {
		l.fail(d.name, err)
		return
	}
	if l.started {
		l.c.Printf("\n")
	}
	if header {
		l.c.Printf("%s:\n", d.name)
	}
	var items []listed
	if l.o.has('a') {
		for _, name := range []string{".", ".."} {
			if info, err := l.c.FS.Stat(d.full + "/" + name); err == nil {
				items = append(items, listed{name, d.full + "/" + name, info})
			}
		}
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !l.o.has('a') && !l.o.has('A') {
			continue
		}
		full := strings.TrimSuffix(d.full, "/") + "/" + e.Name()
		info, err := l.c.FS.Lstat(full)
		if err != nil {
			l.fail(full, err)
			continue
		}
		items = append(items, listed{e.Name(), full, info})
	}
	l.sort(items)
	l.print(items, true)
	l.started = true
	if !l.o.has('R') {
		return
	}
	for _, item := range items {
		if item.info.IsDir() && item.name != "." && item.name != ".." {
			item.name = strings.TrimSuffix(d.name, "/") + "/" + item.name
			l.dir(ctx, item, true)
		}
	}
}

func (l *listing) sort(items []listed) {
	slices.SortStableFunc(items, func(a, b listed) int {
		n := 0
		switch {
		case l.o.has('t'):
			n = b.info.ModTime().Compare(a.info.ModTime())
		case l.o.has('S'):
			n = cmp.Compare(b.info.Size(), a.info.Size())
		}
		if n == 0 {
			n = strings.Compare(a.name, b.name)
		}
		if l.o.has('r') {
			n = -n
		}
		return n
	})
}

func (l *listing) print(items []listed, inDir bool) {
	l.started = true
	long := l.o.has('l') || l.o.has('g') || l.o.has('o') || l.o.has('n')
	if long {
		l.printLong(items, inDir)
		return
	}
	if l.c.TTY && !l.o.has('1') || l.o.has('C') {
		l.printColumns(items)
		return
	}
	for _, item := range items {
		l.c.Printf("%s%s%s\n", l.before(item), item.name, l.mark(item))
	}
}

// before is what -i and -s put in front of a name.
func (l *listing) before(item listed) string {
	var b strings.Builder
	if l.o.has('i') {
		fmt.Fprintf(&b, "%7d ", item.info.Inode())
	}
	if l.o.has('s') {
		fmt.Fprintf(&b, "%3d ", item.info.Blocks()/2)
	}
	return b.String()
}

// mark is what -F and -p put after a name.
func (l *listing) mark(item listed) string {
	mode := item.info.Mode()
	switch {
	case mode.IsDir() && (l.o.has('F') || l.o.has('p')):
		return "/"
	case !l.o.has('F'):
		return ""
	case mode&fs.ModeSymlink != 0:
		return "@"
	case mode.IsRegular() && mode&0o111 != 0:
		return "*"
	}
	return ""
}

func (l *listing) printColumns(items []listed) {
	width := 0
	for _, item := range items {
		width = max(width, len(item.name)+2)
	}
	columns := max(1, 80/max(1, width))
	rows := (len(items) + columns - 1) / columns
	for r := range rows {
		var b strings.Builder
		for i := r; i < len(items); i += rows {
			fmt.Fprintf(&b, "%-*s", width, items[i].name+l.mark(items[i]))
		}
		l.c.Printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

func (l *listing) printLong(items []listed, inDir bool) {
	type row struct{ links, user, group, size string }
	rows := make([]row, len(items))
	var wide [4]int
	var blocks int64
	for i, item := range items {
		info := item.info
		blocks += info.Blocks()
		r := row{links: strconv.FormatUint(info.Links(), 10), user: userName(info.UID), group: userName(info.GID), size: l.size(info)}
		if l.o.has('n') {
			r.user, r.group = strconv.Itoa(info.UID), strconv.Itoa(info.GID)
		}
		if info.Mode()&fs.ModeDevice != 0 {
			r.size = "1,   3"
		}
		rows[i] = r
		for k, s := range []string{r.links, r.user, r.group, r.size} {
			wide[k] = max(wide[k], len(s))
		}
	}
	if inDir {
		l.c.Printf("total %d\n", blocks/2)
	}
	for i, item := range items {
		r := rows[i]
		l.c.Printf("%s%s %*s ", l.before(item), modeText(item.info), wide[0], r.links)
		if !l.o.has('g') {
			l.c.Printf("%-*s ", wide[1], r.user)
		}
		if !l.o.has('o') {
			l.c.Printf("%-*s ", wide[2], r.group)
		}
		l.c.Printf("%*s %s %s", wide[3], r.size, l.c.inZone(item.info.ModTime()).Format("2006-01-02 15:04"), item.name)
		if item.info.Mode()&fs.ModeSymlink != 0 {
			if target, err := l.c.FS.Readlink(item.full); err == nil {
				l.c.Printf(" -> %s", target)
			}
		}
		l.c.Printf("%s\n", l.mark(item))
	}
}

func (l *listing) size(info *rootfs.Info) string {
	if l.o.has('h') {
		return human(info.Size())
	}
	return strconv.FormatInt(info.Size(), 10)
}

// human is a size as toybox's -h prints it.
func human(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	f := float64(n)
	for _, unit := range "KMGTPE" {
		f /= 1024
		if f < 10 {
			return fmt.Sprintf("%.1f%c", f, unit)
		}
		if f < 1000 {
			return fmt.Sprintf("%.0f%c", f, unit)
		}
	}
	return strconv.FormatInt(n, 10)
}

// modeText is a mode as ls prints it.
func modeText(info *rootfs.Info) string {
	mode := info.Mode()
	kind := byte('-')
	switch mode.Type() {
	case fs.ModeDir:
		kind = 'd'
	case fs.ModeSymlink:
		kind = 'l'
	case fs.ModeNamedPipe:
		kind = 'p'
	case fs.ModeSocket:
		kind = 's'
	case fs.ModeDevice:
		kind = 'b'
	case fs.ModeDevice | fs.ModeCharDevice:
		kind = 'c'
	}
	out := []byte{kind}
	for i, c := range "rwxrwxrwx" {
		if mode&(1<<(8-i)) == 0 {
			c = '-'
		}
		out = append(out, byte(c))
	}
	special := func(at int, set bool, with, without byte) {
		switch {
		case !set:
		case out[at] == 'x':
			out[at] = with
		default:
			out[at] = without
		}
	}
	special(3, mode&fs.ModeSetuid != 0, 's', 'S')
	special(6, mode&fs.ModeSetgid != 0, 's', 'S')
	special(9, mode&fs.ModeSticky != 0, 't', 'T')
	return string(out)
}

// inZone is a time as the device's clock shows it.
func (c *Call) inZone(t time.Time) time.Time { return t.In(c.Shell.clock().Location()) }
