package judge

import (
	"context"
	"fmt"
	"io"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/draft"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// fewestBlocks is how many blocks of a draft must be found, unless it has fewer than
// twice as many: one alone may stand in every film of the same maker.
const fewestBlocks = 4

// upload is what one host was sent of drafts.
type upload struct {
	sightings []sighting
	blocks    map[int]map[int]bool // draft → places found
	requests  int
	bytes     int64
}

// readDrafts learns the recordings that were made, less what the app itself holds.
func (c *inquiry) readDrafts(ctx context.Context) error {
	for _, x := range c.exhibits {
		if x.data.Kind != evidence.ExhibitDraft {
			continue
		}
		if err := c.readDraft(x); err != nil {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("The recording %s can't be compared with what was sent: %v.", x.data.Name, err),
				Hides: []string{QuestionDraft}, Event: x.Seq,
			})
		}
	}
	if len(c.drafts.Drafts()) == 0 {
		return nil
	}
	if err := c.eachAppFile(ctx, c.drafts.Forget); err != nil {
		return err
	}
	for _, d := range c.drafts.Drafts() {
		if d.Blocks() == 0 {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("The recording %s holds nothing by which it could be recognised.", d.Name),
				Hides: []string{QuestionDraft}, Event: d.Event, Do: "Record something longer, or more particular.",
			})
		}
	}
	return nil
}

func (c *inquiry) readDraft(x at[evidence.Exhibit]) error {
	r, err := c.ev.Blob(x.data.Blob)
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, draft.Longest+1))
	if err != nil {
		return err
	}
	return c.drafts.Add(draft.Draft{Blob: x.data.Blob, Name: x.data.Name, Event: x.Seq}, data)
}

// drafted reports whether a draft had been made when something happened, in whichever
// arm: what an earlier installation recorded may have outlived it.
func (c *inquiry) drafted(e evidence.Event) bool {
	for _, d := range c.drafts.Drafts() {
		if d.Event < e.Seq {
			return true
		}
	}
	return c.recorded(e)
}

// recorded reports whether a recording had begun in the same arm when something
// happened. The clip that the camera sees is kept just before; where no camera takes
// one, the phase that made a recording is all that is known.
func (c *inquiry) recorded(e evidence.Event) bool {
	kept := false
	for _, x := range c.exhibits {
		if x.data.Kind == evidence.ExhibitDraft && x.Arm == e.Arm && !c.missed(x.Event) {
			kept = true
			if x.Seq < e.Seq {
				return true
			}
		}
	}
	return !kept && c.has(func(p *phase) bool {
		return p.arm == e.Arm && p.purpose == purposeDraft && p.reached && p.start < e.Seq
	})
}

// missed reports whether an event stands in a phase that could not do what it is for:
// the camera had a clip, and nothing may have recorded it.
func (c *inquiry) missed(e evidence.Event) bool {
	p := c.byName[[2]string{e.Arm, e.Phase}]
	return p != nil && p.ended && !p.reached
}

// pieces are the pieces of drafts in one request.
type pieces struct {
	c    *inquiry
	e    evidence.Event
	skip bool
	best map[int]found // by draft: the part that holds most, the deepest of equals
}

type found struct {
	draft.Piece
	surface string
	chain   []string
	excerpt []byte
}

func (c *inquiry) newPieces(e evidence.Event, noise bool) *pieces {
	return &pieces{c: c, e: e, skip: noise || !c.drafted(e), best: map[int]found{}}
}

func (p *pieces) part(part *unwrap.Part) {
	if p.skip || len(part.Data) < draft.Block {
		return
	}
	for _, piece := range p.c.drafts.Find(part.Data) {
		if p.c.drafts.Drafts()[piece.Draft].Event >= p.e.Seq {
			continue
		}
		if b, ok := p.best[piece.Draft]; !ok || len(piece.Blocks) >= len(b.Blocks) {
			p.best[piece.Draft] = found{
				Piece: piece, surface: part.Surface(), chain: part.Chain,
				excerpt: append([]byte(nil), part.Data[piece.From:min(len(part.Data), piece.From+64)]...),
			}
		}
	}
}

// done notes the pieces under the host; it reports whether there are any.
func (p *pieces) done(id flow.ID, body evidence.Digest, host string) bool {
	for n := range p.c.drafts.Drafts() {
		f, ok := p.best[n]
		if !ok {
			continue
		}
		u := p.c.uploads[host]
		if u == nil {
			u = &upload{blocks: map[int]map[int]bool{}}
			p.c.uploads[host] = u
		}
		if u.blocks[n] == nil {
			u.blocks[n] = map[int]bool{}
		}
		for _, b := range f.Blocks {
			u.blocks[n][b] = true
		}
		u.requests++
		u.bytes += int64(f.Bytes)
		at := p.c.pointer(p.e, f.surface, f.chain, f.excerpt)
		at.Flow, at.Side, at.Blob = id, "request", body
		at.Role = fmt.Sprintf("%d bytes of the recording", f.Bytes)
		u.sightings = append(u.sightings, sighting{Pointer: at, arm: p.e.Arm, signup: p.c.signup(p.e.Arm, p.e.Phase)})
	}
	return len(p.best) > 0
}

// uploaded turns pieces into findings.
func (c *inquiry) uploaded() {
	for _, host := range sorted(c.uploads) {
		u := c.uploads[host]
		most, name := 0.0, ""
		enough := false
		for n, d := range c.drafts.Drafts() {
			have := len(u.blocks[n])
			if have == 0 {
				continue
			}
			if share := float64(have) / float64(max(d.Blocks(), have)); share > most {
				most, name = share, d.Name
			}
			enough = enough || have >= fewestBlocks || 2*have >= d.Blocks()
		}
		if !enough {
			continue
		}
		for _, s := range u.sightings {
			c.findings.add(Finding{
				Claim: DraftUploaded, Subject: "draft", Value: name, Host: host,
				Title: fmt.Sprintf("A recording that was never posted was uploaded to %s", host),
				Grounds: fmt.Sprintf("%.0f %% of the recording's blocks of %d bytes stand in what was sent, in %s; that happens to no other content",
					most*100, draft.Block, counted(u.requests, "request", "requests")),
			}, s)
		}
	}
}

// vectors takes in feature vectors that were sent after a recording of the same arm
// began. What an effect or another arm sends of a face without one is no draft's.
func (c *inquiry) vectors(e evidence.Event, id flow.ID, body evidence.Digest, host string, list []draft.Vector) {
	if !c.recorded(e) {
		return
	}
	for _, v := range list {
		p := c.pointer(e, v.Surface, v.Chain, []byte(v.Excerpt))
		p.Flow, p.Side, p.Blob = id, "request", body
		c.findings.add(Finding{
			Claim: FeatureVectorSent, Subject: v.Feature.ID, Host: host,
			Title:   fmt.Sprintf("What looks like %s was sent to %s", v.Feature.What, host),
			Grounds: v.Grounds,
		}, sighting{Pointer: p, arm: e.Arm, signup: c.signup(e.Arm, e.Phase)})
	}
}
