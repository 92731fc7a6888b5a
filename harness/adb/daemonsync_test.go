package adb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sync serves the file sync protocol on the daemon's folder.
func (d *daemon) sync(s *stream) {
	put := func(v ...any) {
		var b bytes.Buffer
		for _, x := range v {
			if t, ok := x.(string); ok {
				b.WriteString(t)
			} else {
				binary.Write(&b, binary.LittleEndian, x)
			}
		}
		s.Write(b.Bytes())
	}
	fail := func(err error) {
		text := "couldn't open: " + map[bool]string{true: "No such file or directory", false: "Permission denied"}[errors.Is(err, fs.ErrNotExist)]
		put("FAIL", uint32(len(text)), text)
	}
	for {
		var head [8]byte
		if _, err := io.ReadFull(s, head[:]); err != nil {
			return
		}
		arg := make([]byte, binary.LittleEndian.Uint32(head[4:]))
		if _, err := io.ReadFull(s, arg); err != nil {
			return
		}
		file := filepath.Join(d.root, string(arg))
		switch id := string(head[:4]); id {
		case "STAT":
			if i, err := os.Lstat(file); err != nil {
				put(id, uint32(0), uint32(0), uint32(0))
			} else {
				put(id, linuxMode(i), uint32(i.Size()), uint32(i.ModTime().Unix()))
			}
		case "STA2", "LST2":
			stat := os.Stat
			if id == "LST2" {
				stat = os.Lstat
			}
			i, err := stat(file)
			if err != nil {
				put(id, errno(err), make([]byte, 64))
				continue
			}
			put(id, uint32(0), uint64(1), uint64(2), linuxMode(i), uint32(1), uint32(2000), uint32(1015), uint64(i.Size()), i.ModTime().Unix(), i.ModTime().Unix(), i.ModTime().Unix())
		case "LIST", "LIS2":
			list, _ := os.ReadDir(file)
			for _, e := range append([]fs.DirEntry{nil}, list...) {
				name, mode, size, mtime := ".", uint32(0o40755), int64(0), int64(0)
				if e != nil {
					i, _ := e.Info()
					name, mode, size, mtime = strings.ReplaceAll(e.Name(), "%2F", "/"), linuxMode(i), i.Size(), i.ModTime().Unix()
				}
				if id == "LIST" {
					put("DENT", mode, uint32(size), uint32(mtime), uint32(len(name)), name)
				} else {
					put("DNT2", uint32(0), uint64(1), uint64(2), mode, uint32(1), uint32(2000), uint32(1015), uint64(size), mtime, mtime, mtime, uint32(len(name)), name)
				}
			}
			put("DONE", make([]byte, map[bool]int{true: 16, false: 72}[id == "LIST"]))
		case "RECV":
			f, err := os.Open(file)
			if err != nil {
				fail(err)
				continue
			}
			buf := make([]byte, 64<<10)
			for {
				n, err := f.Read(buf)
				if n > 0 {
					put("DATA", uint32(n), buf[:n])
				}
				if err != nil {
					break
				}
			}
			f.Close()
			put("DONE", uint32(0))
		case "SEND":
			comma := bytes.LastIndexByte(arg, ',')
			mode, _ := strconv.Atoi(string(arg[comma+1:]))
			d.receive(s, filepath.Join(d.root, string(arg[:comma])), fs.FileMode(mode&0o777), fail, put)
		default:
			return
		}
	}
}

func (d *daemon) receive(s *stream, name string, mode fs.FileMode, fail func(error), put func(...any)) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err == nil {
		defer f.Close()
	}
	for {
		var head [8]byte
		if _, rerr := io.ReadFull(s, head[:]); rerr != nil {
			return
		}
		n := binary.LittleEndian.Uint32(head[4:])
		if string(head[:4]) == "DONE" {
			if err != nil {
				fail(err)
				return
			}
			f.Chmod(mode)
			os.Chtimes(name, time.Time{}, time.Unix(int64(n), 0))
			put("OKAY", uint32(0))
			return
		}
		b := make([]byte, n)
		if _, rerr := io.ReadFull(s, b); rerr != nil {
			return
		}
		if f != nil {
			f.Write(b)
		}
	}
}

func linuxMode(i fs.FileInfo) uint32 { return i.Sys().(*syscall.Stat_t).Mode }

func errno(err error) uint32 {
	var n syscall.Errno
	if errors.As(err, &n) {
		return uint32(n)
	}
	return 5
}
