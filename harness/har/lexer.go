package har

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// The bounds of a document: deeper or longer ones are hostile, or no HAR.
const (
	maxDepth  = 1000      // of arrays and objects in one another
	maxName   = 4 << 10   // bytes of a member's name that are looked at
	maxScalar = 1 << 20   // bytes of a short text: a URL, a header's value
	chunk     = 128 << 10 // bytes that are read at once
)

// SyntaxError is a place where a file is no JSON, or breaks off.
type SyntaxError struct {
	Line, Column int64 // from 1; the column counts bytes
	Offset       int64 // bytes before it
	What         string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d (byte %d): %s", e.Line, e.Column, e.Offset, e.What)
}

// lexer reads JSON (RFC 8259) from a stream, value by value. It is strict in what
// carries structure, and lenient within values: NaN and Infinity, which JavaScript and
// Python print, are scalars; control characters may stand in strings; bytes that are no
// UTF-8 pass as they are.
type lexer struct {
	in    io.Reader
	buf   []byte
	pos   int
	end   int
	base  int64 // offset of buf[0]
	line  int64 // newlines before buf[0]
	begin int64 // offset of the line's first byte, if that is before buf[0]
	depth int
	err   error // of in, once buf is used up
}

func newLexer(in io.Reader) *lexer { return &lexer{in: in, buf: make([]byte, chunk)} }

// fill reads more, once all is used; it reports whether there was any.
func (l *lexer) fill() bool {
	if l.err != nil {
		return false
	}
	used := l.buf[:l.end]
	if n := bytes.Count(used, []byte{'\n'}); n > 0 {
		l.line += int64(n)
		l.begin = l.base + int64(bytes.LastIndexByte(used, '\n')) + 1
	}
	l.base += int64(l.end)
	l.pos, l.end = 0, 0
	for empty := 0; l.end == 0 && l.err == nil; empty++ {
		if empty == 100 {
			l.err = io.ErrNoProgress
			break
		}
		l.end, l.err = l.in.Read(l.buf)
	}
	return l.end > 0
}

// peek is the next byte; ok is false at the end.
func (l *lexer) peek() (b byte, ok bool) {
	if l.pos == l.end && !l.fill() {
		return 0, false
	}
	return l.buf[l.pos], true
}

// next is the next byte that is no white space, and stays.
func (l *lexer) next() (byte, error) {
	for {
		b, ok := l.peek()
		if !ok {
			return 0, l.brokenOff()
		}
		if b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b, nil
		}
		l.pos++
	}
}

// at is where the next byte stands.
func (l *lexer) at(what string, args ...any) error {
	seen := l.buf[:l.pos]
	e := &SyntaxError{Offset: l.base + int64(l.pos), Line: l.line + 1 + int64(bytes.Count(seen, []byte{'\n'})), What: fmt.Sprintf(what, args...)}
	begin := l.begin
	if i := bytes.LastIndexByte(seen, '\n'); i >= 0 {
		begin = l.base + int64(i) + 1
	}
	e.Column = e.Offset - begin + 1
	return e
}

// brokenOff is the error of a document that ends too early, or of what it is read from.
func (l *lexer) brokenOff() error {
	if l.err != nil && !errors.Is(l.err, io.EOF) {
		return l.err
	}
	return l.at("the file breaks off here")
}

func (l *lexer) deeper() error {
	if l.depth++; l.depth > maxDepth {
		return l.at("lists and objects stand %d deep in one another, and a HAR's do not", maxDepth)
	}
	return nil
}

// object calls member with each member's name, which is valid until it returns; member
// must read the value. What is no object is skipped, and ok is false.
func (l *lexer) object(member func(name []byte) error) (ok bool, err error) {
	b, err := l.next()
	if err != nil {
		return false, err
	}
	if b != '{' {
		return false, l.skip()
	}
	if err := l.deeper(); err != nil {
		return false, err
	}
	l.pos++
	var room [64]byte
	for n := 0; ; n++ {
		if b, err = l.next(); err != nil {
			return true, err
		}
		if b == '}' && n == 0 {
			break
		}
		if b != '"' {
			return true, l.at("a member's name must stand here, in quotes")
		}
		name, _, err := l.quoted(room[:0], maxName)
		if err != nil {
			return true, err
		}
		if b, err = l.next(); err != nil {
			return true, err
		}
		if b != ':' {
			return true, l.at("a colon must stand here")
		}
		l.pos++
		if err := member(name); err != nil {
			return true, err
		}
		if b, err = l.next(); err != nil {
			return true, err
		}
		if b == '}' {
			break
		}
		if b != ',' {
			return true, l.at("a comma or the object's end must stand here")
		}
		l.pos++
	}
	l.pos++
	l.depth--
	return true, nil
}

// array calls item for each item, which must read it. What is no array is skipped, and
// ok is false.
func (l *lexer) array(item func(i int) error) (ok bool, err error) {
	b, err := l.next()
	if err != nil {
		return false, err
	}
	if b != '[' {
		return false, l.skip()
	}
	if err := l.deeper(); err != nil {
		return false, err
	}
	l.pos++
	for i := 0; ; i++ {
		if b, err = l.next(); err != nil {
			return true, err
		}
		if b == ']' && i == 0 {
			break
		}
		if err := item(i); err != nil {
			return true, err
		}
		if b, err = l.next(); err != nil {
			return true, err
		}
		if b == ']' {
			break
		}
		if b != ',' {
			return true, l.at("a comma or the list's end must stand here")
		}
		l.pos++
	}
	l.pos++
	l.depth--
	return true, nil
}

