package har

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// ErrNotHAR is wrapped by the error of reading JSON that holds no log.entries.
var ErrNotHAR = errors.New("it has no list log.entries, so it is JSON and no HAR: export the traffic as HAR")

// Reader reads a HAR entry by entry. It holds one entry at a time.
type Reader struct {
	lex   *lexer
	err   error // of opening
	notes notes
	left  int  // bytes that this entry may still take
	cut   bool // a short text of this entry was longer than one may be

	request, response []byte         // room for bodies, used again
	renamed           map[string]int // the entry that a flow of another HAR of ours is, by its id there
	creator           string
}

// NewReader reads a HAR from in. The text may begin with a byte order mark, and may be
// UTF-16 if it does.
func NewReader(in io.Reader) *Reader {
	b := bufio.NewReaderSize(in, 4<<10)
	r := &Reader{renamed: map[string]int{}}
	head, err := b.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = b.Discard(3) // they were seen
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		r.lex = newLexer(transform.NewReader(b, unicode.BOMOverride(unicode.UTF8.NewDecoder())))
		return r
	}
	r.lex = newLexer(b)
	return r
}

// Entries yields the entries that hold a request that was sent, or a connection, in
// the order of the file; an entry is valid until the next. Those that are left out are
// in [Reader.Notes], and the others keep their index.
//
// It stops after the first error that it yields: of in; a *[SyntaxError], where the file
// is no JSON or breaks off; or one that wraps [ErrNotHAR].
func (r *Reader) Entries(ctx context.Context) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		err := r.err
		if err == nil {
			err = r.document(ctx, yield)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// Notes says what was left out, or was not as it should be; complete once Entries has ended.
func (r *Reader) Notes() []Note { return r.notes.list }

// Creator is the program that wrote the file, as it says; known once Entries has ended.
func (r *Reader) Creator() string { return r.creator }

// errStop ends reading because nobody wants more.
var errStop = errors.New("stopped")

func (r *Reader) document(ctx context.Context, yield func(*Entry, error) bool) error {
	found := 0
	isObject, err := r.lex.object(func(name []byte) error {
		if string(name) != "log" {
			return r.lex.skip()
		}
		_, err := r.lex.object(func(name []byte) error {
			switch string(name) {
			case "entries":
				if found++; found > 1 {
					return r.lex.at("log.entries stands here for the second time, and an entry's place would be ambiguous")
				}
				isList, err := r.lex.array(func(i int) error { return r.item(ctx, i, yield) })
				if err == nil && !isList {
					found = 0
				}
				return err
			case "creator":
				return r.created()
			}
			return r.lex.skip()
		})
		return err
	})
	if err != nil {
		return err
	}
	if !isObject || found == 0 {
		return ErrNotHAR
	}
	for {
		b, ok := r.lex.peek()
		switch {
		case !ok && errors.Is(r.lex.err, io.EOF):
			return nil
		case !ok:
			return r.lex.err
		case b > ' ':
			return r.lex.at("the HAR has ended, and more follows")
		}
		r.lex.pos++
	}
}

func (r *Reader) created() error {
	var name, version string
	_, err := r.lex.object(func(member []byte) error {
		switch string(member) {
		case "name":
			return r.short(&name)
		case "version":
			return r.short(&version)
		}
		return r.lex.skip()
	})
	r.creator = name
	if version != "" {
		r.creator += " " + version
	}
	return err
}

// item reads one entry and yields it, if there is something in it.
func (r *Reader) item(ctx context.Context, i int, yield func(*Entry, error) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.left, r.cut = maxEntry, false
	raw := rawEntry{}
	isObject, err := r.lex.object(func(name []byte) error { return r.entryMember(&raw, name) })
	if err != nil {
		var broken *SyntaxError
		if errors.As(err, &broken) {
			broken.What += fmt.Sprintf(" (in entry %d, counted from 0)", i)
		}
		return err
	}
	if r.left <= 0 {
		r.notes.add(i, fmt.Sprintf("is larger than %d MiB; what comes after them was left out", maxEntry>>20), LostSent)
	}
	if r.cut {
		r.notes.add(i, fmt.Sprintf("has a text of more than %d MiB where a short one stands; its end was left out", maxScalar>>20), LostSent)
	}
	if !isObject {
		r.notes.add(i, "is no object and was left out", LostSent)
		return nil
	}
	e := r.build(i, &raw)
	if e != nil && !yield(e, nil) {
		return errStop
	}
	return nil
}
