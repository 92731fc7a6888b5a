package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// ReportFormat names the JSON format and its version. A reader that knows version 1 can
// read every report that begins with it; fields may be added.
const ReportFormat = "unasked-report/1"

// Report is the JSON report: the judgement, and what of the evidence one needs to
// understand it. docs/report.schema.json describes it.
type Report struct {
	Format     string           `json:"format"`
	Simulated  bool             `json:"simulated"` // the device is a simulation; every report on it says so
	Audit      Audit            `json:"audit"`
	App        evidence.App     `json:"app"`
	Device     evidence.Device  `json:"device"`
	Judgement  *judge.Judgement `json:"judgement"`
	Phases     []Phase          `json:"phases"`
	Canaries   []Canary         `json:"canaries"`
	Opaque     []Opaque         `json:"opaque"` // hosts whose connections could not be read
	Exhibits   []Exhibit        `json:"exhibits"`
	Incomplete bool             `json:"incomplete,omitempty"` // some lists are cut to keep the report readable; the evidence holds all
}

// Audit says which audit this is, and how its evidence can be recognised.
type Audit struct {
	Tool      string          `json:"tool"`
	Protocol  string          `json:"protocol"`
	Source    evidence.Digest `json:"source,omitempty"`    // the protocol file, as a blob
	Command   []string        `json:"command,omitempty"`   // the command line
	Seed      string          `json:"seed,omitempty"`      // hexadecimal; the canaries follow from it
	Knowledge evidence.Digest `json:"knowledge,omitempty"` // version that the audit ran with; the judgement names the one it was judged with
	Started   time.Time       `json:"started"`
	Ended     time.Time       `json:"ended"`
	Sealed    time.Time       `json:"sealed"`
	End       string          `json:"end"` // completed, interrupted or failed
	Error     string          `json:"error,omitempty"`
	Bundle    string          `json:"bundle"` // format of the evidence
	Events    uint64          `json:"events"`
	Head      evidence.Digest `json:"head"` // SHA-256 of the last line of the log
}

// Phase is one stretch of the audit.
type Phase struct {
	Arm      string           `json:"arm,omitempty"`
	Name     string           `json:"name"`
	Purpose  string           `json:"purpose,omitempty"`
	Consent  evidence.Consent `json:"consent,omitempty"`
	Started  time.Time        `json:"started"`
	Ended    time.Time        `json:"ended"`
	Reached  bool             `json:"reached"`
	Why      string           `json:"why,omitempty"` // why it was not reached
	Signup   bool             `json:"signup,omitempty"`
	Requests int              `json:"requests"`
	Opaque   int              `json:"opaque"` // connections that could not be read, without those that the app did not need
	States   []State          `json:"states"` // the consent states that it went through: a choice splits its phase at the touch
}

// State is a stretch of a phase in one consent state.
type State struct {
	Consent  evidence.Consent `json:"consent"`
	Began    time.Time        `json:"began"`
	Requests int              `json:"requests"` // that began in it
}

// Canary is one planted value.
type Canary struct {
	Kind     canary.Kind `json:"kind"`
	Value    string      `json:"value"`
	Planted  bool        `json:"planted"` // and read back from the device
	How      string      `json:"how,omitempty"`
	ReadBack string      `json:"read_back,omitempty"`
	Error    string      `json:"error,omitempty"`
	Decoy    string      `json:"decoy,omitempty"` // the value of the same kind that was never planted
}

// Opaque is a host whose connections could not be read.
type Opaque struct {
	Host     string `json:"host"`
	Port     int    `json:"port,omitempty"`
	Reason   string `json:"reason"` // distrusted, hung-up, passed, client-cert, quic, no-http, upgraded, no-origin, unused or broken
	Detail   string `json:"detail,omitempty"`
	SNI      string `json:"sni,omitempty"`    // the name in the device's TLS hello
	Server   string `json:"server,omitempty"` // address of the origin
	JA3      string `json:"ja3,omitempty"`    // of the device's TLS hello
	JA4      string `json:"ja4,omitempty"`
	Times    int    `json:"times"`
	Sent     int64  `json:"sent"` // bytes from the device
	Received int64  `json:"received"`
	Event    uint64 `json:"event"`           // of the first
	Spare    bool   `json:"spare,omitempty"` // opened by the app and not needed: nothing was sent, and it hides nothing
}

// Exhibit is a blob of the evidence with what it shows.
type Exhibit struct {
	Kind  string          `json:"kind"`
	Title string          `json:"title,omitempty"`
	Name  string          `json:"name,omitempty"`
	Media string          `json:"media,omitempty"`
	Blob  evidence.Digest `json:"blob"`
	Size  int64           `json:"size,omitempty"` // bytes
	At    time.Time       `json:"at"`
	Phase string          `json:"phase,omitempty"`
	Times int             `json:"times,omitempty"` // how often the same screenshot was taken
}

// NewReport makes the JSON report of an audit.
func NewReport(ctx context.Context, in Input) (*Report, error) {
	rec, err := record.Read(ctx, in.Evidence, in.Judgement)
	if err != nil {
		return nil, err
	}
	return newReport(rec, in.Judgement), nil
}

