package opened

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/unasked-audit/unasked/internal/explain"
)

const maxLayers = 4

// unfold shows what a place decodes to, one step of the pointer's chain after the other. It
// stops at a hash, which can't be undone, and at a step that it can't take; the chain in words says
// all of them.
func (o opener) unfold(m *Message, at []byte, rest ...string) {
	if o.finding.Value != "" {
		m.Check = check(o.finding.Value, o.pointer.Chain, at)
	}
	taken := make(map[string]int)
	for _, c := range m.Body.Codings {
		taken[canonical(c)]++
	}
	for _, step := range o.pointer.Chain {
		name := canonical(step)
		if taken[name] > 0 {
			taken[name]--
			continue
		}
		if explain.Hash(step) || len(m.Layers) == maxLayers {
			break
		}
		decode := decoders[name]
		if name == "json" && len(rest) > 0 && json.Valid(at) {
			decode = asIs // text that is JSON, in a field
		}
		if decode == nil {
			continue // a form, multipart and the like: a place within, no coding
		}
		decoded, err := decode(at)
		if err != nil || len(decoded) == 0 || name != "json" && bytes.Equal(decoded, at) {
			continue
		}
		v := o.locate(decoded, rest)
		layer := Layer{Step: explain.Step(step)}
		layer.Form, layer.Lines, layer.Above, layer.Below = window(v)
		m.Layers = append(m.Layers, layer)
		at, rest = decoded, nil
		if v.place != nil && v.at.start >= 0 && len(v.rest) > 0 {
			at, rest = v.place, v.rest
		}
		if m.Check == "" && o.finding.Value != "" {
			m.Check = check(o.finding.Value, o.pointer.Chain, decoded)
		}
	}
}

// inside locates the place in a body. Where the body as it came does not have it, the codings that the
// chain begins with are taken off: an app may send gzip without saying so in a header.
func (o opener) inside(content []byte, steps []string) (v view, taken []string) {
	v = o.locate(content, steps)
	if v.at.start >= 0 {
		return v, nil
	}
	for _, step := range o.pointer.Chain {
		decode := decoders[canonical(step)]
		if explain.Hash(step) {
			break
		}
		if decode == nil {
			continue
		}
		decoded, err := decode(content)
		if err != nil || len(decoded) == 0 {
			continue // it was taken off already, or stands further in
		}
		content, taken = decoded, append(taken, step)
		if found := o.locate(content, steps); found.at.start >= 0 {
			return found, taken
		}
	}
	return v, nil
}

// canonical maps the names of a coding onto one.
func canonical(step string) string {
	s := strings.ToLower(step)
	switch {
	case s == "x-gzip":
		return "gzip"
	case s == "brotli":
		return "br"
	case strings.HasPrefix(s, "base64"):
		return "base64"
	case s == "percent" || s == "urlencode" || s == "urlencoded" || s == "url-encoded":
		return "url"
	}
	return s
}

var decoders = map[string]func([]byte) ([]byte, error){
	"base64":  unbase64,
	"hex":     func(b []byte) ([]byte, error) { return hex.DecodeString(string(bytes.TrimSpace(b))) },
	"url":     func(b []byte) ([]byte, error) { s, err := url.QueryUnescape(string(b)); return []byte(s), err },
	"gzip":    func(b []byte) ([]byte, error) { return inflate(gzip.NewReader(bytes.NewReader(b))) },
	"zlib":    func(b []byte) ([]byte, error) { return inflate(zlib.NewReader(bytes.NewReader(b))) },
	"deflate": undeflate,
	"br":      func(b []byte) ([]byte, error) { return inflate(brotli.NewReader(bytes.NewReader(b)), nil) },
	"zstd":    unzstd,
}

func asIs(b []byte) ([]byte, error) { return b, nil }

func inflate(r io.Reader, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, bodyLimit))
}

func undeflate(b []byte) ([]byte, error) {
	if out, err := inflate(zlib.NewReader(bytes.NewReader(b))); err == nil {
		return out, nil
	}
	return inflate(flate.NewReader(bytes.NewReader(b)), nil)
}

func unzstd(b []byte) ([]byte, error) {
	d, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return inflate(d, nil)
}

// unbase64 decodes either alphabet, with padding or without.
func unbase64(b []byte) ([]byte, error) {
	s := strings.TrimRight(string(bytes.TrimSpace(b)), "=")
	s = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "", " ", "+").Replace(s)
	return base64.RawStdEncoding.DecodeString(s)
}

// urlPlace is what stands at a place of an URL: the value of the parameter that the surface names, else all of it.
func urlPlace(raw, surface string) []byte {
	u, err := url.Parse(raw)
	if err != nil {
		return []byte(raw)
	}
	_, rest, _ := strings.Cut(surface, ":")
	if steps := splitPath(rest); len(steps) > 0 {
		if v := u.Query().Get(steps[len(steps)-1]); v != "" {
			return []byte(v)
		}
	}
	return []byte(raw)
}

// headerPlace is what stands at a place of a header: a cookie's value, else all of it.
func headerPlace(value, cookie string) []byte {
	if cookie != "" {
		for _, part := range strings.Split(value, ";") {
			if name, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && name == cookie {
				return []byte(v)
			}
		}
	}
	return []byte(value)
}
