package shell

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

func cmdStat(_ context.Context, c *Call) int {
	o, ok := c.options("c:Lft")
	if !ok || !c.need(o, 1) {
		return 1
	}
	code := 0
	for _, name := range o.args {
		look := c.FS.Lstat
		if o.has('L') {
			look = c.FS.Stat
		}
		info, err := look(c.Path(name))
		if err != nil {
			code = c.Errorf("'%s': %s", name, rootfs.Message(err))
			continue
		}
		if o.has('c') {
			c.Printf("%s\n", statFormat(c, o.value('c', ""), name, info))
			continue
		}
		c.Printf("%s", statFormat(c, "  File: %N\n  Size: %s\t Blocks: %b\t IO Blocks: %B\t%F\n"+
			"Device: fd06h/64774d\t Inode: %i\t Links: %h\nAccess: (0%a/%A)\tUid: (%5u/%8U)\tGid: (%5g/%8G)\n"+
			"Access: %x\nModify: %y\nChange: %z\n", name, info))
	}
	return code
}

// statFormat fills in stat -c's format.
func statFormat(c *Call, format, name string, info *rootfs.Info) string {
	var b strings.Builder
	stamp := func(t time.Time) string { return c.inZone(t).Format("2006-01-02 15:04:05.000000000 -0700") }
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		start := i
		i++
		for i+1 < len(format) && strings.IndexByte("0123456789-", format[i]) >= 0 {
			i++
		}
		width := format[start+1 : i]
		var value string
		switch format[i] {
		case '%':
			value = "%"
		case 'n':
			value = name
		case 'N':
			value = name
			if target, err := c.FS.Readlink(c.Path(name)); err == nil && info.Mode()&fs.ModeSymlink != 0 {
				value = "`" + name + "' -> `" + target + "'"
			}
		case 's':
			value = strconv.FormatInt(info.Size(), 10)
		case 'a':
			value = strconv.FormatUint(uint64(info.Unix()&0o7777), 8)
		case 'A':
			value = modeText(info)
		case 'f':
			value = strconv.FormatUint(uint64(info.Unix()), 16)
		case 'F':
			value = kindText(info)
		case 'u':
			value = strconv.Itoa(info.UID)
		case 'U':
			value = userName(info.UID)
		case 'g':
			value = strconv.Itoa(info.GID)
		case 'G':
			value = userName(info.GID)
		case 'h':
			value = strconv.FormatUint(info.Links(), 10)
		case 'i':
			value = strconv.FormatUint(info.Inode(), 10)
		case 'b':
			value = strconv.FormatInt(info.Blocks(), 10)
		case 'B':
			value = "512"
		case 'o':
			value = "4096"
		case 'd':
			value = "64774"
		case 'm':
			value = "/"
		case 'x':
			value = stamp(info.Accessed())
		case 'X':
			value = strconv.FormatInt(info.Accessed().Unix(), 10)
		case 'y':
			value = stamp(info.ModTime())
		case 'Y':
			value = strconv.FormatInt(info.ModTime().Unix(), 10)
		case 'z':
			value = stamp(info.Changed())
		case 'Z':
			value = strconv.FormatInt(info.Changed().Unix(), 10)
		default:
			value = format[start : i+1]
		}
		if n, err := strconv.Atoi(width); err == nil && n > -64 && n < 64 {
			value = fmt.Sprintf("%*s", n, value)
		}
		b.WriteString(value)
	}
	return b.String()
}

func kindText(info *rootfs.Info) string {
	switch info.Mode().Type() {
	case fs.ModeDir:
		return "directory"
	case fs.ModeSymlink:
		return "symbolic link"
	case fs.ModeSocket:
		return "socket"
	case fs.ModeNamedPipe:
		return "FIFO (named pipe)"
	case fs.ModeDevice:
		return "block device"
	case fs.ModeDevice | fs.ModeCharDevice:
		return "character device"
	}
	if info.Size() == 0 {
		return "regular empty file"
	}
	return "regular file"
}
