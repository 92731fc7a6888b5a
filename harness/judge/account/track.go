package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

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
	// As says of a use how: bearer, basic, path, jwt subject, jwt claim, or header,
	// cookie, parameter, body or websocket message and the name of the field.
	As string
}

// Minted is a value that a response gave out first.
type Minted struct {
	Value string
	Key   string // the field's name
	Role  string // knowledge.MintedID, knowledge.MintedToken or "" where no signature says it
	At    Place
	Uses  []Place // by the app, later; the first few
	// Credential is whether one of the uses is one that a credential has, and Named
	// whether one is as what names a user.
	Credential, Named bool

	value  Value
	reply  int    // index of the response
	host   string // of the service
	short  bool   // anybody could have guessed it
	prior  *prior // of one that is: whether it stands in an earlier request
	struck string // why it is not minted after all
	signup bool   // a person's sign-up precedes it

	// first is the same value as it was minted, where this is the same issued again
	// to a later installation of the app. What strikes out the one strikes out the other.
	first        *Minted
	installation int
	kept         int // the last installation in which the app sent it before it was issued there

	witnesses []witness // of the first with this value only
	answers   []*answer // of responses with it; of the first with this value only
}

// root is the value as it was minted, however often it was issued again.
func (m *Minted) root() *Minted {
	if m.first != nil {
		return m.first
	}
	return m
}

// gone reports whether a value is not minted after all.
func (m *Minted) gone() bool {
	m = m.root()
	return m.struck != "" || m.prior != nil && m.prior.first != 0 && m.prior.first < m.At.Event
}

// reply is a response that minted something, or answered a request with a signature.
type reply struct {
	message   Message // without values
	request   uint64  // event of the request
	signature int     // or -1
	minted    []*Minted
	known     []*Minted // that an earlier response issued, to the same installation or one that kept them
	carried   []*Minted // credentials in the request
	anonymous bool      // the answer says that its user did not sign up
	before    bool      // the request carried a credential from before the recording
}

// The limits of what is remembered.
const (
	mostMinted   = 400_000
	mostSmall    = 100_000
	mostCarried  = 8
	longestShort = 64
)

// Tracker follows minted values. It is not safe for concurrent use.
type Tracker struct {
	kb      *knowledge.Base
	replies []*reply
	byValue map[string]*Minted
	// small are ids that anybody could have guessed, which are looked for as a whole.
	small    map[string]*Minted
	byDigest map[string]digestOf
	wholes   map[string]*prior
	pending  map[flow.ID]pending
	finder   *finder
	full     bool
	infer    bool              // a person's sign-up, from what requests hold
	signups  map[string]bool   // sites at which a person signed up
	began    map[int]time.Time // the first request of each installation
	// reissued counts what later installations were issued again.
	reissued int
	answers  []*answer
}

// pending is a request whose response has not come yet.
type pending struct {
	event     uint64
	signature int
	message   Message // without values
	carried   []*Minted
	before    bool
}

// NewTracker begins.
func NewTracker(kb *knowledge.Base) *Tracker {
	return &Tracker{
		kb: kb, byValue: map[string]*Minted{}, small: map[string]*Minted{}, byDigest: map[string]digestOf{}, wholes: map[string]*prior{},
		pending: map[flow.ID]pending{}, signups: map[string]bool{}, began: map[int]time.Time{},
	}
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
	p := pending{event: m.Event, signature: -1}
	if !m.Noise {
		if t.began[m.Installation].IsZero() {
			t.began[m.Installation] = m.At
		}
		p.signature = matchSignature(t.kb.Signatures, m)
		m.Sealed = p.signature >= 0 && slices.ContainsFunc(t.kb.Signatures[p.signature].Sealed, func(k knowledge.Marker) bool { return holds(m, k) })
		t.uses(m, &p)
		p.before = t.renews(m)
		if t.infer && t.signedUp(m) {
			t.signups[Site(m.Host)] = true
			m.Signup = true
		}
		m.Signup = m.Signup || t.signups[Site(m.Host)] || slices.ContainsFunc(p.carried, func(c *Minted) bool { return c.signup })
	}
	p.message = *m
	p.message.Values, p.message.links = nil, nil
	if m.Socket && len(p.carried) == 0 { // what opened a WebSocket is carried by all of its messages
		p.carried = t.pending[m.Flow].carried
	}
	t.pending[m.Flow] = p
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
	r := &reply{message: p.message, request: p.event, signature: p.signature, carried: p.carried, before: p.before}
	r.message.Event = m.Event
	r.anonymous = t.anonymous(m)
	index := len(t.replies)
	if p.signature >= 0 {
		t.bySignature(r, index, m, &t.kb.Signatures[p.signature])
	}
	handed := t.handsOver(m)
	principals := map[*Minted]string{} // and the objects that they are ids of
	for i := range m.Values {
		v := &m.Values[i]
		candidate := t.candidate(v, m) && !(handed && redirected(v))
		if candidate && unguessable(v.Text) {
			t.mint(r, index, m, v, "")
		} else if candidate && !v.Listed && len(v.Text) <= longestShort && short(v.Text) && t.principal(v, r) {
			t.mintShort(r, index, m, v, "")
		}
		if candidate && !m.Noise && !v.Listed && len(principals) < mostCarried {
			if minted := t.known(v.Text); minted != nil && (minted.Role == knowledge.MintedID || t.principal(v, r)) {
				principals[minted.root()] = v.object()
			}
		}
	}
	t.witnesses(m, r, principals)
	if p.signature >= 0 || len(r.minted) > 0 {
		t.replies = append(t.replies, r)
	}
}

