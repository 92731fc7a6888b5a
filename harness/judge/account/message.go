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
	"strings"

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
	Listed  bool // stands in a list: it is one of many
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
	Values       []Value
	// Sealed is set by Learn where a signature says that the body is encrypted inside TLS.
	Sealed bool

	dropped int
}

// What of a message is kept: longer values are no credentials, and a message with
// more of them is a catalogue.
const (
	longestValue = 8 << 10
	mostValues   = 20_000
)

// Part adds a part of the message, if it is a value.
func (m *Message) Part(p *unwrap.Part) {
	if p.Guess || p.Type == unwrap.Bytes || len(p.Data) == 0 || len(p.Data) > longestValue {
		return
	}
	if len(m.Values) == mostValues {
		m.dropped++
		return
	}
	path := p.Path()
	m.Values = append(m.Values, Value{
		Surface: p.Surface(), Root: p.Root(), Key: p.Key, Keys: p.Keys(), Chain: p.Chain, Type: p.Type, JWT: p.JWT,
		Listed: strings.Contains(path, "["), Text: string(p.Data),
	})
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
