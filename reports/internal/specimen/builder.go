// Package specimen makes whole audits for the tests of reports, without a device: real
// evidence folders with a judgement that points into them. The apps, people and services in
// it are invented.
package specimen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
)

// Audit is evidence with its judgement.
type Audit struct {
	Evidence  *evidence.Bundle
	Judgement *judge.Judgement
	Dir       string
}

// Began is when every specimen audit begins.
var Began = time.Date(2026, 3, 2, 9, 14, 0, 0, time.UTC)

// builder writes an audit, one event after the other, on a clock of its own.
type builder struct {
	t       testing.TB
	dir     string
	log     *evidence.Log
	now     time.Time
	flows   int
	consent evidence.Consent
	phase   string
	arm     string
	j       judge.Judgement
}

func newBuilder(t testing.TB) *builder {
	t.Helper()
	b := &builder{t: t, dir: t.TempDir(), now: Began}
	log, err := evidence.Create(b.dir, func() time.Time { return b.now })
	if err != nil {
		t.Fatal(err)
	}
	b.log = log
	return b
}

func (b *builder) wait(d time.Duration) { b.now = b.now.Add(d) }

func (b *builder) append(kind string, data any) uint64 {
	b.t.Helper()
	e, err := b.log.Append(kind, data)
	if err != nil {
		b.t.Fatal(err)
	}
	b.now = b.now.Add(7 * time.Millisecond)
	return e.Seq
}

func (b *builder) blob(content []byte) evidence.Digest {
	b.t.Helper()
	d, _, err := b.log.PutBlob(bytes.NewReader(content))
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// begin opens a phase of arm A.
func (b *builder) begin(name, purpose string, c evidence.Consent, lasts time.Duration) {
	b.arm, b.phase, b.consent = "A", name, c
	b.log.Position(b.arm, name, c)
	b.append(evidence.KindPhaseStart, evidence.Phase{Name: name, Consent: c, Lasts: lasts, Reached: true, Purpose: purpose})
}

// consents notes that the person's choice is now another.
func (b *builder) consents(c evidence.Consent) {
	b.consent = c
	b.log.Position(b.arm, b.phase, c)
}

func (b *builder) end(purpose string, lasts time.Duration) {
	b.append(evidence.KindPhaseEnd, evidence.Phase{Name: b.phase, Consent: b.consent, Lasts: lasts, Reached: true, Purpose: purpose})
	b.log.Position("", "", "")
}

func (b *builder) act(verb, detail string) {
	b.append(evidence.KindAction, evidence.Action{Verb: verb, Detail: detail, OK: true})
}

func (b *builder) screenshot(title string, png []byte) evidence.Digest {
	d := b.blob(png)
	b.append(evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitScreenshot, Title: title, Media: "image/png", Blob: d, Size: int64(len(png))})
	return d
}

// sent is one flow as it was written.
type sent struct {
	id                flow.ID
	request, response uint64
}

// message is one side of a flow.
type message struct {
	method, url string
	status      int
	headers     []flow.Header
	body        []byte
}

// flow writes a request with its response.
func (b *builder) flow(q, a message) sent {
	b.flows++
	id := flow.ID(fmt.Sprintf("f%d", b.flows))
	started := b.now
	method := q.method
	if method == "" {
		method = "POST"
	}
	tls := &flow.TLS{Version: "TLS 1.3", ALPN: "h2"}
	s := sent{id: id}
	s.request = b.append(evidence.KindRequest, flow.Request{
		Flow: id, Started: started, Method: method, URL: q.url, Proto: "HTTP/2.0", Headers: q.headers, Body: b.body(q.body),
		Client: "127.0.0.1:40122", UID: 10142, TLS: tls,
	})
	b.wait(83 * time.Millisecond)
	if a.status == 0 {
		a.status = 200
	}
	s.response = b.append(evidence.KindResponse, flow.Response{
		Flow: id, Started: b.now, Ended: b.now, Status: a.status, Proto: "HTTP/2.0", Headers: a.headers, Body: b.body(a.body),
		Server: "203.0.113.7:443", TLS: tls,
	})
	return s
}

func (b *builder) body(content []byte) flow.Body {
	if len(content) == 0 {
		return flow.Body{}
	}
	return flow.Body{Blob: b.blob(content), Size: int64(len(content))}
}

// at points into the request of a flow.
func (b *builder) at(s sent, surface, excerpt string, chain ...string) judge.Pointer {
	return judge.Pointer{Event: s.request, Flow: s.id, Side: "request", Surface: surface, Excerpt: excerpt, Chain: chain, Phase: b.phase, Consent: b.consent}
}

