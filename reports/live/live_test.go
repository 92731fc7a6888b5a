package live

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// event makes the event that comes after that many seconds.
func event(t *testing.T, seconds int, kind string, data any) evidence.Event {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Event{At: start.Add(time.Duration(seconds) * time.Second), Phase: "untouched", Consent: evidence.Untouched, Kind: kind, Data: raw}
}

// story is an audit with one identifier that goes out twice, and hostile names.
func story(t *testing.T) []evidence.Event {
	return []evidence.Event{
		event(t, 0, evidence.KindDevice, evidence.Device{Model: "Pixel", Release: "14", Simulated: true}),
		event(t, 0, evidence.KindApp, evidence.App{Package: "org.example.a", VersionName: "1\x1b[2J\u202e"}),
		event(t, 1, evidence.KindPhaseStart, evidence.Phase{Name: "untouched", Lasts: 10 * time.Second}),
		event(t, 2, evidence.KindRequest, flow.Request{URL: "https://ads.example/a"}),
		event(t, 3, evidence.KindRequest, flow.Request{URL: "https://ads.example/a"}),
		event(t, 4, evidence.KindConnection, flow.Connection{Host: "pinned.example", Reason: flow.Distrusted}),
		event(t, 5, evidence.KindAction, evidence.Action{Verb: "launch", Detail: "x", Error: "boom"}),
		event(t, 6, evidence.KindAuditEnd, evidence.AuditEnd{How: evidence.Completed}),
	}
}

func spotRequests(e evidence.Event) []Sighting {
	if e.Kind == evidence.KindRequest {
		return []Sighting{{Kind: "email", Host: "ads.example"}}
	}
	return nil
}

func TestLines(t *testing.T) {
	var out strings.Builder
	v := Lines(&out, spotRequests)
	for _, e := range story(t) {
		v.Event(e)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{
		"0.0s  device   Pixel, Android 14 (SIMULATED)\n",
		"1.0s  phase    untouched (10s)\n",
		"2.0s  host     ads.example\n",
		"2.0s  sent     e-mail address to ads.example, in phase untouched, before any choice\n",
		"4.0s  unread   pinned.example: distrusted\n",
		"5.0s  failed   launch x: boom\n",
		"6.0s  audit    completed\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "sent     "); n != 1 {
		t.Errorf("the sighting is told %d times", n)
	}
	if strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("an app's bytes reach the terminal: %q", got)
	}
}

func TestModelShowsTimeLeftAndSightings(t *testing.T) {
	m := &model{state: newState(), width: 90, interrupt: func() {}}
	for _, e := range story(t)[:5] {
		m.Update(arrived{e, spotRequests(e)})
	}
	m.Update(tick(start.Add(5 * time.Second)))
	got := m.View()
	for _, want := range []string{"SIMULATED DEVICE", "untouched", "6s left", "2 requests", "ads.example", "e-mail address → ads.example"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b[2J") || strings.ContainsRune(got, '\u202e') {
		t.Errorf("an app's bytes reach the terminal: %q", got)
	}
}

func TestCtrlCInterruptsOnce(t *testing.T) {
	times := 0
	m := &model{state: newState(), interrupt: func() { times++ }}
	for range 3 {
		m.Update(tea.KeyMsg{Type: tea.KeyCtrlC})
	}
	if times != 1 {
		t.Errorf("interrupted %d times", times)
	}
	if !strings.Contains(m.View(), "stopping") {
		t.Errorf("the display does not say that the audit is stopping:\n%s", m.View())
	}
}

// What the device sends is looked into, whether its body stands in the log or in a blob, and in messages too.
func TestSpot(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	const ssaid = "9f4c1be27a60d358"
	spot := Spot(kb, func(d evidence.Digest) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(`{"id":"` + ssaid + `"}`)), nil
	})
	inline := flow.Body{Inline: []byte(`{"id":"` + ssaid + `"}`), Size: 25}
	body := []flow.Header{{Name: "Content-Type", Value: "application/json"}}
	for _, e := range []evidence.Event{
		event(t, 0, evidence.KindPlanting, evidence.Planting{Kind: "ssaid", Value: ssaid, OK: true}),
		event(t, 0, evidence.KindRequest, flow.Request{Flow: "f1", URL: "https://ws.example/", Headers: []flow.Header{{Name: "Upgrade", Value: "websocket"}}}),
	} {
		if got := spot(e); len(got) != 0 {
			t.Errorf("%s: %+v", e.Kind, got)
		}
	}
	for name, c := range map[string]struct {
		kind string
		data any
		want string
	}{
		"in the log":    {evidence.KindRequest, flow.Request{URL: "https://a.example/", Headers: body, Body: inline}, "a.example"},
		"in a blob":     {evidence.KindRequest, flow.Request{URL: "https://b.example/", Headers: body, Body: flow.Body{Blob: "00", Size: 25}}, "b.example"},
		"nothing in it": {evidence.KindRequest, flow.Request{URL: "https://c.example/"}, ""},
		"a message":     {evidence.KindMessage, flow.Message{Flow: "f1", Sent: true, Body: inline}, "ws.example"},
		"to the device": {evidence.KindMessage, flow.Message{Flow: "f1", Body: inline}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := spot(event(t, 0, c.kind, c.data))
			if (c.want == "") != (len(got) == 0) || len(got) > 0 && (got[0].Host != c.want || got[0].Kind != "ssaid") {
				t.Errorf("%+v", got)
			}
		})
	}
}
