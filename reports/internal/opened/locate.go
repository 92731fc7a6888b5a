package opened

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// span is a range of bytes; start is negative for none.
type span struct{ start, end int }

var nowhere = span{-1, -1}

// view is a decoded text with the place in it.
type view struct {
	form  string // "JSON", "form", "text", "bytes"
	text  []byte
	at    span
	place []byte   // what stands at the place, with the escapes of JSON or a form taken off
	rest  []string // steps of the path that lie within the place, behind another coding
}

// locate finds the place in a decoded body: by its path where the body has that, else by
// what the judge says stands there.
func (o opener) locate(content []byte, steps []string) view {
	if v, ok := o.locateJSON(content, steps); ok {
		return v
	}
	if v, ok := o.locateForm(content, steps); ok {
		return v
	}
	if v, ok := o.locateMultipart(content, steps); ok {
		return v
	}
	v := view{form: "text", text: content, at: o.find(content)}
	if !isText(content) {
		v.form = "bytes"
	}
	if v.at.start >= 0 {
		v.place = content[v.at.start:v.at.end]
	}
	v.rest = steps
	return v
}

func (o opener) locateJSON(content []byte, steps []string) (view, bool) {
	trimmed := bytes.TrimSpace(content)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return view{}, false
	}
	text, ok := indent(trimmed)
	if !ok {
		return view{}, false
	}
	v := view{form: "JSON", text: text, at: nowhere}
	at, rest, ok := jsonSpan(v.text, steps)
	if !ok || len(steps) > 0 && len(rest) == len(steps) {
		if v.at = o.find(v.text); v.at.start >= 0 {
			v.place = v.text[v.at.start:v.at.end]
		}
		return v, true
	}
	value := v.text[at.start:at.end]
	v.rest, v.place = rest, unquote(value)
	if len(value) > 2 && value[0] == '"' { // the mark is on what stands between the quotes
		at = span{at.start + 1, at.end - 1}
		value = value[1 : len(value)-1]
	}
	v.at = at
	if len(steps) == 0 || len(value) > 240 {
		v.at = nowhere
		if in := o.find(value); in.start >= 0 {
			v.at = span{at.start + in.start, at.start + in.end}
			if len(steps) == 0 {
				v.place = v.text[v.at.start:v.at.end]
			}
		} else if len(steps) > 0 {
			v.at = at
		}
	}
	return v, true
}

func unquote(value []byte) []byte {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return []byte(s)
	}
	return value
}

// locateForm finds a field of an URL-encoded form by its name.
func (o opener) locateForm(content []byte, steps []string) (view, bool) {
	if len(steps) == 0 || !bytes.ContainsRune(content, '=') || bytes.ContainsAny(content[:min(len(content), 512)], " \n{<") {
		return view{}, false
	}
	for start := 0; start < len(content); {
		end := len(content)
		if i := bytes.IndexByte(content[start:], '&'); i >= 0 {
			end = start + i
		}
		key, _, _ := bytes.Cut(content[start:end], []byte("="))
		name, err := url.QueryUnescape(string(key))
		if valueStart := start + len(key) + 1; err == nil && name == steps[0] && valueStart <= end {
			value, err := url.QueryUnescape(string(content[valueStart:end]))
			if err != nil {
				value = string(content[valueStart:end])
			}
			return view{form: "form", text: content, at: span{valueStart, end}, place: []byte(value), rest: steps[1:]}, true
		}
		start = end + 1
	}
	return view{}, false
}

// locateMultipart finds a part of a multipart body by its name.
func (o opener) locateMultipart(content []byte, steps []string) (view, bool) {
	if len(steps) == 0 || !bytes.HasPrefix(content, []byte("--")) {
		return view{}, false
	}
	head := bytes.Index(content, []byte(`name="`+steps[0]+`"`))
	if head < 0 {
		return view{}, false
	}
	blank := bytes.Index(content[head:], []byte("\r\n\r\n"))
	if blank < 0 {
		return view{}, false
	}
	start := head + blank + 4
	boundary, _, _ := bytes.Cut(content, []byte("\r\n"))
	end := len(content)
	if i := bytes.Index(content[start:], append([]byte("\r\n"), boundary...)); i >= 0 {
		end = start + i
	}
	v := view{form: "multipart", text: content, at: span{start, end}, place: content[start:end], rest: steps[1:]}
	if len(v.place) > 240 || len(v.rest) > 0 {
		if in := o.find(v.place); in.start >= 0 {
			v.at = span{start + in.start, start + in.end}
		}
	}
	return v, true
}

// splitPath takes a path such as $.a.b[0]["c d"] apart. What is no such path has no steps.
func splitPath(path string) []string {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		if path == "" {
			return nil
		}
		return []string{path}
	}
	var steps []string
	for rest != "" {
		switch rest[0] {
		case '.':
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			steps, rest = append(steps, rest[:end]), rest[end:]
		case '[':
			step, after, ok := bracket(rest)
			if !ok {
				return append(steps, rest)
			}
			steps, rest = append(steps, step), after
		default:
			return append(steps, rest)
		}
	}
	return steps
}

// bracket reads [0], ["name"] or ['name'] from the start of s.
func bracket(s string) (step, rest string, ok bool) {
	if len(s) > 1 && (s[1] == '"' || s[1] == '\'') {
		for i := 2; i < len(s); i++ {
			switch {
			case s[i] == '\\':
				i++
			case s[i] == s[1]:
				if i+1 >= len(s) || s[i+1] != ']' {
					return "", "", false
				}
				quoted := s[1 : i+1]
				if s[1] == '"' && json.Unmarshal([]byte(quoted), &step) == nil {
					return step, s[i+2:], true
				}
				return s[2:i], s[i+2:], true
			}
		}
		return "", "", false
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return "", "", false
	}
	return s[1:end], s[end+1:], true
}

// jsonSpan finds the value at a path. It goes as deep as the path can be followed; rest is
// what is left of it.
func jsonSpan(text []byte, steps []string) (at span, rest []string, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return jsonWalk(dec, text, steps)
}

func jsonWalk(dec *json.Decoder, text []byte, steps []string) (span, []string, bool) {
	start := int(dec.InputOffset())
	for start < len(text) && strings.IndexByte(" \t\r\n:,", text[start]) >= 0 {
		start++
	}
	if len(steps) > 0 && start < len(text) && (text[start] == '{' || text[start] == '[') {
		isObject := text[start] == '{'
		if _, err := dec.Token(); err != nil {
			return nowhere, nil, false
		}
		for i := 0; dec.More(); i++ {
			name := ""
			if isObject {
				t, err := dec.Token()
				if err != nil {
					return nowhere, nil, false
				}
				name, _ = t.(string)
			} else {
				name = strconv.Itoa(i)
			}
			if name == steps[0] || !isObject && steps[0] == "*" {
				return jsonWalk(dec, text, steps[1:])
			}
			if !skip(dec) {
				return nowhere, nil, false
			}
		}
		return span{start, int(dec.InputOffset())}, steps, true
	}
	if !skip(dec) {
		return nowhere, nil, false
	}
	return span{start, int(dec.InputOffset())}, steps, true
}

func skip(dec *json.Decoder) bool {
	var v json.RawMessage
	return dec.Decode(&v) == nil
}
