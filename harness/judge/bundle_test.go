package judge

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// recording writes a bundle as an audit would, with a clock of its own.
type recording struct {
	t      *testing.T
	log    *evidence.Log
	dir    string
	clock  time.Time
	flows  int
	app    evidence.App
	person canary.Identity
	decoys canary.Identity
	end    evidence.AuditEnd
	phase  evidence.Phase
	locked bool // the device keeps the app's private files to itself
}

const appUID = 10123

func record(t *testing.T) *recording {
	t.Helper()
	r := &recording{
		t: t, dir: filepath.Join(t.TempDir(), "bundle"), clock: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		person: canary.Derive([]byte("a seed"), "X"), decoys: canary.Decoys([]byte("a seed"), "X"),
		end: evidence.AuditEnd{How: evidence.Completed},
		app: evidence.App{
			Package: "org.example.thing", VersionCode: 1, UID: appUID,
			Permissions: []string{"android.permission.INTERNET", "android.permission.CAMERA"},
		},
	}
	var err error
	r.log, err = evidence.Create(r.dir, func() time.Time { r.clock = r.clock.Add(time.Millisecond); return r.clock })
	r.must(err)
	r.event(evidence.KindAuditStart, evidence.AuditStart{Tool: "unasked test", Protocol: "quick", Seed: "00"})
	return r
}

func (r *recording) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *recording) event(kind string, data any) evidence.Event {
	r.t.Helper()
	e, err := r.log.Append(kind, data)
	r.must(err)
	return e
}

func (r *recording) blob(data []byte) evidence.Digest {
	r.t.Helper()
	d, _, err := r.log.PutBlob(bytes.NewReader(data))
	r.must(err)
	return d
}

// in opens a phase and closes the one before.
func (r *recording) in(arm, name, purpose string, consent evidence.Consent) *recording {
	r.t.Helper()
	r.leave(true, "")
	r.log.Position(arm, name, consent)
	r.phase = evidence.Phase{Name: name, Purpose: purpose, Consent: consent}
	r.event(evidence.KindPhaseStart, r.phase)
	return r
}

func (r *recording) leave(reached bool, why string) {
	if r.phase.Name == "" {
		return
	}
	r.phase.Reached, r.phase.Why = reached, why
	r.event(evidence.KindPhaseEnd, r.phase)
	r.phase = evidence.Phase{}
}

func (r *recording) act(verb string, ok bool, why string) {
	r.event(evidence.KindAction, evidence.Action{Verb: verb, OK: ok, Error: why})
}

// untouched runs the usual beginning: a baseline, an installation, a launch.
func (r *recording) untouched() *recording {
	r.event(evidence.KindApp, r.app)
	for _, c := range r.person.Canaries {
		r.event(evidence.KindPlanting, evidence.Planting{Kind: string(c.Kind), Value: c.Value, ReadBack: c.Value, OK: true})
	}
	r.in("A", "baseline", "baseline", evidence.Untouched)
	r.event(evidence.KindAccounts, evidence.Accounts{Accounts: []evidence.Account{{Name: r.person.Value(canary.Email), Type: "com.example"}}})
	r.in("A", "install", "install", evidence.Untouched)
	r.act("install", true, "")
	r.in("A", "untouched", "launch", evidence.Untouched)
	r.act("launch", true, "")
	r.event(evidence.KindAccounts, evidence.Accounts{Accounts: []evidence.Account{{Name: r.person.Value(canary.Email), Type: "com.example"}}})
	return r
}

func (r *recording) rejected() *recording {
	return r.in("A", "rejected", "consent", evidence.Rejected)
}

// message is one side of a flow.
type message struct {
	method, url string
	status      int
	headers     []flow.Header
	body        []byte
	uid         int
}

