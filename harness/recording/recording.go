// Package recording makes evidence of traffic that somebody else recorded, so that it
// can be judged like an audit's.
//
// Such evidence holds flows and nothing else: no device, no phases, no choice. Its flows
// are in phase "recorded" with no consent state, so that no answer can claim to know
// what came before a choice. Flow "f1" is entry 0 of the file, "f2" is entry 1.
package recording

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// phase is where everything happened.
const phase = "recorded"

// Options say what an import is for.
type Options struct {
	Name     string // of the file, for people
	Identity canary.Identity
	Decoys   canary.Identity
	Tool     string   // "unasked 0.1.0"
	Command  []string // the command line
	// Knowledge is the version of the knowledge that it will be judged with.
	Knowledge evidence.Digest
	// Bundle is the folder for evidence that stays, absent or empty; "" keeps the
	// evidence in memory, and in a temporary file what is too much for that.
	Bundle string
	// Keys is a file of TLS secrets, in NSS's key log format, for a packet capture.
	Keys string

	room room // usualRoom where it is zero
}

// Recording is imported traffic.
type Recording struct {
	evidence.Evidence
	Notes   []Note
	Entries int // flows and connections that were imported
	close   func() error
}

// Close frees what the evidence takes. A bundle stays.
func (r *Recording) Close() error { return r.close() }

// Note is something that was left out, or is not as it should be.
type Note struct {
	What  string // in a sentence
	Hides bool   // something may not be seen because of it
}

// Entry is the index that a flow has in the file it came from; -1 for none.
func Entry(id flow.ID) int {
	n, err := strconv.Atoi(strings.TrimPrefix(string(id), "f"))
	if err != nil || n < 1 {
		return -1
	}
	return n - 1
}

// idOf is the flow that an entry is.
func idOf(entry int) flow.ID { return flow.ID("f" + strconv.Itoa(entry+1)) }

// store takes the evidence in.
type store interface {
	// add appends an event; at is when it happened.
	add(kind string, at time.Time, data any) error
	// put keeps bytes, which are the caller's again once it returns.
	put(data []byte) (evidence.Digest, error)
	// seal ends it; the manifest's counts are filled in.
	seal(evidence.Manifest) (evidence.Evidence, error)
	// close frees what there is, sealed or not.
	close() error
}

// importer writes what it is given into a store.
type importer struct {
	store
	options Options
	read    *counted
	entries int
	began   time.Time // of the first flow that says when
	notes   []Note
}

// begin opens the evidence and says what it is.
func begin(o Options, in io.Reader) (*importer, error) {
	im := &importer{options: o, read: &counted{in: in, sum: sha256.New()}}
	var err error
	if im.store, err = newStore(o); err != nil {
		return nil, err
	}
	err = im.add(evidence.KindAuditStart, time.Time{}, evidence.AuditStart{
		Tool: o.Tool, Command: o.Command, Knowledge: o.Knowledge, Identity: o.Identity, Decoys: o.Decoys,
	})
	if err == nil {
		err = im.add(evidence.KindApp, time.Time{}, im.app())
	}
	if err != nil {
		return nil, errors.Join(err, im.close())
	}
	return im, nil
}

// app stands for whatever sent the traffic.
func (im *importer) app() evidence.App {
	return evidence.App{Label: filepath.Base(im.options.Name), Files: []evidence.File{}}
}

// end seals the evidence.
func (im *importer) end(creator string) (*Recording, error) {
	from := ""
	if creator != "" {
		from = ", written by " + creator
	}
	err := im.add(evidence.KindAction, im.began, evidence.Action{Verb: "import", OK: true,
		Detail: fmt.Sprintf("%s: %d bytes, SHA-256 %s%s", im.options.Name, im.read.size, hex.EncodeToString(im.read.sum.Sum(nil)), from)})
	for _, n := range im.notes {
		if err == nil && n.Hides {
			err = im.add(evidence.KindBlindSpot, im.began, evidence.BlindSpot{What: n.What, Hides: unseen, Do: "Record the traffic again, or export it with another tool."})
		}
	}
	ended := evidence.AuditEnd{How: evidence.Completed}
	if err == nil {
		err = im.add(evidence.KindAuditEnd, im.began, ended)
	}
	var ev evidence.Evidence
	if err == nil {
		ev, err = im.seal(evidence.Manifest{
			Tool: im.options.Tool, Knowledge: im.options.Knowledge, App: im.app(), Protocol: phase, End: ended,
			Identity: im.options.Identity, Decoys: im.options.Decoys,
		})
	}
	if err != nil {
		return nil, errors.Join(err, im.close())
	}
	return &Recording{Evidence: ev, Notes: im.notes, Entries: im.entries, close: im.close}, nil
}

// unseen are the questions that what is missing from a recording leaves open.
var unseen = []string{"no-account", "no-identifier"}

// body keeps bytes as flows have them: short ones in the log, others as a blob.
func (im *importer) body(data []byte, cut string) (flow.Body, error) {
	b := flow.Body{Size: int64(len(data)), Cut: cut}
	if len(data) <= flow.MaxInline {
		b.Inline = data
		return b, nil
	}
	var err error
	b.Blob, err = im.put(data)
	return b, err
}

// counted is what is read, counted and hashed.
type counted struct {
	in   io.Reader
	sum  hash.Hash
	size int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.sum.Write(p[:n])
	c.size += int64(n)
	return n, err
}

// File imports a file, of whichever format its first bytes show.
func File(ctx context.Context, in io.Reader, o Options) (*Recording, error) {
	format, in, err := detect(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	switch format {
	case packets:
		return Packets(ctx, in, o)
	default:
		return HAR(ctx, in, o)
	}
}
