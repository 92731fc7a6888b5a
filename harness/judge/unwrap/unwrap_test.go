package unwrap

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

func opener(t testing.TB, l *Limits) *Opener {
	t.Helper()
	o, err := New(Containers(), l)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// values lists the parts of a message as SURFACE CHAIN = TEXT, without the wholes.
func values(o *Opener, m Message) (list []string, r Report) {
	r = o.Walk(m, func(p *Part) {
		if p.Type != Bytes {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s", p.Surface(), strings.Join(p.Chain, ">")))+" = "+string(p.Data))
		}
	})
	return list, r
}

func TestWalk(t *testing.T) {
	o := opener(t, nil)
	jwt := "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"u-1","firebase":{"sign_in_provider":"anonymous"}}`)) + ".c2ln"
	list, r := values(o, Message{
		URL: "https://user:pw@a.example:8443/v1/%61b?q=1+2&k=%7B%22z%22%3A5%7D#f",
		Headers: []flow.Header{
			{Name: "Authorization", Value: "Bearer " + jwt},
			{Name: "Cookie", Value: `sid="abc"; empty=; lone`},
			{Name: ":authority", Value: "a.example"},
			{Name: "Content-Encoding", Value: "gzip"},
		},
		Body: gzipped([]byte(`{"a":{"b c":[1,"x\u00e9",{"d":true}]},"s":"{\"t\":\"u\"}","n":null}`)),
	})
	want := []string{
		"url = user:pw", "host = a.example", "url = v1", "url = %61b", "url url = ab",
		"url = 1 2", `url = {"z":5}`, "url = 5", "url = f",
		"header:Authorization = Bearer " + jwt,
		`header:Authorization jwt = {"sub":"u-1","firebase":{"sign_in_provider":"anonymous"}}`,
		"header:Authorization jwt = u-1", "header:Authorization jwt = anonymous",
		"cookie:sid = abc", "cookie: = lone",
		"header:Content-Encoding = gzip",
		`body:$.a['b c'][0] gzip = 1`, `body:$.a['b c'][1] gzip = xé`, `body:$.a['b c'][2].d gzip = true`,
		`body:$.s gzip = {"t":"u"}`, `body:$.s.t gzip = u`,
	}
	if !slices.Equal(list, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(list, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Cuts) != 0 || r.Sealed != 0 {
		t.Errorf("report %+v", r)
	}
}

func TestResponseHasSetCookieAndNoURL(t *testing.T) {
	list, _ := values(opener(t, nil), Message{
		URL: "https://a.example/x", Response: true,
		Headers: []flow.Header{{Name: "Set-Cookie", Value: "sid=abc; Path=/; HttpOnly"}, {Name: "X-Echo", Value: "key=value"}},
		Body:    []byte("{\"a\":1}\n{\"a\":2}\n"),
	})
	want := []string{"cookie:sid = abc", "header:X-Echo = key=value", "header:X-Echo = value", "body:$.a = 1", "body:$[1].a = 2"}
	if !slices.Equal(list, want) {
		t.Errorf("got %q, want %q", list, want)
	}
}

func TestKeysAndLists(t *testing.T) {
	o := opener(t, nil)
	o.Walk(Message{Body: []byte(`{"user":{"id":"x"},"ids":["y"]}`)}, func(p *Part) {
		switch string(p.Data) {
		case "x":
			if !slices.Equal(p.Keys(), []string{"user", "id"}) || p.Key != "id" || p.Path() != "$.user.id" || p.Root() != "body" {
				t.Errorf("%+v %v", p, p.Keys())
			}
		case "y":
			if !slices.Equal(p.Keys(), []string{"ids"}) || p.Key != "ids" {
				t.Errorf("%+v %v", p, p.Keys())
			}
		}
	})
}

func TestBombs(t *testing.T) {
	o := opener(t, &Limits{Bytes: 1 << 20, Steps: 200, Depth: 5})
	nested := []byte("the end of it all, at last")
	for range 40 {
		nested = []byte(base64.StdEncoding.EncodeToString(nested))
	}
	for name, body := range map[string][]byte{
		"gzip":       gzipped(bytes.Repeat([]byte("0"), 64<<20)),
		"base64":     nested[:min(len(nested), 256<<10)],
		"containers": []byte("[" + strings.Repeat(`"`+base64.StdEncoding.EncodeToString([]byte("some words to be read"))+`",`, 5000) + "1]"),
		"gzip in gzip": gzipped(gzipped(gzipped(gzipped(gzipped(gzipped(gzipped(
			[]byte("deep"))))))))} {
		t.Run(name, func(t *testing.T) {
			total, start := 0, time.Now()
			r := o.Walk(Message{Body: body}, func(p *Part) { total += len(p.Data) })
			if len(r.Cuts) == 0 {
				t.Error("nothing was cut off")
			}
			if total > 16<<20 {
				t.Errorf("%d bytes came out", total)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
	deep := strings.Repeat("[", 100_000)
	o.Walk(Message{Body: []byte(deep)}, func(*Part) {})
}

func TestBrokenContainers(t *testing.T) {
	o := opener(t, nil)
	whole := gzipped([]byte(`{"id":"` + strings.Repeat("abcdefgh", 2000) + `","z":"later"}`))
	for name, m := range map[string]Message{
		"gzip that breaks off": {Headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}, Body: whole[:len(whole)-9]},
		"not brotli":           {Headers: []flow.Header{{Name: "Content-Encoding", Value: "br"}}, Body: []byte("\x01\x02\x03\xff\xfe\xfd")},
		"unknown coding":       {Headers: []flow.Header{{Name: "Content-Encoding", Value: "snappy"}}, Body: []byte("\x01\x02\x03\xff")},
	} {
		if r := o.Walk(m, func(*Part) {}); len(r.Cuts) != 1 || r.Cuts[0].Surface != "body" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// A recording may keep the header and hold the body decoded.
	list, r := values(o, Message{Headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}, Body: []byte(`{"a":"b"}`)})
	if len(r.Cuts) != 0 || !slices.Contains(list, "body:$.a = b") {
		t.Errorf("%v, %+v", list, r)
	}
	// What stands before the break of a JSON text was shown.
	list, _ = values(o, Message{Body: []byte(`{"a":"b","c":"d`)})
	if !slices.Contains(list, "body:$.a = b") {
		t.Errorf("%v", list)
	}
}

func TestSealed(t *testing.T) {
	o := opener(t, nil)
	noise := make([]byte, 4096)
	x := uint32(2463534242)
	for i := range noise {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x >> 8)
	}
	for name, c := range map[string]struct {
		body []byte
		want bool
	}{
		"random":        {noise, true},
		"random, short": {noise[:300], true},
		"a form field":  {[]byte("d=" + base64.RawURLEncoding.EncodeToString(noise)), true},
		"a picture":     {append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), noise...), false},
		"text":          {[]byte(strings.Repeat("a quiet sentence; ", 300)), false},
		"few bytes":     {noise[:64], false},
		"a table":       {bytes.Repeat([]byte{0, 0, 0, 1, 0, 2, 9, 0xff}, 600), false},
	} {
		if r := o.Walk(Message{Body: c.body}, func(*Part) {}); r.Sealed > 0 != c.want {
			t.Errorf("%s: %d sealed bytes", name, r.Sealed)
		}
	}
}

func TestUnknownContainer(t *testing.T) {
	if _, err := New([]string{"json", "lzma"}, nil); err == nil || !strings.Contains(err.Error(), `"lzma"`) {
		t.Error(err)
	}
}

// Our reader of JSON and the standard library's agree on what JSON is, and on its strings.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,"x\n\u00e9\ud83d\ude00",true,false,null]}`, `[]`, `{}`, `{"a":}`, `[1,]`, `"x"`, `01`, `{"a":1 "b":2}`, "[\"\x01\"]", `{"a":{"b":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var texts []string
		err := container.JSON(data, nil, func(_ *container.Step, _ string, typ Type, v []byte) {
			if typ == Text {
				texts = append(texts, string(v))
			}
		})
		if !json.Valid(data) || !utf8.Valid(data) {
			return // it may be several values, which we take; broken characters we keep as they are
		}
		if err != nil {
			if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > 256 {
				return
			}
			t.Fatalf("%q is JSON and was refused", data)
		}
		var want []string
		d := json.NewDecoder(bytes.NewReader(data))
		for {
			token, err := d.Token()
			if err != nil {
				break
			}
			if s, ok := token.(string); ok {
				want = append(want, s)
			}
		}
		// Tokens hold keys too; every value must be among them, in order.
		at := 0
		for _, s := range texts {
			i := slices.Index(want[at:], s)
			if i < 0 {
				t.Fatalf("%q: value %q is not in %q", data, s, want[at:])
			}
			at += i + 1
		}
	})
}

