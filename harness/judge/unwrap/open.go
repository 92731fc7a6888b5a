package unwrap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// shortestOpened is how long a value is that can hold another.
const shortestOpened = 4

// open shows a part and whatever is in it. It reports whether something readable
// came out, or stood there already.
func (w *walk) open(p *Part, depth int) bool {
	w.show(p)
	return w.look(p, depth)
}

// look opens what is in a part that was shown.
func (w *walk) look(p *Part, depth int) bool {
	if p.Type == Number || p.Type == Bool || len(p.Data) < shortestOpened {
		return true
	}
	if w.compressed(p, depth) {
		return true
	}
	c := p.Data[0]
	if classes[c]&blank != 0 {
		if text := bytes.TrimSpace(p.Data); len(text) > 0 {
			c = text[0]
		}
	}
	// The formats of text that stand in another text begin with a sign; only a whole is
	// asked whether it is one that begins otherwise.
	if classes[c]&(mark|sign) != 0 || p.Type == Bytes {
		// What begins and ends as JSON is tried as that, whatever characters its strings have.
		if last := p.Data[len(p.Data)-1]; w.o.json != nil && (c == '{' && last == '}' || c == '[' && last == ']') && w.read(p, w.o.json, depth) {
			return true
		}
		if w.structure(p, w.o.texts, depth) {
			return true
		}
	}
	if c == '-' && w.has(canMultipart) {
		if b := boundary(p.Data); b != "" && w.spend(p, depth) {
			if w.parts(p, b, depth) {
				return true
			}
		}
	}
	if inner := barred(p.Data); inner != nil && w.spend(p, depth) {
		w.leaf(p, inner, Text, p.Key, p.at, depth+1)
	}
	s := survey(p.Data)
	if s.seen&(control|high) != 0 && !coding.Text(p.Data) {
		return w.bytes(p, depth)
	}
	// A few letters in a block of Snappy or LZ4 stand there as they are.
	if (s.seen&control != 0 && len(p.Data) <= longestHidden || len(p.Data) < 128 && coding.Plausible("snappy-block", p.Data, 0)) && w.bare(p, p.Data, depth, 1) {
		return true
	}
	if s.seen&control != 0 {
		w.await(p, depth)
	}
	w.text(p, s, depth)
	return true
}

// longestWord is how long what stands before the first bar of a value can be.
const longestWord = 8

// barred is what stands between the first and the last bar of a value such as
// v2|DATA|end, in which the data may be anything; nil where there is none.
func barred(data []byte) []byte {
	from := bytes.IndexByte(data[:min(len(data), longestWord)], '|')
	if from < 0 {
		return nil
	}
	to := bytes.LastIndexByte(data, '|')
	if to-from <= shortestDark {
		return nil
	}
	return data[from+1 : to]
}

// bytes opens what is no text; it reports whether anything explains it.
func (w *walk) bytes(p *Part, depth int) bool {
	if len(p.Data) <= longestDiverse && hollow(p.Data) && w.bare(p, p.Data, depth, 1) || w.wide(p, depth) || w.structure(p, w.o.binary, depth) || w.numbers(p, depth) {
		return true
	}
	switch coding.Magic(p.Data) {
	case "media", "file": // a picture, or an archive that can't be opened: that explains it
		return true
	}
	if w.dark(p, depth, 0) {
		return true
	}
	w.amid(p, depth)
	w.unread(p, asBytes)
	return false
}

// structure opens a part in the first of some formats that it certainly has.
func (w *walk) structure(p *Part, formats []container.Format, depth int) bool {
	for i := range formats {
		if f := &formats[i]; f.Looks(p.Data) == container.Certain && w.read(p, f, depth) {
			return true
		}
	}
	return false
}

// numbers shows the numbers of a short message that holds nothing else. That it is one is
// not certain, and so it explains nothing: it returns false.
func (w *walk) numbers(p *Part, depth int) bool {
	if !container.NumbersOnly(p.Data) {
		return false
	}
	for i := range w.o.binary {
		if f := &w.o.binary[i]; f.Name == "protobuf" {
			w.read(p, f, depth)
		}
	}
	return false
}

