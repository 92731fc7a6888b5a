package judge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// onWire is a request on a connection.
func (r *recording) onWire(id string, url string, body string) {
	r.flows++
	q := flow.Request{Flow: flow.ID(fmt.Sprintf("f%d", r.flows)), Started: r.clock, Method: "POST", URL: url, Wire: id, Body: flow.Body{Inline: []byte(body), Size: int64(len(body))}}
	if len(body) > flow.MaxInline {
		q.Body = flow.Body{Blob: r.blob([]byte(body)), Size: int64(len(body))}
	}
	r.event(evidence.KindRequest, q)
}

func (r *recording) wired(id string, sent int64) {
	r.event(evidence.KindWire, flow.Wire{ID: id, Started: r.clock, Ended: r.clock, Sent: sent, Received: 2 * sent})
}

func (r *recording) counted(sent uint64) {
	r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 5000})
	r.event(evidence.KindCounters, evidence.Counters{UID: appUID, Sent: 5000 + sent})
}

func TestCoverage(t *testing.T) {
	sealed := string(closed(60_000))
	for name, c := range map[string]struct {
		play     func(*recording)
		want     Coverage // the fields that are looked at
		verdicts string
		says     string
	}{
		"on the wire, all of it": {func(r *recording) {
			r.onWire("w1", "https://x.example/", "hello")
			r.wired("w1", 100_000)
			r.counted(104_000)
		}, Coverage{Clear: 100_000, PerMille: 1000, Counted: true, Basis: OnTheWire, Overhead: 4000}, "------", "which the packets of 1 connection explain"},
		"on the wire, to the byte": {func(r *recording) {
			r.onWire("w1", "https://x.example/", "hello")
			r.wired("w1", 100_000)
			r.counted(100_000)
		}, Coverage{Clear: 100_000, PerMille: 1000, Counted: true, Basis: OnTheWire}, "------", "100000 came by the proxy: the same"},
		"on the wire, and past it": {func(r *recording) {
			r.onWire("w1", "https://x.example/", "hello")
			r.wired("w1", 100_000)
			r.counted(200_000)
		}, Coverage{Clear: 100_000, Missing: 200_000 - 100_000 - 1<<10 - 7*overMessage - 200_000/overReceived - 100_000/overSent - overAll, PerMille: 547, Counted: true, Basis: OnTheWire}, "?????-", "54.7 %"},
		"on the wire, pinned": {func(r *recording) {
			r.onWire("w1", "https://x.example/", "hello")
			r.wired("w1", 50_000)
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "pinned.example", Reason: flow.Passed, Sent: 40_000, Wire: "w2"})
			r.wired("w2", 50_000)
			r.counted(104_000)
		}, Coverage{Clear: 50_000, Unread: 50_000, PerMille: 500, Counted: true, Basis: OnTheWire}, "??-??-", "The protocol asks for 80 %"},
		"on the wire, a sealed body": {func(r *recording) {
			r.onWire("w1", "https://x.example/", sealed)
			r.wired("w1", 400_000)
			r.counted(404_000)
		}, Coverage{Clear: 340_000, Unread: 60_000, PerMille: 850, Counted: true, Basis: OnTheWire}, "??-??-", "look encrypted"},
		"not needed": {func(r *recording) {
			r.onWire("w1", "https://x.example/", "hello")
			r.wired("w1", 50_000)
			r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "x.example", Reason: flow.Unused, Wire: "w2"})
			r.wired("w2", 2_000)
			r.counted(54_000)
		}, Coverage{Clear: 52_000, PerMille: 1000, Counted: true, Basis: OnTheWire}, "------", ""},
		"another app's": {func(r *recording) {
			r.onWire("w1", "https://x.example/", "hello")
			r.wired("w1", 50_000)
			r.event(evidence.KindWire, flow.Wire{ID: "w2", Sent: 900_000, UID: 1000})
			r.counted(54_000)
		}, Coverage{Clear: 50_000, PerMille: 1000, Counted: true, Basis: OnTheWire}, "------", ""},
		"nothing counted": {func(r *recording) {
			r.onWire("w1", "https://x.example/", "hello")
			r.wired("w1", 50_000)
		}, Coverage{Clear: 50_000, PerMille: 1000, Basis: OnTheWire}, "------", "count of the app's bytes is not in the evidence"},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			r.rejected()
			c.play(r)
			j := r.judge()
			got := j.Coverage
			if got.Clear != c.want.Clear || got.Unread != c.want.Unread || got.Missing != c.want.Missing || got.PerMille != c.want.PerMille ||
				got.Counted != c.want.Counted || got.Basis != c.want.Basis || c.want.Overhead != 0 && got.Overhead != c.want.Overhead || got.Wanted != 800 {
				t.Errorf("%+v", got)
			}
			if v := verdicts(j); v != c.verdicts {
				t.Errorf("verdicts %s, want %s", v, c.verdicts)
			}
			if c.says != "" && !strings.Contains(fmt.Sprint(j.BlindSpots), c.says) {
				t.Errorf("no blind spot says %q: %+v", c.says, j.BlindSpots)
			}
		})
	}
}

// The protocol in the evidence says how much has to be read.
func TestCoverageThatTheProtocolAsksFor(t *testing.T) {
	for source, want := range map[string]int{
		"name: p\ncoverage: 99.5%\narms:\n- name: A\n  phases:\n  - {name: i, act: install, lasts: 1s}\n":     995,
		"name: p\narms:\n- name: A\n  phases:\n  - {name: i, act: install, lasts: 1s}\n":                      800,
		"name: p\nof-a-later-version: 1\narms:\n- name: A\n  phases:\n  - {name: i, act: install, lasts: 1s}": 800,
	} {
		r := innocent(t)
		r.event(evidence.KindAuditStart, evidence.AuditStart{Source: r.blob([]byte(source))})
		if j := r.judge(); j.Coverage.Wanted != want {
			t.Errorf("%q: %d", source, j.Coverage.Wanted)
		}
	}
}

func TestPercent(t *testing.T) {
	for n, want := range map[int]string{0: "0 %", 7: "0.7 %", 800: "80 %", 995: "99.5 %", 1000: "100 %"} {
		if got := percent(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