func (r *recording) request(m message) flow.ID {
	r.t.Helper()
	r.flows++
	id := flow.ID(fmt.Sprintf("f%d", r.flows))
	q := flow.Request{Flow: id, Started: r.clock, Method: m.method, URL: m.url, Proto: "HTTP/1.1", Headers: m.headers, UID: m.uid}
	if q.Method == "" {
		q.Method = "POST"
	}
	if len(m.body) > 0 {
		q.Body = flow.Body{Blob: r.blob(m.body), Size: int64(len(m.body))}
	}
	r.event(evidence.KindRequest, q)
	return id
}

func (r *recording) response(id flow.ID, m message) {
	r.t.Helper()
	a := flow.Response{Flow: id, Started: r.clock, Ended: r.clock, Status: m.status, Headers: m.headers}
	if a.Status == 0 {
		a.Status = 200
	}
	if len(m.body) > 0 {
		a.Body = flow.Body{Blob: r.blob(m.body), Size: int64(len(m.body))}
	}
	r.event(evidence.KindResponse, a)
}

// ask is a request with a JSON answer.
func (r *recording) ask(m message, answer any) {
	r.t.Helper()
	id := r.request(m)
	r.response(id, message{headers: jsonType, body: asJSON(answer)})
}

var (
	jsonType = []flow.Header{{Name: "Content-Type", Value: "application/json"}}
	formType = []flow.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}
)

func bearer(token string) []flow.Header {
	return []flow.Header{{Name: "Authorization", Value: "Bearer " + token}}
}

func asJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func form(pairs ...string) []byte {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return []byte(v.Encode())
}

// apk adds the app's file to the evidence.
func (r *recording) apk(files map[string]string) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		f, err := w.Create(name)
		r.must(err)
		f.Write([]byte(content))
	}
	r.must(w.Close())
	r.app.Files = []evidence.File{{Name: "base.apk", Blob: r.blob(b.Bytes()), Size: int64(b.Len())}}
	r.event(evidence.KindApp, r.app)
}

// private adds a snapshot of the app's private files.
func (r *recording) private(files map[string]string) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		r.must(w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg}))
		w.Write([]byte(content))
	}
	r.must(w.Close())
	r.event(evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitPrivate, Media: "application/x-tar", Blob: r.blob(b.Bytes()), Size: int64(b.Len())})
}

func (r *recording) draft(data []byte) {
	r.event(evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitDraft, Name: "clip.mp4", Media: "video/mp4", Blob: r.blob(data), Size: int64(len(data))})
}

// seal ends the audit and opens its bundle.
func (r *recording) seal() evidence.Evidence {
	r.t.Helper()
	if !r.locked {
		r.private(map[string]string{"shared_prefs/choice.xml": "<map></map>"})
	}
	r.leave(true, "")
	r.log.Position("", "", "")
	r.event(evidence.KindAuditEnd, r.end)
	r.must(r.log.Seal(evidence.Manifest{
		Tool: "unasked test", Started: r.clock, End: r.end, Protocol: "quick", App: r.app, Identity: r.person, Decoys: r.decoys,
	}))
	b, err := evidence.Open(r.dir)
	r.must(err)
	return b
}

func (r *recording) judge() *Judgement {
	r.t.Helper()
	return judged(r.t, r.seal())
}

// base is the embedded knowledge, read once for all tests.
var base = sync.OnceValues(knowledge.Embedded)

func judged(t *testing.T, ev evidence.Evidence) *Judgement {
	t.Helper()
	kb, err := base()
	if err != nil {
		t.Fatal(err)
	}
	j, err := Judge(context.Background(), ev, kb)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *Judgement) claims(c Claim) []Finding {
	var out []Finding
	for _, f := range j.Findings {
		if f.Claim == c {
			out = append(out, f)
		}
	}
	return out
}

func (j *Judgement) verdict(id string) Verdict {
	for _, q := range j.Questions {
		if q.ID == id {
			return q.Verdict
		}
	}
	return ""
}

func (j *Judgement) dump(t *testing.T) {
	t.Helper()
	b, err := j.Encode()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(string(b))
}
