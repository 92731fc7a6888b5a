package adb

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// fileMode turns the device's mode, which is Linux's, into Go's.
func fileMode(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	switch m & 0o170000 {
	case 0o040000:
		mode |= fs.ModeDir
	case 0o120000:
		mode |= fs.ModeSymlink
	case 0o010000:
		mode |= fs.ModeNamedPipe
	case 0o140000:
		mode |= fs.ModeSocket
	case 0o060000:
		mode |= fs.ModeDevice
	case 0o020000:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	}
	for bit, as := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&bit != 0 {
			mode |= as
		}
	}
	return mode
}

// errnoError names the error number of a sync answer. The numbers are the
// protocol's own (Linux's), whatever this machine's are.
func errnoError(n uint32) error {
	switch n {
	case 0:
		return nil
	case 1, 13:
		return fs.ErrPermission
	case 2:
		return fs.ErrNotExist
	case 20:
		return errors.New("not a directory")
	case 21:
		return errors.New("is a directory")
	case 28:
		return errors.New("no space left on the device")
	case 30:
		return errors.New("read-only file system")
	case 36:
		return errors.New("file name too long")
	case 40:
		return errors.New("too many levels of symbolic links")
	}
	return fmt.Errorf("error number %d", n)
}

// deviceFault is what the device said of a file, with the sentinel that belongs to it.
func deviceFault(text string) error {
	text = clip(strings.TrimSpace(text))
	low := strings.ToLower(text)
	switch {
	case strings.Contains(low, "no such file"):
		return &statement{text, []error{fs.ErrNotExist}}
	case strings.Contains(low, "permission denied"), strings.Contains(low, "not permitted"):
		return &statement{text, []error{fs.ErrPermission}}
	}
	return errors.New(text)
}
