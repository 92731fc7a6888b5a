package unwrap

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// The shortest runs that are taken for an encoding.
const (
	shortestBase64 = 16
	shortestHex    = 24
	shortestSealed = 256 // bytes from which on randomness can be told
	shortestBinary = 16  // bytes that an identifier fits in: one block of AES
)

// open shows a part and whatever is in it.
func (w *walk) open(p *Part, depth int) {
	w.show(p)
	if p.Type == Number || p.Type == Bool || len(p.Data) < 4 {
		return
	}
	if w.compressed(p, depth) || w.json(p, depth) {
		return
	}
	if !printable(p.Data) {
		w.unread(p, true)
		return
	}
	if w.fields(p, depth) {
		return
	}
	w.escaped(p, depth)
	if w.jwt(p, depth) {
		return
	}
	w.runs(p, depth)
}

// opened opens what a decoding gave, as deep as what it came from and one more.
func (w *walk) opened(p *Part, name string, data []byte, depth int) {
	if w.left.Bytes -= int64(len(data)); w.left.Bytes < 0 {
		w.cut(p, "more than %d bytes come out of one message", w.o.limits.Bytes)
		return
	}
	w.open(p.decoded(name, data), depth+1)
}

func (w *walk) json(p *Part, depth int) bool {
	if !w.o.containers["json"] {
		return false
	}
	text := bytes.TrimSpace(p.Data)
	if len(text) < 2 || text[0] != '{' && text[0] != '[' && (text[0] != '"' || text[len(text)-1] != '"') {
		return false
	}
	if !w.spend(p, depth) {
		return true
	}
	return container.JSON(text, p.at, func(at *container.Step, key string, t Type, value []byte) {
		if t == Bytes { // null
			return
		}
		c := p.child(value, t, key, at)
		if key == "" {
			c.Key = p.Key
		}
		w.open(c, depth+1)
	}) == nil
}

// fields takes a form apart that stands where none was announced.
func (w *walk) fields(p *Part, depth int) bool {
	if !w.o.containers["form"] || !formLike(p.Data) || !w.spend(p, depth) {
		return false
	}
	w.form(p, string(p.Data), depth+1)
	return true
}

