package judge

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// The most pointers that a finding shows, and of those that say the same.
const (
	mostProof = 48
	mostAlike = 2
)

// gathered is a finding while its sightings come in.
type gathered struct {
	Finding
	seen     map[[2]string]bool        // arms and phases
	consents map[evidence.Consent]bool // of sightings without a sign-up before
	alike    map[string]int
	places   map[string]bool
	total    int
}

// findings gathers sightings into findings, one for each key.
type findings struct {
	byKey map[string]*gathered
	order []*gathered
}

// sighting is one place where something was seen.
type sighting struct {
	Pointer
	arm    string
	signup bool
}

func newFindings() *findings { return &findings{byKey: map[string]*gathered{}} }

// add gathers a sighting under a finding; the first sighting's finding is kept.
func (fs *findings) add(f Finding, s sighting) *gathered {
	key := strings.Join([]string{string(f.Claim), f.Subject, f.Host, f.Signature, f.kind()}, "\x00")
	g := fs.byKey[key]
	if g == nil {
		g = &gathered{
			Finding: f, seen: map[[2]string]bool{}, consents: map[evidence.Consent]bool{},
			alike: map[string]int{}, places: map[string]bool{},
		}
		g.Signup = true
		g.Phase, g.Consent = s.Phase, s.Consent
		fs.byKey[key] = g
		fs.order = append(fs.order, g)
	}
	g.see(s)
	return g
}

// kind tells findings apart that claim the same on other grounds. It is empty for most,
// and is no part of the id of those.
func (f *Finding) kind() string {
	switch {
	case f.Possible:
		return "possible"
	case f.Unseen:
		return "unseen"
	}
	return ""
}

func (g *gathered) see(s sighting) {
	if !s.signup {
		if g.Signup && g.total > 0 { // what counts is the first time without a sign-up
			g.Phase, g.Consent = s.Phase, s.Consent
		}
		g.Signup = false
		g.consents[s.Consent] = true
	}
	g.total++
	if s.Confidence > g.Confidence {
		g.Confidence, g.Reason = s.Confidence, s.Reason
	}
	g.seen[[2]string{s.arm, s.Phase}] = true
	if s.Phase != "" && !slices.Contains(g.Phases, s.Phase) {
		g.Phases = append(g.Phases, s.Phase)
	}
	place := strings.Join([]string{s.Side, positions.ReplaceAllString(s.Surface, "[]"), strings.Join(s.Chain, ">"), s.Role}, " ")
	if len(g.places) < 1000 {
		g.places[place] = true
	}
	// Every phase and consent state keeps a proof of its own.
	alike := fmt.Sprint(s.Phase, "\x00", s.Consent, "\x00", place)
	if g.alike[alike]++; g.alike[alike] <= mostAlike && (len(g.Proof) < mostProof || g.alike[alike] == 1 && len(g.Proof) < 2*mostProof) {
		s.Excerpt = excerpt([]byte(s.Excerpt))
		g.Proof = append(g.Proof, s.Pointer)
	}
}

// positions in lists say nothing about what a place is.
var positions = regexp.MustCompile(`\[\d+\]`)

// done makes the findings whole and puts them in order.
func (fs *findings) done(s *survey) []Finding {
	out := make([]Finding, 0, len(fs.order))
	for _, g := range fs.order {
		f := g.Finding
		f.ID = g.id()
		f.Seen = s.repeats(g.seen)
		f.Phases = notNil(f.Phases)
		f.Proof = notNil(f.Proof)
		slices.SortStableFunc(f.Proof, func(a, b Pointer) int {
			return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Surface, b.Surface))
		})
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Level, a.Level), cmp.Compare(rank(a.Claim), rank(b.Claim)),
			cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Host, b.Host), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// id hashes claim, subject and the proof's places, and nothing that another audit of
// the same app would give another value.
func (g *gathered) id() string {
	places := make([]string, 0, len(g.places))
	for p := range g.places {
		places = append(places, p)
	}
	slices.Sort(places)
	parts := append([]string{string(g.Claim), g.Subject, g.Host, g.Signature}, places...)
	if kind := g.kind(); kind != "" {
		parts = append(parts, kind)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// rank orders claims of the same level by weight.
func rank(c Claim) int {
	return slices.Index([]Claim{
		AccountConfirmed, AccountContinued, AccountObject, AccountRecoverable, AccountCreated, DeviceAccountAdded, CredentialsKept, DraftUploaded, FeatureVectorSent,
		DeviceRemembered, InstallationIssued, IdentifierSent, IdentifierReturned, SessionIssued, IdentifierIsOnlyApp,
	}, c)
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
