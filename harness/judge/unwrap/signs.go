package unwrap

import (
	"bytes"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// longestFieldWord is how long the name of a field is that is a word.
const longestFieldWord = 24

// formBackwards reports whether a text is a form or cookies in reverse: what stands behind
// each equals sign is a word, and what stands before one of them is none.
func formBackwards(text []byte) bool {
	if len(text) > longestHidden || bytes.IndexByte(text, '=') < 0 {
		return false
	}
	between := []byte("&")
	if bytes.Contains(text, []byte(" ;")) {
		between = []byte(" ;")
	}
	word := func(s []byte) bool {
		for _, c := range s {
			if classes[c]&(hexLower|lower) == 0 && c != '_' {
				return false
			}
		}
		return len(s) > 0 && len(s) <= longestFieldWord
	}
	fields, values := 0, 0
	for field := range bytes.SplitSeq(text, between) {
		at := bytes.LastIndexByte(field, '=')
		if at < 0 || !word(field[at+1:]) {
			return false
		}
		fields++
		if !word(field[:bytes.IndexByte(field, '=')]) {
			values++
		}
	}
	return fields > 1 && values > 0
}

// signed reports whether a text has the signs of escapes, or is a structure.
func (w *walk) signed(text []byte, s overview) bool {
	if c := text[0]; c == '{' || c == '[' || c == '<' {
		for i := range w.o.texts {
			if w.o.texts[i].Looks(text) == container.Certain {
				return true
			}
		}
	}
	out := w.buffer()
	defer func() { w.release(out) }()
	for _, e := range [...]struct {
		sign   class
		can    ability
		decode func(dst, src []byte) ([]byte, coding.Sure)
	}{
		{percent, canURL, coding.Percent}, {ampersand, canHTML, coding.HTML},
		{backslash, canUnicode, coding.Escapes}, {equals, canQuoted, coding.QuotedPrintable},
	} {
		if s.seen&e.sign != 0 && w.has(e.can) {
			var sure coding.Sure
			if e.sign == equals {
				if n, ok := wholeEscapes(text, '=', 0); !ok || n < 2 {
					continue // padding of base64 in reverse
				}
			}
			if e.sign == percent {
				if _, ok := wholeEscapes(text, '%', 0); !ok {
					continue
				}
			}
			if out, sure = e.decode(out[:0], text); sure == coding.Strong && len(out) >= shortestOpened && w.readable(out) {
				return true
			}
		}
	}
	if i := bytes.Index(text, []byte("xn--")); i == 0 || i > 0 && classes[text[i-1]]&inRun == 0 {
		return true
	}
	return bytes.HasPrefix(text, []byte("<~")) || bytes.HasPrefix(text, []byte("eyJ")) || w.inParts(text)
}

// inParts reports whether bytes begin as a multipart body.
func (w *walk) inParts(data []byte) bool {
	return len(data) > 2 && data[0] == '-' && data[1] == '-' && w.has(canMultipart) && boundary(data) != "" && bytes.Contains(data[:min(len(data), 256)], []byte("\nContent-"))
}

// in85 reports whether a text begins like base 85 of something readable.
func (w *walk) in85(text []byte, s overview) bool {
	if !w.has(canASCII85) || s.seen&(blank|high|control) != 0 || s.seen&^(inRun|equals) == 0 {
		return false
	}
	for _, f := range in85s {
		n := min(len(text), prefix)
		if n == prefix {
			n = prefix / f.group * f.group
		}
		if out, sure := f.decode(w.head[:0], text[:n]); sure != coding.No && len(out) >= 6 && promising(out) && (coding.Magic(out) != "zlib" || w.inflates(f, text)) {
			return true
		}
	}
	return false
}

// inflates reports whether a text in a form is a whole stream of zlib, whose sign is weak.
func (w *walk) inflates(f *form, text []byte) bool {
	data, sure := f.decode(w.buffer(), text)
	defer w.release(data)
	if sure == coding.No {
		return false
	}
	out, err := w.d.Open("zlib", w.buffer(), data, min(w.room(), expansion*len(data)+1024))
	w.release(out)
	return err == nil
}

// encoded reports whether all of a text is an encoding of something readable.
func (w *walk) encoded(text []byte, s overview) bool {
	run := bytes.Trim(text, "=")
	if s.seen&^(inRun|equals|blank) == 0 {
		for _, f := range fitting(run, s.seen&^(blank|equals)) {
			if f == nil {
				break
			}
			n := min(len(run), prefix) / f.group * f.group
			if s.seen&blank != 0 {
				f, n = &inBase64, min(len(run), prefix)
			}
			if out, sure := f.decode(w.head[:0], run[:n]); sure != coding.No && len(out) >= 6 && promising(out) {
				return true
			}
		}
	}
	if s.seen&(mark|blank|dash|backslash) != 0 && len(run) >= shortestSpelled && (classes[run[2]]&(blank|dash|mark) != 0 || run[0] == '\\') {
		if out, sure := coding.Hex(w.head[:0], run[:min(len(run), prefix)/3*3-1]); sure == coding.Strong && promising(out) {
			return true
		}
	}
	return false
}

// certainly reports whether a value is written as only bytes are: in hexadecimal digits, or in
// base64 with the padding or the signs that tokens avoid.
func certainly(text []byte, f *form) bool {
	return f == &inHex || bytes.HasSuffix(text, []byte("=")) || bytes.ContainsAny(text, "+/")
}