// formLike reports whether text is name=value pairs, each name short and plain.
func formLike(text []byte) bool {
	pairs := 0
	for len(text) > 0 {
		pair, rest, _ := bytes.Cut(text, []byte("&"))
		text = rest
		name, value, has := bytes.Cut(pair, []byte("="))
		if !has || len(name) == 0 || len(name) > 64 || bytes.ContainsAny(value, " \t\r\n<>\"") || len(bytes.Trim(value, "=")) == 0 && pairs == 0 {
			return false
		}
		for _, c := range name {
			if c != '_' && c != '-' && c != '.' && c != '[' && c != ']' && c != '%' &&
				(c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
		pairs++
	}
	return pairs > 0
}

func (w *walk) escaped(p *Part, depth int) {
	if !w.o.containers["url"] || !bytes.ContainsRune(p.Data, '%') {
		return
	}
	if d := percent(p.Data); !bytes.Equal(d, p.Data) && w.spend(p, depth) {
		w.opened(p, "url", d, depth)
	}
}

// jwt opens the claims of a JSON Web Token (RFC 7519), with or without a word such as Bearer before it.
func (w *walk) jwt(p *Part, depth int) bool {
	if !w.o.containers["jwt"] {
		return false
	}
	i := bytes.Index(p.Data, []byte("eyJ"))
	if i < 0 || i > 0 && p.Data[i-1] != ' ' {
		return false
	}
	claims, ok := Claims(string(p.Data[i:]))
	if !ok || !w.spend(p, depth) {
		return false
	}
	c := p.decoded("jwt", claims)
	c.JWT = true
	if w.left.Bytes -= int64(len(claims)); w.left.Bytes >= 0 {
		w.open(c, depth+1)
	}
	return true
}

// Claims returns the claims of a JSON Web Token as JSON. The signature is not checked.
func Claims(token string) (claims []byte, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	head, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || !bytes.HasPrefix(head, []byte("{")) {
		return nil, false
	}
	claims, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || !bytes.HasPrefix(claims, []byte("{")) {
		return nil, false
	}
	return claims, true
}

// runs decodes what may be base64 or hexadecimal digits in a text.
func (w *walk) runs(p *Part, depth int) {
	if w.o.containers["base64"] {
		slashes := bytes.ContainsAny(p.Data, "+/")
		dashes := bytes.ContainsAny(p.Data, "-_")
		if slashes || !dashes {
			w.base64(p, base64.RawStdEncoding, "+/", depth)
		}
		if dashes {
			w.base64(p, base64.RawURLEncoding, "-_", depth)
		}
	}
	if w.o.containers["hex"] {
		each(p.Data, shortestHex, func(c byte) bool { return nibble(c) < 16 }, func(run []byte) {
			out := make([]byte, len(run)/2)
			if _, err := hex.Decode(out, run[:len(run)&^1]); err != nil {
				return
			}
			switch {
			case (printable(out) || magic(out) != "") && w.spend(p, depth):
				w.opened(p, "hex", out, depth)
			case p.whole() && len(run)%2 == 0 && binaryText(p.Data, run):
				w.unread(p.decoded("hex", out), true)
			}
		})
	}
}

func (w *walk) base64(p *Part, enc *base64.Encoding, extra string, depth int) {
	in := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(extra, c) >= 0
	}
	each(p.Data, shortestBase64, in, func(run []byte) {
		if len(run)%4 == 1 {
			return
		}
		whole := p.whole() && binaryText(p.Data, run)
		out := make([]byte, enc.DecodedLen(len(run)))
		n, err := enc.Decode(out, run)
		if err != nil || !w.spend(p, depth) {
			return
		}
		out = out[:n]
		if printable(out) || magic(out) != "" {
			w.opened(p, "base64", out, depth)
			return
		}
		d := p.decoded("base64", out)
		d.Type = Bytes
		w.show(d)
		w.unread(d, whole)
	})
}

// each calls do for every run of at least shortest bytes that are in.
func each(data []byte, shortest int, in func(byte) bool, do func([]byte)) {
	start := -1
	for i := 0; i <= len(data); i++ {
		switch {
		case i < len(data) && in(data[i]):
			if start < 0 {
				start = i
			}
		case start >= 0:
			if i-start >= shortest {
				do(data[start:i])
			}
			start = -1
		}
	}
}

// unread counts bytes that no decoding explains. certain says that they are bytes, and not
// what a decoding made of a text that may be a token or a word.
func (w *walk) unread(p *Part, certain bool) {
	// Two bytes that zlib begins with are a weak sign, and it could not be opened.
	if m := magic(p.Data); m != "" && m != "zlib" {
		return
	}
	switch {
	case len(p.Data) >= shortestSealed && sealed(p.Data):
		w.report.Sealed += int64(len(p.Data))
		if w.report.SealedAt == "" {
			w.report.SealedAt = p.Surface()
		}
	case certain && len(p.Data) >= shortestBinary && (p.root == flow.SurfaceBody || p.root == flow.SurfaceURL):
		w.report.Binary += int64(len(p.Data))
	}
}

// whole reports whether a part is a body as it is, or as its codings gave it.
func (p *Part) whole() bool { return p.root == flow.SurfaceBody && p.at == nil && p.Key == "" }

// binaryText reports whether a run of digits of base64 or hexadecimal is all that a text
// has, and no word: a word has no digit and no sign in it.
func binaryText(text, run []byte) bool {
	rest := bytes.Trim(text, "\"= \t\r\n")
	return len(rest) == len(run) && !uuid(run) && (bytes.ContainsAny(run, "0123456789+/") || bytes.ContainsRune(text, '='))
}

// uuid reports whether text is a UUID (RFC 9562, section 4).
func uuid(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && nibble(c) > 15 {
			return false
		}
	}
	return true
}

// sealed reports whether bytes are as good as random: encrypted, or compressed in an unknown way.
func sealed(data []byte) bool {
	var count [256]float64
	for _, c := range data {
		count[c]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			bits -= n / float64(len(data)) * math.Log2(n/float64(len(data)))
		}
	}
	// A sample of n random bytes shows fewer than 8 bits a byte; 256 bytes show about 7.2.
	return bits > 7.75 || bits > math.Log2(float64(min(len(data), 256)))-1.05 && len(data) < 4096
}

// printable reports whether bytes are text: UTF-8 with hardly a control character.
func printable(data []byte) bool {
	odd := 0
	for i := 0; i < len(data); {
		r, n := rune(data[i]), 1
		if r >= utf8.RuneSelf {
			if r, n = utf8.DecodeRune(data[i:]); r == utf8.RuneError && n == 1 {
				if len(data)-i < utf8.UTFMax && !utf8.FullRune(data[i:]) {
					return true // a character that is cut off at the end
				}
				return false
			}
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f || r >= utf8.RuneSelf && !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			if odd++; odd*20 > len(data) {
				return false
			}
		}
		i += n
	}
	return true
}