// No message, however broken, may make the opener panic, hang or take memory beyond its budget.
func FuzzWalk(f *testing.F) {
	f.Add("gzip", "application/json", gzipped([]byte(`{"a":"b"}`)))
	f.Add("", "multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--x--\r\n"))
	f.Add("br", "", []byte{0x0b, 0x02, 0x80, 'a', 'b', 'c', 3})
	f.Add("zstd, deflate", "application/x-www-form-urlencoded", []byte("a=%7b%22x%22:1%7d&b=%zz&=&&c"))
	f.Add("", "", []byte("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.x"))
	o, err := New(Containers(), &Limits{Bytes: 1 << 20, Steps: 500, Depth: 6})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, coding, media string, body []byte) {
		seen := 0
		o.Walk(Message{
			URL:     "https://a.example/" + string(body[:min(len(body), 64)]),
			Headers: []flow.Header{{Name: "Content-Encoding", Value: coding}, {Name: "Content-Type", Value: media}, {Name: "Cookie", Value: string(body[:min(len(body), 64)])}},
			Body:    body,
		}, func(p *Part) {
			if p.ID != seen || p.Parent >= p.ID {
				t.Fatalf("part %d after %d has parent %d", p.ID, seen, p.Parent)
			}
			seen++
			_, _, _ = p.Surface(), p.Path(), p.Keys()
		})
	})
}

