package adbd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

const (
	syncDataMax = 64 << 10
	syncPathMax = 1024
)

// syncing is one run of the service sync:, as adb's SYNC.TXT describes it.
type syncing struct {
	in   *bufio.Reader
	out  *bufio.Writer
	view *rootfs.View
}

// errQuit ends the service.
var errQuit = errors.New("quit")

func (c *conn) sync(s *stream) {
	d := c.server.device
	y := &syncing{in: bufio.NewReaderSize(s, 256<<10), out: bufio.NewWriterSize(s, 512<<10), view: d.FS().As(d.UID())}
	for y.request() == nil {
		// What is asked for in one go is answered in one go.
		if y.in.Buffered() == 0 && y.out.Flush() != nil {
			break
		}
	}
	y.out.Flush()
	s.flush()
}

// request handles one request. An error is the stream's end, or of a peer that speaks otherwise.
func (y *syncing) request() error {
	var head [8]byte
	if _, err := io.ReadFull(y.in, head[:]); err != nil {
		return err
	}
	id, length := string(head[:4]), binary.LittleEndian.Uint32(head[4:])
	if id == "QUIT" {
		return errQuit
	}
	if length > syncPathMax {
		y.fail("path too long")
		return errQuit
	}
	name := make([]byte, length)
	if _, err := io.ReadFull(y.in, name); err != nil {
		return err
	}
	switch id {
	case "STAT":
		y.stat(string(name))
	case "STA2":
		info, err := y.view.Stat(string(name))
		y.statV2("STA2", info, err)
	case "LST2":
		info, err := y.view.Lstat(string(name))
		y.statV2("LST2", info, err)
	case "LIST":
		y.list(string(name), false)
	case "LIS2":
		y.list(string(name), true)
	case "SEND":
		return y.receive(string(name))
	case "RECV":
		return y.send(string(name))
	default:
		y.fail("unknown command " + strconv.Quote(id))
		return errQuit
	}
	return nil
}

func (y *syncing) fail(message string) {
	y.out.WriteString("FAIL")
	y.out.Write(little(uint32(len(message))))
	y.out.WriteString(message)
}

func (y *syncing) failErr(what string, err error) { y.fail(what + ": " + rootfs.Message(err)) }

// words appends little-endian words.
func words(out []byte, values ...uint32) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

func clamp(n int64) uint32 { return uint32(min(max(n, 0), 1<<32-1)) }

// stat answers STAT, which cannot tell errors apart.
func (y *syncing) stat(name string) {
	out := []byte("STAT")
	if info, err := y.view.Lstat(name); err == nil {
		out = words(out, info.Unix(), clamp(info.Size()), clamp(info.ModTime().Unix()))
	} else {
		out = words(out, 0, 0, 0)
	}
	y.out.Write(out)
}

func (y *syncing) statV2(id string, info *rootfs.Info, err error) {
	y.out.Write(statWords([]byte(id), info, err))
}

// statWords appends what stat_v2 says of a file.
func statWords(out []byte, info *rootfs.Info, err error) []byte {
	if err != nil {
		return append(words(out, rootfs.Errno(err)), make([]byte, 64)...)
	}
	out = words(out, 0)
	out = binary.LittleEndian.AppendUint64(out, 0xfd06)
	out = binary.LittleEndian.AppendUint64(out, info.Inode())
	out = words(out, info.Unix(), uint32(info.Links()), uint32(info.UID), uint32(info.GID))
	out = binary.LittleEndian.AppendUint64(out, uint64(info.Size()))
	for _, t := range []time.Time{info.Accessed(), info.ModTime(), info.Changed()} {
		out = binary.LittleEndian.AppendUint64(out, uint64(t.Unix()))
	}
	return out
}

func (y *syncing) list(name string, v2 bool) {
	var found []*rootfs.Info
	entries, err := y.view.ReadDir(name)
	if err == nil {
		for _, n := range []string{".", ".."} {
			if info, err := y.view.Lstat(name + "/" + n); err == nil {
				found = append(found, info)
			}
		}
		for _, e := range entries {
			if info, err := y.view.Lstat(name + "/" + e.Name()); err == nil {
				found = append(found, info)
			}
		}
	}
	for _, info := range found {
		var out []byte
		if v2 {
			out = statWords([]byte("DNT2"), info, nil)
		} else {
			out = words([]byte("DENT"), info.Unix(), clamp(info.Size()), clamp(info.ModTime().Unix()))
		}
		y.out.Write(append(words(out, uint32(len(info.Name()))), info.Name()...))
	}
	done := []byte("DONE")
	if v2 {
		y.out.Write(append(done, make([]byte, 72)...))
		return
	}
	y.out.Write(append(done, make([]byte, 16)...))
}

