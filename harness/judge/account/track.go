package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Place is where a value stands.
type Place struct {
	Event   uint64
	Flow    flow.ID
	Arm     string
	Phase   string
	Consent string
	Surface string
	Chain   []string
	Excerpt string
	As      string // for a use: bearer, cookie, path, parameter NAME, field NAME, header NAME
}

// Minted is a value that a response gave out first.
type Minted struct {
	Value string
	Key   string // the field's name
	Role  string // knowledge.MintedID, knowledge.MintedToken or "" where no signature says it
	At    Place
	Uses  []Place // by the app, later; the first few
	// Credential is whether one of the uses is one that a credential has.
	Credential bool

	value  Value
	reply  int    // index of the response
	struck string // why it is not minted after all
	signup bool   // a person's sign-up precedes it

	// first is the same value as it was minted, where this is the same issued again
	// to a later installation of the app. What strikes out the one strikes out the other.
	first        *Minted
	installation int
	kept         int // the last installation in which the app sent it before it was issued there

	answers []*answer // of responses with it; of the first with this value only
}

// root is the value as it was minted, however often it was issued again.
func (m *Minted) root() *Minted {
	if m.first != nil {
		return m.first
	}
	return m
}

// gone reports whether a value is not minted after all.
func (m *Minted) gone() bool { return m.root().struck != "" }

// reply is a response that minted something, or answered a request with a signature.
type reply struct {
	message   Message // without values
	request   uint64  // event of the request
	signature int     // or -1
	minted    []*Minted
	known     []*Minted // that an earlier response issued, to the same installation or one that kept them
}

// The limits of what is remembered.
const (
	mostMinted = 400_000
	mostUses   = 12 // of one value
)

// Tracker follows minted values. It is not safe for concurrent use.
type Tracker struct {
	kb      *knowledge.Base
	replies []*reply
	byValue map[string]*Minted
	pending map[flow.ID]pending
	finder  *finder
	full    bool
	// reissued counts what later installations were issued again.
	reissued int
	answers  []*answer
}

// pending is a request whose response has not come yet.
type pending struct {
	event     uint64
	signature int
	message   Message // without values
}

// NewTracker begins.
func NewTracker(kb *knowledge.Base) *Tracker {
	return &Tracker{kb: kb, byValue: map[string]*Minted{}, pending: map[flow.ID]pending{}}
}

// Full reports whether more was minted than could be remembered.
func (t *Tracker) Full() bool { return t.full }

// Learn takes in a message, for the first time.
func (t *Tracker) Learn(m *Message) {
	if m.Response {
		t.learnResponse(m)
	} else {
		t.learnRequest(m)
	}
}

func (t *Tracker) learnRequest(m *Message) {
	p := pending{event: m.Event, signature: -1, message: *m}
	p.message.Values = nil
	if !m.Noise {
		p.signature = matchSignature(t.kb.Signatures, m)
		m.Sealed = p.signature >= 0 && slices.ContainsFunc(t.kb.Signatures[p.signature].Sealed, func(k knowledge.Marker) bool { return holds(m, k) })
		t.uses(m)
	}
	t.pending[m.Flow] = p
}

// uses notes where a request carries what was minted before.
func (t *Tracker) uses(m *Message) {
	for i := range m.Values {
		v := &m.Values[i]
		tokens(v.Text, func(token string) {
			minted, ok := t.byValue[token]
			if !ok || minted.gone() {
				return
			}
			if m.Installation != minted.installation {
				minted.kept = m.Installation
			}
			as, credential := t.use(v)
			minted.Credential = minted.Credential || credential
			if len(minted.Uses) >= mostUses || slices.ContainsFunc(minted.Uses, func(p Place) bool {
				return p.As == as && p.Arm == m.Arm && p.Phase == m.Phase
			}) {
				return
			}
			minted.Uses = append(minted.Uses, m.place(v, as))
		})
	}
}

// use says as what a value is sent, and whether that is how credentials are sent.
func (t *Tracker) use(v *Value) (as string, credential bool) {
	kind, name, _ := strings.Cut(v.Root, ":")
	f := &t.kb.Fields
	switch kind {
	case "cookie":
		_, never := f.NeverCredential("cookie", name)
		return "cookie " + name, !never
	case "header":
		if strings.EqualFold(name, "Authorization") {
			scheme, _, ok := strings.Cut(v.Text, " ")
			if ok && strings.EqualFold(scheme, "Bearer") {
				return "bearer", true
			}
			return "authorization", true
		}
		_, never := f.NeverCredential("header", name)
		return "header " + name, !never && knowledge.Named(f.CredentialHeaders, name)
	case "url":
		if v.Key == "" {
			return "path", false
		}
		_, never := f.NeverCredential("field", v.Key)
		return "parameter " + v.Key, !never && knowledge.Named(f.CredentialFields, v.Key)
	case "body", "ws":
		if v.Key == "" {
			return "body", false
		}
		_, never := f.NeverCredential("field", v.Key)
		return "field " + v.Key, !never && knowledge.Named(f.CredentialFields, v.Key)
	}
	return kind, false
}

