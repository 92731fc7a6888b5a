package reports

import (
	"context"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/reports/internal/opened"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// How much is opened in one page. Beyond it findings are listed by a line each, and places by their pointers.
const (
	maxFindings  = 150
	placesOpened = 3
	maxOpened    = 240
)

// finding is one finding with its proof opened.
type finding struct {
	numbered
	Claim  string
	Who    string
	When   string
	Often  string
	Way    *way
	Wide   *wayMap // pictures of the way
	Slim   *wayMap
	Arms   *armTable
	Places []place
	More   []place // places that are not opened
	Left   int     // places that are not listed
}

// place is one place of a proof.
type place struct {
	judge.Pointer
	At      time.Time
	Where   string // "response f2, body, at $.data.access_token"
	Role    string
	Read    string // the chain in words
	When    string
	Message *opened.Message
	Answer  string
	Open    bool // shown open
	Quote   bool // the place is not marked, so what the judge read there is quoted
}

// openFindings opens the proof of each finding, the violating ones first; brief are those beyond what a page can hold.
func openFindings(ctx context.Context, ev evidence.Evidence, rec *record.Record, all []numbered) (shown []finding, brief []numbered, err error) {
	budget, ways := maxOpened, maxWays
	for _, n := range all {
		if len(shown) == maxFindings {
			brief = append(brief, n)
			continue
		}
		f := finding{
			numbered: n, Claim: explain.Claim(n.Finding.Claim), Who: explain.Recipient(n.Host, n.Owner, n.Country),
			When: explain.When(n.Phase, n.Consent), Often: explain.Times(n.Seen),
		}
		f.Arms = newArmTable(n.Finding)
		if f.Way = newWay(rec, n.Finding); f.Way != nil && ways > 0 {
			f.Wide, f.Slim = newWayMap(f.Way, n.Name(), true), newWayMap(f.Way, n.Name(), false)
			ways--
		}
		chosen := choose(n.Proof)
		for i, p := range n.Proof {
			pl := newPlace(rec, p)
			if !chosen[i] || budget == 0 {
				if len(f.More) < 24 {
					f.More = append(f.More, pl)
				} else {
					f.Left++
				}
				continue
			}
			if pl.Message, err = opened.Open(ctx, ev, rec, n.Finding, p); err != nil {
				return nil, nil, err
			}
			budget--
			pl.Quote = pl.Message != nil && !pl.Message.Marked && pl.Message.Body.Form != "bytes" && p.Excerpt != n.Grounds
			if pl.Message != nil && p.Side != "response" {
				pl.Answer = opened.Answer(rec.Flows[p.Flow])
			}
			f.Places = append(f.Places, pl)
		}
		if len(n.Violates) > 0 && len(f.Places) > 0 {
			f.Places[telling(f.Places)].Open = true
		}
		shown = append(shown, f)
	}
	return shown, brief, nil
}

// telling is the place to show open.
func telling(places []place) int {
	proof := make([]judge.Pointer, len(places))
	for i, p := range places {
		proof[i] = p.Pointer
	}
	return explain.Telling(proof)
}

// choose picks the places to open: one of each role and phase first, so that three places show three things.
func choose(proof []judge.Pointer) map[int]bool {
	type key struct {
		role, phase, side string
	}
	chosen, seen := make(map[int]bool), make(map[key]bool)
	for _, again := range []bool{false, true} {
		for i, p := range proof {
			k := key{p.Role, p.Phase, p.Side}
			if len(chosen) == placesOpened {
				return chosen
			}
			if chosen[i] || seen[k] && !again {
				continue
			}
			chosen[i], seen[k] = true, true
		}
	}
	return chosen
}

func newPlace(rec *record.Record, p judge.Pointer) place {
	pl := place{
		Pointer: p, At: rec.Times[p.Event], Role: explain.Role(p.Role), Read: explain.Chain(p.Chain),
		When: explain.When(p.Phase, p.Consent), Where: explain.Surface(p.Surface),
	}
	switch {
	case p.Flow != "" && p.Side != "":
		pl.Where = p.Side + ", " + pl.Where
	case p.Surface == "device":
		pl.Where = "state of the device"
	}
	return pl
}
