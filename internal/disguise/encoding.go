package disguise

import (
	"bytes"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime/quotedprintable"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/mr-tron/base58"
	"golang.org/x/net/idna"
)

// longestBase58 is the longest that is written as base58. It takes time with the
// square of the length, and so is used for keys and identifiers only.
const longestBase58 = 1 << 10

func encodings() []Disguise {
	// text is an encoding that turns anything into text.
	text := func(name string, chain string, canonical bool, write func([]byte) string) Disguise {
		return Disguise{
			Name: name, Chain: []string{chain}, Canonical: canonical,
			Encode: func(v []byte, _ *Env) []byte { return []byte(write(v)) },
		}
	}
	// of is the same for what only writes text.
	of := func(name string, chain string, canonical bool, write func(string) string) Disguise {
		d := text(name, chain, canonical, func(v []byte) string { return write(string(v)) })
		d.Text = true
		return d
	}
	list := []Disguise{
		text("url/component", "url", true, func(v []byte) string { return strings.ReplaceAll(url.QueryEscape(string(v)), "+", "%20") }),
		text("url/form", "url", true, func(v []byte) string { return url.QueryEscape(string(v)) }),
		text("url/every", "url", false, func(v []byte) string { return each(v, "%%%02X") }),
		text("url/every-lower", "url", false, func(v []byte) string { return each(v, "%%%02x") }),
		of("html/decimal", "html", false, func(v string) string { return runes(v, "&#%d;") }),
		of("html/hex", "html", false, func(v string) string { return runes(v, "&#x%X;") }),
		of("unicode/utf16", "unicode", false, func(v string) string { return units(v, `\u%04x`) }),
		of("unicode/upper", "unicode", false, func(v string) string { return units(v, `\u%04X`) }),
		text("base64/std", "base64", true, base64.StdEncoding.EncodeToString),
		text("base64/std-unpadded", "base64", true, base64.RawStdEncoding.EncodeToString),
		text("base64/url", "base64", true, base64.URLEncoding.EncodeToString),
		text("base64/url-unpadded", "base64", true, base64.RawURLEncoding.EncodeToString),
		text("base64/lines", "base64", false, func(v []byte) string { return lines(base64.StdEncoding.EncodeToString(v), 76, "\r\n") }),
		text("base64/short-lines", "base64", false, func(v []byte) string { return lines(base64.StdEncoding.EncodeToString(v), 24, "\n") }),
		text("base32/std", "base32", true, base32.StdEncoding.EncodeToString),
		text("base32/unpadded", "base32", true, base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString),
		text("base32/lower", "base32", false, func(v []byte) string { return strings.ToLower(base32.StdEncoding.EncodeToString(v)) }),
		text("ascii85/plain", "ascii85", false, in85),
		text("ascii85/adobe", "ascii85", false, func(v []byte) string { return "<~" + in85(v) + "~>" }),
		text("hex/lower", "hex", true, hex.EncodeToString),
		text("hex/upper", "hex", true, func(v []byte) string { return strings.ToUpper(hex.EncodeToString(v)) }),
		text("hex/colons", "hex", false, func(v []byte) string { return strings.TrimSuffix(each(v, "%02X:"), ":") }),
		text("hex/spaces", "hex", false, func(v []byte) string { return strings.TrimSuffix(each(v, "%02x "), " ") }),
		text("hex/escapes", "hex", false, func(v []byte) string { return each(v, `\x%02x`) }),
		text("quoted-printable/every", "quoted-printable", false, func(v []byte) string { return wrapped(v) }),
		text("quoted-printable/needed", "quoted-printable", false, quoted),
		of("reversed", "reversed", true, func(v string) string {
			r := []rune(v)
			slices.Reverse(r)
			return string(r)
		}),
		of("rot13", "rot13", true, rot13),
	}
	for i := range 3 { // the value after one, two and three bytes more
		list = append(list, Disguise{
			Name: fmt.Sprintf("base64/shift-%d", i+1), Chain: []string{"base64"},
			Encode: func(v []byte, env *Env) []byte {
				before := append(token(env.Rand, i), '|')
				return []byte(base64.StdEncoding.EncodeToString(slices.Concat(before, v, []byte("|end"))))
			},
		})
	}
	return append(list,
		Disguise{
			Name: "base58", Chain: []string{"base58"}, Canonical: true,
			Encode: func(v []byte, _ *Env) []byte {
				if len(v) > longestBase58 {
					return nil
				}
				return []byte(base58.Encode(v))
			},
		},
		// As a label of an internationalised name is written (RFC 5891, section 4.4): lower case first.
		Disguise{
			Name: "punycode", Chain: []string{"punycode"}, Text: true, Innermost: true, Kinds: append(append([]string{}, nameKinds...), mailKinds...),
			Encode: func(v []byte, _ *Env) []byte {
				ascii, err := idna.Punycode.ToASCII(string(v))
				if err != nil || ascii == string(v) {
					return nil
				}
				return []byte(ascii)
			},
		},
		utf16Of("utf-16/le", "utf-16le", false, false), utf16Of("utf-16/le-marked", "utf-16le", false, true),
		utf16Of("utf-16/be", "utf-16be", true, false), utf16Of("utf-16/be-marked", "utf-16be", true, true),
		Disguise{
			Name: "xor/byte", Chain: []string{"xor"}, Binary: true,
			Encode: func(v []byte, env *Env) []byte { return xor(v, []byte{byte(1 + env.Rand.IntN(255))}) },
		},
		Disguise{
			Name: "xor/sent-key", Chain: []string{"xor"}, Binary: true, Keyed: true,
			Encode: func(v []byte, env *Env) []byte { return xor(v, env.Key) },
		},
	)
}

