package observe

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// memory is a Recorder that keeps everything.
type memory struct {
	t    testing.TB
	ids  int
	log  []any // flow.Request, flow.Response, flow.Message and flow.Connection, in order
	open int   // bodies
	fail error
}

type memoryBody struct {
	m    *memory
	text []byte
	over bool
}

func (m *memory) NextID() flow.ID { m.ids++; return flow.ID(fmt.Sprint("f", m.ids)) }

func (m *memory) Body() Body { m.open++; return &memoryBody{m: m} }

func (b *memoryBody) Write(p []byte) (int, error) {
	if b.over {
		b.m.t.Error("a body was written to after its end")
	}
	if b.m.fail != nil {
		return 0, b.m.fail
	}
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *memoryBody) End(cut string) flow.Body {
	if b.over {
		b.m.t.Error("a body was ended twice")
	}
	b.over = true
	b.m.open--
	return flow.Body{Inline: b.text, Size: int64(len(b.text)), Cut: cut}
}

func (m *memory) add(what any) error {
	if m.fail == nil {
		m.log = append(m.log, what)
	}
	return m.fail
}

func (m *memory) Request(r flow.Request) error       { return m.add(r) }
func (m *memory) Response(r flow.Response) error     { return m.add(r) }
func (m *memory) Message(r flow.Message) error       { return m.add(r) }
func (m *memory) Connection(r flow.Connection) error { return m.add(r) }

// check says what is wrong with the order of the records.
func (m *memory) check() {
	m.t.Helper()
	asked, answered := map[flow.ID]bool{}, map[flow.ID]bool{}
	for _, r := range m.log {
		switch r := r.(type) {
		case flow.Request:
			if asked[r.Flow] {
				m.t.Errorf("%s was asked twice", r.Flow)
			}
			asked[r.Flow] = true
		case flow.Response:
			if !asked[r.Flow] || answered[r.Flow] {
				m.t.Errorf("a response of %s stands before its request, or twice", r.Flow)
			}
			answered[r.Flow] = true
		case flow.Message:
			if !answered[r.Flow] {
				m.t.Errorf("a message of %s stands before its response", r.Flow)
			}
		}
	}
	for id := range asked {
		if !answered[id] {
			m.t.Errorf("%s has no response", id)
		}
	}
	if m.open != 0 {
		m.t.Errorf("%d bodies were not ended", m.open)
	}
}

// String is the records, one a line.
func (m *memory) String() string {
	var b strings.Builder
	for _, r := range m.log {
		b.WriteString(line(r) + "\n")
	}
	return b.String()
}

func fieldText(fields []flow.Header) string {
	var b strings.Builder
	for _, h := range fields {
		b.WriteString(" " + h.Name + "=" + h.Value)
	}
	return b.String()
}

func bodyText(b flow.Body) string {
	s := fmt.Sprintf("%q", b.Inline)
	if len(b.Inline) > 200 {
		s = fmt.Sprint(len(b.Inline), " bytes")
	}
	if b.Cut != "" {
		s += " cut: " + b.Cut
	}
	return s
}

func line(r any) string {
	switch r := r.(type) {
	case flow.Request:
		s := fmt.Sprintf("%s > %s %s %s", r.Flow, r.Method, r.URL, r.Proto)
		if r.Target != "" {
			s += " at " + r.Target
		}
		s += " |" + fieldText(r.Headers) + " | " + bodyText(r.Body)
		if len(r.Trailers) > 0 {
			s += " |" + fieldText(r.Trailers)
		}
		return s + fmt.Sprint(" | ", r.Size)
	case flow.Response:
		s := fmt.Sprintf("%s < ", r.Flow)
		for _, i := range r.Interim {
			s += fmt.Sprintf("(%d%s) ", i.Status, fieldText(i.Headers))
		}
		s += fmt.Sprintf("%d %s |%s | %s", r.Status, r.Proto, fieldText(r.Headers), bodyText(r.Body))
		if len(r.Trailers) > 0 {
			s += " |" + fieldText(r.Trailers)
		}
		if r.Error != "" {
			s += " error: " + r.Error
		}
		return s + fmt.Sprint(" | ", r.Size)
	case flow.Message:
		direction := "<"
		if r.Sent {
			direction = ">"
		}
		kind := "text"
		if r.Binary {
			kind = "binary"
		}
		return fmt.Sprintf("%s %s message %d %s %s", r.Flow, direction, r.Index, kind, bodyText(r.Body))
	case flow.Connection:
		return fmt.Sprintf("%s = %s %s:%d (%s) up %s down %s", r.Flow, r.Reason, r.Host, r.Port, r.Detail, bodyText(r.Up), bodyText(r.Down))
	}
	b, _ := json.Marshal(r)
	return string(b)
}

