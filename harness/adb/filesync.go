package adb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"
)

// MtimeOfClose, given to [Device.OpenWrite], stamps a file with the time at which it was closed.
var MtimeOfClose = time.Time{}

const (
	syncMaxPath  = 1024     // bytes of a path, as the device's daemon checks it
	syncMaxChunk = 64 << 10 // bytes of a DATA packet
)

// DirEntry is a file on the device.
type DirEntry struct {
	Name       string
	Mode       fs.FileMode
	Size       int64 // bytes; of the first 4 GiB only on a device without stat_v2
	ModifiedAt time.Time
	UID, GID   int   // -1 on a device that doesn't tell (no stat_v2, ls_v2)
	Err        error // why the device could not look at it; only in a listing
}

// syncConn is a connection in the file sync protocol (SYNC.TXT).
type syncConn struct{ *conn }

func (d *Device) sync(ctx context.Context) (syncConn, error) {
	c, err := d.open(ctx, "sync:")
	return syncConn{c}, err
}

// send writes a request: four letters, a length of four bytes, little-endian, and data.
func (c syncConn) send(id string, data []byte) error {
	b := make([]byte, 8, 8+len(data))
	copy(b, id)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(data)))
	_, err := c.Write(append(b, data...))
	return c.cause(err)
}

func (c syncConn) sendPath(id, name string) error {
	if len(name) > syncMaxPath {
		return fmt.Errorf("%.40s…: a path of %d bytes is longer than adb allows (%d)", name, len(name), syncMaxPath)
	}
	return c.send(id, []byte(name))
}

// read fills a fixed-size structure.
func (c syncConn) read(v any) error {
	return c.cause(binary.Read(c.Conn, binary.LittleEndian, v))
}

// packet reads the head of an answer; for FAIL, the error that it carries.
func (c syncConn) packet() (id string, size uint32, err error) {
	var head struct {
		ID   [4]byte
		Size uint32
	}
	if err := c.read(&head); err != nil {
		return "", 0, err
	}
	if string(head.ID[:]) == "FAIL" {
		text := make([]byte, min(head.Size, syncMaxChunk))
		if _, err := io.ReadFull(c.Conn, text); err != nil {
			return "", 0, c.cause(err)
		}
		return "", 0, deviceFault(string(text))
	}
	return string(head.ID[:]), head.Size, nil
}

type stat1 struct{ Mode, Size, Mtime uint32 }

func (s stat1) entry(name string) DirEntry {
	return DirEntry{Name: name, Mode: fileMode(s.Mode), Size: int64(s.Size), ModifiedAt: time.Unix(int64(s.Mtime), 0), UID: -1, GID: -1}
}

type stat2 struct {
	Error                 uint32
	Dev, Ino              uint64
	Mode, Nlink, UID, GID uint32
	Size                  uint64
	Atime, Mtime, Ctime   int64
}

func (s stat2) entry(name string) DirEntry {
	return DirEntry{Name: name, Mode: fileMode(s.Mode), Size: int64(s.Size), ModifiedAt: time.Unix(s.Mtime, 0),
		UID: int(s.UID), GID: int(s.GID), Err: errnoError(s.Error)}
}

// Stat looks at a file, following symbolic links where the device has stat_v2.
// The error wraps [fs.ErrNotExist] or [fs.ErrPermission] where that is why.
func (d *Device) Stat(ctx context.Context, name string) (*DirEntry, error) {
	return d.stat(ctx, "STA2", name)
}

// Lstat looks at a file and does not follow symbolic links.
func (d *Device) Lstat(ctx context.Context, name string) (*DirEntry, error) {
	return d.stat(ctx, "LST2", name)
}

func (d *Device) stat(ctx context.Context, v2 string, name string) (*DirEntry, error) {
	e, err := d.askStat(ctx, v2, name)
	if err != nil {
		return nil, fmt.Errorf("stat %s on %s: %w", name, d, err)
	}
	return e, nil
}

