// Package judge turns evidence into findings: what was sent to whom, which account
// was created, which draft was uploaded, and what could not be seen.
//
// [Judge] is a pure function of evidence and knowledge. It reads no clock, opens no
// connection and touches no device, and the same input gives the same bytes on any
// machine ([Judgement.Encode]), so that a bundle can be judged again years later, or
// with newer knowledge. The subpackages do the looking: unwrap opens messages,
// recognise finds canaries, account follows what services mint, draft finds
// recordings. This package reads the log, asks them, and answers the questions.
package judge

import (
	"context"
	"fmt"

	"github.com/unasked-audit/unasked/harness/apk"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/account"
	"github.com/unasked-audit/unasked/harness/judge/draft"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Judge answers every question from the evidence. It returns an error only where
// the evidence can't be read or the knowledge names something that is not there;
// what could not be seen is no error, but a blind spot.
func Judge(ctx context.Context, ev evidence.Evidence, kb *knowledge.Base) (*Judgement, error) {
	return JudgeTelling(ctx, ev, kb, nil)
}

// JudgeTelling is Judge, and calls tell with each of the evidence's [Sightings] on the
// way, so that messages are opened once for both. An error of tell ends it.
func JudgeTelling(ctx context.Context, ev evidence.Evidence, kb *knowledge.Base, tell func(Sighting) error) (*Judgement, error) {
	s, err := look(ctx, ev)
	if err != nil {
		return nil, err
	}
	c, err := newInquiry(ev, kb, s)
	if err != nil {
		return nil, err
	}
	c.tell = tell
	for _, step := range []func(context.Context) error{
		c.readDrafts, c.readMessages, c.saltMessages, c.checkMinted, c.readPrivate, c.embedded,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if c.untold != nil {
			return nil, c.untold
		}
	}
	return c.judgement(), nil
}

// inquiry is one judgement in the making.
type inquiry struct {
	*survey
	*sight
	answers *unwrap.Opener // for what services mint: structure, and no guessing
	tracker *account.Tracker
	drafts  *draft.Finder

	tell   func(Sighting) error // of each sighting; nil for nobody
	untold error                // the first error of tell

	carries []apk.SDK // code of others in the app
	sdks    *knowledge.SDKs

	gave       []Issued
	claims     map[*account.Outcome]Finding // that it was issued
	findings   *findings
	spots      spots
	coverage   Coverage
	decoys     DecoyResult
	recipients map[string]*Recipient
	clients    map[string]bool               // the device's ends of the connections whose requests were read
	anonymous  int                           // requests of which nobody knows which app sent them
	asked      map[flow.ID]asked             // requests that wait for their response, and those of WebSockets
	unreached  map[flow.ID]bool              // flows whose origin could not be reached, and whose request was not read either
	sockets    map[flow.ID]bool              // connections whose messages were read
	noisy      map[[2]string]bool            // canary kind and host that were seen without the app
	carried    map[[2]string]uint64          // canary kind and value → the first event in which anybody was seen sending it
	returned   []returned                    // canaries that services answered with
	wires      map[string]*wire              // connections of the device's side, by id
	hidden     map[hiding]*OpaqueDestination // what could not be read, by destination
	origins    map[string]bool               // addresses of origins whose answers were read
	queried    map[string]*Name              // names that were asked for
	dotRead    map[string]bool               // hosts whose DNS over TLS was read
	untried    map[string]int                // messages in which not every salt was tried, by host
	onWire     int64                         // bytes to the device on all of its connections
	uploads    map[string]*upload            // of drafts, by host
	signedUp   map[string]uint64             // by arm: the request with which a person signed up
	readable   map[stack]bool                // TLS stacks whose requests were read
	sealed     map[string]*unread            // by host
	binary     map[[2]string]*unread         // by host: what is no text, and can't be called sealed
	cuts       map[[2]string]*unread         // by host and reason
}

func newInquiry(ev evidence.Evidence, kb *knowledge.Base, s *survey) (*inquiry, error) {
	c := &inquiry{
		survey: s, tracker: account.NewTracker(kb), drafts: draft.NewFinder(),
		findings: newFindings(), recipients: map[string]*Recipient{}, asked: map[flow.ID]asked{},
		unreached: map[flow.ID]bool{}, sockets: map[flow.ID]bool{}, noisy: map[[2]string]bool{}, uploads: map[string]*upload{},
		clients: map[string]bool{}, readable: map[stack]bool{}, sealed: map[string]*unread{}, binary: map[[2]string]*unread{}, cuts: map[[2]string]*unread{},
		carried: map[[2]string]uint64{}, wires: map[string]*wire{}, hidden: map[hiding]*OpaqueDestination{}, origins: map[string]bool{}, queried: map[string]*Name{}, dotRead: map[string]bool{}, untried: map[string]int{},
		signedUp: map[string]uint64{},
	}
	if len(s.phases) == 0 { // a recording, which nobody's protocol accompanied
		c.tracker.InferSignup()
	}
	for _, o := range s.opaque {
		if o.connection.Reason == flow.NoOrigin {
			c.unreached[o.connection.Flow] = true
		}
	}
	var err error
	if c.answers, err = unwrap.New([]string{
		"json", "jwt", "form", "multipart", "xml", "plist", "sse", "grpc", "msgpack", "cbor", "protobuf", "url",
		"base64", "gzip", "zlib", "deflate", "brotli", "zstd", "lz4", "snappy",
	}, nil); err != nil {
		return nil, err
	}
	who := append([]recognise.Planted{{Identity: s.identity}, {Identity: s.manifest.Decoys, Decoy: true}}, s.people()...)
	if c.sight, err = newSight(ev, kb, who); err != nil {
		return nil, err
	}
	for _, r := range c.unfit {
		if !r.Decoy {
			c.spots.note(fmt.Sprintf("The %s %q is not looked for: %s.", kb.Disguises.Kind(string(r.Canary.Kind)).Label, r.Canary.Value, r.Why), "Plant a longer or rarer value.")
		}
	}
	for _, what := range c.needles.Omitted() {
		c.spots.note("So many values are looked for that these are not: "+what+".", "Look for fewer values at once.")
	}
	_, c.decoys.Decoys = c.needles.Targets()
	return c, nil
}