func newReport(rec *record.Record, j *judge.Judgement) *Report {
	m := rec.Manifest
	r := &Report{
		Format:    ReportFormat,
		Simulated: m.Device.Simulated,
		Audit: Audit{
			Tool: m.Tool, Protocol: m.Protocol, Source: rec.Start.Source, Command: rec.Start.Command, Seed: rec.Start.Seed,
			Knowledge: m.Knowledge, Started: m.Started, Ended: rec.Ended, Sealed: m.Sealed, End: m.End.How, Error: m.End.Error,
			Bundle: m.Format, Events: m.Events, Head: m.Head,
		},
		App: m.App, Device: m.Device, Judgement: j,
		Phases: []Phase{}, Opaque: []Opaque{}, Exhibits: []Exhibit{},
		Canaries:   canaries(rec),
		Incomplete: rec.Dropped,
	}
	for _, p := range rec.Phases {
		states := []State{}
		for _, s := range p.States {
			states = append(states, State(s))
		}
		r.Phases = append(r.Phases, Phase{
			Arm: p.Arm, Name: p.Name, Purpose: p.Purpose, Consent: p.Consent, Started: p.Began, Ended: p.Ended,
			Reached: p.Reached, Why: p.Why, Signup: p.Signup, Requests: p.Requests, Opaque: p.Opaque, States: states,
		})
	}
	for _, o := range rec.Opaque {
		r.Opaque = append(r.Opaque, Opaque{
			Host: o.Host, Port: o.Port, Reason: o.Reason, Detail: o.Detail, Times: o.Times, Sent: o.Sent, Received: o.Received, Event: o.Event, Spare: o.Spare,
			SNI: o.SNI, Server: o.Server, JA3: o.JA3, JA4: o.JA4,
		})
	}
	for _, p := range rec.Pictures {
		first := p.Moments[0]
		r.Exhibits = append(r.Exhibits, Exhibit{
			Kind: evidence.ExhibitScreenshot, Title: first.Title, Media: "image/png", Blob: p.Blob, At: first.At, Phase: first.Phase, Times: len(p.Moments),
		})
	}
	for _, x := range rec.Exhibits {
		r.Exhibits = append(r.Exhibits, Exhibit{
			Kind: x.Kind, Title: x.Title, Name: x.Name, Media: x.Media, Blob: x.Blob, Size: x.Size, At: x.At, Phase: x.Phase,
		})
	}
	return r
}

// canaries lists each canary with how it was planted and the decoy of its kind.
func canaries(rec *record.Record) []Canary {
	planted := make(map[string]evidence.Planting)
	for _, p := range rec.Plantings {
		if have, ok := planted[p.Kind]; !ok || !have.OK {
			planted[p.Kind] = p
		}
	}
	out := []Canary{}
	for _, c := range rec.Manifest.Identity.Canaries {
		p, ok := planted[string(c.Kind)]
		if !ok {
			p.Error = "nothing was recorded of planting it"
		}
		out = append(out, Canary{
			Kind: c.Kind, Value: c.Value, Planted: p.OK, How: p.How, ReadBack: p.ReadBack, Error: p.Error,
			Decoy: rec.Manifest.Decoys.Value(c.Kind),
		})
	}
	return out
}

func writeJSON(ctx context.Context, w io.Writer, in Input) error {
	r, err := NewReport(ctx, in)
	if err != nil {
		return err
	}
	r.valid()
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", escapeInvisible(out))
	return err
}

// valid makes lists that are empty empty, not null, as the schema has them.
func (r *Report) valid() {
	j := *r.Judgement
	list(&j.Questions)
	list(&j.Findings)
	list(&j.BlindSpots)
	list(&j.Recipients)
	list(&j.Decoys.Matches)
	list(&j.Opaque)
	list(&j.Names)
	j.Findings = append([]judge.Finding{}, j.Findings...)
	for i := range j.Findings {
		list(&j.Findings[i].Phases)
		list(&j.Findings[i].Proof)
	}
	j.BlindSpots = append([]judge.BlindSpot{}, j.BlindSpots...)
	for i := range j.BlindSpots {
		list(&j.BlindSpots[i].Hides)
	}
	j.Recipients = append([]judge.Recipient{}, j.Recipients...)
	for i := range j.Recipients {
		list(&j.Recipients[i].Kinds)
	}
	r.Judgement = &j
	list(&r.App.Files)
}

func list[T any](s *[]T) {
	if *s == nil {
		*s = []T{}
	}
}

// escapeInvisible writes characters that have no shape or turn text around as \u escapes. JSON means the
// same with them, and a terminal or an editor that shows the file can't be fooled by it.
func escapeInvisible(b []byte) string {
	var out strings.Builder
	s := string(b)
	done := 0 // up to here it is written
	for i, r := range s {
		if r <= '~' || unicode.IsPrint(r) {
			continue
		}
		out.WriteString(s[done:i])
		done = i + utf8.RuneLen(r)
		if r > 0xffff {
			r1, r2 := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, r1, r2)
		} else {
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	out.WriteString(s[done:])
	return out.String()
}