func (d *Device) askStat(ctx context.Context, id string, name string) (*DirEntry, error) {
	new, err := d.has(ctx, "stat_v2")
	if err != nil {
		return nil, err
	}
	if !new {
		id = "STAT"
	}
	c, err := d.sync(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.sendPath(id, name); err != nil {
		return nil, err
	}
	var got [4]byte
	if err := c.read(&got); err != nil {
		return nil, err
	}
	if string(got[:]) != id {
		return nil, fmt.Errorf("the device answered %q to %s", got[:], id)
	}
	if new {
		var s stat2
		if err := c.read(&s); err != nil {
			return nil, err
		}
		e := s.entry(path.Base(name))
		return &e, e.Err
	}
	var s stat1
	if err := c.read(&s); err != nil {
		return nil, err
	}
	if s == (stat1{}) {
		// The old form has no room for a reason.
		return nil, fs.ErrNotExist
	}
	e := s.entry(path.Base(name))
	return &e, nil
}

// DirEntries iterates over a folder's entries, "." and ".." left out.
type DirEntries struct {
	conn  syncConn
	v2    bool
	where string
	entry DirEntry
	err   error
	done  bool
}

// ListDirEntries lists a folder. The caller closes the result. A folder that
// isn't there, or may not be read, has no entries: the protocol can't tell.
func (d *Device) ListDirEntries(ctx context.Context, folder string) (*DirEntries, error) {
	where := fmt.Sprintf("list %s on %s", folder, d)
	v2, err := d.has(ctx, "ls_v2")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	c, err := d.sync(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	id := "LIST"
	if v2 {
		id = "LIS2"
	}
	if err := c.sendPath(id, folder); err != nil {
		c.Close()
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return &DirEntries{conn: c, v2: v2, where: where}, nil
}

// Next goes on to the next entry and reports whether there is one.
func (l *DirEntries) Next() bool {
	for !l.done {
		e, err := l.read()
		if err != nil {
			l.done = true
			if !errors.Is(err, io.EOF) {
				l.err = fmt.Errorf("%s: %w", l.where, err)
			}
			return false
		}
		if e.Name == "." || e.Name == ".." {
			continue
		}
		l.entry = e
		return true
	}
	return false
}

func (l *DirEntries) read() (DirEntry, error) {
	var id [4]byte
	if err := l.conn.read(&id); err != nil {
		return DirEntry{}, err
	}
	var e DirEntry
	var size uint32
	if l.v2 {
		var s struct {
			stat2
			NameSize uint32
		}
		if err := l.conn.read(&s); err != nil {
			return e, err
		}
		e, size = s.entry(""), s.NameSize
	} else {
		var s struct {
			stat1
			NameSize uint32
		}
		if err := l.conn.read(&s); err != nil {
			return e, err
		}
		e, size = s.entry(""), s.NameSize
	}
	switch string(id[:]) {
	case "DONE":
		return e, io.EOF
	case "DENT", "DNT2":
	default:
		return e, fmt.Errorf("the device answered %q in a listing", id[:])
	}
	if size > 4*syncMaxPath {
		return e, fmt.Errorf("the device gave a file name of %d bytes", size)
	}
	name := make([]byte, size)
	if _, err := io.ReadFull(l.conn, name); err != nil {
		return e, l.conn.cause(err)
	}
	// A name is one step of a path; anything else would lead a caller that joins it astray.
	if bytes.ContainsAny(name, "/\x00") || size == 0 {
		return e, fmt.Errorf("the device gave %q for a file name", name)
	}
	e.Name = string(name)
	return e, nil
}

// Entry is the entry that Next went to.
func (l *DirEntries) Entry() *DirEntry { e := l.entry; return &e }

// Err is why Next ended early; nil at the folder's end.
func (l *DirEntries) Err() error { return l.err }

// Close ends the listing.
func (l *DirEntries) Close() error { return l.conn.Close() }

// ReadAll reads what is left and closes the listing.
func (l *DirEntries) ReadAll() ([]*DirEntry, error) {
	defer l.Close()
	var all []*DirEntry
	for l.Next() {
		all = append(all, l.Entry())
	}
	return all, l.Err()
}
