package unwrap

import (
	"bytes"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// mostTries is how many values of a message are looked at for what nothing announces.
const mostTries = 4000

// guessed is a part for what unannounced decodings gave; it is not shown yet.
func (w *walk) guessed(p *Part, names []string, data []byte) *Part {
	c := w.part()
	*c = Part{
		ID: p.ID, Parent: p.ID, Type: p.Type, Key: p.Key, Chain: append(p.Chain[:len(p.Chain):len(p.Chain)], names...),
		Data: data, JWT: p.JWT, Guess: true, root: p.root, at: p.at,
	}
	return c
}

// guess opens data in a form that nothing announces, if it is readable to its end.
func (w *walk) guess(p *Part, data []byte, f *form, depth int) bool {
	if !w.has(f.can) {
		return false
	}
	if f.group > 0 && len(data) > longestSpoken {
		head, sure := f.decode(w.head[:0], data[:prefix/f.group*f.group])
		if sure == coding.No || !promising(head) {
			return false
		}
	}
	out, sure := f.decode(w.buffer(), data)
	defer func() { w.release(out) }()
	if sure == coding.No || len(out) < shortestHidden/2 || !w.readable(out) || !w.spend(p, depth) {
		return false
	}
	return w.opened(p, f.name, out, depth, false)
}

// guess85 opens a text that is readable in one of the forms of base 85.
func (w *walk) guess85(p *Part, depth int) bool {
	for _, f := range in85s {
		if w.guess(p, p.Data, f, depth) {
			return true
		}
	}
	return false
}

func (w *walk) lzstring(p *Part, data []byte, depth int) bool {
	if !w.has(canLZString) {
		return false
	}
	out, sure := coding.LZString(w.buffer(), data, min(w.room(), 1<<24))
	if sure == coding.No && len(data) <= longestHidden && !coding.ASCII(data) && data[len(data)-1] != ' ' {
		// Blanks at the end are a part of it, and taken off by who reads XML.
		out, sure = coding.LZString(out[:0], append(bytes.Clone(data), "  "...), min(w.room(), 1<<24))
	}
	defer func() { w.release(out) }()
	if sure == coding.No || len(out) < shortestHidden/2 || !w.readable(out) || !w.spend(p, depth) {
		return false
	}
	return w.opened(p, "lzstring", out, depth, false)
}

// readable reports whether bytes are text, or something that can be opened.
func (w *walk) readable(b []byte) bool {
	if promising(b) || w.inParts(b) {
		return true
	}
	if len(b) < shortestOpened {
		return false
	}
	if out, _, sure := coding.UTF16(w.buffer(), b); sure != coding.No && coding.Text(out) {
		w.release(out)
		return true
	} else {
		w.release(out)
	}
	for i := range w.o.binary {
		if w.o.binary[i].Looks(b) == container.Certain {
			return true
		}
	}
	return false
}
