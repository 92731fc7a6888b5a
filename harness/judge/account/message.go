// Package account follows values that a service mints through the later traffic of
// an app, and says what they are: a person's account, a session, an installation,
// or nothing.
//
// A [Tracker] is shown every message twice, in the order of the log. The first time
// ([Tracker.Learn]) it notes what responses mint and where requests use it. The
// second time ([Tracker.Check]), and with the APK ([Tracker.CheckFile]), it strikes
// out what the app knew before. [Tracker.Outcomes] then says what is left. Its memory
// grows with what is minted, not with the traffic, and has a limit that is reported.
package account

import (
	"bytes"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// Value is one value of a message.
type Value struct {
	Surface string
	Root    string // url, header:NAME, cookie:NAME, host, body
	Key     string
	Keys    []string // names on the path in the body
	Chain   []string
	Type    unwrap.Type
	JWT     bool
	Listed  bool   // stands in a list: it is one of many
	Path    string // within the surface: $.user.id
	Hidden  bool   // a hidden field of a page's form
	Text    string
}

// Message is one side of a flow with its values.
type Message struct {
	Event    uint64
	Flow     flow.ID
	Response bool
	// Socket says that it is a message of a WebSocket: Flow is the request that asked for
	// it, an answer may come to no question, and to the same question again.
	Socket  bool
	Arm     string
	Phase   string
	Consent evidence.Consent
	Signup  bool // a person's sign-up precedes it
	Noise   bool // not the app's: baseline, or another uid's
	// Installation counts the app's installations: what is the same in two of them
	// was issued to each. It is 0 where the evidence tells of none.
	Installation int
	Method       string
	URL          string
	Host         string
	Path         string
	Status       int
	At           time.Time // when it was sent; zero where nobody knows
	Values       []Value
	// Cookies says of the cookies that a response sets how long they are to be kept: 0 for
	// as long as the app runs, less to be dropped.
	Cookies map[string]time.Duration
	// Sealed is set by Learn where a signature says that the body is encrypted inside TLS.
	Sealed bool

	dropped int
	links   map[int]bool // parts that are links to elsewhere, or stand in one
}

// What of a message is kept: longer values are no credentials, and a message with
// more of them is a catalogue.
const (
	longestValue = 8 << 10
	mostValues   = 20_000
)

// Part adds a part of the message, if it is a value.
func (m *Message) Part(p *unwrap.Part) {
	if p.Guess || len(p.Data) == 0 || len(p.Data) > longestValue || p.Type == unwrap.Bytes && !m.bare(p) || m.linked(p) {
		return
	}
	if len(m.Values) == mostValues {
		m.dropped++
		return
	}
	path := p.Path()
	m.Values = append(m.Values, Value{
		Surface: p.Surface(), Root: p.Root(), Key: p.Key, Keys: p.Keys(), Chain: p.Chain, Type: p.Type, JWT: p.JWT,
		Listed: listed(path), Path: path, Text: string(p.Data),
	})
}

// listed reports whether a path leads through a list: $.items[0].id, and not $['user-id'].
func listed(path string) bool {
	for {
		i := strings.IndexByte(path, '[')
		if i < 0 || i+1 == len(path) {
			return false
		}
		if path = path[i+1:]; path[0] != '\'' {
			return true
		}
	}
}

// bare reports whether a whole body is a value: an answer that is a token and nothing else.
func (m *Message) bare(p *unwrap.Part) bool {
	return m.Response && len(p.Data) >= shortestMinted && len(p.Data) <= 4096 && p.Root() == flow.SurfaceBody && p.Path() == "" &&
		!bytes.ContainsFunc(p.Data, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>{}[]"&`, r) })
}

// linked reports whether a part stands in a link that an answer gives out. What is signed
// into a link opens the thing that it leads to, and stands for nobody.
func (m *Message) linked(p *unwrap.Part) bool {
	if !m.Response || p.Root() != flow.SurfaceBody && !strings.HasPrefix(p.Root(), socketRoot) {
		return false
	}
	if m.links[p.Parent] {
		m.links[p.ID] = true
		return true
	}
	if bytes.HasPrefix(p.Data, []byte("http://")) || bytes.HasPrefix(p.Data, []byte("https://")) {
		if m.links == nil {
			m.links = map[int]bool{}
		}
		m.links[p.ID] = true
	}
	return false
}

// Dropped is how many values were too many to be kept.
func (m *Message) Dropped() int { return m.dropped }

// tokens are the pieces of a value that may be a credential on their own: the whole,
// what follows a word such as Bearer, what stands between separators.
func tokens(text string, yield func(string)) {
	text = strings.TrimSpace(text)
	yield(text)
	if len(text) > longestValue {
		return
	}
	for _, separators := range []string{" ,;\"", " ,;\":&|?/", " ,;\":&|?/="} {
		if !strings.ContainsAny(text, separators) {
			continue
		}
		for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if len(piece) >= shortestMinted && len(piece) < len(text) {
				yield(piece)
			}
		}
	}
	if _, after, ok := strings.Cut(text, "="); ok {
		yield(after)
	}
}
