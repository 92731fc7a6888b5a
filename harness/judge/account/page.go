package account

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// How much of a page is looked at: its scripts, and what they hold.
const (
	mostScripts   = 256
	longestScript = 8 << 20
)

// Page adds what a page of HTML gives out: the hidden fields of its forms, and the JSON
// that its scripts begin with, as in window.__STATE__ = {…}. It reports whether the part
// is a page at all.
func (m *Message) Page(o *unwrap.Opener, p *unwrap.Part) bool {
	if p.Root() != flow.SurfaceBody || p.Path() != "" || p.Guess || !isPage(p.Data) {
		return false
	}
	z := html.NewTokenizer(bytes.NewReader(p.Data))
	z.SetMaxBuf(longestScript)
	for scripts := 0; ; {
		switch z.Next() {
		case html.ErrorToken:
			return true
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch string(name) {
			case "input", "meta":
				m.tag(attributes(z, more), string(name))
			case "script":
				if scripts++; scripts > mostScripts || z.Next() != html.TextToken {
					continue
				}
				for _, data := range objects(z.Raw()) {
					o.Value(data, m.Part)
				}
			}
		}
	}
}

// isPage reports whether bytes begin as HTML does (WHATWG MIME Sniffing, section 7.1).
func isPage(data []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 1024)]))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<script", "<form", "<div", "<input", "<meta", "<!--"} {
		if bytes.HasPrefix(head, []byte(tag)) {
			return true
		}
	}
	return false
}

// attributes reads those of a tag.
func attributes(z *html.Tokenizer, more bool) map[string]string {
	out := map[string]string{}
	for more && len(out) < 32 {
		var key, value []byte
		key, value, more = z.TagAttr()
		out[string(key)] = string(value)
	}
	return out
}

// tag adds the value of a hidden field, or of what the page says of itself.
func (m *Message) tag(a map[string]string, tag string) {
	name, value := a["name"], a["value"]
	if tag == "meta" {
		value = a["content"]
	} else if !strings.EqualFold(a["type"], "hidden") {
		return
	}
	if name == "" || value == "" || len(value) > longestValue || len(m.Values) >= mostValues {
		return
	}
	path := flow.Path(name)
	m.Values = append(m.Values, Value{
		Surface: flow.BodySurface(path), Root: flow.SurfaceBody, Key: name, Keys: []string{name}, Type: unwrap.Text, Path: path, Hidden: true, Text: value,
	})
}

// objects are the JSON objects of a script that stand behind an equals sign, or are all of it.
func objects(script []byte) (out [][]byte) {
	rest := bytes.TrimSpace(script)
	if len(rest) > 0 && (rest[0] == '{' || rest[0] == '[') {
		return [][]byte{rest}
	}
	for len(out) < 16 {
		i := bytes.IndexByte(rest, '=')
		if i < 0 {
			return out
		}
		rest = bytes.TrimLeft(rest[i+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '{' {
			continue
		}
		n := balanced(rest)
		if n == 0 {
			continue
		}
		out, rest = append(out, rest[:n]), rest[n:]
	}
	return out
}

// balanced is the length of the object that a text begins with; 0 where it does not end.
func balanced(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
