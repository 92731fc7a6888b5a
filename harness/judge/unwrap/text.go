package unwrap

import (
	"bytes"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// shortestRun is how many characters a run has that is taken for an encoding.
const shortestRun = 16

// shortestPadded is how many it has where padding says that it is one.
const shortestPadded = 12

// text opens what is in a text: fields, escapes, a token, encodings.
func (w *walk) text(p *Part, s overview, depth int) {
	if s.seen&equals != 0 && !turned(p) && w.has(canForm|canReversed) && formBackwards(p.Data) {
		w.reversed(p, depth)
	}
	if s.seen&equals != 0 && !quotedForm(p.Data) && w.fields(p, depth) {
		if s.seen&inRun == s.seen&^equals { // a=3D is a field, and may be quoted-printable
			w.escape(p, canQuoted, "quoted-printable", coding.QuotedPrintable, depth)
		}
		if s.signs > 1 && s.seen&blank == 0 && (s.seen&ampersand == 0 || (s.signs+s.marks)*8 >= len(p.Data)) { // an equals sign is a digit of base 85 as well
			w.guess(p, p.Data, &inASCII85, depth)
		}
		return
	}
	if s.seen&equals != 0 && s.signs > 0 && !quotedForm(p.Data) && w.pairs(p, depth) {
		return
	}
	linked := s.seen&mark != 0 && w.link(p, depth)
	opened := linked
	if w.spelled(p, s, depth) {
		return
	}
	if s.seen&(percent|equals) != 0 && !turned(p) && brokenEscapes(p.Data) && w.turned(p, p.Data, s, false, depth) {
		return
	}
	// The signs of escapes are digits of base 85 as well; there they are some among others.
	diverse := s.seen&blank == 0 && (s.signs+s.marks)*8 >= len(p.Data) && len(p.Data) <= longestDiverse && escapes(p.Data)*2 < s.signs+s.marks
	if diverse && s.seen&(percent|ampersand|backslash|equals) != 0 && w.guess85(p, depth) {
		return
	}
	// What is escaped as a whole is looked through once, without its escapes. Those of a link
	// were taken off its fields and segments, one by one.
	if s.seen&percent != 0 && !linked {
		decode := coding.Percent
		if (p.root != flow.SurfaceURL || p.Key != "" || len(p.Chain) > 0) && bytes.IndexByte(p.Data, '+') >= 0 && !bytes.ContainsAny(p.Data, " ;/?:@&=$,#") {
			decode = coding.FormValue // as a field of a form is escaped
		}
		opened = w.escape(p, canURL, "url", decode, depth) || opened
		if opened && !turned(p) && w.has(canReversed) && escapedBackwards(p.Data, '%') {
			w.reversed(p, depth)
		}
	}
	if s.seen&ampersand != 0 {
		opened = w.escape(p, canHTML, "html", coding.HTML, depth) || opened
	}
	if s.seen&backslash != 0 {
		opened = w.escape(p, canUnicode, "unicode", coding.Escapes, depth) || opened
	}
	// The equals signs of a link's own fields may stand before what looks like a byte.
	if s.seen&equals != 0 && (!linked || quoted(p.Data)) && w.escape(p, canQuoted, "quoted-printable", coding.QuotedPrintable, depth) {
		opened = opened || p.Data[0] != '=' || bytes.Count(p.Data, []byte("=")) > 1 // else it may be padding in reverse
		if !turned(p) && w.has(canReversed) && escapedBackwards(p.Data, '=') {
			w.reversed(p, depth)
		}
	}
	if s.seen&dash != 0 && (bytes.Contains(p.Data, []byte("--"))) {
		opened = w.escape(p, canPunycode, "punycode", coding.Punycode, depth) || opened
	}
	if opened && !diverse {
		if s.seen&blank == 0 && (s.signs+s.marks)*8 >= len(p.Data) && len(p.Data) <= longestDiverse && s.seen&equals != 0 {
			w.guess85(p, depth) // what looks like a byte behind an equals sign may be three more digits
		}
		w.tokens(p, s, percent|ampersand|backslash|equals, depth)
		return
	}
	if w.jwt(p, depth) {
		return
	}
	if s.longest >= shortestPadded && w.runs(p, depth) {
		return
	}
	w.tokens(p, s, 0, depth)
	w.stubborn(p, s, depth)
}

// brokenEscapes reports whether a text is full of escapes of which some have letters that
// are no digits, as with other letters.
func brokenEscapes(text []byte) bool {
	for _, sign := range [...]byte{'%', '='} {
		if _, ok := wholeEscapes(text, sign, 0); !ok && bytes.Count(text, []byte{sign})*4 >= len(text) {
			return true
		}
	}
	return false
}

// quotedForm reports whether a text that looks like name=value pairs is quoted-printable: a
// byte stands behind each equals sign, and that is an equals sign or there are many.
func quotedForm(text []byte) bool {
	n, ok := wholeEscapes(text, '=', 0)
	return ok && n > 1 && quoted(text) && (bytes.Contains(text, []byte("=3D")) || n*8 >= len(text) && bytes.IndexByte(text, '&') < 0)
}

// quoted reports whether behind each equals sign a byte is written, in capitals as RFC 2045,
// section 6.7, asks for.
func quoted(text []byte) bool {
	for i, c := range text {
		if c == '=' && (len(text)-i < 3 || (classes[text[i+1]]|classes[text[i+2]])&^(digit|hexUpper) != 0) {
			return false
		}
	}
	return true
}

// longestDiverse is how long a text is that may be in base 85 and hold signs of escapes.
const longestDiverse = 4096

// escapes counts the signs that begin an escape.
func escapes(text []byte) (n int) {
	for _, c := range text {
		if classes[c]&(percent|ampersand|backslash|equals) != 0 {
			n++
		}
	}
	return n
}

// escapedBackwards reports whether each sign of an escape stands behind two hexadecimal
// digits, as it does in reverse.
func escapedBackwards(text []byte, sign byte) bool {
	if len(text) > longestHidden {
		return false
	}
	for i, c := range text {
		if c == sign && i+3 < len(text) && text[i+1] != '\n' && (i == 0 || text[i-1] != '\r') && (i < 2 || (classes[text[i-1]]|classes[text[i-2]])&^(digit|hexLower|hexUpper) != 0) {
			return false
		}
	}
	return true
}

// reversed opens a text in reverse whose escapes can be read both ways.
func (w *walk) reversed(p *Part, depth int) {
	out := coding.Reverse(w.buffer(), p.Data)
	c := w.guessed(p, []string{"reversed"}, out)
	if (formBackwards(p.Data) || w.telling(out)) && w.spend(p, depth) {
		w.open(c, depth+1)
	}
	w.drop(c)
	w.release(out)
}

// escape takes the escapes of a text off, if it has any.
func (w *walk) escape(p *Part, can ability, name string, decode func(dst, src []byte) ([]byte, coding.Sure), depth int) bool {
	if !w.has(can) {
		return false
	}
	out, sure := decode(w.buffer(), p.Data)
	defer func() { w.release(out) }()
	if sure != coding.Strong || bytes.Equal(out, p.Data) || !w.spend(p, depth) {
		return false
	}
	return w.opened(p, name, out, depth, false)
}

// shortestSpelled is how long bytes are that are written one by one: seven of them. A
// hardware address has six, and is read as it is.
const shortestSpelled = 20

// spelled opens a text that as a whole is written byte by byte, such as 61:62:63 or
// \x61\x62\x63, in Adobe's brackets, or as base64 with white space in it.
func (w *walk) spelled(p *Part, s overview, depth int) bool {
	data := bytes.TrimSpace(p.Data)
	if len(data) < 8 {
		return false
	}
	var f *form
	if bytes.HasPrefix(data, []byte("<~")) {
		f = &inASCII85
		if bytes.Contains(data, []byte("=3D")) {
			w.escape(p, canQuoted, "quoted-printable", coding.QuotedPrintable, depth)
		}
	} else if len(data) < shortestSpelled {
		return false
	}
	switch c := data[2]; {
	case f != nil:
	case data[0] == '\\' && data[1] == 'x', (c == ':' || c == ' ' || c == '-' || c == ',') && data[5] == c, data[0] == '0' && data[1]|0x20 == 'x', (c == ',' || c == ';') && data[3] == ' ' && data[6] == c:
		f = &inHex
	case c == '+' && data[5] == c && data[8] == c && w.has(canHex): // blanks, as a form has them
		joined := bytes.ReplaceAll(data, []byte("+"), []byte(" "))
		out, sure := coding.Hex(w.buffer(), joined)
		defer func() { w.release(out) }()
		return sure == coding.Strong && w.spend(p, depth) && w.opened(p, "hex", out, depth, false)
	case s.seen&blank != 0 && s.seen&^(inRun|blank|equals) == 0 && bytes.IndexByte(data, ' ') > 0:
		return w.spaced(p, data, depth)
	default:
		return false
	}
	if !w.has(f.can) {
		return false
	}
	out, sure := f.decode(w.buffer(), data)
	defer func() { w.release(out) }()
	if sure != coding.Strong || !w.spend(p, depth) {
		return false
	}
	if f == &inHex && !turned(p) && w.has(canReversed) && !w.readable(out) {
		w.reversed(p, depth)
	}
	return w.opened(p, f.name, out, depth, false)
}

// spaced opens base64, or LZString's, whose plus signs a form took for spaces.
func (w *walk) spaced(p *Part, data []byte, depth int) bool {
	joined := w.buffer()
	for _, c := range data {
		if c == ' ' {
			c = '+'
		}
		joined = append(joined, c)
	}
	opened := w.decode(p, bytes.TrimRight(joined, "="), &inBase64, depth) || w.lzstring(p, joined, depth)
	w.release(joined)
	return opened
}

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
