package unwrap

import (
	"bytes"
	"slices"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// Values in which something may be hidden that nothing announces.
const (
	shortestHidden = 10
	longestHidden  = 64 << 10
)

// turn is a way to write a text otherwise that leaves no sign.
type turn struct {
	names []string // outermost first
	can   ability
	take  func(dst, src []byte) []byte
}

var turns = []turn{
	{[]string{"reversed"}, canReversed, coding.Reverse},
	{[]string{"rot13"}, canROT13, coding.ROT13},
	{[]string{"rot13", "reversed"}, canROT13 | canReversed, func(dst, src []byte) []byte {
		at := len(dst)
		dst = coding.Reverse(dst, src)
		return append(dst[:at], coding.ROT13(nil, dst[at:])...)
	}},
}

// stubborn tries on a text that nothing explains what nothing announces. Words and
// numbers are left alone: what is done to a value itself is found by its needles.
func (w *walk) stubborn(p *Part, s overview, depth int) {
	data := bytes.Trim(p.Data, "\" \t\r\n")
	if w.short(p, data, s, depth) || len(data) < shortestHidden && (len(data) < shortestShort || s.signs*4 < len(data)) || len(data) > longestHidden || uuid(data) {
		return
	}
	if s.seen&blank != 0 && s.seen&^(inRun|equals|blank) == 0 && bytes.IndexByte(data, '\n') > 0 && bytes.IndexByte(data, ' ') < 0 { // lines of an encoding
		joined := w.buffer()
		defer func() { w.release(joined) }()
		for _, c := range data {
			if classes[c] != blank {
				joined = append(joined, c)
			}
		}
		data = joined
	}
	if len(data) < len(p.Data) {
		s = survey(data)
	}
	if !turned(p) && w.has(canXOR) {
		key := w.escapedUnder(data)
		if key == 0 {
			key = groupedUnder(data)
		}
		if key != 0 && w.keyed(p, data, key, depth) {
			return
		}
	}
	token := s.seen&^(inRun|equals) == 0 && (s.longest >= shortestRun || s.longest >= shortestPadded && data[len(data)-1] == '=') && coded(data, s.seen)
	if s.seen&^(inRun|equals) != 0 && s.seen&blank == 0 && w.guess85(p, depth) {
		return
	}
	if !token && s.seen&(blank|high) == 0 && s.signs+s.marks > 0 && bothCases(s.seen) && s.seen&digit != 0 && len(data)%5 == 0 && digestSized(len(data)/5*4) && w.try(p) && w.bytesOf(p, data, s.seen, true, depth) {
		return
	}
	if !token && !strange(data, s) {
		if s.signs > 0 && s.seen&(blank|high) == 0 && !turned(p) && w.try(p) {
			w.xorText(p, data, s, depth)
			w.await(p, depth)
		}
		return
	}
	if !w.try(p) {
		return
	}
	if token && w.guess(p, data, &inBase58, depth) {
		return
	}
	if w.lzstring(p, p.Data, depth) {
		return
	}
	if !turned(p) && w.turned(p, data, s, token, depth) {
		return
	}
	if (token || s.seen&blank == 0) && w.bytesOf(p, data, s.seen, true, depth) {
		return
	}
	if !token {
		w.await(p, depth)
	}
	if !turned(p) && s.seen&high == 0 && w.xorText(p, data, s, depth) {
		return
	}
	if !turned(p) && token {
		for i := range turns {
			if t := &turns[i]; w.has(t.can) {
				out := t.take(w.buffer(), data)
				c := w.guessed(p, t.names, out)
				found := w.bytesOf(c, bytes.Trim(out, "="), s.seen, false, depth+1)
				w.drop(c)
				w.release(out)
				if found {
					return
				}
			}
		}
	}
}

// Bounds of a value that is too short to look like an encoding, and may be one all the
// same of a number or of a hardware address.
const (
	shortestShort = 8
	longestShort  = shortestRun
)

// short shows a short value as the bytes of each form that it fits, and in reverse and
// with other letters. Words and numbers are left alone. It reports whether it was one.
func (w *walk) short(p *Part, data []byte, s overview, depth int) bool {
	if len(data) < shortestShort || len(data) > longestShort || s.seen&^(inRun|equals) != 0 || turned(p) {
		return false
	}
	if len(data) == longestShort && s.seen&^(hexLower|lower) == 0 && w.has(canBase32) { // a word, or numbers in base32
		out, sure := coding.Base32(w.buffer(), data)
		if sure != coding.No && container.NumbersOnly(out) && w.spend(p, depth) {
			c := w.guessed(p, []string{inBase32.name}, out)
			w.numbers(c, depth+1)
			w.drop(c)
		}
		w.release(out)
		return false
	}
	letters := s.seen & (hexLower | hexUpper | lower | upper)
	loud := s.seen&^(hexUpper|upper|digit|equals) == 0 // as base32 is
	if letters == 0 || len(data) == longestShort && !loud || s.seen&digit == 0 && !scrambled(data) && !loud || !w.try(p) {
		return false
	}
	if w.lzstring(p, data, depth) {
		return true
	}
	run := bytes.TrimRight(data, "=")
	forms := fitting(run, s.seen&^equals)
	for _, f := range append(forms[:], &inBase58) {
		if f == nil || !w.has(f.can) || f == &inBase58 && s.seen&(plus|dash) != 0 {
			continue
		}
		out, sure := f.decode(w.buffer(), run)
		if sure != coding.No && len(out) >= shortestShown && w.spend(p, depth) {
			c := w.guessed(p, []string{f.name}, out)
			c.Type, c.Guess = Bytes, p.Guess || f == &inBase58 || f.can == canBase32
			if f != &inHex { // digits are found as they are
				w.show(c)
			}
			w.numbers(c, depth+1)
			w.await(c, depth+1)
			w.drop(c)
		}
		w.release(out)
		if f == &inHex {
			break // nothing else has no other characters than these
		}
	}
	for i := range turns {
		if t := &turns[i]; w.has(t.can) && len(t.names) == 1 {
			out := t.take(w.buffer(), data)
			c := w.guessed(p, t.names, out)
			w.show(c)
			w.drop(c)
			w.release(out)
		}
	}
	return len(data) < shortestPadded
}

// shortestShown is how many bytes the shortest value has that is looked for as it is.
const shortestShown = 6

// strange reports whether a text is none that is written for people or programs: more
// than an eighth of it is signs, or it has the signs of escapes that can't be read.
func strange(data []byte, s overview) bool {
	if s.seen&(percent|backslash) != 0 && len(data) < 4096 || s.seen&ampersand != 0 && bytes.IndexByte(data, ';') >= 0 && len(data) < 4096 {
		return true
	}
	if s.seen&equals != 0 && bytes.IndexByte(bytes.TrimRight(data, "="), '=') >= 0 && s.seen&blank == 0 {
		return true
	}
	if s.seen&high != 0 {
		return s.longest < 4
	}
	if bytes.Contains(data, []byte("--")) || bytes.HasSuffix(data, []byte("Jye")) || bytes.HasPrefix(data, []byte("rlW")) { // xn-- or eyJ in reverse or with other letters
		return true
	}
	if len(data) >= shortestSpelled && classes[data[2]]&inRun == 0 && data[5] == data[2] && data[8] == data[2] && data[11] == data[2] {
		return true // bytes, one by one
	}
	if first := data[0]; (first == '}' || first == ']' || first == '>') && len(data) < 4096 {
		return true
	}
	return s.seen&blank == 0 && (s.signs*8 >= len(data) || (s.signs+s.marks)*5 >= len(data))
}

// turned reports whether a part is what a decoding gave that leaves no sign of itself.
// To take the next one off leads back, or nowhere.
func turned(p *Part) bool {
	if len(p.Chain) == 0 {
		return false
	}
	last := p.Chain[len(p.Chain)-1]
	return last == "reversed" || last == "rot13" || last == "xor"
}

// try takes one from the tries of what nothing announces.
func (w *walk) try(p *Part) bool {
	if w.tries--; w.tries < 0 {
		if w.tries == -1 {
			w.cut(p, "more than %d values look as if something were hidden in them", mostTries)
		}
		return false
	}
	return true
}

// turned opens a text that was written in reverse or with other letters, if it then says what
// it is. Of a token it is shown in any case: it may be a digest.
func (w *walk) turned(p *Part, data []byte, s overview, token bool, depth int) bool {
	for i := range turns {
		t := &turns[i]
		if !w.has(t.can) {
			continue
		}
		out := t.take(w.buffer(), data)
		told := w.telling(out)
		if (told || token) && w.spend(p, depth) {
			w.shown(p, t, out, told, depth)
		}
		w.release(out)
		if told {
			return true
		}
	}
	if !token && s.seen&high == 0 && s.seen&blank != 0 {
		return false
	}
	for i := range turns {
		t := &turns[i]
		if !w.has(t.can) {
			continue
		}
		out := t.take(w.buffer(), data)
		told := (w.inLZ(out) || token && w.in58(out) || !token && w.whole85(out)) && w.spend(p, depth)
		if told {
			w.shown(p, t, out, true, depth)
		}
		w.release(out)
		if told {
			return true
		}
	}
	return false
}

// in58 reports whether a text is base 58 of something readable.
func (w *walk) in58(text []byte) bool {
	if !w.has(canBase58) || len(text) > 256 {
		return false
	}
	out, sure := inBase58.decode(w.buffer(), text)
	ok := sure != coding.No && len(out) >= shortestHidden/2 && w.readable(out)
	w.release(out)
	return ok
}

// whole85 reports whether a text is base 85 of something readable.
func (w *walk) whole85(text []byte) bool {
	if !w.has(canASCII85) || len(text) > longestDiverse {
		return false
	}
	for _, f := range in85s {
		out, sure := f.decode(w.buffer(), text)
		ok := sure != coding.No && len(out) >= shortestHidden/2 && w.readable(out)
		w.release(out)
		if ok {
			return true
		}
	}
	return false
}

// shown shows what a turn gave, and opens it if it says what it is.
func (w *walk) shown(p *Part, t *turn, out []byte, told bool, depth int) {
	c := w.guessed(p, t.names, out)
	c.Guess = p.Guess || !told
	if told {
		w.open(c, depth+1)
	} else {
		w.show(c)
	}
	w.drop(c)
}

// inLZ reports whether a text is LZString's of something readable.
func (w *walk) inLZ(text []byte) bool {
	if !w.has(canLZString) {
		return false
	}
	out, sure := coding.LZString(w.buffer(), text, 1<<16)
	ok := sure != coding.No && len(out) >= shortestHidden/2 && w.readable(out)
	w.release(out)
	return ok
}

// telling reports whether a text says what it is: it has escapes, or is an encoding of
// something readable, or a structure.
func (w *walk) telling(text []byte) bool {
	s := survey(text)
	return w.signed(text, s) || w.encoded(text, s) || w.in85(text, s)
}

// bytesOf opens a text as the bytes of each form that it fits, where these are no text
// either. It reports whether something was found in them.
func (w *walk) bytesOf(p *Part, data []byte, seen class, show bool, depth int) bool {
	data = bytes.Trim(data, "=")
	var forms [5]*form
	if seen&^(inRun|equals) == 0 {
		fits := fitting(data, seen&^equals)
		copy(forms[:], fits[:])
		switch {
		case len(data) >= shortestRun && !bothCases(seen):
			// Of bytes in base64 or base58 that long, one in 2,000 lacks either case; what
			// does are mostly paths and names.
			if i := slices.Index(forms[:], &inBase64); i >= 0 {
				forms[i] = nil
			}
		case seen&(plus|dash) == 0 && len(data) <= 256:
			forms[4] = &inBase58
		}
	} else if seen&blank == 0 {
		forms[0], forms[1] = &inASCII85, &inZ85
	}
	for _, f := range forms {
		if f == nil || !w.has(f.can) {
			continue
		}
		out, sure := f.decode(w.buffer(), data)
		if sure == coding.No || len(out) < 6 || !w.spend(p, depth) {
			w.release(out)
			continue
		}
		c := w.guessed(p, []string{f.name}, out)
		c.Type, c.Guess = Bytes, p.Guess || f.can&(canBase58|canASCII85) != 0
		if show && f != &inHex {
			w.show(c)
		}
		if inner := barred(out); show && inner != nil {
			w.leaf(c, inner, Bytes, p.Key, p.at, depth+1)
		}
		found := w.wide(c, depth+1) || w.structure(c, w.o.binary, depth+1) || w.numbers(c, depth+1) || w.dark(c, depth+1, 0)
		if !found && show && (f == &inBase64 || f == &inHex) {
			as := asToken
			if p.whole() && binaryText(p.Data, data) {
				as = asBytes
			} else if p.root == flow.SurfaceBody && certainly(p.Data, f) {
				as = asValue
			}
			w.unread(c, as)
		}
		w.drop(c)
		w.release(out)
		if found {
			return true
		}
		if f == &inHex {
			break // nothing else has no other characters than these
		}
	}
	return false
}

// bothCases reports whether a text has small letters and capitals.
func bothCases(seen class) bool { return seen&(hexLower|lower) != 0 && seen&(hexUpper|upper) != 0 }
