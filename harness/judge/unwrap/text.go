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