// switching is the status after which a flow is a WebSocket's, and its request still the
// one that was asked (RFC 9110 section 15.2.2).
const switching = 101

func (t *Tracker) learnResponse(m *Message) {
	p, ok := t.pending[m.Flow]
	if !m.Socket && m.Status != switching {
		delete(t.pending, m.Flow)
	}
	if !ok || !m.Socket && (m.Status < 200 || m.Status >= 400) {
		return
	}
	r := &reply{message: p.message, request: p.event, signature: p.signature}
	r.message.Event = m.Event
	index := len(t.replies)
	if p.signature >= 0 {
		t.bySignature(r, index, m, &t.kb.Signatures[p.signature])
	}
	for i := range m.Values {
		v := &m.Values[i]
		if t.candidate(v) {
			t.mint(r, index, m, v, "")
		}
	}
	if p.signature >= 0 || len(r.minted) > 0 {
		t.replies = append(t.replies, r)
	}
}

func (t *Tracker) bySignature(r *reply, index int, m *Message, s *knowledge.Signature) {
	for _, f := range s.Minted {
		at(m, f.At, func(v *Value) {
			if stands(v, f.At) {
				t.mint(r, index, m, v, f.Role)
			}
		})
	}
}

// candidate reports whether a value of a response may be minted. Names that the
// knowledge excludes, and values that are traps, never are.
func (t *Tracker) candidate(v *Value) bool {
	kind, name, _ := strings.Cut(v.Root, ":")
	f := &t.kb.Fields
	switch kind {
	case "header":
		if knowledge.Named(f.StandardHeaders, name) {
			return false
		}
		if _, never := f.NeverCredential("header", name); never {
			return false
		}
	case "cookie":
		if _, never := f.NeverCredential("cookie", name); never {
			return false
		}
	case "body", "ws":
		for _, key := range append([]string{v.Key}, v.Keys...) {
			if _, never := f.NeverCredential("field", key); never {
				return false
			}
		}
	default:
		return false
	}
	if !unguessable(v.Text) {
		return false
	}
	_, trap := t.kb.Traps.Value(v.Text)
	return !trap
}

func (t *Tracker) mint(r *reply, index int, m *Message, v *Value, role string) {
	if known, ok := t.byValue[v.Text]; ok {
		if known.reply == index && known.Role == "" {
			known.Role = role
		}
		if m.Noise {
			return
		}
		t.answered(r, m, v, role, known)
		if known.reply == index {
			return
		}
		switch {
		case known.gone():
		case m.Installation > known.installation && known.kept != m.Installation:
			t.again(r, index, m, v, cmp.Or(role, known.Role), known)
		case role != "":
			// The same again: the first response minted it. A signature keeps pointing at it.
			r.minted = append(r.minted, known)
		case t.principal(&Minted{value: *v}, r):
			r.known = append(r.known, known)
		}
		return
	}
	if len(t.byValue) >= mostMinted {
		t.full = true
		return
	}
	minted := &Minted{Value: v.Text, Key: v.Key, Role: role, At: m.place(v, ""), value: *v, reply: index, signup: r.message.Signup, installation: m.Installation}
	switch {
	case m.Noise:
		minted.struck = "it was there in the baseline"
	case !unguessable(v.Text):
		minted.struck = "it is short enough to be guessed"
	}
	t.byValue[v.Text] = minted
	r.minted = append(r.minted, minted)
	t.answered(r, m, v, role, minted)
}

// again notes that an installation was issued what an earlier one had been issued,
// and had not sent it before: the service knew the device.
func (t *Tracker) again(r *reply, index int, m *Message, v *Value, role string, known *Minted) {
	if t.reissued == mostMinted {
		t.full = true
		return
	}
	t.reissued++
	minted := &Minted{
		Value: v.Text, Key: v.Key, Role: role, At: m.place(v, ""), value: *v, reply: index,
		first: known.root(), installation: m.Installation,
	}
	t.byValue[v.Text] = minted
	r.minted = append(r.minted, minted)
}

// shown is how many bytes of a value a place shows.
const shown = 160

func (m *Message) place(v *Value, as string) Place {
	text := v.Text
	if len(text) > shown {
		text = text[:shown]
	}
	if v.Key != "" && (v.Root == "url" || v.Root == "body") {
		text = fmt.Sprintf("%s=%s", v.Key, text)
	}
	return Place{
		Event: m.Event, Flow: m.Flow, Arm: m.Arm, Phase: m.Phase, Consent: string(m.Consent),
		Surface: v.Surface, Chain: v.Chain, Excerpt: text, As: as,
	}
}

// Unwrapped is the usual way to fill a message: every part that package unwrap shows.
func (m *Message) Unwrapped(o *unwrap.Opener, from unwrap.Message) unwrap.Report {
	return o.Walk(from, m.Part)
}