// known is the minted value with a text, or nil.
func (t *Tracker) known(text string) *Minted {
	if m, ok := t.byValue[text]; ok {
		return m
	}
	return t.small[text]
}

func (t *Tracker) bySignature(r *reply, index int, m *Message, s *knowledge.Signature) {
	for _, f := range s.Minted {
		at(m, f.At, func(v *Value) {
			switch {
			case !stands(v, f.At):
			case unguessable(v.Text):
				t.mint(r, index, m, v, f.Role)
			case f.Role == knowledge.MintedID && len(v.Text) <= longestShort && short(v.Text):
				t.mintShort(r, index, m, v, f.Role)
			}
		})
	}
}

// candidate reports whether a value of a response may be minted by where it stands.
// Names that the knowledge excludes, and values that are traps, never are.
func (t *Tracker) candidate(v *Value, m *Message) bool {
	kind, name, _ := strings.Cut(v.Root, ":")
	f := &t.kb.Fields
	switch kind {
	case "header":
		if !redirected(v) && knowledge.Named(f.StandardHeaders, name) {
			return false
		}
		if _, never := f.NeverCredential("header", name); never {
			return false
		}
	case "cookie":
		if _, never := f.NeverCredential("cookie", name); never || m.Cookies[name] < 0 {
			return false
		}
	case "body", "ws":
	default:
		return false
	}
	if len(v.Text) > longestValue {
		return false
	}
	if fielded(v) {
		if _, never := f.NeverCredential("field", v.Key); never {
			return false
		}
		for _, key := range v.Keys {
			if _, never := f.NeverCredential("field", key); never {
				return false
			}
		}
	}
	_, trap := t.kb.Traps.Value(v.Text)
	return !trap
}

func (t *Tracker) mint(r *reply, index int, m *Message, v *Value, role string) {
	if known, ok := t.byValue[v.Text]; ok {
		if known.reply == index && known.Role == "" {
			known.Role = role
			if t.principal(v, r) && !t.principal(&known.value, r) { // the place that says more
				known.value, known.Key, known.At = *v, v.Key, m.place(v, "")
			}
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
		case t.principal(v, r):
			r.known = append(r.known, known)
		}
		return
	}
	if len(t.byValue) >= mostMinted {
		t.full = true
		return
	}
	minted := t.newMinted(r, index, m, v, role)
	t.byValue[v.Text] = minted
	if role != "" || !v.Listed && (t.token(v) || t.principal(v, r)) {
		t.digests(minted)
	}
	t.answered(r, m, v, role, minted)
}

func (t *Tracker) newMinted(r *reply, index int, m *Message, v *Value, role string) *Minted {
	minted := &Minted{
		Value: v.Text, Key: v.Key, Role: role, At: m.place(v, ""), value: *v, reply: index, host: r.message.Host,
		signup: r.message.Signup, installation: m.Installation,
	}
	if m.Noise {
		minted.struck = "it was there in the baseline"
	}
	r.minted = append(r.minted, minted)
	return minted
}

// mintShort notes an id that anybody could have guessed. Nothing follows from it alone.
func (t *Tracker) mintShort(r *reply, index int, m *Message, v *Value, role string) {
	if known, ok := t.small[v.Text]; ok {
		if known.reply == index && known.Role == "" {
			known.Role = role
		}
		if m.Noise || known.gone() {
			return
		}
		t.answered(r, m, v, role, known)
		if known.reply != index && !slices.Contains(r.known, known) {
			r.known = append(r.known, known)
		}
		return
	}
	if len(t.small) >= mostSmall {
		t.full = true
		return
	}
	minted := t.newMinted(r, index, m, v, role)
	minted.short, minted.prior = true, t.whole(v.Text)
	t.small[v.Text] = minted
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