// skip passes a value by.
func (l *lexer) skip() error {
	b, err := l.next()
	if err != nil {
		return err
	}
	switch b {
	case '{':
		_, err = l.object(func([]byte) error { return l.skip() })
	case '[':
		_, err = l.array(func(int) error { return l.skip() })
	case '"':
		_, _, err = l.quoted(nil, 0)
	default:
		_, err = l.literal(nil)
	}
	return err
}

// scalar appends a value's text to dst: a string's, or a number's or a word's as it is
// written. ok is false for null, and for lists and objects, which are skipped. At most
// limit bytes are kept; cut says whether there were more.
func (l *lexer) scalar(dst []byte, limit int) (text []byte, ok, cut bool, err error) {
	b, err := l.next()
	if err != nil {
		return dst, false, false, err
	}
	switch b {
	case '"':
		text, cut, err = l.quoted(dst, limit)
		return text, true, cut, err
	case '{', '[':
		return dst, false, false, l.skip()
	}
	text, err = l.literal(dst)
	return text, string(text[len(dst):]) != "null", false, err
}

// literal reads a number or a word.
func (l *lexer) literal(dst []byte) ([]byte, error) {
	from := len(dst)
	for {
		b, ok := l.peek()
		if !ok || b != '+' && b != '-' && b != '.' && (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'z') {
			break
		}
		if len(dst)-from > 1000 {
			return dst, l.at("this number is too long")
		}
		dst = append(dst, b)
		l.pos++
	}
	word := dst[from:]
	if len(word) == 0 {
		if b, ok := l.peek(); ok {
			return dst, l.at("%q is not JSON", b)
		}
		return dst, l.brokenOff()
	}
	switch string(word) {
	case "true", "false", "null", "NaN", "Infinity", "-Infinity":
	default:
		if c := word[0]; c != '-' && (c < '0' || c > '9') {
			return dst, l.at("%q is not JSON", word[:min(len(word), 40)])
		}
	}
	return dst, nil
}

// special are the bytes at which a string's plain run ends.
var special = [256]bool{'"': true, '\\': true}

// quoted appends a string's text to dst, limit bytes at most; cut says whether there
// were more. What surrogate escapes stand for (PEP 383: bytes that are no UTF-8, as
// Python's tools write them) are these bytes; other halves of pairs are U+FFFD.
func (l *lexer) quoted(dst []byte, limit int) (text []byte, cut bool, err error) {
	l.pos++ // the quote
	limit += len(dst)
	keep := func(piece []byte) {
		if len(dst)+len(piece) > limit {
			cut, piece = true, piece[:limit-len(dst)]
			limit = len(dst) + len(piece) // nothing comes behind the gap
		}
		dst = append(dst, piece...)
	}
	var high rune // half a pair, whose other half may follow
	var room [utf8.UTFMax]byte
	for {
		if l.pos == l.end && !l.fill() {
			return dst, cut, l.brokenOff()
		}
		run := l.buf[l.pos:l.end]
		n := 0
		for n < len(run) && !special[run[n]] {
			n++
		}
		if high != 0 && (n > 0 || run[n] == '"') {
			keep(utf8.AppendRune(room[:0], utf8.RuneError))
			high = 0
		}
		keep(run[:n])
		l.pos += n
		if n == len(run) {
			continue
		}
		l.pos++
		if run[n] == '"' {
			return dst, cut, nil
		}
		r, err := l.escaped()
		if err != nil {
			return dst, cut, err
		}
		if high != 0 {
			both := utf16.DecodeRune(high, r)
			high = 0
			keep(utf8.AppendRune(room[:0], both)) // U+FFFD where they are no pair
			if both != utf8.RuneError {
				continue
			}
		}
		switch {
		case r >= 0xd800 && r < 0xdc00:
			high = r
		case r >= 0xdc80 && r <= 0xdcff:
			keep(append(room[:0], byte(r)))
		default:
			keep(utf8.AppendRune(room[:0], r)) // U+FFFD for a low half
		}
	}
}

// escaped reads what stands behind a backslash: a character, or half a surrogate pair.
func (l *lexer) escaped() (rune, error) {
	b, ok := l.peek()
	if !ok {
		return 0, l.brokenOff()
	}
	l.pos++
	switch b {
	case '"', '\\', '/', '\'':
		return rune(b), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return l.hex4()
	}
	l.pos--
	return 0, l.at("a backslash before %q means nothing in JSON", b)
}

// hex4 reads four hexadecimal digits.
func (l *lexer) hex4() (rune, error) {
	var r rune
	for range 4 {
		b, ok := l.peek()
		if !ok {
			return 0, l.brokenOff()
		}
		switch {
		case b >= '0' && b <= '9':
			r = r<<4 | rune(b-'0')
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			return 0, l.at("four hexadecimal digits must follow \\u")
		}
		l.pos++
	}
	return r, nil
}
