package observe

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strconv"
)

const (
	window      = 32 << 10 // of deflate, in bytes
	maxPacked   = 16 << 20 // of a compressed message, which is held until it is whole
	maxUnpacked = 64 << 20 // of what comes of one
)

// inflater takes compression off messages (RFC 7692).
type inflater struct {
	keep   bool   // a message may refer to those before it
	packed []byte // of the message that is under way
	long   bool   // it is longer than is held
	lost   bool   // a message that others may refer to could not be unfolded
	before []byte // the end of what came of those before
	r      io.ReadCloser
	out    []byte
}

// add takes bytes of a message.
func (i *inflater) add(b []byte) {
	if i.long = i.long || len(i.packed)+len(b) > maxPacked; !i.long {
		i.packed = append(i.packed, b...)
	}
}

// tail is what a sender has left off at the end of a message (RFC 7692 section 7.2.1),
// and an empty last block, so that the reader sees an end.
var tail = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

// unfold writes what the message is to a body. cut is why that is not all of it; an
// error is the Recorder's.
func (i *inflater) unfold(to *Body, r Recorder) (cut string, err error) {
	packed := append(i.packed, tail...)
	i.packed = i.packed[:0]
	if cap(packed) <= 64<<10 {
		i.packed = packed[:0]
	} else {
		i.packed = nil
	}
	long := i.long
	i.long = false
	switch {
	case i.lost:
		return "it is compressed with regard to a message that could not be unfolded", nil
	case long:
		i.lost = i.keep
		return "it has more than " + strconv.Itoa(maxPacked>>20) + " MiB of compressed bytes", nil
	}
	in := bytes.NewReader(packed)
	if i.r == nil {
		i.r = flate.NewReaderDict(in, i.before)
		i.out = make([]byte, window)
	} else if err := i.r.(flate.Resetter).Reset(in, i.before); err != nil {
		return "", err // compress/flate has no such error
	}
	for left := maxUnpacked; ; {
		n, failed := i.r.Read(i.out[:min(left, len(i.out))])
		left -= n
		if err := writeTo(to, r, i.out[:n]); err != nil {
			return "", err
		}
		i.remember(i.out[:n])
		switch {
		case errors.Is(failed, io.EOF):
			return "", nil
		case failed != nil:
			i.lost = i.keep
			return "its compression is damaged: " + failed.Error(), nil
		case left == 0:
			i.lost = i.keep
			return "more than " + strconv.Itoa(maxUnpacked>>20) + " MiB come of it", nil
		}
	}
}

// remember keeps the end of what has come of messages.
func (i *inflater) remember(b []byte) {
	if !i.keep {
		return
	}
	if len(b) >= window {
		i.before = append(i.before[:0], b[len(b)-window:]...)
		return
	}
	if over := len(i.before) + len(b) - window; over > 0 {
		i.before = append(i.before[:0], i.before[over:]...)
	}
	i.before = append(i.before, b...)
}