// send answers RECV: the file's content.
func (y *syncing) send(name string) error {
	f, err := y.view.Open(name)
	if err == nil {
		if info, _ := f.Stat(); info.IsDir() {
			f.Close()
			y.failErr("read failed", syscall.EISDIR)
			return nil
		}
	}
	if err != nil {
		y.failErr("open failed", err)
		return nil
	}
	defer f.Close()
	buf := make([]byte, 8+syncDataMax)
	copy(buf, "DATA")
	for {
		n, err := io.ReadFull(f, buf[8:])
		if n > 0 {
			binary.LittleEndian.PutUint32(buf[4:], uint32(n))
			if _, err := y.out.Write(buf[:8+n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			y.failErr("read failed", err)
			return nil
		}
	}
	y.out.WriteString("DONE")
	y.out.Write(little(0))
	return nil
}

// receive answers SEND: "PATH,MODE", then DATA until DONE. The whole file is
// read even if it can't be written, as the protocol has it.
func (y *syncing) receive(spec string) error {
	i := strings.LastIndexByte(spec, ',')
	mode, err := uint64(0), error(nil)
	if i >= 0 {
		mode, err = strconv.ParseUint(spec[i+1:], 0, 32)
	}
	if i < 0 || err != nil {
		y.fail("missing , in ID_SEND")
		return errQuit
	}
	name := spec[:i]
	const kindMask, kindLink, kindFile = 0o170000, 0o120000, 0o100000
	sink := &syncFile{view: y.view, name: name}
	switch mode & kindMask {
	case kindLink:
		sink.link = true
	case kindFile, 0:
		sink.mode = permissions(uint32(mode))
	default:
		sink.problem = "unsupported file type"
	}
	for {
		var head [8]byte
		if _, err := io.ReadFull(y.in, head[:]); err != nil {
			sink.abandon()
			return err
		}
		n := binary.LittleEndian.Uint32(head[4:])
		switch string(head[:4]) {
		case "DATA":
			if n > syncDataMax {
				sink.abandon()
				y.fail("oversize data message")
				return errQuit
			}
			if _, err := io.CopyN(sink, y.in, int64(n)); err != nil {
				sink.abandon()
				return err
			}
		case "DONE":
			sink.finish(time.Unix(int64(n), 0))
			if sink.problem != "" {
				y.fail(sink.problem)
				return nil
			}
			y.out.WriteString("OKAY")
			y.out.Write(little(0))
			return nil
		default:
			sink.abandon()
			y.fail("invalid data message")
			return errQuit
		}
	}
}

// permissions are what adbd makes of a pushed file's mode: what the owner may,
// everybody may.
func permissions(mode uint32) fs.FileMode {
	mode &= 0o777
	mode |= mode >> 3 & 0o070
	mode |= mode >> 3 & 0o007
	return fs.FileMode(mode)
}

// syncFile is a file that is being pushed.
type syncFile struct {
	view    *rootfs.View
	name    string
	mode    fs.FileMode
	link    bool
	target  []byte
	file    *rootfs.File
	problem string // why it can't be written; the rest is read and dropped
}

func (f *syncFile) Write(p []byte) (int, error) {
	switch {
	case f.problem != "":
	case f.link:
		if f.target = append(f.target, p...); len(f.target) > 4095 {
			f.problem = "link target too long"
		}
	default:
		if f.start(); f.problem == "" {
			if _, err := f.file.Write(p); err != nil {
				f.problem = "write failed: " + rootfs.Message(err)
				f.abandon()
			}
		}
	}
	return len(p), nil
}

// start makes the file, and the folders above it that are missing.
func (f *syncFile) start() {
	if f.file != nil || f.problem != "" {
		return
	}
	if err := f.view.MkdirAll(path.Dir(f.name), 0o775); err != nil {
		f.problem = "secure_mkdirs failed: " + rootfs.Message(err)
		return
	}
	if info, err := f.view.Lstat(f.name); err == nil && !info.IsDir() {
		// A link is replaced, not followed; a file gets a new one's mode.
		f.view.Remove(f.name)
	}
	file, err := f.view.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, f.mode)
	if err != nil {
		f.problem = "couldn't create file: " + rootfs.Message(err)
		return
	}
	f.file = file
}

func (f *syncFile) finish(modified time.Time) {
	if f.problem == "" && f.link {
		target := strings.TrimRight(string(f.target), "\x00")
		err := f.view.MkdirAll(path.Dir(f.name), 0o775)
		if err == nil {
			f.view.Remove(f.name)
			err = f.view.Symlink(target, f.name)
		}
		if err != nil {
			f.problem = "couldn't create symlink: " + rootfs.Message(err)
		}
		return
	}
	if f.start(); f.problem != "" {
		return
	}
	if err := f.file.Close(); err != nil {
		f.problem = fmt.Sprintf("close failed: %s", rootfs.Message(err))
		return
	}
	if err := f.view.Chtimes(f.name, modified, modified); err != nil {
		f.problem = "couldn't set times: " + rootfs.Message(err)
	}
}

// abandon leaves a file that did not come whole: what was written is removed.
func (f *syncFile) abandon() {
	if f.file != nil {
		f.file.Close()
		f.view.Remove(f.name)
		f.file = nil
	}
}
