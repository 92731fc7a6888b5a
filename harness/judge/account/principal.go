package account

import (
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Principal is an id that a service answered with: of a user, where Kind is
// knowledge.KindAccount, or of an installation. Unlike an [Outcome] it stands there for
// every arm run in which the service named it, also where an earlier run had it first,
// and once more where it was named again after a person had signed up.
type Principal struct {
	Service   string // the service's name, or the host where no signature fits
	Host      string
	Signature string // id in the knowledge base, "" where none fits
	Kind      string // knowledge.KindAccount or KindInstallation
	Path      string // of the request, without its query
	Field     string // where the id stands, as a surface: body:$.user.id
	Value     string
	Arm       string // the arm run's label
	Request   uint64 // event
	Response  uint64 // event
	At        Place
	// Used is whether the app sent back something of an answer with this id, in this arm run.
	Used bool
	// Sent is whether the app had sent the id before this answer since it was
	// installed: what came with a backup, or from storage that outlives the app, is no
	// memory of the service's.
	Sent   bool
	Signup bool // a person's sign-up precedes it
	// CreatedAt is the earliest creation time that the answer names or the id encodes;
	// zero where there is none.
	CreatedAt time.Time
	Profile   []string // surfaces of the account's profile fields
	Level     int      // of the account: 3, or 5 where the service shows its object; 2 of an installation
}

// Key tells the ids of one service that can be compared with each other.
func (p *Principal) Key() string {
	if p.Signature != "" {
		return p.Signature
	}
	return p.Host + p.Path + " " + p.Field
}

// mostAnswers is how many answers with an id are remembered.
const mostAnswers = 100_000

// answer is an id in a response, whether or not the response was the first with it.
type answer struct {
	minted       *Minted // as it was first minted
	reply        *reply
	role         string
	at           Place
	arm          string
	installation int
	sent         bool
}

// answered notes an id that a response names: the first time in each arm run, and the last
// time after a sign-up.
func (t *Tracker) answered(r *reply, m *Message, v *Value, role string, minted *Minted) {
	if m.Noise || role == knowledge.MintedToken || v.Listed {
		return
	}
	if role == "" && !t.principal(v, r) && !t.installation(v) {
		return
	}
	minted = minted.root()
	for _, a := range minted.answers {
		if a.arm != m.Arm || a.reply.message.Signup != r.message.Signup {
			continue
		}
		if r.message.Signup {
			a.reply, a.at = r, m.place(v, "") // what counts is what the service says last
		}
		return
	}
	if len(t.answers) == mostAnswers {
		t.full = true
		return
	}
	a := &answer{minted: minted, reply: r, role: role, at: m.place(v, ""), arm: m.Arm, installation: m.Installation}
	minted.answers = append(minted.answers, a)
	t.answers = append(t.answers, a)
}

// Principals are the ids that services answered with, in the order of the log, one for
// each arm run and value. It is called after everything was checked.
func (t *Tracker) Principals() []Principal {
	var out []Principal
	outcomes := t.Outcomes()
	for _, a := range t.answers {
		if a.minted.gone() {
			continue
		}
		p := Principal{
			Service: a.reply.message.Host, Host: a.reply.message.Host, Path: a.reply.message.Path,
			Field: positionless(a.at.Surface), Value: a.minted.Value, Arm: a.arm, Request: a.reply.request, Response: a.at.Event, At: a.at,
			Sent: a.sent, Signup: a.reply.message.Signup || a.minted.signup,
		}
		for i := range outcomes {
			o := &outcomes[i]
			if !slices.Contains(o.names, a.minted) && !slices.ContainsFunc(o.Minted, func(m *Minted) bool { return m.root() == a.minted }) {
				continue
			}
			switch {
			case o.Kind == knowledge.KindSession, o.Kind == knowledge.KindAccount && !slices.Contains(o.names, a.minted):
				continue
			case p.Kind != knowledge.KindAccount: // the account that an installation belongs to says more
				p.Kind = o.Kind
			}
			p.Signup = p.Signup || o.Signup
			p.Level = max(p.Level, o.Level)
			p.Used = p.Used || o.Arm == a.arm && o.Used
			p.CreatedAt = earliest(p.CreatedAt, o.CreatedAt)
			if len(p.Profile) == 0 {
				p.Profile = o.Profile
			}
		}
		if a.reply.signature >= 0 {
			s := &t.kb.Signatures[a.reply.signature]
			p.Service, p.Signature = s.Service, s.ID
			if a.role != "" {
				p.Kind = s.Kind
			}
		}
		later := func(u Place) bool { return u.Arm == a.arm && u.Event > a.at.Event }
		p.Used = p.Used || slices.ContainsFunc(a.minted.Uses, later) || slices.ContainsFunc(a.reply.alive(), func(m *Minted) bool {
			return m.Credential && slices.ContainsFunc(m.Uses, later)
		})
		if p.Kind == knowledge.KindAccount || p.Kind == knowledge.KindInstallation {
			out = append(out, p)
		}
	}
	return out
}

// positionless is a surface without the positions in its lists.
func positionless(surface string) string {
	for {
		open := strings.IndexByte(surface, '[')
		end := strings.IndexByte(surface, ']')
		if open < 0 || end < open {
			return surface
		}
		surface = surface[:open] + surface[end+1:]
	}
}
