package har

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// read reads a whole file; what entries share with the reader is copied.
func read(in io.Reader) ([]Entry, []Note, error) {
	r := NewReader(in)
	var list []Entry
	for e, err := range r.Entries(context.Background()) {
		if err != nil {
			return list, r.Notes(), err
		}
		kept := *e
		kept.RequestBody, kept.ResponseBody = bytes.Clone(e.RequestBody), bytes.Clone(e.ResponseBody)
		list = append(list, kept)
	}
	return list, r.Notes(), nil
}

// wrap makes a file of entries.
func wrap(entries ...string) string {
	return `{"log":{"version":"1.2","creator":{"name":"t","version":"1"},"entries":[` + strings.Join(entries, ",") + `]}}`
}

// one reads a file of one entry that must be taken.
func one(t *testing.T, entry string) (Entry, []Note) {
	t.Helper()
	list, notes, err := read(strings.NewReader(wrap(entry)))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s\n%d entries, %v %v", entry, len(list), notes, err)
	}
	return list[0], notes
}

func header(list []flow.Header, name string) string { return flow.HTTPHeader(list).Get(name) }

func TestRequestBodies(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, "the content")
	z.Close()
	latin1 := func(b []byte) string { // as tools write bytes into a text
		var s strings.Builder
		for _, c := range b {
			s.WriteRune(rune(c))
		}
		text, _ := json.Marshal(s.String())
		return string(text)
	}
	// A digest of 20 bytes in a form whose other parts are text.
	parts := "--XX\r\nContent-Disposition: form-data; name=\"version\"\r\n\r\n" + strings.Repeat("a long text ", 40) +
		"\r\n--XX\r\nContent-Disposition: form-data; name=\"id\"; filename=\"id\"\r\n\r\n%s\r\n--XX--\r\n"
	digest := fmt.Sprintf(parts, "\xf1\x0e\x5e\x98\xd4\xa9\x9c\x16\x3d\x6b\x63\xb7\x20\xfa\xf7\x5a\xf2\x3a\x85\x46")
	umlauts := fmt.Sprintf(parts, "grüße")
	umlautsText, _ := json.Marshal(umlauts)
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct{ post, want string }{
		"text":                {`{"mimeType":"text/plain","text":"a b"}`, "a b"},
		"text and params":     {`{"mimeType":"application/x-www-form-urlencoded","text":"a=1&b=2","params":[{"name":"x","value":"y"}]}`, "a=1&b=2"},
		"params only":         {`{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"c&d"},{"name":"e"}]}`, "a+b=c%26d&e"},
		"empty text, params":  {`{"mimeType":"application/x-www-form-urlencoded","text":"","params":[{"name":"a","value":"1"}]}`, "a=1"},
		"null text, params":   {`{"text":null,"params":[{"name":"a","value":"1"}]}`, "a=1"},
		"params null":         {`{"text":"t","params":null}`, "t"},
		"multipart params":    {`{"mimeType":"multipart/form-data; boundary=XX","params":[{"name":"f","fileName":"a.txt","contentType":"text/plain","value":"file"}]}`, "--XX\r\nContent-Disposition: form-data; filename=a.txt; name=f\r\nContent-Type: text/plain\r\n\r\nfile\r\n--XX--\r\n"},
		"encoding":            {`{"text":"` + b64([]byte("\x00\xffbin")) + `","encoding":"base64"}`, "\x00\xffbin"},
		"_encoding":           {`{"text":"` + b64([]byte("\x00\xffbin")) + `","_encoding":"BASE64"}`, "\x00\xffbin"},
		"comment":             {`{"text":"` + b64([]byte("bin")) + `","comment":"base64"}`, "bin"},
		"comment, no base64":  {`{"text":"not it!","comment":"base64"}`, "not it!"},
		"base64 in lines":     {`{"text":"YWJj\r\nZGVm","encoding":"base64"}`, "abcdef"},
		"base64 url alphabet": {`{"text":"-__-","encoding":"base64"}`, "\xfb\xff\xfe"},
		"bytes as text":       {`{"text":` + latin1(zipped.Bytes()) + `}`, zipped.String()},
		"bytes in a part":     {`{"mimeType":"multipart/form-data; boundary=XX","text":` + latin1([]byte(digest)) + `}`, digest},
		"umlauts in a part":   {`{"mimeType":"multipart/form-data; boundary=XX","text":` + string(umlautsText) + `}`, umlauts},
		"surrogate escapes":   {`{"text":"\udcff\u0000\udc80x"}`, "\xff\x00\x80x"},
		"umlauts are text":    {`{"text":"gr\u00fc\u00dfe"}`, "grüße"},
		"pairs and halves":    {`{"text":"\ud83d\ude00 \ud83d x \ude00 \ud83d\u0041"}`, "😀 \ufffd x \ufffd \ufffdA"},
		"escapes":             {`{"text":"\"\\\/\b\f\n\r\t\u00e9 and then a text that goes on"}`, "\"\\/\b\f\n\r\té and then a text that goes on"},
		"raw control":         {"{\"text\":\"a\tb\nc\"}", "a\tb\nc"},
		"number":              {`{"text":12.50}`, "12.50"},
		"order":               {`{"encoding":"base64","comment":"x","text":"YQ==","mimeType":"a/b"}`, "a"},
		"duplicate":           {`{"text":"first","text":"last"}`, "last"},
	} {
		t.Run(name, func(t *testing.T) {
			e, notes := one(t, `{"request":{"method":"POST","url":"https://a.example/","postData":`+c.post+`}}`)
			if string(e.RequestBody) != c.want || len(notes) > 0 {
				t.Errorf("%q, want %q; %v", e.RequestBody, c.want, notes)
			}
		})
	}
}

