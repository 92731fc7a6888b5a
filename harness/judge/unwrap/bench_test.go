package unwrap

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/flow"
)

// traffic is recorded traffic as apps make it: events in JSON, forms, cookies and tokens,
// pages and scripts, blobs. The bytes are those that come out of the codings.
func traffic() (list []Message, size int64) {
	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // repeatable, not secret
	token := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.Uint32()&0xffff, r.Uint32()&0xfff, r.Uint32()&0xfff, r.Uint64()&0xffffffffffff)
	}
	words := strings.Fields("the quick brown fox jumps over a lazy dog while settings are loaded from storage and the home screen shows new items for you today in your area with prices and reviews")
	prose := func(n int) string {
		var b strings.Builder
		for b.Len() < n {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		return b.String()[:n]
	}
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT","kid":"a1"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+uuid()+`","exp":1764000000,"scope":"read write","iss":"https://id.service.example"}`)) + "." + token(256)
	session := token(32)
	headers := func(media string) []flow.Header {
		return []flow.Header{
			{Name: "User-Agent", Value: "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.004) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"},
			{Name: "Accept", Value: "application/json, text/plain, */*"}, {Name: "Accept-Language", Value: "en-GB,en;q=0.9"},
			{Name: "Authorization", Value: "Bearer " + jwt}, {Name: "Cookie", Value: "sid=" + session + "; theme=dark; _ga=GA1.2.1234567890.1718000000"},
			{Name: "Content-Type", Value: media}, {Name: "X-Request-Id", Value: uuid()},
		}
	}
	add := func(m Message) {
		list = append(list, m)
		size += int64(len(m.URL) + len(m.Body))
		for _, h := range m.Headers {
			size += int64(len(h.Name) + len(h.Value))
		}
	}
	for range 40 {
		var events []string
		for range 60 {
			events = append(events, fmt.Sprintf(`{"event":"screen_view","ts":%d,"at":"2026-11-23T21:%02d:%02d.123Z","session":"%s","props":{"screen":"%s","duration_ms":%d,"score":%.4f,"items":[%d,%d,%d],"referrer":"https://www.service.example/home?utm_source=push&utm_campaign=spring","ok":true,"note":"%s"}}`,
				1764000000000+r.Int64N(1e9), r.IntN(60), r.IntN(60), uuid(), words[r.IntN(len(words))], r.IntN(10000), r.Float64(), r.IntN(99), r.IntN(99), r.IntN(99), prose(60)))
		}
		add(Message{URL: "https://api.service.example/v2/events/batch?app=" + uuid(), Headers: headers("application/json"), Body: []byte(`{"batch":[` + strings.Join(events, ",") + `],"sent":"` + token(16) + `"}`)})
		form := url.Values{"device": {"Pixel 8"}, "payload": {`{"a":1,"b":"` + prose(200) + `"}`}, "sig": {hex.EncodeToString(sha256.New().Sum(nil))}, "t": {"1764000000"}}
		add(Message{URL: "https://log.service.example/collect", Headers: headers("application/x-www-form-urlencoded"), Body: []byte(form.Encode())})
		add(Message{URL: "https://img.service.example/p?data=" + base64.URLEncoding.EncodeToString([]byte(`{"w":320,"q":"`+prose(100)+`"}`)), Headers: headers("")})
		add(Message{URL: "https://api.service.example/feed", Response: true, Headers: []flow.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Set-Cookie", Value: "sid=" + session + "; Path=/"}},
			Body: []byte(`{"thumb":"data:image/png;base64,` + base64.StdEncoding.EncodeToString(append([]byte("\x89PNG\r\n\x1a\n"), []byte(token(3000))...)) + `","blob":"` + base64.StdEncoding.EncodeToString([]byte(prose(6000))) + `"}`)})
		var page strings.Builder
		page.WriteString("<!doctype html><html><head><title>" + prose(30) + "</title><script src=\"/static/js/main.8f3a1c2d.chunk.js\"></script></head><body>")
		for range 80 {
			fmt.Fprintf(&page, "<div class=\"card card-%d item_%d\" data-id=\"%d\"><a href=\"/product/%s-%s-%d?ref=home&amp;pos=%d\">%s</a><p>%s</p></div>\n",
				r.IntN(9), r.IntN(99), r.IntN(1e6), words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(1e5), r.IntN(50), prose(40), prose(120))
		}
		add(Message{URL: "https://www.service.example/", Response: true, Headers: []flow.Header{{Name: "Content-Type", Value: "text/html"}}, Body: []byte(page.String())})
		var script strings.Builder
		for range 150 {
			fmt.Fprintf(&script, "function %c%d(e,t){var n=e.getElementsByClassName(\"%s\"),r=document.createElementNS(t,'%s');return n.length>%d&&r.addEventListener(\"click\",function(o){o.preventDefault(),window.__APP__.trackEvent(\"%s\",{value:%d})}),n[0]||null}",
				'a'+rune(r.IntN(26)), r.IntN(99), words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(9), words[r.IntN(len(words))], r.IntN(999))
		}
		add(Message{URL: "https://www.service.example/static/js/main.8f3a1c2d.chunk.js", Response: true, Headers: []flow.Header{{Name: "Content-Type", Value: "text/javascript"}, {Name: "Content-Encoding", Value: "gzip"}}, Body: gzipped([]byte(script.String()))})
		size += int64(script.Len() - len(list[len(list)-1].Body))
	}
	return list, size
}

// BenchmarkWalk opens traffic with every decoding.
func BenchmarkWalk(b *testing.B) {
	list, size := traffic()
	o := opener(b, nil)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range list {
			o.Walk(m, func(*Part) {})
		}
	}
}

// BenchmarkKinds opens one kind of message at a time, to see which is slow.
func BenchmarkKinds(b *testing.B) {
	list, _ := traffic()
	o := opener(b, nil)
	for i, name := range []string{"json", "form", "url", "blob", "html", "script"} {
		b.Run(name, func(b *testing.B) {
			m := list[i]
			if name == "script" {
				m.Headers, m.Body = nil, bytes.Clone(m.Body)
				o.Walk(list[i], func(p *Part) {
					if p.Root() == flow.SurfaceBody && p.Parent == -1 {
						m.Body = bytes.Clone(p.Data)
					}
				})
			}
			b.SetBytes(int64(len(m.Body) + len(m.URL)))
			shown := 0
			for b.Loop() {
				o.Walk(m, func(p *Part) {
					if !p.Alias {
						shown += len(p.Data)
					}
				})
			}
			b.ReportMetric(float64(shown)/float64(b.N)/float64(len(m.Body)+len(m.URL)), "shown/byte")
		})
	}
}