// answered points into the response of a flow.
func (b *builder) answered(s sent, surface, excerpt string, chain ...string) judge.Pointer {
	p := b.at(s, surface, excerpt, chain...)
	p.Event, p.Side = s.response, "response"
	return p
}

// find adds a finding with the consent and phase of its first proof.
func (b *builder) find(f judge.Finding) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(f.Claim, f.Subject, f.Host, f.Value)))
	f.ID = hex.EncodeToString(sum[:8])
	for _, p := range f.Proof {
		if len(f.Phases) == 0 || f.Phases[len(f.Phases)-1] != p.Phase {
			f.Phases = append(f.Phases, p.Phase)
		}
	}
	if len(f.Proof) > 0 {
		f.Phase, f.Consent = f.Proof[0].Phase, f.Proof[0].Consent
	}
	if f.Seen.Of == 0 {
		f.Seen = judge.Repeats{Times: 1, Of: 1}
	}
	b.j.Findings = append(b.j.Findings, f)
	return f.ID
}

// seal ends the audit.
func (b *builder) seal(m evidence.Manifest) Audit {
	b.t.Helper()
	b.append(evidence.KindAuditEnd, evidence.AuditEnd{How: evidence.Completed})
	m.Tool, m.Started, m.End = "unasked 0.1.0", Began, evidence.AuditEnd{How: evidence.Completed}
	m.Protocol = "quick"
	m.Knowledge = digest("knowledge")
	if m.Identity.Label == "" {
		m.Identity, m.Decoys = Person, Decoys
	}
	if err := b.log.Seal(m); err != nil {
		b.t.Fatal(err)
	}
	bundle, err := evidence.Open(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.j.Knowledge = m.Knowledge
	return Audit{Evidence: bundle, Judgement: &b.j, Dir: b.dir}
}

func digest(s string) evidence.Digest {
	sum := sha256.Sum256([]byte(s))
	return evidence.Digest(hex.EncodeToString(sum[:]))
}

// Person is who the apps meet.
var Person = canary.Identity{Label: "X", Canaries: []canary.Canary{
	{Kind: canary.SSAID, Value: "9f4c1be27a60d358"},
	{Kind: canary.AdvertisingID, Value: "3d0fa6c1-58b7-4e2c-9a41-7c0de9b3f215"},
	{Kind: canary.Email, Value: "ines.hartwig4821@postfach.example"},
	{Kind: canary.Name, Value: "Ines Hartwig"},
	{Kind: canary.Phone, Value: "+12025550143"},
	{Kind: canary.Location, Value: "48.208174,16.373819"},
	{Kind: canary.ContactName, Value: "Tomas Lindqvist"},
	{Kind: canary.ContactEmail, Value: "tomas.lindqvist7730@brevlada.example"},
	{Kind: canary.Clipboard, Value: "pick up the lab results, code 71-KX-2208"},
	{Kind: canary.IMEI, Value: "001010284716038"},
}}

// Decoys are never planted.
var Decoys = canary.Identity{Label: "X", Canaries: []canary.Canary{
	{Kind: canary.SSAID, Value: "c07ae5d9143b826f"},
	{Kind: canary.AdvertisingID, Value: "a94b2e70-16fd-4c83-b5d9-e1087f3c6a52"},
	{Kind: canary.Email, Value: "marek.dvorsky1904@schranka.example"},
	{Kind: canary.Name, Value: "Marek Dvorsky"},
	{Kind: canary.Phone, Value: "+13125550178"},
	{Kind: canary.Location, Value: "59.911492,10.757933"},
	{Kind: canary.ContactName, Value: "Aoife Brennan"},
	{Kind: canary.ContactEmail, Value: "aoife.brennan5512@litir.example"},
	{Kind: canary.Clipboard, Value: "ask about the lease, flat 19-QD-0456"},
	{Kind: canary.IMEI, Value: "001010957302641"},
}}

// plant records how each canary came onto the device.
func (b *builder) plant() {
	how := map[canary.Kind]string{
		canary.SSAID: "settings_ssaid.xml", canary.AdvertisingID: "adid_settings.xml of Google Play services",
		canary.Email: "cmd account add", canary.Name: "content insert, profile", canary.Location: "cmd location providers",
		canary.ContactName: "content insert, contacts", canary.ContactEmail: "content insert, contacts", canary.Clipboard: "cmd clipboard",
	}
	for _, c := range Person.Canaries {
		p := evidence.Planting{Kind: string(c.Kind), Value: c.Value, How: how[c.Kind], ReadBack: c.Value, OK: true}
		if how[c.Kind] == "" {
			p = evidence.Planting{Kind: string(c.Kind), Value: c.Value, How: "cmd phone", Error: "this device does not model telephony"}
		}
		b.append(evidence.KindPlanting, p)
	}
}