func TestCodingsThatAreOffAlready(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, strings.Repeat("the content ", 100))
	z.Close()
	for name, c := range map[string]struct {
		coding, encoding, text string
		kept                   bool
	}{
		"decoded":            {"gzip", "", "the content", false},
		"binary decoded":     {"gzip", "base64", base64.StdEncoding.EncodeToString([]byte("\x0a\x04\x00\x01\x02\xff")), false},
		"brotli decoded":     {"br", "", `{\"a\":1}`, false},
		"zstd, deflate":      {"zstd, deflate", "", `{\"a\":1}`, false},
		"unknown":            {"aws-chunked", "", "text", false},
		"still coded":        {"gzip", "base64", base64.StdEncoding.EncodeToString(zipped.Bytes()), true},
		"coded and cut off":  {"gzip", "base64", base64.StdEncoding.EncodeToString(zipped.Bytes()[:zipped.Len()-9]), true},
		"identity stays":     {"identity", "", "text", true},
		"no body, no change": {"gzip", "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := one(t, fmt.Sprintf(`{"request":{"url":"https://a.example/"},"response":{"status":200,"headers":[{"name":"content-encoding","value":%q}],
				"content":{"text":"%s","encoding":%q}}}`, c.coding, c.text, c.encoding))
			if kept := header(e.Response.Headers, "Content-Encoding") != ""; kept != c.kept {
				t.Errorf("the header is kept: %v, want %v", kept, c.kept)
			}
		})
	}
}

func TestParts(t *testing.T) {
	e, _ := one(t, `{"startedDateTime":"2024-02-03T04:05:06.789+01:00","time":1500,"serverIPAddress":"192.0.2.7",
		"request":{"method":"get","httpVersion":"h2","headers":[{"name":":authority","value":"a.example"},{"name":":path","value":"/p?x=1"},
			{"name":":scheme","value":"https"},{"name":"cookie","value":"a=1"},{"name":"X-Id","value":"v"},{"comment":"neither"}],
			"cookies":[{"name":"a","value":"1"},{"name":"b","value":"2"}],"queryString":[{"name":"x","value":"1"},{"name":"y z","value":"&"}],"headersSize":10,"bodySize":0},
		"response":{"status":302,"httpVersion":"HTTP/1.1","cookies":[{"name":"s","value":"t","httpOnly":true}],"headers":{"Location":"/n","Via":["a","b"]}}}`)
	q := e.Request
	if q.URL != "https://a.example/p?x=1&y+z=%26" || q.Method != "GET" || q.Proto != "HTTP/2.0" {
		t.Errorf("%s %s %s", q.Method, q.URL, q.Proto)
	}
	want := []flow.Header{{Name: "cookie", Value: "a=1"}, {Name: "X-Id", Value: "v"}, {Name: "Cookie", Value: "b=2"}}
	if !slices.Equal(q.Headers, want) {
		t.Errorf("headers %v", q.Headers)
	}
	if at := time.Date(2024, 2, 3, 3, 5, 6, 789e6, time.UTC); !q.Started.Equal(at) || !e.Response.Ended.Equal(at.Add(1500*time.Millisecond)) {
		t.Errorf("%v to %v", q.Started, e.Response.Ended)
	}
	if q.Size != 10 || e.Response.Server != "192.0.2.7" || e.Response.Status != 302 {
		t.Errorf("%+v", e.Response)
	}
	want = []flow.Header{{Name: "Location", Value: "/n"}, {Name: "Via", Value: "a"}, {Name: "Via", Value: "b"}, {Name: "Set-Cookie", Value: "s=t"}}
	if !slices.Equal(e.Response.Headers, want) {
		t.Errorf("response headers %v", e.Response.Headers)
	}
	if e, _ := one(t, `{"request":{"url":"/just/a/path","headers":[{"name":"Host","value":"h.example"}]},"response":null}`); e.Request.URL != "https://h.example/just/a/path" || e.Response != nil {
		t.Errorf("%s %v", e.Request.URL, e.Response)
	}
	if e, _ := one(t, `{"request":{"url":"https://a.example/p?q=1","queryString":[{"name":"q","value":"1"}]},"time":NaN,"startedDateTime":1706929506789}`); e.Request.URL != "https://a.example/p?q=1" || e.Request.Started.Year() != 2024 {
		t.Errorf("%s %v", e.Request.URL, e.Request.Started)
	}
}

func TestSocketMessages(t *testing.T) {
	e, notes := one(t, `{"request":{"url":"wss://a.example/s"},"_resourceType":"websocket","_webSocketMessages":[
		{"type":"send","time":1706929506.5,"opcode":1,"data":"hello"},{"type":"receive","time":1706929507,"opcode":2,"data":"AP8="},{"type":"send","opcode":2,"data":"no base64!"}]}`)
	if len(e.Messages) != 3 {
		t.Fatalf("%d messages", len(e.Messages))
	}
	for i, want := range []Frame{
		{flow.Message{Index: 0, At: time.UnixMilli(1706929506500).UTC(), Sent: true}, []byte("hello")},
		{flow.Message{Index: 1, At: time.Unix(1706929507, 0).UTC(), Binary: true}, []byte("\x00\xff")},
		{flow.Message{Index: 2, Sent: true, Binary: true}, []byte("no base64!")},
	} {
		if got := e.Messages[i]; got.Message.Index != want.Index || !got.At.Equal(want.At) || got.Sent != want.Sent || got.Binary != want.Binary || string(got.Data) != string(want.Data) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if len(notes) != 1 || notes[0].Lost != LostSent {
		t.Errorf("%v", notes)
	}
}

// What can't be used is left out by name, and the others keep their places.
func TestWhatIsLeftOut(t *testing.T) {
	list, notes, err := read(strings.NewReader("\ufeff" + wrap(`null`, `17`, `{"response":{}}`, `{"request":"no"}`,
		`{"request":{"url":"data:text/plain,x"}}`, `{"request":{"url":"https://a.example/c"},"_fromCache":"disk"}`,
		`{"request":{"url":"https://a.example/b","postData":{"text":"%%%","encoding":"base64"}},"response":{"content":{"text":"*","encoding":"base64"}}}`,
		`{"startedDateTime":"yesterday","request":{"method":"POST","url":"https://a.example/s","bodySize":9},"response":{"status":"200","content":{"size":5}}}`,
		`{"request":{"url":"https://a.example/last"}}`)))
	if err != nil {
		t.Fatal(err)
	}
	var places []int
	for _, e := range list {
		places = append(places, e.Index)
	}
	if !slices.Equal(places, []int{6, 7, 8}) {
		t.Errorf("entries %v", places)
	}
	var said []string
	for _, n := range notes {
		said = append(said, fmt.Sprintf("%d %s", n.Lost, n))
	}
	want := []string{
		"2 2 entries, each: is no object and was left out (entries 0, 1).",
		"2 2 entries, each: has no request and was left out (entries 2, 3).",
		"0 Entry 4 has a URL that is not sent over a network (such as data: or blob:) and was left out.",
		"0 Entry 5 was answered from a cache, so nothing was sent; it was left out.",
		"2 Entry 6 has broken base64 in request.postData.text; it was taken as text.",
		"1 Entry 6 has broken base64 in response.content.text; it was taken as text.",
		"0 Entry 7 has a startedDateTime that is no time.",
		"2 Entry 7 has a request body that the file does not hold.",
	}
	if !slices.Equal(said, want) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if string(list[0].RequestBody) != "%%%" || list[1].Response.Status != 200 || list[1].Response.Body.Cut == "" {
		t.Errorf("%+v", list)
	}
}

func TestWhatIsNoHAR(t *testing.T) {
	deep := strings.Repeat("[", 5000)
	for text, want := range map[string]string{
		"":                                    "line 1, column 1 (byte 0): the file breaks off here",
		"{}":                                  "no list log.entries",
		"[]":                                  "no list log.entries",
		`{"log":{"entries":{}}}`:              "no list log.entries",
		`{"log":{"version":"1.2"}}`:           "no list log.entries",
		`{"log":5}`:                           "no list log.entries",
		"<html>":                              `line 1, column 1 (byte 0): '<' is not JSON`,
		"{\"log\":\n {\"entries\":[{]}}":      "line 2, column 15 (byte 22): a member's name must stand here, in quotes (in entry 0, counted from 0)",
		wrap(`{"a":1}`)[:60]:                  "breaks off here",
		`{"log":{"entries":[{"a":"b`:          "breaks off here",
		`{"log":{"entries":[{"a":tru}]}}`:     `"tru" is not JSON`,
		`{"log":{"entries":[{"a":"\x"}]}}`:    `a backslash before 'x'`,
		`{"log":{"entries":[{"a":"\u12"}]}}`:  `four hexadecimal digits`,
		`{"log":{"entries":[{},]}}`:           `']' is not JSON`,
		`{"log":{"entries":[{} {}]}}`:         `a comma or the list's end`,
		wrap() + wrap():                       "the HAR has ended, and more follows",
		`{"log":{"entries":[],"entries":[]}}`: "for the second time",
		`{"log":{"pages":` + deep:             "1000 deep",
		`{"log":{"entries":[` + deep:          "1000 deep",
	} {
		list, _, err := read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, %d entries; want %q", text, err, len(list), want)
		}
	}
}

func TestTheFileIsReadInAnyPieces(t *testing.T) {
	text := wrap(`{"request":{"url":"https://a.example/\ud83d\ude00","postData":{"text":"`+strings.Repeat(`x\"y\n`, 1000)+`"}},"z":[{"a":[1,-2.5e3,true,null,"s"]}]}`) + "\n"
	whole, _, err := read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	bytewise, _, err := read(iotest.OneByteReader(strings.NewReader(text)))
	if err != nil || fmt.Sprint(whole) != fmt.Sprint(bytewise) {
		t.Errorf("byte by byte: %v %v", bytewise, err)
	}
	utf16 := []byte{0xff, 0xfe}
	for _, c := range wrap(`{"request":{"url":"https://a.example/"}}`) {
		utf16 = append(utf16, byte(c), 0)
	}
	if list, _, err := read(bytes.NewReader(utf16)); err != nil || len(list) != 1 {
		t.Errorf("UTF-16: %v %v", list, err)
	}
	broken := errors.New("the disk")
	if _, _, err := read(io.MultiReader(strings.NewReader(text[:40]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range NewReader(strings.NewReader(text)).Entries(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
}

// An entry that wants too much gets what one may have, and the next is read as ever.
func TestHugeEntry(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 300 MB")
	}
	piece := strings.Repeat("x", 1<<20)
	parts := []io.Reader{strings.NewReader(`{"log":{"entries":[{"request":{"url":"https://a.example/","postData":{"text":"`)}
	for range 150 {
		parts = append(parts, strings.NewReader(piece))
	}
	parts = append(parts, strings.NewReader(`"}}},{"request":{"url":"https://b.example/"}}]}}`))
	r := NewReader(io.MultiReader(parts...))
	var sizes []int
	for e, err := range r.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(e.RequestBody))
	}
	if !slices.Equal(sizes, []int{maxText, 0}) || len(r.Notes()) != 1 || r.Notes()[0].Lost != LostSent {
		t.Errorf("%v %v", sizes, r.Notes())
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		wrap(), wrap("null"), wrap(`{"request":{"url":"https://a.example/?a=1#f","queryString":[{"name":"b","value":"c"}],"cookies":[{"name":"a","value":"b"}],
		"headers":{"a":["b",1,null]},"postData":{"mimeType":"multipart/form-data","params":[{"name":"x","fileName":"y"}]}}}`),
		wrap(`{"request":{"url":"","headers":[{"name":":path","value":"/"},{"name":"Content-Encoding","value":"br,gzip"}],"postData":{"text":"H4sI","encoding":"base64"}}}`),
		wrap(`{"_unasked":{"flow":"f9","opaque":{"reason":"no-http","host":"h","port":"1","up":"YQ==","down":"!"}}}`),
		wrap(`{"request":{"url":"wss://h"},"_webSocketMessages":[{"type":"send","opcode":2,"data":"YQ"},{}]}`),
		"\xff\xfe{\x00", `{"log":{"entries":[{"a":"\ud800\udfff\ud800x\udc80`, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, notes, err := read(bytes.NewReader(data))
		pieces, again, perr := read(iotest.HalfReader(bytes.NewReader(data)))
		if (err == nil) != (perr == nil) || len(whole) != len(pieces) || fmt.Sprint(notes) != fmt.Sprint(again) {
			t.Errorf("read at once: %d entries, %v; in pieces: %d, %v", len(whole), err, len(pieces), perr)
		}
		last := -1
		for _, e := range whole {
			if e.Index <= last {
				t.Errorf("entry %d after %d", e.Index, last)
			}
			last = e.Index
		}
		if err == nil && json.Valid(data) {
			return
		}
	})
}

func BenchmarkReader(b *testing.B) {
	body, _ := json.Marshal(strings.Repeat(`{"key":"value","n":12345,"text":"some words of a body"},`, 370))
	entry := fmt.Sprintf(`{"startedDateTime":"2024-02-03T04:05:06.789Z","time":12.5,"request":{"method":"POST","url":"https://a.example/v1/track?x=1","httpVersion":"HTTP/2",
		"headers":[%s],"queryString":[{"name":"x","value":"1"}],"cookies":[],"postData":{"mimeType":"application/json","text":%s},"headersSize":-1,"bodySize":20000},
		"response":{"status":200,"headers":[{"name":"content-type","value":"application/json"}],"content":{"size":2,"mimeType":"application/json","text":"{}"}},"timings":{"send":1,"wait":2,"receive":3}}`,
		strings.TrimSuffix(strings.Repeat(`{"name":"user-agent","value":"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36"},`, 12), ","), body)
	list := make([]string, 200)
	for i := range list {
		list[i] = entry
	}
	text := wrap(list...)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range NewReader(strings.NewReader(text)).Entries(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