// step is bytes of one side, or its end.
type step struct {
	text string
	sent bool
	end  bool
	err  error
}

func sent(text string) step     { return step{text: text, sent: true} }
func received(text string) step { return step{text: text} }
func sentAll(err error) step    { return step{sent: true, end: true, err: err} }
func receivedAll(err error) step {
	return step{end: true, err: err}
}

// play shows a script to a new Conn, with what split makes of each text.
func play(t testing.TB, o Options, script []step, why string, split func(i int, text string) []string) *memory {
	t.Helper()
	m := &memory{t: t}
	o.Recorder = m
	now := time.Unix(1700000000, 0)
	o.Now = func() time.Time { return now }
	c := New(o)
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range script {
		switch {
		case s.end && s.sent:
			fail(c.SentAll(s.err))
		case s.end:
			fail(c.ReceivedAll(s.err))
		default:
			for _, part := range split(i, s.text) {
				b := []byte(part)
				if s.sent {
					fail(c.Sent(b))
				} else {
					fail(c.Received(b))
				}
				if string(b) != part {
					t.Fatal("the bytes were changed")
				}
			}
		}
	}
	fail(c.Close(why))
	fail(c.Close("again"))
	m.check()
	return m
}

func whole(_ int, text string) []string { return []string{text} }
func bytewise(_ int, text string) []string {
	parts := make([]string, len(text))
	for i := range parts {
		parts[i] = text[i : i+1]
	}
	return parts
}

// everyWay plays a script at once, byte by byte, and split at each position, and
// expects the same records of each.
func everyWay(t *testing.T, o Options, script []step, why, want string) {
	t.Helper()
	want = strings.TrimSpace(want)
	got := strings.TrimSpace(play(t, o, script, why, whole).String())
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
		return
	}
	if got := strings.TrimSpace(play(t, o, script, why, bytewise).String()); got != want {
		t.Errorf("byte by byte:\n%s\nwant\n%s", got, want)
		return
	}
	for i, s := range script {
		if len(s.text) > 4000 {
			continue
		}
		for at := 1; at < len(s.text); at++ {
			got := strings.TrimSpace(play(t, o, script, why, func(j int, text string) []string {
				if i != j {
					return []string{text}
				}
				return []string{text[:at], text[at:]}
			}).String())
			if got != want {
				t.Errorf("text %d split at %d:\n%s\nwant\n%s", i, at, got, want)
				return
			}
		}
	}
}

// counting is a Recorder that keeps the sizes of bodies, and nothing of them.
type counting struct {
	memory
	sizes []string // and cuts, of messages
	total int64
}

type countingBody struct {
	c *counting
	n int64
}

func (c *counting) Body() Body { return &countingBody{c: c} }

func (b *countingBody) Write(p []byte) (int, error) {
	b.n += int64(len(p))
	b.c.total += int64(len(p))
	return len(p), nil
}

func (b *countingBody) End(cut string) flow.Body { return flow.Body{Size: b.n, Cut: cut} }

func (c *counting) Message(m flow.Message) error {
	c.sizes = append(c.sizes, fmt.Sprint(m.Body.Size, " ", m.Body.Cut))
	return nil
}