// No file and no message of a WebSocket may either, whatever chain of decodings it
// pretends to be; and the time is in proportion to what was given and what may come out.
func FuzzFile(f *testing.F) {
	for _, chain := range []string{"base64 gzip", "xor zlib", "reversed hex", "ascii85 deflate", "url html", "utf-16le", "lz4 snappy", "base58", "zstd", "quoted-printable", "brotli"} {
		data := []byte("anna.keller.8c7f2b1a@example.org")
		for _, name := range slices.Backward(strings.Fields(chain)) {
			data = encoders[name](data)
		}
		f.Add(data)
	}
	o, err := New(Containers(), &Limits{Bytes: 1 << 20, Steps: 500, Depth: 6})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole := bytes.Clone(data)
		for _, open := range []func(visit func(*Part)) Report{
			func(visit func(*Part)) Report { return o.File("a", data, visit) },
			func(visit func(*Part)) Report { return o.Message(3, data, visit) },
			func(visit func(*Part)) Report { return o.Value(data, visit) },
		} {
			start, seen, shown := time.Now(), 0, 0
			open(func(p *Part) {
				if p.ID != seen || p.Parent >= p.ID {
					t.Fatalf("part %d after %d has parent %d", p.ID, seen, p.Parent)
				}
				seen++
				shown += len(p.Data)
				_, _, _ = p.Surface(), p.Path(), p.Keys()
			})
			if shown > 64<<20+64*len(data) {
				t.Fatalf("%d bytes are shown of %d", shown, len(data))
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Fatalf("%d bytes took %s", len(data), d)
			}
		}
		if !bytes.Equal(whole, data) {
			t.Fatal("what was opened was changed")
		}
	})
}