func each(v []byte, format string) string {
	var b strings.Builder
	for _, c := range v {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func runes(v, format string) string {
	var b strings.Builder
	for _, r := range v {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func units(v, format string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(v)) {
		fmt.Fprintf(&b, format, u)
	}
	return b.String()
}

func lines(text string, width int, end string) string {
	var b strings.Builder
	for len(text) > width {
		b.WriteString(text[:width] + end)
		text = text[width:]
	}
	return b.String() + text
}

func in85(v []byte) string {
	out := make([]byte, ascii85.MaxEncodedLen(len(v)))
	return string(out[:ascii85.Encode(out, v)])
}

// wrapped is quoted-printable (RFC 2045, section 6.7) with every byte escaped, in
// lines of at most 76 characters.
func wrapped(v []byte) string {
	var b strings.Builder
	for i, c := range v {
		if i > 0 && i%24 == 0 {
			b.WriteString("=\r\n")
		}
		fmt.Fprintf(&b, "=%02X", c)
	}
	return b.String()
}

func quoted(v []byte) string {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	w.Binary = true
	_, _ = w.Write(v) // a buffer takes everything
	_ = w.Close()
	return b.String()
}

func rot13(v string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, v)
}

func utf16Of(name, chain string, big, marked bool) Disguise {
	return Disguise{
		Name: name, Chain: []string{chain}, Text: true, Binary: true, Canonical: !marked,
		Encode: func(v []byte, _ *Env) []byte {
			words := utf16.Encode([]rune(string(v)))
			if marked {
				words = slices.Insert(words, 0, 0xFEFF)
			}
			out := make([]byte, 0, 2*len(words))
			for _, u := range words {
				if big {
					out = append(out, byte(u>>8), byte(u))
				} else {
					out = append(out, byte(u), byte(u>>8))
				}
			}
			return out
		},
	}
}

func xor(v, key []byte) []byte {
	out := make([]byte, len(v))
	for i := range v {
		out[i] = v[i] ^ key[i%len(key)]
	}
	return out
}
