package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// chain follows a log from line to line.
type chain struct {
	v        *verifier
	number   uint64 // lines begun
	held     uint64 // number of the line before
	seq      uint64 // its event's
	digest   Digest // its hash
	text     []byte // its bytes
	offset   int64  // where it begins
	torn     bool   // no newline ends it
	reported int    // the problem that was found in it, so that its hash is wrong too; -1 for none
}

// checkLog follows the chain and compares its end with the manifest.
func (v *verifier) checkLog(ctx context.Context) error {
	f, err := openRegular(filepath.Join(v.dir, logName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.wrong(logName, 0, "it is missing")
		return nil
	case errors.Is(err, ErrBroken):
		v.wrong(logName, 0, "it is no ordinary file")
		return nil
	case err != nil:
		return err
	}
	defer f.Close()
	whole := sha256.New()
	in := newLines(io.TeeReader(contextReader{ctx, f}, whole))
	c := &chain{v: v, digest: DigestOf(nil), reported: -1}
	for {
		ln, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errLongLine) {
			v.wrong(logName, ln.offset, "line %d is %v; what follows can't be checked", c.number+1, err)
			_, _, err = digestReader(in.r)
			if err != nil {
				return err
			}
			break
		}
		if err != nil {
			return err
		}
		c.follow(ln)
	}
	v.log = digestSum(whole)
	c.finish(in.offset)
	return nil
}

// follow checks one line and its link to the line before.
func (c *chain) follow(ln line) {
	v := c.v
	c.number++
	reported := -1
	if ln.torn {
		v.wrong(logName, ln.offset+int64(len(ln.text)), "line %d is torn: no newline ends it", c.number)
		reported = len(v.problems) - 1
	}
	ev, at, err := parseEvent(ln.text)
	if err != nil {
		if !ln.torn {
			v.wrong(logName, ln.offset+int64(at), "line %d: %v", c.number, err)
			reported = len(v.problems) - 1
		}
	} else {
		switch {
		case ev.Seq != c.seq+1:
			v.wrong(logName, ln.offset+int64(place(ln.text, `"seq"`)), "line %d is event %d and follows event %d: lines are missing, added or moved", c.number, ev.Seq, c.seq)
			reported = len(v.problems) - 1
		case ev.Prev != c.digest:
			if c.brokenLink(ln, ev.Prev) {
				reported = len(v.problems) - 1
			}
		}
	}
	if err == nil && ev.Prev != c.digest {
		c.seq = ev.Seq // lines are missing or moved: go on from here
	} else {
		c.seq++
	}
	c.torn = ln.torn
	c.held, c.digest, c.offset, c.reported = c.number, DigestOf(ln.text), ln.offset, reported
	c.text = append(c.text[:0], ln.text...)
}

// brokenLink reports that a line does not name the line before as it is, and
// whether it is this line that is wrong.
func (c *chain) brokenLink(ln line, said Digest) (here bool) {
	v := c.v
	if at, slip := edited(said, c.digest); slip || !said.Valid() || c.number == 1 {
		v.wrong(logName, ln.offset+int64(bytes.LastIndex(ln.text, []byte(said))+max(at, 0)), "line %d names the hash of the line before wrongly: it is %s", c.number, c.digest)
		return true
	}
	c.changed(said)
	return false
}

// changed reports that the line before is not what its successor, or the
// manifest, says that it was.
func (c *chain) changed(said Digest) {
	at, was, ok := locate(bytes.Clone(c.text), said)
	switch {
	case ok && c.reported >= 0:
		p := &c.v.problems[c.reported]
		p.Offset = c.offset + int64(at)
		p.What = fmt.Sprintf("line %d was changed: this byte is %q and was %q", c.held, c.text[at], was)
		return
	case ok:
		c.v.wrong(logName, c.offset+int64(at), "line %d was changed: this byte is %q and was %q", c.held, c.text[at], was)
		return
	case c.reported >= 0:
		return // what is known to be wrong with it explains its hash
	}
	c.v.wrong(logName, c.offset, "line %d was changed: somewhere in these %d bytes", c.held, len(c.text))
}

// finish compares the end of the log with the manifest.
func (c *chain) finish(size int64) {
	v := c.v
	m := v.manifest
	if !v.readable {
		return
	}
	switch {
	case size < m.LogSize:
		v.wrong(logName, size, "it ends here: %d of %d bytes are missing", m.LogSize-size, m.LogSize)
	case size > m.LogSize:
		v.wrong(logName, m.LogSize, "it goes on here: %d bytes more than the %d that were sealed", size-m.LogSize, m.LogSize)
	case c.torn:
		p := &v.problems[c.reported]
		p.Offset, p.What = size-1, fmt.Sprintf("line %d was changed: its last byte must be a newline", c.held)
	case c.number != m.Events && v.has(logName):
		// What is wrong with the log explains the number of its lines.
	case c.number != m.Events:
		v.wrong(manifestName, int64(place(v.text, `"events"`)), "it says %d events, and the log has %d", m.Events, c.number)
	case c.digest != m.Head:
		if at, slip := edited(m.Head, c.digest); slip || !m.Head.Valid() {
			v.wrong(manifestName, int64(place(v.text, `"head": "`)+len(`"head": "`)+max(at, 0)), "it names the hash of the log's last line wrongly: it is %s", c.digest)
		} else {
			c.changed(m.Head)
		}
	}
}

// contextReader stops reading when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