// read opens a part in a format; it reports whether it is of that format to its end.
func (w *walk) read(p *Part, f *container.Format, depth int) bool {
	if !w.spend(p, depth) {
		return true
	}
	of := p
	if f.Chained {
		of = w.part()
		defer w.drop(of)
		*of = *p
		of.Chain = chained(p.Chain, f.Name)
	}
	err := f.Read(p.Data, p.at, &w.budget, func(at *container.Step, key string, t Type, value []byte) {
		if key == "" {
			key = p.Key
		}
		if t == Bytes && f.Inner != "" && w.inner(of, f.Inner, value, key, at, depth+1) {
			return
		}
		if f.Binary && t == Bytes {
			t = Text // a value, whatever it holds
		}
		if f.Binary {
			w.value(of, value, t, key, at, false, depth+1)
		} else {
			w.leaf(of, value, t, key, at, depth+1)
		}
	})
	switch {
	case errors.Is(err, container.ErrBudget):
		w.cut(p, "%s: more comes out than %d bytes or %d values", f.Name, w.o.limits.Bytes, valuesPerStep*w.o.limits.Steps)
	case errors.Is(err, container.ErrDeep):
		w.cut(p, "%s: %v", f.Name, err)
	case err != nil:
		return false
	}
	return true
}

// inner opens a value that is announced to be in a format, in its own chain.
func (w *walk) inner(p *Part, name string, value []byte, key string, at *container.Step, depth int) bool {
	for i := range w.o.binary {
		f := &w.o.binary[i]
		if f.Name != name || f.Looks(value) == container.Unlike {
			continue
		}
		c := w.part()
		defer w.drop(c)
		*c = Part{Parent: p.ID, Type: Bytes, Key: key, Chain: p.Chain, Data: value, JWT: p.JWT, Guess: p.Guess, root: p.root, at: at}
		w.show(c)
		return w.read(c, f, depth) || w.look(c, depth)
	}
	return false
}

// compressed opens what begins like a compressed file.
func (w *walk) compressed(p *Part, depth int) bool {
	name := coding.Magic(p.Data)
	switch name {
	case "", "media", "file":
		return false
	}
	if !w.has(abilities[name]) || name == "zlib" && !coding.Plausible("deflate", p.Data[2:], 0) {
		return false
	}
	if !w.spend(p, depth) {
		return true
	}
	out, err := w.d.Open(name, w.buffer(), p.Data, w.room())
	defer func() { w.release(out) }()
	if name == "zlib" && err != nil && !errors.Is(err, coding.ErrBudget) {
		return false // two bytes are a weak sign
	}
	if err != nil {
		w.cut(p, "%s: %v", name, err)
	}
	if len(out) > 0 {
		w.opened(p, name, out, depth, false)
	}
	return true
}

// wide opens UTF-16.
func (w *walk) wide(p *Part, depth int) bool {
	if !w.has(canUTF16) {
		return false
	}
	out, name, sure := coding.UTF16(w.buffer(), p.Data)
	if sure == coding.No {
		out, name, sure = spoken(out, p.Data)
	}
	defer func() { w.release(out) }()
	if sure == coding.No || !coding.Text(out) && coding.Magic(out) == "" && !w.inLZ(out) || !w.spend(p, depth) {
		return false
	}
	return w.opened(p, name, out, depth, false)
}

// spoken decodes UTF-16 that is no text and may be LZString's: it ends with a space, and
// has no character below.
func spoken(dst, data []byte) (out []byte, name string, sure coding.Sure) {
	n := len(data)
	if n < shortestHidden || n%2 != 0 || n > longestSpoken {
		return dst, "", coding.No
	}
	var order binary.ByteOrder
	switch string(data[n-2:]) {
	case " \x00":
		order, name = binary.LittleEndian, "utf-16le"
	case "\x00 ":
		order, name = binary.BigEndian, "utf-16be"
	default:
		return dst, "", coding.No
	}
	out = dst
	for i := 0; i < n; i += 2 {
		c := order.Uint16(data[i:])
		if c < ' ' || c > ' '+0x7fff {
			return dst, "", coding.No
		}
		out = utf8.AppendRune(out, rune(c))
	}
	return out, name, coding.Weak
}
