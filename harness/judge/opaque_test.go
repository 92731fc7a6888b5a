package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// What could not be read is counted by destination, for each consent state.
func TestOpaqueByDestination(t *testing.T) {
	noise := closed(60_000)
	r := innocent(t)
	r.in("A", "again", "launch", evidence.Untouched)
	r.ask(message{url: "https://log.example/", body: noise[:5000]}, nil)
	r.ask(message{url: "https://log.example/", body: noise[5000:9000]}, nil)
	r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "graph.facebook.com", Reason: flow.Passed, Sent: 7000})
	r.event(evidence.KindConnection, flow.Connection{Flow: "c2", Host: "spare.example", Reason: flow.Unused})
	r.event(evidence.KindConnection, flow.Connection{Flow: "c3", Host: "other.example", Reason: flow.Passed, Sent: 9000, UID: 1000})
	r.rejected()
	r.ask(message{url: "https://log.example/", body: noise[9000:12000]}, nil)
	j := r.judge()
	var got []string
	for _, o := range j.Opaque {
		got = append(got, fmt.Sprintf("%s %s %d in %d requests, %d connections", o.Consent, o.Host, o.Bytes, o.Requests, o.Connections))
		if len(o.Why) != 1 || o.Event == 0 || (o.Host == "graph.facebook.com") != (o.Owner != "" && o.Country == "US") {
			t.Errorf("%+v", o)
		}
	}
	want := "untouched log.example 9000 in 2 requests, 0 connections; untouched graph.facebook.com 7000 in 0 requests, 1 connections; rejected log.example 3000 in 1 requests, 0 connections"
	if strings.Join(got, "; ") != want {
		t.Errorf("%s", strings.Join(got, "; "))
	}
}

// Why a connection could not be read decides what it hides.
func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		connection flow.Connection
		verdicts   string
		says       string
	}{
		"passed":                    {flow.Connection{Host: "10.0.0.1", SNI: "pinned.example", Reason: flow.Passed, Sent: 4321}, "??-??-", "1 connection to pinned.example could not be read: the app had refused our certificate for this host, so it was let through untouched; 4321 bytes were sent."},
		"client certificate":        {flow.Connection{Host: "bank.example", Reason: flow.ClientCert, Sent: 900}, "??-??-", "asks for a certificate of the app's own"},
		"HTTP/3, fell back":         {flow.Connection{Host: "api.pantry.example", Port: 443, Reason: flow.QUIC}, "------", "came back over TCP"},
		"HTTP/3, by address":        {flow.Connection{Host: "192.0.2.9", Port: 443, Reason: flow.QUIC}, "------", "came back over TCP"},
		"HTTP/3, nobody says where": {flow.Connection{Port: 443, Reason: flow.QUIC}, "------", "with which hosts it tried is not known"},
		"HTTP/3, never again":       {flow.Connection{Host: "quic.example", Port: 443, Reason: flow.QUIC}, "??-??-", "no request to it was read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := innocent(t)
			r.rejected()
			id := r.request(message{method: "GET", url: "https://api.pantry.example/x"})
			r.event(evidence.KindResponse, flow.Response{Flow: id, Status: 200, Server: "192.0.2.9:443"})
			c.connection.Flow = "c1"
			r.event(evidence.KindConnection, c.connection)
			j := r.judge()
			if got := verdicts(j); got != c.verdicts {
				t.Errorf("verdicts %s, want %s", got, c.verdicts)
			}
			if !strings.Contains(fmt.Sprint(j.BlindSpots), c.says) {
				t.Errorf("no blind spot says %q: %+v", c.says, j.BlindSpots)
			}
		})
	}
}

// closed is bytes that no decoding explains, and no recording.
func closed(n int) []byte {
	b := clip(n + 1)
	slices.Reverse(b)
	return b[:n]
}
