package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

var began = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// stream is evidence that is made while it is read.
type stream func(yield func(evidence.Event, error) bool)

func (stream) Manifest() evidence.Manifest                 { return evidence.Manifest{} }
func (stream) Blob(evidence.Digest) (io.ReadCloser, error) { return nil, fs.ErrNotExist }
func (s stream) Events(context.Context) iter.Seq2[evidence.Event, error] {
	return iter.Seq2[evidence.Event, error](s)
}

// events is evidence of a few events, a second apart.
func events(t *testing.T, all ...evidence.Event) stream {
	t.Helper()
	return func(yield func(evidence.Event, error) bool) {
		for i, e := range all {
			e.Seq, e.At = uint64(i+1), began.Add(time.Duration(i)*time.Second)
			if !yield(e, nil) {
				return
			}
		}
	}
}

func event(t *testing.T, kind, arm, phase string, data any) evidence.Event {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Event{Kind: kind, Arm: arm, Phase: phase, Data: raw}
}

func TestCourseOfAnAudit(t *testing.T) {
	ev := events(t,
		event(t, evidence.KindAuditStart, "", "", evidence.AuditStart{Seed: "aa"}),
		event(t, evidence.KindPhaseStart, "A", "untouched", evidence.Phase{Name: "untouched"}),
		event(t, evidence.KindExhibit, "A", "untouched", evidence.Exhibit{Kind: evidence.ExhibitScreenshot, Title: "dialog", Blob: "d1"}),
		event(t, evidence.KindRequest, "A", "untouched", flow.Request{Flow: "f1", URL: "https://a.example/"}),
		event(t, evidence.KindRequest, "A", "untouched", flow.Request{Flow: "f2", URL: "https://b.example/"}),
		event(t, evidence.KindPhaseEnd, "A", "untouched", evidence.Phase{Name: "untouched", Reached: true}),
		event(t, evidence.KindPhaseStart, "A#2", "untouched", evidence.Phase{Name: "untouched"}),
		event(t, evidence.KindResponse, "A", "untouched", flow.Response{Flow: "f2", Status: 200}), // answered after its phase
		event(t, evidence.KindExhibit, "A#2", "untouched", evidence.Exhibit{Kind: evidence.ExhibitScreenshot, Title: "dialog", Blob: "d1"}),
		event(t, evidence.KindTap, "A#2", "untouched", evidence.Tap{X: 1, Y: 2, Before: "d1", After: "d2"}),
		event(t, evidence.KindConnection, "A#2", "untouched", flow.Connection{Host: "pinned.example", Port: 443, Reason: flow.Distrusted, Sent: 5}),
		event(t, evidence.KindConnection, "A#2", "untouched", flow.Connection{SNI: "pinned.example", Port: 443, Reason: flow.Distrusted, Sent: 6}),
		event(t, "kind.of.the.future", "A#2", "untouched", map[string]int{"x": 1}),
	)
	j := &judge.Judgement{Findings: []judge.Finding{{Proof: []judge.Pointer{{Event: 5, Flow: "f2", Side: "request"}}}}}
	r, err := record.Read(t.Context(), ev, j)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Phases) != 2 || r.Phases[0].Requests != 2 || !r.Phases[0].Reached || r.Phases[0].Open || r.Phases[1].Opaque != 2 {
		t.Errorf("phases: %+v", r.Phases)
	}
	if !r.Phases[1].Open || !r.Phases[1].Ended.Equal(began.Add(12*time.Second)) {
		t.Errorf("a phase that never ended: %+v", r.Phases[1])
	}
	if len(r.Flows) != 1 || r.Flows["f2"].Request.URL != "https://b.example/" || r.Flows["f2"].Response == nil || r.Flows["f2"].Phase != "untouched" {
		t.Errorf("flows: %+v", r.Flows)
	}
	if len(r.Pictures) != 2 || len(r.Pictures[0].Moments) != 2 || len(r.Pictures[0].Taps) != 1 {
		t.Errorf("pictures: %+v", r.Pictures)
	}
	if len(r.Opaque) != 1 || r.Opaque[0].Times != 2 || r.Opaque[0].Sent != 11 || r.Opaque[0].Event != 11 {
		t.Errorf("unread connections: %+v", r.Opaque)
	}
	if r.Events != 13 || len(r.Traffic) != 4 || !r.Times[5].Equal(began.Add(4*time.Second)) {
		t.Errorf("%d events, %d of traffic, event 5 at %s", r.Events, len(r.Traffic), r.Times[5])
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	bad := events(t, evidence.Event{Kind: evidence.KindTap, Data: json.RawMessage(`{"x":"left"}`)})
	if _, err := record.Read(t.Context(), bad, &judge.Judgement{}); err == nil || !strings.Contains(err.Error(), "event 1 (tap)") {
		t.Errorf("a payload of the wrong type: %v", err)
	}
	broken := errors.New("broken chain")
	failing := stream(func(yield func(evidence.Event, error) bool) { yield(evidence.Event{}, broken) })
	if _, err := record.Read(t.Context(), failing, &judge.Judgement{}); !errors.Is(err, broken) {
		t.Errorf("evidence that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := record.Read(ctx, events(t), &judge.Judgement{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

func TestVeryManyFlowsAreCountedAndNotHeld(t *testing.T) {
	const n = 30_000
	headers := strings.Repeat(`{"name":"X-Long","value":"0123456789012345678901234567890123456789"},`, 10)
	ev := stream(func(yield func(evidence.Event, error) bool) {
		for i := range n {
			data := fmt.Sprintf(`{"flow":"f%d","url":"https://h%d.example/","headers":[%s{"name":"a","value":"b"}]}`, i, i, headers)
			if !yield(evidence.Event{Seq: uint64(i + 1), At: began.Add(time.Duration(i)), Kind: evidence.KindRequest, Data: json.RawMessage(data)}, nil) {
				return
			}
		}
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r, err := record.Read(t.Context(), ev, &judge.Judgement{Findings: []judge.Finding{{Proof: []judge.Pointer{{Event: 7, Flow: "f6"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 8<<20 {
		t.Errorf("%d bytes are held for %d flows", held, n)
	}
	if r.Events != n || len(r.Traffic) != n || len(r.Flows) != 1 {
		t.Errorf("%d events, %d of traffic, %d flows", r.Events, len(r.Traffic), len(r.Flows))
	}
}

// A phase in which a choice is made is in the state after it only from the touch on.
func TestAChoiceSplitsItsPhase(t *testing.T) {
	in := func(c evidence.Consent, kind string, data any) evidence.Event {
		e := event(t, kind, "A", "rejected", data)
		e.Consent = c
		return e
	}
	r, err := record.Read(t.Context(), events(t,
		in(evidence.Untouched, evidence.KindPhaseStart, evidence.Phase{Name: "rejected"}),
		in(evidence.Untouched, evidence.KindRequest, flow.Request{Flow: "f1"}),
		in(evidence.Choosing, evidence.KindRequest, flow.Request{Flow: "f2"}),
		in(evidence.Choosing, evidence.KindAction, evidence.Action{Verb: "tap", OK: true}), // the touch, at second 3
		in(evidence.Rejected, evidence.KindTap, evidence.Tap{X: 1, Y: 2, Before: "d1"}),
		in(evidence.Untouched, evidence.KindRequest, flow.Request{Flow: "f3"}), // began before
		in(evidence.Rejected, evidence.KindRequest, flow.Request{Flow: "f4"}),
		in(evidence.Rejected, evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitScreenshot, Title: "after the tap", Blob: "d2"}),
		in(evidence.Rejected, evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitScreenshot, Title: "later", Blob: "d3"}),
		in(evidence.Rejected, evidence.KindPhaseEnd, evidence.Phase{Name: "rejected", Consent: evidence.Rejected, Reached: true}),
	), &judge.Judgement{})
	if err != nil {
		t.Fatal(err)
	}
	want := []record.State{
		{Consent: evidence.Untouched, Began: began, Requests: 2},
		{Consent: evidence.Choosing, Began: began.Add(2 * time.Second), Requests: 1},
		{Consent: evidence.Rejected, Began: began.Add(4 * time.Second), Requests: 1},
	}
	if got := r.Phases[0].States; !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	tap := r.Steps[1]
	if tap.Tap == nil || !tap.At.Equal(began.Add(3*time.Second)) || tap.After != "d2" {
		t.Errorf("the touch is at %s, and the screen after it %q", tap.At, tap.After)
	}
}

func TestConnectionsThatWereNotNeededAreNotUnread(t *testing.T) {
	gone := flow.Connection{Host: "cdn.example", Port: 443, Reason: flow.HungUp}
	pinned := flow.Connection{Host: "pinned.example", Port: 443, Reason: flow.HungUp}
	r, err := record.Read(t.Context(), events(t,
		event(t, evidence.KindPhaseStart, "A", "p", evidence.Phase{Name: "p"}),
		event(t, evidence.KindConnection, "A", "p", gone), event(t, evidence.KindConnection, "A", "p", gone),
		event(t, evidence.KindConnection, "A", "p", pinned),
	), &judge.Judgement{BlindSpots: []judge.BlindSpot{{Event: 2}, {Event: 4, Hides: []string{judge.QuestionIdentifier}}}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Spare != 2 || r.Phases[0].Opaque != 1 || !r.Opaque[0].Spare || r.Opaque[1].Spare {
		t.Errorf("%d were not needed; %+v; %+v", r.Spare, r.Phases, r.Opaque)
	}
}
