package unwrap

import (
	"bytes"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// runs decodes what may be an encoding in a text; it reports whether all of the text was.
func (w *walk) runs(p *Part, depth int) (whole bool) {
	data := p.Data
	for i := 0; i < len(data); {
		var seen class
		start := i
		for i < len(data) {
			c := classes[data[i]]
			if c&inRun == 0 {
				break
			}
			seen |= c
			i++
		}
		if i-start >= shortestRun || i-start >= shortestPadded && padded(data[i:]) {
			// Base64 in lines (RFC 2045, section 6.8): each as long as the first, but the last.
			for width := i - start; width%4 == 0 && i < len(data); {
				next := i
				for next < len(data) && next < i+2 && (data[next] == '\r' || data[next] == '\n') {
					next++
				}
				end, more := next, class(0)
				for end < len(data) && classes[data[end]]&inRun != 0 {
					more |= classes[data[end]]
					end++
				}
				if next == i || end == next || end-next > width {
					break
				}
				seen |= more
				i = end
				if end-next < width {
					break
				}
			}
			if w.run(p, data[start:i], seen, depth) && spans(data, data[start:i]) {
				whole = true
			}
		}
		i++
	}
	return whole
}

// padded reports whether padding begins what stands behind a run, and ends a word.
func padded(rest []byte) bool {
	n := 0
	for n < len(rest) && rest[n] == '=' {
		n++
	}
	return n > 0 && n < 7 && (n == len(rest) || classes[rest[n]]&inRun == 0)
}

// spans reports whether a run is all that a text has but for quotes, padding and blanks.
func spans(text, run []byte) bool { return len(bytes.Trim(text, "\"= \t\r\n")) == len(run) }

// form is an encoding that a run of characters may be in.
type form struct {
	name   string
	can    ability
	group  int // characters that are decoded together
	decode func(dst, src []byte) ([]byte, coding.Sure)
}

var (
	inHex       = form{"hex", canHex, 2, coding.Hex}
	inBase32    = form{"base32", canBase32, 8, coding.Base32}
	inBase32Hex = form{"base32", canBase32, 8, coding.Base32Hex}
	inBase64    = form{"base64", canBase64, 4, coding.Base64}
	inBase58    = form{"base58", canBase58, 0, coding.Base58}
	inASCII85   = form{"ascii85", canASCII85, 5, coding.Ascii85}
	inZ85       = form{"ascii85", canASCII85, 5, coding.Z85}
	in1924      = form{"ascii85", canASCII85, 5, coding.Base85}
)

// in85s are the forms of base 85.
var in85s = [...]*form{&inASCII85, &inZ85, &in1924}

// fitting are the forms that the characters of a run allow, the narrowest first.
func fitting(run []byte, seen class) (list [4]*form) {
	n := 0
	if seen&^(digit|hexLower|hexUpper) == 0 && len(run)%2 == 0 {
		list[n] = &inHex
		n++
	}
	if seen&(plus|dash|blank) == 0 && (seen&(hexLower|lower) == 0 || seen&(hexUpper|upper) == 0) {
		list[n], list[n+1] = &inBase32, &inBase32Hex
		n += 2
	}
	if seen&plus == 0 || seen&dash == 0 {
		list[n] = &inBase64
	}
	return list
}

// run decodes a run in the first form in which something readable comes out. It
// reports whether there was one.
func (w *walk) run(p *Part, run []byte, seen class, depth int) bool {
	for _, f := range fitting(run, seen) {
		if f == nil {
			break
		}
		if w.decode(p, run, f, depth) {
			return true
		}
	}
	// What joins words and numbers in a path or a name may join an encoding to them.
	for _, joint := range [...]class{plus, dash, plus | dash} {
		if seen&joint == joint && w.pieces(p, run, joint, depth) {
			return true
		}
	}
	// What stands before a stream in a protocol of its own may look like a piece of it.
	if i := bytes.Index(run, []byte(gzipIn64)); i > 0 && w.decode(p, run[i:], &inBase64, depth) {
		return false
	}
	if !spans(p.Data, run) && coded(run, seen) && w.has(canBase64) {
		w.raw(p, run, &inBase64, depth)
	}
	return false
}

// gzipIn64 is what gzip (RFC 1952) begins with, in base64.
const gzipIn64 = "H4sI"

// pieces decodes what stands between the joints of a run.
func (w *walk) pieces(p *Part, run []byte, joint class, depth int) (any bool) {
	for start, i := 0, 0; i <= len(run); i++ {
		if i < len(run) && classes[run[i]]&joint == 0 {
			continue
		}
		if piece := run[start:i]; len(piece) >= shortestRun && len(piece) < len(run) {
			for _, f := range fitting(piece, survey(piece).seen) {
				if f == nil {
					break
				}
				if w.decode(p, piece, f, depth) {
					any = true
					break
				}
			}
		}
		start = i + 1
	}
	return any
}

// prefix is how many characters are decoded to see whether the rest is worth it.
const prefix = 48

// decode opens what a run is in a form, if its first bytes promise something readable.
func (w *walk) decode(p *Part, run []byte, f *form, depth int) bool {
	if !w.has(f.can) {
		return false
	}
	if f.group > 0 && len(run) > prefix {
		head, sure := f.decode(w.head[:0], run[:prefix/f.group*f.group])
		if sure == coding.No || !promising(head) && !hollow(head) {
			return false
		}
	}
	out, sure := f.decode(w.buffer(), run)
	defer func() { w.release(out) }()
	if sure == coding.No || !promising(out) && !(hollow(out[:min(len(out), prefix)]) && w.readable(out)) || !w.spend(p, depth) {
		return false
	}
	return w.opened(p, f.name, out, depth, false)
}

// hollow reports whether a good part of bytes is zeros, as in UTF-16 and in archives.
func hollow(b []byte) bool {
	return len(b) >= 2*shortestOpened && bytes.Count(b, []byte{0})*8 >= len(b)
}

// raw shows what a run is in a form when it is nothing readable, for it may hold what is
// looked for as it is.
func (w *walk) raw(p *Part, run []byte, f *form, depth int) {
	out, sure := f.decode(w.buffer(), run)
	defer func() { w.release(out) }()
	if sure == coding.No || !w.spend(p, depth) {
		return
	}
	c := w.inside(p, f.name, out)
	c.Type = Bytes
	w.show(c)
	if !w.wide(c, depth+1) && !w.structure(c, w.o.binary, depth+1) {
		w.unread(c, asToken)
	}
	w.drop(c)
}

// promising reports whether bytes begin like text or like something that can be opened.
func promising(b []byte) bool {
	if len(b) < shortestOpened {
		return false
	}
	if coding.Text(b) {
		return true
	}
	switch coding.Magic(b) {
	case "":
		return false
	case "zlib":
		return coding.Plausible("deflate", b[2:], 0)
	}
	return true
}

// coded reports whether a run is no word: random characters have digits among their
// letters, and mixed cases where the alphabet has both.
func coded(run []byte, seen class) bool {
	if len(run) < shortestPadded {
		return false
	}
	if seen&digit != 0 {
		return seen&(hexLower|hexUpper|lower|upper) != 0
	}
	if seen&(hexLower|lower) == 0 || seen&(hexUpper|upper) == 0 {
		return false
	}
	return scrambled(run)
}

// scrambled reports whether letters change case as random ones do: names in programs have few
// capitals, and change case twice a word.
func scrambled(run []byte) bool {
	changes, capitals := 0, 0
	for i, c := range run {
		if classes[c]&(hexUpper|upper) != 0 {
			capitals++
		}
		if i > 0 && (c^run[i-1])&0x20 != 0 {
			changes++
		}
	}
	return changes*5 >= len(run)*2 || capitals*10 >= len(run)*3 && changes >= 4
}

// longestAlgorithm is how long the header of a token is that has no more than the
// names of its algorithm, type and key.
const longestAlgorithm = 48

// jwt opens the header and the claims of JSON Web Tokens (RFC 7519), wherever in a text
// they stand. It reports whether the text has one.
func (w *walk) jwt(p *Part, depth int) (found bool) {
	if !w.has(canJWT) {
		return false
	}
	data := p.Data
	for from := 0; ; {
		i := bytes.Index(data[from:], []byte("eyJ"))
		if i < 0 {
			return found
		}
		i += from
		end := i
		for end < len(data) && (classes[data[end]]&(inRun&^plus|equals) != 0 || data[end] == '.') {
			end++
		}
		from = i + 3
		if i > 0 && classes[data[i-1]]&inRun != 0 {
			continue
		}
		head, rest, _ := bytes.Cut(data[i:end], []byte("."))
		body, _, ok := bytes.Cut(rest, []byte("."))
		if !ok {
			continue
		}
		header, claims := w.buffer(), w.buffer()
		header, one := coding.Base64(header, head)
		claims, two := coding.Base64(claims, body)
		if one != coding.No && two != coding.No && header[0] == '{' && claims[0] == '{' && w.spend(p, depth) {
			found, from = true, end
			if w.left.Bytes -= int64(len(header) + len(claims)); w.left.Bytes >= 0 {
				c := w.inside(p, "jwt", claims)
				c.JWT = true
				w.open(c, depth+1)
				c.Parent, c.Data, c.JWT = p.ID, header, p.JWT
				if len(header) > longestAlgorithm {
					w.open(c, depth+1)
				}
				w.drop(c)
			}
		}
		w.release(header)
		w.release(claims)
	}
}
