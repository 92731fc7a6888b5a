// Package unwrap opens a message: its URL, headers, cookies and body, and whatever
// containers are in there, down to the values.
//
// Each consumer of a message (the recogniser, the account tracker, the draft
// finder) is shown the same parts, so that a message is opened once. What is
// opened follows from what the bytes are: package container takes structure apart,
// package coding takes encodings off, and this package decides which. What nothing
// in the bytes announces is tried only on what nothing else explains. A budget of
// bytes and steps guards against bombs, and what it cut off is reported.
package unwrap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// Type is what a part is.
type Type = container.Type

// The types.
const (
	Bytes  = container.Bytes  // a whole that may hold others: a body, a decoded blob
	Text   = container.Text   // a value: a string in JSON, a field of a form, a header
	Number = container.Number // a number in JSON
	Bool   = container.Bool   // true or false in JSON
)

// Part is a piece of a message with everything around it taken off. It is valid
// during the visit only, and so is its Data; its Chain is never changed.
type Part struct {
	Type  Type
	Key   string   // the name of the nearest field, header or cookie; "" for none
	Chain []string // decodings that led here, outermost first
	Data  []byte   // valid during the visit only
	// JWT marks what stands in the claims of a JSON Web Token.
	JWT bool
	// Guess marks what a decoding gave that nothing in the bytes announces, such as
	// ROT13 or an XOR key that was tried: only what can't stand there by chance counts.
	Guess bool
	// Alias says that these very bytes stand in the parent's Data, between signs that
	// belong to no value. Whoever searched the parent has searched them.
	Alias bool
	// ID numbers the parts of a message from 0; Parent is the part that this one
	// was taken out of, or -1.
	ID, Parent int

	root string
	at   *container.Step
}

// Surface names the place: url, header:NAME, cookie:NAME, host, body, body:$.a.b[2], file:PATH.
func (p *Part) Surface() string {
	if p.at == nil || p.root != flow.SurfaceBody {
		return p.root
	}
	return flow.BodySurface(p.at.String())
}

// Path is the place within the surface: "$.a.b[2]", or "" for the surface itself.
func (p *Part) Path() string {
	if p.at == nil {
		return ""
	}
	return p.at.String()
}

// Keys lists the names on the path, outermost first, without positions in lists.
func (p *Part) Keys() []string { return p.at.Names() }

// Kept is a copy that stays as it is after the visit, without its data.
func (p *Part) Kept() Part {
	kept := *p
	kept.Data, kept.at = nil, p.at.Keep()
	return kept
}

// Root is the surface without the path in a body: url, header:NAME, cookie:NAME, host, body.
func (p *Part) Root() string { return p.root }

// Message is one side of a flow.
type Message struct {
	URL     string // of the request; also for a response, to name its host
	Headers []flow.Header
	Body    []byte
	// Response tells the sides apart: only a response has Set-Cookie, only a request a URL of its own.
	Response bool
}

// Limits are the budget for one message.
type Limits struct {
	Bytes int64 // that may come out of containers
	Steps int   // containers that may be opened
	Depth int   // containers within each other
}

// defaultLimits is a budget that real messages stay well below.
var defaultLimits = Limits{Bytes: 96 << 20, Steps: 200_000, Depth: 9}

// Cut is something that could not be opened.
type Cut struct {
	Surface string
	Why     string
}

// Report says what a walk did not get to see.
type Report struct {
	Cuts []Cut
	// Sealed counts bytes that no decoding explains and that look random: encrypted,
	// or compressed in a way that is not known. SealedAt is where the first stand.
	Sealed   int64
	SealedAt string
	// Binary counts bytes that are no text, that no decoding explains, and that are not
	// counted as sealed: too few to tell whether they are random, or a format that is
	// not known. What stands in them in the clear was shown all the same.
	Binary int64
}

// Opener opens messages. It holds no state of a message and may be used by
// several goroutines at once.
type Opener struct {
	can       ability
	texts     []container.Format // in the order in which they are tried
	binary    []container.Format
	json      *container.Format // nil where it is not among them
	form      *container.Format // as json
	limits    Limits
	idle      idle
	fruitless fruitless
}

// New makes an opener for the named containers, with the usual limits where limits is nil.
func New(containers []string, limits *Limits) (*Opener, error) {
	o := &Opener{limits: defaultLimits}
	if limits != nil {
		o.limits = *limits
	}
	for _, c := range containers {
		if !slices.Contains(Containers(), c) {
			return nil, fmt.Errorf("no container is named %q; there are %s", c, strings.Join(Containers(), ", "))
		}
		o.can |= abilities[c]
	}
	for _, f := range container.Formats() {
		switch {
		case !slices.Contains(containers, f.Name):
		case f.Binary:
			o.binary = append(o.binary, f)
		default:
			o.texts = append(o.texts, f)
			switch f.Name {
			case "json":
				o.json = &f
			case "form":
				o.form = &f
			}
		}
	}
	return o, nil
}

// Walk shows every part of a message. A whole is shown before what is in it.
func (o *Opener) Walk(m Message, visit func(*Part)) Report {
	w := o.begin(visit)
	defer w.end()
	if !m.Response {
		w.url(m.URL)
	}
	for _, h := range m.Headers {
		w.header(h, m.Response)
	}
	if len(m.Body) > 0 {
		w.body(m)
	}
	return w.close()
}

// File shows every part of a file.
func (o *Opener) File(name string, data []byte, visit func(*Part)) Report {
	w := o.begin(visit)
	defer w.end()
	w.whole(data, Bytes, "", "file:"+name)
	return w.close()
}

// Value shows a single value as if it stood in a body, and what is in it.
func (o *Opener) Value(data []byte, visit func(*Part)) Report {
	w := o.begin(visit)
	defer w.end()
	w.whole(data, Text, "", flow.SurfaceBody)
	return w.close()
}

// Message shows every part of one message of a WebSocket, with its frames, mask and
// compression taken off: the n-th of both directions, as ws:N.
func (o *Opener) Message(n int, data []byte, visit func(*Part)) Report {
	w := o.begin(visit)
	defer w.end()
	w.whole(data, Text, "", flow.MessageSurface(n))
	return w.close()
}
