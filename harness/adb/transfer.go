package adb

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// OpenRead opens a file on the device. The caller closes it. The error, here or
// at the first Read, wraps [fs.ErrNotExist] or [fs.ErrPermission] where that is why.
func (d *Device) OpenRead(ctx context.Context, name string) (io.ReadCloser, error) {
	where := fmt.Sprintf("read %s on %s", name, d)
	c, err := d.sync(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	r := &fileReader{conn: c, where: where}
	if err = c.sendPath("RECV", name); err == nil {
		// The first packet says whether the file could be opened.
		err = r.next()
	}
	if err != nil && err != io.EOF {
		c.Close()
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return r, nil
}

type fileReader struct {
	conn  syncConn
	where string
	left  uint32 // bytes of the packet that is being read
	err   error
}

func (r *fileReader) next() error {
	id, size, err := r.conn.packet()
	switch {
	case err != nil:
		r.err = err
	case id == "DONE":
		r.err = io.EOF
	case id != "DATA":
		r.err = fmt.Errorf("the device answered %q where DATA or DONE belongs", id)
	default:
		r.left = size
	}
	return r.err
}

func (r *fileReader) Read(p []byte) (int, error) {
	for r.left == 0 {
		if r.err == nil {
			r.next()
		}
		if r.err == io.EOF {
			return 0, io.EOF
		}
		if r.err != nil {
			return 0, fmt.Errorf("%s: %w", r.where, r.err)
		}
	}
	if uint64(len(p)) > uint64(r.left) {
		p = p[:r.left]
	}
	n, err := r.conn.Conn.Read(p)
	r.left -= uint32(n)
	if err != nil {
		r.left, r.err = 0, r.conn.cause(err)
		return n, fmt.Errorf("%s: %w", r.where, r.err)
	}
	return n, nil
}

func (r *fileReader) Close() error { return r.conn.Close() }

// OpenWrite creates or replaces a file on the device. What is written is
// complete, and known to be, only once Close has returned nil. Permission bits and
// time are the file's; [MtimeOfClose] for now.
func (d *Device) OpenWrite(ctx context.Context, name string, perms fs.FileMode, mtime time.Time) (io.WriteCloser, error) {
	where := fmt.Sprintf("write %s on %s", name, d)
	c, err := d.sync(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	// The mode follows the last comma, so a comma in the name does no harm.
	if err := c.sendPath("SEND", fmt.Sprintf("%s,%d", name, 0o100000|uint32(perms.Perm()))); err != nil {
		c.Close()
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return &fileWriter{conn: c, where: where, mtime: mtime}, nil
}

type fileWriter struct {
	conn   syncConn
	where  string
	mtime  time.Time
	closed bool
	err    error
}

func (w *fileWriter) Write(p []byte) (int, error) {
	done := 0
	for len(p) > 0 {
		if w.err != nil {
			return done, w.err
		}
		chunk := p[:min(len(p), syncMaxChunk)]
		if err := w.conn.send("DATA", chunk); err != nil {
			// A device that refuses the file says so and stops listening.
			if _, _, told := w.conn.packet(); told != nil && w.conn.ctx.Err() == nil {
				err = told
			}
			w.err = fmt.Errorf("%s: %w", w.where, err)
			return done, w.err
		}
		done += len(chunk)
		p = p[len(chunk):]
	}
	return done, nil
}

func (w *fileWriter) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	defer w.conn.Close()
	if w.err != nil {
		return w.err
	}
	mtime := w.mtime
	if mtime.IsZero() {
		mtime = time.Now()
	}
	var done [8]byte
	copy(done[:], "DONE")
	binary.LittleEndian.PutUint32(done[4:], uint32(mtime.Unix()))
	_, err := w.conn.Write(done[:])
	if err = w.conn.cause(err); err == nil || w.conn.ctx.Err() == nil {
		var id string
		var told error
		if id, _, told = w.conn.packet(); told != nil {
			err = told
		} else if id != "OKAY" {
			err = fmt.Errorf("the device answered %q where OKAY belongs", id)
		}
	}
	if err != nil {
		w.err = fmt.Errorf("%s: %w", w.where, err)
	}
	return w.err
}

// abort ends the connection without completing the file.
func (w *fileWriter) abort() { w.closed = true; w.conn.Close() }

// Push copies r into a file on the device.
func (d *Device) Push(ctx context.Context, r io.Reader, name string, perms fs.FileMode) error {
	w, err := d.OpenWrite(ctx, name, perms, MtimeOfClose)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		w.(*fileWriter).abort()
		return err
	}
	return w.Close()
}

// Pull copies a file on the device into w and returns the number of bytes.
func (d *Device) Pull(ctx context.Context, name string, w io.Writer) (int64, error) {
	r, err := d.OpenRead(ctx, name)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(w, r)
}
