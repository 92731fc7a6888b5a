package observe

import (
	"bytes"
)

// maxChunkLine bounds the line before a chunk, in bytes.
const maxChunkLine = 1 << 16

// chunkLine reads the line before a chunk: its length and its extensions (RFC 9112
// section 7.1).
func (s *side) chunkLine(b []byte) (int, error) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 || len(s.held) > 0 {
		if i < 0 {
			s.hold(b)
			if len(s.held) > maxChunkLine {
				return len(b), notUnderstood("the line before a chunk is too long")
			}
			return len(b), nil
		}
		s.hold(b[:i+1])
		n, ext, err := parseChunkLine(s.held)
		if err != nil {
			return i + 1, err
		}
		err = s.chunk(n, len(s.held), ext)
		s.release()
		return i + 1, err
	}
	n, ext, err := parseChunkLine(b[:i+1])
	if err != nil {
		return 0, err
	}
	return i + 1, s.chunk(n, i+1, ext)
}

func parseChunkLine(line []byte) (n int64, ext []byte, err error) {
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return 0, nil, notUnderstood("the line before a chunk ends without a carriage return")
	}
	line = line[:len(line)-2]
	digits := 0
	for digits < len(line) && isHex(line[digits]) {
		c := line[digits]
		if c > '9' {
			c += 9
		}
		n = n<<4 | int64(c&15)
		digits++
	}
	ext = bytes.Trim(line[digits:], " \t")
	if digits == 0 || digits > 15 || len(ext) > 0 && ext[0] != ';' || bytes.IndexByte(ext, '\r') >= 0 {
		return 0, nil, notUnderstood("the line before a chunk has no length")
	}
	return n, ext, nil
}

// chunk begins a chunk of n bytes, whose line has size bytes.
func (s *side) chunk(n int64, size int, ext []byte) error {
	s.size(size)
	if err := s.c.strayed(s.sent, ext); err != nil {
		return err
	}
	s.left, s.step = n, (*side).chunkData
	if n == 0 {
		s.step = (*side).trailers
	}
	return nil
}

func (s *side) chunkData(b []byte) (int, error) {
	if int64(len(b)) > s.left {
		b = b[:s.left]
	}
	if err := s.x.write(s.sent, b); err != nil {
		return 0, err
	}
	s.size(len(b))
	if s.left -= int64(len(b)); s.left == 0 {
		s.step = (*side).chunkEnd
	}
	return len(b), nil
}

// chunkEnd reads the end of the line after a chunk.
func (s *side) chunkEnd(b []byte) (int, error) {
	want := "\r\n"[s.left:] // left counts the bytes that have come
	if b[0] != want[0] {
		return 0, notUnderstood("a chunk is not followed by the end of a line")
	}
	s.size(1)
	if s.left++; s.left == 2 {
		s.step = (*side).chunkLine
	}
	return 1, nil
}

// trailers reads what follows the last chunk.
func (s *side) trailers(b []byte) (int, error) {
	text, n, whole, err := s.gather(b, trailerEnd)
	if err != nil || !whole {
		return n, err
	}
	h, err := parseHead(string(text), true)
	heads := &s.x.heads
	if !s.sent {
		heads = &s.x.downHeads
	}
	if *heads += h.weight; err == nil && *heads > maxWeight {
		err = notUnderstood("its trailers are too long")
	}
	if err != nil {
		if len(s.held) == 0 {
			n = 0
		}
		return n, err
	}
	s.size(len(text))
	if s.sent {
		s.x.request.Trailers = h.fields
	} else {
		s.x.response.Trailers = h.fields
	}
	s.release()
	return n, s.endMessage(s.x)
}
